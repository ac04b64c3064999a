//! A unit as the one value that all writers know.

use crate::commands::{Known, More};
use crate::limits::PID_FILE_WITHIN;
use crate::rest::{behaviour, note, rest};
use crate::rights;
use eudaemon_kit::service::{
    self as kit, Account, Boot, Command, Dependency, Foreground, Loss, Need, Piece, Ready, Refusal, Reload,
    Remains, Run, Start, Stop, Whom, Word,
};
use eudaemon_unit::config::service::{Restart, Service, ServiceType};
use eudaemon_unit::config::{self, Config, KillMode, UnitSection};
use eudaemon_unit::name::{UnitKind, UnitName};
use eudaemon_unit::span::Span;
use eudaemon_unit::values::signal::{parse_signal, signal_name};
use std::time::Duration;

/// The service of a unit, with the socket units that start it.
///
/// # Errors
///
/// [`Refusal`] when it would be wrong to run by any other manager.
pub fn service(config: &Config, sockets: &[Config]) -> Result<kit::Service, Refusal> {
    let Some(body) = config.service() else {
        return Err(refused(config.name.as_str(), "is no service"));
    };
    let mut unsaid = Vec::new();
    let more = if body.exec.environment_files.is_empty() { More::Nothing } else { More::Later };
    let known = Known { environment: &body.exec.environment, more };
    let name = fit(config.name.stem());
    let start = start(body, &known, &mut unsaid)?;
    let mut service = kit::Service::new(name.clone(), Command::of([""]));
    service.description =
        if config.unit.description.is_empty() { name.clone() } else { config.unit.description.clone() };
    service.start = start;
    service.before = before(body, &known, &mut unsaid);
    service.after = as_started(body, known.all(&body.commands.start_post, "ExecStartPost", &mut unsaid));
    service.reload = reload(body, &known, &mut unsaid);
    service.stop = stop(body, &known, &mut unsaid);
    service.rights = rights::rights(&body.exec, &name, &mut unsaid);
    service.account = if body.exec.dynamic_user { Account::IsMade } else { Account::IsThere };
    service.environs = rights::environs(&body.exec, &service.rights, &mut unsaid)?;
    service.restart = restart(body.restart, &mut unsaid);
    service.restart_delay = Duration::from_micros(body.restart_sec.0);
    let install = &config.install;
    let is_wanted = !install.wanted_by.is_empty() || !install.required_by.is_empty();
    service.boot = if is_wanted { Boot::Starts } else { Boot::Waits };
    service.needs = needs(&config.unit, &mut unsaid);
    rest(config, body, sockets, &mut unsaid);
    service.unsaid = unsaid;
    Ok(service)
}

fn refused(directive: &str, why: &str) -> Refusal {
    Refusal { directive: directive.to_owned(), why: why.to_owned() }
}

/// A unit's name as one that every manager can have.
fn fit(stem: &str) -> String {
    let is_fit = |c: char| c.is_ascii_alphanumeric() || "._-@".contains(c);
    let name: String = stem.chars().map(|c| if is_fit(c) { c } else { '-' }).collect();
    name.trim_start_matches(['.', '-']).to_owned()
}

fn start(body: &Service, known: &Known<'_>, unsaid: &mut Vec<Loss>) -> Result<Start, Refusal> {
    let mut commands = known.all(&body.commands.start, "ExecStart", unsaid);
    if body.kind == ServiceType::Oneshot {
        let then = if body.remain_after_exit { Remains::Up } else { Remains::Down };
        return Ok(Start::Once { commands, then });
    }
    let Some(command) = commands.pop() else {
        return Err(refused("ExecStart=", "there is nothing to start"));
    };
    let ready = match body.kind {
        ServiceType::Simple | ServiceType::Exec | ServiceType::Idle | ServiceType::Oneshot => Ready::AtOnce,
        ServiceType::Notify | ServiceType::NotifyReload => Ready::Notified,
        ServiceType::Dbus => Ready::OnTheBus,
        ServiceType::Forking => {
            let Some(pid_file) = body.pid_file.clone() else {
                if !body.commands.stop.is_empty() {
                    let why =
                        "nobody knows its processes: it is up from its start until ExecStop= has stopped it";
                    unsaid.push(behaviour("Type=forking", why));
                    return Ok(Start::Once { commands: vec![command], then: Remains::Up });
                }
                let why = "without PIDFile= or ExecStop= no other manager can tell which process is the service: say it in a drop-in, \
                           or run the program in the foreground";
                return Err(refused("Type=forking", why));
            };
            let within = Some(body.timeout_start).filter(|span| !span.is_infinite() && *span != Span::ZERO);
            let within = within.map_or(PID_FILE_WITHIN, |span| Duration::from_micros(span.0));
            return Ok(Start::Background { command, pid_file, within });
        }
    };
    if body.remain_after_exit {
        unsaid.push(behaviour("RemainAfterExit=yes", "it is down when its process has ended"));
    }
    Ok(Start::Foreground(Foreground { command, ready, detached: None }))
}

