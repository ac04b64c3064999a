#![forbid(unsafe_code)]
//! The engine: it hears facts and wishes, decides, and answers with orders. It has no clock, no file, no
//! process and no luck; time and seed are arguments, so every run of it can be replayed.
//!
//! ```text
//!   Input (Event | Request)  ──►  Engine::step(now, …)  ──►  Output (orders, announcements, changed records)
//! ```
//!
//! `api` is the whole contract with the world around it; the other modules are how it decides.

pub mod api;
mod engine;
pub mod exec;
pub mod flight;
mod foresee;
pub mod graph;
pub mod job;
pub mod kind;
pub mod limits;
pub mod record;
mod step;
mod thaw;
pub mod transaction;
mod unit;
mod view;
pub mod why;
pub mod world;

pub use engine::{Engine, ExitMeans, Settings};
pub use step::FreezerState;
pub use thaw::BadRecord;
pub use unit::{Checked, Each, Times};
pub use view::{Census, UnitView};
