//! The line of `eudaemon simulate`.

use eudaemon_unit::name::UnitName;
use std::ffi::OsString;
use std::path::PathBuf;

pub const HELP: &str = "\
eudaemon simulate DIR|FILE [--fail UNIT]… [--seed N] [--json]

Boots the units of a folder, or the one whose file is named, on a pretend machine, as 'eudaemon up' would boot them here, and
prints what happens when. No process is started. Every command takes a millisecond and succeeds, conditions hold, and services
are well when they are asked ([X-Health]). The exit code is 1 where something failed.

  --fail UNIT   The service's own commands end with status 1, and it is not well when it is asked
  --seed N      Commands take up to two seconds, drawn by this number: the same number gives the same boot
  --json        The timeline and the outcome for tools
";

#[derive(Debug)]
pub enum Line {
    Help,
    Simulate(Request),
}

#[derive(Debug)]
pub struct Request {
    pub folder: PathBuf,
    pub failing: Vec<UnitName>,
    pub seed: Option<u64>,
    pub format: Format,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Format {
    Text,
    Json,
}

/// The arguments begin with the word `simulate`.
pub fn read(arguments: Vec<OsString>) -> Result<Line, String> {
    use lexopt::prelude::*;
    let say = |error: lexopt::Error| error.to_string();
    let (mut folder, mut failing, mut seed, mut format) = (None, Vec::new(), None, Format::Text);
    let mut parser = lexopt::Parser::from_iter(arguments);
    while let Some(argument) = parser.next().map_err(say)? {
        match argument {
            Long("fail") => failing.push(unit(&parser.value().map_err(say)?.to_string_lossy())?),
            Long("seed") => {
                let value = parser.value().map_err(say)?;
                let value = value.to_string_lossy();
                seed = Some(value.parse().map_err(|_| format!("--seed={value}: expected a number"))?);
            }
            Long("json") => format = Format::Json,
            Short('h') | Long("help") => return Ok(Line::Help),
            Value(value) if folder.is_none() => folder = Some(PathBuf::from(value)),
            Value(_) => return Err("one folder at a time".to_owned()),
            odd @ (Short(_) | Long(_)) => return Err(odd.unexpected().to_string()),
        }
    }
    let folder = folder.ok_or(
        "nothing to simulate: name a folder of unit files, or one unit's file, as in 'eudaemon simulate DIR'",
    )?;
    Ok(Line::Simulate(Request { folder, failing, seed, format }))
}

/// A name without a suffix means a service.
fn unit(text: &str) -> Result<UnitName, String> {
    let named = UnitName::parse(text).or_else(|_| UnitName::parse(&format!("{text}.service")));
    named.map_err(|_| format!("--fail={text}: expected the name of a unit"))
}
