//! Verbs that make jobs: ask for each unit, then wait until the jobs have ended.

use super::names::{self, mangled};
use super::{Failure, files, meant};
use crate::CalledAs;
use crate::bus::{CallError, Client, JobResult, Jobs, MANAGER, MANAGER_PATH, SERVICE, UNIT, Value};
use crate::line::{Line, Scope};
use crate::running;
use crate::screen::Screen;
use crate::status;
use crate::text::time;
use crate::unit_name::{self, Globs};
use eudaemon_unit::name::{UnitKind, UnitName};

/// One kind of request: the manager's method, and the word for messages.
#[derive(Clone, Copy, Debug)]
pub struct Request {
    method: &'static str,
    word: &'static str,
    job_type: &'static str,
}

pub const START: Request = Request { method: "StartUnit", word: "start", job_type: "start" };
pub const STOP: Request = Request { method: "StopUnit", word: "stop", job_type: "stop" };
pub const RESTART: Request = Request { method: "RestartUnit", word: "restart", job_type: "restart" };
pub const RELOAD: Request = Request { method: "ReloadUnit", word: "reload", job_type: "reload" };
pub const TRY_RESTART: Request =
    Request { method: "TryRestartUnit", word: "try-restart", job_type: "try-restart" };
pub const RELOAD_OR_RESTART: Request =
    Request { method: "ReloadOrRestartUnit", word: "reload-or-restart", job_type: "reload-or-restart" };
pub const TRY_RELOAD_OR_RESTART: Request = Request {
    method: "ReloadOrTryRestartUnit",
    word: "try-reload-or-restart",
    job_type: "try-reload-or-restart",
};

impl Request {
    /// Whether a unit that is down comes up by it.
    fn starts(self) -> bool {
        [START, RESTART, RELOAD_OR_RESTART].iter().any(|other| other.method == self.method)
    }
}

/// The units named on the line.
pub fn run(line: &Line, screen: &mut Screen, request: Request) -> Result<u8, Failure> {
    let mut client = running::reach(line)?;
    let units = names::expand(&mut client, screen, &line.options, &line.arguments, ".service")?;
    make(line, screen, &mut client, request, &line.options.job_mode, &units)
}

/// One unit with all that it needs, and nothing else.
pub fn isolate(line: &Line, screen: &mut Screen, unit: &str) -> Result<u8, Failure> {
    let mut client = running::reach(line)?;
    let unit = mangled(screen, unit, ".target", Globs::Refused)?;
    make(line, screen, &mut client, START, "isolate", &[unit])
}

/// Starts or stops the units just enabled, disabled or masked with `--now`.
pub fn now(
    line: &Line,
    screen: &mut Screen,
    client: &mut Client,
    request: Request,
    units: &[String],
) -> Result<u8, Failure> {
    let mut named = Vec::new();
    for unit in units {
        let name = unit.rsplit('/').next().unwrap_or(unit);
        named.push(mangled(screen, name, ".service", Globs::Refused)?);
    }
    make(line, screen, client, request, line.options.job_mode.as_str(), &named)
}

fn make(
    line: &Line,
    screen: &mut Screen,
    client: &mut Client,
    request: Request,
    mode: &str,
    units: &[String],
) -> Result<u8, Failure> {
    let waits = !line.options.no_block;
    if waits {
        client.subscribe().map_err(|error| Failure::call("subscribe to manager signals", &error))?;
    }
    let mut jobs = Jobs::default();
    let mut code = 0;
    let mut asked = Vec::new();
    for unit in units {
        if line.options.dry_run {
            continue;
        }
        match ask(line, screen, client, request, unit, mode) {
            Ok(job) => {
                jobs.add(job);
                asked.push(unit.clone());
            }
            Err(error) => {
                complain(line, screen, request, unit, &error);
                if code == 0 {
                    code = exit_code(&error);
                }
                continue;
            }
        }
        warn(line, screen, client, request, unit);
    }
    if waits {
        let ends = jobs.wait(client).map_err(|error| Failure::call("wait for jobs", &error))?;
        if request.starts() {
            asked.iter().for_each(|unit| tell_skipped(line, screen, client, unit));
        }
        for end in &ends {
            let good = report(line, screen, client, end);
            if !good {
                code = 1;
            }
        }
        if line.options.wait {
            code = code.max(until_down(client, &asked)?);
        }
    }
    Ok(code)
}

/// Makes one job; its object path.
fn ask(
    line: &Line,
    screen: &mut Screen,
    client: &mut Client,
    request: Request,
    unit: &str,
    mode: &str,
) -> Result<String, CallError> {
    if line.options.show_transaction {
        type Affected = Vec<(u32, zbus::OwnedObjectPath, String, zbus::OwnedObjectPath, String)>;
        type Enqueued = (u32, zbus::OwnedObjectPath, String, zbus::OwnedObjectPath, String, Affected);
        let (id, job, name, _, kind, affected): Enqueued =
            client.manager("EnqueueUnitJob", &(unit, request.job_type, mode))?;
        if !line.options.quiet {
            screen.complain(&format!("Enqueued anchor job {id} {name}/{kind}."));
            for (id, _, name, _, kind) in affected {
                screen.complain(&format!("Enqueued auxiliary job {id} {name}/{kind}."));
            }
        }
        return Ok(job.to_string());
    }
    let job: zbus::OwnedObjectPath = client.manager(request.method, &(unit, mode))?;
    Ok(job.to_string())
}

