//! A review as a table for people, or as JSON.

use super::Format;
use super::assess::{Assessed, Review};

/// Whether more than ASCII may be written, by the locale of the environment.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Glyphs {
    pub unicode: bool,
    pub emoji: bool,
}

impl Glyphs {
    pub fn of_environment() -> Glyphs {
        let set = |name: &str| std::env::var(name).ok().filter(|value| !value.is_empty());
        let locale = set("LC_ALL").or_else(|| set("LC_CTYPE")).or_else(|| set("LANG")).unwrap_or_default();
        let locale = locale.to_ascii_uppercase();
        let unicode = locale.ends_with("UTF-8") || locale.ends_with("UTF8");
        let plain_terminal = set("TERM").is_some_and(|term| ["dumb", "linux"].contains(&term.as_str()));
        let wanted = set("SYSTEMD_EMOJI").and_then(|value| eudaemon_unit::values::boolean(&value));
        Glyphs { unicode, emoji: wanted.unwrap_or(unicode && !plain_terminal) }
    }
}

/// From how many tenths on an exposure is called so.
const LEVELS: [(u64, &str, &str, &str); 7] = [
    (100, "DANGEROUS", "🤢", ":-["),
    (90, "UNSAFE", "😨", ":-{"),
    (75, "EXPOSED", "🙁", ":-("),
    (50, "MEDIUM", "😐", ":-|"),
    (10, "OK", "🙂", ":-)"),
    (1, "SAFE", "😀", ":-}"),
    (0, "PERFECT", "😇", ":-]"),
];

fn tenths(number: u64) -> String {
    format!("{}.{}", number / 10, number % 10)
}

pub fn table(review: &Review, glyphs: Glyphs) -> String {
    let width = |text: &str| text.chars().count();
    let cells: Vec<[String; 4]> = review.rows.iter().map(|row| cells(row, glyphs)).collect();
    let head = ["", "NAME", "DESCRIPTION", "EXPOSURE"].map(str::to_owned);
    let all = || std::iter::once(&head).chain(&cells);
    let widest = |column: usize| all().map(|cells| width(&cells[column])).max().unwrap_or(0);
    let (name, description, exposure) = (widest(1), widest(2), widest(3));
    let mut text = String::new();
    for [mark, row, said, exposed] in all() {
        // Only numbers stand on the right; where there is none the column is blank.
        let exposed = if exposed.is_empty() { String::new() } else { format!("{exposed:>exposure$}") };
        text += &format!("{mark:1} {row:name$} {said:description$} {exposed}\n");
    }
    text
}

fn cells(row: &Assessed, glyphs: Glyphs) -> [String; 4] {
    let mark = match (row.is_good, glyphs.unicode) {
        (None, _) => " ",
        (Some(true), true) => "✓",
        (Some(false), true) => "✗",
        (Some(true), false) => "+",
        (Some(false), false) => "-",
    };
    let exposure = row.exposure.map(tenths).unwrap_or_default();
    [mark.to_owned(), row.row.name.to_owned(), row.description.clone().unwrap_or_default(), exposure]
}

/// The line below the table.
pub fn overall(name: &str, review: &Review, glyphs: Glyphs) -> String {
    let arrow = if glyphs.unicode { "→" } else { "->" };
    let (word, face) = level(review.exposure, glyphs);
    format!("\n{arrow} Overall exposure level for {name}: {} {word} {face}\n", tenths(review.exposure))
}

fn level(exposure: u64, glyphs: Glyphs) -> (&'static str, &'static str) {
    let level = LEVELS.iter().find(|(least, ..)| exposure >= *least).unwrap_or(&LEVELS[LEVELS.len() - 1]);
    (level.1, if glyphs.emoji { level.2 } else { level.3 })
}

/// Units with their exposures, a line each.
pub fn overview(exposures: &[(String, u64)], format: Format, glyphs: Glyphs) -> String {
    let rows: Vec<[String; 4]> = exposures
        .iter()
        .map(|(unit, exposure)| {
            let (word, face) = level(*exposure, glyphs);
            [unit.clone(), tenths(*exposure), word.to_owned(), face.to_owned()]
        })
        .collect();
    let text = |text: &str| serde_json::Value::from(text).to_string();
    match format {
        Format::Table => {
            let head = ["UNIT", "EXPOSURE", "PREDICATE", "HAPPY"].map(str::to_owned);
            let all = || std::iter::once(&head).chain(&rows);
            let widest = |column: usize| all().map(|row| row[column].len()).max().unwrap_or(0);
            let (unit, exposure, word) = (widest(0), widest(1), widest(2));
            all().map(|[a, b, c, d]| format!("{a:unit$} {b:>exposure$} {c:word$} {d}\n")).collect()
        }
        Format::Short | Format::Pretty => {
            let keys = ["unit", "exposure", "predicate", "happy"];
            let rows = rows
                .iter()
                .map(|row| keys.iter().zip(row).map(|(key, value)| (*key, text(value))).collect::<Vec<_>>());
            array(rows.map(|fields| written(&fields, format)), format)
        }
    }
}

/// An array of objects.
pub fn json(review: &Review, format: Format) -> String {
    array(review.rows.iter().map(|row| object(row, format)), format)
}

fn array(objects: impl Iterator<Item = String>, format: Format) -> String {
    let objects: Vec<String> = objects.collect();
    match format {
        Format::Pretty if objects.is_empty() => "[]\n".to_owned(),
        Format::Pretty => format!("[\n{}\n]\n", objects.join(",\n")),
        Format::Table | Format::Short => format!("[{}]\n", objects.join(",")),
    }
}

fn object(row: &Assessed, format: Format) -> String {
    let text = |text: &str| serde_json::Value::from(text).to_string();
    let or_null = |value: Option<String>| value.map_or("null".to_owned(), |value| text(&value));
    let fields = [
        ("set", row.is_good.map_or("null".to_owned(), |is_good| is_good.to_string())),
        ("name", text(row.row.name)),
        ("json_field", text(row.row.id)),
        ("description", or_null(row.description.clone())),
        ("exposure", or_null(row.exposure.map(tenths))),
    ];
    written(&fields, format)
}

fn written(fields: &[(&str, String)], format: Format) -> String {
    match format {
        Format::Pretty => {
            let lines: Vec<String> =
                fields.iter().map(|(key, value)| format!("\t\t\"{key}\" : {value}")).collect();
            format!("\t{{\n{}\n\t}}", lines.join(",\n"))
        }
        Format::Table | Format::Short => {
            let members: Vec<String> =
                fields.iter().map(|(key, value)| format!("\"{key}\":{value}")).collect();
            format!("{{{}}}", members.join(","))
        }
    }
}
