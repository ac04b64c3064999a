//! The only unsafe code: one module per topic of the kernel's, each opening with its argument.

pub(crate) mod fd;
pub(crate) mod process;
pub(crate) mod signal;
pub(crate) mod user;
pub(crate) mod vsock;
