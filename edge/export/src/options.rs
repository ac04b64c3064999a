//! The line of `eudaemon export`.

use eudaemon_kit::service::Target;
use eudaemon_unit::files::Scope;
use std::ffi::OsString;
use std::path::PathBuf;

pub const HELP: &str = "\
eudaemon export UNIT|FILE --to MANAGER [OPTIONS…]

Writes down a service for another manager: launchd, openrc, sysv, runit or supervisord. Drop-ins are read, specifiers
expanded, and variables that the unit itself sets. What the manager cannot be told is listed on standard error, the worst
first: lost protection, lost behaviour, notes. No manager is needed, and nothing is started.

  --to MANAGER     For which manager
  --output DIR     Write the files below this directory, as below a root directory, instead of printing them; one that is
                   there and not from here is left as it is, and that is an error
  --system, --user Along whose search path the unit is looked for
  --root DIR       The file system of an image
  -h, --help       This text

Exit code 1 where the result would be wrong to run: there is nothing to start, a template has no instance, the service
wants a connection or a terminal as its standard input, another root directory where the manager knows none, or goes into the
background without a pid file.
";

/// For which managers a unit is exported: those that read no unit files.
const TARGETS: [Target; 5] =
    [Target::Launchd, Target::Openrc, Target::Sysv, Target::Runit, Target::Supervisord];

#[derive(Debug)]
pub enum Line {
    Help,
    Export(Request),
}

/// What is to be exported, and where to.
#[derive(Clone, Debug)]
pub struct Request {
    /// The name of a unit, or the path of its file.
    pub unit: String,
    pub target: Target,
    pub scope: Scope,
    /// Empty for the machine itself.
    pub root: String,
    /// Printed where there is none.
    pub output: Option<PathBuf>,
}

/// The arguments begin with the word `export`.
pub fn read(arguments: Vec<OsString>) -> Result<Line, String> {
    use lexopt::prelude::*;
    let say = |error: lexopt::Error| error.to_string();
    let (mut unit, mut target, mut scope) = (None, None, Scope::System);
    let (mut root, mut output) = (String::new(), None);
    let mut parser = lexopt::Parser::from_iter(arguments);
    while let Some(argument) = parser.next().map_err(say)? {
        match argument {
            Long("to") => target = Some(manager(&text(parser.value().map_err(say)?)?)?),
            Long("output") => output = Some(PathBuf::from(parser.value().map_err(say)?)),
            Long("root") => root = text(parser.value().map_err(say)?)?,
            Long("system") => scope = Scope::System,
            Long("user") => scope = Scope::User,
            Short('h') | Long("help") => return Ok(Line::Help),
            Value(value) if unit.is_none() => unit = Some(text(value)?),
            Value(_) => return Err("one unit at a time".to_owned()),
            odd @ (Short(_) | Long(_)) => return Err(odd.unexpected().to_string()),
        }
    }
    let example = "as in 'eudaemon export web.service --to openrc'";
    let unit = unit.ok_or_else(|| format!("nothing to export: name a unit or its file, {example}"))?;
    let target = target.ok_or_else(|| format!("for which manager? Say --to {}, {example}", words()))?;
    Ok(Line::Export(Request { unit, target, scope, root, output }))
}

fn words() -> String {
    TARGETS.map(Target::word).join("|")
}

fn manager(word: &str) -> Result<Target, String> {
    let target = Target::of_word(word).filter(|target| TARGETS.contains(target));
    match (target, word) {
        (Some(target), _) => Ok(target),
        (None, "systemd" | "eudaemon") => Err(format!("--to {word}: it reads unit files as they are")),
        (None, _) => Err(format!("--to {word}: expected {}", words())),
    }
}

fn text(value: OsString) -> Result<String, String> {
    value.into_string().map_err(|value| format!("{}: is not UTF-8", value.display()))
}
