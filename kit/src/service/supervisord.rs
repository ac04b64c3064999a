//! Programs for supervisord: <http://supervisord.org/configuration.html>, "[program:x] Section Settings".
//!
//! What a section cannot say a script says that stands beside it.

use super::description::{Boot, Foreground, Output, Remains, Restart, Rights, Service, Start, Whom};
use super::loss::{Loss, Severity, asked_for, loss, one_process, unheard};
use super::target::{File, Refusal, Written, refused, restart_word};
use super::word::{line, quoted};
use super::{runit, script};
use crate::limits;

/// What begins a comment behind a space, and is turned back by no sign.
const COMMENTS: [char; 2] = [';', '#'];

pub(super) fn write(service: &Service) -> Result<Written, Refusal> {
    let mut losses = script::check(service)?;
    let output = match &service.environs.output {
        Output::File(path) => Some(path),
        Output::Log | Output::Nowhere => None,
    };
    for path in service.environs.directory.iter().chain(output) {
        if path.contains(COMMENTS) {
            let why = "supervisord takes ';' and '#' behind a space for a comment: no path of its sections may have them";
            return Err(refused(&format!("{path:?}"), why.to_owned()));
        }
    }
    unheard(service, &mut losses);
    order(service, &mut losses);
    match service.start {
        Start::Once { .. } => {}
        Start::Foreground(_) | Start::Background { .. } => {
            one_process(service, &mut losses, "its process group");
        }
    }
    if !runit::reloads_by_hup(service) {
        let why = "supervisorctl sends signals alone, and no other than SIGHUP is a reload to people";
        losses.push(loss(Severity::Behaviour, "ExecReload=", why));
    }
    unasked(service, &mut losses);
    losses.extend(restart_loss(service.restart));
    if service.restart_delay.as_secs() > 1 {
        let directive = format!("RestartSec={}", service.restart_delay.as_secs());
        losses.push(loss(Severity::Behaviour, directive, "it waits as long as it tried before, in seconds"));
    }
    let mut files = Vec::new();
    let command = match plain(service) {
        Some(words) => words.iter().map(|word| escaped(&ini_word(word))).collect::<Vec<_>>().join(" "),
        None => {
            let path = format!("/etc/supervisor/{}.run", service.name);
            files.push(File::script(path.clone(), run(service)));
            escaped(&path)
        }
    };
    let path = format!("/etc/supervisor/conf.d/{}.conf", service.name);
    files.push(File::text(path, section(service, &command)));
    Ok(Written { files, commands: Vec::new(), losses })
}

fn order(service: &Service, losses: &mut Vec<Loss>) {
    for directive in service.needs.iter().filter_map(asked_for) {
        losses.push(loss(
            Severity::Behaviour,
            directive,
            "all programs start at once, and none needs another",
        ));
    }
}

/// What is only run where a shell stays in front.
fn unasked(service: &Service, losses: &mut Vec<Loss>) {
    let in_front = match service.start {
        Start::Background { .. } | Start::Once { then: Remains::Up, .. } => true,
        Start::Foreground(_) | Start::Once { then: Remains::Down, .. } => false,
    };
    if !service.stop.commands.is_empty() && !in_front {
        losses.push(loss(Severity::Behaviour, "ExecStop=", "is not run: a stop is the signal alone"));
    }
    if !service.stop.after.is_empty() {
        losses.push(loss(Severity::Behaviour, "ExecStopPost=", "is not run: nothing is after a stop"));
    }
}

/// The words of a service of which a section says all.
fn plain(service: &Service) -> Option<Vec<String>> {
    let Start::Foreground(Foreground { command, .. }) = &service.start else { return None };
    let environs = &service.environs;
    let is_plain = service.before.is_empty()
        && service.after.is_empty()
        // supervisord's own `user=` sets no HOME, and gives up before directories are made.
        && service.rights == Rights::default()
        && environs.variables.is_empty()
        && environs.files.is_empty()
        && environs.unset.is_empty()
        && environs.limits.is_empty()
        && environs.nice.is_none()
        && environs.oom_score.is_none()
        && environs.directories.is_empty();
    let fits = |word: &String| !word.contains(char::is_control) && !word.contains(COMMENTS);
    command.known().filter(|words| is_plain && words.iter().all(fits))
}

fn run(service: &Service) -> String {
    let mut text = String::from("#!/bin/sh\n") + &script::beginning(service);
    text += &script::watching(service);
    text += &script::functions(service);
    text.push('\n');
    text + &runit::main(service)
}

fn section(service: &Service, command: &str) -> String {
    let mut text = format!("; {} {}: {}\n", script::MARK, service.name, service.title());
    line(&mut text, format!("[program:{}]\ncommand={command}", service.name));
    let once = matches!(service.start, Start::Once { .. });
    let autostart = match service.boot {
        Boot::Starts => "true",
        Boot::Waits => "false",
    };
    line(&mut text, format!("autostart={autostart}"));
    let again = match service.restart {
        _ if once => "false",
        Restart::Never => "false",
        Restart::OnFailure => "unexpected",
        Restart::OnSuccess | Restart::Always => "true",
    };
    line(&mut text, format!("autorestart={again}"));
    if once {
        line(&mut text, "startsecs=0\nstartretries=0");
    }
    stop(service, &mut text);
    let directory = service.environs.directory.as_deref().unwrap_or("/");
    line(&mut text, format!("directory={}", escaped(directory)));
    if let Some(umask) = service.environs.umask {
        line(&mut text, format!("umask={:03o}", umask.as_raw_mode()));
    }
    match &service.environs.output {
        Output::Log => line(&mut text, "redirect_stderr=true"),
        Output::Nowhere => line(&mut text, "redirect_stderr=true\nstdout_logfile=NONE"),
        Output::File(path) => {
            line(
                &mut text,
                format!("redirect_stderr=true\nstdout_logfile={}\nstdout_logfile_maxbytes=0", escaped(path)),
            );
        }
    }
    text
}

fn stop(service: &Service, text: &mut String) {
    let within = service.stop.within.map_or(limits::FOR_EVER, |within| within.as_secs().max(1));
    match (&service.start, service.stop.whom) {
        (Start::Foreground(_), whom) => {
            line(text, format!("stopsignal={}\nstopwaitsecs={within}", service.stop.signal));
            match whom {
                Whom::All => line(text, "stopasgroup=true\nkillasgroup=true"),
                Whom::Mixed => line(text, "killasgroup=true"),
                Whom::Main => {}
            }
        }
        // The shell in front passes it on, and kills in time.
        (Start::Background { .. } | Start::Once { .. }, _) => {
            line(text, format!("stopsignal=TERM\nstopwaitsecs={}", within + limits::KILLED_WITHIN));
        }
    }
}

/// A word of `command=`, which is read as a shell reads one line, without its variables.
fn ini_word(word: &str) -> String {
    quoted(word)
}

/// Text of a value: `%` begins a name.
fn escaped(text: &str) -> String {
    text.replace('%', "%%")
}

fn restart_loss(restart: Restart) -> Option<Loss> {
    match restart {
        Restart::OnSuccess => Some(loss(
            Severity::Behaviour,
            format!("Restart={}", restart_word(restart)),
            "it is started again also when it failed",
        )),
        Restart::Never | Restart::OnFailure | Restart::Always => None,
    }
}
