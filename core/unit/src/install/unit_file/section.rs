//! `[Install]` sections: what their lines ask for, and what is odd in them, in systemd's words.

use super::{Files, Role, Sections, Trouble};
use crate::diagnostic::{Diagnostic, Severity};
use crate::files::{Tree, TreeError};
use crate::install::Overlay;
use crate::limits;
use crate::name::UnitName;
use crate::specifier::{Allowed, Scope, expand};
use crate::syntax::{Assignment, Event, Lexer};
use crate::values::words::Words;

/// What stands beside it in unit files of any kind.
const OTHERS: [&str; 12] = [
    "Unit",
    "Automount",
    "Device",
    "Mount",
    "Path",
    "Scope",
    "Service",
    "Slice",
    "Socket",
    "Swap",
    "Target",
    "Timer",
];

impl Files<'_> {
    pub(super) fn install_section<T: Tree + ?Sized>(
        &mut self,
        tree: &Overlay<'_, T>,
        at: usize,
        path: &str,
    ) -> Result<(), Trouble> {
        if self.sections == Sections::LeftOut {
            return Ok(());
        }
        let text = match tree.read(path, limits::UNIT_FILE_MAX) {
            Ok(text) => text,
            Err(TreeError::NotFound) => return Ok(()),
            Err(TreeError::IsADirectory) => return Err(Trouble::Other("Is a directory".to_owned())),
            Err(error) => return Err(Trouble::Other(error.to_string())),
        };
        for event in Lexer::new(path, &text, &["Install"]).passing_over(&OTHERS) {
            match event {
                Event::Assignment(assignment) => self.assign(at, &assignment)?,
                Event::Odd(odd) => self.say(odd),
                Event::Broken(broken, reason) => {
                    self.say(broken);
                    return Err(Trouble::Other(reason.to_owned()));
                }
            }
        }
        Ok(())
    }

    /// The same line is told once, however often it is read.
    pub(super) fn say(&mut self, odd: Diagnostic) {
        if self.odd.len() < limits::DIAGNOSTICS_MAX && !self.odd.contains(&odd) {
            self.odd.push(odd);
        }
    }

    fn assign(&mut self, at: usize, assignment: &Assignment<'_>) -> Result<(), Trouble> {
        let Assignment { key, value, at: place, .. } = assignment;
        let odd =
            |text: String, expected: &'static str| place.diagnostic(Severity::Warning, text, expected.into());
        let words: Result<Vec<String>, Vec<String>> = {
            let mut words = Vec::new();
            let all_well = Words::names(value).all(|word| word.map(|word| words.push(word.text)).is_ok());
            if all_well { Ok(words) } else { Err(words) }
        };
        let kind = UnitName::parse(&self.files[at].name).map(|name| name.kind());
        let may_alias = kind.as_ref().is_ok_and(|kind| crate::files::kind_may_alias(*kind));
        let file = &mut self.files[at];
        let list = match &**key {
            "Alias" if !may_alias => {
                if let Ok(kind) = kind {
                    let text = format!("Alias= is not allowed for {} units, ignoring.", kind.suffix());
                    self.say(odd(text, ""));
                }
                return Ok(());
            }
            "Alias" => &mut file.alias,
            "WantedBy" => &mut file.wanted_by,
            "RequiredBy" => &mut file.required_by,
            "UpheldBy" => &mut file.upheld_by,
            "DefaultInstance" => return self.default_instance(at, assignment),
            "Also" => return self.also(at, assignment, words),
            key => {
                if !key.starts_with("X-") {
                    let text = format!("Unknown key '{key}' in section [Install], ignoring.");
                    self.say(odd(text, "a key of that section"));
                }
                return Ok(());
            }
        };
        if value.is_empty() {
            list.clear();
        }
        let is_balanced = words.is_ok();
        for word in words.unwrap_or_else(|before| before) {
            if list.len() < limits::LIST_MAX {
                list.push(word);
            }
        }
        if !is_balanced {
            self.say(odd(format!("Invalid syntax, ignoring: {value}"), "a closing quote"));
        }
        Ok(())
    }

    fn also(
        &mut self,
        at: usize,
        assignment: &Assignment<'_>,
        words: Result<Vec<String>, Vec<String>>,
    ) -> Result<(), Trouble> {
        let is_balanced = words.is_ok();
        let odd = |text: String| assignment.at.diagnostic(Severity::Error, text, "unit names".into());
        let invalid = || Trouble::Other("Invalid argument".to_owned());
        for word in words.unwrap_or_else(|before| before) {
            let Ok(name) = self.expand(at, &word) else {
                self.say(odd(format!("Failed to resolve unit name in Also=\"{word}\": Invalid slot")));
                return Err(Trouble::BadSpecifier);
            };
            self.files[at].also.push(name.clone());
            if self.add(&name, Role::Auxiliary).is_err() {
                // systemd says nothing of where.
                self.say(odd(format!("Invalid unit name in Also=\"{name}\".")));
                return Err(invalid());
            }
        }
        if !is_balanced {
            self.say(odd(format!("Unbalanced quoting in Also=\"{}\".", assignment.value)));
            return Err(invalid());
        }
        Ok(())
    }

    /// Means something in a template only.
    fn default_instance(&mut self, at: usize, assignment: &Assignment<'_>) -> Result<(), Trouble> {
        let Assignment { value, at: place, .. } = assignment;
        let Ok(name) = UnitName::parse(&self.files[at].name) else { return Ok(()) };
        let odd = |severity, text: String| place.diagnostic(severity, text, "an instance name".into());
        // An instance has its template's lines, and this one is not meant for it.
        if name.instance().is_some_and(|instance| !instance.is_empty()) {
            return Ok(());
        }
        if !name.is_template() {
            let text = "DefaultInstance= only makes sense for template units, ignoring.";
            self.say(odd(Severity::Warning, text.to_owned()));
            return Ok(());
        }
        let Ok(instance) = self.expand(at, value) else {
            let text =
                format!("Failed to resolve instance name in DefaultInstance=\"{value}\": Invalid slot");
            self.say(odd(Severity::Error, text));
            return Err(Trouble::BadSpecifier);
        };
        if !instance.is_empty() && name.with_instance(&instance).is_err() {
            let text = format!("Invalid DefaultInstance= value \"{instance}\".");
            self.say(odd(Severity::Error, text));
            return Err(Trouble::Other("Invalid argument".to_owned()));
        }
        self.files[at].default_instance = (!instance.is_empty()).then_some(instance);
        Ok(())
    }

    /// A name of an `[Install]` section with its specifiers replaced.
    pub fn expand(&self, at: usize, text: &str) -> Result<String, Trouble> {
        let file = &self.files[at];
        let name = UnitName::parse(&file.name).map_err(|_| Trouble::BadName)?;
        // A template without instance speaks for its default one.
        let name = match &file.default_instance {
            Some(instance) if name.is_template() => name.with_instance(instance).unwrap_or(name),
            Some(_) | None => name,
        };
        let scope = Scope { name: &name, fragment: &file.path, cx: self.ground.cx };
        let expanded = expand(text, scope, Allowed::InNames);
        expanded.map(|text| text.into_owned()).map_err(|_| Trouble::BadSpecifier)
    }
}
