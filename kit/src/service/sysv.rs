//! Scripts for /etc/init.d: the Linux Standard Base's "Init Script Actions" and "Comment Conventions for Init Scripts".

use super::description::{
    Boot, Dependency, Foreground, Need, Output, Reload, Remains, Restart, Service, Start, Whom,
};
use super::loss::{Severity, loss, one_process, unheard};
use super::target::{File, Refusal, Written, restart_word};
use super::word::{Command, line, quoted};
use super::{pid_file, script, variables};
use crate::limits;
use std::time::Duration;

const IS_RUNNING: &str = r#"
# Whether the process of the pid file runs, and is the one that was started: MAINPID is its number.
is_running() {
    known= since=
    read_pid_file "$PIDFILE" || return 1
    now=$(born "$MAINPID")
    if [ -s "$SINCE" ]; then read -r known since <"$SINCE"; fi
    [ "$known" != "$MAINPID" ] || [ "$since" = "$now" ]
}

# Waits so many tenths of a second, or for ever, until the process that ran is no more.
await_end() {
    left=$1
    while [ "$(born "$MAINPID")" = "$now" ]; do
        [ "$left" = forever ] || { [ "$left" -gt 0 ] && left=$((left - 1)); } || return 1
        tick
    done
}
"#;

const ACTIONS: &str = r#"
# A start changes the limits of this very shell, so it is the last that happens in it.
case ${1-} in
start)
    start
    exit $?
    ;;
stop)
    (stop)
    exit $?
    ;;
restart)
    (stop) && start
    exit $?
    ;;
try-restart | condrestart)
    is_up || exit 0
    (stop) && start
    exit $?
    ;;
reload)
    is_up || exit 7
    (reload)
    exit $?
    ;;
force-reload)
    is_up || exit 0
    (reload) && exit 0
    (stop) && start
    exit $?
    ;;
status)
    status
    exit $?
    ;;
*)
    echo "usage: $0 {start|stop|restart|try-restart|reload|force-reload|status}" >&2
    exit 2
    ;;
esac
"#;

pub(super) fn write(service: &Service) -> Result<Written, Refusal> {
    let mut losses = script::check(service)?;
    let restart = match service.start {
        Start::Once { .. } => Restart::Never,
        Start::Foreground(_) | Start::Background { .. } => service.restart,
    };
    match restart {
        Restart::Never => {}
        Restart::OnFailure | Restart::OnSuccess | Restart::Always => losses.push(loss(
            Severity::Behaviour,
            format!("Restart={}", restart_word(restart)),
            "nobody watches over it: once it ends it stays down until somebody starts it",
        )),
    }
    match &service.start {
        Start::Foreground(Foreground { detached: Some(_), .. }) => {}
        Start::Foreground(_) | Start::Background { .. } | Start::Once { .. } => unheard(service, &mut losses),
    }
    match service.start {
        Start::Once { .. } => {}
        Start::Foreground(_) | Start::Background { .. } => {
            one_process(service, &mut losses, "its process group");
        }
    }
    let name = &service.name;
    let file = File::script(format!("/etc/init.d/{name}"), text(service));
    Ok(Written { files: vec![file], commands: Vec::new(), losses })
}

fn text(service: &Service) -> String {
    let mut text = format!("#!/bin/sh\n{}{}", header(service), script::beginning(service));
    let (pid_file, main) = match &service.start {
        Start::Foreground(Foreground { detached: Some((command, pid_file)), .. }) => {
            (pid_file.clone(), background(service, command, limits::SAID_BY_SYSTEMD))
        }
        Start::Foreground(Foreground { command, .. }) => {
            // The service may have one of its own.
            (format!("/run/init.d-{}.pid", service.name), foreground(service, command))
        }
        Start::Background { command, pid_file, within } => {
            (pid_file.clone(), background(service, command, *within))
        }
        Start::Once { commands, then } => {
            return text + &script::functions(service) + &once(service, commands, *then) + ACTIONS;
        }
    };
    line(&mut text, format!("PIDFILE={}", quoted(&pid_file)));
    line(&mut text, format!("SINCE=/run/{}.since", service.name));
    text += script::WAIT;
    text += &pid_file::functions(service);
    text += IS_RUNNING;
    line(&mut text, "\nis_up() { is_running; }");
    text += &script::functions(service);
    text += &start(service, &main);
    text += &stop(service);
    text += &reload(service);
    text += "\nstatus() {\n";
    text += &format!(
        "    if is_running; then echo \"{} is running (process $MAINPID)\"; return 0; fi\n",
        service.name
    );
    text += &format!(
        "    if [ -s \"$PIDFILE\" ]; then echo '{} is dead, and its pid file is there'; return 1; fi\n",
        service.name
    );
    text += &format!("    echo '{} is not running'\n    return 3\n}}\n", service.name);
    text + ACTIONS
}

