//! The options: one row each in [`FLAGS`], from which reading and the help come; values in [`Options`].

use super::Stop;
use super::verbs::{Needs, Verb, VerbRow};
use crate::CalledAs;
use crate::text::signal;
use crate::unit_name;
use eudaemon_engine::api::Resource;
use std::ffi::OsString;
use std::path::PathBuf;

/// Whose manager is meant.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Scope {
    System,
    User,
}

/// `--output`, as far as it concerns lists: the journal formats are in [`JournalFormat`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Output {
    Table,
    Json,
    JsonPretty,
}

/// `--output` for the log lines of `status`: a word that `journalctl -o` knows.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct JournalFormat(pub String);

/// `--timestamp`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Timestamps {
    Pretty,
    PrettyMicroseconds,
    Utc,
    UtcMicroseconds,
    Unix,
}

macro_rules! flags {
    ($($flag:ident $short:tt $long:literal $value:tt $summary:literal;)*) => {
        #[derive(Clone, Copy, Debug, PartialEq, Eq)]
        pub enum Flag { $($flag),* }

        pub const FLAGS: &[FlagRow] = &[$(FlagRow {
            flag: Flag::$flag,
            short: flags!(@short $short),
            long: $long,
            value: flags!(@value $value),
            summary: $summary,
        }),*];
    };
    (@short -) => { None };
    (@short $short:literal) => { Some($short) };
    (@value -) => { None };
    (@value $value:literal) => { Some($value) };
}

#[derive(Debug)]
pub struct FlagRow {
    pub flag: Flag,
    pub short: Option<char>,
    pub long: &'static str,
    /// What the value is called; `None` where the option takes none.
    pub value: Option<&'static str>,
    /// Empty for options kept only because scripts pass them.
    pub summary: &'static str,
}

flags! {
    Help 'h' "help" - "This text";
    Version - "version" - "The version";
    System - "system" - "The system's manager";
    User - "user" - "The caller's own manager";
    Host 'H' "host" "HOST" "";
    Machine 'M' "machine" "NAME" "";
    Type 't' "type" "TYPE,…" "Units of these types only";
    State - "state" "STATE,…" "Units in these load, sub or active states only";
    Failed - "failed" - "The same as --state=failed";
    All 'a' "all" - "Show also what is down or empty, and of a plan what needs nothing";
    Property 'p' "property" "NAME,…" "Show these properties only";
    PropertyValue 'P' "property-value" "NAME,…" "The same as --value --property=NAME";
    Value - "value" - "Show values without names";
    Full 'l' "full" - "Cut nothing";
    Recursive 'r' "recursive" - "";
    Reverse - "reverse" - "Show what depends on a unit";
    After - "after" - "Show what a unit is ordered after";
    Before - "before" - "Show what a unit is ordered before";
    WithDependencies - "with-dependencies" - "";
    JobMode - "job-mode" "MODE" "How a new job meets those under way";
    ShowTransaction 'T' "show-transaction" - "Show every job that a job brings with it";
    NoBlock - "no-block" - "Do not wait for jobs to end";
    Wait - "wait" - "Wait until units are down again, or the system is up";
    NoWarn - "no-warn" - "";
    Quiet 'q' "quiet" - "No text, exit code only";
    Signal 's' "signal" "SIGNAL" "Which signal";
    KillWhom - "kill-whom" "WHOM" "Which processes: main, control or all";
    KillWho - "kill-who" "WHOM" "";
    What - "what" "WHAT,…" "Which of it: runtime, state, cache, logs, configuration, fdstore, all; else runtime and cache";
    Now - "now" - "Start or stop the units as well";
    Runtime - "runtime" - "Until the next boot only";
    Force 'f' "force" - "Overwrite links; end at once (twice: without asking the manager)";
    PresetMode - "preset-mode" "MODE" "enable-only, disable-only or full";
    Root - "root" "DIR" "Work on the unit files below DIR";
    NoReload - "no-reload" - "Do not reload after a change of unit files";
    Lines 'n' "lines" "NUMBER" "How many log lines";
    Output 'o' "output" "FORMAT" "json, json-pretty, or a format of journalctl";
    Json - "json" - "The same as --output=json";
    Timestamp - "timestamp" "FORMAT" "pretty, us, utc, us+utc or unix";
    Plain - "plain" - "A list, no tree and no dots";
    NoLegend - "no-legend" - "No header and no footer";
    Legend - "legend" "BOOL" "";
    NoPager - "no-pager" - "";
    NoWall - "no-wall" - "";
    NoAskPassword - "no-ask-password" - "";
    IgnoreInhibitors 'i' "ignore-inhibitors" - "";
    CheckInhibitors - "check-inhibitors" "WHEN" "";
    DryRun - "dry-run" - "Say what would be done, for verbs that start and stop";
    Message - "message" "TEXT" "";
    Fail - "fail" - "";
    Irreversible - "irreversible" - "";
    IgnoreDependencies - "ignore-dependencies" - "";
}

