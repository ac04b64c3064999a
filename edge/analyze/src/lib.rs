#![forbid(unsafe_code)]
//! What a text means before a unit says it: `systemd-analyze` for calendar expressions, points in time and spans,
//! and `systemd-escape` for names. Output and exit codes are systemd's.
//!
//! Neither knows a manager, and neither changes anything.

/// As `print!`, but who reads may go: then nothing is left to be done.
macro_rules! out {
    ($($arg:tt)*) => { crate::written(std::io::Write::write_fmt(&mut std::io::stdout(), format_args!($($arg)*))) };
}

macro_rules! outln {
    () => { out!("\n") };
    ($($arg:tt)*) => {{
        out!($($arg)*);
        out!("\n");
    }};
}

mod condition;
mod escape;
mod lists;
mod options;
mod places;
mod security;
#[cfg(test)]
#[path = "../../../core/unit/tests/vectors/table.rs"]
mod table;
mod times;
mod unit_files;

pub use escape::main as escape;

use options::{Given, Long, Stop, Takes, getopt};
use std::ffi::OsString;
use std::process::ExitCode;

/// systemd's version whose behaviour is followed.
const FOLLOWED: &str = "252";

/// The most points of a calendar expression that may be asked for (systemd: as many as a C int counts).
const ITERATIONS_MAX: u32 = i32::MAX as u32;

#[derive(Default)]
struct Options {
    iterations: Option<u32>,
    base_time: Option<u64>,
    scope: Option<places::Scope>,
    root: Option<String>,
    unit: Option<String>,
    security: security::Wishes,
}

/// The arguments begin with the program's own word.
pub fn main(arguments: Vec<OsString>) -> ExitCode {
    if arguments.get(1).is_some_and(|verb| verb == "verify") {
        return eudaemon_verify::main(arguments[1..].to_vec());
    }
    let zones = times::Judge::of_this_machine();
    let outcome = options(arguments, &zones).and_then(|(options, words)| run(&options, &words, &zones));
    match outcome {
        Ok(code) => code,
        Err(Stop::Show(text)) => {
            out!("{text}");
            ExitCode::SUCCESS
        }
        Err(Stop::Refuse(text)) => {
            eprintln!("{text}");
            ExitCode::FAILURE
        }
    }
}

/// A verb, how many words it takes behind it, and what it does.
struct Verb {
    word: &'static str,
    least: usize,
    most: usize,
    run: fn(&Options, &[String], &times::Judge) -> ExitCode,
}

const VERBS: &[Verb] = &[
    Verb { word: "calendar", least: 1, most: usize::MAX, run: times::calendar },
    Verb { word: "timestamp", least: 1, most: usize::MAX, run: times::timestamp },
    Verb { word: "timespan", least: 1, most: usize::MAX, run: times::timespan },
    Verb { word: "unit-paths", least: 0, most: 0, run: places::unit_paths },
    Verb { word: "cat-config", least: 1, most: usize::MAX, run: places::cat_config },
    Verb { word: "exit-status", least: 0, most: usize::MAX, run: lists::exit_status },
    Verb { word: "capability", least: 0, most: usize::MAX, run: lists::capability },
    Verb { word: "syscall-filter", least: 0, most: usize::MAX, run: lists::syscall_filter },
    Verb { word: "unit-files", least: 0, most: usize::MAX, run: unit_files::unit_files },
    Verb { word: "condition", least: 0, most: usize::MAX, run: condition::condition },
    Verb { word: "security", least: 0, most: usize::MAX, run: security::security },
];

/// Verbs of systemd-analyze that are not there yet; "time" is what it does without a word.
const NOT_YET: &[&str] = &[
    "time",
    "blame",
    "critical-chain",
    "plot",
    "dot",
    "dump",
    "filesystems",
    "compare-versions",
    "inspect-elf",
];

