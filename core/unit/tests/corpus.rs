//! Unit files as Debian's packages ship them: all are read, and what is said about them is known.

#![allow(clippy::unwrap_used)]

#[path = "vectors/table.rs"]
#[allow(dead_code)]
mod table;

use eudaemon_unit::files::{Found, Fragment};
use eudaemon_unit::merge::{Merged, Source, merge};
use eudaemon_unit::name::UnitName;
use eudaemon_unit::specifier::Context;
use expect_test::expect;
use std::path::{Path, PathBuf};

fn files(folder: &Path, out: &mut Vec<PathBuf>) {
    let mut entries: Vec<PathBuf> =
        std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()).collect();
    entries.sort();
    for entry in entries {
        match entry.is_dir() {
            true => files(&entry, out),
            false => out.push(entry),
        }
    }
}

fn load(name: &str, text: &[u8]) -> Option<Merged> {
    let name = UnitName::parse(name).ok()?;
    let name = if name.is_template() { name.with_instance("x").unwrap() } else { name };
    let path = format!("/lib/systemd/system/{name}");
    let fragment = Fragment::File(path.clone());
    let found =
        Found { name: name.clone(), aliases: vec![], fragment, dropins: vec![], dependencies: vec![] };
    Some(merge(&name, &[Source { path: &path, text }], &found, &Context::default()))
}

#[test]
fn debian() {
    let Some(folder) = table::shared() else {
        println!("SKIPPED corpus: no shared measurements here (set EUDAEMON_SHARED)");
        return;
    };
    let mut paths = Vec::new();
    files(&folder.join("corpus/units"), &mut paths);
    let (mut units, mut said) = (0, Vec::new());
    for path in paths {
        let name = path.file_name().unwrap().to_string_lossy().into_owned();
        let text = std::fs::read(&path).unwrap();
        let shown = path.to_string_lossy();
        // Links are stored as text; activation files of D-Bus share the suffix.
        if shown.contains("/dbus-") || !text.contains(&b'[') {
            continue;
        }
        let Some(merged) = load(&name, &text) else { continue };
        units += 1;
        said.extend(merged.diagnostics.iter().map(|said| said.to_string()));
    }
    println!("{units} units of Debian, {} diagnostics", said.len());
    assert!(units > 700, "{units} units are too few");
    // `systemd-analyze verify` says the same of the same lines.
    expect![[r#"
        /lib/systemd/system/ceph-volume@x.service:8: Unit uses KillMode=none. What it leaves running is out of control.
        /lib/systemd/system/freeradius.service:23: Unit uses MemoryLimit=; please use MemoryMax= instead. Support for MemoryLimit= will be removed soon.
        /lib/systemd/system/carbon-aggregator@x.service:8: Standard output type syslog is obsolete, automatically updating to journal. Please update your unit file, and consider removing the setting altogether.
        /lib/systemd/system/carbon-aggregator@x.service:9: Standard output type syslog is obsolete, automatically updating to journal. Please update your unit file, and consider removing the setting altogether.
        /lib/systemd/system/carbon-cache.service:8: Standard output type syslog is obsolete, automatically updating to journal. Please update your unit file, and consider removing the setting altogether.
        /lib/systemd/system/carbon-cache.service:9: Standard output type syslog is obsolete, automatically updating to journal. Please update your unit file, and consider removing the setting altogether.
        /lib/systemd/system/carbon-relay@x.service:8: Standard output type syslog is obsolete, automatically updating to journal. Please update your unit file, and consider removing the setting altogether.
        /lib/systemd/system/carbon-relay@x.service:9: Standard output type syslog is obsolete, automatically updating to journal. Please update your unit file, and consider removing the setting altogether.
        /lib/systemd/system/inputlirc.service:4: Failed to add dependency on udev, ignoring: Invalid argument
        /lib/systemd/system/inputlirc.service:4: Failed to add dependency on lircd, ignoring: Invalid argument
        /lib/systemd/system/mdadm-grow-continue@x.service:18: Unit uses KillMode=none. What it leaves running is out of control.
        /lib/systemd/system/mdmon@x.service:29: Unit uses KillMode=none. What it leaves running is out of control.
        /lib/systemd/system/oidentd@x.service:10: Standard output type syslog is obsolete, automatically updating to journal. Please update your unit file, and consider removing the setting altogether.
        /lib/systemd/system/openafs-client.service:22: Unit uses KillMode=none. What it leaves running is out of control.
        /lib/systemd/system/pgpool2.service:12: Standard output type syslog is obsolete, automatically updating to journal. Please update your unit file, and consider removing the setting altogether."#]].assert_eq(&said.join("\n"));
}
