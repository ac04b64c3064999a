//! Signals by name and number, as Linux counts them: `SIGTERM`, `TERM`, `15`, `RTMIN+3`.

use super::number::integer;

const NAMES: [(&str, i32); 31] = [
    ("HUP", 1),
    ("INT", 2),
    ("QUIT", 3),
    ("ILL", 4),
    ("TRAP", 5),
    ("ABRT", 6),
    ("BUS", 7),
    ("FPE", 8),
    ("KILL", 9),
    ("USR1", 10),
    ("SEGV", 11),
    ("USR2", 12),
    ("PIPE", 13),
    ("ALRM", 14),
    ("TERM", 15),
    ("STKFLT", 16),
    ("CHLD", 17),
    ("CONT", 18),
    ("STOP", 19),
    ("TSTP", 20),
    ("TTIN", 21),
    ("TTOU", 22),
    ("URG", 23),
    ("XCPU", 24),
    ("XFSZ", 25),
    ("VTALRM", 26),
    ("PROF", 27),
    ("WINCH", 28),
    ("IO", 29),
    ("PWR", 30),
    ("SYS", 31),
];
const REALTIME_FIRST: i32 = 34;
const REALTIME_LAST: i32 = 64;

pub fn parse_signal(text: &str) -> Option<i32> {
    if let Ok(number) = integer(text) {
        return i32::try_from(number).ok().filter(|signal| (1..=REALTIME_LAST).contains(signal));
    }
    let name = text.strip_prefix("SIG").unwrap_or(text);
    if let Some((_, signal)) = NAMES.iter().find(|(known, _)| *known == name) {
        return Some(*signal);
    }
    let offset = |text: &str, sign: char| match text {
        "" => Some(0),
        text => text.strip_prefix(sign)?.parse::<i32>().ok().filter(|offset| (0..=30).contains(offset)),
    };
    if let Some(rest) = name.strip_prefix("RTMIN") {
        return Some(REALTIME_FIRST + offset(rest, '+')?);
    }
    Some(REALTIME_LAST - offset(name.strip_prefix("RTMAX")?, '-')?)
}

/// The name without `SIG`, as `systemctl show` prints it.
pub fn signal_name(signal: i32) -> String {
    if let Some((name, _)) = NAMES.iter().find(|(_, number)| *number == signal) {
        return (*name).to_owned();
    }
    match signal {
        REALTIME_FIRST => "RTMIN".into(),
        REALTIME_LAST => "RTMAX".into(),
        35..=63 => format!("RTMIN+{}", signal - REALTIME_FIRST),
        number => number.to_string(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_signal_by_every_name() {
        for signal in (1..=31).chain(34..=64) {
            let name = signal_name(signal);
            assert_eq!(parse_signal(&name), Some(signal), "{name}");
            assert_eq!(parse_signal(&format!("SIG{name}")), Some(signal), "{name}");
        }
        assert_eq!(
            (parse_signal("RTMAX-1"), parse_signal("65"), parse_signal("term")),
            (Some(63), None, None)
        );
        assert_eq!((parse_signal(""), parse_signal("RTMIN+31")), (None, None));
    }
}
