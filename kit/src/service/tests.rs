//! What is written for each manager, as text; scripts are read by a shell, lists by a reader of XML.

use super::*;
use crate::daemon::Daemon;
use crate::privileges::Privileges;
use crate::sockets::Socket;
use expect_test::{ExpectFile, expect_file};
use std::path::Path;
use std::process::Command as Process;
use std::time::Duration;

/// A daemon with a user and a Unix socket.
pub(super) fn greeter() -> Service {
    let daemon = Daemon::new("greeter")
        .privileges(Privileges::keep().user("hello").group("greeters"))
        .socket(Socket::unix("greeter", "/run/greeter/socket"))
        .limit(crate::Resource::Nofile, 4096);
    Service::of(&daemon, "Says hello", Path::new("/usr/bin/greeter"), ["--text=it's 100% $HOME; \"ä\""])
        .expect("its words are text")
}

/// A server that goes into the background, with commands for everything.
fn server() -> Service {
    let command = Command::of(["/usr/sbin/webd", "-g", "daemon on; master_process on;"]);
    let mut service = Service::new("webd", command.clone());
    service.description = "A web\nserver".to_owned();
    service.start =
        Start::Background { command, pid_file: "/run/webd.pid".to_owned(), within: Duration::from_secs(5) };
    service.before = vec![Command::of(["/usr/sbin/webd", "-t", "-q"])];
    service.reload = Reload::Commands(vec![Command {
        words: vec![
            Word::text("/bin/kill"),
            Word::text("-HUP"),
            Word(vec![Piece::Variable("MAINPID".to_owned())]),
        ],
        ..Command::of([""])
    }]);
    service.stop =
        Stop { signal: "QUIT".to_owned(), within: Some(Duration::from_secs(5)), ..Stop::default() };
    service.restart = Restart::Always;
    service.needs = vec![
        Need::After(Dependency::Network),
        Need::After(Dependency::Names),
        Need::Required("certs".to_owned()),
        Need::AfterService("dbd".to_owned()),
        Need::BeforeService("proxy".to_owned()),
    ];
    service
}

/// Words, variables and values that are hard to say.
fn odd() -> Service {
    let words = [
        Word::text("/opt/od d/prog"),
        Word::text(""),
        Word::text("a'b\"c\\d$e`f;g%h #i ;j\nk\tü<&>]]>  two"),
        Word(vec![Piece::Text("--x='".to_owned()), Piece::Variable("X".to_owned())]),
        Word(vec![Piece::Words("OPTS".to_owned())]),
    ];
    let mut service = Service::new("odd", Command { words: words.to_vec(), ..Command::of([""]) });
    service.environs.variables = vec![
        ("A".to_owned(), "it's \"q\" $x `y` \\ %z;\n<&>ü".to_owned()),
        ("EMPTY".to_owned(), String::new()),
    ];
    service.environs.files = vec![
        EnvironmentFile { path: "/etc/default/od d".to_owned(), missing: Missing::IsPassedOver },
        EnvironmentFile { path: "/etc/odd".to_owned(), missing: Missing::Fails },
    ];
    service.environs.unset = vec!["B".to_owned()];
    service.environs.umask = Some(0o077);
    service.environs.nice = Some(-5);
    service.environs.oom_score = Some(-100);
    service.environs.output = Output::File("/var/log/od d.log".to_owned());
    service.rights = Rights {
        user: Some("daemon".to_owned()),
        groups: vec!["adm".to_owned()],
        bounding: Some(Capabilities(vec!["net_bind_service".to_owned()])),
        ambient: Capabilities(vec!["net_bind_service".to_owned()]),
        ..Rights::default()
    };
    service.restart = Restart::OnFailure;
    service.restart_delay = Duration::from_secs(10);
    service.stop.commands = vec![Command { failure: Failure::Ignored, ..Command::of(["/opt/od d/ask"]) }];
    service.stop.after = vec![Command { run: Run::AsRoot, ..Command::of(["/bin/rm", "-rf", "/run/odd"]) }];
    service
}

