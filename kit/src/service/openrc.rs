//! Service scripts for OpenRC: openrc-run(8), supervise-daemon(8).

use super::description::{
    Boot, Dependency, Foreground, Need, Output, Reload, Remains, Restart, Service, Start,
};
use super::loss::{Loss, Severity, loss, one_process, unheard};
use super::target::{File, Refusal, Written, refused, restart_word};
use super::word::{Command, Run, line, quoted};
use super::{pid_file, script, variables};
use crate::limits;

pub(super) fn write(service: &Service) -> Result<Written, Refusal> {
    let mut losses = script::check(service)?;
    match &service.start {
        // openrc-run(8) does not quote it where a shell reads it once more.
        Start::Background { pid_file, .. } if quoted(pid_file) != *pid_file => {
            let why = "OpenRC knows no pid file of such a name: letters, digits and '/._-+:,@%' are what it may have";
            return Err(refused(&format!("PIDFile={pid_file}"), why.to_owned()));
        }
        Start::Background { .. } | Start::Foreground(_) | Start::Once { .. } => {}
    }
    unheard(service, &mut losses);
    match &service.start {
        Start::Once { .. } => {}
        Start::Foreground(_) => {
            one_process(service, &mut losses, "its main process");
            losses.extend(restarts(service.restart));
        }
        Start::Background { .. } => {
            one_process(service, &mut losses, "its main process");
            losses.extend(unwatched(service.restart));
        }
    }
    if service.boot == Boot::Waits {
        let why = "whoever adds it to a runlevel has it started with the machine: it has no [Install]";
        losses.push(loss(Severity::Note, "[Install]", why));
    }
    let name = &service.name;
    let file = File::script(format!("/etc/init.d/{name}"), text(service));
    Ok(Written { files: vec![file], commands: Vec::new(), losses })
}

/// What supervise-daemon does, whatever it is told.
fn restarts(restart: Restart) -> Option<Loss> {
    let why = match restart {
        Restart::Always | Restart::Never => return None,
        Restart::OnFailure => "supervise-daemon starts it again also when it ended well",
        Restart::OnSuccess => "supervise-daemon starts it again also when it failed",
    };
    Some(loss(Severity::Behaviour, format!("Restart={}", restart_word(restart)), why))
}

fn unwatched(restart: Restart) -> Option<Loss> {
    match restart {
        Restart::Never => None,
        Restart::OnFailure | Restart::OnSuccess | Restart::Always => Some(loss(
            Severity::Behaviour,
            format!("Restart={}", restart_word(restart)),
            "what goes into the background is not watched: once it ends it stays down",
        )),
    }
}

fn text(service: &Service) -> String {
    let mut text = String::from("#!/sbin/openrc-run\n") + &script::mark(service);
    line(&mut text, format!("description={}", quoted(&service.title())));
    match &service.start {
        Start::Foreground(Foreground { command, .. }) => {
            let by = match service.restart {
                Restart::Never => {
                    text += "command_background=yes\n";
                    By::Starter
                }
                Restart::OnFailure | Restart::OnSuccess | Restart::Always => {
                    text += "supervisor=supervise-daemon\n";
                    let delay = service.restart_delay.as_millis().div_ceil(1000);
                    line(&mut text, format!("respawn_delay={delay}\nrespawn_max=0"));
                    By::Supervisor
                }
            };
            // The service may have a pid file of its own.
            text += &program(service, command, &format!("/run/supervise-{}.pid", service.name), by);
        }
        Start::Background { command, pid_file, .. } => {
            text += &program(service, command, pid_file, By::Itself);
        }
        Start::Once { .. } => {}
    }
    if service.reload != Reload::Never {
        text += "extra_started_commands=reload\n";
    }
    text += &depend(service);
    let functions = functions(service);
    if functions.contains("read_pid_file") {
        text += &pid_file::functions(service);
    }
    text + &script::functions(service) + &functions
}

/// Where lines go without start-stop-daemon's help: Debian's own knows no `--stdout`.
const LOGGED: &str = "exec \"$@\" >>\"$0\" 2>&1";

