//! The command line as data: a [`Line`] out of argv, or the reason to stop at once.

mod help;
mod options;
mod verbs;

pub use help::{describe, overview};
pub use options::{Options, Output, Scope, Timestamps, first_word};
pub use verbs::{Needs, Verb, VerbRow};

use crate::CalledAs;
use std::ffi::OsString;

/// A verb, its arguments, and the options that stood anywhere among them.
#[derive(Debug)]
pub struct Line {
    pub verb: Verb,
    pub row: &'static VerbRow,
    pub arguments: Vec<String>,
    pub options: Options,
    pub called_as: CalledAs,
}

/// Why no verb is run.
#[derive(Debug, PartialEq, Eq)]
pub enum Stop {
    /// `--help` and the like: print and succeed.
    Show(String),
    /// One clear line, exit 1.
    Refuse(String),
}

/// Reads `arguments`, which do not hold the program's own name.
pub fn parse(arguments: Vec<OsString>, called_as: CalledAs) -> Result<Line, Stop> {
    let mut options = Options::for_caller(called_as);
    let words = options::read(arguments, &mut options, called_as)?;
    let mut words = words.into_iter();
    let (verb_word, arguments) = match words.next() {
        Some(word) => (word, words.collect::<Vec<_>>()),
        None if called_as == CalledAs::Eudaemon && !options.any_given => {
            return Err(Stop::Show(help::overview(called_as)));
        }
        None => ("list-units".to_owned(), Vec::new()),
    };
    let row = verbs::find(&verb_word).ok_or_else(|| Stop::Refuse(verbs::unknown(&verb_word, called_as)))?;
    if arguments.len() < row.least {
        return Err(Stop::Refuse(count("Too few arguments.", row, called_as)));
    }
    if row.most.is_some_and(|most| arguments.len() > most) {
        return Err(Stop::Refuse(count("Too many arguments.", row, called_as)));
    }
    options.check(row)?;
    Ok(Line { verb: row.verb, row, arguments, options, called_as })
}

/// systemctl's sentence about a wrong number of arguments; in our own words with what the verb takes.
fn count(sentence: &str, row: &VerbRow, called_as: CalledAs) -> String {
    match (called_as, row.arguments) {
        (CalledAs::Systemctl, _) => sentence.to_owned(),
        (CalledAs::Eudaemon, "") => format!("{sentence} '{}' takes none.", row.word),
        (CalledAs::Eudaemon, arguments) => {
            let example = row.example();
            format!("{sentence} '{}' takes {arguments}, as in 'eudaemon {} {example}'.", row.word, row.word)
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use expect_test::{Expect, expect};

    fn check(line: &str, expected: Expect) {
        let arguments = line.split_whitespace().map(|word| OsString::from(word.replace('~', ""))).collect();
        let shown = match parse(arguments, CalledAs::Systemctl) {
            Ok(line) => {
                let changed = line.options.differences(&Options::for_caller(CalledAs::Systemctl));
                format!("{:?} {:?} {}", line.verb, line.arguments, changed.join(" "))
            }
            Err(Stop::Refuse(text)) => format!("refused: {text}"),
            Err(Stop::Show(text)) => format!("shown: {}", text.lines().next().unwrap_or("")),
        };
        expected.assert_eq(&shown);
    }

    #[test]
    fn an_image_is_the_machines_whoever_asks() {
        let scope = |line: &str| {
            let mut options = Options { scope: Scope::User, ..Options::for_caller(CalledAs::Eudaemon) };
            let arguments = line.split_whitespace().map(OsString::from).collect();
            options::read(arguments, &mut options, CalledAs::Eudaemon).ok().map(|_words| options.scope)
        };
        assert_eq!(scope("mask a.service"), Some(Scope::User));
        assert_eq!(scope("mask a.service --root=/image"), Some(Scope::System));
        assert_eq!(scope("--user --root=/image mask a.service"), Some(Scope::User));
        assert_eq!(scope("--root=/image --user mask a.service"), Some(Scope::User));
    }

    #[test]
    fn options_stand_anywhere() {
        check(
            "show nginx -p Id,Names --value -p MainPID",
            expect![[r#"Show ["nginx"] properties=["Id", "Names", "MainPID"] value=true all=true"#]],
        );
        check("start -q --no-block a b", expect![[r#"Start ["a", "b"] quiet=true no_block=true"#]]);
        check("kill -s HUP --kill-whom=main x", expect![[r#"Kill ["x"] kill_whom="main" signal=1"#]]);
        check("-at service,timer", expect![[r#"ListUnits [] types=["service", "timer"] all=true"#]]);
        check("--prop=Id show", expect![[r#"Show [] properties=["Id"] all=true"#]]);
        check("is-enabled -- cron.service", expect![[r#"IsEnabled ["cron.service"] "#]]);
    }

    #[test]
    fn help_is_of_the_verb_on_the_line() {
        check("enable --help", expect!["shown: systemctl enable UNIT…"]);
        check("--help --no-reload enable x", expect!["shown: systemctl enable UNIT…"]);
        check("--help", expect!["shown: systemctl [OPTIONS…] VERB [ARGUMENTS…]"]);
        check("frobnicate --help", expect!["shown: systemctl [OPTIONS…] VERB [ARGUMENTS…]"]);
    }

    #[test]
    fn a_word_after_options() {
        let at = |line: &str| first_word(&line.split(' ').map(OsString::from).collect::<Vec<_>>());
        assert_eq!(at("--root=/x verify"), Some(1));
        assert_eq!(at("--root /x -q verify"), Some(3));
        assert_eq!(at("-qt service --user verify"), Some(3));
        assert_eq!(at("--user"), None);
        assert_eq!(at("start --x"), Some(0));
    }

    #[test]
    fn bad_lines_are_refused_in_one_line() {
        check("frobnicate", expect![["refused: Unknown command verb frobnicate."]]);
        check("strat nginx", expect!["refused: Unknown command verb strat. Did you mean 'start'?"]);
        check("bind x", expect!["refused: Command verb bind is not supported by this version of eudaemon."]);
        check("is-failed", expect!["refused: Too few arguments."]);
        check("--frob status", expect!["refused: systemctl: unrecognized option '--frob'"]);
        check("-H host status", expect!["refused: Operating on another machine (-H, -M) is not supported."]);
        check("get-default extra", expect!["refused: Too many arguments."]);
        check("kill -s BOGUS x", expect!["refused: Failed to parse signal string \"BOGUS\"."]);
        let own = |line: &str| {
            let words = line.split(' ').map(OsString::from).collect();
            match parse(words, CalledAs::Eudaemon) {
                Err(Stop::Refuse(text)) => text,
                other => format!("{other:?}"),
            }
        };
        expect!["Too few arguments. 'start' takes UNIT…, as in 'eudaemon start web.service'."]
            .assert_eq(&own("start"));
        expect!["Too few arguments. 'plan' takes start|stop|restart|isolate UNIT…, as in 'eudaemon plan start web.service'."].assert_eq(&own("plan start"));
        expect!["Too few arguments. 'add-wants' takes TARGET UNIT…, as in 'eudaemon add-wants multi-user.target web.service'."].assert_eq(&own("add-wants multi-user.target"));
        expect!["Too many arguments. 'exit' takes [CODE], as in 'eudaemon exit 1'."]
            .assert_eq(&own("exit 1 2"));
        expect!["Too many arguments. 'get-default' takes none."].assert_eq(&own("get-default x"));
        check("list-units --state", expect!["refused: systemctl: option '--state' requires an argument"]);
    }
}
