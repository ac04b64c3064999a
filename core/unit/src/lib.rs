#![forbid(unsafe_code)]
//! (see docs/ARCHITECTURE.md)
