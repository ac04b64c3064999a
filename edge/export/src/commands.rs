//! Command lines with their variables: those that the unit itself sets are known now, others when the service starts.

use eudaemon_kit::service::{Command, Failure, Loss, Piece, Run, Word};
use eudaemon_plan::expand;
use eudaemon_unit::config::exec::{self, ExecCommand, Expansion, Privileges};
use std::collections::BTreeSet;

use crate::rest::{behaviour, note};

/// What is known of the environment when a unit is exported.
pub struct Known<'a> {
    /// `NAME=VALUE`s, the last of a name counts.
    pub environment: &'a [String],
    /// Whether something may set others, or these anew, before the start.
    pub more: More,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum More {
    Nothing,
    /// Environment files.
    Later,
}

impl Known<'_> {
    /// Commands, and what of them is lost; `key` is the directive they are of.
    pub fn all(&self, commands: &[ExecCommand], key: &str, unsaid: &mut Vec<Loss>) -> Vec<Command> {
        commands.iter().map(|command| self.command(command, key, unsaid)).collect()
    }

    pub fn command(&self, command: &ExecCommand, key: &str, unsaid: &mut Vec<Loss>) -> Command {
        let ExecCommand { path, argv, failure, expansion, privileges } = command;
        let mut words = vec![Word::text(path)];
        let (first, rest) = argv.split_first().map_or(("", &[][..]), |(first, rest)| (first.as_str(), rest));
        if first != path {
            let why = format!("its process is called {path}");
            unsaid.push(note(format!("{key}=@{path} {first}"), why));
        }
        for word in rest {
            match expansion {
                Expansion::None => words.push(Word::text(word)),
                Expansion::Variables => words.extend(self.word(word)),
            }
        }
        let run = match privileges {
            Privileges::AsConfigured => Run::AsService,
            Privileges::Full => Run::AsRoot,
            Privileges::NoSetuid | Privileges::AmbientMagic => {
                let why = "it runs as root, and has to change the user itself";
                unsaid.push(behaviour(format!("{key}=!{path}"), why));
                Run::AsRoot
            }
        };
        let failure = match failure {
            exec::Failure::Counts => Failure::Counts,
            exec::Failure::Ignored => Failure::Ignored,
        };
        Command { words, failure, run }
    }

    /// One word of a unit file: as many as it comes to.
    fn word(&self, word: &str) -> Vec<Word> {
        let names: BTreeSet<&str> = names(word).collect();
        if names.iter().all(|name| self.is_settled(name)) {
            return expand::expand(&[word.to_owned()], self.environment)
                .into_iter()
                .map(Word::text)
                .collect();
        }
        match word.strip_prefix('$') {
            Some(name) if !name.starts_with(['{', '$']) => vec![Word(vec![Piece::Words(name.to_owned())])],
            Some(_) | None => vec![Word(self.pieces(word))],
        }
    }

    /// Whether a variable has its value already, or can have none.
    fn is_settled(&self, name: &str) -> bool {
        let is_set =
            self.environment.iter().any(|one| one.split_once('=').is_some_and(|(key, _)| key == name));
        !is_variable(name) || (is_set && self.more == More::Nothing)
    }

    /// A word in which `${NAME}` stands, as `expand` cuts it.
    fn pieces(&self, word: &str) -> Vec<Piece> {
        let (mut pieces, mut rest) = (Vec::new(), word);
        while let Some(at) = rest.find("${") {
            let (before, after) = rest.split_at(at);
            let close = after.find('}');
            let (reference, tail) = after.split_at(close.map_or(after.len(), |close| close + 1));
            // `$$` before it takes its dollar away.
            let dollars = before.len() - before.trim_end_matches('$').len();
            let name = reference.trim_start_matches("${").trim_end_matches('}');
            if close.is_some() && dollars % 2 == 0 && is_variable(name) && !self.is_settled(name) {
                pieces.push(Piece::Text(self.settled(before)));
                pieces.push(Piece::Variable(name.to_owned()));
            } else {
                pieces.push(Piece::Text(self.settled(&format!("{before}{reference}"))));
            }
            rest = tail;
        }
        pieces.push(Piece::Text(self.settled(rest)));
        pieces.retain(|piece| *piece != Piece::Text(String::new()));
        pieces
    }

    /// Text in which all is known. The mark in front keeps it one word.
    fn settled(&self, text: &str) -> String {
        let marked = [format!("x{text}")];
        expand::expand(&marked, self.environment).first().map_or("", |text| &text[1..]).to_owned()
    }
}

/// The names that a word refers to.
fn names(word: &str) -> impl Iterator<Item = &str> {
    let whole = word.strip_prefix('$').filter(|name| !name.starts_with(['{', '$']));
    let inner = word.split("${").skip(1).filter_map(|rest| rest.split_once('}').map(|(name, _)| name));
    whole.into_iter().chain(inner)
}

/// Whether a shell has a variable of that name.
pub fn is_variable(name: &str) -> bool {
    let is_fit = |c: char| c.is_ascii_alphanumeric() || c == '_';
    !name.is_empty() && !name.starts_with(|c: char| c.is_ascii_digit()) && name.chars().all(is_fit)
}
