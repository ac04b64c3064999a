//! What a unit holds at most, each with its unit and its reason.

/// Instants of a socket's last triggers, remembered to judge `TriggerLimitBurst=`; a burst above this counts
/// as endless. Eight bytes each, per socket.
pub const TRIGGERS_KEPT: usize = 1024;
