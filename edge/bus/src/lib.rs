//! org.freedesktop.systemd1, the server side: what systemctl, busctl and others talk to.
//!
//! ```text
//!   Server::next ──► Incoming ──► Server::serve(&mut dyn Model) ──► replies, or a wish to the engine
//!   Announcement ──► Server::hear ─┐
//!                                  └─► Server::flush(&dyn Model) ──► answers, signals
//! ```
//!
//! One task of the caller drives it all; what this crate spawns only moves bytes. It knows no engine and no
//! file: everything it says it asks of a [`Model`].
//!
//! Modules stand in the order a call passes through them.

mod fault;
mod model;

pub use fault::{Fault, job_word};
pub use model::{
    AddedDependency, Checked, CommandRun, FileChange, FileChanges, FileStep, Force, Job, JobState, Manager,
    Model, Place, PresetMode, Process, Relation, Resources, Run, ServiceRun, Setting, SocketRun, Unit,
    UnitFile,
};
