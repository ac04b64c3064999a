//! Command lines before their variables are known, and how a shell is told of them.

use std::fmt::Write;

/// A part of a word.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Piece {
    /// As it is.
    Text(String),
    /// The value of a variable of the service's environment, when the command runs; nothing if it is unset.
    Variable(String),
    /// The value of a variable, as many words as it has. It is its word's only piece.
    Words(String),
}

/// One argument.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Word(pub Vec<Piece>);

/// Whether a command that fails makes what it is part of fail.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Failure {
    /// It does.
    Counts,
    /// It does not.
    Ignored,
}

/// With whose rights a command runs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Run {
    /// With the service's.
    AsService,
    /// With all that the manager has.
    AsRoot,
}

/// A program with its arguments.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Command {
    /// The program, a path or a name to be looked up, and its arguments.
    pub words: Vec<Word>,
    /// What its failure means.
    pub failure: Failure,
    /// With whose rights it runs.
    pub run: Run,
}

impl Word {
    /// A word that is known.
    #[must_use]
    pub fn text(text: impl Into<String>) -> Word {
        Word(vec![Piece::Text(text.into())])
    }

    /// The word, if no variable is in it.
    pub(super) fn known(&self) -> Option<String> {
        let texts = self.0.iter().map(|piece| match piece {
            Piece::Text(text) => Some(text.as_str()),
            Piece::Variable(_) | Piece::Words(_) => None,
        });
        texts.collect()
    }

    /// As a shell reads it.
    pub(super) fn shell(&self) -> String {
        if let Some(text) = self.known() {
            return quoted(&text);
        }
        let pieces = self.0.iter().map(|piece| match piece {
            Piece::Text(text) => quoted(text),
            Piece::Variable(name) => format!("\"${{{name}}}\""),
            Piece::Words(name) => format!("${name}"),
        });
        pieces.collect()
    }
}

impl Command {
    /// A command without variables, with the service's rights, that must not fail.
    #[must_use]
    pub fn of<Text: Into<String>>(words: impl IntoIterator<Item = Text>) -> Command {
        let words = words.into_iter().map(Word::text).collect();
        Command { words, failure: Failure::Counts, run: Run::AsService }
    }

    /// Its words, if all are known.
    pub(super) fn known(&self) -> Option<Vec<String>> {
        self.words.iter().map(Word::known).collect()
    }

    /// The program, if it is an absolute path.
    pub(super) fn program(&self) -> Option<String> {
        self.words.first()?.known().filter(|path| path.starts_with('/'))
    }

    /// As a shell reads it, without rights and failure.
    pub(super) fn shell(&self) -> String {
        self.words.iter().map(Word::shell).collect::<Vec<_>>().join(" ")
    }

    /// All text in it, to be looked at.
    pub(super) fn texts(&self) -> impl Iterator<Item = &str> {
        self.words.iter().flat_map(|word| &word.0).map(|piece| match piece {
            Piece::Text(text) | Piece::Variable(text) | Piece::Words(text) => text.as_str(),
        })
    }
}

/// Text as one word of a shell: sh(1), "Quoting".
pub(super) fn quoted(text: &str) -> String {
    let is_plain = |c: char| c.is_ascii_alphanumeric() || "/._-+:,@%".contains(c);
    if !text.is_empty() && text.chars().all(is_plain) {
        return text.to_owned();
    }
    let mut quoted = String::from("'");
    for c in text.chars() {
        match c {
            '\'' => quoted.push_str("'\\''"),
            c => quoted.push(c),
        }
    }
    quoted.push('\'');
    quoted
}

/// Text on one line: it cannot begin another directive, nor end a comment.
pub(super) fn one_line(text: &str) -> String {
    text.split(|c: char| c.is_control()).collect::<Vec<_>>().join(" ")
}

/// Adds a line.
pub(super) fn line(text: &mut String, line: impl AsRef<str>) {
    // Writing to a string cannot fail.
    writeln!(text, "{}", line.as_ref()).ok();
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::process::Command as Process;

    /// What a shell makes of words, each in brackets.
    fn read_by_shell(words: &[Word], variables: &[(&str, &str)]) -> String {
        let line = Command { words: words.to_vec(), ..Command::of([""]) }.shell();
        let script = format!("set -f\nset -- {line}\nfor word; do printf '[%s]' \"$word\"; done");
        let output = Process::new("sh").args(["-c", &script]).envs(variables.iter().copied()).output();
        String::from_utf8(output.expect("sh runs").stdout).expect("text")
    }

    #[test]
    fn a_shell_reads_what_was_meant() {
        let odd = [
            "", " ", "a b", "it's", "''", "\"x\"", "$HOME", "`id`", "$(id)", "\\", "\\n", "a\nb", "ü€", "*",
            "~", "#", ";", "&", "!", "-n", "%n%%", "\t", "a=b",
        ];
        let words: Vec<Word> = odd.iter().copied().map(Word::text).collect();
        let wanted: String = odd.iter().map(|word| format!("[{word}]")).collect();
        assert_eq!(read_by_shell(&words, &[]), wanted);
    }

    #[test]
    fn variables_are_one_word_or_many() {
        let one =
            Word(vec![Piece::Text("--x='".into()), Piece::Variable("V".into()), Piece::Text("'".into())]);
        let words = [one, Word(vec![Piece::Words("V".into())]), Word(vec![Piece::Words("UNSET".into())])];
        assert_eq!(read_by_shell(&words, &[("V", "a * b")]), "[--x='a * b'][a][*][b]");
    }
}
