#![forbid(unsafe_code)]
//! A pretend machine under the real engine: seeded, with faults, and with laws that are looked after at every
//! step. The same seed gives the same run, to the letter.
//!
//! ```text
//!   scenario (random units and wishes) ─► machine (processes, time, faults) ─► laws (what must always hold)
//! ```

pub mod laws;
pub mod machine;
pub mod program;
pub mod random;
pub mod scenario;
