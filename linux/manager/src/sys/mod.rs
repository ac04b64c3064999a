//! What the runtime asks a promise for, and what the C library has that Rust has no name for.

pub mod memory;
pub mod readiness;
