//! `status`: what a unit is doing, from its properties, its processes and its log.

mod block;
mod console;
mod journal;
mod manager;
mod process;
mod tree;

pub use block::{Facts, faults, skipped, unit};
pub use journal::tail;
pub use manager::manager;
pub use tree::ProcessRow;
