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
use eudaemon_unit::files::base_name;

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
    let files: Vec<(String, String)> = match client {
        Some(mut client) => {
            let mut patterns = Vec::new();
            for word in &line.arguments {
                patterns.push(names::mangled(screen, word, ".service", Globs::Allowed)?);
            }
            let answer: Result<_, CallError> =
                client.manager("ListUnitFilesByPatterns", &(&line.options.states, &patterns));
            answer.map_err(|error| Failure::call("list unit files", &error))?
        }
        None => {
            // What is no whole name says nothing here, as in systemctl: the manager alone completes it.
            let patterns = &line.arguments;
            let (listed, odd) = disk.list(|name| {
                patterns.is_empty() || patterns.iter().any(|pattern| unit_name::matches(pattern, name))
            });
            odd.iter().for_each(|line| screen.complain(line));
            let states = &line.options.states;
            let asked = |state: &str| states.is_empty() || states.iter().any(|wanted| wanted == state);
            let asked = listed.into_iter().filter(|(_, state)| asked(state));
            asked.map(|(path, state)| (path, state.to_owned())).collect()
        }
    };
    let mut rows: Vec<Row> = files
        .into_iter()
        .map(|(path, state)| Row { name: base_name(&path).to_owned(), state, preset: "-" })
        .filter(|row| listing::of_type(&row.name, &line.options))
        .collect();
    // Presets have no say over what nobody can enable, and are read where they have one.
    let fixed = |row: &Row| matches!(row.state.as_str(), "alias" | "static" | "generated" | "transient");
    if !rows.iter().all(fixed) {
        let (presets, odd) = disk.presets();
        odd.iter().for_each(|line| screen.complain(line));
        let asked = rows.iter_mut().filter(|row| !fixed(row));
        asked.for_each(|row| row.preset = presets.word(&row.name));
    }
    rows.sort_by_cached_key(|row| listing::order(&row.name));
    print(&rows, &line.options, screen);
    Ok(u8::from(rows.is_empty()))
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
