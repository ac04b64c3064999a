//! Property lists for launchd: launchd.plist(5).

use super::description::{
    Boot, Foreground, Missing, NewRights, Output, Reload, Remains, Restart, Service, Start, Whom,
};
use super::loss::{Loss, Severity, asked_for, loss, unheard, unsaid};
use super::plist::{Flag, List};
use super::target::{File, Level, Refusal, Written, refused, restart_word};
use super::word::{Failure, Run, quoted};
use super::{script, variables};
use std::fmt::Write;

pub(super) fn write(service: &Service, level: Level) -> Result<Written, Refusal> {
    let arguments = arguments(service)?;
    let mut losses = unsaid(service);
    unheard(service, &mut losses);
    lost(service, level, &mut losses);
    let folder = match level {
        Level::System => "/Library/LaunchDaemons",
        Level::User => "~/Library/LaunchAgents",
    };
    let text = list(service, level, &arguments)?;
    let path = format!("{folder}/{}.plist", service.name);
    Ok(Written { files: vec![File::text(path, text)], commands: Vec::new(), losses })
}

/// What is run: the program itself, or a shell where variables, files or several commands are to be seen to.
fn arguments(service: &Service) -> Result<Vec<String>, Refusal> {
    let environs = &service.environs;
    let needs_shell = !service.before.is_empty()
        || !environs.files.is_empty()
        || !environs.unset.is_empty()
        || !environs.directories.is_empty();
    let mut text = String::from("set -f\n");
    let command = match &service.start {
        Start::Foreground(Foreground { command, .. }) => command,
        Start::Background { pid_file, .. } => {
            let why = "launchd loses what goes into the background: run it in the foreground (Type=simple and the program's own option)";
            return Err(refused(&format!("Type=forking, PIDFile={pid_file}"), why.to_owned()));
        }
        Start::Once { commands, .. } => {
            if let ([only], false) = (commands.as_slice(), needs_shell)
                && let Some(words) = only.known()
            {
                return Ok(words);
            }
            text += &prepared(service);
            text += &unchanged(commands, "exit 1");
            return Ok(shell(text + "exit 0\n"));
        }
    };
    match command.known() {
        Some(words) if !needs_shell => Ok(words),
        Some(_) | None => {
            text += &prepared(service);
            writeln!(text, "exec {}", command.shell()).ok();
            Ok(shell(text))
        }
    }
}

fn shell(script: String) -> Vec<String> {
    vec!["/bin/sh".to_owned(), "-c".to_owned(), script]
}

/// launchd changes the user before: all commands run as the service.
fn unchanged(commands: &[super::Command], otherwise: &str) -> String {
    let lines = commands.iter().map(|command| match command.failure {
        Failure::Counts => format!("{} || {otherwise}\n", command.shell()),
        Failure::Ignored => format!("{} || :\n", command.shell()),
    });
    lines.collect()
}

fn prepared(service: &Service) -> String {
    let environs = &service.environs;
    let mut text = String::new();
    for directory in &environs.directories {
        let path = quoted(&directory.path);
        writeln!(text, "mkdir -p -m {:04o} {path} || exit 1", directory.mode.as_raw_mode()).ok();
    }
    text += &variables::directories(service);
    if !environs.files.is_empty() {
        text += variables::SET_LINES;
    }
    let read = |path: &str| format!("SERVICE_LINES=$(cat {path}); set_lines");
    for file in &environs.files {
        let path = quoted(&file.path);
        match file.missing {
            Missing::Fails => writeln!(text, "[ -r {path} ] || exit 1\n{}", read(&path)).ok(),
            Missing::IsPassedOver => writeln!(text, "if [ -r {path} ]; then {}; fi", read(&path)).ok(),
        };
    }
    if !environs.unset.is_empty() {
        writeln!(text, "unset {}", environs.unset.join(" ")).ok();
    }
    text + &unchanged(&service.before, "exit 1")
}

fn lost(service: &Service, level: Level, losses: &mut Vec<Loss>) {
    lost_rights(service, level, losses);
    lost_life(service, losses);
    kept_alive(service, level, losses);
}

