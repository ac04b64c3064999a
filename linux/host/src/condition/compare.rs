//! `<`, `<=`, `=`, `!=`, `>=`, `>` before a value, and versions compared as people number them (uapi version format).

use super::glob::matches;
use std::cmp::Ordering;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Operator {
    Lower,
    LowerEqual,
    Equal,
    NotEqual,
    GreaterEqual,
    Greater,
}

const OPERATORS: &[(&str, Operator)] = &[
    ("<=", Operator::LowerEqual),
    (">=", Operator::GreaterEqual),
    ("!=", Operator::NotEqual),
    ("<>", Operator::NotEqual),
    ("==", Operator::Equal),
    ("<", Operator::Lower),
    (">", Operator::Greater),
    ("=", Operator::Equal),
];

impl Operator {
    /// The operator a text begins with, and the rest without the spaces between.
    pub fn split(text: &str) -> Option<(Operator, &str)> {
        Operator::sign(text).map(|(operator, rest)| (operator, rest.trim_start()))
    }

    /// The operator a text begins with, and what follows it.
    pub fn sign(text: &str) -> Option<(Operator, &str)> {
        OPERATORS.iter().find_map(|(sign, operator)| Some((*operator, text.strip_prefix(sign)?)))
    }

    pub fn holds(self, order: Ordering) -> bool {
        match self {
            Operator::Lower => order.is_lt(),
            Operator::LowerEqual => order.is_le(),
            Operator::Equal => order.is_eq(),
            Operator::NotEqual => order.is_ne(),
            Operator::GreaterEqual => order.is_ge(),
            Operator::Greater => order.is_gt(),
        }
    }
}

/// What an expression asks of a text: to be another one, to fit a pattern, or where it stands among versions.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Comparison {
    Is,
    IsNot,
    Fits,
    FitsNot,
    Version(Operator),
}

const COMPARISONS: &[(&str, Comparison)] = &[
    ("!$=", Comparison::FitsNot),
    ("$=", Comparison::Fits),
    ("!=", Comparison::IsNot),
    ("==", Comparison::Version(Operator::Equal)),
    ("=", Comparison::Is),
];

impl Comparison {
    /// The sign a text begins with, and what follows it.
    pub fn sign(text: &str) -> Option<(Comparison, &str)> {
        let known = COMPARISONS.iter().find_map(|(sign, one)| Some((*one, text.strip_prefix(sign)?)));
        let of_version = || Operator::sign(text).map(|(one, rest)| (Comparison::Version(one), rest));
        known.or_else(of_version)
    }

    pub fn holds(self, found: &str, wanted: &str) -> bool {
        match self {
            Comparison::Is => found == wanted,
            Comparison::IsNot => found != wanted,
            Comparison::Fits => matches(wanted, found),
            Comparison::FitsNot => !matches(wanted, found),
            Comparison::Version(operator) => operator.holds(versions(found, wanted)),
        }
    }
}

/// Segment by segment: digits as numbers, letters as text, numbers newer than letters. `~` sorts before the end, the end before
/// `-`, `^` and `.`, in this order, and these before all else; other characters only part segments.
pub fn versions(a: &str, b: &str) -> Ordering {
    let (mut a, mut b) = (a, b);
    loop {
        let is_skipped = |c: char| !c.is_ascii_alphanumeric() && !"~-^.".contains(c);
        a = a.trim_start_matches(is_skipped);
        b = b.trim_start_matches(is_skipped);
        for mark in ['~', '-', '^', '.'] {
            // The end has its place behind `~`.
            if mark == '-' && (a.is_empty() || b.is_empty()) {
                return a.len().min(1).cmp(&b.len().min(1));
            }
            match (a.strip_prefix(mark), b.strip_prefix(mark)) {
                (Some(rest_a), Some(rest_b)) => (a, b) = (rest_a, rest_b),
                (Some(_), None) => return Ordering::Less,
                (None, Some(_)) => return Ordering::Greater,
                (None, None) => {}
            }
        }
        let is_number = |text: &str| text.starts_with(|c: char| c.is_ascii_digit());
        let digits = is_number(a) || is_number(b);
        let run = |text: &str| {
            text.find(|c: char| if digits { !c.is_ascii_digit() } else { !c.is_ascii_alphabetic() })
                .unwrap_or(text.len())
        };
        let (head_a, rest_a) = a.split_at(run(a));
        let (head_b, rest_b) = b.split_at(run(b));
        let order = if digits {
            let (number_a, number_b) = (head_a.trim_start_matches('0'), head_b.trim_start_matches('0'));
            // A number is newer than letters: an empty run on one side means letters stand there.
            let a = (!head_a.is_empty(), number_a.len(), number_a);
            a.cmp(&(!head_b.is_empty(), number_b.len(), number_b))
        } else {
            head_a.cmp(head_b)
        };
        if order.is_ne() {
            return order;
        }
        (a, b) = (rest_a, rest_b);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn versions_in_order() {
        for (a, b, expected) in [
            ("6.18.44", "6.2", Ordering::Greater),
            ("6.1", "6.1", Ordering::Equal),
            ("6.1~rc1", "6.1", Ordering::Less),
            ("5.10-a", "5.10", Ordering::Greater),
            ("007", "7", Ordering::Equal),
            ("1.a", "1.2", Ordering::Less),
            ("123-9", "123.1-1", Ordering::Less),
            ("1^2", "1.2", Ordering::Less),
            ("1-2", "1^2", Ordering::Less),
            ("1", "1-", Ordering::Less),
            ("1~~", "1~", Ordering::Greater),
            ("1_0", "1", Ordering::Greater),
            ("", "~", Ordering::Greater),
        ] {
            assert_eq!(versions(a, b), expected, "{a} {b}");
            assert_eq!(versions(b, a), expected.reverse(), "{b} {a}");
        }
    }
}