/// A start that a condition kept from beginning is no failure, and nothing is up: systemctl is silent of it.
fn tell_skipped(line: &Line, screen: &mut Screen, client: &mut Client, unit: &str) {
    if line.called_as != CalledAs::Eudaemon || line.options.quiet {
        return;
    }
    let causes = super::why::ask(client, unit).unwrap_or_default();
    if let Some(cause) = status::skipped(&causes) {
        screen.complain(&format!("{} {}.", cause.unit, cause.text));
    }
}

fn is_ours(client: &mut Client) -> bool {
    let version = client.property(MANAGER_PATH, MANAGER, "Version");
    version.is_ok_and(|version| version.text().is_some_and(|text| text.contains("eudaemon")))
}

/// The exit code of a refused request, as the table in systemctl(1) follows LSB.
pub fn exit_code(error: &CallError) -> u8 {
    match error.kind() {
        "NoSuchUnit" => 5,
        "OnlyByDependency" | "NoIsolation" | "TransactionIsDestructive" | "AccessDenied" => 4,
        "JobTypeNotApplicable" | "NotSupported" => 3,
        "LoadFailed" => 6,
        _ => 1,
    }
}

fn complain(line: &Line, screen: &mut Screen, request: Request, unit: &str, error: &CallError) {
    // The error points to the log by itself, and so does systemctl; ours knows the way round.
    if line.called_as == CalledAs::Eudaemon && error.kind() == "TransactionOrderIsCyclic" {
        let user = if line.options.scope == Scope::User { " --user" } else { "" };
        let text = format!("Failed to {} {unit}: Transaction order is cyclic.", request.word);
        return screen.complain(&format!("{text}\nSee 'eudaemon{user} why {unit}' for the way round."));
    }
    screen.complain(&format!("Failed to {} {unit}: {}", request.word, error.text()));
    // Of a unit that this one requires `verify` tells.
    if error.kind() == "NoSuchUnit" && error.text().contains(unit) {
        meant::complain(line, screen, unit);
    }
    if error.kind() == "NoSuchUnit"
        && let Some(hint) = running::whose_units(line)
    {
        screen.complain(hint);
    }
    if !matches!(error.kind(), "NoSuchUnit" | "UnitMasked" | "JobTypeNotApplicable") {
        let (log, user) = match line.options.scope {
            Scope::System => ("system", ""),
            Scope::User => ("user", " --user"),
        };
        let word = line.called_as.word();
        screen.complain(&format!("See {log} logs and '{word}{user} status {unit}' for details."));
    }
}

/// What a person should know about a job that was made all the same.
fn warn(line: &Line, screen: &mut Screen, client: &mut Client, request: Request, unit: &str) {
    if line.options.quiet || line.options.no_warn {
        return;
    }
    let path = unit_name::object_path(unit);
    if let Ok(Value::Bool(true)) = client.property(&path, UNIT, "NeedDaemonReload") {
        screen.complain(&files::changed_on_disk(line, unit));
    }
    if request.method != STOP.method {
        return;
    }
    let load = client.property(&path, UNIT, "LoadState");
    if load.is_ok_and(|state| state.text() == Some("masked")) {
        return;
    }
    let Ok(triggers) = client.property(&path, UNIT, "TriggeredBy") else { return };
    let mut live = Vec::new();
    for trigger in triggers.texts() {
        let state = client.property(&unit_name::object_path(trigger), UNIT, "ActiveState");
        if state.is_ok_and(|state| matches!(state.text(), Some("active" | "reloading"))) {
            live.push(format!("  {trigger}"));
        }
    }
    if !live.is_empty() {
        let list = live.join("\n");
        screen.complain(&format!("Warning: Stopping {unit}, but it can still be activated by:\n{list}"));
    }
}

/// Says how a job ended; whether that is a success.
fn report(line: &Line, screen: &mut Screen, client: &mut Client, end: &JobResult) -> bool {
    let unit = end.unit.as_str();
    let text = match end.result.as_str() {
        "done" | "skipped" => return true,
        "canceled" => format!("Job for {unit} canceled."),
        "timeout" => format!("Job for {unit} timed out."),
        "dependency" => format!("A dependency job for {unit} failed. See 'journalctl -xe' for details."),
        "invalid" => format!("{unit} is not active, cannot reload."),
        "assert" => format!("Assertion failed on job for {unit}."),
        "unsupported" => {
            let kind = UnitName::parse(unit).ok().map(|name| name.kind());
            let kind = kind.filter(|kind| kind.is_unserved() && is_ours(client)).map(UnitKind::suffix);
            let why = kind.map(|kind| format!(" This version of eudaemon does not start {kind} units yet."));
            let text = format!("Operation on or unit type of {unit} not supported on this system.");
            text + &why.unwrap_or_default()
        }
        "collected" => format!("Queued job for {unit} was garbage collected."),
        "once" => format!("Unit {unit} was started already once and can't be started again."),
        _ => {
            let result = match unit_name::type_of(unit) {
                Some("service") => {
                    let path = unit_name::object_path(unit);
                    let result = client.property(&path, SERVICE, "Result");
                    result.ok().and_then(|result| result.text().map(str::to_owned))
                }
                _ => None,
            };
            let result = result.as_deref().unwrap_or("");
            let limit = if result == START_LIMIT { start_limit(client, unit) } else { None };
            failed(line, unit, result, limit.as_deref())
        }
    };
    if !line.options.quiet {
        screen.complain(&text);
    }
    false
}

