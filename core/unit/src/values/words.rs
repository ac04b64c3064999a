//! Splitting a value into words: quotes and C escapes, systemd.syntax(7) "Quoting" and
//! systemd.service(5) "Command lines".

/// What a backslash means.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Escapes {
    /// `\n`, `\x41`, `\u0041` … are decoded; an unknown one is kept as written and reported.
    C,
    /// The same, and one at the very end is kept.
    Relaxed,
    /// A backslash is an ordinary character.
    Kept,
    /// The next character is taken as it is.
    Literal,
}

/// What quotes mean.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Quotes {
    Removed,
    Kept,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Word {
    pub text: String,
    /// Escapes that mean nothing were kept as written.
    pub escapes: Known,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Known {
    All,
    NotAll,
}

/// A quote is open, or the text ends in the middle of an escape.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Unbalanced;

/// Goes through a text word by word.
#[derive(Clone, Debug)]
pub struct Words<'a> {
    rest: &'a str,
    quotes: Quotes,
    escapes: Escapes,
}

impl<'a> Words<'a> {
    pub fn new(text: &'a str, quotes: Quotes, escapes: Escapes) -> Words<'a> {
        Words { rest: text, quotes, escapes }
    }

    /// Quotes removed, C escapes decoded, what means nothing kept: command lines.
    pub fn of_command(text: &'a str) -> Words<'a> {
        Words::new(text, Quotes::Removed, Escapes::Relaxed)
    }

    /// Quotes removed, C escapes decoded: `Environment=`.
    pub fn quoted(text: &'a str) -> Words<'a> {
        Words::new(text, Quotes::Removed, Escapes::C)
    }

    /// Quotes removed, backslashes kept: lists of names and paths.
    pub fn names(text: &'a str) -> Words<'a> {
        Words::new(text, Quotes::Removed, Escapes::Kept)
    }

    /// What is left, from the next word on.
    pub fn rest(&self) -> &'a str {
        self.rest.trim_start_matches(is_space)
    }

    /// Passes over bytes that the caller has understood; `count` ends at a character.
    pub fn advance(&mut self, count: usize) {
        self.rest = self.rest().get(count..).unwrap_or("");
    }

    fn word(&mut self) -> Result<Word, Unbalanced> {
        let text = self.rest();
        let mut word = Building { bytes: Vec::new(), escapes: Known::All };
        let mut quote: Option<char> = None;
        let mut at = 0;
        while let Some(c) = text[at..].chars().next() {
            at += c.len_utf8();
            match (c, quote) {
                ('\\', None) if text.len() == at && self.escapes == Escapes::Relaxed => {
                    word.escapes = Known::NotAll;
                    word.push('\\');
                }
                ('\\', _) if self.escapes != Escapes::Kept => at += self.escape(&text[at..], &mut word)?,
                (c, Some(open)) if c == open => quote = None,
                ('"' | '\'', None) if self.quotes == Quotes::Removed => quote = Some(c),
                (c, None) if is_space(c) => {
                    self.rest = &text[at..];
                    return Ok(word.done());
                }
                (c, _) => word.push(c),
            }
        }
        self.rest = "";
        if quote.is_some() { Err(Unbalanced) } else { Ok(word.done()) }
    }

    /// What follows a backslash; how many bytes were used.
    fn escape(&self, after: &str, word: &mut Building) -> Result<usize, Unbalanced> {
        let next = after.chars().next().ok_or(Unbalanced)?;
        match (self.escapes, unescape(after)) {
            (Escapes::C | Escapes::Relaxed, Some((Escaped::Char(c), length))) => {
                word.push(c);
                Ok(length)
            }
            (Escapes::C | Escapes::Relaxed, Some((Escaped::Byte(byte), length))) => {
                word.bytes.push(byte);
                Ok(length)
            }
            (Escapes::C | Escapes::Relaxed, None) => {
                word.escapes = Known::NotAll;
                word.push('\\');
                word.push(next);
                Ok(next.len_utf8())
            }
            (Escapes::Literal | Escapes::Kept, _) => {
                word.push(next);
                Ok(next.len_utf8())
            }
        }
    }
}

impl Iterator for Words<'_> {
    type Item = Result<Word, Unbalanced>;

    fn next(&mut self) -> Option<Result<Word, Unbalanced>> {
        if self.rest().is_empty() {
            return None;
        }
        let word = self.word();
        if word.is_err() {
            self.rest = "";
        }
        Some(word)
    }
}

/// A word on its way: `\xc3\xa4` is one character written as two bytes.
struct Building {
    bytes: Vec<u8>,
    escapes: Known,
}

impl Building {
    fn push(&mut self, c: char) {
        self.bytes.extend_from_slice(c.encode_utf8(&mut [0; 4]).as_bytes());
    }

    /// Bytes that make no character become U+FFFD: a word is text for everyone behind us.
    fn done(self) -> Word {
        let text = String::from_utf8(self.bytes)
            .unwrap_or_else(|error| String::from_utf8_lossy(error.as_bytes()).into_owned());
        Word { text, escapes: self.escapes }
    }
}

/// What an escape stands for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Escaped {
    Char(char),
    Byte(u8),
}

fn is_space(c: char) -> bool {
    matches!(c, ' ' | '\t' | '\n' | '\r')
}

/// What an escape stands for, and the bytes it takes after the backslash. Zero is no escape.
pub fn unescape(after: &str) -> Option<(Escaped, usize)> {
    let number = |digits: usize, start: usize, radix: u32| {
        let text = after.get(start..start + digits)?;
        if !text.chars().all(|c| c.is_digit(radix)) {
            return None;
        }
        u32::from_str_radix(text, radix).ok().filter(|number| *number != 0)
    };
    let byte = |number: u32, length| Some((Escaped::Byte(u8::try_from(number).ok()?), length));
    let char = |number: u32, length| Some((Escaped::Char(char::from_u32(number)?), length));
    let simple = |c| Some((Escaped::Char(c), 1));
    match after.as_bytes().first()? {
        b'a' => simple('\u{7}'),
        b'b' => simple('\u{8}'),
        b'f' => simple('\u{c}'),
        b'n' => simple('\n'),
        b'r' => simple('\r'),
        b't' => simple('\t'),
        b'v' => simple('\u{b}'),
        b'\\' => simple('\\'),
        b'"' => simple('"'),
        b'\'' => simple('\''),
        b's' => simple(' '),
        b'x' => byte(number(2, 1, 16)?, 3),
        b'u' => char(number(4, 1, 16)?, 5),
        b'U' => char(number(8, 1, 16)?, 9),
        b'0'..=b'7' => byte(number(3, 0, 8)?, 3),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use expect_test::{Expect, expect};

    fn check(words: Words<'_>, expected: Expect) {
        let shown: Vec<String> = words
            .map(|word| match word {
                Ok(Word { text, escapes: Known::All }) => format!("<{text}>"),
                Ok(Word { text, escapes: Known::NotAll }) => format!("<{text}>?"),
                Err(Unbalanced) => "unbalanced".into(),
            })
            .collect();
        expected.assert_eq(&shown.join(" "));
    }

    #[test]
    fn quotes_and_escapes() {
        check(
            Words::quoted(r#"a 'b c'd "" \x41\xc3\xa4\u00e4\s\q \400"#),
            expect![[r#"<a> <b cd> <> <Aää \q>? <\400>?"#]],
        );
        check(Words::quoted(r#"a "b"#), expect![[r#"<a> unbalanced"#]]);
        check(Words::quoted(r"a\"), expect!["unbalanced"]);
        check(Words::names(r#"a\b "c d""#), expect![[r#"<a\b> <c d>"#]]);
        check(Words::new(r"a\ b", Quotes::Kept, Escapes::Literal), expect!["<a b>"]);
    }
}
