//! The system calls rustix does not wrap, one module per kernel topic.

pub mod descriptor;
pub mod signal;
pub mod sockopt;
