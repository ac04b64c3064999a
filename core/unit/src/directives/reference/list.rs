//! docs/compat.md's list of directives.

use super::{Support, entries};
use std::fmt::Write;

/// A Markdown table of all directives, by name, with a line of counts before it.
pub fn list() -> String {
    let mut entries = entries();
    entries.sort_by_key(|entry| (entry.key, entry.says));
    let count = |is: fn(&Support) -> bool| entries.iter().filter(|entry| is(&entry.support)).count();
    let mut out = format!(
        "{} directives: {} acted on, {} in part, {} not yet, {} never.\n\n",
        entries.len(),
        count(|support| matches!(support, Support::Full)),
        count(|support| matches!(support, Support::Partial(_))),
        count(|support| matches!(support, Support::NotYet)),
        count(|support| matches!(support, Support::Ignored(_))),
    );
    out.push_str("| directive | sections | acted on | what it says |\n|---|---|---|---|\n");
    for entry in &entries {
        let sections = entry.sections.join(", ");
        let says = super::pages::escaped(entry.says);
        // Writing to a string cannot fail.
        writeln!(out, "| `{}=` | {sections} | {} | {says} |", entry.key, entry.support.words()).ok();
    }
    out
}
