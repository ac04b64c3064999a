//! `eudaemon-kit` for C: what `eudaemon-kit.h` declares, and nothing that the Rust library does not have.
//!
//! Argument for the unsafe code: every pointer that comes from C is what the header asks for there, or NULL, which is
//! looked at: text that ends in NUL, an array with its length, or a value that one of these functions gave and that was not
//! given back. Each value is made by `Box::into_raw` in one place and ends by `Box::from_raw` in one; between them it is
//! only borrowed, by the thread that the header names. What may be called from every thread touches a field of its own
//! (`Handle`), which is never borrowed mutably.
#![allow(unsafe_code, reason = "C's side of it: see above")]
#![allow(clippy::missing_safety_doc, reason = "the header says what pointers have to be")]
#![allow(clippy::undocumented_unsafe_blocks, reason = "one argument for all, above")]
#![allow(non_camel_case_types, reason = "C's names")]
#![warn(missing_docs)]

mod announce;
mod daemon;
mod error;
mod life;
mod notify;
mod pid_file;
mod pointer;
mod service;

pub use announce::*;
pub use daemon::*;
pub use error::*;
pub use life::*;
pub use notify::*;
pub use pid_file::*;
pub use service::*;
