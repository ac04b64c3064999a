//! `calendar`, `timestamp` and `timespan`.

use crate::zone::{Zoneinfo, is_known};
use eudaemon_ctl::{Clock, Timestamps};
use eudaemon_unit::values::calendar::{Utc, parse as parse_calendar};
use eudaemon_unit::values::timestamp::{format_timestamp, parse_timestamp};
use eudaemon_unit::values::{format_timespan, parse_timespan};

pub fn calendar(text: &str, iterations: u32, base: Option<&str>) -> Result<String, String> {
    let calendar = parse_calendar(text, is_known)
        .map_err(|bad| format!("Failed to parse calendar specification '{text}': {bad}"))?;
    let clock = Clock::of_this_machine(Timestamps::Pretty);
    let local = Zoneinfo::local();
    let mut at = match base {
        Some(base) => parse_timestamp(base, clock.now, &local)
            .map_err(|bad| format!("Failed to parse --base-time= parameter: {bad}"))?,
        None => clock.now,
    };
    let normal = calendar.to_string();
    let mut out = String::new();
    if normal != text {
        out.push_str(&format!("  Original form: {text}\n"));
    }
    out.push_str(&format!("Normalized form: {normal}\n"));
    let zone = Zoneinfo::of(&calendar.zone);
    for iteration in 1..=iterations {
        let Some(next) = calendar.next_after(at, &zone) else {
            if iteration == 1 {
                out.push_str("    Next elapse: never\n");
            }
            break;
        };
        at = next;
        let label = if iteration == 1 { "Next elapse".to_owned() } else { format!("Iter. #{iteration}") };
        out.push_str(&format!("{label:>15}: {}\n", shown(at, &local)));
        in_utc(at, &local, &mut out);
        out.push_str(&format!("{:>15}: {}\n", "From now", clock.distance(at).unwrap_or_default()));
    }
    Ok(out)
}

pub fn timestamp(text: &str) -> Result<String, String> {
    let clock = Clock::of_this_machine(Timestamps::Pretty);
    let local = Zoneinfo::local();
    let at = parse_timestamp(text, clock.now, &local)
        .map_err(|bad| format!("Failed to parse \"{text}\": {bad}"))?;
    let mut out =
        format!("{:>15}: {text}\n{:>15}: {}\n", "Original form", "Normalized form", shown(at, &local));
    in_utc(at, &local, &mut out);
    let fraction = match at % 1_000_000 {
        0 => String::new(),
        micros => format!(".{micros:06}"),
    };
    out.push_str(&format!("{:>15}: @{}{fraction}\n", "UNIX seconds", at / 1_000_000));
    out.push_str(&format!("{:>15}: {}\n", "From now", clock.distance(at).unwrap_or_default()));
    Ok(out)
}

pub fn timespan(text: &str) -> Result<String, String> {
    let span = parse_timespan(text).map_err(|bad| format!("Failed to parse time span '{text}': {bad}"))?;
    Ok(format!("Original: {text}\n      μs: {}\n   Human: {}\n", span.0, format_timespan(span)))
}

fn shown(at: u64, zone: &Zoneinfo) -> String {
    format_timestamp(at, zone, &zone.name_at(at))
}

fn in_utc(at: u64, local: &Zoneinfo, out: &mut String) {
    if !local.is_utc() {
        out.push_str(&format!("{:>15}: {}\n", "(in UTC)", format_timestamp(at, &Utc, "UTC")));
    }
}
