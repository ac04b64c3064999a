//! Quoting as `systemctl show` does, so that its lines can be read back.

/// Characters that make a word need quotes: space, glob, and what a shell treats specially.
const NEEDS_QUOTES: &str = " \t\n\r*?['\"\\`$()<>|&;!";
const NEEDS_BACKSLASH: &str = "\"\\`$";

/// A word, in double quotes where it needs them. The empty word is left empty.
pub fn word(text: &str) -> String {
    let special = |c: char| NEEDS_QUOTES.contains(c) || (c as u32) < 0x20 || c == '\u{7f}';
    if !text.contains(special) {
        return text.to_owned();
    }
    let mut quoted = String::from("\"");
    for c in text.chars() {
        if NEEDS_BACKSLASH.contains(c) {
            quoted.push('\\');
        }
        quoted.push(c);
    }
    quoted.push('"');
    quoted
}

pub fn words<'a>(list: impl IntoIterator<Item = &'a str>) -> String {
    list.into_iter().map(word).collect::<Vec<_>>().join(" ")
}

/// A text on one line: newlines become `\n` escapes as systemctl writes them.
pub fn one_line(text: &str) -> String {
    let mut line = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '\n' => line.push_str("\\x0a"),
            '\\' => line.push_str("\\x5c"),
            c if (c as u32) < 0x20 => line.push_str(&format!("\\x{:02x}", c as u32)),
            c => line.push(c),
        }
    }
    line
}

/// A text without control characters, which a stranger's command line may hold.
pub fn printable(text: &str) -> String {
    text.chars().map(|c| if c.is_control() { '?' } else { c }).collect()
}

/// A word as the shell's `$'…'` or bare, for `show-environment`.
pub fn for_shell(text: &str) -> String {
    let special = |c: char| !(c.is_ascii_alphanumeric() || "_-./:=@%+,^~".contains(c)) && c.is_ascii();
    if !text.contains(special) {
        return text.to_owned();
    }
    let mut quoted = String::from("$'");
    for c in text.chars() {
        match c {
            '\n' => quoted.push_str("\\n"),
            '\t' => quoted.push_str("\\t"),
            '\r' => quoted.push_str("\\r"),
            '\'' | '\\' => {
                quoted.push('\\');
                quoted.push(c);
            }
            c if (c as u32) < 0x20 => quoted.push_str(&format!("\\{:03o}", c as u32)),
            c => quoted.push(c),
        }
    }
    quoted.push('\'');
    quoted
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_are_quoted_only_where_needed() {
        assert_eq!(words(["A=1", "B=two words"]), "A=1 \"B=two words\"");
        assert_eq!(words(["man:foo(8)", "https://example.org/"]), "\"man:foo(8)\" https://example.org/");
        assert_eq!(word("a\"b$"), "\"a\\\"b\\$\"");
    }
}
