//! init: PID 1, or a subreaper beside another PID 1.
//!
//! It does five things: fork a child that obeys a plan, reap children and tell their exits, send signals to
//! children it has not reaped, keep named descriptors (the vault), and end everything. It restarts the manager
//! when that dies. It knows no unit and no policy; of a message it reads a fixed header, and a plan is opaque
//! bytes that only the forked child decodes. One thread, no allocation that input can size.

pub mod limits;
pub mod packet;
pub mod wire;
