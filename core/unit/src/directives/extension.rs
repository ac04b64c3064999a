//! What systemd passes over and we act on: keys and sections whose names begin with `X-`. There is no man page for them:
//! docs/reference/extensions.md is made of what stands here.

use super::{Directive, Draft, Kind, Line, Support};
use crate::config::health::{Gate, Health, OnUnhealthy};
use crate::limits;
use crate::name::UnitName;
use crate::span::Span;
use crate::specifier::Allowed;
use crate::values::endpoint::{parse_endpoint, parse_url};

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

const SEC: Kind = Kind::Span("sec value");

/// `[X-Health]`, in a service.
#[rustfmt::skip]
pub(super) static HEALTH: &[Directive] = &[
    row("Exec", Kind::Commands, |d, l| l.commands(&mut health(d).exec), "a command that ends with exit code 0 while the service is healthy"),
    row("Gate", Kind::Word("health gate"), gate, "what waits until the service is healthy for the first time"),
    row("Http", Kind::Text, http, "a URL that answers a healthy service's GET with 200 to 399"),
    row("IntervalSec", Kind::Wait, |d, l| if let Some(span) = limited(l) { health(d).interval = span }, "the wait from one probe to the next"),
    row("OnUnhealthy", Kind::Word("action for the unhealthy"), on_unhealthy, "what follows when the service is unhealthy"),
    row("Retries", Kind::Count, retries, "after how many failed probes in a row the service is unhealthy"),
    row("StartPeriodSec", SEC, |d, l| if let Some(span) = l.span("sec value") { health(d).start_period = span }, "how long after the start failed probes do not count"),
    row("Tcp", Kind::Text, tcp, "a port, or address and port, that takes connections while the service is healthy"),
    row("TimeoutSec", Kind::Wait, |d, l| if let Some(span) = limited(l) { health(d).timeout = span }, "how long a probe may take"),
];

