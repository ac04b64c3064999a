//! What a program answers about its service, and what is below a directory then.

use super::*;
use crate::service::{Command, written};
use crate::sockets::Socket;
use std::fs;
use std::os::unix::fs::{PermissionsExt, symlink};

const PROGRAM: &str = "/usr/bin/greeter";

/// A system that somebody puts together, with the program in it.
struct Root(tempfile::TempDir);

impl Root {
    fn new() -> Root {
        let root = Root(tempfile::tempdir().expect("a directory"));
        root.write(&PROGRAM[1..], "");
        root
    }

    fn at(&self, path: &str) -> std::path::PathBuf {
        self.0.path().join(path)
    }

    fn write(&self, path: &str, text: &str) {
        let path = self.at(path);
        fs::create_dir_all(path.parent().expect("a folder")).expect("made");
        fs::write(path, text).expect("written");
    }

    fn link(&self, path: &str, to: &str) {
        let path = self.at(path);
        fs::create_dir_all(path.parent().expect("a folder")).expect("made");
        symlink(to, path).expect("a link");
    }

    fn has(&self, path: &str) -> bool {
        fs::symlink_metadata(self.at(path)).is_ok()
    }

    fn words(&self, act: &str, word: &str) -> Vec<OsString> {
        let words = ["greeter", "service", act, "--to", word, "--root"].map(OsString::from);
        words.into_iter().chain([self.0.path().as_os_str().to_owned()]).collect()
    }

    fn does(&self, daemon: &Daemon, act: &str, word: &str) -> u8 {
        let program = Program::Itself(self.at(&PROGRAM[1..]));
        let code = daemon.answer_service_as(self.words(act, word), "Says hello", &program, ["--polite"]);
        code.expect("it is asked")
    }
}

fn greeter() -> Daemon {
    Daemon::new("greeter").pid_file("/run/greeter.pid")
}

fn files(daemon: &Daemon, target: Target) -> Vec<crate::service::File> {
    let service = Service::of(daemon, "Says hello", Path::new(PROGRAM), ["--polite"]).expect("text");
    written(&service, target, Level::System).expect("said").files
}

/// Managers that have files, by their words.
fn with_files() -> impl Iterator<Item = (&'static str, Target)> {
    Target::ALL.into_iter().filter(|(_, target)| *target != Target::Windows)
}

#[test]
fn nothing_is_done_about_what_was_never_installed() {
    let service = Service::new("never-installed", Command::of(["/bin/true"]));
    let code = |act, target| {
        let (level, doing, root) = (Level::System, Doing::CarryOut, None);
        let program = Program::Itself("/bin/true".into());
        answer(
            &service,
            &program,
            &Invocation { act, level, target: Some(target), doing, root, program: None },
        )
    };
    for target in [Target::Sysv, Target::Openrc, Target::Runit, Target::Supervisord, Target::Launchd] {
        assert_eq!(code(Act::Status, target), 4, "{target:?}");
        assert_eq!([Act::Start, Act::Stop].map(|act| code(act, target)), [1, 1], "{target:?}");
        assert_eq!(code(Act::Uninstall, target), 0, "{target:?}");
    }
}

/// For every manager that has files: below a directory, where nothing is run.
#[test]
fn files_are_put_below_a_directory_and_taken_away_again() {
    for (word, target) in with_files() {
        let root = Root::new();
        let files = files(&greeter(), target);
        assert_eq!(root.does(&greeter(), "install", word), 0, "{word}");
        for file in &files {
            let text = fs::read_to_string(file.place(root.0.path()).expect("below"));
            assert_eq!(text.expect("it is there"), file.text, "{word}: the program is called as there");
        }
        assert_eq!(root.does(&greeter(), "uninstall", word), 0, "{word}");
        assert!(files.iter().all(|file| !file.place(root.0.path()).expect("below").exists()), "{word}");
        assert_eq!(root.does(&greeter(), "uninstall", word), 0, "{word}");
    }
}

