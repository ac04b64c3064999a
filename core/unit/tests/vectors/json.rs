//! Just enough JSON to read the tables: objects of strings, arrays, null.

use std::collections::BTreeMap;

#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Json {
    Text(String),
    List(Vec<Json>),
    Object(BTreeMap<String, Json>),
    Other(String),
}

impl Json {
    pub fn parse(text: &str) -> Json {
        let (value, rest) = value(text.trim_start());
        assert!(rest.trim().is_empty(), "JSON ends early: {rest}");
        value
    }

    pub fn object(&self) -> &BTreeMap<String, Json> {
        match self {
            Json::Object(object) => object,
            other => panic!("no object: {other:?}"),
        }
    }

    pub fn text(&self) -> &str {
        match self {
            Json::Text(text) | Json::Other(text) => text,
            other => panic!("no text: {other:?}"),
        }
    }
}

fn value(text: &str) -> (Json, &str) {
    match text.as_bytes()[0] {
        b'"' => {
            let (text, rest) = string(&text[1..]);
            (Json::Text(text), rest)
        }
        b'[' => {
            let mut items = Vec::new();
            let mut rest = text[1..].trim_start();
            while !rest.starts_with(']') {
                let (item, after) = value(rest);
                items.push(item);
                rest = after.trim_start().trim_start_matches(',').trim_start();
            }
            (Json::List(items), &rest[1..])
        }
        b'{' => {
            let mut items = BTreeMap::new();
            let mut rest = text[1..].trim_start();
            while !rest.starts_with('}') {
                let (key, after) = string(&rest[1..]);
                let (item, after) = value(after.trim_start().trim_start_matches(':').trim_start());
                items.insert(key, item);
                rest = after.trim_start().trim_start_matches(',').trim_start();
            }
            (Json::Object(items), &rest[1..])
        }
        _ => {
            let end = text.find([',', ']', '}']).unwrap_or(text.len());
            (Json::Other(text[..end].trim().to_owned()), &text[end..])
        }
    }
}

fn string(text: &str) -> (String, &str) {
    let mut units: Vec<u16> = Vec::new();
    let mut characters = text.char_indices();
    while let Some((at, c)) = characters.next() {
        match c {
            '"' => return (String::from_utf16_lossy(&units), &text[at + 1..]),
            '\\' => match characters.next().unwrap().1 {
                'u' => {
                    let digits: String = characters.by_ref().take(4).map(|(_, c)| c).collect();
                    units.push(u16::from_str_radix(&digits, 16).unwrap());
                }
                escaped => {
                    let known = [('n', '\n'), ('t', '\t'), ('r', '\r'), ('b', '\u{8}'), ('f', '\u{c}')];
                    let meant =
                        known.iter().find(|(short, _)| *short == escaped).map_or(escaped, |(_, c)| *c);
                    units.extend(meant.encode_utf16(&mut [0; 2]).iter());
                }
            },
            other => units.extend(other.encode_utf16(&mut [0; 2]).iter()),
        }
    }
    panic!("open string")
}
