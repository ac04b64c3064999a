//! `[Mount]`, `[Automount]` and `[Swap]`: systemd.mount(5), systemd.automount(5), systemd.swap(5).
//! Automounts and swaps are known, and not acted on yet.

use super::unit::flag;
use super::{Directive, Draft, Kind, Line, Support, keep};

const fn kept(key: &'static str, kind: Kind, help: &'static str) -> Directive {
    Directive { key, kind, support: Support::NotYet, set: keep, help }
}

const fn row(
    key: &'static str,
    kind: Kind,
    set: fn(&mut Draft, &mut Line<'_>),
    help: &'static str,
) -> Directive {
    Directive { key, kind, support: Support::Full, set, help }
}

const SEC: Kind = Kind::Timeout("time value");

#[rustfmt::skip]
pub(super) static MOUNT: &[Directive] = &[
    row("DirectoryMode", Kind::Mode, |d, l| if let Some(mode) = l.mode() { d.mount.directory_mode = mode }, "permissions of the mount point if it is made"),
    row("ForceUnmount", Kind::Boolean, |d, l| flag(&mut d.mount.force_unmount, l), "unmounts by force"),
    row("LazyUnmount", Kind::Boolean, |d, l| flag(&mut d.mount.lazy_unmount, l), "unmounts once nobody uses it"),
    row("Options", Kind::Text, |d, l| text(&mut d.mount.options, l), "options of the mount"),
    row("ReadWriteOnly", Kind::Boolean, |d, l| flag(&mut d.mount.read_write_only, l), "fails rather than mount read-only"),
    row("SloppyOptions", Kind::Boolean, |d, l| flag(&mut d.mount.sloppy_options, l), "options the file system does not know are ignored"),
    row("TimeoutSec", SEC, |d, l| if let Some(span) = l.timeout("time value") { d.mount.timeout = span }, "how long mounting and unmounting may take"),
    row("Type", Kind::Text, |d, l| text(&mut d.mount.kind, l), "the kind of file system"),
    row("What", Kind::Text, |d, l| text(&mut d.mount.what, l), "what is mounted"),
    row("Where", Kind::Path, |d, l| if let Some(Some(path)) = l.path() { d.mount.place = path }, "where it is mounted"),
];

#[rustfmt::skip]
pub(super) static AUTOMOUNT: &[Directive] = &[
    kept("DirectoryMode", Kind::Mode, "permissions of the mount point if it is made"),
    kept("ExtraOptions", Kind::Text, "options of the autofs mount"),
    kept("TimeoutIdleSec", SEC, "how long it may be unused before it is unmounted"),
    kept("Where", Kind::Path, "the path that is mounted when it is looked at"),
];

#[rustfmt::skip]
pub(super) static SWAP: &[Directive] = &[
    kept("Options", Kind::Text, "options of the swap space"),
    Directive { key: "Priority", kind: Kind::Integer("swap priority"), support: Support::NotYet, set: priority, help: "its priority among swap spaces" },
    kept("TimeoutSec", SEC, "how long swapon may take"),
    kept("What", Kind::Path, "the device or file swapped to"),
];

fn priority(d: &mut Draft, l: &mut Line<'_>) {
    match crate::values::number::integer(l.value) {
        Ok(priority) => l.keep_one(d, priority.to_string()),
        Err(_) if l.is_empty() => l.reset(d),
        Err(_) => l.warn(format!("Invalid swap priority '{}', ignoring.", l.value)),
    }
}

fn text(field: &mut String, l: &mut Line<'_>) {
    if let Some(text) = l.text() {
        *field = text;
    }
}
