//! The names in a script's header: other scripts, and the facilities of the LSB that begin with `$`.

use super::service_name;
use crate::escape;
use crate::name::UnitName;

/// What a name of a header stands for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Facility {
    Unit(String),
    /// Always there before any service, or the script itself.
    Nothing,
    /// No unit can be called so.
    BadName,
}

/// LSB facilities that a target of systemd.special(7) stands for; empty: given before any service starts.
const KNOWN: &[(&str, &str)] = &[
    ("local_fs", ""),
    ("syslog", ""),
    ("network", "network-online.target"),
    ("named", "nss-lookup.target"),
    ("portmap", "rpcbind.target"),
    ("remote_fs", "remote-fs.target"),
    ("time", "time-sync.target"),
];

/// `script` is the file the header stands in, without `.sh`.
pub(super) fn translate(word: &str, script: &str) -> Facility {
    if word == script {
        return Facility::Nothing;
    }
    let unit = match word.strip_prefix('$') {
        None => service_name(word),
        Some(name) => match KNOWN.iter().find(|(known, _)| *known == name) {
            Some((_, "")) => return Facility::Nothing,
            Some((_, target)) => return Facility::Unit((*target).to_owned()),
            None => target_name(name),
        },
    };
    unit.map_or(Facility::BadName, |unit| Facility::Unit(unit.to_string()))
}

/// `$all` and the like: a target of that name, whatever else the name looks like.
fn target_name(name: &str) -> Option<UnitName> {
    if name.is_empty() {
        return None;
    }
    let mangled = escape::mangle(format!("{name}.target").as_bytes(), ".target")?;
    UnitName::parse(&mangled).ok()
}