macro_rules! options {
    ($($field:ident: $type:ty = $default:expr;)*) => {
        #[derive(Clone, Debug)]
        pub struct Options { pub scope: Scope, pub any_given: bool, $(pub $field: $type),* }

        impl Options {
            fn new(scope: Scope) -> Options {
                Options { scope, any_given: false, $($field: $default),* }
            }

            /// The fields that differ, for tests and for `--dry-run`'s reader.
            #[cfg(test)]
            pub fn differences(&self, other: &Options) -> Vec<String> {
                let mut shown = Vec::new();
                $(if self.$field != other.$field {
                    shown.push(format!("{}={:?}", stringify!($field), self.$field));
                })*
                shown
            }
        }
    };
}

options! {
    types: Vec<String> = Vec::new();
    states: Vec<String> = Vec::new();
    properties: Vec<String> = Vec::new();
    value: bool = false;
    all: bool = false;
    full: bool = false;
    quiet: bool = false;
    reverse: bool = false;
    after: bool = false;
    before: bool = false;
    plain: bool = false;
    legend: Option<bool> = None;
    no_block: bool = false;
    wait: bool = false;
    no_warn: bool = false;
    show_transaction: bool = false;
    job_mode: String = "replace".to_owned();
    kill_whom: String = "all".to_owned();
    signal: i32 = signal::TERM;
    what: Vec<String> = Vec::new();
    now: bool = false;
    runtime: bool = false;
    no_reload: bool = false;
    force: u8 = 0;
    preset_mode: String = "full".to_owned();
    root: Option<PathBuf> = None;
    lines: Option<usize> = None;
    output: Output = Output::Table;
    journal_format: Option<JournalFormat> = None;
    timestamps: Timestamps = Timestamps::Pretty;
    dry_run: bool = false;
}

impl Options {
    /// systemctl means the system unless told otherwise; eudaemon means the caller's own manager.
    pub fn for_caller(called_as: CalledAs) -> Options {
        let root = rustix::process::geteuid().is_root();
        Options::new(match called_as {
            CalledAs::Eudaemon if !root => Scope::User,
            CalledAs::Eudaemon | CalledAs::Systemctl => Scope::System,
        })
    }

    /// Options that a verb cannot honour are refused rather than ignored.
    pub fn check(&self, row: &VerbRow) -> Result<(), Stop> {
        if self.root.is_some() && row.needs != Needs::Files && row.verb != Verb::Help {
            return Err(Stop::Refuse(format!(
                "Verb '{}' cannot be used with --root= or --image=.",
                row.word
            )));
        }
        if self.wait && !matches!(row.verb, Verb::Start | Verb::Restart | Verb::IsSystemRunning) {
            return Err(Stop::Refuse(
                "--wait may only be used with the 'start' or 'restart' commands.".to_owned(),
            ));
        }
        Ok(())
    }

    /// Whether tables have a header and a footer: as said, else unless all is to be quiet.
    pub fn legend(&self) -> bool {
        self.legend.unwrap_or(!self.quiet)
    }

    /// Whether nothing but the words of a table is to be shown.
    pub fn json(&self) -> bool {
        self.output != Output::Table
    }
}

