//! The units the binary carries, lowest of all along the search path, so that an image without the systemd
//! package boots too: the targets of systemd.special(7), and our own services under the names systemd's have,
//! so that where systemd's files are installed those win.
//!
//! They are no files on disk: [`WithVendor`] lays them over a tree at [`files::VENDOR_SYSTEM`] and
//! [`files::VENDOR_USER`]. In their text `@EUDAEMON@` stands for the path of our binary, `@JOURNAL@` for the
//! directory of the log's sockets.

use crate::config::unit::Condition;
use crate::files::{self, Entry, Kind, MemoryTree, Sight, Tree, TreeError};
use crate::name::UnitName;

/// A tree with the vendor units in it.
#[derive(Clone, Debug)]
pub struct WithVendor<T> {
    tree: T,
    vendor: MemoryTree,
}

/// What our own units name.
#[derive(Clone, Copy, Debug)]
pub struct Own<'a> {
    /// The absolute path of our binary.
    pub program: &'a str,
    /// Where a user's services find the log: the directory of its sockets.
    pub journal: &'a str,
}

impl<T: Tree> WithVendor<T> {
    pub fn new(tree: T, own: Own<'_>) -> WithVendor<T> {
        let mut vendor = MemoryTree::new();
        for (directory, files, links) in
            [(files::VENDOR_SYSTEM, SYSTEM, SYSTEM_LINKS), (files::VENDOR_USER, USER, USER_LINKS)]
        {
            for (name, text) in files {
                let text = text.replace("@EUDAEMON@", own.program).replace("@JOURNAL@", own.journal);
                vendor.file(&files::join(directory, name), text);
            }
            for (name, target) in links {
                vendor.link(&files::join(directory, name), target);
            }
        }
        WithVendor { tree, vendor }
    }

    /// The tree beneath, where changes are made.
    pub fn inner(&self) -> &T {
        &self.tree
    }

    fn is_vendor(path: &str) -> bool {
        path == HOME || path.starts_with(HOME) && path[HOME.len()..].starts_with('/')
    }
}

const HOME: &str = "/usr/lib/eudaemon";

impl<T: Tree> Tree for WithVendor<T> {
    fn look(&self, path: &str) -> Result<Kind, TreeError> {
        match self.tree.look(path) {
            // A tree without /usr/lib has the vendor units all the same.
            Err(TreeError::NotFound) => self.vendor.look(path),
            _ if Self::is_vendor(path) => self.vendor.look(path),
            found => found,
        }
    }

    fn list(&self, directory: &str) -> Result<Vec<(String, Kind)>, TreeError> {
        if Self::is_vendor(directory) { self.vendor.list(directory) } else { self.tree.list(directory) }
    }

    fn entries(&self, directory: &str) -> Result<Vec<(String, Entry)>, TreeError> {
        if Self::is_vendor(directory) { self.vendor.entries(directory) } else { self.tree.entries(directory) }
    }

    fn read(&self, path: &str, limit: u64) -> Result<Vec<u8>, TreeError> {
        if Self::is_vendor(path) { self.vendor.read(path, limit) } else { self.tree.read(path, limit) }
    }

    fn read_seen(&self, path: &str, limit: u64) -> Result<(Vec<u8>, Option<Sight>), TreeError> {
        match Self::is_vendor(path) {
            true => self.vendor.read(path, limit).map(|text| (text, Some(Sight::default()))),
            false => self.tree.read_seen(path, limit),
        }
    }

    /// What we carry never changes.
    fn sight(&self, path: &str) -> Option<Sight> {
        if Self::is_vendor(path) { Some(Sight::default()) } else { self.tree.sight(path) }
    }

    fn size(&self, path: &str) -> Result<u64, TreeError> {
        if Self::is_vendor(path) { self.vendor.size(path) } else { self.tree.size(path) }
    }

    fn stamp(&self, directory: &str) -> Option<u64> {
        if Self::is_vendor(directory) { self.vendor.stamp(directory) } else { self.tree.stamp(directory) }
    }

    fn look_at(&self, path: &str) -> Result<Kind, TreeError> {
        if Self::is_vendor(path) { self.vendor.look_at(path) } else { self.tree.look_at(path) }
    }