fn run(options: &Options, words: &[String], judge: &times::Judge) -> Result<ExitCode, Stop> {
    let word = words.first().map_or("time", String::as_str);
    let Some(verb) = VERBS.iter().find(|verb| verb.word == word) else {
        return Err(Stop::Refuse(match NOT_YET.contains(&word) {
            true => {
                let words: Vec<&str> = VERBS.iter().map(|verb| verb.word).collect();
                let words = words.join(", ");
                format!("Verb \"{word}\" of systemd-analyze is not there yet; there are {words} and verify.")
            }
            false => format!("Unknown command verb {word}."),
        }));
    };
    if let Some(text) = misplaced(options, word) {
        return Err(Stop::Refuse(text));
    }
    match words.len() - 1 {
        few if few < verb.least => Err(Stop::Refuse("Too few arguments.".to_owned())),
        many if many > verb.most => Err(Stop::Refuse("Too many arguments.".to_owned())),
        _ => Ok((verb.run)(options, &words[1..], judge)),
    }
}

/// What is wrong with options that are not for this verb; others that say nothing to it are passed over.
fn misplaced(options: &Options, word: &str) -> Option<String> {
    let security = &options.security;
    let is_security = word == "security";
    let is_rooted = options.root.as_deref().is_some_and(|root| !["", "/"].contains(&root));
    let takes_root = ["cat-config", "condition"].contains(&word) || (is_security && security.offline);
    let is_json = security.format.is_some_and(|format| format != security::Format::Table);
    let global = options.scope == Some(places::Scope::Global) && word != "unit-paths";
    let user = options.scope == Some(places::Scope::User) && word == "cat-config";
    let checks = [
        (security.offline && !is_security, "Option --offline= is only supported for security right now."),
        (is_json && !is_security, "Option --json= is only supported for security and inspect-elf right now."),
        (
            security.threshold.is_some() && !is_security,
            "Option --threshold= is only supported for security right now.",
        ),
        (global, "Option --global only makes sense with verbs dot, unit-paths, verify."),
        (user, "Option --user is not supported for cat-config right now."),
        (
            security.policy.is_some() && !is_security,
            "Option --security-policy= is only supported for security.",
        ),
        (is_rooted && !takes_root, NO_ROOT),
        (options.unit.is_some() && word != "condition", "Option --unit= is only supported for condition"),
    ];
    checks.iter().find(|(is_wrong, _)| *is_wrong).map(|(_, text)| (*text).to_owned())
}

const NO_ROOT: &str = "Options --root= and --image= are only supported for cat-config, verify, condition and security \
     when used with --offline= right now.";

const fn flag(name: &'static str) -> Long {
    Long { name, takes: Takes::Nothing }
}

const fn value(name: &'static str) -> Long {
    Long { name, takes: Takes::Value }
}

const LONG: &[Long] = &[
    value("base-time"),
    flag("global"),
    flag("help"),
    value("iterations"),
    value("json"),
    flag("no-pager"),
    value("offline"),
    value("profile"),
    flag("quiet"),
    value("root"),
    value("security-policy"),
    flag("system"),
    value("threshold"),
    value("unit"),
    flag("user"),
    flag("version"),
];

