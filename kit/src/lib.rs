#![deny(unsafe_code)]
#![warn(missing_docs)]
#![doc = include_str!("../README.md")]

mod daemon;
mod detach;
mod error;
mod handle;
mod life;
mod log;
#[cfg(feature = "log")]
mod log_crate;
pub mod notify;
mod pid_file;
mod privileges;
mod report;
#[cfg(feature = "service")]
pub mod service;
mod sockets;
mod starter;
mod sys;
#[cfg(feature = "tokio")]
mod tokio_life;
#[cfg(feature = "tracing")]
mod tracing_layer;
mod unit;

pub use daemon::{Daemon, Ground, Resource};
pub use error::{Error, Result};
pub use handle::{Guest, Handle, Reload};
pub use life::{Life, Moment};
pub use log::{Log, Priority};
pub use pid_file::PidFile;
pub use privileges::Privileges;
pub use rustix::thread::CapabilitySet;
pub use sockets::{Socket, Sockets};
pub use starter::Starter;
#[cfg(feature = "tracing")]
pub use tracing_layer::Layer;
pub use unit::UnitFile;
