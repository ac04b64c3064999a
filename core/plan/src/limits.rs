//! Every bound of this crate, with its unit and its reason.

/// Bytes of an encoded plan: twice the kernel's own limit for arguments and environment together (6 MiB on
/// default stacks), so that what cannot be executed is refused by execve with a reason, not by the codec.
pub const PLAN_BYTES: usize = 12 << 20;

/// Steps of a plan: a unit has some 30, and one more for each environment file and limit.
pub const STEPS: usize = 4096;

/// Entries of any list inside a step; the kernel's own limit on arguments is far below.
pub const LIST: usize = 1 << 20;
