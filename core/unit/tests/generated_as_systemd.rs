//! Units of init scripts and of /etc/fstab against what systemd 252's own generators made of the same text.
//!
//! `generated.txt` was written by them: `RECORD=/lib/systemd/system-generators cargo test -p eudaemon-unit --test
//! generated_as_systemd` does it again, on a machine where /sys can be written and no swap is looked for. The order
//! of lines in a section, and whether names share a line, means nothing; what needs systemd's helpers is left out.

#![allow(clippy::unwrap_used)]

use eudaemon_unit::files::{Environment, Index, MemoryTree, Scope, SearchPath};
use eudaemon_unit::generate::{Entry, Generated, fstab, sysv};
use std::collections::BTreeMap;
use std::os::unix::fs::{PermissionsExt, symlink};
use std::path::Path;
use std::process::Command;
use std::{env, fs};

const SCRIPTS: &[(&str, &str)] = &[
    (
        "whole",
        "#!/bin/sh\n### BEGIN INIT INFO\n# Provides: whole other $named $mail zoo.target\n# Required-Start: $remote_fs $syslog $network dbus\n# Should-Start: $named plain.sh\n# X-Start-Before: $time late\n# x-start-after: early\n# Default-Start: 2 3\n# Short-Description: The 100% whole\n# Description: A longer text\n#  that goes on\n### END INIT INFO\necho \"Usage: $0 {start|stop|reload}\"\n",
    ),
    (
        "plain.sh",
        "#!/bin/sh\n# description: Goes on \\\n#   and on\n# pidfile: /run/plain.pid\necho usage \\\n  '{start|reload|stop}'\n",
    ),
    ("bare", "#!/bin/sh\n"),
    (
        "odd name%",
        "#!/bin/sh\n### BEGIN INIT INFO\n# Provides: $network \"two words\" +x p/q\n# Required-Start: bare odd\n# Description: long \\\n#\twith a tab\n#ends here\n#  not this\n### END INIT INFO\n",
    ),
    (
        "unclosed",
        "#!/bin/sh\n### BEGIN INIT INFO\n# Short-Description: taken back\n# Short-Description:\n# Description: kept\necho 'usage: {reload}'\n",
    ),
    ("left.dpkg-old", "#!/bin/sh\n"),
];

const LINKS: &[&str] = &[
    "rc1.d/S10bare",
    "rc2.d/S20whole",
    "rc3.d/S30whole",
    "rc3.d/S05bare",
    "rc5.d/S20plain.sh",
    "rc0.d/S01whole",
    "rcS.d/S02bare",
    "rc4.d/K01plain.sh",
    "rc2.d/S5unclosed",
    "rc2.d/S20missing",
];

const FSTAB: &str = "# what the generator is fed\n\
UUID=1234-ab /data ext4 defaults 0 0\n\
LABEL=\"a\\040b\" /with\\040space xfs noauto,nofail 0 0\n\
/dev/sdb1 /auto auto x-systemd.automount,x-systemd.idle-timeout=90,x-systemd.device-timeout=10,ro 0 0\n\
tmpfs /t tmpfs size=10%,x-systemd.requires=a.service,x-systemd.after=/foo,x-systemd.before=b.mount,x-systemd.requires-mounts-for=/q 0 0\n\
server:/exp /nfs nfs bg,retry=3 0 0\n\
server:/exp /nfs4 nfs4 rw,nofail 0 0\n\
//srv/share /cifs cifs _netdev,user=x 0 0\n\
/dev/sdc /net ext4 _netdev,x-systemd.mount-timeout=1min\\0405s 0 0\n\
x /fuse fuse.sshfs nofail,fail 0 0\n\
x /nine 9p trans=virtio 0 0\n\
/src /bind none bind,x-systemd.wanted-by=foo.target,x-systemd.required-by=bar.service 0 0\n\
/dev/sda1 / ext4 noauto,nofail,errors=remount-ro 0 0\n\
/dev/sda2 /usr ext4 nofail,x-systemd.rw-only,_netdev 0 0\n\
proc /proc proc defaults 0 0\n\
none nowhere auto defaults\n\
/dev/sdd /data ext4 defaults 0 0\n\
/dev/sde /x//y/ - -,a=%n,,b\n\
/dev/sdf\n";

