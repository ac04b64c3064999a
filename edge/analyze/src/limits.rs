//! How much is told, each with its unit and its reason.

/// Lines of all trees of one `critical-chain`: with a wide fuzz a graph is a tree only by repetition.
pub const CHAIN_ROWS: usize = 100_000;
