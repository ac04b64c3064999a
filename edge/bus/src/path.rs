//! Object paths: `/org/freedesktop/systemd1/unit/cron_2eservice`, `…/job/7`. Every byte that is no letter or
//! digit becomes `_` and two hex digits, a leading digit too; nothing at all becomes `_`.

use eudaemon_engine::api::JobId;
use eudaemon_unit::name::UnitName;
use zbus::ObjectPath;

pub const MANAGER: &str = "/org/freedesktop/systemd1";
pub const LOG_CONTROL: &str = "/org/freedesktop/LogControl1";
const UNIT: &str = "/org/freedesktop/systemd1/unit/";
const JOB: &str = "/org/freedesktop/systemd1/job/";

pub fn unit(name: &UnitName) -> ObjectPath<'static> {
    let mut path = String::with_capacity(UNIT.len() + name.as_str().len() + 16);
    path.push_str(UNIT);
    escape(name.as_str(), &mut path);
    checked(path)
}

pub fn job(id: JobId) -> ObjectPath<'static> {
    checked(format!("{JOB}{}", id.0))
}

/// `/` stands for "none".
pub fn job_or_root(id: Option<JobId>) -> ObjectPath<'static> {
    id.map_or_else(root, job)
}

pub fn root() -> ObjectPath<'static> {
    ObjectPath::from_static_str_unchecked("/")
}

/// Escaping leaves only what a path may hold.
fn checked(path: String) -> ObjectPath<'static> {
    ObjectPath::from_string_unchecked(path)
}

fn escape(text: &str, path: &mut String) {
    const HEX: &[u8; 16] = b"0123456789abcdef";
    if text.is_empty() {
        path.push('_');
    }
    for (at, byte) in text.bytes().enumerate() {
        if byte.is_ascii_alphabetic() || (at > 0 && byte.is_ascii_digit()) {
            path.push(char::from(byte));
        } else {
            path.push('_');
            path.push(char::from(HEX[usize::from(byte >> 4)]));
            path.push(char::from(HEX[usize::from(byte & 15)]));
        }
    }
}

/// An escape that is none stands for itself, as systemd reads it.
fn unescape(text: &str) -> Option<String> {
    if text == "_" {
        return Some(String::new());
    }
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.as_bytes();
    while let Some((byte, after)) = rest.split_first() {
        match (byte, escaped(after)) {
            (b'_', Some(meant)) => {
                bytes.push(meant);
                rest = &after[2..];
            }
            _ => {
                bytes.push(*byte);
                rest = after;
            }
        }
    }
    String::from_utf8(bytes).ok()
}

fn escaped(digits: &[u8]) -> Option<u8> {
    let nibble = |at: usize| digits.get(at).and_then(|digit| char::from(*digit).to_digit(16));
    u8::try_from(nibble(0)? * 16 + nibble(1)?).ok()
}

/// What a path may stand for; whether it exists is another question.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Place {
    /// Above ours: only introspected. Holds the one child on the way.
    Above(&'static [&'static str]),
    Manager,
    LogControl,
    /// The directories of units and jobs.
    Units,
    Jobs,
    /// A unit by what its path says: a name, an invocation id, `self`.
    Unit(String),
    Job(JobId),
    Unknown,
}

pub fn place(path: &str) -> Place {
    match path {
        "/" => Place::Above(&["org"]),
        "/org" => Place::Above(&["freedesktop"]),
        "/org/freedesktop" => Place::Above(&["LogControl1", "systemd1"]),
        MANAGER => Place::Manager,
        LOG_CONTROL => Place::LogControl,
        "/org/freedesktop/systemd1/unit" => Place::Units,
        "/org/freedesktop/systemd1/job" => Place::Jobs,
        _ => {
            let unit = path.strip_prefix(UNIT).filter(|rest| !rest.contains('/'));
            let job = path.strip_prefix(JOB).and_then(|id| id.parse().ok());
            match (unit.and_then(unescape), job) {
                (Some(name), _) => Place::Unit(name),
                (None, Some(id)) => Place::Job(JobId(id)),
                (None, None) => Place::Unknown,
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use expect_test::{Expect, expect};

    fn check(name: &str, expected: Expect) {
        let mut path = UNIT.to_owned();
        escape(name, &mut path);
        expected.assert_eq(&path);
        assert_eq!(place(&path), Place::Unit(name.to_owned()), "the path leads back");
        assert!(ObjectPath::try_from(path.as_str()).is_ok(), "it is a valid object path");
    }

    #[test]
    fn names_become_paths() {
        check("a-b.service", expect!["/org/freedesktop/systemd1/unit/a_2db_2eservice"]);
        check("9a-b@x.service", expect!["/org/freedesktop/systemd1/unit/_39a_2db_40x_2eservice"]);
        check(r"dev-x\x20y.device", expect![r"/org/freedesktop/systemd1/unit/dev_2dx_5cx20y_2edevice"]);
        check("", expect!["/org/freedesktop/systemd1/unit/_"]);
    }

    #[test]
    fn other_paths() {
        for (path, expected) in [
            ("/org/freedesktop/systemd1/job/12", Place::Job(JobId(12))),
            ("/org/freedesktop/systemd1/job/x", Place::Unknown),
            ("/org/freedesktop/systemd1/unit/a/b", Place::Unknown),
            ("/org/freedesktop/systemd1/unit/a_zz", Place::Unit("a_zz".to_owned())),
            ("/org/freedesktop/DBus", Place::Unknown),
        ] {
            assert_eq!(place(path), expected, "{path}");
        }
    }
}
