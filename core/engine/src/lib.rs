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
pub mod kind;
pub mod record;
