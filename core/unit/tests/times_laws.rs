//! What holds of every calendar expression and every timestamp, drawn by a generator of our own.

#![allow(clippy::unwrap_used)]

use eudaemon_unit::values::calendar::Calendar;
use eudaemon_unit::values::timestamp::{format_distance, format_timestamp, parse_timestamp};
use eudaemon_unit::values::zones::Zones;
use jiff::tz::TimeZone;
use std::hint::black_box;
use std::time::{Duration, Instant};

/// Zones by rule: with and without daylight saving, with a negative one, south of the equator, by half an hour.
const RULES: [&str; 6] = [
    "UTC0",
    "CET-1CEST,M3.5.0,M10.5.0/3",
    "EST5EDT,M3.2.0,M11.1.0",
    "IST-1GMT0,M10.5.0,M3.5.0/1",
    "<+1030>-10:30<+11>-11,M10.1.0,M4.1.0",
    "<+0545>-5:45",
];

struct Drawn(TimeZone);

impl Zones for Drawn {
    fn named(&self, name: &str) -> Option<TimeZone> {
        (name == "Europe/Berlin").then(|| TimeZone::posix(RULES[1]).unwrap())
    }

    fn local(&self) -> TimeZone {
        self.0.clone()
    }
}

/// A linear congruential generator; the high bits are the good ones.
struct Seed(u64);

impl Seed {
    fn below(&mut self, limit: u64) -> u64 {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 33) % limit
    }

    fn pick<'a>(&mut self, from: &[&'a str]) -> &'a str {
        from[self.below(from.len() as u64) as usize]
    }

    fn zones(&mut self) -> Drawn {
        Drawn(TimeZone::posix(self.pick(&RULES)).unwrap())
    }

    /// Some point from 1970 to 2250, often near where a clock changes.
    fn point(&mut self) -> u64 {
        let near = [1_711_846_800, 1_729_990_800, 1_710_054_000, 1_730_613_600, 1_743_292_800, 1_712_415_600];
        let seconds = match self.below(2) {
            0 => near[self.below(near.len() as u64) as usize] + self.below(14_400) - 7_200,
            _ => self.below(8_836_000) * 1_000,
        };
        seconds * 1_000_000 + self.below(2) * self.below(1_000_000)
    }

    fn chain(&mut self, from: u64, to: u64) -> String {
        if self.below(3) == 0 {
            return "*".to_owned();
        }
        let mut values = Vec::new();
        for _ in 0..=self.below(3) {
            let first = from + self.below(to - from + 1);
            let range = if self.below(3) == 0 {
                format!("..{}", from + self.below(to - from + 1))
            } else {
                String::new()
            };
            let step =
                if self.below(3) == 0 { format!("/{}", 1 + self.below(to - from)) } else { String::new() };
            values.push(format!("{first}{range}{step}"));
        }
        values.join(",")
    }

    fn expression(&mut self) -> String {
        let days = self.pick(&["", "", "Mon ", "Sat,Sun ", "Tue..Fri ", "Sun "]);
        let year = if self.below(4) == 0 { self.chain(1990, 2120) } else { "*".to_owned() };
        let before_day = self.pick(&["-", "-", "~"]);
        let (month, day, hour, minute) =
            (self.chain(1, 12), self.chain(1, 28), self.chain(0, 23), self.chain(0, 59));
        let fraction = self.pick(&["", "", ".5", "/0.25", ".000001/7.3"]);
        let second = format!("{}{fraction}", self.below(60));
        let zone = self.pick(&["", "", " UTC", " Europe/Berlin", " CEST", " EST", " GMT"]);
        format!("{days}{year}-{month}{before_day}{day} {hour}:{minute}:{second}{zone}")
    }
}

#[test]
fn what_comes_next_is_later_and_soon_found() {
    let mut seed = Seed(1);
    let (mut read, mut found) = (0, 0);
    for _ in 0..20_000 {
        let (text, zones, after) = (seed.expression(), seed.zones(), seed.point());
        let Ok(calendar) = Calendar::parse(&text, &zones) else { continue };
        read += 1;
        let rules = calendar.rules(&zones).unwrap();
        let began = Instant::now();
        let next = calendar.next(after, &rules);
        assert!(began.elapsed() < Duration::from_secs(5), "{text} after {after} took {:?}", began.elapsed());
        if let Some(next) = next {
            found += 1;
            assert!(next > after, "{text} after {after} is {next} in {:?}", zones.0);
        }
    }
    assert!(
        read > 2_000 && found > 1_000,
        "the generator draws what can be read: {read} read, {found} found"
    );
}

#[test]
fn what_is_printed_is_read_back() {
    let mut seed = Seed(2);
    for _ in 0..20_000 {
        let (text, zones) = (seed.expression(), seed.zones());
        let Ok(calendar) = Calendar::parse(&text, &zones) else { continue };
        let printed = calendar.to_string();
        assert_eq!(Calendar::parse(&printed, &zones).as_ref(), Ok(&calendar), "{text} prints {printed}");
    }
}

#[test]
fn an_earlier_start_finds_no_later_point() {
    let mut seed = Seed(3);
    for _ in 0..4_000 {
        // Of local times that come twice only one is taken, so this is a law of zones without change.
        let text = seed.expression();
        let (zones, after) = (Drawn(TimeZone::UTC), seed.point());
        let Ok(calendar) = Calendar::parse(&text, &zones) else { continue };
        let (Some(next), earlier) = (calendar.next(after, &TimeZone::UTC), after.saturating_sub(1)) else {
            continue;
        };
        let before = calendar.next(earlier, &TimeZone::UTC).unwrap();
        assert!(before == next || before == after, "{text}: {before} after {earlier}, {next} after {after}");
    }
}

const PIECES: &[&str] = &[
    "Mon",
    "..",
    "Fri",
    ",",
    "-",
    "~",
    "*",
    "/",
    ":",
    " ",
    ".",
    "0",
    "1",
    "28",
    "31",
    "2024",
    "99999999999",
    "@",
    "UTC",
    "CEST",
    "Europe/Berlin",
    "daily",
    "now",
    "today",
    "ago",
    "+",
    "5min",
    "\u{e4}",
    "\u{b5}s",
    "\t",
    "\n",
    "0.000001",
    "9999-12-31",
    "1970-01-01",
    "infinity",
    "left",
];

#[test]
fn any_text_is_judged_soon() {
    let mut seed = Seed(4);
    for _ in 0..60_000 {
        let text: String = (0..=seed.below(9)).map(|_| seed.pick(PIECES)).collect();
        let (zones, now) = (seed.zones(), seed.point());
        let began = Instant::now();
        if let Ok(point) = parse_timestamp(&text, now, &zones) {
            black_box((format_timestamp(point, &zones.local()), format_distance(point, now)));
        }
        if let Ok(calendar) = Calendar::parse(&text, &zones) {
            let rules = calendar.rules(&zones).unwrap();
            for after in [0, now, i64::MAX as u64, u64::MAX] {
                black_box(calendar.next(after, &rules));
            }
        }
        assert!(began.elapsed() < Duration::from_secs(5), "{text:?} took {:?}", began.elapsed());
    }
}

#[test]
fn a_shown_timestamp_is_read_back() {
    let mut seed = Seed(5);
    for _ in 0..20_000 {
        let point = seed.point() / 1_000_000 * 1_000_000 + 1_000_000;
        let zones = Drawn(TimeZone::UTC);
        let shown = format_timestamp(point, &TimeZone::UTC).unwrap();
        assert_eq!(parse_timestamp(&shown, 0, &zones), Ok(point), "{shown}");
    }
}
