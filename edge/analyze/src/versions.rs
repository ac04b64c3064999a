//! `compare-versions`: which of two is newer, or whether they stand in a relation. systemd-analyze(1).

use crate::Options;
use crate::times::Judge;
use eudaemon_host::condition::{Operator, versions};
use std::cmp::Ordering;
use std::process::ExitCode;

/// Exit codes where no relation is asked for, those of rpmdev-vercmp.
const NEWER: u8 = 11;
const OLDER: u8 = 12;

const WORDS: &[(&str, Operator)] = &[
    ("lt", Operator::Lower),
    ("le", Operator::LowerEqual),
    ("eq", Operator::Equal),
    ("ne", Operator::NotEqual),
    ("ge", Operator::GreaterEqual),
    ("gt", Operator::Greater),
];

pub fn compare_versions(_: &Options, words: &[String], _: &Judge) -> ExitCode {
    let (first, relation, second) = match words {
        [first, relation, second] => (first, Some(relation), second),
        [first, second] => (first, None, second),
        _ => return ExitCode::FAILURE,
    };
    let order = versions(first, second);
    let Some(relation) = relation else {
        let (sign, code) = match order {
            Ordering::Less => ("<", OLDER),
            Ordering::Equal => ("==", 0),
            Ordering::Greater => (">", NEWER),
        };
        let shown = |version: &str| if version.is_empty() { "''".to_owned() } else { version.to_owned() };
        outln!("{} {sign} {}", shown(first), shown(second));
        return ExitCode::from(code);
    };
    let word = WORDS.iter().find(|(word, _)| word == relation).map(|(_, operator)| *operator);
    let (sign, rest) =
        Operator::sign(relation).map_or((None, relation.as_str()), |(sign, rest)| (Some(sign), rest));
    match word.or(sign.filter(|_| rest.is_empty())) {
        Some(operator) => ExitCode::from(u8::from(!operator.holds(order))),
        None => {
            eprintln!("Unknown operator \"{rest}\".");
            ExitCode::FAILURE
        }
    }
}
