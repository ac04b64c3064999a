//! What init asked this manager to be. Users never write these arguments.

use std::ffi::OsString;
use std::path::PathBuf;

/// For whom, and what to start.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Mission {
    /// The machine's or container's units; `default.target` where we are PID 1.
    System,
    /// One user's units.
    User,
    /// The units of one directory, in the foreground.
    Directory(PathBuf),
}

/// What becomes of a directive this machine cannot honour.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Policy {
    /// Skip it and say so in a container, refuse as systemd does elsewhere.
    #[default]
    ByMachine,
    Strict,
    Permissive,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Options {
    pub mission: Mission,
    pub policy: Policy,
}

pub fn parse(args: &[OsString]) -> Result<Options, String> {
    let mut mission = None;
    let mut policy = Policy::default();
    let mut args = args.iter();
    while let Some(argument) = args.next() {
        match argument.to_str() {
            Some("manager") => {}
            Some("--system") => mission = Some(Mission::System),
            Some("--user") => mission = Some(Mission::User),
            Some("--up") => {
                let directory = args.next().ok_or("--up without a directory")?;
                mission = Some(Mission::Directory(PathBuf::from(directory)));
            }
            Some("--strict") => policy = Policy::Strict,
            Some("--permissive") => policy = Policy::Permissive,
            Some(_) | None => return Err(format!("unknown argument {}", argument.display())),
        }
    }
    let mission = mission.ok_or("neither --system, --user nor --up: the manager is started by init")?;
    Ok(Options { mission, policy })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn arguments() {
        let check = |line: &str| parse(&line.split_whitespace().map(OsString::from).collect::<Vec<_>>());
        assert_eq!(check("manager --system").unwrap().mission, Mission::System);
        assert_eq!(check("manager --up a/b --strict").unwrap().policy, Policy::Strict);
        assert!(check("manager").unwrap_err().contains("started by init"));
        assert!(check("manager --up").is_err() && check("manager --wat").is_err());
    }
}
