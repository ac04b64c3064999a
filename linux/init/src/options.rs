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
    "usage: eudaemon init [--background] [--user] [--strict|--permissive] | eudaemon up [DIR]";

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
