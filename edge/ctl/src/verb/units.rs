//! `list-units` and `list-jobs`.

use super::Failure;
use super::listing;
use super::names::{self, ListedUnit};
use crate::bus::Client;
use crate::line::{Line, Options};
use crate::screen::Screen;
use crate::text::json::Json;
use crate::text::paint::{Paint, Style};
use crate::text::table::{Align, Table, cell, styled};
use crate::unit_name::{self, Globs};

pub fn run(line: &Line, screen: &mut Screen, client: &mut Client) -> Result<u8, Failure> {
    let mut patterns = Vec::new();
    for word in &line.arguments {
        patterns.push(names::mangled(screen, word, ".service", Globs::Allowed)?);
    }
    let mut units = listed(client, &line.options, &patterns)?;
    units.sort_by_cached_key(|unit| listing::order(&unit.name));
    if line.options.json() {
        listing::print_json(&units.iter().map(json_row).collect::<Vec<_>>(), &line.options, screen);
        return Ok(0);
    }
    listing::print(&table(&units, &line.options, screen.paint), &line.options, screen);
    if line.options.legend() {
        screen.out(&footer(&units, &line.options, screen.paint));
    }
    Ok(0)
}

/// The units that a list, or `status` and `show` with patterns, are about.
pub fn listed(
    client: &mut Client,
    options: &Options,
    patterns: &[String],
) -> Result<Vec<ListedUnit>, Failure> {
    let units = names::list(client, &options.states, patterns);
    let mut units = units.map_err(|error| Failure::call("list units", &error))?;
    units.retain(|unit| listing::of_type(&unit.name, options) && is_shown(unit, options));
    Ok(units)
}

/// What is down and has no job is shown with `--all` or by its state only.
fn is_shown(unit: &ListedUnit, options: &Options) -> bool {
    options.all
        || !options.states.is_empty()
        || unit.job.is_some()
        || unit.active != "inactive" && unit.following.is_empty()
}

fn table(units: &[ListedUnit], options: &Options, paint: Paint) -> Table {
    let jobs = units.iter().any(|unit| unit.job.is_some());
    let mut headers = vec!["", "UNIT", "LOAD", "ACTIVE", "SUB", "JOB", "DESCRIPTION"];
    if !jobs {
        headers.remove(5);
    }
    if options.plain {
        headers.remove(0);
    }
    let mut table = Table::new(&headers);
    for unit in units {
        let broken = matches!(unit.load.as_str(), "error" | "not-found" | "bad-setting" | "masked");
        let failed = unit.active == "failed";
        let dot = if (broken || failed) && !options.plain { paint.filled_dot() } else { " " };
        let style = |bad: bool| if bad && !options.plain { Style::Bad } else { Style::Plain };
        let mut row = vec![
            styled(if broken { Style::Odd } else { style(failed) }, dot),
            cell(&unit.name),
            styled(style(broken), &unit.load),
            styled(style(failed), &unit.active),
            styled(style(failed), &unit.sub),
            cell(unit.job.as_deref().unwrap_or("")),
            cell(&unit.description),
        ];
        if !jobs {
            row.remove(5);
        }
        if options.plain {
            row.remove(0);
        }
        table.row(row);
    }
    table
}

fn footer(units: &[ListedUnit], options: &Options, paint: Paint) -> String {
    let mut text = String::new();
    if !units.is_empty() {
        text.push_str("\nLOAD   = Reflects whether the unit definition was properly loaded.\n");
        text.push_str("ACTIVE = The high-level unit activation state, i.e. generalization of SUB.\n");
        text.push_str("SUB    = The low-level unit activation state, values depend on unit type.\n");
        if units.iter().any(|unit| unit.job.is_some()) {
            text.push_str("JOB    = Pending job for the unit.\n\n");
        }
    }
    let style = if units.is_empty() { Style::Bad } else { Style::Bold };
    let count = units.len();
    text.push_str(&paint.text(style, &format!("{count} loaded units listed.")));
    if !options.all && options.states.is_empty() {
        text.push_str(" Pass --all to see loaded but inactive units, too.");
    }
    text.push('\n');
    if options.all || options.states.is_empty() {
        text.push_str("To show all installed unit files use 'systemctl list-unit-files'.\n");
    }
    text
}