/// Reads all options out of `arguments` and returns the words that are none.
pub fn read(
    arguments: Vec<OsString>,
    options: &mut Options,
    called_as: CalledAs,
) -> Result<Vec<String>, Stop> {
    let word = called_as.word();
    let mut parser = lexopt::Parser::from_args(arguments);
    let mut words: Vec<String> = Vec::new();
    let mut help_asked = false;
    let mut whose_said = false;
    while let Some(argument) = parser.next().map_err(|error| Stop::Refuse(format!("{word}: {error}")))? {
        let row = match argument {
            lexopt::Arg::Value(value) => {
                words.push(value.to_string_lossy().into_owned());
                continue;
            }
            lexopt::Arg::Short(short) => find(|row| row.short == Some(short))
                .ok_or_else(|| Stop::Refuse(format!("{word}: invalid option -- '{short}'")))?,
            lexopt::Arg::Long(long) => by_long(long, word)?,
        };
        let value = match row.value {
            Some(_) => {
                Some(parser.value().map(|value| value.to_string_lossy().into_owned()).map_err(|_| {
                    Stop::Refuse(format!("{word}: option '--{}' requires an argument", row.long))
                })?)
            }
            None => None,
        };
        options.any_given = true;
        if row.flag == Flag::Help {
            // Of which verb, a later word may say.
            help_asked = true;
            continue;
        }
        whose_said |= matches!(row.flag, Flag::System | Flag::User);
        apply(row.flag, value.unwrap_or_default(), options, called_as)?;
    }
    if options.root.is_some() && !whose_said {
        // An image's units are the machine's, whoever builds it: nothing of the builder is written into it.
        options.scope = Scope::System;
    }
    if help_asked {
        return Err(match (words.first(), called_as) {
            (Some(verb), _) if super::verbs::find(verb).is_some() => {
                Stop::Show(super::help::describe(verb, called_as).unwrap_or_default())
            }
            // systemctl shows its help whatever the word is.
            (Some(word), CalledAs::Eudaemon) => Stop::Refuse(super::verbs::unknown(word, called_as)),
            (Some(_), CalledAs::Systemctl) | (None, _) => Stop::Show(super::help::overview(called_as)),
        });
    }
    Ok(words)
}

/// Where the first word stands that is no option and no option's value.
pub fn first_word(arguments: &[OsString]) -> Option<usize> {
    let mut rest = arguments.iter().enumerate();
    while let Some((at, argument)) = rest.next() {
        let Some(text) = argument.to_str().filter(|text| text.len() > 1 && text.starts_with('-')) else {
            return Some(at);
        };
        let row = match text.strip_prefix("--") {
            Some("") => return None,
            Some(long) if long.contains('=') => None,
            Some(long) => by_long(long, "").ok(),
            None => text.chars().last().and_then(|short| find(|row| row.short == Some(short))),
        };
        if row.is_some_and(|row| row.value.is_some()) {
            rest.next();
        }
    }
    None
}

fn find(accept: impl Fn(&FlagRow) -> bool) -> Option<&'static FlagRow> {
    FLAGS.iter().find(|row| accept(row))
}

/// The option of that name, or the only one that begins so, as getopt_long(3) has it.
fn by_long(long: &str, word: &str) -> Result<&'static FlagRow, Stop> {
    if let Some(row) = find(|row| row.long == long) {
        return Ok(row);
    }
    let mut near = FLAGS.iter().filter(|row| row.long.starts_with(long));
    match (near.next(), near.next()) {
        (Some(row), None) => Ok(row),
        (Some(row), Some(_)) if row.long == "property" => Ok(row),
        (Some(row), Some(_)) if row.long == "kill-whom" => Ok(row),
        (Some(_), Some(_)) => Err(Stop::Refuse(format!("{word}: option '--{long}' is ambiguous"))),
        (None, _) => Err(Stop::Refuse(format!("{word}: unrecognized option '--{long}'"))),
    }
}