fn before(body: &Service, known: &Known<'_>, unsaid: &mut Vec<Loss>) -> Vec<Command> {
    let mut before = known.all(&body.commands.condition, "ExecCondition", unsaid);
    if !before.is_empty() {
        unsaid.push(behaviour(
            "ExecCondition=",
            "where it does not hold the start fails, instead of being skipped",
        ));
    }
    before.extend(known.all(&body.commands.start_pre, "ExecStartPre", unsaid));
    as_started(body, before)
}

/// `PermissionsStartOnly=`: all but the main command run as root.
fn as_started(body: &Service, mut commands: Vec<Command>) -> Vec<Command> {
    if body.permissions_start_only {
        for command in &mut commands {
            command.run = Run::AsRoot;
        }
    }
    commands
}

fn reload(body: &Service, known: &Known<'_>, unsaid: &mut Vec<Loss>) -> Reload {
    let commands = as_started(body, known.all(&body.commands.reload, "ExecReload", unsaid));
    if body.kind == ServiceType::NotifyReload && commands.is_empty() {
        return Reload::Signal(signal_name(body.reload_signal));
    }
    match commands.as_slice() {
        [] => Reload::Never,
        [only] => killed(only).map_or_else(|| Reload::Commands(vec![only.clone()]), Reload::Signal),
        _ => Reload::Commands(commands),
    }
}

/// The signal, where a command is `kill -HUP $MAINPID` and the like.
fn killed(command: &Command) -> Option<String> {
    let main = |word: &Word| match word.0.as_slice() {
        [Piece::Words(name) | Piece::Variable(name)] => name == "MAINPID",
        _ => false,
    };
    let text = |word: &Word| match word.0.as_slice() {
        [Piece::Text(text)] => Some(text.clone()),
        _ => None,
    };
    let (last, words) = command.words.split_last()?;
    let words: Vec<String> = words.iter().map(text).collect::<Option<_>>()?;
    let signal = match words.iter().map(String::as_str).collect::<Vec<_>>()[..] {
        ["/bin/kill" | "/usr/bin/kill" | "kill", signal] => signal.strip_prefix('-')?.to_owned(),
        ["/bin/kill" | "/usr/bin/kill" | "kill", "-s", signal] => signal.to_owned(),
        _ => return None,
    };
    parse_signal(&signal).filter(|_| main(last)).map(signal_name)
}

fn stop(body: &Service, known: &Known<'_>, unsaid: &mut Vec<Loss>) -> Stop {
    let whom = match body.kill.mode {
        KillMode::ControlGroup => Whom::All,
        KillMode::Mixed => Whom::Mixed,
        KillMode::Process | KillMode::None => Whom::Main,
    };
    let endless = body.timeout_stop.is_infinite() || !body.kill.send_sigkill;
    Stop {
        commands: as_started(body, known.all(&body.commands.stop, "ExecStop", unsaid)),
        signal: signal_name(body.kill.signal),
        whom,
        within: (!endless).then(|| Duration::from_micros(body.timeout_stop.0)),
        after: as_started(body, known.all(&body.commands.stop_post, "ExecStopPost", unsaid)),
    }
}

fn restart(restart: Restart, unsaid: &mut Vec<Loss>) -> kit::Restart {
    let failing = |directive: &str, unsaid: &mut Vec<Loss>| {
        unsaid.push(behaviour(directive, "it is started again however it failed"));
        kit::Restart::OnFailure
    };
    match restart {
        Restart::No => kit::Restart::Never,
        Restart::Always => kit::Restart::Always,
        Restart::OnSuccess => kit::Restart::OnSuccess,
        Restart::OnFailure => kit::Restart::OnFailure,
        Restart::OnAbnormal => failing("Restart=on-abnormal", unsaid),
        Restart::OnAbort => failing("Restart=on-abort", unsaid),
        Restart::OnWatchdog => {
            unsaid.push(behaviour("Restart=on-watchdog", "it is not started again: nobody watches it"));
            kit::Restart::Never
        }
    }
}

