#![forbid(unsafe_code)]
//! What would happen, and what did: plans of requests from unit files alone, where no manager is asked, a folder of units
//! booted on the pretend machine, and flights of managers replayed.
//!
//! It runs the manager's own engine on what it reads, and changes no file, starts no process and asks no manager.

mod limits;
mod offline;
pub mod plan;
mod replay;
mod simulate;
mod unmet;

pub use offline::{Offline, plan as plan_offline};
pub use replay::main as replay;
pub use simulate::main as simulate;
pub use unmet::skipped;

/// Why a file could not be read, in the kernel's words.
fn words(error: &std::io::Error) -> String {
    let text = error.to_string();
    text.split(" (os error").next().unwrap_or(&text).to_lowercase()
}
