//! The text of an `EnvironmentFile=`: systemd.exec(5). Lines `NAME=VALUE`, values quoted as in a shell,
//! nothing expanded.

/// What a file says.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct EnvFile {
    /// `NAME=VALUE` in order; of a name that comes twice the last one counts.
    pub assignments: Vec<String>,
    /// Names that no variable can have, passed over.
    pub refused: Vec<String>,
}

/// Why a file counts as unreadable.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum BadText {
    NotUtf8,
    HoldsNul,
}

impl std::fmt::Display for BadText {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            BadText::NotUtf8 => "environment file is not UTF-8",
            BadText::HoldsNul => "environment file holds a zero byte",
        })
    }
}

pub fn parse(text: &[u8]) -> Result<EnvFile, BadText> {
    if text.contains(&0) {
        return Err(BadText::HoldsNul);
    }
    let mut reader = Reader {
        place: Place::Start,
        name: Vec::new(),
        value: Vec::new(),
        solid: 0,
        is_text: true,
        file: EnvFile::default(),
    };
    text.iter().for_each(|c| reader.take(*c));
    reader.finish();
    if reader.is_text { Ok(reader.file) } else { Err(BadText::NotUtf8) }
}

/// Where in a line the next character stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Place {
    Start,
    Comment,
    /// After a backslash: the end of the line does not end the comment.
    CommentEscape,
    Name,
    /// Before a value, and again after each quoted part of it.
    BeforeValue,
    Value,
    ValueEscape,
    Single,
    Double,
    DoubleEscape,
}

struct Reader {
    place: Place,
    name: Vec<u8>,
    value: Vec<u8>,
    /// Bytes of the value that blanks at the end of the line do not shorten.
    solid: usize,
    /// Whether names and values are UTF-8; comments need not be.
    is_text: bool,
    file: EnvFile,
}

impl Reader {
    fn take(&mut self, c: u8) {
        let ends_line = c == b'\n' || c == b'\r';
        let is_space = ends_line || c == b' ' || c == b'\t';
        self.place = match self.place {
            Place::Start if c == b'#' || c == b';' => Place::Comment,
            Place::Start if is_space => Place::Start,
            // Even b'=': it begins a name that is none.
            Place::Start => self.named(c),
            Place::Comment if c == b'\\' => Place::CommentEscape,
            Place::Comment if ends_line => Place::Start,
            Place::Comment | Place::CommentEscape => Place::Comment,
            Place::Name if ends_line => self.forget(),
            Place::Name if c == b'=' => Place::BeforeValue,
            Place::Name => self.named(c),
            Place::BeforeValue | Place::Value if ends_line => self.assign(),
            Place::BeforeValue if c == b'\'' => Place::Single,
            Place::BeforeValue if c == b'"' => Place::Double,
            Place::BeforeValue | Place::Value if c == b'\\' => self.escaped(),
            Place::BeforeValue if is_space => Place::BeforeValue,
            Place::Value if is_space => {
                self.value.push(c);
                Place::Value
            }
            Place::BeforeValue | Place::Value => self.valued(c, Place::Value),
            // An escaped end of line joins two lines.
            Place::ValueEscape if ends_line => Place::Value,
            Place::ValueEscape => self.valued(c, Place::Value),
            Place::Single if c == b'\'' => Place::BeforeValue,
            Place::Double if c == b'"' => Place::BeforeValue,
            Place::Double if c == b'\\' => Place::DoubleEscape,
            Place::Single => self.valued(c, Place::Single),
            Place::Double => self.valued(c, Place::Double),
            Place::DoubleEscape if ends_line => Place::Double,
            Place::DoubleEscape => {
                if !b"\"\\`$".contains(&c) {
                    self.value.push(b'\\');
                }
                self.valued(c, Place::Double)
            }
        };
    }

    fn named(&mut self, c: u8) -> Place {
        self.name.push(c);
        Place::Name
    }

    fn valued(&mut self, c: u8, next: Place) -> Place {
        self.value.push(c);
        self.solid = self.value.len();
        next
    }

    /// Blanks before a backslash are not at the end of the line.
    const fn escaped(&mut self) -> Place {
        self.solid = self.value.len();
        Place::ValueEscape
    }

    fn forget(&mut self) -> Place {
        self.name.clear();
        self.value.clear();
        self.solid = 0;
        Place::Start
    }

    fn assign(&mut self) -> Place {
        self.value.truncate(self.solid);
        match (std::str::from_utf8(&self.name), std::str::from_utf8(&self.value)) {
            (Ok(name), Ok(value)) => match name.trim_end_matches([' ', '\t']) {
                name if is_name(name) => self.file.assignments.push(format!("{name}={value}")),
                name => self.file.refused.push(name.to_owned()),
            },
            (Ok(_) | Err(_), Ok(_) | Err(_)) => self.is_text = false,
        }
        self.forget()
    }

    fn finish(&mut self) {
        match self.place {
            Place::Start | Place::Comment | Place::CommentEscape | Place::Name => {}
            Place::BeforeValue
            | Place::Value
            | Place::ValueEscape
            | Place::Single
            | Place::Double
            | Place::DoubleEscape => {
                self.assign();
            }
        }
    }
}

fn is_name(name: &str) -> bool {
    let mut bytes = name.bytes();
    bytes.next().is_some_and(|first| first.is_ascii_alphabetic() || first == b'_')
        && bytes.all(|byte| byte.is_ascii_alphanumeric() || byte == b'_')
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(text: &str, expected: &[&str]) {
        let found = parse(text.as_bytes()).unwrap().assignments;
        assert_eq!(found, expected, "{text}");
    }

    #[test]
    fn quotes_comments_and_joined_lines() {
        check("A=b # c\n; d\\\nX=y\n B = 'c d' \"e\" ", &["A=b # c", "B=c de"]);
        check("A=\"b\\\nc\\$\\n\"\nB=\\\n\nC=\n", &["A=bc$\\n", "B=", "C="]);
        check("A='b\\'c'\nB=d\\  \n", &["A=b\\c'", "B=d "]);
        check("1=x\nfoo\n=y\nA=\"open\n", &["A=open\n"]);
        assert_eq!(parse(b"A=\xff"), Err(BadText::NotUtf8));
        assert_eq!(parse(b"A=\0"), Err(BadText::HoldsNul));
    }
}
