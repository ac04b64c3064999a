//! Everything the engine can be made to hold has a limit here, with its unit and its reason.

/// Units, stubs of names that were only mentioned included. Five times the largest machine we were told of;
/// about 60 MB of graph at worst.
pub const UNITS: usize = 131_072;

/// Dependencies of all units together, both directions. Eight bytes each.
pub const EDGES: usize = 4_194_304;

/// Jobs of one transaction before merging: a graph cannot make planning hold more.
pub const DRAFTS: usize = 262_144;

/// How many jobs one transaction may lose to ordering cycles before it is refused as beyond repair.
pub const BROKEN_CYCLES: usize = 10_000;

/// Effects of one step (jobs finished, failures propagated, states announced): beyond it something feeds on
/// itself, and the step ends with what it has; the rest runs at the next step.
pub const EFFECTS_PER_STEP: usize = 20_000;

/// How often StopWhenUnneeded=, Upholds= and BindsTo= may start or stop the same unit by themselves …
pub const AUTOMATIC_BURST: u32 = 16;
/// … within this time, microseconds. After that the unit is left as it is until the window is over.
pub const AUTOMATIC_INTERVAL_USEC: u64 = 10_000_000;

/// How often OnSuccess=, OnFailure= and the like may queue a job for the same unit …
pub const CONSEQUENCE_BURST: u32 = 200;
/// … within this time, microseconds: two units that start each other whenever they end turn no faster.
pub const CONSEQUENCE_INTERVAL_USEC: u64 = 10_000_000;

/// Reasons of one job of a plan that are told; the count of the others is said.
pub const REASONS: usize = 16;

/// Events of which a recorded flight keeps at least the last so many, and thrice as many at most. A service's life is some ten.
/// Fewer are kept where half of all units were read anew meanwhile: configurations that are no more take 3 KB and more each.
pub const FLIGHT: usize = 1024;

/// Units of a manager that keeps a flight; its states cost some 0.8 KB for each unit that ran, 3 MB at worst.
pub const FLIGHT_UNITS: usize = 4096;

/// Links of a chain of causes that are told: longer ones are cut at the far end.
pub const CHAIN: usize = 32;

/// Forgotten units of which it is known why they changed last: some 0.3 KB each.
pub const PAST: usize = 1024;

/// Bytes kept of a line of a unit file that a cause names.
pub const TOLD_TEXT: usize = 200;

/// Units kept of an ordering cycle that a cause names.
pub const TOLD_RING: usize = 16;

/// Remarks of one transaction kept for the log; the count of the others is said.
pub const REMARKS: usize = 64;

/// Where failed probes of a service's health do not count it is asked again soon: after the first wait, then twice that, up to
/// the longest; microseconds.
pub const FIRST_PROBE_WAIT: u64 = 100_000;
pub const LONGEST_PROBE_WAIT: u64 = 1_000_000;

/// How often one stop unmounts what is stacked upon a place: systemd's own limit.
pub const UNMOUNTS_MAX: u32 = 32;
