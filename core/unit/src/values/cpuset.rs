//! Sets of CPUs and memory nodes as text: `0-3 8,10`, and back: `0-3 8 10`.

use super::Bad;
use super::number::unsigned;

/// More CPUs than any machine has; a wider number is a mistake.
const CPU_MAX: u32 = 8191;

/// Sorted ranges without overlap.
pub fn parse_cpuset(text: &str) -> Result<Vec<(u32, u32)>, (Bad, String)> {
    let mut ranges = Vec::new();
    for word in text.split([' ', '\t', ',']).filter(|word| !word.is_empty()) {
        let bad = |bad| (bad, word.to_owned());
        let (first, last) = word.split_once('-').unwrap_or((word, word));
        let number = |text: &str| {
            let number = unsigned(text).ok().filter(|_| !text.starts_with(['+', '-']));
            number.and_then(|number| u32::try_from(number).ok()).ok_or_else(|| bad(Bad::Syntax))
        };
        let (first, last) = (number(first)?, number(last)?);
        if last > CPU_MAX {
            return Err(bad(Bad::Range));
        }
        if first <= last {
            ranges.push((first, last));
        }
    }
    Ok(union(ranges))
}

fn union(mut ranges: Vec<(u32, u32)>) -> Vec<(u32, u32)> {
    ranges.sort_unstable();
    let mut joined: Vec<(u32, u32)> = Vec::with_capacity(ranges.len());
    for (first, last) in ranges {
        match joined.last_mut() {
            Some(open) if first <= open.1 + 1 => open.1 = open.1.max(last),
            Some(_) | None => joined.push((first, last)),
        }
    }
    joined
}

pub fn format_cpuset(ranges: &[(u32, u32)]) -> String {
    let word = |(first, last): &(u32, u32)| match first == last {
        true => first.to_string(),
        false => format!("{first}-{last}"),
    };
    ranges.iter().map(word).collect::<Vec<_>>().join(" ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ranges_join() {
        let show = |text| parse_cpuset(text).map(|ranges| format_cpuset(&ranges));
        assert_eq!(show("1-3 2"), Ok("1-3".into()));
        assert_eq!(show("8,0-3 4"), Ok("0-4 8".into()));
        assert_eq!(show("010-011"), Ok("8-9".into()));
        assert_eq!(show("08"), Err((Bad::Syntax, "08".into())));
        assert_eq!(show("0-"), Err((Bad::Syntax, "0-".into())));
        assert_eq!(show("1 -2"), Err((Bad::Syntax, "-2".into())));
    }
}
