//! Lives of single units as transcripts: inputs, and what was ordered and became of the unit.
//!
//! ```text
//! start                    a wish (start, stop, restart, reload, reset-failed, start-limit)
//! exit p1 3                a fact about a process: exit, kill, dump, gone, spawned, exec, setup, fork-failed
//! hold                     from here on a spawned process has to be said to be there (`spawned p1`)
//! +5s                      time passes; a deadline within is heard at its instant
//! ----
//! spawn p1 start main      an order
//! say …                    a word for the log
//! = active/running         the state afterwards, with `until` its deadline as seconds from now
//! ```

mod driver;
mod forking;
mod kill;
mod laws;
mod life;
mod notify;
mod pid_file;
mod restart;
mod small;
mod socket;
mod thaw;

use driver::check;
