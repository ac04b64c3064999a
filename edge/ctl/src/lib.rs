#![forbid(unsafe_code)]
//! The command line: `eudaemon VERB …`, and the same binary linked as `systemctl`.
//!
//! An ordinary client of `org.freedesktop.systemd1`: whatever it can do, `busctl` can do too. It knows no
//! engine, no state log and no plan. Two things it does beyond asking: it starts a manager where a verb
//! needs one and none runs, and it works on unit files directly where none runs and none is needed.
//!
//! Modules stand in the order the facts flow: the line, the bus, text, and the verbs.

pub mod bus;
mod disk;
mod limits;
mod line;
mod running;
mod screen;
mod show;
mod status;
pub mod text;
pub mod unit_name;
mod verb;

pub use line::Scope;

use std::ffi::OsString;
use std::process::ExitCode;

/// The name the binary was called by. It chooses the defaults and the wording, never the behaviour of a verb.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum CalledAs {
    Eudaemon,
    Systemctl,
}

impl CalledAs {
    /// The word to type, as advice on the screen names it.
    pub const fn word(self) -> &'static str {
        match self {
            CalledAs::Eudaemon => "eudaemon",
            CalledAs::Systemctl => "systemctl",
        }
    }
}

/// Whether a word is a verb.
pub fn is_verb(word: &str) -> bool {
    line::describe(word, CalledAs::Eudaemon).is_some()
}

/// Where the word stands that says what to do: options may come before it.
pub fn first_word(arguments: &[OsString]) -> Option<usize> {
    line::first_word(arguments)
}

/// Runs one command line, without the program's name, to its end.
pub fn main(arguments: Vec<OsString>, called_as: CalledAs) -> ExitCode {
    let mut screen = screen::Screen::new();
    let code = match line::parse(arguments, called_as) {
        Ok(line) => {
            screen.quiet = line.options.quiet;
            verb::run(&line, &mut screen)
        }
        Err(line::Stop::Show(text)) => {
            screen.out(&text);
            0
        }
        Err(line::Stop::Refuse(text)) => {
            screen.complain(&text);
            1
        }
    };
    screen.flush();
    ExitCode::from(code)
}
