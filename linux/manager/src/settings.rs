//! The manager's own settings from this machine's files, command line and environment: systemd-system.conf(5), systemd(1).

use crate::machine::Machine;
use crate::options::Mission;
use eudaemon_host::place::{Role, Scope};
use eudaemon_host::tree::HostTree;
use eudaemon_unit::config::exec::{Limit, Resource};
use eudaemon_unit::diagnostic::Diagnostic;
use eudaemon_unit::files;
use eudaemon_unit::manager::{Asked, Defaults, LogTarget, Places, Settings, from_command_line, read};
use eudaemon_unit::values::words::Words;
use std::fs;

/// What was read.
#[derive(Debug, Default)]
pub struct Heard {
    pub settings: Settings,
    pub asked: Asked,
    pub odd: Vec<Diagnostic>,
}

/// Reads all of it. Those who run one folder in the foreground mean its files alone.
pub fn hear(machine: &Machine, mission: &Mission) -> Heard {
    let mut heard = Heard::default();
    let settings = &mut heard.settings;
    let scope = match (mission, machine.place.scope) {
        (Mission::Directory(_), _) => return heard,
        (Mission::System | Mission::User, Scope::System) => files::Scope::System,
        (Mission::System | Mission::User, Scope::User) => files::Scope::User,
    };
    let environment = files::Environment {
        home: Some(machine.specifiers.home.clone()),
        config_home: std::env::var("XDG_CONFIG_HOME").ok(),
        ..files::Environment::default()
    };
    let (texts, odd) = Places::new(scope, &environment).texts(&HostTree::machine());
    heard.odd = odd;
    heard.odd.extend(read(settings, &texts, &machine.specifiers));
    if scope == files::Scope::System {
        let (words, place) = command_line(machine);
        let (asked, odd) = from_command_line(settings, &words, place, &machine.specifiers);
        heard.odd.extend(odd);
        heard.asked = asked;
        open_files(&mut settings.defaults);
    } else if settings.defaults.oom_score_adjust.is_none() && machine.specifiers.uid != 0 {
        settings.defaults.oom_score_adjust = above_our_own();
    }
    // What was just said of the manager's own environment counts too.
    let variable = |name: &str| {
        let said = settings.manager_environment.iter().rev();
        let said = said.filter_map(|entry| entry.split_once('=')).find(|(known, _)| *known == name);
        said.map(|(_, value)| value.to_owned()).or_else(|| std::env::var(name).ok())
    };
    let (level, target) = (variable("SYSTEMD_LOG_LEVEL"), variable("SYSTEMD_LOG_TARGET"));
    heard.odd.extend(from_environment(settings, level.as_deref(), target.as_deref()));
    heard
}

/// The one limit that systemd sets where nobody does; what is not permitted is done as far as it is.
fn open_files(defaults: &mut Defaults) {
    const FILES: u64 = 524_288;
    const SOFT: u64 = 1_024;
    if let Err(at) = defaults.limits.binary_search_by_key(&Resource::Nofile, |(resource, _)| *resource) {
        let own = rustix::process::getrlimit(rustix::process::Resource::Nofile);
        let of_kernel = fs::read_to_string("/proc/sys/fs/nr_open").ok();
        let of_kernel = of_kernel.and_then(|text| text.trim().parse().ok()).unwrap_or(u64::MAX);
        let hard = own.maximum.unwrap_or(u64::MAX).max(FILES).min(of_kernel);
        let soft = own.current.unwrap_or(u64::MAX).min(SOFT);
        defaults.limits.insert(at, (Resource::Nofile, Limit { soft, hard }));
    }
}

/// Where lines go where nothing is said of it.
pub fn log_target(machine: &Machine) -> LogTarget {
    match (machine.place.scope, &machine.container) {
        (Scope::System, Some(_)) => LogTarget::Journal,
        (Scope::System, None) => LogTarget::JournalOrKmsg,
        (Scope::User, _) => LogTarget::Auto,
    }
}

/// What services are given without `DefaultEnvironment=`.
pub fn own_environment(machine: &Machine, settings: &Settings, asked: &Asked) -> Vec<String> {
    let mut own = machine.environment.clone();
    let name = |entry: &str| entry.split('=').next().unwrap_or(entry).to_owned();
    if !asked.locale.is_empty() {
        own.retain(|entry| {
            !["LANG", "LANGUAGE"].contains(&name(entry).as_str()) && !entry.starts_with("LC_")
        });
        own.extend(asked.locale.iter().cloned());
    }
    // A user's services are given what their manager has, the machine's are not.
    if machine.place.scope == Scope::User {
        for entry in &settings.manager_environment {
            own.retain(|known| name(known) != name(entry));
            own.push(entry.clone());
        }
    }
    own
}

fn from_environment(settings: &mut Settings, level: Option<&str>, target: Option<&str>) -> Vec<Diagnostic> {
    let words = [
        ("systemd.log_level", level, "$SYSTEMD_LOG_LEVEL"),
        ("systemd.log_target", target, "$SYSTEMD_LOG_TARGET"),
    ];
    let cx = eudaemon_unit::specifier::Context::default();
    let mut odd = Vec::new();
    for (word, value, place) in words {
        let words: Vec<String> = value.map(|value| format!("{word}={value}")).into_iter().collect();
        odd.extend(from_command_line(settings, &words, place, &cx).1);
    }
    odd
}

/// The words meant for this manager, and where they come from. In a container they are PID 1's own arguments; beside another
/// PID 1 nobody's.
fn command_line(machine: &Machine) -> (Vec<String>, &'static str) {
    let words = |line: &str| -> Vec<String> {
        Words::names(line).map_while(Result::ok).map(|word| word.text).collect()
    };
    // As systemd has it, for tests.
    if let Ok(line) = std::env::var("SYSTEMD_PROC_CMDLINE") {
        return (words(&line), "$SYSTEMD_PROC_CMDLINE");
    }
    match (machine.place.role, &machine.container) {
        (Role::Beside, _) => (Vec::new(), ""),
        (Role::First, None) => {
            (words(&fs::read_to_string("/proc/cmdline").unwrap_or_default()), "kernel command line")
        }
        (Role::First, Some(_)) => {
            let arguments = fs::read("/proc/1/cmdline").unwrap_or_default();
            let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
            (arguments.split(|byte| *byte == 0).skip(1).map(text).collect(), "arguments of PID 1")
        }
    }
}

/// What an unprivileged user's services are to be killed for memory before: their manager. `None` where they cannot be.
fn above_our_own() -> Option<i16> {
    let own: i16 = fs::read_to_string("/proc/self/oom_score_adj").ok()?.trim().parse().ok()?;
    Some(own.saturating_add(100).min(1000)).filter(|score| *score != own)
}
