//! The world on Linux: what the engine's orders mean here, and what happened.
//!
//! It decides nothing. Orders come in as [`eudaemon_engine::api::Action`]; facts go out as events. Processes
//! are started, reaped and (as far as they are init's children) signalled by init, over `link`.
//!
//! `host` is the public thing; each other module is one kernel topic it stands on.

pub mod abilities;
pub mod boot;
pub mod condition;
pub mod group;
pub mod host;
pub mod limits;
pub mod link;
pub mod main_pid;
pub mod notify;
pub mod orphan;
pub mod place;
mod probe;
pub mod proc;
pub mod publish;
mod remove;
pub mod socket;
mod sweep;
mod sys;
pub use sys::descriptor::inherited;
pub mod tree;
pub mod zones;