/// What it needs and comes after, in words of all managers.
fn needs(unit: &UnitSection, unsaid: &mut Vec<Loss>) -> Vec<Need> {
    let mut needs: Vec<Need> = Vec::new();
    let mut needed: Vec<&UnitName> = Vec::new();
    for (dependency, other) in &unit.dependencies {
        let Some(need) = need(*dependency, other, unsaid) else { continue };
        if !needs.contains(&need) {
            needs.push(need);
            needed.push(other);
        }
    }
    // Who is needed or wanted is come after anyway.
    let is_told = |name: &String, needs: &[Need]| {
        needs.iter().any(|need| match need {
            Need::Required(other) | Need::Wanted(other) => other == name,
            Need::After(_) | Need::AfterService(_) | Need::BeforeService(_) => false,
        })
    };
    let all = needs.clone();
    needs.retain(|need| match need {
        Need::AfterService(name) => !is_told(name, &all),
        Need::After(_) | Need::Required(_) | Need::Wanted(_) | Need::BeforeService(_) => true,
    });
    needs
}

fn need(dependency: config::Dependency, other: &UnitName, unsaid: &mut Vec<Loss>) -> Option<Need> {
    use config::Dependency as D;
    let is_service = other.kind() == UnitKind::Service;
    let name = || fit(other.stem());
    let mut lose = |directive: &str, why: &str| {
        unsaid.push(behaviour(format!("{directive}={other}"), why));
        None
    };
    match dependency {
        D::After => match facility(other) {
            Some(facility) => Some(Need::After(facility)),
            None => is_service.then(|| Need::AfterService(name())),
        },
        D::Before => is_service.then(|| Need::BeforeService(name())),
        D::Requires | D::Requisite | D::BindsTo if is_service => Some(Need::Required(name())),
        D::Wants if is_service => Some(Need::Wanted(name())),
        D::Requires | D::Requisite | D::BindsTo | D::Wants if facility(other).is_some() => None,
        D::Requires | D::Requisite | D::BindsTo | D::Wants if is_implied(other) => None,
        D::Requires | D::Requisite | D::BindsTo | D::Wants => {
            unsaid.push(note(format!("Requires={other}"), "no other manager has such a unit"));
            None
        }
        D::Conflicts if is_service => lose("Conflicts", "both may run"),
        D::PartOf => lose("PartOf", "it does not stop and restart with it"),
        D::OnFailure => lose("OnFailure", "nothing is started when it fails"),
        D::OnSuccess => lose("OnSuccess", "nothing is started when it ends"),
        D::Upholds => lose("Upholds", "the other is not kept up"),
        D::PropagatesReloadTo | D::ReloadPropagatedFrom => {
            lose("PropagatesReloadTo", "reloads are not passed on")
        }
        D::PropagatesStopTo | D::StopPropagatedFrom => lose("PropagatesStopTo", "stops are not passed on"),
        D::JoinsNamespaceOf => lose("JoinsNamespaceOf", "each is in the machine's own namespaces"),
        D::Conflicts | D::Triggers | D::InSlice => None,
    }
}

/// What every machine has, by the unit that stands for it: systemd.special(7).
fn facility(name: &UnitName) -> Option<Dependency> {
    match name.as_str() {
        "network.target" | "network-online.target" | "network-pre.target" => Some(Dependency::Network),
        "nss-lookup.target" => Some(Dependency::Names),
        "time-sync.target" | "time-set.target" => Some(Dependency::Time),
        "local-fs.target" => Some(Dependency::LocalFiles),
        "remote-fs.target" | "nss-user-lookup.target" => Some(Dependency::RemoteFiles),
        "syslog.target" | "syslog.socket" | "syslog.service" | "rsyslog.service" => Some(Dependency::Log),
        _ => None,
    }
}

/// What nearly every unit has without saying so, and what other managers see to by themselves.
fn is_implied(name: &UnitName) -> bool {
    match name.kind() {
        UnitKind::Slice | UnitKind::Mount | UnitKind::Automount | UnitKind::Device | UnitKind::Socket => true,
        UnitKind::Target => ["sysinit.target", "basic.target", "shutdown.target"].contains(&name.as_str()),
        UnitKind::Service | UnitKind::Scope | UnitKind::Swap | UnitKind::Timer | UnitKind::Path => false,
    }
}