    fn is_void(&self, path: &str) -> bool {
        if Self::is_vendor(path) { self.vendor.is_void(path) } else { self.tree.is_void(path) }
    }
}

/// What in a container must be left to the host although a unit's own conditions may not say so:
/// login prompts on the host's terminals, and devices. The condition given is one that fails in any container, or in
/// one that may not administer itself.
pub fn container_conditions(name: &UnitName) -> Option<Condition> {
    let family = name.template().map_or_else(|| name.to_string(), |template| template.to_string());
    let (test, value, negated) = match family.as_str() {
        family if HOSTS_OWN.contains(&family) => ("Virtualization", "container", true),
        family if ADMINISTRATION.contains(&family) => ("Capability", "CAP_SYS_ADMIN", false),
        _ => return None,
    };
    Some(Condition { test: test.to_owned(), value: value.to_owned(), negated, triggering: false })
}

/// What changes a root file system and a /dev that are the runtime's where it gave no right to.
const ADMINISTRATION: &[&str] = &["systemd-remount-fs.service", "systemd-tmpfiles-setup-dev.service"];

const HOSTS_OWN: &[&str] = &[
    "autovt@.service",
    "getty@.service",
    "serial-getty@.service",
    "getty-static.service",
    "kmod-static-nodes.service",
    "modprobe@.service",
    "systemd-udevd.service",
    "systemd-udevd-control.socket",
    "systemd-udevd-kernel.socket",
    "systemd-udev-trigger.service",
    "systemd-udev-settle.service",
    "systemd-modules-load.service",
    "systemd-hwdb-update.service",
    "proc-sys-fs-binfmt_misc.automount",
    "proc-sys-fs-binfmt_misc.mount",
];

type Named = (&'static str, &'static str);