/// A generated unit without what does not count.
fn plain(text: &str) -> String {
    let mut sections: Vec<(String, Vec<String>)> = Vec::new();
    for line in text.lines().filter(|line| !line.is_empty() && !line.starts_with('#')) {
        match (line.split_once('='), sections.last_mut()) {
            (Some((key @ ("After" | "Before" | "Wants" | "Requires"), names)), Some((_, lines))) => {
                lines.extend(names.split(' ').map(|name| format!("{key}={name}")));
            }
            (Some(_), Some((_, lines))) => lines.push(line.to_owned()),
            (_, _) => sections.push((line.to_owned(), Vec::new())),
        }
    }
    let section = |(name, mut lines): (String, Vec<String>)| {
        lines.sort();
        format!("{name}\n{}\n", lines.join("\n"))
    };
    sections.into_iter().map(section).collect()
}

fn listing(entries: &BTreeMap<String, Entry>) -> String {
    let line = |(path, entry): (&String, &Entry)| match entry {
        Entry::Link(target) => format!("== {path} -> {target}\n"),
        Entry::File(text) => format!("== {path}\n{}", plain(text)),
    };
    let helper = |path: &str| path.contains("systemd-remount-fs") || path.contains("systemd-fsck");
    entries.iter().filter(|(path, _)| !helper(path)).map(line).collect()
}

fn ours() -> [Generated; 2] {
    let mut tree = MemoryTree::new();
    for (name, text) in SCRIPTS {
        tree.file(&format!("/etc/init.d/{name}"), *text);
    }
    for link in LINKS {
        tree.link(&format!("/etc/{link}"), "../init.d/x");
    }
    tree.file("/etc/fstab", FSTAB);
    let native = Index::read(&tree, &SearchPath::new(Scope::System, &Environment::default()));
    let machine = fstab::Machine { devices: fstab::Devices::Ours, swap: fstab::Swap::Used };
    [
        sysv::generate(&tree, &native, &sysv::Places::default(), &|_| true),
        fstab::generate(&tree, &native, "/etc/fstab", machine),
    ]
}

/// What systemd's generators make of the same, in a folder of its own.
fn recorded(generators: &Path) -> String {
    let base = env::temp_dir().join(format!("eudaemon-generated-{}", std::process::id()));
    let etc = base.join("etc");
    fs::create_dir_all(etc.join("init.d")).unwrap();
    for (name, text) in SCRIPTS {
        let path = etc.join("init.d").join(name);
        fs::write(&path, text).unwrap();
        fs::set_permissions(path, fs::Permissions::from_mode(0o755)).unwrap();
    }
    for link in LINKS {
        fs::create_dir_all(etc.join(link).parent().unwrap()).unwrap();
        symlink("../init.d/x", etc.join(link)).unwrap();
    }
    fs::write(etc.join("fstab"), FSTAB).unwrap();
    let mut entries = BTreeMap::new();
    for program in ["systemd-sysv-generator", "systemd-fstab-generator"] {
        let out = base.join(program);
        fs::create_dir(&out).unwrap();
        let mut command = Command::new(generators.join(program));
        command.env("SYSTEMD_SYSVINIT_PATH", etc.join("init.d")).env("SYSTEMD_SYSVRCND_PATH", &etc);
        // It fails for the lines that are wrong.
        command.env("SYSTEMD_FSTAB", etc.join("fstab")).args([&out, &out, &out]).status().unwrap();
        collect(&out, &out, &base, &mut entries);
    }
    fs::remove_dir_all(&base).unwrap();
    listing(&entries)
}

