//! `list-sockets` and `list-timers`: what will activate something, and when.

use super::{Failure, listing, names};
use crate::bus::{Client, UNIT, Value};
use crate::line::{Line, Options};
use crate::screen::Screen;
use crate::show::listen;
use crate::text::json::Json;
use crate::text::paint::{Paint, Style};
use crate::text::table::{Table, cell};
use crate::text::time::{Clock, INFINITY};
use crate::unit_name::Globs;

const SOCKET: &str = "org.freedesktop.systemd1.Socket";
const TIMER: &str = "org.freedesktop.systemd1.Timer";

/// Units of one kind by the patterns on the line; those that are down only with `--all`.
fn units(
    line: &Line,
    screen: &mut Screen,
    client: &mut Client,
    kind: &str,
) -> Result<Vec<names::ListedUnit>, Failure> {
    let suffix = format!(".{kind}");
    let mut patterns = Vec::new();
    for word in &line.arguments {
        patterns.push(names::mangled(screen, word, &suffix, Globs::Allowed)?);
    }
    let options = Options { types: vec![kind.to_owned()], ..line.options.clone() };
    super::units::listed(client, &options, &patterns)
}

fn triggers(client: &mut Client, path: &str) -> Vec<String> {
    let value = client.property(path, UNIT, "Triggers");
    value.map(|value| value.texts().into_iter().map(str::to_owned).collect()).unwrap_or_default()
}

pub fn sockets(line: &Line, screen: &mut Screen, client: &mut Client) -> Result<u8, Failure> {
    let mut rows = Vec::new();
    for unit in units(line, screen, client, "socket")? {
        let activates = triggers(client, &unit.path);
        let addresses = client.property(&unit.path, SOCKET, "Listen").ok();
        for (address, kind) in listen(addresses.as_ref()) {
            rows.push((address, kind, unit.name.clone(), activates.clone()));
        }
    }
    rows.sort();
    if line.options.json() {
        let rows: Vec<_> = rows
            .iter()
            .map(|(address, _, unit, activates)| {
                vec![
                    ("listen", Json::Text(address.clone())),
                    ("unit", Json::Text(unit.clone())),
                    ("activates", activates.first().map_or(Json::Null, |unit| Json::Text(unit.clone()))),
                ]
            })
            .collect();
        listing::print_json(&rows, &line.options, screen);
        return Ok(0);
    }
    let count = rows.len();
    let mut table = Table::new(&["LISTEN", "UNIT", "ACTIVATES"]);
    for (address, _, unit, activates) in rows {
        table.row(vec![cell(address), cell(unit), cell(or_dash(&activates))]);
    }
    listing::print(&table, &line.options, screen);
    footer(line, screen, count, "sockets", "sockets");
    Ok(0)
}

/// When a timer elapses next and elapsed last, in wall-clock microseconds; 0 or infinity for never.
struct TimerRow {
    next: u64,
    last: u64,
    unit: String,
    activates: Vec<String>,
}

pub fn timers(line: &Line, screen: &mut Screen, client: &mut Client) -> Result<u8, Failure> {
    let clock = Clock::of_this_machine(line.options.timestamps);
    let mut rows = Vec::new();
    for unit in units(line, screen, client, "timer")? {
        let activates = triggers(client, &unit.path);
        let mut number = |name: &str| {
            let value = client.property(&unit.path, TIMER, name);
            value.ok().as_ref().and_then(Value::unsigned).unwrap_or(0)
        };
        let next = next_elapse(&clock, number("NextElapseUSecMonotonic"), number("NextElapseUSecRealtime"));
        let last = number("LastTriggerUSec");
        rows.push(TimerRow { next, last, unit: unit.name, activates });
    }
    rows.sort_by(|a, b| (a.next, &a.unit).cmp(&(b.next, &b.unit)));
    if line.options.json() {
        let rows: Vec<_> = rows.iter().map(|row| timer_json(row, &clock)).collect();
        listing::print_json(&rows, &line.options, screen);
        return Ok(0);
    }
    listing::print(&timer_table(&rows, &clock), &line.options, screen);
    footer(line, screen, rows.len(), "timers", "timers");
    Ok(0)
}

/// The nearer of the two clocks, infinity for never.
pub fn next_elapse(clock: &Clock, monotonic: u64, realtime: u64) -> u64 {
    let set = |at: u64| if at == 0 { INFINITY } else { at };
    let (monotonic, realtime) = (set(monotonic), set(realtime));
    realtime.min(clock.of_monotonic(monotonic))
}

fn timer_table(rows: &[TimerRow], clock: &Clock) -> Table {
    let mut table = Table::new(&["NEXT", "LEFT", "LAST", "PASSED", "UNIT", "ACTIVATES"]);
    for row in rows {
        let shown = |text: Option<String>| cell(text.unwrap_or_else(|| "-".to_owned()));
        table.row(vec![
            shown(clock.point(row.next)),
            shown(clock.distance(row.next)),
            shown(clock.point(row.last)),
            shown(clock.distance(row.last)),
            cell(&row.unit),
            cell(or_dash(&row.activates)),
        ]);
    }
    table
}

fn timer_json(row: &TimerRow, clock: &Clock) -> Vec<(&'static str, Json)> {
    let set = |at: u64| if at == 0 || at == INFINITY { Json::Null } else { Json::Number(at) };
    let left =
        if row.next == INFINITY { Json::Null } else { Json::Number(row.next.saturating_sub(clock.now)) };
    vec![
        ("next", set(row.next)),
        ("left", left),
        ("last", Json::Number(row.last)),
        ("passed", Json::Number(row.last)),
        ("unit", Json::Text(row.unit.clone())),
        ("activates", row.activates.first().map_or(Json::Null, |unit| Json::Text(unit.clone()))),
    ]
}

fn or_dash(list: &[String]) -> String {
    if list.is_empty() { "-".to_owned() } else { list.join(", ") }
}

fn footer(line: &Line, screen: &mut Screen, count: usize, one: &str, what: &str) {
    if !line.options.legend() {
        return;
    }
    let style = if count == 0 { Style::Bad } else { Style::Bold };
    let paint: Paint = screen.paint;
    screen.line(&format!("\n{}", paint.text(style, &format!("{count} {one} listed."))));
    if !line.options.all {
        screen.line(&format!("Pass --all to see loaded but inactive {what}, too."));
    }
}
