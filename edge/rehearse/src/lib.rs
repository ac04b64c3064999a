#![forbid(unsafe_code)]
//! What would happen: plans of requests from unit files alone, where no manager is asked.
//!
//! It runs the manager's own engine on what it reads, and changes no file and asks no manager.

mod offline;
pub mod plan;

pub use offline::{Offline, plan as plan_offline};
