//! What a script says of itself: the LSB header, and the comments of chkconfig before there was one.

use super::facility::{self, Facility};
use super::{Service, is_target, stem};
use crate::files::base_name;
use crate::generate::Generated;
use crate::name::{UnitKind, UnitName};
use crate::values::words::{Escapes, Quotes, Words};

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) enum Header {
    #[default]
    None,
    Lsb,
}

/// Whether the script's usage line offers `reload`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) enum Reload {
    #[default]
    Unknown,
    Known,
}

/// Where in the script a line stands.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Part {
    Outside,
    /// In a `description:` of chkconfig that goes on.
    Description,
    Header,
    /// In the header's `Description:`, which may go on.
    LongDescription,
    /// In a usage text that goes on.
    Usage,
}

#[derive(Default)]
struct Descriptions {
    short: Option<String>,
    chkconfig: Option<String>,
    long: Option<String>,
}

struct Reader<'a> {
    name: &'a UnitName,
    service: &'a mut Service,
    generated: &'a mut Generated,
    descriptions: Descriptions,
    part: Part,
    line: usize,
}

pub(super) fn read(name: &UnitName, service: &mut Service, text: &str, generated: &mut Generated) {
    let descriptions = Descriptions::default();
    let mut reader = Reader { name, service, generated, descriptions, part: Part::Outside, line: 0 };
    for line in text.split('\n') {
        reader.line += 1;
        reader.read(line);
    }
    let Descriptions { short, chkconfig, long } = reader.descriptions;
    service.description = short.or(chkconfig).or(long).map(|text| match service.header {
        Header::Lsb => format!("LSB: {text}"),
        Header::None => format!("SYSV: {text}"),
    });
}

impl Reader<'_> {
    fn read(&mut self, line: &str) {
        let text = strip(line);
        let Some(comment) = text.strip_prefix('#') else { return self.code(text) };
        match (self.part, text) {
            (Part::Outside, "### BEGIN INIT INFO") => {
                self.part = Part::Header;
                self.service.header = Header::Lsb;
                return;
            }
            (Part::Header | Part::LongDescription, "### END INIT INFO") => {
                self.part = Part::Outside;
                return;
            }
            _ => {}
        }
        let comment = strip(comment);
        match self.part {
            Part::Outside => self.chkconfig(comment),
            Part::Description => self.chkconfig_goes_on(comment),
            Part::Header | Part::LongDescription => self.header(line, comment),
            Part::Usage => {}
        }
    }

    /// A line of shell: the usage text tells whether there is `reload`.
    fn code(&mut self, text: &str) {
        let goes_on = text.ends_with('\\');
        match self.part {
            Part::Usage => {
                if offers_reload(text) {
                    self.service.reload = Reload::Known;
                    self.part = Part::Outside;
                } else if !goes_on {
                    self.part = Part::Outside;
                }
            }
            Part::Outside if text.to_ascii_lowercase().contains("usage") => {
                if offers_reload(text) {
                    self.service.reload = Reload::Known;
                } else if goes_on {
                    self.part = Part::Usage;
                }
            }
            Part::Outside | Part::Description | Part::Header | Part::LongDescription => {}
        }
    }

    fn chkconfig(&mut self, comment: &str) {
        if let Some(text) = value(comment, "description:") {
            let (text, goes_on) = continued(text);
            if goes_on {
                self.part = Part::Description;
            }
            set(&mut self.descriptions.chkconfig, text);
        } else if let Some(path) = value(comment, "pidfile:") {
            if path.starts_with('/') {
                self.service.pid_file = Some(path.to_owned());
            } else {
                self.warn(&format!("the path of a pid file must be absolute: {path}"));
            }
        }
    }

    fn chkconfig_goes_on(&mut self, comment: &str) {
        let (text, goes_on) = continued(comment);
        if !goes_on {
            self.part = Part::Outside;
        }
        append(&mut self.descriptions.chkconfig, text);
    }

    fn header(&mut self, line: &str, comment: &str) {
        if let Some(names) = value(comment, "Provides:") {
            self.part = Part::Header;
            self.provides(names);
        } else if let Some(names) = first_of(comment, &["Required-Start:", "Should-Start:", "X-Start-After:"])
        {
            self.part = Part::Header;
            self.starts(names, Side::After);
        } else if let Some(names) = value(comment, "X-Start-Before:") {
            self.part = Part::Header;
            self.starts(names, Side::Before);
        } else if let Some(text) = value(comment, "Description:") {
            self.part = Part::LongDescription;
            set(&mut self.descriptions.long, text);
        } else if let Some(text) = value(comment, "Short-Description:") {
            self.part = Part::Header;
            set(&mut self.descriptions.short, text);
        } else if self.part == Part::LongDescription {
            if line.starts_with("#\t") || line.starts_with("#  ") {
                append(&mut self.descriptions.long, comment);
            } else {
                self.part = Part::Header;
            }
        }
    }

    fn provides(&mut self, names: &str) {
        for unit in self.units(names) {
            if is_target(&unit) {
                self.service.before.push(unit.clone());
                self.service.wants.push(unit.clone());
                if unit == "network-online.target" {
                    self.service.before.push("network.target".into());
                    self.service.wants.push("network.target".into());
                }
                continue;
            }
            match UnitName::parse(&unit).map(|unit| unit.kind()) {
                Ok(UnitKind::Service) if unit == self.name.as_str() => {}
                Ok(UnitKind::Service) => self.generated.alias(&unit, self.name),
                Ok(_) | Err(_) => self.warn(&format!("a script cannot provide {unit}")),
            }
        }
    }

    fn starts(&mut self, names: &str, side: Side) {
        for unit in self.units(names) {
            match side {
                Side::Before => self.service.before.push(unit),
                Side::After if unit == "network-online.target" => {
                    self.service.after.push(unit.clone());
                    self.service.wants.push(unit);
                }
                Side::After => self.service.after.push(unit),
            }
        }
    }

    fn units(&mut self, names: &str) -> Vec<String> {
        let script = stem(base_name(&self.service.path)).to_owned();
        let mut units = Vec::new();
        for word in words(names) {
            match facility::translate(&word, &script) {
                Facility::Unit(unit) => units.push(unit),
                Facility::Nothing => {}
                Facility::BadName => self.warn(&format!("no unit can be named for {word}")),
            }
        }
        units
    }

    fn warn(&mut self, text: &str) {
        self.generated.warn(format!("{}:{}: {text}", self.service.path, self.line));
    }
}