fn collect(root: &Path, folder: &Path, base: &Path, entries: &mut BTreeMap<String, Entry>) {
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        let name = path.strip_prefix(root).unwrap().to_str().unwrap().to_owned();
        if path.is_symlink() {
            entries.insert(name, Entry::Link(fs::read_link(&path).unwrap().to_str().unwrap().to_owned()));
        } else if path.is_dir() {
            collect(root, &path, base, entries);
        } else {
            let text = fs::read_to_string(&path).unwrap().replace(base.to_str().unwrap(), "");
            entries.insert(name, Entry::File(text));
        }
    }
}

#[test]
fn units_are_those_systemd_makes() {
    let file = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/generated.txt");
    if let Some(generators) = env::var_os("RECORD") {
        fs::write(&file, recorded(Path::new(&generators))).unwrap();
    }
    let [scripts, fstab] = ours();
    let mut entries = scripts.entries;
    entries.extend(fstab.entries);
    pretty(&fs::read_to_string(file).unwrap(), &listing(&entries));
}

/// Compares line by line, so that a failure names the unit.
fn pretty(theirs: &str, ours: &str) {
    let blocks = |text: &str| -> Vec<String> { text.split("== ").map(str::to_owned).collect() };
    let (theirs, ours) = (blocks(theirs), blocks(ours));
    let differing: Vec<_> = theirs.iter().filter(|block| !ours.contains(block)).collect();
    let added: Vec<_> = ours.iter().filter(|block| !theirs.contains(block)).collect();
    assert!(differing.is_empty() && added.is_empty(), "systemd's: {differing:#?}\nours: {added:#?}");
}

#[test]
fn what_is_wrong_is_named_with_its_line() {
    let [scripts, fstab] = ours();
    assert_eq!(scripts.warnings, Vec::<String>::new());
    assert_eq!(
        fstab.warnings,
        [
            "/etc/fstab:16: the mount point nowhere is no absolute path; the line is ignored",
            "/etc/fstab:17: an earlier line has made data.mount already; this one is left out",
            "/etc/fstab:19: /dev/sdf has no mount point; the line is ignored",
        ]
    );
}

#[test]
fn a_unit_file_of_the_name_wins_over_a_script() {
    let mut tree = MemoryTree::new();
    tree.file("/etc/init.d/cron", "#!/bin/sh\n");
    tree.file("/etc/init.d/sendsigs", "#!/bin/sh\n");
    tree.file("/etc/init.d/openrc", "#!/sbin/openrc-run\n");
    tree.file("/lib/systemd/system/cron.service", "[Service]\nExecStart=/bin/true\n");
    let native = Index::read(&tree, &SearchPath::new(Scope::System, &Environment::default()));
    let generated = sysv::generate(&tree, &native, &sysv::Places::default(), &|_| true);
    assert_eq!(generated, Generated::default());
}

#[test]
fn swaps_and_devices_are_left_to_a_containers_host() {
    let mut tree = MemoryTree::new();
    let text = "/dev/sda swap swap pri=5,nofail 0 0\n/swap none swap defaults,noauto\nrelative none swap sw\n/dev/sdb /b ext4\n";
    tree.file("/etc/fstab", text);
    let native = Index::read(&tree, &SearchPath::new(Scope::System, &Environment::default()));
    let names = |devices, swap| -> Vec<String> {
        let machine = fstab::Machine { devices, swap };
        fstab::generate(&tree, &native, "/etc/fstab", machine).entries.into_keys().collect()
    };
    assert_eq!(
        names(fstab::Devices::Ours, fstab::Swap::Used),
        [
            "b.mount",
            "dev-sda.swap",
            "local-fs.target.requires/b.mount",
            "swap.swap",
            "swap.target.wants/dev-sda.swap"
        ]
    );
    assert_eq!(names(fstab::Devices::Elsewhere, fstab::Swap::Left), Vec::<String>::new());
}
