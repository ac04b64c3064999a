#![forbid(unsafe_code)]
//! Unit files as data: text in, typed and merged [`config::Config`] out, diagnostics beside it.
//!
//! Nothing in here reads a file: what is on disk comes in through [`files::Tree`], so the same code
//! serves the running system, an image (`--root`) and a test's table of strings.
//!
//! Modules stand in the order the facts flow.

pub mod limits;

pub mod diagnostic;
pub mod escape;
pub mod name;
pub mod span;
pub mod spelling;

pub mod files;
pub mod folder;

pub mod syntax;
pub mod values;

pub mod specifier;

pub mod exec_line;

pub mod config;
pub mod directives;
pub mod manager;
pub mod merge;

pub mod generate;
pub mod implicit;
pub mod install;
pub mod load;

pub mod vendor;