#[test]
fn below_a_directory_the_program_is_one_of_there() {
    let root = Root::new();
    let install = |program: &str, more: &[&str]| {
        let words = root.words("install", "systemd").into_iter().chain(more.iter().map(OsString::from));
        greeter().answer_service_as(words, "", &Program::Itself(program.into()), [""; 0])
    };
    let unit = || fs::read_to_string(root.at("etc/systemd/system/greeter.service")).unwrap_or_default();
    assert_eq!(install("/nowhere/greeter", &[]), Some(1), "it is not there");
    assert_eq!(unit(), "");
    assert_eq!(install("/nowhere/greeter", &["--program", "/opt/greeter"]), Some(0));
    assert!(unit().contains("\nExecStart=/opt/greeter\n"), "{}", unit());
    root.link("srv/greeter", "/home/me/greeter");
    root.write("home/me/greeter", "");
    for hidden in ["home/me/greeter", "srv/greeter"] {
        assert_eq!(install(&root.at(hidden).display().to_string(), &[]), Some(1), "{hidden}");
    }
    // Wherever the directory is on this machine.
    root.write("opt/x/greeter", "");
    assert_eq!(install(&root.at("opt/x/greeter").display().to_string(), &[]), Some(0));
    assert!(unit().contains("\nExecStart=/opt/x/greeter\n"), "{}", unit());
}

#[test]
fn a_program_that_its_own_unit_would_hide_is_not_installed() {
    let (root, daemon) = (Root::new(), greeter());
    let code = |act: &str, path: &str| {
        let words = root.words(act, "systemd").into_iter().chain(["--program".into(), path.into()]);
        daemon.answer_service_as(words, "", &Program::Itself(path.into()), [""; 0])
    };
    for (path, wanted) in [("/root/greeter", 1), ("/tmp/x/greeter", 1), (PROGRAM, 0)] {
        assert_eq!(code("install", path), Some(wanted), "{path}");
    }
    assert_eq!(code("uninstall", "/tmp/x/greeter"), Some(0));
    assert!(!root.has("etc/systemd/system/greeter.service"));
}

#[test]
fn a_typo_is_no_root() {
    let root = Root::new();
    let words = root.words("install", "sysv").into_iter().map(|word| match word == root.0.path() {
        true => root.at("nowhere").into(),
        false => word,
    });
    let code = greeter().answer_service_as(words, "", &Program::Itself(PROGRAM.into()), [""; 0]);
    assert_eq!(code, Some(1));
    assert!(!root.has("nowhere"));
}

#[test]
fn what_would_keep_it_from_starting_is_told() {
    let root = Root::new();
    let closed = |mode: u32| {
        let path = root.at("usr/bin/greeter");
        fs::set_permissions(&path, fs::Permissions::from_mode(mode)).expect("ours");
        let read = |more: &[&str]| {
            let words =
                ["x", "service", "install"].into_iter().chain(more.iter().copied()).map(OsString::from);
            let Some(Ok(Asked::Act(invocation))) = Asked::of_arguments(words) else { unreachable!() };
            let doubts = |daemon: Daemon| daemon.doubts(&Program::Itself(path.clone()), &invocation);
            let user = |name: &str| crate::Privileges::keep().user(name);
            [
                doubts(Daemon::new("x"))
                    .iter()
                    .any(|doubt| doubt.contains("is closed to the service's own user")),
                doubts(Daemon::new("x").privileges(user("nosuch")))
                    == ["no user \"nosuch\" on this system: the service cannot start before there is one"],
                doubts(Daemon::new("x").privileges(user("daemon"))).is_empty(),
            ]
        };
        [read(&[]), read(&["--to", "systemd", "--root", "/"])]
    };
    let folder = [root.0.path(), &root.at("usr"), &root.at("usr/bin")];
    for folder in folder {
        fs::set_permissions(folder, fs::Permissions::from_mode(0o755)).expect("ours");
    }
    let elsewhere = [false, false, true];
    assert_eq!(closed(0o700), [[true, true, true], elsewhere]);
    assert_eq!(closed(0o755), [[false, true, true], elsewhere]);
}

#[test]
fn what_no_start_takes_is_not_installed() {
    let root = Root::new();
    let daemon = greeter().socket(Socket::unix("a", "/x")).socket(Socket::unix("a", "/y"));
    assert_eq!(root.does(&daemon, "install", "systemd"), 1);
    assert!(!root.has("etc"));
}

/// By which it would start with the machine: where no manager takes them away.
const LINKS: [(&str, &[(&str, &str)]); 4] = [
    (
        "systemd",
        &[
            (
                "etc/systemd/system/multi-user.target.wants/greeter.service",
                "/etc/systemd/system/greeter.service",
            ),
            ("etc/systemd/system/sockets.target.wants/greeter.socket", "../greeter.socket"),
        ],
    ),
    ("openrc", &[("etc/runlevels/default/greeter", "/etc/init.d/greeter")]),
    ("sysv", &[("etc/rc2.d/S01greeter", "../init.d/greeter"), ("etc/rc0.d/K01greeter", "../init.d/greeter")]),
    ("runit", &[("etc/service/greeter", "/etc/sv/greeter")]),
];

