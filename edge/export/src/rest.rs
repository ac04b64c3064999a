//! What of a unit only managers of systemd's kind know, and how much is lost without it.

use crate::life::{exec, kill, life};
use crate::section::{install, section};
use eudaemon_kit::service::{Loss, Severity};
use eudaemon_unit::config::Config;
use eudaemon_unit::config::service::Service;
use eudaemon_unit::config::socket::Listen;
use eudaemon_unit::name::UnitName;
use eudaemon_unit::span::Span;
use eudaemon_unit::values::address::format_address;
use eudaemon_unit::values::timespan::format_timespan;

/// Without these it hardly differs: beginnings of their keys.
const REMARKS: &[&str] = &[
    "Coredump",
    "Documentation",
    "Log",
    "ReadWrite",
    "SourcePath",
    "Syslog",
    "SystemCallErrorNumber",
    "SystemCallLog",
    "TTY",
    "UtmpMode",
];

pub fn protection(directive: impl Into<String>, why: impl Into<String>) -> Loss {
    Loss { directive: directive.into(), severity: Severity::Protection, why: why.into() }
}

pub fn behaviour(directive: impl Into<String>, why: impl Into<String>) -> Loss {
    Loss { directive: directive.into(), severity: Severity::Behaviour, why: why.into() }
}

pub fn note(directive: impl Into<String>, why: impl Into<String>) -> Loss {
    Loss { directive: directive.into(), severity: Severity::Note, why: why.into() }
}

/// A field that differs from what holds where nothing is said.
pub fn changed<T: PartialEq>(field: T, default: T, lost: impl FnOnce(T) -> Loss) -> Option<Loss> {
    (field != default).then(|| lost(field))
}

pub fn after(key: &str, span: Span, why: &str) -> Loss {
    behaviour(format!("{key}={}", format_timespan(span)), why)
}

/// All of it.
pub fn rest(config: &Config, service: &Service, sockets: &[Config], unsaid: &mut Vec<Loss>) {
    kept(config, unsaid);
    section(&config.unit, &service.exec, unsaid);
    install(&config.install, unsaid);
    life(service, unsaid);
    exec(&service.exec, unsaid);
    kill(&service.kill, unsaid);
    let is_there = |name: &UnitName| sockets.iter().any(|socket| socket.name == *name);
    for name in service.sockets.iter().filter(|name| !is_there(name)) {
        unsaid.push(behaviour(format!("Sockets={name}"), "that socket unit is not there"));
    }
    for socket in sockets {
        let Some(body) = socket.socket() else { continue };
        let listens: Vec<String> = body.listen.iter().map(listen).collect();
        let why = "nobody listens for it: the program has to open this itself, and runs from the start";
        unsaid.push(behaviour(format!("{}: {}", socket.name, listens.join(" ")), why));
    }
}

/// Directives that are text to us too. Only what asks for something is kept, so nothing is judged by its looks: the strictest
/// value may be an empty one.
fn kept(config: &Config, unsaid: &mut Vec<Loss>) {
    for kept in &config.kept {
        let (key, value) = (kept.key.as_str(), kept.value.as_str());
        let begins = |words: &[&str]| words.iter().any(|word| key.starts_with(word));
        if kept.section == "Install" || NOTHING.contains(&(key, value)) {
            continue;
        }
        let written = EMPTY.iter().find(|(known, _)| *known == key && value.is_empty());
        let directive = format!("{key}={}", written.map_or(value, |(_, written)| *written));
        unsaid.push(match (Loss::is_of_protection(key), begins(REMARKS) || key.ends_with("Accounting")) {
            (true, _) => Loss::of_protection(directive),
            (false, true) => note(directive, NO_OTHER),
            (false, false) => behaviour(directive, NO_OTHER),
        });
    }
}

const NO_OTHER: &str = "no other manager has it";

/// What is kept although it is how things are anyway.
const NOTHING: &[(&str, &str)] = &[
    ("CPUSchedulingPriority", "0"),
    ("DefaultMemoryLow", "0"),
    ("DefaultMemoryMin", "0"),
    ("DefaultStartupMemoryLow", "0"),
    // Told as a field: the empty value is of controllers.
    ("Delegate", ""),
    ("IOAccounting", "no"),
    ("IPAccounting", "no"),
    ("MemoryHigh", "infinity"),
    ("MemoryLimit", "infinity"),
    ("MemoryLow", "0"),
    ("MemoryMax", "infinity"),
    ("MemoryMin", "0"),
    ("MemorySwapMax", "infinity"),
    ("MemoryZSwapMax", "infinity"),
    ("MountAPIVFS", "no"),
    ("NUMAPolicy", "default"),
    ("RestrictAddressFamilies", "~"),
    ("RestrictNetworkInterfaces", "~"),
    ("TasksMax", "infinity"),
];

/// What an empty list was written as.
const EMPTY: [(&str, &str); 2] = [("RestrictAddressFamilies", "none"), ("RestrictNamespaces", "yes")];

fn listen(listen: &Listen) -> String {
    match listen {
        Listen::Stream(address) => format!("ListenStream={}", format_address(address)),
        Listen::Datagram(address) => format!("ListenDatagram={}", format_address(address)),
        Listen::SequentialPacket(address) => format!("ListenSequentialPacket={}", format_address(address)),
        Listen::Fifo(path) => format!("ListenFIFO={path}"),
        Listen::Netlink { .. } => "ListenNetlink=".to_owned(),
        Listen::Other { key, value } => format!("{key}={value}"),
    }
}
