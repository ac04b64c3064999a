//! Lives of single units as transcripts: inputs, and what was ordered and became of the unit.
//!
//! ```text
//! start                    a wish (start, stop, restart, reload, reset-failed, start-limit)
//! exit p1 3                a fact about a process: exit, kill, dump, gone, spawned, exec, setup, fork-failed
//! well p2, unwell p2 why   what came of a probe; `health` shows what is known
//! unit [Service] | …       the unit file says something else
//! hold                     from here on a spawned process has to be said to be there (`spawned p1`)
//! +5s                      time passes; a deadline within is heard at its instant
//! ----
//! spawn p1 start main      an order
//! say …                    a word for the log
//! = active/running         the state afterwards, with `until` its deadline as seconds from now
//! ```

mod commands;
mod driver;
mod ends;
mod forking;
mod harder;
mod health;
mod health_commands;
mod itself;
mod kill;
mod laws;
mod levels;
mod life;
mod meanwhile;
mod memoirs;
mod memory;
mod mount;
mod mount_delays;
mod notify;
mod notify_reload;
mod notify_turns;
mod oneshot;
mod phases;
mod pid_file;
mod restart;
mod setup;
mod signs;
mod small;
mod socket;
mod strangers;
mod thaw;
mod timeouts;
mod whole;

use driver::check;

/// A service with a command in every phase.
const ALL: &str = "[Service]\nExecCondition=/bin/if\nExecStartPre=/bin/pre\nExecStart=/bin/web\n\
    ExecStartPost=/bin/post\nExecReload=/bin/reload\nExecStop=/bin/stop\nExecStopPost=/bin/stoppost\n";

/// A service that is given five seconds to end.
const WEB: &str = "[Service]\nExecStart=/bin/web\nTimeoutStopSec=5s\n";

fn web(more: &str) -> String {
    format!("{WEB}{more}")
}

/// A service that says itself when it is ready.
const NOTIFY: &str = "[Service]\nType=notify\nExecStart=/bin/web\n";

fn notify(more: &str) -> String {
    format!("{NOTIFY}{more}")
}
