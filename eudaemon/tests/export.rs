//! `eudaemon export` as people call it: what is printed where, what is written, and what the exit code says.

#![allow(clippy::unwrap_used)]

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::process::{Command, Output};

fn eudaemon(arguments: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_eudaemon")).args(arguments).output().unwrap()
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}

/// An image with a service, a drop-in of it and a template.
fn image() -> tempfile::TempDir {
    let image = tempfile::tempdir().unwrap();
    let units = image.path().join("etc/systemd/system");
    fs::create_dir_all(units.join("web.service.d")).unwrap();
    fs::write(units.join("web.service"), "[Service]\nExecStart=/bin/web %n\nPrivateTmp=yes\n").unwrap();
    fs::write(units.join("web.service.d/a.conf"), "[Service]\nEnvironment=A=b\n").unwrap();
    fs::write(units.join("at@.service"), "[Service]\nExecStart=/bin/at %i\n").unwrap();
    image
}

fn root(image: &tempfile::TempDir) -> &str {
    image.path().to_str().unwrap()
}

#[test]
fn the_file_is_on_stdout_and_what_is_lost_on_stderr() {
    let image = image();
    let output = eudaemon(&["export", "web", "--to", "sysv", "--root", root(&image)]);
    let (out, err) = (text(&output.stdout), text(&output.stderr));
    assert!(output.status.success(), "{err}");
    assert!(out.starts_with("#!/bin/sh\n") && out.contains("/bin/web web.service "), "{out}");
    assert!(out.contains("export A=b\n"), "{out}");
    assert!(err.starts_with("lost protection: PrivateTmp=yes: "), "{err}");
}

#[test]
fn files_are_written_below_a_folder_and_not_over_somebody_else_s() {
    let (image, out) = (image(), tempfile::tempdir().unwrap());
    let folder = out.path().to_str().unwrap();
    let line = ["export", "web", "--to", "runit", "--root", root(&image), "--output", folder];
    let made = eudaemon(&line);
    assert!(made.status.success(), "{}", text(&made.stderr));
    let run = out.path().join("etc/sv/web/run");
    assert_eq!(text(&made.stdout).lines().next().unwrap(), format!("made {}", run.display()));
    assert_eq!(fs::metadata(&run).unwrap().permissions().mode() & 0o777, 0o755);
    assert!(text(&eudaemon(&line).stdout).starts_with("unchanged "));
    fs::write(&run, "mine\n").unwrap();
    let refused = eudaemon(&line);
    assert!(!refused.status.success());
    assert!(text(&refused.stderr).contains("run is there, and not ours: it is left as it is"));
    assert_eq!(fs::read_to_string(&run).unwrap(), "mine\n");
}

#[test]
fn what_cannot_be_exported_is_said() {
    let image = image();
    let refused = |words: &[&str]| {
        let line: Vec<&str> = ["export", "--root", root(&image)].iter().chain(words).copied().collect();
        let output = eudaemon(&line);
        assert!(!output.status.success() && output.stdout.is_empty(), "{words:?}");
        text(&output.stderr)
    };
    let cases = [
        (
            &["at@.service", "--to", "runit"][..],
            "is a template: say for which instance, as in 'at@NAME.service'",
        ),
        (&["gone", "--to", "runit"], "gone.service cannot be exported: there is no such unit"),
        (&["web.socket", "--to", "runit"], "a socket unit is no service"),
        (&["web"], "for which manager? Say --to launchd|openrc|sysv|runit|supervisord"),
        (&["web", "--to", "systemd"], "--to systemd: it reads unit files as they are"),
        (&["web", "--to", "upstart"], "--to upstart: expected launchd|openrc|sysv|runit|supervisord"),
        (&["./gone.service", "--to", "runit"], "./gone.service: no such file"),
    ];
    for (words, wanted) in cases {
        let said = refused(words);
        assert!(said.contains(wanted), "{words:?}: {said}");
    }
    let one = eudaemon(&["export", "at@x.service", "--to", "openrc", "--root", root(&image)]);
    assert!(text(&one.stdout).contains("/bin/at x"), "{}", text(&one.stdout));
}

#[test]
fn a_property_list_is_one() {
    let image = image();
    let path = Path::new(root(&image)).join("web.plist");
    let output = eudaemon(&["export", "web", "--to", "launchd", "--root", root(&image)]);
    fs::write(&path, &output.stdout).unwrap();
    let read = "import plistlib, sys; print(plistlib.load(open(sys.argv[1], 'rb'))['ProgramArguments'])";
    let Ok(read) = Command::new("python3").args(["-c", read]).arg(&path).output() else {
        println!("SKIPPED: no python3 reads property lists here");
        return;
    };
    assert_eq!(text(&read.stdout), "['/bin/web', 'web.service']\n", "{}", text(&read.stderr));
}
