//! A service as any manager can be told of it: one value, a text for each manager, and the acts that install, start and
//! stop it.
//!
//! [`Service`] is made of a [`Daemon`](crate::Daemon) by [`Service::of`], or written down field by field. [`written`] says it in
//! a manager's language: files, and what could not be said ([`Loss`]): a protection that is lost is never silent.
//! [`Act::plan`] gives the steps of an act, to be printed or run. [`Daemon::answer_service`](crate::Daemon::answer_service) is a command line
//! for all that.

mod word;

mod description;
mod of_daemon;

mod pid_file;
mod script;
mod variables;

mod plist;

mod launchd;
mod openrc;
mod runit;
mod supervisord;
mod systemd;
mod sysv;
mod windows;

mod loss;
mod target;

mod place;

mod steps;

mod plan;

mod at_hand;
mod carry_out;
mod look;

mod invocation;

mod called;

mod answer;

pub use called::{Program, called_program};
pub use carry_out::Outcome;
pub use description::{
    Account, Boot, Capabilities, Dependency, Directory, EnvironmentFile, Environs, Foreground, Limit, Limits,
    Missing, Need, NewRights, Output, Ready, Reload, Remains, Restart, Rights, Service, Start, Stop, Whom,
};
pub use invocation::{Asked, Doing, Invocation};
pub use loss::{Loss, Severity};
pub use place::{Gone, Put};
pub use plan::{Act, Links, Plan, Step};
pub use target::{File, Level, Refusal, Target, Written, written};
pub use word::{Command, Failure, Piece, Run, Word};

#[cfg(test)]
mod script_tests;
#[cfg(test)]
mod step_tests;
#[cfg(test)]
mod tests;
