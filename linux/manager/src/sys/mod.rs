//! What the runtime asks a promise for.

pub mod readiness;
