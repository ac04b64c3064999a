//! `calendar`, `timestamp`, `timespan`: how a text is read, and what it comes to.

use crate::Options;
use eudaemon_host::zones::Installed;
use eudaemon_unit::limits::ZONE_CHANGES_MAX;
use eudaemon_unit::values::calendar::Calendar;
use eudaemon_unit::values::timestamp::{format_distance, format_timestamp, parse_timestamp};
use eudaemon_unit::values::zones::Zones;
use eudaemon_unit::values::{format_timespan, parse_timespan};
use jiff::Timestamp;
use jiff::tz::TimeZone;
use std::process::ExitCode;
use std::time::{SystemTime, UNIX_EPOCH};

/// The clock and the zone by which texts are judged.
pub struct Judge {
    local: TimeZone,
}

impl Judge {
    pub fn of_this_machine() -> Judge {
        Judge { local: Installed.local() }
    }

    fn now(&self) -> u64 {
        let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
        u64::try_from(since.as_micros()).unwrap_or(u64::MAX)
    }

    pub fn point(&self, text: &str) -> Option<u64> {
        parse_timestamp(text, self.now(), &Installed).ok()
    }

    fn show(&self, point: u64) -> String {
        format_timestamp(point, &self.local).unwrap_or_else(|| "-".to_owned())
    }

    /// A line of its own for UTC, where the local zone is another.
    fn print_in_utc(&self, point: u64) {
        if !in_utc(&self.local) {
            outln!("       (in UTC): {}", format_timestamp(point, &TimeZone::UTC).unwrap_or("-".to_owned()));
        }
    }

    fn print_distance(&self, point: u64) {
        outln!("       From now: {}", format_distance(point, self.now()).unwrap_or_else(|| "-".to_owned()));
    }

    /// Says which other verbs would have known a text.
    fn hint(&self, text: &str, verbs: &[&str]) {
        let understands = |verb: &&&str| match **verb {
            "calendar" => Calendar::parse(text, &Installed).is_ok(),
            "timestamp" => self.point(text).is_some(),
            _ => parse_timespan(text).is_ok(),
        };
        for verb in verbs.iter().filter(understands) {
            let what = if *verb == "calendar" { "calendar specification" } else { *verb };
            eprintln!(
                "Hint: this expression is a valid {what}. Use 'systemd-analyze {verb} \"{text}\"' instead?"
            );
        }
    }
}

/// Whether a zone's clock shows UTC and never knew daylight saving.
fn in_utc(zone: &TimeZone) -> bool {
    let saves = || zone.preceding(Timestamp::MAX).take(ZONE_CHANGES_MAX).any(|change| change.dst().is_dst());
    zone.to_offset_info(Timestamp::MAX).offset().is_zero() && !saves()
}

/// A text as the cell of a table: further lines below its first, and no spaces at its end unless it is the widest.
fn cell(text: &str, column: usize, widest_other: usize) -> String {
    let text = if text.chars().count() < widest_other { text.trim_end() } else { text };
    text.replace('\n', &format!("\n{:column$}", ""))
}

/// An empty line between what is said of one text and of the next.
fn separate(at: usize, texts: &[String]) {
    if at + 1 < texts.len() {
        outln!();
    }
}

pub fn calendar(options: &Options, texts: &[String], judge: &Judge) -> ExitCode {
    let mut code = ExitCode::SUCCESS;
    let base = options.base_time.unwrap_or_else(|| judge.now());
    for (at, text) in texts.iter().enumerate() {
        match Calendar::parse(text, &Installed) {
            Ok(calendar) => show_calendar(&calendar, text, base, options.iterations.unwrap_or(1), judge),
            Err(bad) => {
                eprintln!("Failed to parse calendar specification '{text}': {bad}");
                judge.hint(text, &["timestamp", "timespan"]);
                code = ExitCode::FAILURE;
            }
        }
        separate(at, texts);
    }
    code
}

fn show_calendar(calendar: &Calendar, text: &str, base: u64, iterations: u32, judge: &Judge) {
    let normalized = calendar.to_string();
    if normalized != text {
        outln!("  Original form: {}", cell(text, 17, normalized.len()));
    }
    outln!("Normalized form: {normalized}");
    let Some(rules) = calendar.rules(&Installed) else { return };
    let mut after = base;
    for iteration in 1..=iterations {
        let Some(next) = calendar.next(after, &rules) else {
            if iteration == 1 {
                outln!("    Next elapse: never");
            }
            return;
        };
        let title = if iteration == 1 { "Next elapse".to_owned() } else { format!("Iter. #{iteration}") };
        outln!("{title:>15}: {}", judge.show(next));
        judge.print_in_utc(next);
        judge.print_distance(next);
        after = next;
    }
}

pub fn timestamp(_: &Options, texts: &[String], judge: &Judge) -> ExitCode {
    let mut code = ExitCode::SUCCESS;
    for (at, text) in texts.iter().enumerate() {
        match parse_timestamp(text, judge.now(), &Installed) {
            Ok(point) => {
                let normalized = judge.show(point);
                outln!("  Original form: {}", cell(text, 17, normalized.len()));
                outln!("Normalized form: {normalized}");
                judge.print_in_utc(point);
                let (seconds, part) = (point / 1_000_000, point % 1_000_000);
                let part = if part == 0 { String::new() } else { format!(".{part:06}") };
                outln!("   UNIX seconds: @{seconds}{part}");
                judge.print_distance(point);
            }
            Err(bad) => {
                eprintln!("Failed to parse \"{text}\": {bad}");
                judge.hint(text, &["calendar", "timespan"]);
                code = ExitCode::FAILURE;
            }
        }
        separate(at, texts);
    }
    code
}

/// Unlike the other two this one ends with the first text it cannot read.
pub fn timespan(_: &Options, texts: &[String], judge: &Judge) -> ExitCode {
    for (at, text) in texts.iter().enumerate() {
        let span = match parse_timespan(text) {
            Ok(span) => span,
            Err(bad) => {
                eprintln!("Failed to parse time span '{text}': {bad}");
                judge.hint(text, &["calendar", "timestamp"]);
                return ExitCode::FAILURE;
            }
        };
        let (number, human) = (span.0.to_string(), format_timespan(span));
        outln!("Original: {}", cell(text, 10, number.len().max(human.len())));
        outln!("      {}: {number}", micro());
        outln!("   Human: {human}");
        separate(at, texts);
    }
    ExitCode::SUCCESS
}

/// The unit's name, with the Greek letter where the locale has it.
fn micro() -> &'static str {
    let set = ["LC_ALL", "LC_CTYPE", "LANG"].into_iter().filter_map(std::env::var_os);
    let locale = set.into_iter().find(|value| !value.is_empty()).unwrap_or_default();
    let locale = locale.to_string_lossy().to_ascii_uppercase().replace('-', "");
    if locale.contains("UTF8") { "μs" } else { "us" }
}