const SYSTEM: &[Named] = &[
    ("basic.target", include_str!("../vendor/system/basic.target")),
    ("bluetooth.target", include_str!("../vendor/system/bluetooth.target")),
    ("boot-complete.target", include_str!("../vendor/system/boot-complete.target")),
    ("cryptsetup-pre.target", include_str!("../vendor/system/cryptsetup-pre.target")),
    ("cryptsetup.target", include_str!("../vendor/system/cryptsetup.target")),
    ("emergency.service", include_str!("../vendor/system/emergency.service")),
    ("emergency.target", include_str!("../vendor/system/emergency.target")),
    ("eudaemon-console.service", include_str!("../vendor/system/eudaemon-console.service")),
    ("exit.target", include_str!("../vendor/system/exit.target")),
    ("final.target", include_str!("../vendor/system/final.target")),
    ("first-boot-complete.target", include_str!("../vendor/system/first-boot-complete.target")),
    ("getty-pre.target", include_str!("../vendor/system/getty-pre.target")),
    ("getty.target", include_str!("../vendor/system/getty.target")),
    ("graphical.target", include_str!("../vendor/system/graphical.target")),
    ("halt.target", include_str!("../vendor/system/halt.target")),
    ("integritysetup-pre.target", include_str!("../vendor/system/integritysetup-pre.target")),
    ("integritysetup.target", include_str!("../vendor/system/integritysetup.target")),
    ("kexec.target", include_str!("../vendor/system/kexec.target")),
    ("local-fs-pre.target", include_str!("../vendor/system/local-fs-pre.target")),
    ("local-fs.target", include_str!("../vendor/system/local-fs.target")),
    ("machine.slice", include_str!("../vendor/system/machine.slice")),
    ("machines.target", include_str!("../vendor/system/machines.target")),
    ("multi-user.target", include_str!("../vendor/system/multi-user.target")),
    ("network-online.target", include_str!("../vendor/system/network-online.target")),
    ("network-pre.target", include_str!("../vendor/system/network-pre.target")),
    ("network.target", include_str!("../vendor/system/network.target")),
    ("nss-lookup.target", include_str!("../vendor/system/nss-lookup.target")),
    ("nss-user-lookup.target", include_str!("../vendor/system/nss-user-lookup.target")),
    ("paths.target", include_str!("../vendor/system/paths.target")),
    ("poweroff.target", include_str!("../vendor/system/poweroff.target")),
    ("printer.target", include_str!("../vendor/system/printer.target")),
    ("reboot.target", include_str!("../vendor/system/reboot.target")),
    ("remote-cryptsetup.target", include_str!("../vendor/system/remote-cryptsetup.target")),
    ("remote-fs-pre.target", include_str!("../vendor/system/remote-fs-pre.target")),
    ("remote-fs.target", include_str!("../vendor/system/remote-fs.target")),
    ("rescue.service", include_str!("../vendor/system/rescue.service")),
    ("rescue.target", include_str!("../vendor/system/rescue.target")),
    ("rpcbind.target", include_str!("../vendor/system/rpcbind.target")),
    ("shutdown.target", include_str!("../vendor/system/shutdown.target")),
    ("sigpwr.target", include_str!("../vendor/system/sigpwr.target")),
    ("slices.target", include_str!("../vendor/system/slices.target")),
    ("smartcard.target", include_str!("../vendor/system/smartcard.target")),
    ("sockets.target", include_str!("../vendor/system/sockets.target")),
    ("sound.target", include_str!("../vendor/system/sound.target")),
    ("swap.target", include_str!("../vendor/system/swap.target")),
    ("sysinit.target", include_str!("../vendor/system/sysinit.target")),
    ("systemd-exit.service", include_str!("../vendor/system/systemd-exit.service")),
    ("systemd-halt.service", include_str!("../vendor/system/systemd-halt.service")),
    ("systemd-journald-dev-log.socket", include_str!("../vendor/system/systemd-journald-dev-log.socket")),
    ("systemd-journald.service", include_str!("../vendor/system/systemd-journald.service")),
    ("systemd-journald.socket", include_str!("../vendor/system/systemd-journald.socket")),
    ("systemd-kexec.service", include_str!("../vendor/system/systemd-kexec.service")),
    ("systemd-poweroff.service", include_str!("../vendor/system/systemd-poweroff.service")),
    ("systemd-reboot.service", include_str!("../vendor/system/systemd-reboot.service")),
    ("systemd-sysusers.service", include_str!("../vendor/system/systemd-sysusers.service")),
    ("systemd-tmpfiles-clean.service", include_str!("../vendor/system/systemd-tmpfiles-clean.service")),
    ("systemd-tmpfiles-clean.timer", include_str!("../vendor/system/systemd-tmpfiles-clean.timer")),
    ("systemd-tmpfiles-setup.service", include_str!("../vendor/system/systemd-tmpfiles-setup.service")),
    ("time-set.target", include_str!("../vendor/system/time-set.target")),
    ("time-sync.target", include_str!("../vendor/system/time-sync.target")),
    ("timers.target", include_str!("../vendor/system/timers.target")),
    ("umount.target", include_str!("../vendor/system/umount.target")),
    ("user.slice", include_str!("../vendor/system/user.slice")),
    ("veritysetup-pre.target", include_str!("../vendor/system/veritysetup-pre.target")),
    ("veritysetup.target", include_str!("../vendor/system/veritysetup.target")),
];

/// Aliases, and who wants whom.
const SYSTEM_LINKS: &[Named] = &[
    ("ctrl-alt-del.target", "reboot.target"),
    ("default.target", "multi-user.target"),
    ("multi-user.target.wants/getty.target", "../getty.target"),
    ("runlevel0.target", "poweroff.target"),
    ("runlevel1.target", "rescue.target"),
    ("runlevel2.target", "multi-user.target"),
    ("runlevel3.target", "multi-user.target"),
    ("runlevel4.target", "multi-user.target"),
    ("runlevel5.target", "graphical.target"),
    ("runlevel6.target", "reboot.target"),
    ("sockets.target.wants/systemd-journald-dev-log.socket", "../systemd-journald-dev-log.socket"),
    ("sockets.target.wants/systemd-journald.socket", "../systemd-journald.socket"),
    ("sysinit.target.wants/eudaemon-console.service", "../eudaemon-console.service"),
    ("sysinit.target.wants/systemd-journald.service", "../systemd-journald.service"),
    ("sysinit.target.wants/systemd-sysusers.service", "../systemd-sysusers.service"),
    ("sysinit.target.wants/systemd-tmpfiles-setup.service", "../systemd-tmpfiles-setup.service"),
    ("timers.target.wants/systemd-tmpfiles-clean.timer", "../systemd-tmpfiles-clean.timer"),
];

