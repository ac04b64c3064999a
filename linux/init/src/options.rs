//! What init was asked to be: `eudaemon init …` and `eudaemon up DIR`.

use std::ffi::OsString;

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Options {
    pub ground: Ground,
    pub scope: Scope,
    /// The manager's own arguments, after the word `manager`.
    pub manager: Vec<OsString>,
    /// Set in the manager's environment beside our own.
    pub environment: Vec<(OsString, OsString)>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Ground {
    Foreground,
    /// Detached from the caller, who waits until the manager is ready.
    Background,
}

/// Whose services these are.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Scope {
    /// The machine's or container's: init stands in for systemd.
    System,
    /// One user's, beside whatever else manages the machine.
    User,
    /// Those of one directory, in the foreground.
    Directory,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Rights {
    Root,
    Ordinary,
}

/// What an argument nobody knows means.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Unknown {
    Refused,
    /// The kernel hands PID 1 what it did not understand of its own command line.
    PassedOver,
}

const USAGE: &str =
    "usage: eudaemon init [--background] [--user] [--strict|--permissive] | eudaemon up [DIR|FILE]";

const INIT_HELP: &str = "\
eudaemon init [--background] [--user] [--strict|--permissive]

PID 1 of a container or VM: starts default.target, and stops everything in order on SIGTERM or SIGRTMIN+3.
Beside another PID 1 the machine's manager starts nothing but what is asked for, a user's that user's default.target.

  --background   Detach, and come back when the manager is ready
  --user         This user's units; what everybody but root gets anyhow
  --strict, --permissive
                 Whether a unit fails for what this machine cannot honour; taken, and not acted on yet
";

const UP_HELP: &str = "\
eudaemon up [DIR|FILE]

Runs a folder of unit files in the foreground, or one unit whose file is named; without an argument the folder is
the current one. It starts the folder's default.target, or else every unit with an [Install] section, or else every
service. It ends when none of them lives any more.

Ctrl-C stops them in order; a second Ctrl-C kills what still runs.

Exit code: 0 where all went well; that of the first failed service's main process, else 1, where a unit failed or
could not be started; 130 after a second Ctrl-C.
";

/// What `--help` shows, if that is asked for.
pub fn help(args: &[OsString]) -> Option<&'static str> {
    let (word, rest) = args.split_first()?;
    let asked = rest.iter().any(|argument| argument == "--help" || argument == "-h");
    match word.to_str() {
        Some("init") if asked => Some(INIT_HELP),
        Some("up") if asked => Some(UP_HELP),
        _ => None,
    }
}

/// `args` opens with the word (`init` or `up`). The error is one line for the user.
pub fn parse(args: &[OsString], rights: Rights, unknown: Unknown) -> Result<Options, String> {
    let (word, rest) = args.split_first().ok_or_else(|| USAGE.to_owned())?;
    match word.to_str() {
        Some("init") => init(rest, rights, unknown),
        Some("up") => up(rest),
        _ => Err(USAGE.to_owned()),
    }
}

fn init(args: &[OsString], rights: Rights, unknown: Unknown) -> Result<Options, String> {
    let mut ground = Ground::Foreground;
    // Only root can stand in for systemd; anybody else means their own services.
    let mut scope = if rights == Rights::Root { Scope::System } else { Scope::User };
    let mut policy = None;
    for argument in args {
        match argument.to_str() {
            Some("--background") => ground = Ground::Background,
            Some("--user") => scope = Scope::User,
            Some("--strict" | "--permissive") => policy = Some(argument.clone()),
            _ if unknown == Unknown::PassedOver => {}
            _ => return Err(refusal("init", argument)),
        }
    }
    let word = if scope == Scope::User { "--user" } else { "--system" };
    let manager = [OsString::from(word)].into_iter().chain(policy).collect();
    Ok(Options { ground, scope, manager, environment: Vec::new() })
}

fn up(args: &[OsString]) -> Result<Options, String> {
    let mut directory = None;
    for argument in args {
        let is_option = argument.as_encoded_bytes().starts_with(b"-");
        if is_option || directory.is_some() {
            return Err(refusal("up", argument));
        }
        directory = Some(argument.clone());
    }
    let manager = vec!["--up".into(), directory.unwrap_or_else(|| ".".into())];
    Ok(Options { ground: Ground::Foreground, scope: Scope::Directory, manager, environment: Vec::new() })
}

fn refusal(word: &str, argument: &OsString) -> String {
    format!("eudaemon {word}: unknown argument {argument:?}; {USAGE}")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(line: &str, rights: Rights) -> String {
        let args: Vec<OsString> = line.split_whitespace().map(OsString::from).collect();
        match parse(&args, rights, Unknown::Refused) {
            Ok(Options { ground, scope, manager, .. }) => format!("{ground:?} {scope:?} {manager:?}"),
            Err(line) => line.split(';').next().unwrap_or("").to_owned(),
        }
    }

    #[test]
    fn pid_1_boots_whatever_the_kernel_says() {
        let args = ["init", "splash", "--nonsense", "--strict"].map(OsString::from);
        let options = parse(&args, Rights::Root, Unknown::PassedOver).unwrap();
        assert_eq!(options.manager, ["--system", "--strict"]);
    }

    #[test]
    fn help_is_had_by_either_word() {
        let asked = |line: &str| help(&line.split_whitespace().map(OsString::from).collect::<Vec<_>>());
        assert!(asked("init --user --help").is_some_and(|text| text.contains("--background")));
        assert!(asked("up -h").is_some_and(|text| text.contains("Exit code")));
        assert_eq!(asked("up help"), None);
    }

    #[test]
    fn arguments() {
        let root = |line| check(line, Rights::Root);
        assert_eq!(root("init"), r#"Foreground System ["--system"]"#);
        assert_eq!(root("init --background --strict"), r#"Background System ["--system", "--strict"]"#);
        assert_eq!(root("init --user"), r#"Foreground User ["--user"]"#);
        assert_eq!(check("init", Rights::Ordinary), r#"Foreground User ["--user"]"#);
        assert_eq!(root("up examples/hello"), r#"Foreground Directory ["--up", "examples/hello"]"#);
        assert_eq!(root("up"), r#"Foreground Directory ["--up", "."]"#);
        assert_eq!(root("init --fast"), r#"eudaemon init: unknown argument "--fast""#);
        assert_eq!(root("up a b"), r#"eudaemon up: unknown argument "b""#);
        assert_eq!(root("up -x"), r#"eudaemon up: unknown argument "-x""#);
    }
}