fn lost_rights(service: &Service, level: Level, losses: &mut Vec<Loss>) {
    let mut lose = |severity, directive: &str, why: &str| losses.push(loss(severity, directive, why));
    let (behaviour, protection) = (Severity::Behaviour, Severity::Protection);
    let rights = &service.rights;
    if rights.bounding.is_some() {
        lose(
            protection,
            "CapabilityBoundingSet=",
            "macOS has no capabilities: a root process may do everything",
        );
    }
    if !rights.ambient.0.is_empty() {
        lose(behaviour, "AmbientCapabilities=", "macOS has no capabilities: its user lacks these rights");
    }
    if rights.new == NewRights::Refused {
        lose(protection, "NoNewPrivileges=yes", "programs that it executes may gain rights by set-uid bits");
    }
    if !rights.groups.is_empty() {
        lose(behaviour, "SupplementaryGroups=", "it has its user's groups alone");
    }
    if level == Level::User && (rights.user.is_some() || rights.group.is_some()) {
        lose(behaviour, "User=", "an agent is its owner's");
    }
    if service.environs.oom_score.is_some() {
        lose(Severity::Note, "OOMScoreAdjust=", "macOS does not choose by a score");
    }
    for directory in &service.environs.directories {
        if let Some(user) = &rights.user {
            let directive = format!("{} ({})", directory.variable, directory.path);
            lose(behaviour, &directive, &format!("must be there, and be {user}'s"));
        }
    }
    if service.commands().any(|command| command.run == Run::AsRoot && rights.user.is_some()) {
        lose(behaviour, "Exec…=+", "all commands run as the service's user");
    }
}

fn lost_life(service: &Service, losses: &mut Vec<Loss>) {
    let mut lose = |severity, directive: &str, why: &str| losses.push(loss(severity, directive, why));
    let behaviour = Severity::Behaviour;
    for directive in service.needs.iter().filter_map(asked_for) {
        lose(
            behaviour,
            &directive,
            "launchd knows no order and no needs: the program has to wait for what it uses",
        );
    }
    if !service.after.is_empty() {
        lose(behaviour, "ExecStartPost=", "is not run");
    }
    if !service.stop.commands.is_empty() {
        lose(behaviour, "ExecStop=", "is not run: a stop is SIGTERM alone");
    }
    if !service.stop.after.is_empty() {
        lose(behaviour, "ExecStopPost=", "is not run");
    }
    if service.stop.signal != "TERM" {
        lose(behaviour, &format!("KillSignal=SIG{}", service.stop.signal), "a stop is SIGTERM");
    }
    match service.stop.whom {
        Whom::All => {}
        Whom::Mixed => {
            lose(behaviour, "KillMode=mixed", "its process group is killed when its main process has ended")
        }
        Whom::Main => {}
    }
    match &service.reload {
        Reload::Never => {}
        Reload::Signal(signal) => lose(
            Severity::Note,
            "ExecReload=",
            &format!("is 'launchctl kill SIG{signal} system/{}'", service.name),
        ),
        Reload::Commands(_) => lose(behaviour, "ExecReload=", "launchd has no reload"),
    }
    match &service.start {
        Start::Once { then: Remains::Up, .. } => {
            lose(behaviour, "RemainAfterExit=yes", "it counts as down when its commands have ended");
        }
        Start::Once { then: Remains::Down, .. } | Start::Foreground(_) | Start::Background { .. } => {}
    }
    if service.environs.output == Output::Log {
        let why = format!("goes to /var/log/{}.log: launchd has no log for it", service.name);
        lose(Severity::Note, "StandardOutput=journal", &why);
    }
}

/// What KeepAlive does besides: launchd.plist(5).
fn kept_alive(service: &Service, level: Level, losses: &mut Vec<Loss>) {
    match service.start {
        Start::Once { .. } => return,
        Start::Foreground(_) | Start::Background { .. } => {}
    }
    if service.restart == Restart::Never {
        return;
    }
    let directive = format!("Restart={}", restart_word(service.restart));
    if service.boot == Boot::Waits {
        let why = "what is kept alive is started as soon as launchd knows it, with the machine too";
        losses.push(loss(Severity::Behaviour, format!("{directive} without [Install]"), why));
    }
    match service.restart {
        Restart::Always | Restart::OnSuccess => {
            let domain = match level {
                Level::System => "system".to_owned(),
                Level::User => "gui/$(id -u)".to_owned(),
            };
            let why = format!(
                "a stop by a signal does not keep it down: 'launchctl bootout {domain}/{}' does",
                service.name
            );
            losses.push(loss(Severity::Behaviour, directive, why));
        }
        Restart::Never | Restart::OnFailure => {}
    }
}