/// The `Result` of a unit that was started too often.
const START_LIMIT: &str = "start-limit-hit";

/// How often is too often: `5 starts within 10s`.
pub fn start_limit(client: &mut Client, unit: &str) -> Option<String> {
    let path = unit_name::object_path(unit);
    let mut number = |name| client.property(&path, UNIT, name).ok()?.unsigned();
    let (burst, interval) = (number("StartLimitBurst")?, number("StartLimitIntervalUSec")?);
    Some(format!("{burst} starts within {}", time::spoken(interval)))
}

/// Why a service's job failed, in words, by the service's `Result`; `limit` is that of its starts, where that was passed.
fn failed(line: &Line, unit: &str, result: &str, limit: Option<&str>) -> String {
    let why = match result {
        "resources" => " because of unavailable resources or another system error",
        "protocol" => " because the service did not take the steps required by its unit configuration",
        "timeout" => " because a timeout was exceeded",
        "exit-code" => " because the control process exited with error code",
        "signal" => " because a fatal signal was delivered to the control process",
        "core-dump" => " because a fatal signal was delivered causing the control process to dump core",
        "watchdog" => " because the service failed to send watchdog ping",
        START_LIMIT => " because start of the service was attempted too often",
        "oom-kill" => " because of an out-of-memory (OOM) situation",
        _ => "",
    };
    let (user, user_unit) = match line.options.scope {
        Scope::System => ("", "-xeu"),
        Scope::User => (" --user", "--user -xeu"),
    };
    let word = format!("{}{user}", line.called_as.word());
    let limit = limit.filter(|_| line.called_as == CalledAs::Eudaemon);
    let limit = limit.map_or(String::new(), |limit| format!(" (the limit: {limit})"));
    let mut text = format!(
        "Job for {unit} failed{why}{limit}.\nSee \"{word} status {unit}\" and \"journalctl {user_unit} {unit}\" for details."
    );
    if result == START_LIMIT {
        text.push_str(&format!(
            "\nTo force a start use \"{word} reset-failed {unit}\"\nfollowed by \"{word} start {unit}\" again."
        ));
    }
    text
}

/// `--wait`: until every unit is down again; 1 where one of them failed.
fn until_down(client: &mut Client, units: &[String]) -> Result<u8, Failure> {
    let mut code = 0;
    for unit in units {
        let path = unit_name::object_path(unit);
        loop {
            let state = client.property(&path, UNIT, "ActiveState");
            let state = state.map_err(|error| Failure::call("wait for units", &error))?;
            match state.text() {
                Some("failed") => code = 1,
                Some("inactive") => {}
                Some(_) | None => {
                    let changed = client.until_signal("PropertiesChanged");
                    changed.map_err(|error| Failure::call("wait for units", &error))?;
                    continue;
                }
            }
            break;
        }
    }
    Ok(code)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::CalledAs;
    use expect_test::{Expect, expect};

    fn check(result: &str, expected: Expect) {
        let words = ["start", "web"].map(std::ffi::OsString::from).to_vec();
        let line = crate::line::parse(words, CalledAs::Systemctl).unwrap();
        expected.assert_eq(&failed(&line, "web.service", result, Some("5 starts within 10s")));
    }

    #[test]
    fn a_failed_job_says_why_and_where_to_look() {
        check(
            "exit-code",
            expect![[r#"
                Job for web.service failed because the control process exited with error code.
                See "systemctl status web.service" and "journalctl -xeu web.service" for details."#]],
        );
        check(
            "start-limit-hit",
            expect![[r#"
                Job for web.service failed because start of the service was attempted too often.
                See "systemctl status web.service" and "journalctl -xeu web.service" for details.
                To force a start use "systemctl reset-failed web.service"
                followed by "systemctl start web.service" again."#]],
        );
    }

    #[test]
    fn refusals_have_the_exit_codes_of_systemctl() {
        for (name, code) in [
            ("org.freedesktop.systemd1.NoSuchUnit", 5),
            ("org.freedesktop.systemd1.NoIsolation", 4),
            ("org.freedesktop.DBus.Error.AccessDenied", 4),
            ("org.freedesktop.systemd1.JobTypeNotApplicable", 3),
            ("org.freedesktop.systemd1.LoadFailed", 6),
            ("org.freedesktop.systemd1.UnitMasked", 1),
        ] {
            let error = CallError::Refused { name: name.to_owned(), text: String::new() };
            assert_eq!(exit_code(&error), code, "{name}");
        }
    }
}
