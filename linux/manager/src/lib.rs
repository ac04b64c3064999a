//! The manager: loads units, runs the engine, writes down what follows, has it done, and answers clients.
//!
//! It is crash-only: a new manager reads the state log out of init's vault, asks init what lives and what
//! died, and goes on.

pub mod state_log;