fn options(arguments: Vec<OsString>, judge: &times::Judge) -> Result<(Options, Vec<String>), Stop> {
    let mut options = Options::default();
    let mut words = Vec::new();
    for given in getopt("systemd-analyze", LONG, "hq", arguments)? {
        match given {
            Given::Long("base-time", text) => {
                let bad = || Stop::Refuse(format!("Failed to parse --base-time= parameter: {text}"));
                options.base_time = Some(judge.point(&text).ok_or_else(bad)?);
            }
            Given::Long("iterations", text) => {
                let number = eudaemon_unit::values::number::unsigned(&text).ok();
                let number = number.and_then(|number| u32::try_from(number).ok());
                let bad = || Stop::Refuse(format!("Failed to parse iterations: {text}"));
                options.iterations = Some(number.filter(|number| *number <= ITERATIONS_MAX).ok_or_else(bad)?);
            }
            Given::Long("offline", text) => {
                let bad = || Stop::Refuse(format!("Failed to parse boolean argument to --offline: {text}."));
                options.security.offline = eudaemon_unit::values::boolean(&text).ok_or_else(bad)?;
            }
            Given::Long("threshold", text) => {
                let number = eudaemon_unit::values::number::unsigned(&text).ok();
                let number = number.filter(|number| *number <= security::EXPOSURE_MAX);
                let bad = || Stop::Refuse(format!("Failed to parse threshold: {text}"));
                options.security.threshold = Some(number.ok_or_else(bad)?);
            }
            Given::Long("json", text) => {
                options.security.format = Some(match text.as_str() {
                    "short" => security::Format::Short,
                    "pretty" => security::Format::Pretty,
                    "off" => security::Format::Table,
                    _ => return Err(Stop::Refuse(format!("Unknown argument to --json= switch: {text}"))),
                })
            }
            Given::Long("unit", name) => options.unit = Some(name),
            Given::Long("security-policy", path) => options.security.policy = Some(path),
            Given::Long("profile", name) => options.security.profile = Some(name),
            Given::Long("root", path) => options.root = Some(path),
            Given::Long("system", _) => options.scope = Some(places::Scope::System),
            Given::Long("user", _) => options.scope = Some(places::Scope::User),
            Given::Long("global", _) => options.scope = Some(places::Scope::Global),
            Given::Long("help", _) | Given::Short('h') => return Err(Stop::Show(HELP.to_owned())),
            Given::Long("version", _) => return Err(Stop::Show(version())),
            // There is no pager, and a hint is no noise: systemd 252 gives it with --quiet too.
            Given::Long(_, _) | Given::Short(_) => {}
            Given::Word(word) => words.push(word.to_string_lossy().into_owned()),
        }
    }
    Ok((options, words))
}

fn version() -> String {
    format!("systemd {FOLLOWED} (eudaemon {})\n", env!("CARGO_PKG_VERSION"))
}

const HELP: &str = "systemd-analyze [OPTIONS...] COMMAND ...

Say what times, names, paths and units mean. No manager is asked, and nothing is changed.

Commands:
  calendar SPEC...           Say when a calendar expression elapses
  timestamp TIMESTAMP...     Say what point in time is meant
  timespan SPAN...           Say how long a span of time is
  unit-files [PATTERN...]    List the files and names of units
  unit-paths                 List load directories for units
  cat-config NAME|PATH...    Show configuration file and drop-ins
  exit-status [STATUS...]    List exit statuses and who defines them
  capability [CAP...]        List capabilities and their numbers
  syscall-filter [NAME...]   List the system calls of groups
  condition CONDITION...     Say whether conditions hold here and now
  security FILE...           Say how much of the system the processes of
                             units can reach (with --offline=true)
  verify FILE...             Check unit files: verify --help says more

Options:
     --offline=BOOL          With security: read unit files
     --threshold=N           With security: fail if a unit is exposed by
                             more than N tenths
     --security-policy=PATH  With security: other weights and descriptions
     --json=pretty|short|off With security: write JSON
     --profile=NAME|PATH     With security: lay a profile over the units
     --unit=UNIT             With condition: those of a unit
     --iterations=N          Show the specified number of iterations
     --base-time=TIMESTAMP   Calculate calendar times relative to
                             specified time
     --system                Operate on system systemd instance
     --user                  Operate on user systemd instance
     --global                Operate on global user configuration
     --root=PATH             Operate on an alternate filesystem root
     --no-pager              Accepted: there is no pager
  -q --quiet                 Accepted: there is nothing to leave out
  -h --help                  Show this help
     --version               Show package version

The other commands of systemd-analyze(1) are not there yet.
";

/// Ends as the shell says of a program whose reader has gone.
fn written(result: std::io::Result<()>) {
    const PIPE_CLOSED: i32 = 128 + 13;
    match result {
        Ok(()) => {}
        Err(error) if error.kind() == std::io::ErrorKind::BrokenPipe => std::process::exit(PIPE_CLOSED),
        Err(error) => {
            eprintln!("cannot write: {error}");
            std::process::exit(1);
        }
    }
}
