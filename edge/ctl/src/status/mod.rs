//! `status`: what a unit is doing, from its properties, its processes and its log.

mod block;
mod console;
mod journal;
mod manager;
mod ours;
mod process;
mod tree;

pub use block::{Facts, unit};
pub use journal::tail;
pub use manager::manager;
pub use ours::{faults, ignored, skipped};
pub use tree::ProcessRow;
