//! Preset files: which units are enabled when they are installed, systemd.preset(5).

use crate::diagnostic::{Diagnostic, Severity};
use crate::files::{SearchPath, Tree, glob, join};
use crate::limits;
use crate::name::UnitName;
use crate::syntax::At;
use std::collections::BTreeMap;
use std::sync::Arc;

/// `--preset-mode=`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PresetMode {
    Full,
    EnableOnly,
    DisableOnly,
}

/// The rules of all preset files, first match first.
#[derive(Clone, Debug, Default)]
pub struct Presets {
    rules: Vec<Rule>,
    /// Lines that are none, in systemd's words.
    odd: Vec<Diagnostic>,
}

#[derive(Clone, Debug)]
struct Rule {
    pattern: String,
    enable: bool,
    instances: Vec<String>,
}

/// Whether a rule for a template speaks for the instances it lists.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Instances {
    Listed,
    PassedOver,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Verdict {
    Enable,
    /// Of a template: these instances, by their full names.
    EnableInstances(Vec<String>),
    Disable,
}

impl Presets {
    pub fn read<T: Tree + ?Sized>(tree: &T, search: &SearchPath) -> Presets {
        let mut files: BTreeMap<String, String> = BTreeMap::new();
        for directory in &search.presets {
            for (name, _) in tree.list(directory).unwrap_or_default() {
                if name.ends_with(".preset") && !name.starts_with('.') {
                    files.entry(name.clone()).or_insert_with(|| join(directory, &name));
                }
            }
        }
        let mut presets = Presets::default();
        for path in files.values() {
            let text = tree.read(path, limits::UNIT_FILE_MAX).unwrap_or_default();
            presets.read_file(path, &String::from_utf8_lossy(&text));
        }
        presets
    }

    fn read_file(&mut self, path: &str, text: &str) {
        let path: Arc<str> = Arc::from(path);
        for (number, line) in text.lines().enumerate() {
            let content = line.trim();
            if content.is_empty() || content.starts_with(['#', ';']) {
                continue;
            }
            match rule(content) {
                Some(rule) => self.rules.push(rule),
                None => {
                    let at = At { path: path.clone(), line: number as u32 + 1, column: 1, span: 0..0 };
                    let text = format!("Couldn't parse line '{}'. Ignoring.", line.trim_end());
                    let expected = "enable or disable, then a name or pattern".into();
                    self.odd.push(at.diagnostic(Severity::Warning, text, expected));
                }
            }
        }
    }

    /// Lines that were passed over, as far as anybody need know.
    pub fn odd(&self) -> &[Diagnostic] {
        &self.odd[..self.odd.len().min(limits::DIAGNOSTICS_MAX)]
    }

    /// What holds for a unit; without a rule, enabled.
    pub fn verdict(&self, name: &str) -> Verdict {
        self.verdict_by(name, Instances::Listed)
    }

    fn verdict_by(&self, name: &str, instances: Instances) -> Verdict {
        let Ok(parsed) = UnitName::parse(name) else { return Verdict::Disable };
        for rule in &self.rules {
            if !glob(&rule.pattern, name) {
                // A rule that lists instances of a template speaks for those instances too.
                let listed = instances == Instances::Listed
                    && parsed.template().is_some_and(|template| rule.pattern == template.as_str())
                    && parsed
                        .instance()
                        .is_some_and(|instance| rule.instances.iter().any(|one| one == instance));
                if !listed {
                    continue;
                }
            }
            if !rule.enable {
                return Verdict::Disable;
            }
            if parsed.is_template() && !rule.instances.is_empty() {
                let named = |instance: &String| parsed.with_instance(instance).ok().map(String::from);
                let named: Vec<String> = rule.instances.iter().filter_map(named).collect();
                if !named.is_empty() {
                    return Verdict::EnableInstances(named);
                }
            }
            return Verdict::Enable;
        }
        Verdict::Enable
    }

    /// `enabled` or `disabled`, as list-unit-files shows it: there, instances that a rule lists do not count.
    pub fn word(&self, name: &str) -> &'static str {
        match self.verdict_by(name, Instances::PassedOver) {
            Verdict::Enable | Verdict::EnableInstances(_) => "enabled",
            Verdict::Disable => "disabled",
        }
    }
}

fn rule(line: &str) -> Option<Rule> {
    let (verb, rest) = line.split_once(char::is_whitespace)?;
    let rest = rest.trim();
    match verb {
        "enable" => {
            let mut words = rest.split_whitespace();
            let pattern = words.next()?.to_owned();
            let instances: Vec<String> = words.map(str::to_owned).collect();
            let of_template = UnitName::parse(&pattern).is_ok_and(|name| name.is_template());
            (of_template || instances.is_empty()).then_some(Rule { pattern, enable: true, instances })
        }
        "disable" => Some(Rule { pattern: rest.to_owned(), enable: false, instances: Vec::new() }),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_that_are_no_rules_are_told() {
        let mut presets = Presets::default();
        let text = "enable a.service\n# c\nfrob x\nenable\nenable b.service x\n  disable c.*\nenable d@.service x y\n";
        presets.read_file("/p", text);
        let said: Vec<String> = presets.odd().iter().map(Diagnostic::to_string).collect();
        assert_eq!(
            said,
            [
                "/p:3: Couldn't parse line 'frob x'. Ignoring.",
                "/p:4: Couldn't parse line 'enable'. Ignoring.",
                "/p:5: Couldn't parse line 'enable b.service x'. Ignoring.",
            ]
        );
        assert_eq!(presets.verdict("c.socket"), Verdict::Disable);
        assert_eq!(presets.verdict("d@x.service"), Verdict::Enable);
    }
}