const USER: &[Named] = &[
    ("app.slice", include_str!("../vendor/user/app.slice")),
    ("background.slice", include_str!("../vendor/user/background.slice")),
    ("basic.target", include_str!("../vendor/user/basic.target")),
    ("bluetooth.target", include_str!("../vendor/user/bluetooth.target")),
    ("default.target", include_str!("../vendor/user/default.target")),
    ("eudaemon-logd.service", include_str!("../vendor/user/eudaemon-logd.service")),
    ("eudaemon-logd.socket", include_str!("../vendor/user/eudaemon-logd.socket")),
    ("exit.target", include_str!("../vendor/user/exit.target")),
    ("graphical-session-pre.target", include_str!("../vendor/user/graphical-session-pre.target")),
    ("graphical-session.target", include_str!("../vendor/user/graphical-session.target")),
    ("paths.target", include_str!("../vendor/user/paths.target")),
    ("printer.target", include_str!("../vendor/user/printer.target")),
    ("session.slice", include_str!("../vendor/user/session.slice")),
    ("shutdown.target", include_str!("../vendor/user/shutdown.target")),
    ("smartcard.target", include_str!("../vendor/user/smartcard.target")),
    ("sockets.target", include_str!("../vendor/user/sockets.target")),
    ("sound.target", include_str!("../vendor/user/sound.target")),
    ("systemd-exit.service", include_str!("../vendor/user/systemd-exit.service")),
    ("timers.target", include_str!("../vendor/user/timers.target")),
];

const USER_LINKS: &[Named] = &[("sockets.target.wants/eudaemon-logd.socket", "../eudaemon-logd.socket")];

#[cfg(test)]
mod tests {
    use super::*;
    use crate::files::{Environment, Fragment, Index, Scope, SearchPath};

    const OWN: Own<'_> = Own { program: "/usr/bin/eudaemon", journal: "/run/systemd/journal" };

    fn index(tree: &WithVendor<MemoryTree>, scope: Scope) -> Index {
        Index::read(tree, &SearchPath::new(scope, &Environment::default()))
    }

    #[test]
    fn an_empty_image_has_every_unit_and_every_link_leads_somewhere() {
        let tree = WithVendor::new(MemoryTree::new(), OWN);
        for (scope, files, links) in [(Scope::System, SYSTEM, SYSTEM_LINKS), (Scope::User, USER, USER_LINKS)]
        {
            let index = index(&tree, scope);
            for (name, _) in files.iter().chain(links).filter(|(name, _)| !name.contains('/')) {
                let found = index.find(&tree, &UnitName::parse(name).unwrap());
                assert!(matches!(found.fragment, Fragment::File(_)), "{name}: {:?}", found.fragment);
            }
            for (name, _) in links.iter().filter(|(name, _)| name.contains('/')) {
                let wanted = UnitName::parse(files::base_name(name)).unwrap();
                assert!(index.has(&wanted), "{name}");
            }
        }
        let read = tree.read("/usr/lib/eudaemon/system/systemd-journald.service", 4096).unwrap();
        assert!(String::from_utf8(read).unwrap().contains("ExecStart=/usr/bin/eudaemon logd"));
    }

    #[test]
    fn an_installed_file_wins() {
        let mut installed = MemoryTree::new();
        installed.file("/usr/lib/systemd/system/multi-user.target", "[Unit]");
        let tree = WithVendor::new(installed, OWN);
        let found = index(&tree, Scope::System).find(&tree, &UnitName::parse("default.target").unwrap());
        assert_eq!(found.fragment, Fragment::File("/usr/lib/systemd/system/multi-user.target".to_owned()));
        assert_eq!(found.dependencies.len(), 1, "wanted by the vendor's folder: {:?}", found.dependencies);
    }

    #[test]
    fn the_folder_and_the_tables_hold_the_same_units() {
        for (folder, table) in [("system", SYSTEM), ("user", USER)] {
            let place = format!("{}/vendor/{folder}", env!("CARGO_MANIFEST_DIR"));
            let mut names: Vec<String> = std::fs::read_dir(place)
                .unwrap()
                .map(|entry| entry.unwrap().file_name().into_string().unwrap())
                .collect();
            names.sort();
            assert_eq!(names, table.iter().map(|(name, _)| (*name).to_owned()).collect::<Vec<_>>());
        }
    }
}
