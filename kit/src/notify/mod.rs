//! The notify protocol, sd_notify(3): what a service tells its manager, and what a manager reads.

mod address;
mod message;
mod receive;
mod send;

pub(crate) use address::VsockKind;
pub use message::{Access, State, parse, print};
pub use receive::{Received, Receiver};
pub use send::Notifier;
