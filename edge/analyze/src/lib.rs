#![forbid(unsafe_code)]
//! `eudaemon analyze VERB`, also as `systemd-analyze`, and `eudaemon escape`, also as `systemd-escape`: what the small languages
//! of unit files mean, answered without a manager. Wording and exit codes are systemd's.

mod escape;
mod times;
mod zone;

pub use escape::main as escape;

use lexopt::prelude::*;
use std::ffi::OsString;
use std::process::ExitCode;

const HELP: &str = "\
eudaemon analyze VERB ARGUMENT…

  calendar [--iterations=N] [--base-time=TIMESTAMP] EXPRESSION…
                          normalizes calendar expressions, and tells when they elapse next
  timestamp TIMESTAMP…    reads points in time
  timespan SPAN…          reads lengths of time
  verify FILE|UNIT…       checks unit files: `eudaemon verify --help`
";

/// What the line asks for.
struct Line {
    words: Vec<String>,
    iterations: u32,
    base: Option<String>,
}

/// `arguments` open with the word `analyze`.
pub fn main(arguments: Vec<OsString>) -> ExitCode {
    if arguments.get(1).is_some_and(|verb| verb == "verify") {
        return eudaemon_verify::main(arguments[1..].to_vec());
    }
    let line = match read(arguments) {
        Ok(Some(line)) => line,
        Ok(None) => {
            print!("{HELP}");
            return ExitCode::SUCCESS;
        }
        Err(error) => {
            eprintln!("{error}");
            return ExitCode::FAILURE;
        }
    };
    let Some((verb, subjects)) = line.words.split_first() else {
        eprintln!("Too few arguments.\n{HELP}");
        return ExitCode::FAILURE;
    };
    let each: &dyn Fn(&str) -> Result<String, String> = match verb.as_str() {
        "calendar" => &|text| times::calendar(text, line.iterations, line.base.as_deref()),
        "timestamp" => &times::timestamp,
        "timespan" => &times::timespan,
        other => {
            eprintln!("Unknown command verb {other}.");
            return ExitCode::FAILURE;
        }
    };
    if subjects.is_empty() {
        eprintln!("Too few arguments.");
        return ExitCode::FAILURE;
    }
    let mut code = ExitCode::SUCCESS;
    for (at, subject) in subjects.iter().enumerate() {
        match each(subject) {
            Ok(text) => print!("{text}"),
            Err(complaint) => {
                eprintln!("{complaint}");
                code = ExitCode::FAILURE;
            }
        }
        if at + 1 < subjects.len() {
            println!();
        }
    }
    code
}

fn read(arguments: Vec<OsString>) -> Result<Option<Line>, lexopt::Error> {
    let mut line = Line { words: Vec::new(), iterations: 1, base: None };
    let mut parser = lexopt::Parser::from_args(arguments.into_iter().skip(1));
    while let Some(argument) = parser.next()? {
        match argument {
            Long("iterations") => line.iterations = parser.value()?.parse()?,
            Long("base-time") => line.base = Some(parser.value()?.string()?),
            Short('h') | Long("help") => return Ok(None),
            Value(word) => line.words.push(word.string()?),
            other @ (Short(_) | Long(_)) => return Err(other.unexpected()),
        }
    }
    Ok(Some(line))
}
