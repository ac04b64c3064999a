//! The tables: for each number of services one line per figure, every value a median with its range.

use super::figures::{Figures, Spread};
use super::runner::Runner;

/// What is compared: over, under, and the column's name.
const RATIOS: [(Runner, Runner, &str); 3] = [
    (Runner::Ours, Runner::Joining, "ours/joining"),
    (Runner::Ours, Runner::Born, "ours/born"),
    (Runner::Systemd, Runner::Ours, "systemd/ours"),
];

pub fn print(figures: &Figures) {
    println!("median (least to most) of the rounds");
    for (count, rows) in figures.by_count() {
        let title = |what: &str| format!("{count} services{what}");
        line(&title(""), &Runner::ALL.map(|runner| runner.name().to_owned()));
        for (figure, row) in rows {
            line(&figure.name(), &Runner::ALL.map(|runner| cell(row.spread(runner))));
        }
        line(&title(", ratios"), &RATIOS.map(|(_, _, name)| name.to_owned()));
        for (figure, row) in rows.iter().filter(|(figure, _)| figure.is_comparable()) {
            let ratios = RATIOS.map(|(over, under, _)| row.ratio(over, under));
            if ratios.iter().any(Option::is_some) {
                line(&figure.name(), &ratios.map(cell));
            }
        }
        println!();
    }
}

fn line(name: &str, cells: &[String]) {
    print!("{name:<40}");
    for text in cells {
        print!("{text:>24}");
    }
    println!();
}

fn cell(spread: Option<Spread>) -> String {
    let Some(Spread { median, least, most }) = spread else { return "-".to_owned() };
    // Three digits say all that the ranges leave certain.
    let digits = match median {
        ..10.0 => 2,
        10.0..100.0 => 1,
        _ => 0,
    };
    format!("{median:.digits$} ({least:.digits$} to {most:.digits$})")
}
