//! `[Mount]`, `[Automount]` and `[Swap]`: systemd.mount(5), systemd.automount(5), systemd.swap(5).
//! What they stand for is known; mounting itself is not done yet.

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
    const OBSERVED: Support = Support::Partial("a mount is observed, not made");
    Directive { key, kind, support: OBSERVED, set, help }
}

const SEC: Kind = Kind::Timeout("time value");

#[rustfmt::skip]
pub(super) static MOUNT: &[Directive] = &[
    kept("DirectoryMode", Kind::Mode, "permissions of the mount point if it is made"),
    kept("ForceUnmount", Kind::Boolean, "unmounts by force"),
    kept("LazyUnmount", Kind::Boolean, "unmounts once nobody uses it"),
    row("Options", Kind::Text, |d, l| text(&mut d.mount.options, l), "options of the mount"),
    kept("ReadWriteOnly", Kind::Boolean, "fails rather than mount read-only"),
    kept("SloppyOptions", Kind::Boolean, "options the file system does not know are ignored"),
    kept("TimeoutSec", SEC, "how long mounting and unmounting may take"),
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
