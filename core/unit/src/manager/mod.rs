//! The manager's own settings: systemd-system.conf(5), systemd-user.conf(5), and what the kernel's command line says of them.
//!
//! As with units nothing is read here but text: the files come in through a [`Tree`](crate::files::Tree). Reading gives a value and
//! a list of what was odd; a line that makes no sense changes nothing. Modules stand in the order the facts flow: the values, the
//! table, the files, the command line, what is said of them to people.

mod settings;
mod table;

mod kernel;
mod read;

mod reference;

pub use kernel::{Asked, from_command_line};
pub use read::{Places, Text, read};
pub use reference::{entries, page};
pub use settings::{Defaults, LogTarget, Settings, ShowStatus, Tasks, UnitFormat};
pub use table::{Row, Whose, find, rows};

#[cfg(test)]
mod tests;
