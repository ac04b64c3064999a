//! What only real files show to `eudaemon verify`.

#![allow(clippy::unwrap_used)]

use std::os::unix::fs::{PermissionsExt, symlink};
use std::path::Path;
use std::process::Command;

fn verify(arguments: &[&str]) -> (String, bool) {
    let output = Command::new(env!("CARGO_BIN_EXE_eudaemon")).arg("verify").args(arguments).output().unwrap();
    (String::from_utf8_lossy(&output.stderr).into_owned(), output.status.success())
}

fn program(path: &Path, text: &str) {
    std::fs::create_dir_all(path.parent().unwrap()).unwrap();
    std::fs::write(path, text).unwrap();
    std::fs::set_permissions(path, std::fs::Permissions::from_mode(0o755)).unwrap();
}

#[test]
fn scripts_of_an_image() {
    let image = tempfile::tempdir().unwrap();
    let root = image.path();
    program(&root.join("bin/sh"), "\u{7f}ELF");
    program(&root.join("opt/good"), "#!/bin/sh\nexit 0\n");
    program(&root.join("opt/crlf"), "#!/bin/sh\r\nexit 0\r\n");
    // A link of an image leads nowhere outside of it.
    symlink("/opt/crlf", root.join("opt/link")).unwrap();
    program(&root.join("opt/lost"), "#! /usr/bin/lost -x\nexit 0\n");
    let units = root.join("etc/systemd/system");
    std::fs::create_dir_all(&units).unwrap();
    let told = |name: &str| {
        let text = format!("[Unit]\nDefaultDependencies=no\n[Service]\nExecStart=/opt/{name}\n");
        std::fs::write(units.join(format!("{name}.service")), text).unwrap();
        verify(&["--root", root.to_str().unwrap(), "--quiet", &format!("{name}.service")])
    };
    assert_eq!(told("good"), (String::new(), true));
    for name in ["crlf", "link"] {
        let (text, good) = told(name);
        assert!(!good && text.contains("error[bad-script]") && text.contains("(CRLF)"), "{text}");
    }
    let (text, good) = told("lost");
    assert!(!good && text.contains("its first line names /usr/bin/lost: No such file"), "{text}");
}

#[test]
fn what_is_wrong_with_others_makes_no_failure() {
    let folder = tempfile::tempdir().unwrap();
    let write = |name: &str, text: &str| {
        std::fs::write(folder.path().join(name), format!("[Unit]\nDefaultDependencies=no\n{text}")).unwrap();
    };
    write("a.service", "Wants=b.service\n[Service]\nExecStart=/bin/true\n");
    write("b.service", "[Service]\nExecStart=/bin/true\nRestrat=no\n");
    let a = folder.path().join("a.service").to_string_lossy().into_owned();
    let (text, good) = verify(&["-q", &a]);
    assert!(good, "{text}");
    assert_eq!(text, "verify: 1 warning in other units (--recursive-errors=yes shows them)\n");
    let (text, good) = verify(&["-q", "--recursive-errors=one", &a]);
    assert!(!good && text.contains("did you mean `Restart`?"), "{text}");
}
