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
//! A call passes through `peer` or `system_bus` (bytes, credentials), `dispatch` (which object, which row),
//! `methods` or `properties` (the tables), and `clients` (who waits, who listens).

mod auth;
mod call;
mod clients;
mod dispatch;
mod fault;
mod glob;
mod introspect;
mod limits;
mod methods;
mod model;
mod objects;
mod path;
mod peer;
mod plan;
mod properties;
mod server;
mod stream;
mod system_bus;

pub use call::Credentials;
pub use clients::Reloading;
pub use fault::Fault;
pub use model::{
    AddedDependency, Capacity, Checked, CommandRun, FileChange, FileChanges, FileStep, Force, Job, JobState,
    Manager, Model, MountRun, Place, PresetMode, Process, Relation, Resources, Run, ServiceRun, Setting,
    SocketRun, Unit, UnitFile,
};
pub use objects::{OURS, OURS_OF_MANAGER};
pub use plan::{Cycle, LeftOut, Plan, PlanReason, PlannedJob, QueuedJob};
pub use server::{Incoming, Server};
