//! The machine level of tests: a Debian root file system in namespaces of its own, with the binary under test as its PID 1, real
//! packages and real clients.
//!
//! - [`rootfs`]: the root file systems, made once and kept.
//! - [`machine`]: boots one, runs commands in it, stops it. Nothing of it outlives its value, not even on a panic.
//! - [`candidate`]: which binary is under test, and what this machine lets us test.
//! - [`census`]: who lives in a machine.
//! - [`harness`]: runs the cases by name and says loudly what it could not run.
//!
//! These tests wait on conditions with a deadline, never for a fixed time.

pub mod candidate;
pub mod census;
pub mod cgroup;
pub mod harness;
pub mod machine;
pub mod rootfs;
