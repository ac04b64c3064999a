//! Service folders for runsv(8).

use super::description::{Boot, Foreground, Need, Output, Reload, Remains, Restart, Service, Start};
use super::loss::{Loss, Severity, asked_for, loss, one_process, unheard};
use super::target::{File, Refusal, Written, restart_word};
use super::word::{Command, line, quoted};
use super::{script, variables};
use std::time::Duration;

/// Between two starts runsv waits that long by itself.
const OWN_DELAY: Duration = Duration::from_secs(1);

/// Where the logs of all services are, each in a directory of its name: the one below /var/log is the service's user's.
const LOGS: &str = "/var/log/sv";

pub(super) fn write(service: &Service) -> Result<Written, Refusal> {
    let mut losses = script::check(service)?;
    unheard(service, &mut losses);
    match service.start {
        Start::Once { .. } => {}
        Start::Foreground(_) | Start::Background { .. } => {
            one_process(service, &mut losses, "its main process");
        }
    }
    match service.start {
        Start::Foreground(_) => losses.extend(slow_stop(service)),
        Start::Background { .. } | Start::Once { .. } => {}
    }
    order(service, &mut losses);
    let folder = format!("/etc/sv/{}", service.name);
    let file = |name: &str, text: String| File::script(format!("{folder}/{name}"), text);
    let mut files = vec![file("run", run(service))];
    files.extend(finish(service).map(|text| file("finish", text)));
    if let Start::Foreground(_) = service.start {
        files.extend(control_stop(service).map(|text| file("control/t", text)));
        files.extend(control_reload(service).map(|text| file("control/h", text)));
    }
    if service.environs.output == Output::Log {
        files.push(file("log/run", log(service)));
    }
    match service.boot {
        Boot::Starts => {}
        Boot::Waits => {
            // By its mark it is known from one that somebody put there to keep the service down.
            files.push(File::text(format!("{folder}/down"), script::mark(service)));
        }
    }
    Ok(Written { files, commands: Vec::new(), losses })
}

fn slow_stop(service: &Service) -> Option<Loss> {
    let within = service.stop.within?;
    let why =
        format!("runsv waits for ever: 'sv -w {} force-stop' kills what does not end", within.as_secs());
    Some(loss(Severity::Behaviour, format!("TimeoutStopSec={}", within.as_secs()), why))
}

fn order(service: &Service, losses: &mut Vec<Loss>) {
    for need in &service.needs {
        let why = match need {
            Need::Required(_) | Need::After(_) => continue,
            Need::Wanted(_) => "it is not started along: link its folder too",
            Need::AfterService(_) | Need::BeforeService(_) => "all services start at once",
        };
        losses.extend(asked_for(need).map(|directive| loss(Severity::Behaviour, directive, why)));
    }
}

fn run(service: &Service) -> String {
    let mut text = String::from("#!/bin/sh\n") + &script::beginning(service);
    text += &script::watching(service);
    text += &script::functions(service);
    text.push('\n');
    line(
        &mut text,
        match script::output(&service.environs.output) {
            Some(to) => format!("exec {to}"),
            None => "exec 2>&1".to_owned(),
        },
    );
    for need in &service.needs {
        match need {
            Need::Required(name) => {
                line(&mut text, format!("sv start {0} && sv check {0} || exit 1", quoted(name)))
            }
            Need::After(_) | Need::Wanted(_) | Need::AfterService(_) | Need::BeforeService(_) => {}
        }
    }
    text + &main(service)
}

/// From what is found around it to the process that stays: what [`supervisord`](super::supervisord) runs as well.
pub(super) fn main(service: &Service) -> String {
    let mut text = variables::environment(service);
    text += &script::inherited(service);
    text += &script::all(service, &service.before, "exit 1");
    match &service.start {
        Start::Foreground(Foreground { command, .. }) => {
            // The process is not there yet, and who is after it must not keep it waiting.
            if !service.after.is_empty() {
                text += "MAINPID=$$\nexport MAINPID\n(\n";
                text += &script::indented(&script::all(service, &service.after, ":"), "    ");
                text += ") &\n";
            }
            line(&mut text, format!("exec {}", script::succeeding(service, command)));
        }
        Start::Background { command, pid_file, within } => {
            text += &script::shepherd(service, command, pid_file, *within);
        }
        Start::Once { commands, then } => text += &once(service, commands, *then),
    }
    text
}