fn apply(flag: Flag, value: String, options: &mut Options, called_as: CalledAs) -> Result<(), Stop> {
    let refuse = |text: String| Err(Stop::Refuse(text));
    match flag {
        Flag::Help => return Err(Stop::Show(super::help::overview(called_as))),
        Flag::Version => return Err(Stop::Show(super::help::version(called_as))),
        Flag::System => options.scope = Scope::System,
        Flag::User => options.scope = Scope::User,
        Flag::Host | Flag::Machine => {
            return refuse("Operating on another machine (-H, -M) is not supported.".to_owned());
        }
        Flag::Type => add_types(&value, options)?,
        Flag::State => options.states.extend(listed(&value)),
        Flag::Failed => options.states.push("failed".to_owned()),
        Flag::All => options.all = true,
        Flag::Property => add_properties(&value, options),
        Flag::PropertyValue => {
            add_properties(&value, options);
            options.value = true;
        }
        Flag::Value => options.value = true,
        Flag::Full => options.full = true,
        Flag::Reverse => options.reverse = true,
        Flag::After => options.after = true,
        Flag::Before => options.before = true,
        Flag::JobMode => options.job_mode = value,
        Flag::Fail => options.job_mode = "fail".to_owned(),
        Flag::Irreversible => options.job_mode = "replace-irreversibly".to_owned(),
        Flag::IgnoreDependencies => options.job_mode = "ignore-dependencies".to_owned(),
        Flag::ShowTransaction => options.show_transaction = true,
        Flag::NoBlock => options.no_block = true,
        Flag::Wait => options.wait = true,
        Flag::NoWarn => options.no_warn = true,
        Flag::Quiet => options.quiet = true,
        Flag::Signal => match signal::by_name(&value) {
            Some(number) => options.signal = number,
            None => return refuse(format!("Failed to parse signal string \"{value}\".")),
        },
        Flag::KillWhom | Flag::KillWho => options.kill_whom = value,
        Flag::What => {
            if value.is_empty() {
                return refuse("--what= requires arguments (see --what=help).".to_owned());
            } else if value.split(',').any(|word| word == "help") {
                let words = Resource::ALL.iter().map(|resource| format!("{}\n", resource.word()));
                return Err(Stop::Show(words.collect()));
            }
            options.what.extend(value.split(',').map(str::to_owned));
        }
        Flag::Now => options.now = true,
        Flag::Runtime => options.runtime = true,
        Flag::Force => options.force = options.force.saturating_add(1),
        Flag::PresetMode => match value.as_str() {
            "full" | "enable-only" | "disable-only" => options.preset_mode = value,
            _ => return refuse(format!("Failed to parse preset mode: {value}.")),
        },
        Flag::Root => options.root = Some(PathBuf::from(value)),
        Flag::NoReload => options.no_reload = true,
        Flag::Lines => match value.parse() {
            Ok(lines) => options.lines = Some(lines),
            Err(_) => return refuse(format!("Failed to parse lines '{value}'")),
        },
        Flag::Output => {
            match value.as_str() {
                "json" => options.output = Output::Json,
                "json-pretty" => options.output = Output::JsonPretty,
                _ => options.output = Output::Table,
            }
            options.journal_format = Some(JournalFormat(value));
        }
        Flag::Json => options.output = Output::Json,
        Flag::Timestamp => match timestamps(&value) {
            Some(style) => options.timestamps = style,
            None => return refuse(format!("Invalid value: {value}.")),
        },
        Flag::Plain => options.plain = true,
        Flag::NoLegend => options.legend = Some(false),
        Flag::Legend => match value.as_str() {
            "yes" | "y" | "true" | "t" | "on" | "1" => options.legend = Some(true),
            "no" | "n" | "false" | "f" | "off" | "0" => options.legend = Some(false),
            _ => return refuse(format!("Failed to parse boolean argument to --legend=: {value}.")),
        },
        Flag::DryRun => options.dry_run = true,
        // Nothing here asks for a password, pages, writes to other terminals or descends into containers.
        Flag::Recursive
        | Flag::WithDependencies
        | Flag::NoPager
        | Flag::NoWall
        | Flag::NoAskPassword
        | Flag::IgnoreInhibitors
        | Flag::CheckInhibitors
        | Flag::Message => {}
    }
    Ok(())
}

fn listed(value: &str) -> impl Iterator<Item = String> + '_ {
    value.split(',').map(str::trim).filter(|item| !item.is_empty()).map(str::to_owned)
}

/// Who names a property wants to see it, empty or not.
fn add_properties(value: &str, options: &mut Options) {
    options.all = true;
    options.properties.extend(listed(value));
}

fn add_types(value: &str, options: &mut Options) -> Result<(), Stop> {
    for item in listed(value) {
        if item == "help" {
            let types: Vec<&str> = unit_name::TYPES.to_vec();
            let title = if options.legend() { "Available unit types:\n" } else { "" };
            return Err(Stop::Show(format!("{title}{}\n", types.join("\n"))));
        } else if unit_name::TYPES.contains(&item.as_str()) {
            options.types.push(item);
        } else if LOAD_STATES.contains(&item.as_str()) {
            options.states.push(item);
        } else {
            return Err(Stop::Refuse(format!(
                "Unknown unit type or load state '{item}'.\nUse -t help to see a list of allowed values."
            )));
        }
    }
    Ok(())
}

const LOAD_STATES: &[&str] = &["stub", "loaded", "not-found", "bad-setting", "error", "merged", "masked"];

fn timestamps(word: &str) -> Option<Timestamps> {
    Some(match word {
        "pretty" => Timestamps::Pretty,
        "us" | "µs" => Timestamps::PrettyMicroseconds,
        "utc" => Timestamps::Utc,
        "us+utc" | "µs+utc" => Timestamps::UtcMicroseconds,
        "unix" => Timestamps::Unix,
        _ => return None,
    })
}
