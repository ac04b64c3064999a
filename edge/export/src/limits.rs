//! Every limit of this crate, with its unit and its reason.

use std::time::Duration;

/// How long a pid file is waited for where the unit waits for ever: scripts count down.
pub(crate) const PID_FILE_WITHIN: Duration = Duration::from_secs(90);
