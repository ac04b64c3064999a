//! Booleans, whole numbers, octal modes, percentages.

use super::Bad;

/// `yes`, `true`, `on`, `1` … and their opposites, in any case.
pub fn boolean(text: &str) -> Option<bool> {
    let is = |words: &[&str]| words.iter().any(|word| text.eq_ignore_ascii_case(word));
    match () {
        () if is(&["1", "yes", "y", "true", "t", "on"]) => Some(true),
        () if is(&["0", "no", "n", "false", "f", "off"]) => Some(false),
        () => None,
    }
}

/// Octal permission bits up to 07777.
pub fn mode(text: &str) -> Option<u32> {
    let digits = text.strip_prefix("0o").unwrap_or(text);
    if digits.is_empty() || !digits.bytes().all(|byte| (b'0'..=b'7').contains(&byte)) {
        return None;
    }
    u32::from_str_radix(digits, 8).ok().filter(|mode| *mode <= 0o7777)
}

/// A number as the C library reads it with base 0: decimal, `0x`, `0b`, `0o` or a leading zero for octal.
pub fn integer(text: &str) -> Result<i64, Bad> {
    let text = text.trim_start_matches([' ', '\t']);
    let (digits, sign) = match text.strip_prefix('-') {
        Some(digits) => (digits, -1),
        None => (text.strip_prefix('+').unwrap_or(text), 1),
    };
    let value = i128::from(magnitude(digits)?) * sign;
    i64::try_from(value).map_err(|_| Bad::Range)
}

pub fn unsigned(text: &str) -> Result<u64, Bad> {
    let text = text.trim_start_matches([' ', '\t']);
    match text.strip_prefix('-') {
        Some(digits) => match magnitude(digits)? {
            0 => Ok(0),
            1.. => Err(Bad::Range),
        },
        None => magnitude(text.strip_prefix('+').unwrap_or(text)),
    }
}

fn magnitude(digits: &str) -> Result<u64, Bad> {
    let radixes = [("0x", 16), ("0X", 16), ("0b", 2), ("0B", 2), ("0o", 8), ("0O", 8)];
    let (digits, radix) = radixes
        .into_iter()
        .find_map(|(prefix, radix)| Some((digits.strip_prefix(prefix)?, radix)))
        .unwrap_or(if digits.len() > 1 && digits.starts_with('0') {
            (&digits[1..], 8)
        } else {
            (digits, 10)
        });
    if digits.is_empty() || !digits.chars().all(|digit| digit.is_digit(radix)) {
        return Err(Bad::Syntax);
    }
    u64::from_str_radix(digits, radix).map_err(|_| Bad::Range)
}

/// `12%`, `0.5%`, `0.05%` as parts of ten thousand.
pub fn permyriad(text: &str) -> Option<u32> {
    const UNITS: [(char, usize); 3] = [('%', 2), ('‰', 1), ('‱', 0)];
    let (number, decimals) =
        UNITS.iter().find_map(|(unit, decimals)| Some((text.strip_suffix(*unit)?, *decimals)))?;
    let (whole, fraction) = match number.split_once('.') {
        Some((whole, fraction)) if !fraction.is_empty() => (whole, fraction),
        Some(_) => return None,
        None => (number, ""),
    };
    let digits = |text: &str| text.bytes().all(|byte| byte.is_ascii_digit());
    if whole.is_empty() || !digits(whole) || !digits(fraction) || fraction.len() > decimals {
        return None;
    }
    format!("{whole}{fraction:0<decimals$}").parse().ok()
}

/// The digits behind a decimal point as millionths, rounded at the seventh; and what follows them.
pub fn fraction(text: &str) -> Result<(i64, &str), Bad> {
    let length = text.bytes().take_while(u8::is_ascii_digit).count();
    let (digits, rest) = text.split_at(length);
    if digits.is_empty() {
        return Err(Bad::Syntax);
    }
    let digit = |at: usize| digits.as_bytes().get(at).map_or(0, |digit| i64::from(digit - b'0'));
    let millionths = (0..6).fold(0, |sum, at| sum * 10 + digit(at));
    Ok((millionths + i64::from(digit(6) >= 5), rest))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_as_written() {
        assert_eq!(
            (boolean("ON"), boolean("f"), boolean("2"), boolean("")),
            (Some(true), Some(false), None, None)
        );
        assert_eq!((mode("0750"), mode("10000"), mode("u=rwx"), mode("")), (Some(0o750), None, None, None));
        assert_eq!((integer("-0x10"), integer("+5"), integer("5x")), (Ok(-16), Ok(5), Err(Bad::Syntax)));
        assert_eq!((unsigned("-1"), unsigned("99999999999999999999")), (Err(Bad::Range), Err(Bad::Range)));
        assert_eq!((permyriad("33.33%"), permyriad("150%"), permyriad("1")), (Some(3333), Some(15000), None));
        assert_eq!(
            (permyriad("5‰"), permyriad("1.5‰"), permyriad("7‱"), permyriad("1.%")),
            (Some(50), Some(15), Some(7), None)
        );
    }
}