/// Who runs the program.
#[derive(Clone, Copy, PartialEq, Eq)]
enum By {
    /// supervise-daemon, which starts it again.
    Supervisor,
    /// start-stop-daemon, which puts it into the background.
    Starter,
    /// start-stop-daemon, and it goes there by itself.
    Itself,
}

/// OpenRC reads these values as a shell reads a line: each word stands in a variable of its own.
fn program(service: &Service, command: &Command, pid_file: &str, by: By) -> String {
    let mut text = String::new();
    let log = match &service.environs.output {
        Output::Log => Some(format!("/var/log/{}.log", service.name)),
        Output::File(path) => Some(path.clone()),
        Output::Nowhere => None,
    };
    let mut words: Vec<String> = Vec::new();
    if let (Some(log), By::Supervisor | By::Starter) = (&log, by) {
        line(&mut text, format!("log={}", quoted(log)));
    }
    if log.is_some() && by == By::Starter {
        line(&mut text, format!("logged={}", quoted(LOGGED)));
        words.extend(["/bin/sh", "-c", "\"$logged\"", "\"$log\""].map(str::to_owned));
    }
    if let Some(prefix) = variables::prefix(service, command.run) {
        let folder = if prefix.starts_with('/') { "" } else { "/usr/bin/" };
        words.push(format!("{folder}{prefix}"));
    }
    let mut count = 0;
    for word in &variables::expanded(service, command).words {
        let shell = word.shell();
        match word.known() {
            Some(known) if known != shell => {
                count += 1;
                line(&mut text, format!("word{count}={shell}"));
                words.push(format!("\"$word{count}\""));
            }
            Some(_) | None => words.push(shell),
        }
    }
    let all = words.join(" ");
    let (program, arguments) = all.split_once(' ').unwrap_or((&all, ""));
    line(&mut text, format!("command={}", quoted(program)));
    if !arguments.is_empty() {
        line(&mut text, format!("command_args={}", quoted(arguments)));
    }
    line(&mut text, format!("pidfile={}", quoted(pid_file)));
    let stop = &service.stop;
    let retry = stop.within.map_or(format!("{}/{}", stop.signal, limits::FOR_EVER), |within| {
        format!("{}/{}/KILL/{}", stop.signal, within.as_secs().max(1), limits::KILLED_WITHIN)
    });
    line(&mut text, format!("retry={retry}"));
    let directory = service.environs.directory.as_deref().unwrap_or("/");
    line(&mut text, format!("workdir={}\ndirectory='\"$workdir\"'", quoted(directory)));
    if let Some(umask) = service.environs.umask {
        line(&mut text, format!("umask={:04o}", umask.as_raw_mode()));
    }
    if log.is_some() && by == By::Supervisor {
        line(&mut text, "output_log='\"$log\"'\nerror_log='\"$log\"'");
    }
    text
}

/// Whether what runs is not what was started: it is known by its pid file alone.
fn is_another(service: &Service) -> bool {
    match (&service.start, service.restart) {
        // What goes into the background may have been started by another program.
        (Start::Foreground(_), Restart::Never) | (Start::Background { .. }, _) => true,
        (Start::Foreground(_) | Start::Once { .. }, _) => {
            variables::prefix(service, Run::AsService).is_some()
        }
    }
}

fn depend(service: &Service) -> String {
    let mut body = String::new();
    let after = script::facilities(service, |dependency| match dependency {
        Dependency::Network => "net",
        Dependency::Names => "dns",
        Dependency::Time => "clock",
        Dependency::LocalFiles => "localmount",
        Dependency::RemoteFiles => "netmount",
        Dependency::Log => "logger",
    });
    if after.iter().any(|word| word == "net") {
        line(&mut body, "use net");
    }
    if !after.is_empty() {
        line(&mut body, format!("after {}", after.join(" ")));
    }
    for need in &service.needs {
        match need {
            Need::After(_) => {}
            Need::Required(name) => line(&mut body, format!("need {name}")),
            Need::Wanted(name) => line(&mut body, format!("want {name}")),
            Need::AfterService(name) => line(&mut body, format!("after {name}")),
            Need::BeforeService(name) => line(&mut body, format!("before {name}")),
        }
    }
    if body.is_empty() {
        return body;
    }
    format!("\ndepend() {{\n{}}}\n", script::indented(&body, "    "))
}