const fn row(
    key: &'static str,
    kind: Kind,
    set: fn(&mut Draft, &mut Line<'_>),
    help: &'static str,
) -> Directive {
    Directive { key, kind, support: Support::Full, set, help }
}

fn health(d: &mut Draft) -> &mut Health {
    d.service.health.get_or_insert_default()
}

fn http(d: &mut Draft, l: &mut Line<'_>) {
    let Some(text) = l.optional_text() else { return };
    match text.as_deref().map(parse_url).transpose() {
        Ok(url) => health(d).http = url,
        Err(why) => l.warn(format!("Invalid URL, ignoring: {}: {why}", l.value)),
    }
}

fn tcp(d: &mut Draft, l: &mut Line<'_>) {
    let Some(text) = l.optional_text() else { return };
    match text.as_deref().map(parse_endpoint).transpose() {
        Ok(at) => health(d).tcp = at,
        Err(why) => l.warn(format!("Invalid address, ignoring: {}: {why}", l.value)),
    }
}

/// A length of time that is one.
fn limited(l: &mut Line<'_>) -> Option<Span> {
    let span = l.span("sec value")?;
    if span < limits::SHORTEST_WAIT || span.is_infinite() {
        l.warn(format!("{}= has to be at least 10ms and to have an end, ignoring: {}", l.key, l.value));
        return None;
    }
    Some(span)
}

fn retries(d: &mut Draft, l: &mut Line<'_>) {
    match l.unsigned() {
        Some(0) => l.warn("Retries= has to be at least 1, ignoring: 0".to_owned()),
        Some(retries) => health(d).retries = retries,
        None => {}
    }
}

fn gate(d: &mut Draft, l: &mut Line<'_>) {
    if let Some(gate) = l.word(&[("none", Gate::Nothing), ("start", Gate::Start)]) {
        health(d).gate = gate;
    }
}

fn on_unhealthy(d: &mut Draft, l: &mut Line<'_>) {
    let words =
        [("none", OnUnhealthy::Nothing), ("stop", OnUnhealthy::Stop), ("restart", OnUnhealthy::Restart)];
    if let Some(action) = l.word(&words) {
        health(d).on_unhealthy = action;
    }
}

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
        "Exec",
        "The command is started as `ExecStartPost=` and the like are: as the service's user, in its sandbox and among its processes,\n\
     with the prefixes of [Service]'s commands. Exit code 0 is healthy (and what `SuccessExitStatus=` names, and any with `-`\n\
     before the command); everything else is not, a signal and a command that cannot be started as well.\n\
     What is still there after `TimeoutSec=` gets SIGKILL. Of several commands one is started after the other, and all must\n\
     end well. `status` and `systemctl show` do not list it among the service's commands.",
    ),
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
        "Gate",
        "With `start` a service is not active when it has started, but when it has started and is healthy: it stays `activating`\n\
     (`start-post`) until then, so units after it (`After=`) find it ready, `systemctl start` waits for it, and no\n\
     program need speak sd_notify(3). It comes after `Type=` and `ExecStartPost=` have said that it has started.\n\n\
     It is asked at once, then after 100ms, 200ms, 400ms and so on up to every second, or each `IntervalSec=` where that is\n\
     shorter. Failed probes do not count meanwhile, and `OnUnhealthy=` means nothing yet: how long this may take says\n\
     `TimeoutStartSec=`, which runs from the end of `ExecStartPost=`, and a start that takes longer fails with result\n\
     `timeout`, saying what the last probe came to. If the main process ends before that, the start fails: with what it\n\
     ended with, or with result `protocol` if it ended well, as one of `Type=notify` does.\n\n\
     A restart by hand or by `Restart=` goes through the gate again. A service that is active and turns unhealthy stays active.",
    ),
    (
        "Http",
        "What is sent is `GET PATH HTTP/1.1` with `Host:`, `User-Agent: eudaemon`, `Accept: */*` and `Connection: close`. A first\n\
     line that says HTTP/1.0 or HTTP/1.1 and a status from 200 to 399 is healthy, anything else is not: no redirection is\n\
     followed, nothing more is read.\n\n\
     The host is an IPv4 address, an IPv6 address in brackets or `localhost` (127.0.0.1): names are not looked up. Without a\n\
     port it is 80. https is not spoken, nor are user and password sent: ask with `Exec=`. The connection is made by the\n\
     manager, in the network namespace of the main process where that has one of its own. Specifiers are replaced.\n\n\
     With several of `Tcp=`, `Http=` and `Exec=` they are asked in this order, and all have to go well; the first that does not ends\n\
     the probe.",
    ),
    (
        "IntervalSec",
        "It runs from the end of a probe to the beginning of the next. The first probe comes this long after the service has started,\n\
     as with Docker, unless there is a `Gate=start` or `StartPeriodSec=`: then it comes at once, and is repeated quickly until it\n\
     goes well (see there).\n\n\
     A service is asked while it is active with a main process, and while it reloads; not once it is `exited`, which is\n\
     why `Type=oneshot` has no health. While it is frozen it is not asked, and a probe under way is given up. If the\n\
     manager is killed, the next one goes on with the same count; a probe under way then is given its whole time again.\n\n\
     After daemon-reload changed settings hold at once: what is being asked is given up, and counting begins anew.",
    ),
    (
        "OnUnhealthy",
        "A service is healthy from the first probe that goes well, unhealthy after `Retries=` in a row that fail, and healthy\n\
     again after one that goes well. With `none` that is all that happens: `status` and the log tell it.\n\n\
     With `restart` it is stopped (`ExecStop=`, then signals) and started again after `RestartSec=`, whatever `Restart=` says; with\n\
     `stop` it is stopped and stays down, whatever `Restart=` says. Either way the run has failed: `Result=` is `watchdog`,\n\
     the word systemd and its clients have for a service that runs and does not show that it is well, so `OnFailure=`\n\
     is started where no restart follows. `RestartSteps=`, `StartLimitBurst=` and `StartLimitAction=` count such restarts as any\n\
     others: one that is restarted more often than the limit allows ends as `failed`. By default that are five starts in 10 s, which\n\
     only short intervals reach; with longer ones it is restarted for as long as it does not get healthy, unless\n\
     `StartLimitIntervalSec=` is longer too.",
    ),
    (
        "Retries",
        "One probe that goes well sets the count to nought. Failed probes within `StartPeriodSec=` and at the gate do not count.\n\n\
     A service that is `restart`ed or `stop`ped is so no later than `Retries=` times `IntervalSec=` and `TimeoutSec=` together after it was\n\
     last well; where it never was, `StartPeriodSec=` and the probe that began within it come on top.",
    ),
    (
        "StartPeriodSec",
        "As with Docker: it runs from the end of the start, failed probes that begin within it do not count, and the first that goes\n\
     well ends it. Unlike with Docker's default the service is asked at once, then after 100ms, 200ms and so on up to every\n\
     second (or each `IntervalSec=` if that is shorter), so that it is known soon that it is up. With `infinity` only a service that\n\
     was healthy once can become unhealthy.",
    ),
    (
        "Tcp",
        "It is healthy if a connection can be made; nothing is sent, and it is closed at once. A port alone is one of\n\
     127.0.0.1. The rest is as with `Http=`, which is asked after it.",
    ),
    (
        "TimeoutSec",
        "5 seconds without it, which has to be enough for all that is asked in one probe. A connection that is not answered in\n\
     that time is closed, a command that has not ended gets SIGKILL; the probe has failed.",
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
