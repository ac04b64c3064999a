//! Pressure on memory, CPUs and disks: `[SLICE:]NN%[/TIMESPAN]`. Holds where the kernel tells no pressure.

use super::Circumstances;
use eudaemon_unit::span::Span;
use eudaemon_unit::values::number::permyriad;
use eudaemon_unit::values::parse_timespan;
use std::fs;

pub fn memory(value: &str, _: &Circumstances) -> Option<bool> {
    is_below(value, "/proc/pressure/memory", &["full", "some"])
}

/// All processes never wait for a CPU at once.
pub fn cpu(value: &str, _: &Circumstances) -> Option<bool> {
    is_below(value, "/proc/pressure/cpu", &["some"])
}

pub fn io(value: &str, _: &Circumstances) -> Option<bool> {
    is_below(value, "/proc/pressure/io", &["full", "some"])
}

/// The slice is not looked at: the pressure is the machine's.
fn is_below(value: &str, file: &str, lines: &[&str]) -> Option<bool> {
    let Ok(text) = fs::read_to_string(file) else { return Some(true) };
    let limit = value.rsplit(':').next().unwrap_or(value);
    let (limit, time) = limit.split_once('/').map_or((limit, None), |(limit, time)| (limit, Some(time)));
    let field = window(time)?;
    let limit = f64::from(permyriad(limit)?) / 100.0;
    let average = |kind: &str| {
        let line = text.lines().find(|line| line.starts_with(kind))?;
        let words = line.split_whitespace().filter_map(|word| word.split_once('='));
        words.filter(|(name, _)| *name == field).find_map(|(_, number)| number.parse::<f64>().ok())
    };
    Some(lines.iter().find_map(|line| average(line)).is_none_or(|average| average <= limit))
}

/// The kernel's average for a time span; five minutes without one.
fn window(time: Option<&str>) -> Option<&'static str> {
    let Some(time) = time else { return Some("avg300") };
    let span = parse_timespan(time).ok()?;
    let known = [(10, "avg10"), (60, "avg60"), (300, "avg300")];
    known.iter().find(|(seconds, _)| span == Span::seconds(*seconds)).map(|(_, name)| *name)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn windows() {
        assert_eq!(
            [window(None), window(Some("1min")), window(Some("10s"))],
            [Some("avg300"), Some("avg60"), Some("avg10")]
        );
        assert_eq!(window(Some("2min")), None);
    }
}
