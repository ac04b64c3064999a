use super::*;
use crate::values::Bad;

fn shown(text: &str) -> String {
    match parse(text, |zone| zone == "Europe/Berlin") {
        Ok(calendar) => calendar.to_string(),
        Err(bad) => bad.to_string(),
    }
}

#[test]
fn normalized() {
    for (text, normal) in [
        ("daily", "*-*-* 00:00:00"),
        ("Bi-Annually", "*-01,07-01 00:00:00"),
        ("Sat,Mon..Wed,Thu 6:30", "Mon..Thu,Sat *-*-* 06:30:00"),
        ("Fri,Sat", "Fri,Sat *-*-* 00:00:00"),
        ("5-3", "*-05-03 00:00:00"),
        ("30-1~7/2", "2030-01~07/2 00:00:00"),
        ("*:0/20", "*-*-* *:00/20:00"),
        ("9,8..8,1..7/3:0", "*-*-* 01..07/3,08,09:00:00"),
        ("0:0:1.25/0.5", "*-*-* 00:00:01.250000/0.500000"),
        ("0:0:1.9999996", "*-*-* 00:00:02"),
        ("@86461", "1970-01-02 00:01:01 UTC"),
        ("weekly Europe/Berlin", "Mon *-*-* 00:00:00 Europe/Berlin"),
        ("Mon,", "Mon *-*-* 00:00:00"),
    ] {
        assert_eq!(shown(text), normal, "{text}");
        assert_eq!(shown(normal), normal, "it reads as itself");
    }
}

#[test]
fn refused() {
    for text in
        ["", " daily", "daily ", "*", "12", "5..3:0", "*-*-32", "24:0", "*:0/60", "Mo", "Sun..Mon", "1~2~3"]
    {
        assert_eq!(shown(text), Bad::Syntax.to_string(), "{text}");
    }
    assert_eq!(shown("*:0/0"), Bad::Range.to_string());
    assert_eq!(shown("0:0:99999999999999999999"), Bad::Range.to_string());
}

/// Two hours east, three between the first and the second of these seconds.
struct Summer(i64, i64);

impl Zone for Summer {
    fn offset(&self, utc: i64) -> i64 {
        if (self.0..self.1).contains(&utc) { 10_800 } else { 7_200 }
    }
}

fn after(text: &str, seconds: i64, zone: &impl Zone) -> Option<u64> {
    parse(text, |_| false).unwrap().next_after(seconds as u64 * SECOND, zone).map(|at| at / SECOND)
}

#[test]
fn next_ones() {
    let day = |year, month, of_month| next::days(year, month, of_month) * 86_400;
    let next = |text: &str, from: i64| after(text, from, &Utc).map(|at| at as i64);
    assert_eq!(next("daily", day(2024, 2, 28)), Some(day(2024, 2, 29)));
    assert_eq!(next("*-2-29", day(2024, 2, 29)), Some(day(2028, 2, 29)));
    assert_eq!(next("*-*~1", day(2023, 2, 1)), Some(day(2023, 2, 28)));
    assert_eq!(next("Mon *-5~7/1", day(2024, 1, 1)), Some(day(2024, 5, 27)));
    assert_eq!(next("Fri *-*-13", day(2024, 1, 1)), Some(day(2024, 9, 13)));
    assert_eq!(next("2020-1-1", day(2024, 1, 1)), None);
    assert_eq!(next("*-2-30", day(2024, 1, 1)), None);
    assert_eq!(next("*:*:*", 59), Some(60));
}

#[test]
fn clocks_that_jump() {
    // At 3:00 local it becomes 4:00, and later at 4:00 it becomes 3:00 again.
    let (spring, autumn) = (10 * 86_400 + 3_600, 20 * 86_400 + 3_600);
    let zone = Summer(spring, autumn);
    let from = spring - 7_200;
    assert_eq!(
        after("3:30", from, &zone),
        Some((spring + 86_400 - 3_600 + 1_800) as u64),
        "skipped that day"
    );
    assert_eq!(after("3:30", autumn - 7_200, &zone), Some((autumn - 1_800) as u64), "the first of two");
    assert_eq!(
        after("3:30", autumn + 600, &zone),
        Some((autumn + 1_800) as u64),
        "the second, if that lies ahead"
    );
}

#[test]
fn days_and_dates() {
    for day in (-200_000..200_000).step_by(17) {
        let (year, month, of_month) = next::civil(day);
        assert_eq!(next::days(year, month, of_month), day);
    }
    assert_eq!(next::civil(0), (1970, 1, 1));
}
