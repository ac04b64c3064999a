#![deny(unsafe_code)]
#![warn(missing_docs)]
#![doc = include_str!("../README.md")]

#[cfg(feature = "announce")]
mod announce;
mod resource;

mod daemon;
mod described;
mod detach;
mod error;
mod flow;
mod handed_over;
mod handle;
mod last_words;
mod life;
mod limits;
mod log;
#[cfg(feature = "log")]
mod log_crate;
pub mod notify;
mod pid_file;
mod privileges;
mod pulse;
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

#[cfg(feature = "announce")]
pub use announce::{Announcement, Health, Registry};
pub use daemon::{Daemon, FdNumber, Ground};
pub use error::{Error, Result};
pub use handle::{Guest, Handle, Reload};
pub use life::{Life, Moment};
pub use log::{Log, Priority};
pub use pid_file::PidFile;
pub use privileges::Privileges;
pub use resource::{Resource, resource_of_number};
pub use rustix::fs::Mode;
pub use rustix::thread::CapabilitySet;
pub use sockets::{Socket, Sockets};
pub use starter::Starter;
#[cfg(feature = "tracing")]
pub use tracing_layer::Layer;
pub use unit::{DIRECTORY_KINDS, DirectoryKind, UnitFile};
