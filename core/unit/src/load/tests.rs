//! What units say, of themselves and of each other, once they are read.

use super::*;
use crate::files::{Environment, MemoryTree, SearchPath};
use crate::vendor::{Own, WithVendor};

fn closure(files: &[(&str, &str)], name: &str) -> Vec<Merged> {
    let mut tree = MemoryTree::new();
    for (path, text) in files {
        tree.file(&format!("/etc/systemd/system/{path}"), *text);
    }
    let tree = WithVendor::new(tree, Own { program: "/usr/bin/eudaemon", journal: "/run/systemd/journal" });
    let index = Index::read(&tree, &SearchPath::new(Scope::System, &Environment::default()));
    let (cx, scope, surroundings) = (Context::default(), Scope::System, Surroundings::Machine);
    let loader = Loader { tree: &tree, index: &index, cx: &cx, scope, surroundings };
    loader.closure(&[UnitName::parse(name).unwrap()])
}

/// What a unit of a closure says, as `Requires=a After=b`.
fn check(files: &[(&str, &str)], name: &str, expected: &str) {
    let closure = closure(files, name);
    let config =
        closure.iter().map(|merged| &merged.config).find(|config| config.name.as_str() == name).unwrap();
    let said = config.unit.dependencies.iter().map(|(dependency, other)| format!("{dependency:?}={other}"));
    assert_eq!(said.collect::<Vec<_>>().join(" "), expected);
}

const SERVICE: &str = "[Service]\nExecStart=/bin/true\n";

/// What a refused unit says by itself it still has; what its slice means for it, and mounts, come with its use.
#[test]
fn refused_units() {
    check(
        &[
            ("a.service", "[Unit]\nRequiresMountsFor=/srv\n[Service]\nType=dbus\nExecStart=/bin/true\n"),
            ("srv.mount", "[Mount]\nWhat=x\n"),
        ],
        "a.service",
        "After=systemd-journald.socket InSlice=system.slice After=sysinit.target Requires=sysinit.target \
             After=basic.target Before=shutdown.target Conflicts=shutdown.target",
    );
    check(
        &[(
            "a.service",
            "[Unit]\nWants=b.service\n[Service]\nSlice=c.slice\nSockets=d.socket\nExecStart=./x\n",
        )],
        "a.service",
        "Wants=b.service InSlice=c.slice Wants=d.socket After=d.socket",
    );
    check(
        &[("a.socket", "[Unit]\nDefaultDependencies=no\n[Socket]\nAccept=yes\nListenFIFO=/srv/a\n")],
        "a.socket",
        "InSlice=system.slice Before=a.service Triggers=a.service",
    );
}

/// Of most kinds there are no templates, and nobody can depend on an instance of one.
#[test]
fn names_that_no_unit_can_have() {
    check(
        &[
            (
                "a.target",
                "[Unit]\nDefaultDependencies=no\nWants=b@x.slice b@.slice c@x.mount d@x.device e@x.target e@.path",
            ),
            ("a.target.wants/b@y.slice", ""),
            ("a.target.wants/f@y.service", ""),
        ],
        "a.target",
        "Wants=e@x.target Wants=e@a.path",
    );
    check(
        &[("a.timer", "[Unit]\nDefaultDependencies=no\n[Timer]\nOnBootSec=1\nUnit=b@.service\n")],
        "a.timer",
        "Before=b@a.service Triggers=b@a.service",
    );
    check(
        &[("a.timer", "[Unit]\nDefaultDependencies=no\n[Timer]\nOnBootSec=1\nUnit=b@x.mount\n")],
        "a.timer",
        "Before=a.service Triggers=a.service",
    );
}

#[test]
fn services() {
    check(
        &[("a.service", SERVICE)],
        "a.service",
        "After=systemd-journald.socket InSlice=system.slice Requires=system.slice After=system.slice \
             After=sysinit.target Requires=sysinit.target After=basic.target Before=shutdown.target Conflicts=shutdown.target",
    );
    check(
        &[(
            "a@.service",
            "[Unit]\nDefaultDependencies=no\n[Service]\nExecStart=/bin/true\nStandardOutput=null",
        )],
        "a@x.service",
        "InSlice=system-a.slice Requires=system-a.slice After=system-a.slice",
    );
}

#[test]
fn mounts_below_a_path() {
    check(
        &[
            (
                "a.service",
                "[Unit]\nDefaultDependencies=no\n[Service]\nExecStart=/bin/true\nStandardOutput=null\nSlice=-.slice\nStateDirectory=x",
            ),
            ("var-lib.mount", "[Mount]\nWhat=/dev/sda\nWhere=/var/lib\n"),
        ],
        "a.service",
        "After=systemd-remount-fs.service InSlice=-.slice Requires=-.slice After=-.slice Requires=var-lib.mount After=var-lib.mount",
    );
}

#[test]
fn a_target_comes_after_what_it_wants_unless_said_otherwise() {
    let wants =
        "[Unit]\nWants=a.service b.service c.service d.service\nBefore=b.service\nDefaultDependencies=";
    let files = |default: &str| {
        vec![
            ("x.target", format!("{wants}{default}")),
            ("a.service", SERVICE.to_owned()),
            ("b.service", SERVICE.to_owned()),
            ("c.service", format!("[Unit]\nAfter=x.target\n{SERVICE}")),
            ("d.service", format!("[Unit]\nDefaultDependencies=no\n{SERVICE}")),
        ]
    };
    let pulled = "Wants=a.service Wants=b.service Wants=c.service Wants=d.service Before=b.service";
    for (default, more) in
        [("yes", " Before=shutdown.target Conflicts=shutdown.target After=a.service"), ("no", "")]
    {
        let files = files(default);
        let files: Vec<(&str, &str)> = files.iter().map(|(name, text)| (*name, text.as_str())).collect();
        check(&files, "x.target", &format!("{pulled}{more}"));
    }
}

#[test]
fn a_closure_holds_each_unit_once_and_a_vendor_boot_is_whole() {
    let closure = closure(&[], "default.target");
    let names: Vec<&str> = closure.iter().map(|merged| merged.config.name.as_str()).collect();
    for expected in
        ["multi-user.target", "sysinit.target", "-.slice", "systemd-journald.socket", "shutdown.target"]
    {
        assert_eq!(names.iter().filter(|name| **name == expected).count(), 1, "{expected} in {names:?}");
    }
}

#[test]
fn too_large_is_one_clear_line() {
    let large = "#\n".repeat(limits::UNIT_FILE_MAX as usize);
    let closure = closure(&[("a.service", &large)], "a.service");
    let LoadState::Unreadable(text) = &closure[0].config.load else { unreachable!("loaded") };
    assert_eq!(text, "/etc/systemd/system/a.service: cannot read: larger than the limit of 4194304 bytes");
    assert_eq!(closure.len(), 1);
}