fn functions(service: &Service) -> String {
    let mut text = String::new();
    let mut say = |name: &str, body: &str| {
        if !body.is_empty() {
            text += &format!("\n{name}() {{\n{}}}\n", script::indented(body, "    "));
        }
    };
    // Within a function of openrc-run, `exit` ends the service's start.
    let prepared = variables::environment(service)
        + &script::inherited(service)
        + &script::all(service, &service.before, "return 1");
    let after = script::all(service, &service.after, "return 1");
    let stopped = script::all(service, &service.stop.after, ":");
    let asked = script::all(service, &service.stop.commands, ":");
    match &service.start {
        Start::Once { commands, then } => {
            let run = script::all(service, commands, "return 1");
            let ends = match then {
                Remains::Up => "",
                // It is started anew each time somebody asks.
                Remains::Down => "mark_service_stopped\n",
            };
            say("start", &(prepared + &run + &after + ends + "return 0\n"));
            let environment = if asked.is_empty() { String::new() } else { variables::environment(service) };
            say("stop", &(environment + &asked + &stopped + "return 0\n"));
        }
        Start::Foreground(_) | Start::Background { .. } => {
            let pid = format!("{} || :\n", main_process(service));
            let with_pid = |body: String| if body.is_empty() { body } else { pid.clone() + &body };
            say("start_pre", &prepared);
            say("start_post", &with_pid(after));
            let environment = if asked.is_empty() { String::new() } else { variables::environment(service) };
            let known = if is_another(service) { "service_set_value command ''\ncommand=\n" } else { "" };
            let asked = environment + &asked;
            match &service.start {
                Start::Background { pid_file, .. } => {
                    let stopped = format!("rm -f {}\n", quoted(pid_file)) + &stopped;
                    say("stop_pre", &(known.to_owned() + &believed(service) + &asked + ENDED));
                    say("stop_post", &stopped);
                }
                Start::Foreground(_) | Start::Once { .. } => {
                    say("stop_pre", &(known.to_owned() + &with_pid(asked)));
                    say("stop_post", &stopped);
                }
            }
        }
    }
    say("reload", &reload(service));
    text
}

/// start-stop-daemon fails where it finds nobody to stop, and the service would count as started for ever.
const ENDED: &str = r#"if [ -z "$(born "$MAINPID")" ]; then
    # Nobody is left to be stopped.
    service_set_value pidfile ''
    pidfile=
fi
"#;

/// Sets `MAINPID`, or fails.
fn main_process(service: &Service) -> &'static str {
    match (&service.start, service.restart) {
        // The pid file has supervise-daemon's own number; it passes no signals on.
        (Start::Foreground(_), Restart::OnFailure | Restart::OnSuccess | Restart::Always) => {
            "MAINPID=$(service_get_value child_pid) && export MAINPID"
        }
        (Start::Foreground(_) | Start::Background { .. }, _) => "read_pid_file \"$pidfile\"",
        (Start::Once { .. }, _) => ":",
    }
}

/// start-stop-daemon kills whomever a pid file names: it is told of one that root has written.
fn believed(service: &Service) -> String {
    format!(
        "if read_pid_file \"$pidfile\"; then
    pidfile=/run/{}.main
    echo \"$MAINPID\" >\"$pidfile\"
    service_set_value pidfile \"$pidfile\"
else
    rm -f \"$pidfile\"
fi
",
        service.name
    )
}

fn reload(service: &Service) -> String {
    let Some(how) = script::reload(service, "return 1") else { return String::new() };
    let pid = main_process(service);
    let environment = match service.reload {
        Reload::Commands(_) => variables::environment(service),
        Reload::Never | Reload::Signal(_) => String::new(),
    };
    format!("ebegin \"Reloading $RC_SVCNAME\"\n{pid} || return 1\n{environment}{how}eend 0\n")
}
