//! What systemd passes over and we act on: keys and sections whose names begin with `X-`. There is no man page for them:
//! docs/reference/extensions.md is made of what stands here.

use super::{Directive, Kind, Support};

/// What stands where other directives name their man page.
pub const MANUAL: &str = "docs/reference/extensions.md";

/// `[Service]`.
#[rustfmt::skip]
pub(super) static SERVICE: &[Directive] = &[
    Directive {
        key: "X-RestartResetSec",
        kind: Kind::Timeout("sec value"),
        support: Support::Full,
        set: |d, l| if let Some(span) = l.timeout("sec value") { d.service.restart_reset = span },
        help: "after how long without an end the waits between restarts begin anew",
    },
];

/// What there is to know beyond the line of help. Sorted by key.
const ABOUT: &[(&str, &str)] = &[(
    "X-RestartResetSec",
    "With `RestartSteps=` and `RestartMaxDelaySec=` each restart is waited for longer than the one before, and under systemd\n\
     the wait stays as long for good: a service that fell over ten times in its first minute and then ran for a year is not up\n\
     again for as long as the longest wait when it falls once more. With this line a run that lasted so long from having\n\
     started (active) to its end takes the wait back to `RestartSec=`, and the steps begin anew. What runs shorter, or never comes\n\
     up, changes nothing.\n\n\
     `NRestarts` counts on as under systemd: it says how often the service was started again, not how long the next wait is.\n\
     A start by hand and `reset-failed` begin both anew.",
)];

/// What there is to know of an extension beyond its line of help.
pub fn about(key: &str) -> Option<&'static str> {
    let at = ABOUT.binary_search_by(|(known, _)| (*known).cmp(key)).ok()?;
    ABOUT.get(at).map(|(_, text)| *text)
}

/// Whether a key, or the section it stands in, is one that systemd passes over.
pub(super) fn is_one(section: &str, key: &str) -> bool {
    section.starts_with("X-") || key.starts_with("X-")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_is_told_about() {
        let keys: Vec<&str> = super::super::all()
            .filter(|(section, row)| is_one(section, row.key))
            .map(|(_, row)| row.key)
            .collect();
        assert!(ABOUT.is_sorted_by(|one, next| one.0 < next.0));
        for key in &keys {
            assert!(about(key).is_some(), "nothing is told about {key}");
        }
        for (key, _) in ABOUT {
            assert!(keys.contains(key), "{key} is no extension");
        }
    }
}
