//! The system calls rustix lacks. Each module opens with the argument why its `unsafe` is sound; nothing
//! outside of here is unsafe.

pub mod descriptors;
pub mod fork;
pub mod program;
pub mod signal;
