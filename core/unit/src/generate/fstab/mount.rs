//! A line that mounts: a mount unit, and an automount unit where one is asked for.

use super::line::Line;
use super::options::Options;
use super::{Fstab, after_device, is_device, literal, unit_of_path};
use crate::escape;
use crate::files::Tree;
use crate::generate::Draft;
use crate::name::UnitKind;
use crate::values::{format_timespan, mounts, parse_timespan, path};
use std::borrow::Cow;

/// A mount on its way to its units.
struct Mount<'a> {
    line: &'a Line,
    options: Options<'a>,
    place: String,
    name: String,
    /// The target all of its kind belong to.
    whole: &'static str,
}

impl<T: Tree + ?Sized> Fstab<'_, T> {
    pub(super) fn mount(&mut self, line: &Line, options: &Options<'_>) {
        if line.place.is_empty() {
            return self.warn(&format!("{} has no mount point; the line is ignored", line.what));
        }
        if !line.place.starts_with('/') {
            return self
                .warn(&format!("the mount point {} is no absolute path; the line is ignored", line.place));
        }
        let place = self.end_of(&path::simplify(&line.place));
        if mounts::is_left_out(&place) {
            return;
        }
        let Some(name) = path::is_normalized(&place).then(|| unit_of_path(&place, UnitKind::Mount)).flatten()
        else {
            return self.warn(&format!("no unit can be named for the mount point {place}"));
        };
        let options = in_background(line, options);
        let remote = mounts::needs_network(&line.kind, &options);
        let whole = if remote { "remote-fs.target" } else { "local-fs.target" };
        let mount = Mount { line, options: Options::new(&options), place, name, whole };
        let draft = self.mount_unit(&mount);
        if !self.unit(&mount.name, draft) {
            return;
        }
        self.device_dropins(line, &mount.options);
        self.pull_in(&mount);
        self.helpers(&mount);
    }

    fn mount_unit(&mut self, mount: &Mount<'_>) -> Draft {
        let Mount { line, options, place, whole, .. } = mount;
        let mut draft = self.draft();
        self.named(&mut draft, options, "x-systemd.after", &["After"]);
        self.named(&mut draft, options, "x-systemd.requires", &["After", "Requires"]);
        self.named(&mut draft, options, "x-systemd.before", &["Before"]);
        draft.lines(
            "RequiresMountsFor",
            options.values("x-systemd.requires-mounts-for").into_iter().map(literal),
        );
        if mount.is_root() || !options.is_set("nofail", "fail") {
            draft.line("Before", whole);
        }
        self.check(&mut draft, mount);
        after_device(&mut draft, &line.what);
        draft.section("Mount").line("What", &literal(&line.what)).line("Where", &literal(place));
        if !line.kind.is_empty() && line.kind != "auto" {
            draft.line("Type", &literal(&line.kind));
        }
        draft.lines("TimeoutSec", self.timespan(options, "x-systemd.mount-timeout"));
        draft.lines("Options", options.kept().map(|kept| literal(&kept)));
        if options.has("x-systemd.rw-only") {
            draft.line("ReadWriteOnly", "yes");
        }
        draft
    }

    /// Options that name units: a path stands for what is mounted there.
    fn named(&mut self, draft: &mut Draft, options: &Options<'_>, option: &str, keys: &[&str]) {
        for value in options.values(option) {
            match escape::mangle(value.as_bytes(), ".mount") {
                Some(unit) => {
                    for key in keys {
                        draft.line(key, &literal(&unit));
                    }
                }
                None => self.warn(&format!("{option}={value} names no unit; it is ignored")),
            }
        }
    }

    fn timespan(&mut self, options: &Options<'_>, option: &str) -> Option<String> {
        let value = options.value(option)?;
        match parse_timespan(value) {
            Ok(span) => Some(format_timespan(span)),
            Err(_) => {
                self.warn(&format!("{option}={value} is no time span; it is ignored"));
                None
            }
        }
    }

    /// A check before mounting, where there is the service for it.
    fn check(&mut self, draft: &mut Draft, mount: &Mount<'_>) {
        let what = &mount.line.what;
        if mount.line.pass == 0 {
            return;
        }
        if !is_device(what) {
            return self.warn(&format!("a check is asked for, but {what} is no device"));
        }
        if mount.is_root() {
            if self.has_native("systemd-fsck-root.service") {
                self.generated.pull("local-fs.target", "wants", "systemd-fsck-root.service");
            }
            return;
        }
        let device = escape::escape_path(what.as_bytes());
        let service = device.map(|device| format!("systemd-fsck@{device}.service"));
        let Some(service) = service.filter(|name| self.has_native(name)) else { return };
        draft.line(if mount.place == "/usr" { "Wants" } else { "Requires" }, &service);
        draft.line("After", &service);
    }

    fn pull_in(&mut self, mount: &Mount<'_>) {
        let options = &mount.options;
        if mount.is_root() {
            return self.generated.pull(mount.whole, "requires", &mount.name);
        }
        if options.is_automount() {
            let name = self.automount(mount);
            return self.pull(mount.whole, options, &name);
        }
        let (wanted, required) =
            (options.values("x-systemd.wanted-by"), options.values("x-systemd.required-by"));
        if wanted.is_empty() && required.is_empty() {
            if !options.is_set("noauto", "auto") {
                self.pull(mount.whole, options, &mount.name);
            }
            return;
        }
        for (folder, units) in [("wants", wanted), ("requires", required)] {
            for unit in units {
                match escape::mangle(unit.as_bytes(), ".mount") {
                    Some(unit) => self.generated.pull(&unit, folder, &mount.name),
                    None => self.warn(&format!("{unit} names no unit; it is ignored")),
                }
            }
        }
    }

    fn automount(&mut self, mount: &Mount<'_>) -> String {
        let mut draft = self.draft();
        draft.section("Automount").line("Where", &literal(&mount.place));
        draft.lines("TimeoutIdleSec", self.timespan(&mount.options, "x-systemd.idle-timeout"));
        let name = mount.name.replace(".mount", ".automount");
        self.unit(&name, draft);
        name
    }

    /// What systemd's generator has helpers for that only systemd's packages bring.
    fn helpers(&mut self, mount: &Mount<'_>) {
        for option in ["x-systemd.growfs", "x-systemd.makefs"] {
            if mount.options.has(option) {
                self.warn(&format!("{option} needs systemd's own generator; it is ignored"));
            }
        }
        let remounts = mount.is_root() || mount.place == "/usr";
        if remounts && self.has_native("systemd-remount-fs.service") {
            self.generated.pull("local-fs.target", "wants", "systemd-remount-fs.service");
        }
    }
}

impl Mount<'_> {
    /// The root is mounted when there is a manager: what says when and whether means nothing for it.
    fn is_root(&self) -> bool {
        self.place == "/"
    }
}

/// NFS tries in the background by itself (`bg`); as a job of the manager it must stay in the foreground, for ever.
fn in_background<'a>(line: &Line, options: &Options<'a>) -> Cow<'a, str> {
    let is_nfs = ["nfs", "nfs4"].contains(&line.kind.as_str());
    if is_nfs && options.is_set("bg", "fg") && !options.is_automount() {
        return Cow::Owned(format!(
            "x-systemd.mount-timeout=infinity,retry=10000,nofail,{},fg",
            options.text()
        ));
    }
    Cow::Borrowed(options.text())
}
