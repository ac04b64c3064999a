//! Command lines: systemd.service(5) "Command lines". Prefixes, quotes, escapes, several commands in one line.
//! `$VARIABLE`s stay as they are: the child expands them when its environment is whole.

use crate::config::exec::{ExecCommand, Expansion, Failure, Privileges};
use crate::specifier::{Allowed, Scope, expand};
use crate::values::path;
use crate::values::words::{Known, Unbalanced, Word, Words};

/// What a line held.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Parsed {
    /// The commands before the first one that is wrong.
    pub commands: Vec<ExecCommand>,
    /// What was odd, in order.
    pub remarks: Vec<String>,
    /// What was wrong, if anything was; ends the line.
    pub fault: Option<Fault>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Fault {
    /// The unit runs without the command.
    Skipped(String),
    /// The unit cannot be used.
    Fatal(String),
}

/// All commands of one `Exec…=` value. An empty value has none (and resets the list, which is the caller's part).
pub fn parse(value: &str, scope: Scope<'_>) -> Parsed {
    let mut parsed = Parsed::default();
    let mut words = Words::of_command(value);
    loop {
        // Complaints quote the line from the command on that they are about.
        let value = words.rest();
        let Some(first) = words.next() else { break };
        match command(first, &mut words, value, scope, &mut parsed.remarks) {
            Ok(Some(command)) => parsed.commands.push(command),
            Ok(None) => {}
            Err(fault) => {
                parsed.fault = Some(fault);
                break;
            }
        }
    }
    parsed
}

/// One command up to its `;`. `None`: a `;` where a command could begin.
fn command(
    first: Result<Word, Unbalanced>,
    words: &mut Words<'_>,
    value: &str,
    scope: Scope<'_>,
    remarks: &mut Vec<String>,
) -> Result<Option<ExecCommand>, Fault> {
    // A first word that cannot be read is no command at all, so nothing fails for the lack of it.
    let first = first.map_err(|Unbalanced| Fault::Skipped(unbalanced(value)))?;
    let first = remarked(first, remarks);
    if first == ";" {
        return Ok(None);
    }
    let (prefixes, rest) = Prefixes::of(&first);
    let path = executable(rest, value, prefixes.failure, scope)?;
    let mut argv = match prefixes.argv0 {
        Argv0::Path => vec![path.clone()],
        Argv0::NextWord => Vec::new(),
    };
    loop {
        match words.rest().as_bytes() {
            [b';'] | [b';', b' ' | b'\t', ..] => {
                words.advance(1);
                break;
            }
            [b'\\', b';'] | [b'\\', b';', b' ' | b'\t', ..] => {
                words.advance(2);
                argv.push(";".into());
                continue;
            }
            _ => {}
        }
        let Some(word) = words.next() else { break };
        let word = word.map_err(|Unbalanced| fault(prefixes.failure, |_| unbalanced(value)))?;
        let word = remarked(word, remarks);
        let expanded = expand(&word, scope, Allowed::All).map_err(|bad| {
            fault(prefixes.failure, |tail| {
                format!("Failed to resolve unit specifiers in {word}{tail}: {bad}")
            })
        })?;
        argv.push(expanded.into_owned());
    }
    if argv.is_empty() {
        let text = |tail: &str| format!("Empty executable name or zeroeth argument{tail}: {value}");
        return Err(fault(prefixes.failure, text));
    }
    let Prefixes { failure, expansion, privileges, argv0: _ } = prefixes;
    let path = path::simplify(&path).into_owned();
    Ok(Some(ExecCommand { path, argv, failure, expansion, privileges }))
}

/// The program: absolute, or a bare name to be looked up.
fn executable(word: &str, value: &str, failure: Failure, scope: Scope<'_>) -> Result<String, Fault> {
    let path = expand(word, scope, Allowed::All).map_err(|bad| {
        fault(failure, |tail| format!("Failed to resolve unit specifiers in '{word}'{tail}: {bad}"))
    })?;
    let wrong = |what: &str| Err(fault(failure, |tail| format!("{what}{tail}: {path}")));
    let is_special = |c: char| c.is_ascii_control() || c == '"' || c == '\'' || c == '\\';
    match path.as_ref() {
        "" => Err(fault(failure, |tail| format!("Empty path in command line{tail}: '{value}'"))),
        text if text.contains(is_special) => wrong("Executable name contains special characters"),
        text if text.ends_with('/') => wrong("Executable path specifies a directory"),
        text if text.starts_with('/') && path::is_valid(text) => Ok(path.into_owned()),
        text if path::is_file_name(text) => Ok(path.into_owned()),
        _ => wrong("Neither a valid executable name nor an absolute path"),
    }
}

