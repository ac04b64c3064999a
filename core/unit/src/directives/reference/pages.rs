//! docs/reference: a page for each man page, a paragraph for each of its directives.

use super::super::extension::{MANUAL, about};
use super::{Entry, Lines, entries};
use std::collections::BTreeMap;
use std::fmt::Write;

pub struct Page {
    /// The file's name.
    pub name: String,
    pub text: String,
}

/// Where the man pages stand for people without the packages that have them.
const MANUALS: &str = "https://www.freedesktop.org/software/systemd/man/latest";

/// What a page is about, by its man page.
const TITLES: &[(&str, &str)] = &[
    ("systemd.unit(5)", "All units: [Unit] and [Install]"),
    ("systemd.service(5)", "Services"),
    ("systemd.socket(5)", "Sockets"),
    ("systemd.timer(5)", "Timers"),
    ("systemd.path(5)", "Paths"),
    ("systemd.mount(5)", "Mounts"),
    ("systemd.automount(5)", "Automounts"),
    ("systemd.swap(5)", "Swap"),
    ("systemd.scope(5)", "Scopes"),
    ("systemd.exec(5)", "What processes run as and may do"),
    ("systemd.kill(5)", "How processes are ended"),
    ("systemd.resource-control(5)", "How much processes may use"),
];

/// Every page, the index first.
pub fn pages() -> Vec<Page> {
    let mut by_manual: BTreeMap<&str, Vec<Entry>> = BTreeMap::new();
    for entry in entries() {
        by_manual.entry(entry.manual).or_default().push(entry);
    }
    let mut index = String::from(
        "# Reference\n\nEach directive of unit files: what it says, what it takes, what holds without it, and how far it is acted on.\n\
         `eudaemon help DIRECTIVE` prints the same. Generated from the table that the parser reads\n\
         (`UPDATE=1 cargo test -p eudaemon-unit --test reference`).\n\n",
    );
    let mut pages = Vec::new();
    for (manual, title) in TITLES {
        let mut entries = by_manual.remove(manual).unwrap_or_default();
        entries.sort_by_key(|entry| (entry.key, entry.sections.clone()));
        let name = file_of(manual);
        // Writing to a string cannot fail.
        writeln!(index, "- [{title}]({name}): {} directives of {manual}", entries.len()).ok();
        pages.push(Page { text: page(title, manual, &entries), name });
    }
    let extensions = by_manual.remove(MANUAL).unwrap_or_default();
    let title = "What systemd passes over and we act on";
    writeln!(index, "- [{title}](extensions.md): {} directives of our own", extensions.len()).ok();
    pages.push(Page { name: "extensions.md".into(), text: extensions_page(title, &extensions) });
    let settings = crate::manager::rows().len();
    writeln!(
        index,
        "- [The manager's own settings](manager.md): {settings} settings of systemd-system.conf(5)"
    )
    .ok();
    pages.push(Page { name: "manager.md".into(), text: crate::manager::page() });
    pages.insert(0, Page { name: "README.md".into(), text: index });
    pages
}

/// `systemd.kill(5)` is in kill.md.
fn file_of(manual: &str) -> String {
    let name = manual.trim_start_matches("systemd.").trim_end_matches("(5)");
    format!("{name}.md")
}

fn page(title: &str, manual: &str, entries: &[Entry]) -> String {
    let html = format!("{MANUALS}/{}.html", manual.trim_end_matches("(5)"));
    let mut text = format!("# {title}\n\nThe directives of [{manual}]({html}). [All pages](README.md)\n");
    for entry in entries {
        paragraph(&mut text, entry);
        writeln!(text, "- man page: [{manual}]({html}#{}=)", entry.key).ok();
    }
    text
}

/// There is no man page to lead to: what there is to know stands here.
fn extensions_page(title: &str, entries: &[Entry]) -> String {
    let mut text = format!(
        "# {title}\n\nTheir names, or those of their sections, begin with `X-`: systemd says nothing of them, so a unit that has them\n\
         stays valid there. Here they are read as other directives are: `eudaemon verify` names bad values. [All pages](README.md)\n"
    );
    for entry in entries {
        paragraph(&mut text, entry);
        if let Some(about) = about(entry.key) {
            write!(text, "\n{about}\n").ok();
        }
    }
    text
}

fn paragraph(text: &mut String, entry: &Entry) {
    // Writing to a string cannot fail.
    write!(text, "\n## {}=\n\n{}.\n\n", entry.key, capital(&escaped(entry.says))).ok();
    let mut line = |name: &str, value: &str| writeln!(text, "- {name}: {value}").ok();
    line("in", &entry.sections.iter().map(|section| format!("[{section}]")).collect::<Vec<_>>().join(" "));
    line("takes", &takes(entry));
    line("a further line", entry.lines.words());
    if let Some(default) = entry.default {
        line("without it", &escaped(default));
    }
    match &entry.property {
        Some(property) => line("property", &format!("`{}`", property.replace(", ", "`, `"))),
        None => line("property", "none"),
    };
    line("acted on", &escaped(&entry.support.words()));
}

fn takes(entry: &Entry) -> String {
    let takes = escaped(&entry.takes);
    match entry.example {
        Some(example) if !entry.takes.contains(example) => format!("{takes}, such as `{example}`"),
        Some(_) | None => takes,
    }
}

impl Lines {
    pub const fn words(self) -> &'static str {
        match self {
            Lines::Replace => "takes the place of the one before",
            Lines::Add => "adds to the list, an empty one empties it",
        }
    }
}

pub(crate) fn capital(text: &str) -> String {
    let mut chars = text.chars();
    chars.next().map_or(String::new(), |first| first.to_uppercase().chain(chars).collect())
}

/// Text that Markdown leaves as it is.
pub(crate) fn escaped(text: &str) -> String {
    text.replace('|', "\\|").replace('<', "&lt;").replace('*', "\\*")
}