enum Side {
    Before,
    After,
}

/// Words as a shell splits them; a quote left open ends with the line.
fn words(text: &str) -> Vec<String> {
    let split = |text: &str| -> Option<Vec<String>> {
        Words::new(text, Quotes::Removed, Escapes::Literal).map(|word| Some(word.ok()?.text)).collect()
    };
    ["", "\"", "'"].iter().find_map(|end| split(&format!("{text}{end}"))).unwrap_or_default()
}

/// What follows a key, whatever its case.
fn value<'a>(comment: &'a str, key: &str) -> Option<&'a str> {
    let begins = comment.get(..key.len())?.eq_ignore_ascii_case(key);
    begins.then(|| strip(&comment[key.len()..]))
}

fn first_of<'a>(comment: &'a str, keys: &[&str]) -> Option<&'a str> {
    keys.iter().find_map(|key| value(comment, key))
}

/// The text without the backslash that lets it go on.
fn continued(text: &str) -> (&str, bool) {
    match text.strip_suffix('\\') {
        Some(text) => (strip(text), true),
        None => (text, false),
    }
}

/// The last line counts; one without text takes back what an earlier one said.
fn set(description: &mut Option<String>, text: &str) {
    *description = (!text.is_empty()).then(|| text.to_owned());
}

fn append(description: &mut Option<String>, text: &str) {
    if text.is_empty() {
        return;
    }
    match description {
        Some(description) => {
            description.push(' ');
            description.push_str(text);
        }
        None => *description = Some(text.to_owned()),
    }
}

fn offers_reload(text: &str) -> bool {
    let text = text.to_ascii_lowercase();
    ["{", "|"]
        .iter()
        .any(|before| ["|", "}", "\""].iter().any(|after| text.contains(&format!("{before}reload{after}"))))
}

fn strip(text: &str) -> &str {
    text.trim_matches([' ', '\t', '\n', '\r'])
}