struct Prefixes {
    argv0: Argv0,
    failure: Failure,
    expansion: Expansion,
    privileges: Privileges,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Argv0 {
    Path,
    /// `@`.
    NextWord,
}

impl Prefixes {
    /// Each prefix counts once, in any order; of `+`, `!` and `!!` only one.
    fn of(word: &str) -> (Prefixes, &str) {
        let mut prefixes = Prefixes {
            argv0: Argv0::Path,
            failure: Failure::Counts,
            expansion: Expansion::Variables,
            privileges: Privileges::AsConfigured,
        };
        let mut rest = word;
        while let Some(first) = rest.bytes().next() {
            let taken = match (first, prefixes.privileges) {
                (b'-', _) if prefixes.failure == Failure::Counts => {
                    prefixes.failure = Failure::Ignored;
                    true
                }
                (b'@', _) if prefixes.argv0 == Argv0::Path => {
                    prefixes.argv0 = Argv0::NextWord;
                    true
                }
                (b':', _) if prefixes.expansion == Expansion::Variables => {
                    prefixes.expansion = Expansion::None;
                    true
                }
                (b'+', Privileges::AsConfigured) => {
                    prefixes.privileges = Privileges::Full;
                    true
                }
                (b'!', Privileges::AsConfigured) => {
                    prefixes.privileges = Privileges::NoSetuid;
                    true
                }
                (b'!', Privileges::NoSetuid) => {
                    prefixes.privileges = Privileges::AmbientMagic;
                    true
                }
                _ => false,
            };
            if !taken {
                break;
            }
            rest = &rest[1..];
        }
        (prefixes, rest)
    }
}

fn remarked(word: Word, remarks: &mut Vec<String>) -> String {
    if word.escapes == Known::NotAll {
        remarks.push(format!("Ignoring unknown escape sequences: \"{}\"", word.text));
    }
    word.text
}

fn unbalanced(value: &str) -> String {
    format!("Unbalanced quoting, ignoring: \"{value}\"")
}

/// With the prefix `-` a wrong line is passed over; else it ends the unit.
fn fault(failure: Failure, text: impl FnOnce(&str) -> String) -> Fault {
    match failure {
        Failure::Ignored => Fault::Skipped(text(", ignoring")),
        Failure::Counts => Fault::Fatal(text("")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::name::UnitName;
    use crate::specifier::Context;
    use expect_test::{Expect, expect};

    fn check(value: &str, expected: Expect) {
        let name = UnitName::parse("a@b.service").unwrap();
        let parsed = parse(value, Scope { name: &name, fragment: "", cx: &Context::default() });
        let mut shown = String::new();
        for c in &parsed.commands {
            shown +=
                &format!("{} {:?} {:?} {:?} {:?}\n", c.path, c.argv, c.failure, c.expansion, c.privileges);
        }
        shown.extend(parsed.remarks.iter().map(|remark| format!("{remark}\n")));
        shown.extend(parsed.fault.iter().map(|fault| format!("{fault:?}\n")));
        expected.assert_eq(&shown);
    }

    #[test]
    fn prefixes_in_any_order() {
        check(
            "-:@+/bin//a zero %i ; !!b ; !c; +-+d",
            expect![[r#"
                /bin/a ["zero", "b"] Ignored None Full
                b ["b"] Counts Variables AmbientMagic
                c; ["c;", "+-+d"] Counts Variables NoSetuid
            "#]],
        );
    }

    #[test]
    fn wrong_lines() {
        check(
            "- a",
            expect![[r#"
            Skipped("Empty path in command line, ignoring: '- a'")
        "#]],
        );
        check(
            "/bin/a \\q ; bin/x",
            expect![[r#"
            /bin/a ["/bin/a", "\\q"] Counts Variables AsConfigured
            Ignoring unknown escape sequences: "\q"
            Fatal("Neither a valid executable name nor an absolute path: bin/x")
        "#]],
        );
        check(
            "-/bin/ x",
            expect![[r#"
            Skipped("Executable path specifies a directory, ignoring: /bin/")
        "#]],
        );
        check(
            "@/bin/a",
            expect![[r#"
            Fatal("Empty executable name or zeroeth argument: @/bin/a")
        "#]],
        );
    }
}
