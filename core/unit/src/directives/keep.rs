//! Directives that nobody acts on yet: their values are read and checked like any other, and kept as text
//! in the form in which `systemctl show` prints them where that is simple.

use super::line::Want;
use super::{Draft, Kind, Line};
use crate::specifier::{Allowed, expand};
use crate::values::cpuset::{format_cpuset, parse_cpuset};
use crate::values::size::{Steps, parse_size};
use crate::values::{Bad, format_timespan, number};

/// The setter of such a directive.
pub(super) fn keep(d: &mut Draft, l: &mut Line<'_>) {
    if let Some(value) = l.checked() {
        match value {
            Checked::Reset => l.reset(d),
            Checked::One(value) => l.keep_one(d, value),
            Checked::More(values) => l.keep_more(d, values),
        }
    }
}

/// Directives that take an empty value although others like them do not.
const RESET_BY_NOTHING: &[&str] = &["TTYColumns", "TTYRows"];

/// A value that is right.
enum Checked {
    /// Back to nothing.
    Reset,
    /// Takes the place of what was there.
    One(String),
    /// Adds to what was there.
    More(Vec<String>),
}

impl Checked {
    /// What is the default anyway is not kept: it asks for nothing.
    fn unless(is_default: bool, value: &str) -> Checked {
        if is_default { Checked::Reset } else { Checked::One(value.to_owned()) }
    }
}

