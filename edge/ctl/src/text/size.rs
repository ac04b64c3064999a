//! Byte counts: `1.2M`, in powers of 1024.

const UNITS: &[(u64, char)] =
    &[(1 << 60, 'E'), (1 << 50, 'P'), (1 << 40, 'T'), (1 << 30, 'G'), (1 << 20, 'M'), (1 << 10, 'K')];

pub fn bytes(count: u64) -> String {
    let Some((unit, letter)) = UNITS.iter().find(|(unit, _)| count >= *unit) else {
        return format!("{count}B");
    };
    let whole = count / unit;
    let tenth = u128::from(count % unit) * 10 / u128::from(*unit);
    if tenth > 0 { format!("{whole}.{tenth}{letter}") } else { format!("{whole}{letter}") }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sizes() {
        let shown: Vec<String> = [0, 1023, 1024, 1536, 104_857_600, u64::MAX].map(bytes).into();
        assert_eq!(shown, ["0B", "1023B", "1K", "1.5K", "100M", "15.9E"]);
    }
}
