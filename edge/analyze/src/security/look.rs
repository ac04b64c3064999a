//! How an assessment is answered for a unit.

use super::unit::Unit;
use eudaemon_unit::values::capability;
use eudaemon_unit::values::syscalls;

/// The question.
pub enum Look {
    /// A directive that is on or off.
    Yes(&'static str),
    /// Whether any of these is in the bounding set.
    Capabilities(&'static [&'static str]),
    /// Whether it may make such namespaces.
    Namespace(&'static str),
    /// Whether it may make sockets of these families.
    Families(&'static [&'static str]),
    /// And of those that no other row is about.
    OtherFamilies,
    /// Whether it may make a call of this group.
    Calls(&'static str),
    Own(fn(&Unit<'_>) -> Answer),
}

/// The answer: how bad it is, from 0 to the range of the row.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Answer {
    /// In the row's words.
    Badness(u64),
    /// In words of its own, which no policy replaces.
    Said(u64, String),
    /// Bad, and described by nobody: systemd 252 has no words for it.
    Unsaid(u64),
    /// The question makes no sense here.
    Moot,
    /// Nor does it before the file systems are there.
    TooEarly,
}

impl Answer {
    pub fn good_if(is_good: bool) -> Answer {
        Answer::Badness(u64::from(!is_good))
    }
}

/// Families that have rows of their own.
const NAMED: [&str; 5] = ["AF_INET", "AF_INET6", "AF_UNIX", "AF_NETLINK", "AF_PACKET"];

pub fn answer(look: &Look, unit: &Unit<'_>) -> Answer {
    match look {
        Look::Yes(key) => Answer::good_if(unit.is_yes(key)),
        Look::Capabilities(names) => {
            let bits = names.iter().filter_map(|name| capability::capability(name));
            let bits = bits.fold(0u64, |bits, number| bits | 1 << number);
            Answer::good_if(unit.exec.capability_bounding_set.0 & bits == 0)
        }
        Look::Namespace(kind) => {
            let kinds = unit.kept("RestrictNamespaces");
            Answer::good_if(kinds.is_some_and(|kinds| !kinds.split(' ').any(|one| one == *kind)))
        }
        Look::Families(families) => {
            Answer::good_if(is_refused(unit, |listed| families.iter().any(|family| listed.contains(family))))
        }
        Look::OtherFamilies => {
            Answer::good_if(is_refused(unit, |listed| listed.iter().any(|family| !NAMED.contains(family))))
        }
        Look::Calls(group) => calls(unit, group),
        Look::Own(look) => look(unit),
    }
}

/// Whether families are out of reach: `any` tells whether one of them is listed. A list of what is denied that names one
/// of them counts for all.
fn is_refused(unit: &Unit<'_>, any: impl Fn(&[&str]) -> bool) -> bool {
    let Some(list) = unit.kept("RestrictAddressFamilies") else { return false };
    let (denies, list) = list.strip_prefix('~').map_or((false, list), |list| (true, list));
    let listed: Vec<&str> = list.split_ascii_whitespace().collect();
    any(&listed) == denies
}

/// Calls of the groups looked at that x86-64 does not have, as libseccomp 2.5 tells: nothing is said of them.
#[cfg(target_arch = "x86_64")]
const FOREIGN: &[&str] = &[
    "bdflush",
    "break",
    "chown32",
    "clock_adjtime64",
    "clock_settime64",
    "fchown32",
    "ftime",
    "gtty",
    "idle",
    "lchown32",
    "lock",
    "mpx",
    "nice",
    "pciconfig_iobase",
    "pciconfig_read",
    "pciconfig_write",
    "prof",
    "profil",
    "rtas",
    "s390_pci_mmio_read",
    "s390_pci_mmio_write",
    "s390_runtime_instr",
    "setfsuid32",
    "setgroups32",
    "setresuid32",
    "setreuid32",
    "setuid32",
    "sgetmask",
    "ssetmask",
    "stime",
    "stty",
    "subpage_prot",
    "switch_endian",
    "sys_debug_setcontext",
    "ulimit",
    "umount",
    "vm86",
    "vm86old",
];
/// Which calls other architectures lack has not been measured: all count.
#[cfg(not(target_arch = "x86_64"))]
const FOREIGN: &[&str] = &[];

/// A list of what is allowed is not as bad as one of what is denied, even if it holds a call of the group.
fn calls(unit: &Unit<'_>, group: &str) -> Answer {
    let (allows, listed) = &unit.calls;
    if !allows && listed.is_empty() {
        return Answer::Said(10, "Service does not filter system calls".to_owned());
    }
    let is_listed = |call: &str| {
        let named = |one: &String| one.split(':').next() == Some(call);
        listed.iter().any(named)
    };
    let list = if *allows { "allow" } else { "deny" };
    let mut native = syscalls::calls_of(group).into_iter().filter(|call| !FOREIGN.contains(call));
    let may = native.find(|call| is_listed(call) == *allows);
    let intro = format!("System call {list} list defined for service, and {group} is");
    let included = if may.is_some() == *allows { "included" } else { "not included" };
    match may {
        Some(call) => {
            let badness = if *allows { 9 } else { 10 };
            Answer::Said(badness, format!("{intro} {included} (e.g. {call} is allowed)"))
        }
        None => Answer::Said(0, format!("{intro} {included}")),
    }
}