/// The property list.
fn list(service: &Service, level: Level, arguments: &[String]) -> Result<String, Refusal> {
    let environs = &service.environs;
    let mut list = List { text: String::new(), margin: 1, bad: None };
    list.text += "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n\
        <!DOCTYPE plist PUBLIC \"-//Apple//DTD PLIST 1.0//EN\" \"http://www.apple.com/DTDs/PropertyList-1.0.dtd\">\n";
    // A name may have what ends a comment.
    writeln!(list.text, "<!-- {} launchd -->\n<plist version=\"1.0\">\n<dict>", script::MARK).ok();
    list.string("Label", &service.name);
    list.array("ProgramArguments", arguments);
    if !environs.variables.is_empty() {
        list.key("EnvironmentVariables");
        list.open("dict");
        for (at, (name, value)) in environs.variables.iter().enumerate() {
            // A key stands once.
            if !environs.variables[at + 1..].iter().any(|(later, _)| later == name) {
                list.string(name, value);
            }
        }
        list.close("dict");
    }
    if level == Level::System {
        for (key, value) in [("UserName", &service.rights.user), ("GroupName", &service.rights.group)] {
            if let Some(value) = value {
                list.string(key, value);
            }
        }
    }
    if let Some(root) = &service.rights.root_directory {
        list.string("RootDirectory", root);
    }
    list.string("WorkingDirectory", environs.directory.as_deref().unwrap_or("/"));
    if let Some(umask) = environs.umask {
        list.number("Umask", i64::from(umask.as_raw_mode()));
    }
    if let Some(nice) = environs.nice {
        list.number("Nice", i64::from(nice));
    }
    limits(service, &mut list);
    list.flag("RunAtLoad", at_load(service.boot));
    match (&service.start, service.restart) {
        (Start::Once { .. }, _) | (_, Restart::Never) => {}
        (_, Restart::Always) => list.flag("KeepAlive", Flag::True),
        (_, Restart::OnFailure) => list.keep_alive("SuccessfulExit", Flag::False),
        (_, Restart::OnSuccess) => list.keep_alive("SuccessfulExit", Flag::True),
    }
    if service.restart != Restart::Never && service.restart_delay.as_secs() > 0 {
        list.number("ThrottleInterval", service.restart_delay.as_secs() as i64);
    }
    // 0 is for ever.
    list.number("ExitTimeOut", service.stop.within.map_or(0, |within| within.as_secs().max(1) as i64));
    if service.stop.whom == Whom::Main {
        list.flag("AbandonProcessGroup", Flag::True);
    }
    let log = match &environs.output {
        Output::Log => format!("/var/log/{}.log", service.name),
        Output::Nowhere => "/dev/null".to_owned(),
        Output::File(path) => path.clone(),
    };
    if level == Level::System || environs.output != Output::Log {
        list.string("StandardOutPath", &log);
        list.string("StandardErrorPath", &log);
    }
    list.text += "</dict>\n</plist>\n";
    match list.bad {
        None => Ok(list.text),
        Some(text) => Err(refused(&format!("{text:?}"), "XML cannot hold a control character".to_owned())),
    }
}

fn at_load(boot: Boot) -> Flag {
    match boot {
        Boot::Starts => Flag::True,
        Boot::Waits => Flag::False,
    }
}

fn limits(service: &Service, list: &mut List) {
    let known = [
        ("core", "Core"),
        ("cpu", "CPU"),
        ("data", "Data"),
        ("fsize", "FileSize"),
        ("memlock", "MemoryLock"),
        ("nofile", "NumberOfFiles"),
        ("nproc", "NumberOfProcesses"),
        ("rss", "ResidentSetSize"),
        ("stack", "Stack"),
    ];
    for (key, soft) in [("SoftResourceLimits", true), ("HardResourceLimits", false)] {
        let values: Vec<(&str, i64)> = service
            .environs
            .limits
            .iter()
            .filter_map(|limit| {
                let (_, name) = known.iter().find(|(word, _)| *word == limit.resource)?;
                let value = if soft { limit.soft } else { limit.hard }?;
                Some((*name, i64::try_from(value).unwrap_or(i64::MAX)))
            })
            .collect();
        if !values.is_empty() {
            list.key(key);
            list.open("dict");
            for (name, value) in values {
                list.number(name, value);
            }
            list.close("dict");
        }
    }
}
