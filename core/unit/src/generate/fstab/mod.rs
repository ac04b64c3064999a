//! Mount, automount and swap units of the lines of `/etc/fstab`: systemd-fstab-generator(8), systemd.mount(5)
//! "fstab".

mod line;
mod mount;
mod options;
mod swap;

use super::{Draft, Generated, literal};
use crate::escape;
use crate::files::{Index, Tree, TreeError, resolve};
use crate::name::{UnitKind, UnitName};
use crate::values::{mounts, path};
use line::Line;
use options::Options;

/// Bytes of `/etc/fstab` that are read: 4 MiB are some 40,000 mounts.
const FSTAB_MAX: u64 = 4 << 20;

/// What the machine allows, and what its kernel command line asks for.
#[derive(Clone, Copy, Debug)]
pub struct Machine {
    /// Whether `/sys` can be written: where it cannot, devices are another's to mount.
    pub devices: Devices,
    pub swap: Swap,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Devices {
    Ours,
    /// A container's host has them.
    Elsewhere,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Swap {
    Used,
    /// A container swaps where its host does; or the command line forbids it.
    Left,
}

/// The lines of `path`; no such file is a file without lines. `native` tells which helpers there are.
pub fn generate<T: Tree + ?Sized>(tree: &T, native: &Index, path: &str, machine: Machine) -> Generated {
    let mut fstab = Fstab { tree, native, path, machine, generated: Generated::default(), at: 0 };
    match tree.read(path, FSTAB_MAX) {
        Ok(bytes) => fstab.read(&String::from_utf8_lossy(&bytes)),
        Err(TreeError::NotFound) => {}
        Err(error) => fstab.generated.warn(format!("{path}: {error}")),
    }
    fstab.generated
}

struct Fstab<'a, T: ?Sized> {
    tree: &'a T,
    native: &'a Index,
    path: &'a str,
    machine: Machine,
    generated: Generated,
    /// The line that is read.
    at: usize,
}

impl<T: Tree + ?Sized> Fstab<'_, T> {
    fn read(&mut self, text: &str) {
        for (number, line) in text.split('\n').enumerate() {
            self.at = number + 1;
            let Some(line) = Line::parse(line) else { continue };
            if self.machine.devices == Devices::Elsewhere && is_device(&line.what) {
                continue;
            }
            let options = Options::new(&line.options);
            match line.kind.as_str() {
                "swap" => self.swap(&line, &options),
                _ => self.mount(&line, &options),
            }
        }
    }

    fn warn(&mut self, text: &str) {
        self.generated.warn(format!("{}:{}: {text}", self.path, self.at));
    }

    fn draft(&self) -> Draft {
        let mut draft = Draft::by("systemd-fstab-generator(8)");
        draft.section("Unit").line("Documentation", "man:fstab(5) man:systemd-fstab-generator(8)");
        draft.line("SourcePath", &literal(self.path));
        draft
    }

    /// Writes a unit; a second line for the same place is refused.
    fn unit(&mut self, name: &str, draft: Draft) -> bool {
        let made = self.generated.file(name, draft.0).is_ok();
        if !made {
            self.warn(&format!("an earlier line has made {name} already; this one is left out"));
        }
        made
    }

    /// A whole pulls in a unit; `nofail` makes it a wish.
    fn pull(&mut self, whole: &str, options: &Options<'_>, name: &str) {
        let folder = if options.is_set("nofail", "fail") { "wants" } else { "requires" };
        self.generated.pull(whole, folder, name);
    }

    /// What a device needs is said of the device.
    fn device_dropins(&mut self, line: &Line, options: &Options<'_>) {
        if !is_device(&line.what) {
            return;
        }
        let Some(device) = unit_of_path(&line.what, UnitKind::Device) else { return };
        if let Some(timeout) =
            options.value("x-systemd.device-timeout").or(options.value("comment=systemd.device-timeout"))
        {
            match crate::values::parse_timespan(timeout) {
                Ok(_) => {
                    let mut draft = Draft::by("systemd-fstab-generator(8)");
                    draft.section("Unit").line("JobRunningTimeoutSec", &literal(timeout));
                    self.dropin(&format!("{device}.d/50-device-timeout.conf"), draft);
                }
                Err(_) => {
                    self.warn(&format!("x-systemd.device-timeout={timeout} is no time span; it is ignored"))
                }
            }
        }
        let early = mounts::is_always_mounted(&path::simplify(&line.place), options.text());
        if options.has("_netdev") && line.kind != "swap" && !early {
            let mut draft = Draft::by("systemd-fstab-generator(8)");
            draft.section("Unit").line("After", "network-online.target network.target");
            draft.line("Wants", "network-online.target");
            self.dropin(&format!("{device}.d/50-netdev-dependencies.conf"), draft);
        }
    }

    /// Several lines may speak of one device: the last counts.
    fn dropin(&mut self, path: &str, draft: Draft) {
        self.generated.entries.insert(path.to_owned(), super::Entry::File(draft.0));
    }

    /// Links on the way are followed as far as there is anything; a mount point may not be there yet.
    fn end_of(&self, place: &str) -> String {
        match resolve(self.tree, place) {
            // Where `..` leads below what is not there, nobody knows.
            Ok(end) if end.kind.is_some() || path::is_normalized(place) => end.path,
            Ok(_) | Err(_) => place.to_owned(),
        }
    }

    fn has_native(&self, name: &str) -> bool {
        UnitName::parse(name).is_ok_and(|name| self.native.has(&name))
    }
}

fn is_device(what: &str) -> bool {
    ["/dev/", "/sys/"].iter().any(|above| what.starts_with(above))
}

/// What prepares a block device is done first: systemd.special(7), `blockdev@.target`.
fn after_device(draft: &mut Draft, what: &str) {
    if what.starts_with("/dev/") {
        let device = escape::escape_path(what.as_bytes());
        draft.lines("After", device.map(|device| format!("blockdev@{device}.target")));
    }
}

fn unit_of_path(path: &str, kind: UnitKind) -> Option<String> {
    escape::name_of_path(path.as_bytes(), kind).map(|name| name.to_string())
}
