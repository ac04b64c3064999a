//! Sizes in bytes: `1.5G`, `4G 3M 2K 1`, suffixes in falling order. Powers of 1024 for memory, of 1000 for
//! bandwidths: systemd.resource-control(5), systemd.exec(5).

use super::Bad;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Steps {
    Of1024,
    Of1000,
}

pub fn parse_size(text: &str, steps: Steps) -> Result<u64, Bad> {
    let step: u64 = match steps {
        Steps::Of1024 => 1024,
        Steps::Of1000 => 1000,
    };
    const SUFFIXES: [(&str, u32); 8] =
        [("E", 6), ("P", 5), ("T", 4), ("G", 3), ("M", 2), ("K", 1), ("B", 0), ("", 0)];
    let mut allowed: &[(&str, u32)] = &SUFFIXES;
    let mut rest = text;
    let mut sum = 0u64;
    // Each turn uses up at least one suffix.
    loop {
        let number = rest.trim_start_matches([' ', '\t']);
        if let Some(below_zero) = number.strip_prefix('-') {
            return Err(number_parts(below_zero).err().unwrap_or(Bad::Range));
        }
        let (whole, fraction, after) = number_parts(number.strip_prefix('+').unwrap_or(number))?;
        let after = after.trim_start_matches([' ', '\t']);
        let at = allowed.iter().position(|(suffix, _)| after.starts_with(suffix)).ok_or(Bad::Syntax)?;
        let (suffix, power) = allowed[at];
        let factor = step.pow(power);
        let term = whole.checked_mul(factor).ok_or(Bad::Range)?;
        let term = term.checked_add((fraction * factor as f64) as u64).ok_or(Bad::Range)?;
        sum = sum.checked_add(term).ok_or(Bad::Range)?;
        rest = &after[suffix.len()..];
        allowed = &allowed[at + 1..];
        if rest.is_empty() {
            return Ok(sum);
        }
    }
}

/// Whole part, fraction, and what follows.
fn number_parts(text: &str) -> Result<(u64, f64, &str), Bad> {
    let length = text.bytes().take_while(u8::is_ascii_digit).count();
    let (whole, after) = text.split_at(length);
    if whole.is_empty() {
        return Err(Bad::Syntax);
    }
    let whole = whole.parse().map_err(|_| Bad::Range)?;
    let Some(after) = after.strip_prefix('.') else {
        return Ok((whole, 0.0, after));
    };
    let length = after.bytes().take_while(u8::is_ascii_digit).count();
    let (fraction, after) = after.split_at(length);
    let fraction =
        if fraction.is_empty() { 0.0 } else { format!("0.{fraction}").parse().map_err(|_| Bad::Range)? };
    Ok((whole, fraction, after))
}
