//! Pressure on memory, CPUs and disks: `[SLICE:]NN%[/TIMESPAN]`. Holds where the kernel tells no pressure.

use super::Circumstances;
use crate::place::Scope;
use eudaemon_unit::name::{UnitKind, UnitName};
use eudaemon_unit::values::number::permyriad;
use std::fs;

/// Where control groups are, in their one hierarchy.
const GROUPS: &str = "/sys/fs/cgroup";

pub fn memory(value: &str, circumstances: &Circumstances) -> Option<bool> {
    is_below(value, "memory", &["full"], circumstances)
}

/// All processes of the machine never wait for a CPU at once.
pub fn cpu(value: &str, circumstances: &Circumstances) -> Option<bool> {
    is_below(value, "cpu", &["full", "some"], circumstances)
}

pub fn io(value: &str, circumstances: &Circumstances) -> Option<bool> {
    is_below(value, "io", &["full"], circumstances)
}

fn is_below(value: &str, resource: &str, lines: &[&str], circumstances: &Circumstances) -> Option<bool> {
    let mut parts = value.split(':').filter(|part| !part.is_empty());
    let (first, second) = (parts.next()?, parts.next());
    let (file, value, lines) = match second {
        // The machine's own line of all processes is there for CPUs too, and always nought.
        None if resource == "cpu" => ("/proc/pressure/cpu".to_owned(), first, &["some"][..]),
        None => (format!("/proc/pressure/{resource}"), first, lines),
        Some(_) if !circumstances.controllers.iter().any(|known| known == resource) => return Some(true),
        Some(value) => {
            let group = group_of(first.trim(), circumstances)?;
            (format!("{GROUPS}{group}/{resource}.pressure"), value, lines)
        }
    };
    let mut parts = value.split('/').filter(|part| !part.is_empty());
    let (limit, time) = (parts.next()?, parts.next());
    let field = window(time)?;
    let limit = permyriad(limit.trim()).filter(|limit| *limit <= 10_000)?;
    let Ok(text) = fs::read_to_string(file) else { return Some(true) };
    let average = |kind: &str| {
        let line = text.lines().find(|line| line.starts_with(kind))?;
        let words = line.split_whitespace().filter_map(|word| word.split_once('='));
        words.filter(|(name, _)| *name == field).find_map(|(_, number)| number.parse::<f64>().ok())
    };
    let average = lines.iter().find_map(|line| average(line));
    Some(average.is_none_or(|average| average <= f64::from(limit) / 100.0))
}

/// The control group of a slice: below the machine's, or below the user's manager.
fn group_of(slice: &str, circumstances: &Circumstances) -> Option<String> {
    let name = UnitName::parse(slice).ok().filter(|name| name.kind() == UnitKind::Slice)?;
    if name.instance().is_some() {
        return None;
    }
    let mut path = match circumstances.scope {
        Scope::System => String::new(),
        Scope::User => {
            let own = fs::read_to_string("/proc/self/cgroup").unwrap_or_default();
            let own = own.lines().find_map(|line| line.strip_prefix("0::")).unwrap_or_default();
            own.strip_suffix("/init.scope").unwrap_or(own).trim_end_matches('/').to_owned()
        }
    };
    if name.stem() == "-" {
        return Some(path);
    }
    let mut stem = String::new();
    for part in name.stem().split('-') {
        if part.is_empty() {
            return None;
        }
        stem = if stem.is_empty() { part.to_owned() } else { format!("{stem}-{part}") };
        path = format!("{path}/{stem}.slice");
    }
    Some(path)
}

/// The kernel's average for a time span; five minutes without one.
fn window(time: Option<&str>) -> Option<&'static str> {
    let Some(time) = time.map(str::trim_start) else { return Some("avg300") };
    let known = [("10sec", "avg10"), ("1min", "avg60"), ("5min", "avg300")];
    known.iter().find(|(span, _)| time.starts_with(span)).map(|(_, name)| *name)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn windows() {
        assert_eq!(
            [window(None), window(Some("1min")), window(Some(" 10sec"))],
            [Some("avg300"), Some("avg60"), Some("avg10")]
        );
        assert_eq!([window(Some("2min")), window(Some("10s")), window(Some("60s"))], [None; 3]);
    }

    #[test]
    fn slices_are_folders_in_folders() {
        let group = |slice| group_of(slice, &Circumstances::none());
        assert_eq!(group("-.slice").as_deref(), Some(""));
        assert_eq!(group("a-b-c.slice").as_deref(), Some("/a.slice/a-b.slice/a-b-c.slice"));
        for bad in ["a", "a.service", "a--b.slice", "-a.slice", "a@b.slice"] {
            assert_eq!(group(bad), None, "{bad}");
        }
    }

    #[test]
    fn values() {
        let judged = |value| memory(value, &Circumstances::none());
        for well in ["100%", ":100%", "100%/", "/100%", "100% /5min", "100%/1min/2", "1000‰", "a:b"] {
            assert_eq!(judged(well), Some(true), "{well}");
        }
        for bad in ["", ":", "101%", "10", "10%/2min", "-1%", "x"] {
            assert_eq!(judged(bad), None, "{bad}");
        }
    }
}