fn once(service: &Service, commands: &[Command], then: Remains) -> String {
    let mut text = script::all(service, commands, "exit 1");
    text += &script::all(service, &service.after, "exit 1");
    match then {
        Remains::Down => text += "exit 0\n",
        Remains::Up => {
            text += "# It is up until it is told to stop.\nstop() {\n";
            text += &script::indented(&script::all(service, &service.stop.commands, ":"), "    ");
            text += "    kill \"$!\" 2>/dev/null\n    exit 0\n}\ntrap stop TERM INT\nwhile :; do sleep 1000 & wait $!; done\n";
        }
    }
    text
}

/// After each end: its first argument is the exit code, -1 after a signal.
fn finish(service: &Service) -> Option<String> {
    let mut body = script::all(service, &service.stop.after, ":");
    if !body.is_empty() {
        body.insert_str(0, &variables::environment(service));
    }
    // runsv starts again whatever ended: to stay down is to be told so.
    let down = "printf d >\"$here/supervise/control\"";
    let once_down = match service.start {
        Start::Once { .. } => true,
        Start::Foreground(_) | Start::Background { .. } => false,
    };
    let rule = match service.restart {
        _ if once_down => format!("{down}\n"),
        Restart::Always => String::new(),
        Restart::Never => format!("{down}\n"),
        Restart::OnFailure => format!("if [ \"${{1-}}\" = 0 ]; then {down}; fi\n"),
        Restart::OnSuccess => format!("if [ \"${{1-}}\" != 0 ]; then {down}; fi\n"),
    };
    let delay = match service.restart_delay {
        _ if rule == format!("{down}\n") => String::new(),
        delay if delay > OWN_DELAY => format!("sleep {}\n", (delay - OWN_DELAY).as_secs().max(1)),
        _ => String::new(),
    };
    if body.is_empty() && rule.is_empty() && delay.is_empty() {
        return None;
    }
    let mut text = format!("#!/bin/sh\n{}here=$PWD\n", script::beginning(service));
    text += &script::functions(service);
    text += &body;
    if !rule.is_empty() && service.restart != Restart::Always {
        line(
            &mut text,
            format!("# Restart={}", restart_word(if once_down { Restart::Never } else { service.restart })),
        );
    }
    Some(text + &rule + &delay + "exit 0\n")
}

/// Instead of SIGTERM.
fn control_stop(service: &Service) -> Option<String> {
    let stop = &service.stop;
    if stop.commands.is_empty() && stop.signal == "TERM" {
        return None;
    }
    let mut text = control(service);
    text += &script::all(service, &stop.commands, ":");
    line(&mut text, format!("kill -{} \"$MAINPID\" 2>/dev/null\nexit 0", stop.signal));
    Some(text)
}

/// Instead of SIGHUP.
fn control_reload(service: &Service) -> Option<String> {
    match &service.reload {
        Reload::Signal(signal) if signal == "HUP" => None,
        Reload::Never => None,
        Reload::Signal(_) | Reload::Commands(_) => {
            Some(control(service) + &script::reload(service, "exit 1").unwrap_or_default() + "exit 0\n")
        }
    }
}

fn control(service: &Service) -> String {
    let mut text = String::from("#!/bin/sh\n") + &script::beginning(service);
    text += "read -r MAINPID <supervise/pid\nexport MAINPID\n";
    text += &script::functions(service);
    text + &variables::environment(service)
}

/// In a directory of root's own: svlogd runs what a file `config` in its directory says.
fn log(service: &Service) -> String {
    let folder = quoted(&format!("{LOGS}/{}", service.name));
    format!(
        "#!/bin/sh
{}umask 022
mkdir -p {folder} || exit 1
# What 'config' says in there is run as root.
for one in {LOGS} {folder}; do
    if [ -h \"$one\" ] || [ \"$(stat -c %u \"$one\")\" != \"$(id -u)\" ]; then
        echo \"$one is not root's\" >&2
        exit 1
    fi
done
exec svlogd -tt {folder}
",
        script::beginning(service)
    )
}

/// Whether a reload can be asked for by SIGHUP.
pub(super) fn reloads_by_hup(service: &Service) -> bool {
    match (&service.reload, &service.start) {
        (Reload::Never, _) => true,
        (Reload::Signal(signal), _) if signal == "HUP" => true,
        (Reload::Signal(_) | Reload::Commands(_), Start::Background { .. }) => true,
        (Reload::Signal(_) | Reload::Commands(_), Start::Foreground(_) | Start::Once { .. }) => false,
    }
}
