//! What systemd passes over and we act on: keys and sections whose names begin with `X-`. There is no man page for them:
//! docs/reference/extensions.md is made of what stands here.

use super::{Directive, Draft, Kind, Line, Support};
use crate::name::UnitName;
use crate::specifier::Allowed;

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

/// `[X-Container]`, in any unit.
#[rustfmt::skip]
pub(super) static CONTAINER: &[Directive] = &[
    Directive {
        key: "ExitCodeFrom",
        kind: Kind::Text,
        support: Support::Full,
        set: exit_code_from,
        help: "the unit with whose end the container ends, and with whose exit code",
    },
];

fn exit_code_from(d: &mut Draft, l: &mut Line<'_>) {
    if l.is_empty() {
        d.unit.exit_code_from = None;
        return;
    }
    let Some(text) = l.expanded(l.value, Allowed::InNames) else { return };
    match UnitName::parse(&text).ok().filter(|name| !name.is_template()) {
        Some(name) => d.unit.exit_code_from = Some(name),
        None => l.warn(format!("Invalid unit name, ignoring: {text}")),
    }
}

/// What there is to know beyond the line of help. Sorted by key.
const ABOUT: &[(&str, &str)] = &[
    (
        "ExitCodeFrom",
        "When the unit ends, everything else is stopped in order, and the container ends with the code it would end with if the unit's\n\
     main process were its only one: the process's exit code, or 128 and the signal's number if it died by one (137 for\n\
     SIGKILL). A unit that failed otherwise than by its main process, or whose start failed before it had one, or that was not\n\
     started since what it requires did not come up, counts as 1; an end without a code as 0.\n\n\
     It is the line's unit that counts, whichever unit has the line: the service itself (`ExitCodeFrom=%n`, perhaps in a drop-in), or\n\
     default.target for the whole image. It is in force while the unit that has it is loaded. No end is a restart, by `Restart=`\n\
     or by hand; a stop by hand is one. A condition that keeps the unit from starting is none.\n\n\
     If the container is ended from outside, as by `docker stop`, it ends with that code as well, such as 143 for a process\n\
     that knows nothing of SIGTERM, unless an end with a code of its own was asked for: `systemctl exit 3`, or\n\
     `SuccessActionExitStatus=`. Of several units with such lines the first that ends decides. With `eudaemon up DIR`, and beside\n\
     another PID 1, what ends is the manager with all its units; a booted machine goes on, and says so.",
    ),
    (
        "X-RestartResetSec",
        "With `RestartSteps=` and `RestartMaxDelaySec=` each restart is waited for longer than the one before, and under systemd\n\
     the wait stays as long for good: a service that fell over ten times in its first minute and then ran for a year is not up\n\
     again for as long as the longest wait when it falls once more. With this line a run that lasted so long from having\n\
     started (active) to its end takes the wait back to `RestartSec=`, and the steps begin anew. What runs shorter, or never comes\n\
     up, changes nothing.\n\n\
     `NRestarts` counts on as under systemd: it says how often the service was started again, not how long the next wait is.\n\
     A start by hand and `reset-failed` begin both anew.",
    ),
];

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
