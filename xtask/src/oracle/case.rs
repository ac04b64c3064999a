//! A case: units, and what is asked of the manager step by step. Its text is what goes into the machines and what is
//! printed as a reproduction:
//!
//! ```text
//! unit a.service
//! | [Unit]
//! | Requires=b.target
//! start a.service replace
//! release 0 1
//! ```

use super::wide;
use anyhow::{Context, Result};
use std::collections::{BTreeMap, BTreeSet};
use std::fmt;

/// The first step of a case whose units nothing holds in memory.
pub const UNHELD: &str = "unheld";

#[derive(Debug, Clone, PartialEq)]
pub struct Case {
    pub units: Vec<UnitText>,
    /// Words: a verb and what it is about. `drive` says what they mean.
    pub steps: Vec<Vec<String>>,
}

#[derive(Debug, Clone, PartialEq)]
pub struct UnitText {
    pub name: String,
    pub lines: Vec<String>,
}

impl Case {
    pub fn parse(text: &str) -> Result<Case> {
        let mut case = Case { units: Vec::new(), steps: Vec::new() };
        for line in text.lines().map(str::trim).filter(|line| !line.is_empty() && !line.starts_with('#')) {
            if let Some(name) = line.strip_prefix("unit ") {
                case.units.push(UnitText { name: name.to_owned(), lines: Vec::new() });
            } else if let Some(text) = line.strip_prefix('|') {
                let unit = case.units.last_mut().context("a line of no unit")?;
                unit.lines.push(text.trim().to_owned());
            } else {
                case.steps.push(line.split_whitespace().map(str::to_owned).collect());
            }
        }
        Ok(case)
    }

    /// The same case under names that no other case of the machine has. What is said of it has the prefix too.
    pub fn renamed(&self, prefix: &str) -> Case {
        let mut names: BTreeMap<String, String> = BTreeMap::new();
        for name in self.names() {
            let new = format!("{prefix}{name}");
            if name.ends_with(".mount") {
                names.insert(wide::path(name), wide::path(&new));
            }
            names.insert(name.to_owned(), new);
        }
        let word = |word: &str| names.get(word).cloned().unwrap_or_else(|| word.to_owned());
        let line = |line: &String| {
            let (key, value) = line.split_once('=').unwrap_or((line, ""));
            let words: Vec<String> = value.split(' ').map(word).collect();
            if line.contains('=') { format!("{key}={}", words.join(" ")) } else { line.clone() }
        };
        let unit = |unit: &UnitText| UnitText {
            name: word(&unit.name),
            lines: unit.lines.iter().map(line).collect(),
        };
        let step = |step: &Vec<String>| step.iter().map(line).map(|part| word(&part)).collect();
        Case { units: self.units.iter().map(unit).collect(), steps: self.steps.iter().map(step).collect() }
    }

    /// Whether its units may be forgotten when nobody needs them.
    pub fn is_unheld(&self) -> bool {
        self.steps.first().is_some_and(|step| *step == [UNHELD])
    }

    pub fn names(&self) -> impl Iterator<Item = &str> {
        self.units.iter().map(|unit| unit.name.as_str())
    }

    /// Pairs of units that one line puts into an order.
    pub fn ordered_pairs(&self) -> BTreeSet<(&str, &str)> {
        let names: BTreeSet<&str> = self.names().collect();
        let mut pairs = BTreeSet::new();
        for unit in &self.units {
            let values = unit
                .lines
                .iter()
                .filter_map(|line| line.strip_prefix("After=").or_else(|| line.strip_prefix("Before=")));
            for other in values.flat_map(str::split_whitespace).filter(|other| names.contains(other)) {
                let pair = [unit.name.as_str(), other];
                pairs.insert((pair[0].min(pair[1]), pair[0].max(pair[1])));
            }
        }
        pairs
    }
}

impl fmt::Display for Case {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        for unit in &self.units {
            writeln!(out, "unit {}", unit.name)?;
            for line in &unit.lines {
                writeln!(out, "| {line}")?;
            }
        }
        for step in &self.steps {
            writeln!(out, "{}", step.join(" "))?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const TEXT: &str = "\
unit a.service
| [Unit]
| After=b.target missing.service
| [Service]
| ExecStart=/bin/gate a.service start
unit b.target
start a.service replace
release 0 1
";

    #[test]
    fn a_text_is_its_case() {
        assert_eq!(Case::parse(TEXT).unwrap().to_string(), TEXT);
    }

    #[test]
    fn names_are_changed_wherever_they_are_whole_words() {
        let case = Case::parse(TEXT).unwrap().renamed("o1-");
        assert_eq!(case.units[0].lines[1], "After=o1-b.target missing.service");
        assert_eq!(case.units[0].lines[3], "ExecStart=/bin/gate o1-a.service start");
        assert_eq!(case.steps[0], ["start", "o1-a.service", "replace"]);
        assert_eq!(case.ordered_pairs(), BTreeSet::from([("o1-a.service", "o1-b.target")]));
    }
}