impl Line<'_> {
    pub fn reset(&self, d: &mut Draft) {
        d.kept.reset(self.section, self.key);
    }

    pub fn keep_one(&self, d: &mut Draft, value: String) {
        d.kept.set(self.section, self.key, value);
    }

    /// One value for each device.
    pub fn keep_for(&self, d: &mut Draft, device: &str, value: Option<String>) {
        d.kept.set_for(self.section, self.key, device, value);
    }

    pub fn keep_more(&self, d: &mut Draft, values: Vec<String>) {
        if !values.is_empty() {
            d.kept.add(self.section, self.key, values);
        }
    }

    /// A set of CPUs or memory nodes, specifiers replaced but for the nodes of a policy.
    pub fn cpus(&mut self) -> Option<Vec<(u32, u32)>> {
        let text = if self.key == "NUMAMask" { self.value.to_owned() } else { self.text()? };
        let complaint = match (parse_cpuset(&text), text.contains('"')) {
            (_, true) => format!("Invalid value for {}: {text}", self.key),
            (Ok(set), false) => return Some(set),
            (Err((Bad::Range, word)), false) => format!("Cannot add CPU {word} to set: {}", Bad::Range),
            (Err((_, word)), false) => format!("Failed to parse CPU affinity '{word}'"),
        };
        self.warn(complaint);
        None
    }

    /// A set of CPUs or memory nodes that each line adds to; `unparsed` is said of what is none.
    pub fn keep_cpus(&mut self, d: &mut Draft) -> Option<()> {
        if self.is_empty() {
            self.reset(d);
            return Some(());
        }
        let is_set = |kept: &&str| kept.bytes().next().is_some_and(|byte| byte.is_ascii_digit());
        let before = d.kept.values(self.key).next().filter(is_set).unwrap_or("").to_owned();
        let set = self.cpus()?;
        // Both parts were sets before.
        let all = parse_cpuset(&format!("{before} {}", format_cpuset(&set))).unwrap_or(set);
        self.keep_one(d, format_cpuset(&all));
        Some(())
    }

    fn checked(&mut self) -> Option<Checked> {
        let one = |value: Option<String>| value.map(Checked::One);
        match self.kind {
            Kind::Boolean | Kind::Unsigned if self.is_empty() && RESET_BY_NOTHING.contains(&self.key) => {
                Some(Checked::Reset)
            }
            Kind::Boolean => self.boolean().map(|yes| Checked::unless(!yes, "yes")),
            Kind::BooleanYes => self.boolean().map(|yes| Checked::unless(yes, "no")),
            Kind::Span(what) => one(self.span(what).map(format_timespan)),
            Kind::Timeout(what) => one(self.timeout(what).map(format_timespan)),
            Kind::Wait => one(self.span("sec value").map(format_timespan)),
            Kind::Unsigned | Kind::Count => one(self.unsigned().map(|number| number.to_string())),
            Kind::Mode => one(self.mode().map(|mode| format!("{mode:04o}"))),
            Kind::Signal => one(self.signal().map(|signal| signal.to_string())),
            Kind::Integer(what) => self.checked_integer(what),
            Kind::Size => one(self.size().map(|size| size.to_string())),
            Kind::OneOf(_, _) if self.is_empty() && RESET_BY_NOTHING.contains(&self.key) => {
                Some(Checked::Reset)
            }
            Kind::OneOf(_, words) => self.one_of(words).map(|word| Checked::unless(word == words[0], word)),
            Kind::Path => self.path().map(|path| path.map_or(Checked::Reset, Checked::One)),
            Kind::Text | Kind::Action | Kind::Condition | Kind::Limit | Kind::Word(_) => {
                match self.is_empty() {
                    true => Some(Checked::Reset),
                    false => one(self.text()),
                }
            }
            Kind::Lines if self.is_empty() => Some(Checked::Reset),
            Kind::Lines => self.text().map(|line| Checked::More(vec![line])),
            Kind::Words | Kind::Paths | Kind::Units | Kind::Commands if self.is_empty() => {
                Some(Checked::Reset)
            }
            Kind::Words | Kind::Units => Some(Checked::More(self.expanded_names())),
            Kind::Paths => Some(Checked::More(self.checked_paths())),
            Kind::Commands => self.text().map(|line| Checked::More(vec![line])),
        }
    }

    fn checked_integer(&mut self, what: &str) -> Option<Checked> {
        match number::integer(self.value) {
            Ok(value) => Some(Checked::One(value.to_string())),
            Err(_) => {
                self.unparsed(what);
                None
            }
        }
    }

    /// A size in bytes.
    pub fn size(&mut self) -> Option<u64> {
        match parse_size(self.value, Steps::Of1024) {
            Ok(size) => Some(size),
            Err(bad) => {
                self.warn(format!("Failed to parse size value '{}', ignoring: {bad}", self.value));
                None
            }
        }
    }

    pub fn one_of(&mut self, words: &'static [&'static str]) -> Option<&'static str> {
        let yes = words.contains(&"yes") && crate::values::boolean(self.value) == Some(true);
        let no = words.contains(&"no") && crate::values::boolean(self.value) == Some(false);
        match words.iter().find(|word| **word == self.value) {
            Some(word) => Some(word),
            None if yes => Some("yes"),
            None if no => Some("no"),
            None => {
                self.no_word(words);
                None
            }
        }
    }

    fn expanded_names(&mut self) -> Vec<String> {
        let names = self.names();
        names.iter().filter_map(|name| self.expanded(name, Allowed::All)).collect()
    }

    /// Absolute paths, each after `-` (may be missing) and `+` (below RootDirectory=) if wanted.
    fn checked_paths(&mut self) -> Vec<String> {
        let mut paths = Vec::new();
        for name in self.names() {
            let bare = name.strip_prefix('-').unwrap_or(&name);
            let bare = bare.strip_prefix('+').unwrap_or(bare);
            let prefix = &name[..name.len() - bare.len()];
            let text = match expand(bare, self.scope, Allowed::All) {
                Ok(text) => text.into_owned(),
                Err(bad) => {
                    self.warn(format!("Failed to resolve unit specifiers in {bare}: {bad}"));
                    continue;
                }
            };
            let Some(path) = self.checked_path(text, Want::Absolute) else { continue };
            paths.push(format!("{prefix}{path}"));
        }
        paths
    }
}
