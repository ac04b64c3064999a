//! Command lines as getopt_long(3) takes them: options anywhere, long ones by any beginning that is theirs alone.

use lexopt::{Arg, Parser};
use std::ffi::OsString;

/// Why a command line goes no further.
#[derive(Debug, PartialEq, Eq)]
pub enum Stop {
    Show(String),
    Refuse(String),
}

/// A long option.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Long {
    pub name: &'static str,
    pub takes: Takes,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Takes {
    Nothing,
    Value,
}

/// One argument, understood.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Given {
    /// A long option and its value, or nothing.
    Long(&'static str, String),
    Short(char),
    Word(OsString),
}

/// All arguments behind the program's own word; `program` is who complains.
pub fn getopt(
    program: &str,
    long: &[Long],
    short: &str,
    arguments: Vec<OsString>,
) -> Result<Vec<Given>, Stop> {
    let refuse = |text: String| Stop::Refuse(format!("{program}: {text}"));
    let mut given = Vec::new();
    let mut parser = Parser::from_iter(arguments);
    parser.set_short_equals(false);
    while let Some(argument) = parser.next().map_err(|error| refuse(error.to_string()))? {
        given.push(match argument {
            Arg::Value(word) => Given::Word(word),
            Arg::Short(letter) if short.contains(letter) => Given::Short(letter),
            Arg::Short(letter) => return Err(refuse(format!("invalid option -- '{letter}'"))),
            Arg::Long(name) => {
                let name = name.to_owned();
                let Some(option) = find(long, &name).map_err(refuse)? else {
                    let value = parser.optional_value();
                    let value = value.map_or(String::new(), |value| format!("={}", value.to_string_lossy()));
                    return Err(refuse(format!("unrecognized option '--{name}{value}'")));
                };
                let value = match option.takes {
                    Takes::Nothing if parser.optional_value().is_some() => {
                        return Err(refuse(format!("option '--{}' doesn't allow an argument", option.name)));
                    }
                    Takes::Nothing => String::new(),
                    Takes::Value => match parser.value() {
                        Ok(value) => value.to_string_lossy().into_owned(),
                        Err(_) => {
                            return Err(refuse(format!("option '--{}' requires an argument", option.name)));
                        }
                    },
                };
                Given::Long(option.name, value)
            }
        });
    }
    Ok(given)
}

/// The option with this name, or the only one whose name begins so, if any.
fn find(long: &[Long], name: &str) -> Result<Option<Long>, String> {
    let exact = long.iter().find(|option| option.name == name).copied();
    let begun: Vec<Long> = long.iter().copied().filter(|option| option.name.starts_with(name)).collect();
    match (exact, &begun[..]) {
        (Some(option), _) => Ok(Some(option)),
        (None, [option]) => Ok(Some(*option)),
        (None, []) => Ok(None),
        (None, _) => {
            let names: Vec<String> = begun.iter().map(|option| format!("'--{}'", option.name)).collect();
            Err(format!("option '--{name}' is ambiguous; possibilities: {}", names.join(" ")))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(line: &str, expected: Result<&[Given], &str>) {
        const LONG: &[Long] = &[
            Long { name: "iterations", takes: Takes::Value },
            Long { name: "instance", takes: Takes::Nothing },
        ];
        let arguments = ["word"].into_iter().chain(line.split(' ')).map(OsString::from).collect();
        let found = getopt("p", LONG, "q", arguments);
        assert_eq!(
            found.as_deref(),
            expected.map_err(|text| Stop::Refuse(text.to_owned())).as_deref(),
            "{line}"
        );
    }

    #[test]
    fn options() {
        check("--it=3", Ok(&[Given::Long("iterations", "3".into())]));
        check("a -q", Ok(&[Given::Word("a".into()), Given::Short('q')]));
        check("--i", Err("p: option '--i' is ambiguous; possibilities: '--iterations' '--instance'"));
        check("--x", Err("p: unrecognized option '--x'"));
        check("--instance=1", Err("p: option '--instance' doesn't allow an argument"));
        check("--iterations", Err("p: option '--iterations' requires an argument"));
        check("-x", Err("p: invalid option -- 'x'"));
    }
}
