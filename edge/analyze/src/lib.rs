#![forbid(unsafe_code)]
//! `systemd-analyze` and `systemd-escape`: what texts, names, paths and unit files mean, and what a running manager tells of its
//! boot and its units. Output and exit codes are systemd's.
//!
//! Only `running` and `security` without `--offline` ask a manager, as any client would; only the levers of `running` change anything.

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
mod limits;
mod lists;
mod options;
mod places;
mod running;
mod security;
#[cfg(test)]
#[path = "../../../core/unit/tests/vectors/table.rs"]
mod table;
mod times;
mod unit_files;
mod versions;

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
    edges: running::Edges,
    from_patterns: Vec<String>,
    to_patterns: Vec<String>,
    /// In microseconds.
    fuzz: u64,
    quiet: bool,
}

/// The arguments begin with the program's own word.
pub fn main(arguments: Vec<OsString>) -> ExitCode {
    if let Some(line) = of_verify(&arguments) {
        return eudaemon_verify::main(line);
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

/// The line of `verify`, which has options of its own; they may stand before it.
fn of_verify(arguments: &[OsString]) -> Option<Vec<OsString>> {
    let line = arguments.get(1..)?;
    let at = line.iter().position(|word| !word.to_string_lossy().starts_with('-'))?;
    let verb = line.get(at).filter(|word| *word == "verify")?;
    Some([std::slice::from_ref(verb), &line[..at], &line[at + 1..]].concat())
}

/// A verb, how many words it takes behind it, and what it does.
struct Verb {
    word: &'static str,
    least: usize,
    most: usize,
    run: fn(&Options, &[String], &times::Judge) -> ExitCode,
}

const VERBS: &[Verb] = &[
    Verb { word: DEFAULT, least: 0, most: 0, run: running::time },
    Verb { word: "blame", least: 0, most: 0, run: running::blame },
    Verb { word: "critical-chain", least: 0, most: usize::MAX, run: running::critical_chain },
    Verb { word: "plot", least: 0, most: 0, run: running::plot },
    Verb { word: "dot", least: 0, most: usize::MAX, run: running::dot },
    Verb { word: "dump", least: 0, most: usize::MAX, run: running::dump },
    Verb { word: "log-level", least: 0, most: 1, run: running::log_level },
    Verb { word: "get-log-level", least: 0, most: 0, run: running::log_level },
    Verb { word: "set-log-level", least: 1, most: 1, run: running::log_level },
    Verb { word: "log-target", least: 0, most: 1, run: running::log_target },
    Verb { word: "get-log-target", least: 0, most: 0, run: running::log_target },
    Verb { word: "set-log-target", least: 1, most: 1, run: running::log_target },
    Verb { word: "service-watchdogs", least: 0, most: 1, run: running::service_watchdogs },
    Verb { word: "compare-versions", least: 2, most: 3, run: versions::compare_versions },
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

/// What is done without a word.
const DEFAULT: &str = "time";

/// Verbs of systemd-analyze that are not supported, and what to use.
const REFUSED: &[(&str, &str)] = &[
    (
        "filesystems",
        "it lists what RestrictFileSystems= takes, which needs BPF and is not acted on; see /proc/filesystems",
    ),
    ("inspect-elf", "use readelf --notes FILE"),
];

fn run(options: &Options, words: &[String], judge: &times::Judge) -> Result<ExitCode, Stop> {
    let word = words.first().map_or(DEFAULT, String::as_str);
    if word == "help" {
        return Err(Stop::Show(HELP.to_owned()));
    }
    let Some(verb) = VERBS.iter().find(|verb| verb.word == word) else {
        let refused = REFUSED.iter().find(|(verb, _)| *verb == word);
        return Err(Stop::Refuse(match refused {
            Some((_, instead)) => format!("{word} is not supported: {instead}."),
            None => format!("Unknown command verb {word}."),
        }));
    };
    if let Some(text) = misplaced(options, word) {
        return Err(Stop::Refuse(text));
    }
    match words.len().saturating_sub(1) {
        few if few < verb.least => Err(Stop::Refuse("Too few arguments.".to_owned())),
        many if many > verb.most => Err(Stop::Refuse("Too many arguments.".to_owned())),
        _ => Ok((verb.run)(options, words.get(1..).unwrap_or_default(), judge)),
    }
}

/// What is wrong with options that are not for this verb; others that say nothing to it are passed over.
fn misplaced(options: &Options, word: &str) -> Option<String> {
    let security = &options.security;
    let is_security = word == "security";
    let is_rooted = options.root.as_deref().is_some_and(|root| !["", "/"].contains(&root));
    let takes_root = ["cat-config", "condition"].contains(&word) || (is_security && security.offline);
    let is_json = security.format.is_some_and(|format| format != security::Format::Table);
    let global = options.scope == Some(places::Scope::Global) && !["dot", "unit-paths"].contains(&word);
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
    value("from-pattern"),
    value("fuzz"),
    flag("global"),
    flag("help"),
    value("iterations"),
    value("json"),
    flag("no-pager"),
    value("offline"),
    flag("order"),
    value("profile"),
    flag("quiet"),
    flag("require"),
    value("root"),
    value("security-policy"),
    flag("system"),
    value("threshold"),
    value("to-pattern"),
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
            Given::Long("fuzz", text) => {
                let bad = |bad| Stop::Refuse(format!("Failed to parse --fuzz= parameter: {text}: {bad}"));
                options.fuzz = eudaemon_unit::values::parse_timespan(&text).map_err(bad)?.0;
            }
            Given::Long("from-pattern", pattern) => options.from_patterns.push(pattern),
            Given::Long("to-pattern", pattern) => options.to_patterns.push(pattern),
            Given::Long("order", _) => options.edges = running::Edges::Order,
            Given::Long("require", _) => options.edges = running::Edges::Require,
            Given::Long("quiet", _) | Given::Short('q') => options.quiet = true,
            Given::Long("unit", name) => options.unit = Some(name),
            Given::Long("security-policy", path) => options.security.policy = Some(path),
            Given::Long("profile", name) => options.security.profile = Some(name),
            Given::Long("root", path) => options.root = Some(path),
            Given::Long("system", _) => options.scope = Some(places::Scope::System),
            Given::Long("user", _) => options.scope = Some(places::Scope::User),
            Given::Long("global", _) => options.scope = Some(places::Scope::Global),
            Given::Long("help", _) | Given::Short('h') => return Err(Stop::Show(HELP.to_owned())),
            Given::Long("version", _) => return Err(Stop::Show(version())),
            // There is no pager.
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

Say how a boot went, what units and their files mean, and what names, times
and paths stand for.

Of the running manager:
  [time]                     Say how long the boot took
  blame                      List units by how long their start took
  critical-chain [UNIT...]   Show which units a unit waited for
  plot                       Draw the boot as SVG
  dot [PATTERN...]           Draw what needs and follows what, for dot(1)
  dump [PATTERN...]          Show the manager's state
  security [UNIT...]         Say how much of the system the processes of
                             services can reach
  log-level [LEVEL]          Get or set what the manager says
  log-target [TARGET]        Get or set where it says it
  service-watchdogs [BOOL]   Get or set whether watchdogs are minded

Without a manager:
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
  compare-versions V1 [OP] V2
                             Say which version is newer
  security --offline=true FILE...
                             As above, of unit files
  verify FILE...             Check unit files: verify --help says more

Options:
     --fuzz=SPAN             With critical-chain: units, too, that were up
                             so much earlier
     --order, --require      With dot: only these edges
     --from-pattern=GLOB     With dot: only edges from these units
     --to-pattern=GLOB       With dot: only edges to these units
     --offline=BOOL          With security: read unit files
     --threshold=N           With security: fail if a unit is exposed by
                             more than N tenths
     --security-policy=PATH  With security: other weights and descriptions
     --json=pretty|short|off With security: write JSON
     --profile=NAME|PATH     With security --offline=true: lay a profile over
                             the units
     --unit=UNIT             With condition: those of a unit
     --iterations=N          Show the specified number of iterations
     --base-time=TIMESTAMP   Calculate calendar times relative to
                             specified time
     --system                Operate on system systemd instance
     --user                  Operate on user systemd instance
     --global                Operate on global user configuration
     --root=PATH             Operate on an alternate filesystem root
     --no-pager              Accepted: there is no pager
  -q --quiet                 Leave out hints
  -h --help                  Show this help
     --version               Show package version
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
