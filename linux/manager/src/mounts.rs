//! What is mounted, as mount units: /proc/self/mountinfo read when the kernel says it changed.

use crate::site::Site;
use crate::units::Loaded;
use eudaemon_engine::Engine;
use eudaemon_engine::api::{Event, Input};
use eudaemon_unit::config::{Body, Config, LoadState, Mount};
use eudaemon_unit::implicit::mounts_above;
use eudaemon_unit::name::UnitName;
use eudaemon_unit::values::mounts::is_left_out;
use std::collections::BTreeSet;
use std::sync::Arc;

/// One line of proc_pid_mountinfo(5).
struct Mounted {
    name: UnitName,
    mount: Mount,
}

fn table() -> Vec<Mounted> {
    let text = std::fs::read_to_string("/proc/self/mountinfo").unwrap_or_default();
    text.lines().filter_map(line).filter(|one| !is_left_out(&one.mount.place)).collect()
}

fn line(line: &str) -> Option<Mounted> {
    let (left, right) = line.split_once(" - ")?;
    let fields: Vec<&str> = left.split(' ').collect();
    let mut rest = right.split(' ');
    let place = unescape(fields.get(4)?);
    let mount = Mount {
        kind: rest.next()?.to_owned(),
        what: unescape(rest.next()?),
        options: (*fields.get(5)?).to_owned(),
        place: place.clone(),
        processes: None,
    };
    Some(Mounted { name: mounts_above(&place).pop()?, mount })
}

impl Mounted {
    /// A mount without a unit file is known by what the kernel says of it.
    fn complete(&self, config: &mut Config) {
        if config.load == LoadState::NotFound {
            config.load = LoadState::Loaded;
            config.body = Body::Mount(self.mount.clone());
            config.unit.description = match self.mount.place.as_str() {
                "/" => "Root Mount".to_owned(),
                place => place.to_owned(),
            };
        }
    }
}

/// Units read anew from disk do not lose what is mounted without a file.
pub fn keep_mounted(units: &mut [Loaded]) {
    let mounted = table();
    for unit in units.iter_mut().filter(|unit| unit.config.load == LoadState::NotFound) {
        if let Some(one) = mounted.iter().find(|one| one.name == unit.config.name) {
            one.complete(Arc::make_mut(&mut unit.config));
        }
    }
}

/// The kernel writes blanks in octal.
fn unescape(text: &str) -> String {
    let mut out = Vec::new();
    let mut bytes = text.bytes();
    while let Some(byte) = bytes.next() {
        let digits: Vec<u8> = if byte == b'\\' { bytes.clone().take(3).collect() } else { Vec::new() };
        let octal = std::str::from_utf8(&digits).ok().and_then(|digits| u8::from_str_radix(digits, 8).ok());
        match octal.filter(|_| digits.len() == 3) {
            Some(value) => {
                out.push(value);
                bytes.nth(2);
            }
            None => out.push(byte),
        }
    }
    String::from_utf8_lossy(&out).into_owned()
}

impl Site {
    /// Tells the engine what is mounted; places without a unit get one that says what the kernel says.
    pub fn observe_mounts(&mut self, engine: &Engine) {
        if self.machine.place.scope == eudaemon_host::place::Scope::User {
            return;
        }
        let mounted = table();
        let mut units: Vec<Loaded> = Vec::new();
        // Those that are gone since are no longer waited for.
        let there: BTreeSet<&UnitName> = mounted.iter().map(|one| &one.name).collect();
        self.units.mounted.retain(|name| there.contains(name));
        for one in &mounted {
            if engine.canonical(&one.name).is_none()
                && !units.iter().any(|loaded| loaded.config.name == one.name)
            {
                let mut config = (*self.units.one(&one.name)).clone();
                if config.load == LoadState::NotFound {
                    self.units.mounted.insert(one.name.clone());
                }
                one.complete(&mut config);
                units.push(Loaded { config: Arc::new(config), diagnostics: Vec::new(), print: None });
            }
        }
        self.bring(units);
        let names = mounted.into_iter().map(|one| one.name).collect();
        self.inbox.push_back(Input::Fact(Event::Mounts(names)));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines() {
        let found = line(r"36 35 98:0 /mnt1 /a\040b rw,noatime master:1 - ext3 /dev/root rw,errors=continue")
            .unwrap();
        assert_eq!(found.name.as_str(), r"a\x20b.mount");
        assert_eq!((found.mount.place.as_str(), found.mount.what.as_str()), ("/a b", "/dev/root"));
        assert!(line("36 35 98:0 / /").is_none());
    }
}
