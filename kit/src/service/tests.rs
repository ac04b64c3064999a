//! What is written for each manager, as text; scripts are read by a shell, lists by a reader of XML.

use super::*;
use crate::Mode;
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
    service.environs.umask = Some(Mode::from_raw_mode(0o077));
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
        page += &format!("==== {} {:04o}\n{}", file.path, file.mode.as_raw_mode(), file.text);
    }
    for command in &written.commands {
        page += &format!("==== {command:?}\n");
    }
    for loss in Loss::folded(&written.losses) {
        page += &format!("---- {loss}\n");
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

/// A printed unit's lines that keep the service from something: systemd.exec(5).
fn protections(service: &Service) -> Vec<&str> {
    let keys =
        ["Protect", "Private", "Restrict", "SystemCall", "ProcSubset", "Lock", "MemoryDeny", "Capability"];
    let lines = service.units[0].text.lines();
    lines.filter(|line| keys.iter().any(|key| line.starts_with(key))).collect()
}

#[test]
fn every_protection_of_the_printed_unit_is_told_as_lost() {
    let command = |daemon: Daemon| {
        Service::of(&daemon, "", Path::new("/usr/bin/x"), [""; 0]).expect("its words are text")
    };
    let rooted = Privileges::keep().user("hello").root_directory("/srv");
    let kept = Privileges::keep().keep_capabilities(rustix::thread::CapabilitySet::NET_RAW);
    for (privileges, fewest) in [(Privileges::keep(), 22), (kept, 22), (rooted, 22)] {
        let service = command(Daemon::new("x").privileges(privileges));
        let lines = protections(&service);
        assert!(lines.len() >= fewest, "{lines:?}");
        for target in [Target::Openrc, Target::Sysv, Target::Runit, Target::Supervisord, Target::Launchd] {
            let mut service = service.clone();
            // Scripts refuse it, and so tell nothing.
            service.rights.root_directory = None;
            let losses = written(&service, target, Level::System).expect("it can be said").losses;
            for line in &lines {
                let is_told = losses
                    .iter()
                    .any(|loss| loss.directive == *line && loss.severity == Severity::Protection);
                let is_kept = line.starts_with("CapabilityBoundingSet=") && service.rights.bounding.is_some();
                assert!(is_told || is_kept, "{line} for {}: {losses:?}", target.word());
            }
            let lost = losses.iter().filter(|loss| loss.severity == Severity::Protection).count();
            let told =
                Loss::folded(&losses).iter().filter(|loss| loss.severity == Severity::Protection).count();
            assert!(lost >= 20 && told <= 7, "{lost} in {told} lines for {}", target.word());
        }
    }
}

#[test]
fn plans() {
    let mut page = String::new();
    for (word, target) in Target::ALL {
        for (act, what) in Act::ALL {
            page += &format!("{act} {word}\n");
            let plan = what.plan(&greeter(), target, Level::System).expect("it can be said");
            page += &plan.steps.iter().map(|step| format!("    {step}\n")).collect::<String>();
        }
    }
    expect_file!["texts/plans.txt"].assert_eq(&page);
}

#[test]
fn a_user_is_made_for_who_says_so() {
    let mut service = Service::new("x", Command::of(["/bin/true"]));
    service.rights.user = Some("x".to_owned());
    let first = |service: &Service| {
        let plan = Act::Install.plan(service, Target::Sysv, Level::System).expect("it can be said");
        plan.steps.iter().find(|step| step.is_told()).expect("one").to_string()
    };
    assert!(first(&service).starts_with("write "), "{}", first(&service));
    service.account = Account::IsMade;
    assert!(first(&service).starts_with("run useradd --system"), "{}", first(&service));
}

#[test]
fn a_user_s_own_service() {
    let plan = |target| Act::Install.plan(&greeter(), target, Level::User);
    let text = plan(Target::Systemd).expect("systemd has them").to_string();
    expect_file!["texts/user-systemd.txt"].assert_eq(&text);
    let refusal = plan(Target::Sysv).expect_err("it has none").to_string();
    assert_eq!(refusal, "--user: sysv has services of the machine alone");
    let steps = plan(Target::Launchd).expect("launchd has agents").steps;
    let written = steps.iter().find(|step| step.is_told()).expect("one").to_string();
    assert!(written.starts_with("write ~/Library/LaunchAgents/greeter.plist"));
}

#[test]
fn command_lines() {
    let read = |line: &str| {
        let words = std::iter::once("greeter").chain(line.split_ascii_whitespace()).map(Into::into);
        Asked::of_arguments(words)
    };
    assert_eq!(read(""), None);
    assert_eq!(read("--daemon"), None);
    assert_eq!(read("--daemon serve service"), None);
    let install = Invocation {
        act: Act::Install,
        level: Level::System,
        target: None,
        doing: Doing::CarryOut,
        root: None,
        program: None,
    };
    let asked = |invocation: &Invocation| Some(Ok(Asked::Act(invocation.clone())));
    assert_eq!(read("service install"), asked(&install));
    let (target, doing, level) = (Some(Target::Openrc), Doing::Print, Level::User);
    let printed = Invocation { target, doing, level, ..install.clone() };
    assert_eq!(read("service install --to openrc --print --user"), asked(&printed));
    let below = Invocation { root: Some("/usr".into()), target, ..install.clone() };
    assert_eq!(read("service install --root /usr --to openrc"), asked(&below));
    assert_eq!(read("service install --root=/usr --to=openrc"), asked(&below));
    let named = Invocation { program: Some("/usr/bin/x".into()), ..install.clone() };
    assert_eq!(read("service install --program /usr/bin/x"), asked(&named));
    let here = "--root: the manager that runs here says nothing of that one: name it by --to";
    assert_eq!(read("service install --root /usr"), Some(Err(here.to_owned())));
    let relative = "--program x: expected an absolute path";
    assert_eq!(read("service install --program=x"), Some(Err(relative.to_owned())));
    for help in ["service --help", "service -h", "service help", "service stop --to x --help"] {
        assert_eq!(read(help), Some(Ok(Asked::Help)));
    }
    let usage = "expected service install|uninstall|start|stop|status [--user] [--to MANAGER] [--root DIRECTORY] [--program PATH] [--print]";
    let daemon = format!("--daemon before the word service: its acts start no daemon; {usage}");
    assert_eq!(read("--daemon service start"), Some(Err(daemon)));
    let started = "--root: only files are put there: expected install or uninstall";
    assert_eq!(read("service start --root /x"), Some(Err(started.to_owned())));
    assert_eq!(read("service"), Some(Err(usage.to_owned())));
    assert_eq!(read("service status now"), Some(Err(format!("now: {usage}"))));
    let managers = "systemd, eudaemon, openrc, sysv, runit, launchd, supervisord, windows";
    assert_eq!(read("service stop --to=init"), Some(Err(format!("--to init: expected one of {managers}"))));
}

#[test]
fn help_names_all_there_is() {
    let help = Asked::help("greeter");
    expect_file!["texts/help.txt"].assert_eq(&help);
    let words = Act::ALL.iter().map(|(word, _)| *word).chain(Target::ALL.iter().map(|(word, _)| *word));
    for word in words {
        assert!(help.lines().any(|line| line.split_whitespace().next() == Some(word)), "{word}");
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
    let mut needy = named("x");
    needy.needs = vec![Need::Wanted("a\n# Provides: b".to_owned())];
    assert!(refusal(&needy, Target::Sysv).ends_with("is the name of none"));
    let mut placed = named("x");
    placed.environs.output = Output::File("/x\ncommand=/bin/evil".to_owned());
    assert!(refusal(&placed, Target::Supervisord).ends_with("is no absolute path of one line"));
    let mut signalled = named("x");
    signalled.stop.signal = "TERM; reboot".to_owned();
    assert_eq!(refusal(&signalled, Target::Sysv), "signal \"TERM; reboot\": is the name of none");
    let zero = Service::new("zero", Command::of(["/bin/echo", "a\0b"]));
    assert_eq!(refusal(&zero, Target::Runit), "\"a\\0b\": holds a zero byte");
}