#[test]
fn an_uninstall_takes_our_links_and_can_be_finished() {
    let daemon = greeter().socket(Socket::unix("greeter", "/run/greeter/socket"));
    for (word, links) in LINKS {
        let root = Root::new();
        for (path, to) in links {
            if word != "runit" {
                root.link(path, to);
            }
        }
        // A longer name, and one of somebody else's file.
        root.link("etc/rc2.d/S01mygreeter", "../init.d/mygreeter");
        root.link("etc/systemd/system/x.wants/greeter.service", "/lib/systemd/system/greeter.service");
        assert_eq!(root.does(&daemon, "install", word), 0, "{word}");
        assert_eq!(root.does(&daemon, "uninstall", word), 0, "{word}");
        assert!(links.iter().all(|(path, _)| !root.has(path)), "{word}");
        // One that came no further than the files.
        let (last, to) = links[links.len() - 1];
        root.link(last, to);
        assert_eq!(root.does(&daemon, "uninstall", word), 0, "{word}");
        assert!(!root.has(last), "{word}: it is finished");
        assert!(root.has("etc/rc2.d/S01mygreeter") && root.has("etc/systemd/system/x.wants/greeter.service"));
    }
    let root = Root::new();
    root.write("etc/sv/greeter/supervise/status", "");
    assert_eq!(root.does(&daemon, "uninstall", "runit"), 0);
    assert!(!root.has("etc/sv/greeter"));
}

#[test]
fn a_socket_unit_of_an_older_version_goes_with_its_link() {
    let root = Root::new();
    let older = Daemon::new("greeter").socket(Socket::unix("greeter", "/run/greeter/socket"));
    assert_eq!(root.does(&older, "install", "systemd"), 0);
    let link = "etc/systemd/system/sockets.target.wants/greeter.socket";
    root.link(link, "/etc/systemd/system/greeter.socket");
    assert_eq!(root.does(&greeter(), "install", "systemd"), 0);
    assert!(!root.has("etc/systemd/system/greeter.socket") && !root.has(link));
}

#[test]
fn somebody_else_s_service_of_that_name_is_left_as_it_is() {
    let section = "[unix_http_server]\n[program:greeter]\ncommand=/bin/cat\n";
    for (word, path, text) in [
        ("systemd", "lib/systemd/system/greeter.service", "[Service]\n"),
        ("eudaemon", "run/systemd/transient/greeter.service", "[Service]\n"),
        ("supervisord", "etc/supervisor/conf.d/theirs.conf", section),
        ("supervisord", "etc/supervisor/supervisord.conf", section),
    ] {
        let root = Root::new();
        root.write(path, text);
        assert_eq!(root.does(&greeter(), "install", word), 1, "{path}");
        assert_eq!(fs::read_to_string(root.at(path)).expect("it stays"), text);
        assert!(!root.has("etc/supervisor/conf.d/greeter.conf") && !root.has("etc/systemd"));
        assert_eq!(root.does(&greeter(), "uninstall", word), 0, "{path}: nothing is ours");
    }
    let root = Root::new();
    root.link("etc/service/greeter", "/srv/theirs");
    assert_eq!(root.does(&greeter(), "install", "runit"), 1);
    assert!(root.has("etc/service/greeter") && !root.has("etc/sv"));
}

/// What keeps a service down is whose it is: runsv(8), "down".
#[test]
fn what_somebody_put_there_to_keep_it_down_stays() {
    let root = Root::new();
    let daemon = Daemon::new("greeter");
    let at = |name: &str| format!("etc/sv/greeter/{name}");
    assert_eq!(root.does(&daemon, "install", "runit"), 0);
    root.write(&at("down"), "");
    // What runsv makes, and what it does not.
    for name in ["supervise/lock", "supervise/status", "log/supervise/lock", "log/supervise/mine"] {
        root.write(&at(name), "");
    }
    assert_eq!(root.does(&daemon, "uninstall", "runit"), 0);
    let left = ["run", "supervise", "down", "log/supervise/lock"].map(|name| root.has(&at(name)));
    assert_eq!(left, [false, false, true, true]);
    // One of an older version goes.
    root.write(&at("down"), "# Written by eudaemon-kit for greeter: Says hello\n");
    assert_eq!(root.does(&daemon, "install", "runit"), 0);
    assert!(!root.has(&at("down")));
}