/// What insserv(8) orders scripts by.
fn header(service: &Service) -> String {
    let facilities = script::facilities(service, |dependency| match dependency {
        Dependency::Network => "$network",
        Dependency::Names => "$named",
        Dependency::Time => "$time",
        Dependency::LocalFiles => "$local_fs",
        Dependency::RemoteFiles => "$remote_fs",
        Dependency::Log => "$syslog",
    });
    let (mut required, mut should, mut before) = (vec!["$remote_fs".to_owned()], Vec::new(), Vec::new());
    for facility in facilities.into_iter().filter(|one| one != "$remote_fs") {
        match facility.as_str() {
            "$named" | "$time" | "$syslog" => should.push(facility),
            _ => required.push(facility),
        }
    }
    for need in &service.needs {
        match need {
            Need::After(_) => {}
            Need::Required(name) => required.push(name.clone()),
            Need::Wanted(name) | Need::AfterService(name) => should.push(name.clone()),
            Need::BeforeService(name) => before.push(name.clone()),
        }
    }
    should.retain(|name| !required.contains(name));
    for list in [&mut required, &mut should, &mut before] {
        let mut seen = Vec::new();
        list.retain(|name| {
            !seen.contains(name) && {
                seen.push(name.clone());
                true
            }
        });
    }
    let mut text = String::from("### BEGIN INIT INFO\n");
    let mut say = |key: &str, value: &str| line(&mut text, format!("# {key:<18} {value}").trim_end());
    say("Provides:", &service.name);
    say("Required-Start:", &required.join(" "));
    say("Required-Stop:", &required.join(" "));
    if !should.is_empty() {
        say("Should-Start:", &should.join(" "));
        say("Should-Stop:", &should.join(" "));
    }
    if !before.is_empty() {
        say("X-Start-Before:", &before.join(" "));
    }
    let (start, stop) = match service.boot {
        Boot::Starts => ("2 3 4 5", "0 1 6"),
        Boot::Waits => ("", "0 1 2 3 4 5 6"),
    };
    say("Default-Start:", start);
    say("Default-Stop:", stop);
    say("Short-Description:", &service.title());
    text + "### END INIT INFO\n"
}

/// What every start does first: what is inherited, and the commands before.
fn prepared(service: &Service) -> String {
    variables::environment(service)
        + &script::inherited(service)
        + &script::all(service, &service.before, "return 1")
}

fn start(service: &Service, main: &str) -> String {
    let mut body = String::from("if is_running; then return 0; fi\n");
    if let Some(program) = main_program(service) {
        line(
            &mut body,
            format!("[ -x {0} ] || {{ echo 'cannot run '{0} >&2; return 5; }}", quoted(&program)),
        );
    }
    body += &prepared(service);
    body += "rm -f \"$PIDFILE\" \"$SINCE\"\n";
    body += main;
    body += "if ! is_running; then echo 'it ended at once' >&2; return 1; fi\n";
    body += "echo \"$MAINPID $(born \"$MAINPID\")\" >\"$SINCE\"\n";
    body += &script::all(service, &service.after, "{ stop; return 1; }");
    format!("\nstart() {{\n{}}}\n", script::indented(&body, "    "))
}

fn main_program(service: &Service) -> Option<String> {
    match &service.start {
        Start::Foreground(Foreground { command, .. }) | Start::Background { command, .. } => {
            // Within somebody else's home it may be his alone to see.
            command.program()
        }
        Start::Once { .. } => None,
    }
}

/// In a session of its own, its number written down by itself before it becomes what it is.
fn foreground(service: &Service, command: &Command) -> String {
    let run = script::succeeding(service, command);
    let to = match &service.environs.output {
        Output::Log => {
            format!("2>&1 | logger -t {} >/dev/null 2>&1", service.name)
        }
        Output::Nowhere | Output::File(_) => script::output(&service.environs.output).unwrap_or_default(),
    };
    let known =
        format!("exec 3>/dev/null && export NOTIFY_FD=3 SYSLOG_IDENTIFIER={} && ", quoted(&service.name));
    // logger names each line. A daemon of this library's keeps no pid file of its own beside this one where somebody waits for its newline.
    let newline = if service.units.is_empty() { "" } else { &known };
    format!(
        "setsid sh -c 'echo $$ >\"$0\" && {newline}exec \"$@\"' \"$PIDFILE\" {run} </dev/null {to} &
left={}
until is_running || [ $left = 0 ]; do left=$((left - 1)); tick; done
# What cannot be run ends within this time.
tick
",
        limits::NUMBER_WITHIN * 10
    )
}

