//! Scripts against services that are no friends of root's: what their users may write root does not run.

use super::tests::greeter;
use super::*;
use crate::Mode;
use std::path::Path;
use std::process::Command as Process;
use std::time::Duration;

fn text_of(service: &Service, target: Target, name: &str) -> String {
    let files = written(service, target, Level::System).expect("it can be said").files;
    files.into_iter().find(|file| file.path.ends_with(name)).expect("it is written").text
}

#[test]
fn no_log_is_kept_by_root_where_a_user_may_write() {
    let service = greeter();
    let text = text_of(&service, Target::Runit, "/log/run");
    let folder = text.lines().find_map(|line| line.strip_prefix("exec svlogd -tt ")).expect("it logs");
    let theirs = service.environs.directories.iter().filter(|directory| directory.owner.is_some());
    let theirs: Vec<&str> = theirs.map(|directory| directory.path.as_str()).collect();
    assert!(theirs.contains(&"/var/log/greeter"), "{theirs:?}");
    assert!(!theirs.iter().any(|path| folder.starts_with(path)), "{folder} is below one of {theirs:?}");
}

/// What a script prints, run by a shell in a directory of its own.
fn run(script: &str, folder: &Path) -> String {
    let path = folder.join("script");
    std::fs::write(&path, script).expect("it is written");
    let output = Process::new("sh").arg(&path).current_dir(folder).output().expect("sh runs");
    String::from_utf8_lossy(&[output.stdout, output.stderr].concat()).into_owned()
}

#[test]
fn variables_of_the_service_are_none_of_the_script_s() {
    let folder = tempfile::tempdir().expect("a directory");
    let path = |name: &str| folder.path().join(name).display().to_string();
    let evil = folder.path().join("evil");
    std::fs::create_dir(&evil).expect("it is made");
    for name in ["renice", "install", "cat", "sed", "getent"] {
        let program = format!("#!/bin/sh\necho '{name} is theirs' >>{}\n", path("ran"));
        std::fs::write(evil.join(name), program).expect("it is written");
        let mode = std::os::unix::fs::PermissionsExt::from_mode(0o755);
        std::fs::set_permissions(evil.join(name), mode).expect("it may be run");
    }
    let lines = format!(
        " PATH='{}'\nPIDFILE=a\nname=b\nline=c\nvalue=d\nfile=e\nleft=f\nIFS=x\nSERVICE_LINES=g\nB=h\n# no=1\nnone\n3=x\n\
         LIST=one two * \\ $(id)\nLAST=\" 'i' \"",
        evil.display()
    );
    std::fs::write(path("variables"), lines).expect("it is written");
    let told = path("told");
    let names = "$PIDFILE|$name|$line|$value|$file|$left|$SERVICE_LINES|$B|$LAST|$SERVICE_VARIABLES|$MINE";
    let print = format!("/bin/echo \"{names}|$*\" >{told}");
    let command = Command {
        words: [
            ["/bin/sh", "-c", &print, "sh"].map(Word::text).to_vec(),
            vec![Word(vec![Piece::Words("LIST".to_owned())]), Word(vec![Piece::Variable("PATH".to_owned())])],
        ]
        .concat(),
        ..Command::of([""])
    };
    for target in [Target::Runit, Target::Supervisord] {
        let mut service = Service::new("victim", command.clone());
        service.before = vec![Command::of(["/bin/true"])];
        service.environs.variables = vec![("MINE".to_owned(), "it's $HOME".to_owned())];
        service.environs.files = vec![EnvironmentFile { path: path("variables"), missing: Missing::Fails }];
        service.environs.nice = Some(0);
        service.environs.unset = vec!["B".to_owned()];
        let name = if target == Target::Runit { "/run" } else { ".run" };
        assert_eq!(run(&text_of(&service, target, name), folder.path()), "");
        let wanted = format!("a|b|c|d|e|f|g|| 'i' ||it's $HOME|one two * \\ $(id) {}\n", evil.display());
        assert_eq!(std::fs::read_to_string(&told).unwrap_or_default(), wanted, "{}", target.word());
        assert!(!folder.path().join("ran").exists(), "{}", target.word());
        std::fs::remove_file(&told).expect("it goes");
    }
}

/// Whether the functions of a service take the number out of a file.
fn believed(service: &Service, prepare: &str) -> String {
    let folder = tempfile::tempdir().expect("a directory");
    let functions = super::pid_file::functions(service);
    let ask = "if read_pid_file pid; then [ \"$MAINPID\" = $$ ] && echo yes; else echo no; fi";
    run(&format!("{functions}{prepare}\n{ask}"), folder.path()).trim().to_owned()
}

