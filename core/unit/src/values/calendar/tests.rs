//! Calendar expressions as one reads them: what they mean, and when they come.

use super::super::civil::Civil;
use super::super::zones::{OnTrust, Zones};
use super::*;

/// Berlin by rule, without a file.
struct Berlin;

impl Zones for Berlin {
    fn named(&self, name: &str) -> Option<TimeZone> {
        (name == "Europe/Berlin").then(|| self.local())
    }

    fn local(&self) -> TimeZone {
        TimeZone::posix("CET-1CEST,M3.5.0,M10.5.0/3").unwrap()
    }
}

fn means(text: &str, expected: &str) {
    let calendar = Calendar::parse(text, &OnTrust);
    assert_eq!(calendar.map(|calendar| calendar.to_string()).as_deref(), Ok(expected), "{text}");
}

fn is_bad(text: &str, bad: Bad) {
    assert_eq!(Calendar::parse(text, &OnTrust), Err(bad), "{text}");
}

/// The next three after a local time, by Berlin's clock.
fn comes(text: &str, after: (i64, i64, i64, i64), expected: &[&str]) {
    let calendar = Calendar::parse(text, &Berlin).unwrap();
    let rules = calendar.rules(&Berlin).unwrap();
    let (year, month, day, hour) = after;
    let after = Civil { year, month, day, hour, minute: 0, second: 0 }.seconds_in_utc();
    let after = u64::try_from(after).unwrap() * 1_000_000;
    let points = std::iter::successors(calendar.next(after, &rules), |after| calendar.next(*after, &rules));
    let shown: Vec<String> = points
        .take(3)
        .map(|point| super::super::timestamp::format_timestamp(point, &rules).unwrap())
        .collect();
    assert_eq!(shown, expected, "{text}");
}

#[test]
fn shorthands() {
    means("minutely", "*-*-* *:*:00");
    means("hourly", "*-*-* *:00:00");
    means("Daily", "*-*-* 00:00:00");
    means("weekly", "Mon *-*-* 00:00:00");
    means("monthly", "*-*-01 00:00:00");
    means("quarterly", "*-01,04,07,10-01 00:00:00");
    means("semiannually", "*-01,07-01 00:00:00");
    means("yearly UTC", "*-01-01 00:00:00 UTC");
}

#[test]
fn fields() {
    means("Sat,Thu,Mon..Wed,Sat..Sun", "Mon..Thu,Sat,Sun *-*-* 00:00:00");
    means("Mon-Fri", "Mon..Fri *-*-* 00:00:00");
    means("Mon, 12:00", "Mon *-*-* 12:00:00");
    means("Mon..Sun 5:0", "*-*-* 05:00:00");
    means("03-05", "*-03-05 00:00:00");
    means("93..00-*-*", "1993..2000-*-* 00:00:00");
    means("*-*~05,3 ", "*-*~03,05 00:00:00");
    means("*-*~*", "*-*-* 00:00:00");
    means("*:20..39/5", "*-*-* *:20..35/5:00");
    means("*:5..5/9", "*-*-* *:05:00");
    means("12,14,13,12:20,10,30", "*-*-* 12,13,14:10,20,30:00");
    means("*:*:1.25/2.5", "*-*-* *:*:01.250000/2.500000");
    means("0:0:0.1234565", "*-*-* 00:00:00.123457");
    means("@1395716396", "2014-03-25 02:59:56 UTC");
    means("2:30 Europe/Berlin", "*-*-* 02:30:00 Europe/Berlin");
}

#[test]
fn bad_ones() {
    for text in [
        "",
        " ",
        "UTC",
        " daily",
        "daily ",
        "Tues",
        "Fri..Mon",
        "Mon..",
        ",Mon",
        "Mon,12:00",
        "12h",
        "12:",
        "24:00",
        "1-",
        "*",
        "*-*/5-1",
        "*-*-32",
        "*-*~31",
        "*-*~5/5",
        "*:30..0",
        "*:59/4",
        "2200-01-01",
        "0:0:.5",
        "@-5",
        "*:*:5..5",
        "2003-03-05T05:40",
        "~1",
        "*-*~20,27",
    ] {
        is_bad(text, Bad::Syntax);
    }
    is_bad("*:0/0", Bad::Range);
    is_bad("2147483648:00", Bad::Range);
    is_bad("@18446744073709551616", Bad::Range);
    is_bad(&format!("{}:00", ["1"; 242].join(",")), Bad::TooMany);
}

#[test]
fn what_comes_next() {
    comes(
        "Sun *-*-* 02:30",
        (2024, 3, 24, 12),
        &["Sun 2024-04-07 02:30:00 CEST", "Sun 2024-04-14 02:30:00 CEST", "Sun 2024-04-21 02:30:00 CEST"],
    );
    comes(
        "hourly",
        (2024, 10, 26, 23),
        // The repeated hour comes once.
        &["Sun 2024-10-27 02:00:00 CEST", "Sun 2024-10-27 03:00:00 CET", "Sun 2024-10-27 04:00:00 CET"],
    );
    comes(
        "*-*~1 23:30",
        (2024, 1, 31, 23),
        &["Thu 2024-02-29 23:30:00 CET", "Sun 2024-03-31 23:30:00 CEST", "Tue 2024-04-30 23:30:00 CEST"],
    );
    comes(
        "*-02-29",
        (2096, 3, 1, 0),
        // 2100 has none.
        &["Fri 2104-02-29 00:00:00 CET", "Wed 2108-02-29 00:00:00 CET", "Mon 2112-02-29 00:00:00 CET"],
    );
    comes("2199-12-31 UTC", (2024, 1, 1, 0), &["Tue 2199-12-31 00:00:00 UTC"]);
    comes("04-31", (2024, 1, 1, 0), &[]);
    comes("2003-03-05", (2024, 1, 1, 0), &[]);
    // By summer time it is an hour earlier now than the clock shows: systemd refuses to go back.
    comes("daily CEST", (2024, 1, 1, 12), &[]);
}
