//! `list-unit-files`: every unit file, its state, and what the presets say of it.

use super::{Failure, listing, names};
use crate::bus::CallError;
use crate::disk::Disk;
use crate::line::{Line, Options};
use crate::running;
use crate::screen::Screen;
use crate::text::json::Json;
use crate::text::paint::{Paint, Style};
use crate::text::table::{Table, cell, styled};
use crate::unit_name::{self, Globs};

/// One unit file.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Row {
    name: String,
    state: String,
    /// `enabled`, `disabled`, or `-` where presets have no say.
    preset: &'static str,
}

pub fn run(line: &Line, screen: &mut Screen) -> Result<u8, Failure> {
    let client = running::reach_if_running(line)?;
    let disk = Disk::read(&line.options);
    let mut patterns = Vec::new();
    for word in &line.arguments {
        patterns.push(names::mangled(screen, word, ".service", Globs::Allowed)?);
    }
    let files: Vec<(String, String)> = match client {
        Some(mut client) => {
            let answer: Result<_, CallError> =
                client.manager("ListUnitFilesByPatterns", &(&line.options.states, &patterns));
            answer.map_err(|error| Failure::call("list unit files", &error))?
        }
        None => {
            let (listed, odd) = disk.list();
            let files = filtered(listed, &line.options.states, &patterns);
            let is_meant = |line: &&String| {
                patterns.is_empty() || files.iter().any(|(path, _)| line.contains(&format!("{path}:")))
            };
            odd.iter().filter(is_meant).for_each(|line| screen.complain(line));
            files
        }
    };
    let (presets, odd) = disk.presets();
    odd.iter().for_each(|line| screen.complain(line));
    let mut rows: Vec<Row> = files
        .into_iter()
        .map(|(path, state)| {
            let name = path.rsplit('/').next().unwrap_or(&path).to_owned();
            // Presets have no say over what nobody can enable.
            let preset = match state.as_str() {
                "alias" | "static" | "generated" | "transient" => "-",
                _ => presets.word(&name),
            };
            Row { name, state, preset }
        })
        .filter(|row| listing::of_type(&row.name, &line.options))
        .collect();
    rows.sort_by_cached_key(|row| listing::order(&row.name));
    print(&rows, &line.options, screen);
    Ok(u8::from(rows.is_empty()))
}

/// The choice that the manager makes where one runs.
fn filtered(
    files: Vec<(String, &'static str)>,
    states: &[String],
    patterns: &[String],
) -> Vec<(String, String)> {
    files
        .into_iter()
        .filter(|(path, state)| {
            let name = path.rsplit('/').next().unwrap_or(path);
            (states.is_empty() || states.iter().any(|wanted| wanted == state))
                && (patterns.is_empty() || patterns.iter().any(|pattern| unit_name::matches(pattern, name)))
        })
        .map(|(path, state)| (path, state.to_owned()))
        .collect()
}

fn print(rows: &[Row], options: &Options, screen: &mut Screen) {
    if options.json() {
        let rows: Vec<_> = rows
            .iter()
            .map(|row| {
                let preset = if row.preset == "-" { Json::Null } else { Json::Text(row.preset.to_owned()) };
                vec![
                    ("unit_file", Json::Text(row.name.clone())),
                    ("state", Json::Text(row.state.clone())),
                    ("preset", preset),
                ]
            })
            .collect();
        listing::print_json(&rows, options, screen);
        return;
    }
    listing::print(&table(rows), options, screen);
    if options.legend() {
        screen.out(&footer(rows.len(), screen.paint));
    }
}

fn table(rows: &[Row]) -> Table {
    let mut table = Table::new(&["UNIT FILE", "STATE", "PRESET"]);
    for row in rows {
        let style = match row.state.as_str() {
            "enabled" | "enabled-runtime" | "alias" => Style::Good,
            "masked" | "masked-runtime" | "bad" => Style::Bad,
            _ => Style::Plain,
        };
        let preset = if row.preset == "enabled" { Style::Good } else { Style::Plain };
        table.row(vec![cell(&row.name), styled(style, &row.state), styled(preset, row.preset)]);
    }
    table
}

fn footer(count: usize, paint: Paint) -> String {
    let style = if count == 0 { Style::Bad } else { Style::Bold };
    format!("\n{}\n", paint.text(style, &format!("{count} unit files listed.")))
}
