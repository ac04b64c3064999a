//! Signals by name and number, signal(7).

pub const TERM: i32 = 15;

const NAMES: &[(i32, &str)] = &[
    (1, "HUP"),
    (2, "INT"),
    (3, "QUIT"),
    (4, "ILL"),
    (5, "TRAP"),
    (6, "ABRT"),
    (7, "BUS"),
    (8, "FPE"),
    (9, "KILL"),
    (10, "USR1"),
    (11, "SEGV"),
    (12, "USR2"),
    (13, "PIPE"),
    (14, "ALRM"),
    (15, "TERM"),
    (16, "STKFLT"),
    (17, "CHLD"),
    (18, "CONT"),
    (19, "STOP"),
    (20, "TSTP"),
    (21, "TTIN"),
    (22, "TTOU"),
    (23, "URG"),
    (24, "XCPU"),
    (25, "XFSZ"),
    (26, "VTALRM"),
    (27, "PROF"),
    (28, "WINCH"),
    (29, "IO"),
    (30, "PWR"),
    (31, "SYS"),
];

/// The first and last real-time signal of glibc and musl programs alike.
const RTMIN: i32 = 34;
const RTMAX: i32 = 64;

/// `TERM`, `SIGTERM`, `15`, `RTMIN+3`, `RTMAX-1`.
pub fn by_name(word: &str) -> Option<i32> {
    let short = word.strip_prefix("SIG").unwrap_or(word);
    if let Some((number, _)) = NAMES.iter().find(|(_, name)| *name == short) {
        return Some(*number);
    }
    let number = match (short.strip_prefix("RTMIN"), short.strip_prefix("RTMAX")) {
        (Some(""), _) => RTMIN,
        (_, Some("")) => RTMAX,
        (Some(rest), _) => RTMIN + rest.strip_prefix('+')?.parse::<i32>().ok()?,
        (_, Some(rest)) => RTMAX - rest.strip_prefix('-')?.parse::<i32>().ok()?,
        (None, None) => short.parse().ok()?,
    };
    (1..=RTMAX).contains(&number).then_some(number)
}

/// The name without `SIG`, or the number.
pub fn name(number: i32) -> String {
    match NAMES.iter().find(|(known, _)| *known == number) {
        Some((_, name)) => (*name).to_owned(),
        None if number == RTMIN => "RTMIN".to_owned(),
        None if (RTMIN..=RTMAX).contains(&number) => format!("RTMIN+{}", number - RTMIN),
        None => number.to_string(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_and_numbers_agree() {
        for (word, number) in [("HUP", 1), ("SIGKILL", 9), ("15", 15), ("RTMIN+3", 37), ("SIGRTMAX-1", 63)] {
            assert_eq!(by_name(word), Some(number), "{word}");
        }
        for word in ["BOGUS", "0", "65", "RTMIN+99", "-1"] {
            assert_eq!(by_name(word), None, "{word}");
        }
        assert_eq!((name(15), name(37)), ("TERM".to_owned(), "RTMIN+3".to_owned()));
    }
}
