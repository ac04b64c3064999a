//! Preset files: which units are enabled when they are installed, systemd.preset(5).

use crate::files::{SearchPath, Tree, glob, join};
use crate::limits;
use crate::name::UnitName;
use std::collections::BTreeMap;

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
}

#[derive(Clone, Debug)]
struct Rule {
    pattern: String,
    enable: bool,
    instances: Vec<String>,
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
            presets.rules.extend(String::from_utf8_lossy(&text).lines().filter_map(rule));
        }
        presets
    }

    /// What holds for a unit; without a rule, enabled.
    pub fn verdict(&self, name: &str) -> Verdict {
        let Ok(parsed) = UnitName::parse(name) else { return Verdict::Disable };
        for rule in &self.rules {
            if !glob(&rule.pattern, name) {
                // A rule that lists instances of a template speaks for those instances too.
                let listed = parsed.template().is_some_and(|template| rule.pattern == template.as_str())
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
                return Verdict::EnableInstances(rule.instances.iter().filter_map(named).collect());
            }
            return Verdict::Enable;
        }
        Verdict::Enable
    }

    /// `enabled` or `disabled`, as list-unit-files shows it.
    pub fn word(&self, name: &str) -> &'static str {
        match self.verdict(name) {
            Verdict::Enable | Verdict::EnableInstances(_) => "enabled",
            Verdict::Disable => "disabled",
        }
    }
}

fn rule(line: &str) -> Option<Rule> {
    let line = line.trim();
    if line.is_empty() || line.starts_with(['#', ';']) {
        return None;
    }
    let (verb, rest) = line.split_once(char::is_whitespace)?;
    let rest = rest.trim();
    match verb {
        "enable" => {
            let mut words = rest.split_whitespace();
            let pattern = words.next()?.to_owned();
            let of_template = UnitName::parse(&pattern).is_ok_and(|name| name.is_template());
            let instances = words.filter(|_| of_template).map(str::to_owned).collect();
            Some(Rule { pattern, enable: true, instances })
        }
        "disable" => Some(Rule { pattern: rest.to_owned(), enable: false, instances: Vec::new() }),
        _ => None,
    }
}