/// Commands that end.
fn once() -> Service {
    let mut service = Service::new("once", Command::of(["/bin/true"]));
    let commands = vec![Command::of(["/bin/mkdir", "-p", "/run/once"]), Command::of(["/bin/echo", "up"])];
    service.start = Start::Once { commands, then: Remains::Up };
    service.stop.commands = vec![Command::of(["/bin/rmdir", "/run/once"])];
    service.boot = Boot::Waits;
    service
}

/// Files, commands and losses on one page.
fn page(service: &Service, target: Target) -> String {
    let written = match written(service, target, Level::System) {
        Ok(written) => written,
        Err(refusal) => return format!("refused: {refusal}\n"),
    };
    let mut page = String::new();
    for file in &written.files {
        page += &format!("==== {} {:04o}\n{}", file.path, file.mode, file.text);
    }
    for command in &written.commands {
        page += &format!("==== {command:?}\n");
    }
    for loss in &written.losses {
        page += &format!("---- {}: {}: {}\n", loss.severity.word(), loss.directive, loss.why);
    }
    page
}

fn check(service: &Service, target: Target, expected: &dyn Fn(&str) -> ExpectFile) {
    expected(&format!("{}-{}", service.name, target.word())).assert_eq(&page(service, target));
}

#[test]
fn texts() {
    for service in [greeter(), server(), odd(), once()] {
        for (_, target) in Target::ALL {
            check(&service, target, &|name| expect_file![format!("texts/{name}.txt")]);
        }
    }
}

/// What is wrong with a script, in a shell's words.
fn syntax(text: &str) -> String {
    let folder = tempfile::tempdir().expect("a directory");
    let path = folder.path().join("script");
    std::fs::write(&path, text).expect("it is written");
    let output = Process::new("sh").arg("-n").arg(&path).output().expect("sh runs");
    String::from_utf8_lossy(&output.stderr).into_owned()
}

#[test]
fn scripts_are_scripts() {
    for service in [greeter(), server(), odd(), once()] {
        for (_, target) in Target::ALL {
            let Ok(written) = written(&service, target, Level::System) else { continue };
            for file in written.files.iter().filter(|file| file.text.starts_with("#!")) {
                assert_eq!(syntax(&file.text), "", "{} for {}", service.name, target.word());
            }
        }
    }
    assert_ne!(syntax("if"), "", "a shell tells of what is none");
}

#[test]
fn what_is_wrong_to_run_is_refused() {
    let mut rooted = greeter();
    rooted.rights.root_directory = Some("/srv".to_owned());
    let mut bell = Service::new("bell", Command::of(["/bin/echo", "\u{7}"]));
    bell.description = "Rings".to_owned();
    let named = |name: &str| Service::new(name, Command::of(["/bin/true"]));
    let refusal = |service: &Service, target| match written(service, target, Level::System) {
        Ok(_) => String::new(),
        Err(refusal) => refusal.to_string(),
    };
    let wanted = "RootDirectory=/srv: the script cannot give up rights within another root directory: it would run on \
                  the machine's own files";
    for target in [Target::Sysv, Target::Runit, Target::Openrc, Target::Supervisord] {
        assert_eq!(refusal(&rooted, target), wanted);
    }
    assert_eq!(refusal(&rooted, Target::Launchd), "", "a property list says it");
    assert_eq!(refusal(&bell, Target::Launchd), "\"\\u{7}\": XML cannot hold a control character");
    assert_eq!(refusal(&bell, Target::Sysv), "");
    for name in ["", "../x", ".x", "-x", "a b", "a\nb", "ü"] {
        assert!(refusal(&named(name), Target::Sysv).contains("a service's name has letters"), "{name:?}");
    }
    let zero = Service::new("zero", Command::of(["/bin/echo", "a\0b"]));
    assert_eq!(refusal(&zero, Target::Runit), "\"a\\0b\": holds a zero byte");
}