fn json_row(unit: &ListedUnit) -> Vec<(&'static str, Json)> {
    let text = |text: &str| Json::Text(text.to_owned());
    vec![
        ("unit", text(&unit.name)),
        ("load", text(&unit.load)),
        ("active", text(&unit.active)),
        ("sub", text(&unit.sub)),
        ("description", text(&unit.description)),
    ]
}

type JobRow = (u32, String, String, String, zbus::OwnedObjectPath, zbus::OwnedObjectPath);

pub fn jobs(line: &Line, screen: &mut Screen, client: &mut Client) -> Result<u8, Failure> {
    let answer: Result<Vec<JobRow>, _> = client.manager("ListJobs", &());
    let mut rows = answer.map_err(|error| Failure::call("list jobs", &error))?;
    let all = rows.len();
    rows.retain(|row| {
        line.arguments.is_empty() || line.arguments.iter().any(|p| unit_name::matches(p, &row.1))
    });
    rows.sort_by_key(|row| row.0);
    if line.options.json() {
        let rows: Vec<_> = rows
            .iter()
            .map(|row| {
                vec![
                    ("job", Json::Number(u64::from(row.0))),
                    ("unit", Json::Text(row.1.clone())),
                    ("type", Json::Text(row.2.clone())),
                    ("state", Json::Text(row.3.clone())),
                ]
            })
            .collect();
        listing::print_json(&rows, &line.options, screen);
        return Ok(0);
    }
    if rows.is_empty() {
        if line.options.legend() {
            screen.line(if all == 0 { "No jobs running." } else { "No jobs listed." });
        }
        return Ok(0);
    }
    let mut table = Table::new(&["JOB", "UNIT", "TYPE", "STATE"]).align(0, Align::Right);
    for (id, unit, kind, state, ..) in &rows {
        let style = if state == "running" { Style::Bold } else { Style::Plain };
        table.row(vec![cell(id.to_string()), styled(style, unit), cell(kind), styled(style, state)]);
    }
    listing::print(&table, &line.options, screen);
    if line.options.legend() {
        screen.line(&format!("\n{} jobs listed.", rows.len()));
    }
    Ok(0)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::CalledAs;
    use crate::text::table::Header;
    use expect_test::expect;

    fn unit(name: &str, load: &str, active: &str, sub: &str, description: &str) -> ListedUnit {
        ListedUnit {
            name: name.to_owned(),
            description: description.to_owned(),
            load: load.to_owned(),
            active: active.to_owned(),
            sub: sub.to_owned(),
            following: String::new(),
            path: unit_name::object_path(name),
            job: None,
        }
    }

    #[test]
    fn a_list_looks_as_systemctl_prints_it() {
        let options = Options::for_caller(CalledAs::Systemctl);
        let mut units = [
            unit("e-fail.service", "loaded", "failed", "failed", "e-fail.service"),
            unit("home.mount", "not-found", "inactive", "dead", "home.mount"),
            unit(
                "cron.service",
                "loaded",
                "active",
                "running",
                "Regular background program processing daemon",
            ),
        ];
        units.sort_by_cached_key(|unit| listing::order(&unit.name));
        let text = table(&units, &options, Paint::PLAIN).render(Paint::PLAIN, Header::Shown, None)
            + &footer(&units, &options, Paint::PLAIN);
        expect![[r#"
              UNIT           LOAD      ACTIVE   SUB     DESCRIPTION
            ● home.mount     not-found inactive dead    home.mount
              cron.service   loaded    active   running Regular background program processing daemon
            ● e-fail.service loaded    failed   failed  e-fail.service

            LOAD   = Reflects whether the unit definition was properly loaded.
            ACTIVE = The high-level unit activation state, i.e. generalization of SUB.
            SUB    = The low-level unit activation state, values depend on unit type.
            3 loaded units listed. Pass --all to see loaded but inactive units, too.
            To show all installed unit files use 'systemctl list-unit-files'.
        "#]]
        .assert_eq(&text);
    }
}
