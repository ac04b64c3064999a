//! How values look on a screen: pure functions from values to text.

pub mod exit_status;
pub mod json;
pub mod paint;
pub mod quote;
pub mod signal;
pub mod size;
pub mod table;
pub mod time;
