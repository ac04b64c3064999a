//! Calendar expressions and timestamps agree with real systemd, measured.

#![allow(clippy::unwrap_used)]

#[path = "vectors/table.rs"]
mod table;
#[path = "vectors/zones.rs"]
mod zones;

use eudaemon_unit::values::calendar::Calendar;
use eudaemon_unit::values::timestamp::{format_timestamp, parse_timestamp};
use eudaemon_unit::values::zones::Zones;
use table::{Score, rows, text};
use zones::Zoneinfo;

#[test]
fn calendar() {
    let Some(rows) = rows("calendar").filter(|_| Zoneinfo::is_here()) else { return };
    let mut score = Score::new("calendar");
    let mut said = Score::new("calendar messages");
    for row in rows {
        let (expression, zones) = (text(&row[0]), Zoneinfo::with_local(&text(&row[1])));
        let base: u64 = text(&row[2]).parse().unwrap();
        let (found, message) = match Calendar::parse(&expression, &zones) {
            Ok(calendar) => {
                (format!("ok|{calendar}|{}", points(&calendar, base * 1_000_000, &zones)), String::new())
            }
            Err(bad) => ("error||".to_owned(), bad.to_string()),
        };
        let case = format!("{expression} in {}", text(&row[1]));
        score.row(&case, &format!("{}|{}|{}", text(&row[3]), text(&row[4]), text(&row[5])), &found);
        said.row(&case, &text(&row[6]), &message);
    }
    score.done(293);
    said.done(293);
}

/// The next six, in seconds.
fn points(calendar: &Calendar, base: u64, zones: &dyn Zones) -> String {
    let rules = calendar.rules(zones).unwrap();
    let following = |after: &u64| calendar.next(*after, &rules);
    let points = std::iter::successors(calendar.next(base, &rules), following).take(6);
    let points: Vec<String> = points.map(|point| (point / 1_000_000).to_string()).collect();
    if points.is_empty() { "never".to_owned() } else { points.join(" ") }
}

#[test]
fn calendar_in_microseconds() {
    let Some(rows) = rows("calendar-next-usec").filter(|_| Zoneinfo::is_here()) else { return };
    let mut score = Score::new("calendar-next-usec");
    for row in rows {
        let zones = Zoneinfo::with_local(&text(&row[1]));
        let calendar = Calendar::parse(&text(&row[0]), &zones).unwrap();
        let rules = calendar.rules(&zones).unwrap();
        let found = calendar.next(text(&row[2]).parse().unwrap(), &rules);
        let found = found.map_or("never".to_owned(), |point| point.to_string());
        score.row(&format!("{} in {}", text(&row[0]), text(&row[1])), &text(&row[3]), &found);
    }
    score.done(13);
}

#[test]
fn timestamp() {
    let Some(rows) = rows("timestamp").filter(|_| Zoneinfo::is_here()) else { return };
    let mut score = Score::new("timestamp");
    let zones = Zoneinfo::with_local("UTC");
    // 2026-11-27 05:20:00 UTC
    let now = 1_795_756_800_000_000;
    for row in rows {
        let status = text(&row[1]);
        let found = match parse_timestamp(&text(&row[0]), now, &zones) {
            // What it is depends on the day.
            Ok(_) if status == "relative" => "relative||".to_owned(),
            Ok(point) => {
                let shown = format_timestamp(point, &zones.local()).unwrap_or("-".to_owned());
                let part = match point % 1_000_000 {
                    0 => String::new(),
                    part => format!(".{part:06}"),
                };
                format!("ok|{}{part}|{shown}", point / 1_000_000)
            }
            Err(_) => "error||".to_owned(),
        };
        score.row(&text(&row[0]), &format!("{status}|{}|{}", text(&row[2]), text(&row[3])), &found);
    }
    score.done(46);
}
