//! The table as a page: what docs/compat.md lists.

use super::{Support, all};
use std::collections::BTreeMap;
use std::fmt::Write;

/// A Markdown table of all directives, by name, with a line of counts before it.
pub fn reference() -> String {
    let mut rows: BTreeMap<(&str, &str), (Vec<&str>, Support)> = BTreeMap::new();
    for (section, row) in all() {
        let entry = rows.entry((row.key, row.help)).or_insert((Vec::new(), row.support));
        entry.0.push(section);
    }
    let count = |is: fn(&Support) -> bool| rows.values().filter(|(_, support)| is(support)).count();
    let mut out = format!(
        "{} directives: {} acted on, {} in part, {} not yet, {} never.\n\n",
        rows.len(),
        count(|support| matches!(support, Support::Full)),
        count(|support| matches!(support, Support::Partial(_))),
        count(|support| matches!(support, Support::NotYet)),
        count(|support| matches!(support, Support::Ignored(_))),
    );
    out.push_str("| directive | sections | acted on | what it says |\n|---|---|---|---|\n");
    for ((key, help), (sections, support)) in &rows {
        let sections = sections.join(", ");
        let help = help.replace('|', "\\|").replace('<', "&lt;");
        // Writing to a string cannot fail.
        writeln!(out, "| `{key}=` | {sections} | {} | {help} |", support.words()).ok();
    }
    out
}