fn background(service: &Service, command: &Command, within: Duration) -> String {
    let run = script::called(service, command);
    let to = script::output(&service.environs.output).map_or(String::new(), |to| format!(" {to}"));
    format!(
        "{run} </dev/null{to} || return 1
left={}
until is_running || [ $left = 0 ]; do left=$((left - 1)); tick; done
",
        within.as_secs().clamp(1, limits::LONGEST_START) * 10
    )
}

fn stop(service: &Service) -> String {
    let stop = &service.stop;
    let signal = &stop.signal;
    let mut body = String::from("if ! is_running; then rm -f \"$PIDFILE\" \"$SINCE\"; return 0; fi\n");
    if !stop.commands.is_empty() || !stop.after.is_empty() {
        body += &variables::environment(service);
    }
    // Of one that went into the background the group is its own only if it made one: then it leads it.
    body += "whom=$MAINPID\n";
    match stop.whom {
        Whom::All | Whom::Mixed => {
            body += "group=$(sed -n 's/^.*) //p' \"/proc/$MAINPID/stat\" 2>/dev/null | cut -d' ' -f3)\n";
            body += "if [ \"$group\" = \"$MAINPID\" ]; then whom=-$MAINPID; fi\n";
        }
        Whom::Main => {}
    }
    let first = match stop.whom {
        Whom::All => "$whom",
        Whom::Mixed | Whom::Main => "$MAINPID",
    };
    body += &script::all(service, &stop.commands, ":");
    let kill = format!("kill -s {signal} -- \"{first}\" 2>/dev/null");
    line(
        &mut body,
        match stop.commands.is_empty() {
            true => kill,
            // They may have ended it, and its number may be another's.
            false => format!("if [ \"$(born \"$MAINPID\")\" = \"$now\" ]; then {kill}; fi"),
        },
    );
    let within = stop.within.map_or("forever".to_owned(), |within| tenths(within).to_string());
    line(&mut body, format!("if ! await_end {within}; then"));
    body += "    echo 'it did not stop in time: it is killed' >&2\n";
    body += "    kill -s KILL -- \"$whom\" 2>/dev/null\n";
    line(&mut body, format!("    await_end {} || return 1\nfi", limits::KILLED_WITHIN * 10));
    match stop.whom {
        Whom::All | Whom::Mixed => {
            body += "if [ \"$whom\" != \"$MAINPID\" ]; then kill -s KILL -- \"$whom\" 2>/dev/null; fi\n"
        }
        Whom::Main => {}
    }
    body += "rm -f \"$PIDFILE\" \"$SINCE\"\n";
    body += &script::all(service, &stop.after, ":");
    body += "return 0\n";
    format!("\nstop() {{\n{}}}\n", script::indented(&body, "    "))
}

fn tenths(time: Duration) -> u128 {
    time.as_millis().div_ceil(100)
}

fn reload(service: &Service) -> String {
    let body = match script::reload(service, "exit 1") {
        None => "echo 'it cannot reload' >&2\nreturn 3\n".to_owned(),
        Some(reload) => {
            let variables = match service.reload {
                Reload::Commands(_) => variables::environment(service),
                Reload::Never | Reload::Signal(_) => String::new(),
            };
            variables + &reload
        }
    };
    format!("\nreload() {{\n{}}}\n", script::indented(&body, "    "))
}

/// Commands that end: a file tells that they have.
fn once(service: &Service, commands: &[Command], then: Remains) -> String {
    let name = &service.name;
    let mut text = format!("UP=/run/{name}.up\n\nis_up() {{ [ -e \"$UP\" ]; }}\n");
    let mut body = String::new();
    let mark = match then {
        Remains::Up => {
            body += "if is_up; then return 0; fi\n";
            ": >\"$UP\"\n"
        }
        Remains::Down => "",
    };
    body += &prepared(service);
    body += &script::all(service, commands, "return 1");
    body += &script::all(service, &service.after, "return 1");
    body += mark;
    body += match then {
        Remains::Up => "",
        Remains::Down => ":\n",
    };
    text += &format!("\nstart() {{\n{}}}\n", script::indented(&body, "    "));
    let mut body = String::from("if ! is_up; then return 0; fi\n");
    body += &variables::environment(service);
    body += &script::all(service, &service.stop.commands, ":");
    body += &script::all(service, &service.stop.after, ":");
    body += "rm -f \"$UP\"\n";
    text += &format!("\nstop() {{\n{}}}\n", script::indented(&body, "    "));
    text += &reload(service);
    text += &format!(
        "\nstatus() {{\n    if is_up; then echo '{name} has run'; return 0; fi\n    echo '{name} is not up'\n    return 3\n}}\n"
    );
    text
}
