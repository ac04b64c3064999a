#![forbid(unsafe_code)]
//! What a child obeys between fork and exec: an [`ExecPlan`] is a list of [`Step`]s that can be printed,
//! compared and tested before anything runs. `engine` compiles it from a unit's configuration, init carries it
//! as opaque bytes, and the forked child decodes and obeys it.
//!
//! Nothing here knows a unit, a configuration or a system call. No dependencies: init links this crate.

pub mod limits;
#[macro_use]
mod codec;
mod display;
pub mod env_file;
pub mod exit_code;
pub mod expand;
pub mod step;

pub use codec::Malformed;
pub use exit_code::ExitCode;
pub use step::{ExecPlan, Step};

#[cfg(test)]
mod tests;
