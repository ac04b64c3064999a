//! Scripts against services that are no friends of root's: what their users may write root does not run.

use super::tests::greeter;
use super::*;
use std::path::Path;
use std::process::Command as Process;

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
