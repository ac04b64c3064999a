//! The manager as seen over D-Bus: connect, call, wait for jobs, read properties.

mod client;
mod connect;
mod job;
mod properties;
mod value;
mod wire;

pub use client::{CallError, Client};
pub use connect::{ConnectError, connect, is_listened_to, runtime_directory};
pub use job::{JobResult, Jobs};
pub use properties::{Properties, Property};
pub use value::Value;

/// The interfaces for what systemd has no word for.
pub use eudaemon_bus::{OURS, OURS_OF_MANAGER};

pub const MANAGER_PATH: &str = "/org/freedesktop/systemd1";
pub const MANAGER: &str = "org.freedesktop.systemd1.Manager";
pub const UNIT: &str = "org.freedesktop.systemd1.Unit";
pub const SERVICE: &str = "org.freedesktop.systemd1.Service";
