//! The resource limits a unit has that sets none: what the manager's settings say, else the manager's own, and for open files systemd's 1024:512Ki
//! as far as the manager may raise them.

use eudaemon_unit::config::exec::{Limit, Resource};
use eudaemon_unit::manager::Defaults;
use rustix::process::{self, getrlimit};

pub fn limit(defaults: &Defaults, resource: Resource) -> Limit {
    let said = defaults.limits.iter().find(|(known, _)| *known == resource);
    said.map_or_else(|| own(resource), |(_, limit)| *limit)
}

/// How soon the kernel kills the manager for memory: what a process has whose unit sets nothing.
pub fn own_score() -> i16 {
    let text = std::fs::read_to_string("/proc/self/oom_score_adj").unwrap_or_default();
    text.trim().parse().unwrap_or(0)
}

/// What the manager has itself once it has raised what it may, as systemd's does for the files it opens.
pub fn raised(resource: Resource) -> Limit {
    let own = own(resource);
    if is_of_files(resource) { Limit { soft: own.hard, ..own } } else { own }
}

/// Of these the manager takes all it may, and gives its units no more than select(2) can do with.
fn is_of_files(resource: Resource) -> bool {
    matches!(resource, Resource::Nofile)
}

/// What the manager has itself.
fn own(resource: Resource) -> Limit {
    let own = getrlimit(match resource {
        Resource::Cpu => process::Resource::Cpu,
        Resource::Fsize => process::Resource::Fsize,
        Resource::Data => process::Resource::Data,
        Resource::Stack => process::Resource::Stack,
        Resource::Core => process::Resource::Core,
        Resource::Rss => process::Resource::Rss,
        Resource::Nofile => process::Resource::Nofile,
        Resource::As => process::Resource::As,
        Resource::Nproc => process::Resource::Nproc,
        Resource::Memlock => process::Resource::Memlock,
        Resource::Locks => process::Resource::Locks,
        Resource::Sigpending => process::Resource::Sigpending,
        Resource::Msgqueue => process::Resource::Msgqueue,
        Resource::Nice => process::Resource::Nice,
        Resource::Rtprio => process::Resource::Rtprio,
        Resource::Rttime => process::Resource::Rttime,
    });
    let hard = own.maximum.unwrap_or(u64::MAX);
    let soft = own.current.unwrap_or(u64::MAX);
    Limit { soft: if is_of_files(resource) { soft.min(1024) } else { soft }, hard }
}
