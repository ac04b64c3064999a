//! `show`: properties as `Name=value` lines.

mod special;
mod value;

pub use special::CodeWord;

use crate::bus::{Properties, Value};
use crate::line::Options;
use crate::text::time::Clock;

/// How one property is printed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Shown {
    /// One line; an empty one only with `--all`.
    Line(String),
    /// One line that says no more than the default does: with `--all` only.
    Default(String),
    /// One line for each item; none where there is none.
    Lines(Vec<String>),
    /// A type that has no text: said so with `--all`, left out else.
    Unprintable,
}

/// The lines of one object.
pub fn properties(properties: &Properties, options: &Options, clock: &Clock) -> String {
    let mut text = String::new();
    let wanted = |name: &str| options.properties.is_empty() || options.properties.iter().any(|p| p == name);
    for property in properties.0.iter().filter(|property| wanted(&property.name)) {
        let mut line = |value: &str| {
            if options.value {
                text.push_str(&format!("{value}\n"));
            } else {
                text.push_str(&format!("{}={value}\n", property.name));
            }
        };
        let shown = special::show(property, clock).unwrap_or_else(|| value::show(property, clock));
        match shown {
            Shown::Line(value) if value.is_empty() && !options.all => {}
            Shown::Line(value) => line(&value),
            Shown::Default(value) if options.all => line(&value),
            Shown::Default(_) => {}
            Shown::Lines(values) => values.iter().for_each(|value| line(value)),
            Shown::Unprintable if options.all => line("[unprintable]"),
            Shown::Unprintable => {}
        }
    }
    text
}

/// The sockets of `Listen`: address and type.
pub fn listen(value: Option<&Value>) -> Vec<(String, String)> {
    value.map(special::pairs).unwrap_or_default()
}