#[test]
fn a_pid_file_names_a_process_of_the_service_or_none() {
    let service = Service::new("x", Command::of(["/bin/true"]));
    assert_eq!(believed(&service, "echo $$ >pid"), "yes");
    assert_eq!(believed(&service, "printf $$ >pid"), "yes", "also without an end of line");
    let none = [
        ":",
        ": >pid",
        "echo -1 >pid",
        "echo 0 >pid",
        "echo 0$$ >pid",
        "echo all >pid",
        "echo 99999999 >pid",
        "mkdir pid",
        "mkfifo pid",
        "echo $$ >real; ln -s real pid",
    ];
    for prepare in none {
        assert_eq!(believed(&service, prepare), "no", "{prepare}");
    }
    let mut theirs = service;
    theirs.rights.user = Some("daemon".to_owned());
    assert_eq!(believed(&theirs, "echo $$ >pid"), "no", "it is not daemon's");
    let may_name = |service: &Service, owner: &str, whose: &str| {
        let script = format!("{}may_name {owner} {whose} && echo yes", super::pid_file::functions(service));
        run(&script, tempfile::tempdir().expect("a directory").path()) == "yes\n"
    };
    let daemon = "$(id -u daemon)";
    let table = [("0", daemon, true), (daemon, daemon, true), ("0", "0", false), (daemon, "0", false)];
    for (owner, whose, may) in table {
        assert_eq!(may_name(&theirs, owner, whose), may, "daemon's service: {owner} {whose}");
    }
    theirs.rights.user = None;
    for (owner, whose, may) in [("0", "0", true), ("0", "7", true), ("7", "7", true), ("7", "0", false)] {
        assert_eq!(may_name(&theirs, owner, whose), may, "root's service: {owner} {whose}");
    }
}

#[test]
fn a_shell_in_front_takes_no_process_of_somebody_else_s() {
    let folder = tempfile::tempdir().expect("a directory");
    let path = |name: &str| folder.path().join(name).display().to_string();
    let (real, link) = (path("real"), path("pid"));
    let go = format!("echo $$ >{real}; ln -s {real} {link}");
    let mut service = Service::new("x", Command::of(["/bin/true"]));
    let command = Command::of(["/bin/sh", "-c", &go]);
    service.start = Start::Background { command, pid_file: link.clone(), within: Duration::from_secs(1) };
    for (target, name) in [(Target::Runit, "/run"), (Target::Supervisord, ".run")] {
        let told = run(&text_of(&service, target, name), folder.path());
        assert_eq!(told, format!("no process of its own in {link}\n"));
    }
}

#[test]
fn what_openrc_reads_twice_has_no_words_in_it() {
    let mut service = Service::new("x", Command::of(["/bin/true"]));
    let command = Command::of(["/bin/true"]);
    service.start =
        Start::Background { command, pid_file: "/run/a b.pid".to_owned(), within: Duration::from_secs(1) };
    let refusal = written(&service, Target::Openrc, Level::System).expect_err("it is two words").to_string();
    assert!(
        refusal.starts_with("PIDFile=/run/a b.pid: OpenRC knows no pid file of such a name"),
        "{refusal}"
    );
    written(&service, Target::Sysv, Level::System).expect("a shell has quotes");
}

#[test]
fn words_in_quotes_are_left_as_they_are() {
    let mut service = Service::new("x", Command::of(["/bin/true"]));
    service.before = vec![Command::of(["/bin/echo", "a\r\nb", "c\n"])];
    service.reload = Reload::Commands(vec![Command::of(["/bin/sh", "-c", "test -e /x || exit 1; echo"])]);
    let sysv = text_of(&service, Target::Sysv, "x");
    assert!(sysv.contains("\n    /bin/echo 'a\r\nb' 'c\n' || return 1\n"), "{sysv}");
    let openrc = text_of(&service, Target::Openrc, "x");
    assert!(openrc.contains("\n    /bin/sh -c 'test -e /x || exit 1; echo' || return 1\n"), "{openrc}");
}

#[test]
fn what_supervisord_takes_for_a_comment_is_no_part_of_a_section() {
    for word in ["one #two", "three ;four", ";"] {
        let service = Service::new("x", Command::of(["/bin/echo", word]));
        let section = text_of(&service, Target::Supervisord, ".conf");
        assert!(section.contains("\ncommand=/etc/supervisor/x.run\n"), "{section}");
        assert!(text_of(&service, Target::Supervisord, ".run").ends_with(&format!("/bin/echo '{word}'\n")));
    }
    let mut service = Service::new("x", Command::of(["/bin/echo", "a;b"]));
    service.environs.directory = Some("/srv/a #b".to_owned());
    let refusal = written(&service, Target::Supervisord, Level::System).expect_err("it is cut").to_string();
    assert!(refusal.starts_with("\"/srv/a #b\": supervisord takes ';' and '#'"), "{refusal}");
    service.environs.directory = None;
    service.environs.output = Output::File("/var/log/a ;b".to_owned());
    written(&service, Target::Supervisord, Level::System).expect_err("it is cut");
}

#[test]
fn a_property_list_is_xml_and_tells_each_variable_once() {
    let mut service = Service::new("a--b-", Command::of(["/bin/true"]));
    let directory = |path: &str| Directory {
        path: path.to_owned(),
        mode: Mode::from_raw_mode(0o755),
        owner: None,
        variable: "STATE_DIRECTORY",
    };
    service.environs.directories = vec![directory("/var/lib/a"), directory("/var/lib/b")];
    service.restart = Restart::Always;
    service.boot = Boot::Waits;
    let written = written(&service, Target::Launchd, Level::System).expect("it can be said");
    let text = &written.files[0].text;
    let comment = text.split("<!--").nth(1).and_then(|rest| rest.split("-->").next()).expect("a comment");
    assert!(!comment.contains("--"), "{comment}");
    assert!(text.contains("\nexport STATE_DIRECTORY=/var/lib/a:/var/lib/b\n"), "{text}");
    let told: Vec<&str> = written.losses.iter().map(|loss| loss.directive.as_str()).collect();
    assert!(
        told.contains(&"Restart=always") && told.contains(&"Restart=always without [Install]"),
        "{told:?}"
    );
}
