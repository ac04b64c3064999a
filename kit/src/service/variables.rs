//! The variables of a service, and how its commands get them: from a shell that has the service's rights already.
//!
//! The script's own shell, which is root's, takes none of them. `PATH` or `LD_PRELOAD` out of a file that others may write
//! would have it run their programs, and a name that they choose might be one of its own.

use super::description::{Missing, Service};
use super::script;
use super::word::{Command, Piece, Run, Word, line, quoted};

/// Takes lines `NAME=VALUE` out of `SERVICE_LINES`. What is in the way has no name: positional parameters alone.
pub(super) const SET_LINES: &str = r#"
# Sets what a line NAME=VALUE says. Nothing in it is run.
set_line() {
    set -- "${1#"${1%%[! 	]*}"}"
    set -- "${1%"${1##*[! 	]}"}"
    case $1 in *=*) ;; *) return ;; esac
    set -- "${1%%=*}" "${1#*=}"
    case $1 in '' | [0-9]* | *[!A-Za-z0-9_]*) return ;; esac
    case $2 in
    \"*\") set -- "$1" "${2#\"}" && set -- "$1" "${2%\"}" ;;
    \'*\') set -- "$1" "${2#\'}" && set -- "$1" "${2%\'}" ;;
    esac
    export "$1=$2"
}
set_lines() {
    IFS='
'
    set -- $SERVICE_LINES
    unset IFS SERVICE_LINES
    while [ $# -gt 0 ]; do set_line "$1"; shift; done
}
"#;

const SET_USER: &str = r#"
# Sets what a line of passwd(5) says.
set_user() {
    export USER="${1%%:*}" LOGNAME="${1%%:*}" SHELL="${1##*:}"
    set -- "${1%:*}"
    export HOME="${1##*:}"
}
"#;

/// The words of a shell that sets the variables and becomes the command behind them. They are told to it by a variable:
/// arguments are everybody's to read.
const SETTER: &str = "/bin/sh -c 'eval \"$SERVICE_VARIABLES\"' sh";

/// What the script's shell does before the first command: what is root's alone to read.
pub(super) fn environment(service: &Service) -> String {
    let mut text = String::new();
    if let Some(user) = &service.rights.user {
        let user = quoted(user);
        line(
            &mut text,
            format!("getent passwd {user} >/dev/null || {{ echo 'there is no user '{user} >&2; exit 1; }}"),
        );
    }
    let files = &service.environs.files;
    if files.is_empty() {
        return text;
    }
    for file in files {
        let path = quoted(&file.path);
        match file.missing {
            Missing::Fails => {
                line(&mut text, format!("[ -r {path} ] || {{ echo 'cannot read '{path} >&2; exit 1; }}"));
            }
            Missing::IsPassedOver => {}
        }
    }
    let paths: Vec<String> = files.iter().map(|file| quoted(&file.path)).collect();
    let each = format!("for file in {}; do", paths.join(" "));
    line(
        &mut text,
        format!("SERVICE_LINES=$({each} if [ -r \"$file\" ]; then cat \"$file\"; echo; fi; done)"),
    );
    line(&mut text, "export SERVICE_LINES");
    text
}

/// What the setting shell does; nothing where there are no variables.
fn variables(service: &Service) -> Option<String> {
    let (environs, rights) = (&service.environs, &service.rights);
    let mut text = String::new();
    if let Some(user) = &rights.user {
        text += SET_USER;
        line(&mut text, format!("set_user \"$(getent passwd {})\"", quoted(user)));
    }
    text += &directories(service);
    for (name, value) in &environs.variables {
        line(&mut text, format!("export {name}={}", quoted(value)));
    }
    if !environs.files.is_empty() {
        text += SET_LINES;
        line(&mut text, "set_lines");
    }
    if !environs.unset.is_empty() {
        line(&mut text, format!("unset {}", environs.unset.join(" ")));
    }
    (!text.is_empty()).then(|| format!("unset SERVICE_VARIABLES\nset -f\n{text}exec \"$@\""))
}

/// The variables that tell of directories, each once, with all its directories.
pub(super) fn directories(service: &Service) -> String {
    let directories = &service.environs.directories;
    let mut text = String::new();
    for directory in directories {
        let all = directories.iter().filter(|one| one.variable == directory.variable);
        let paths: Vec<&str> = all.map(|one| one.path.as_str()).collect();
        if paths.first() == Some(&directory.path.as_str()) {
            line(&mut text, format!("export {}={}", directory.variable, quoted(&paths.join(":"))));
        }
    }
    text
}

/// The text for the setting shell, where there is one.
pub(super) fn told(service: &Service) -> String {
    match variables(service) {
        None => String::new(),
        Some(text) => format!(
            "\n# The service's variables: a shell sets them that has its rights already.\nSERVICE_VARIABLES={}\nexport SERVICE_VARIABLES\n",
            quoted(&text)
        ),
    }
}

/// The words before a command that give it its rights and its variables; nothing where it keeps what the script has.
pub(super) fn prefix(service: &Service, run: Run) -> Option<String> {
    let rights = match run {
        Run::AsService => script::rights(&service.rights),
        Run::AsRoot => None,
    };
    let setter = variables(service).map(|_| SETTER.to_owned());
    let words: Vec<String> = [rights, setter].into_iter().flatten().collect();
    (!words.is_empty()).then(|| words.join(" "))
}

/// A command whose words the script's shell may read: what has variables of the service is for a shell behind the prefix.
pub(super) fn expanded(service: &Service, command: &Command) -> Command {
    let is_ours = |piece: &Piece| match piece {
        Piece::Text(_) => true,
        Piece::Variable(name) | Piece::Words(name) => name == "MAINPID" && variables(service).is_none(),
    };
    if command.words.iter().flat_map(|word| &word.0).all(is_ours) {
        return command.clone();
    }
    let words = ["/bin/sh".to_owned(), "-fc".to_owned(), format!("exec {}", command.shell())];
    Command { words: words.into_iter().map(Word::text).collect(), ..command.clone() }
}
