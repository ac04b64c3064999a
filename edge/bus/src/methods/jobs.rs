//! Methods that ask the engine for something: jobs, signals, the end of everything.

use super::{Served, Target};
use crate::call::{Outcome, Shape};
use crate::fault::Fault;
use crate::properties::{UnitCx, can_reload, mode_of};
use eudaemon_engine::api::{Finale, Freezer, JobId, JobKind, KillWhom, Request, Resource};
use eudaemon_unit::config::unit::JobMode;
use eudaemon_unit::name::{UnitKind, UnitName};
use std::collections::BTreeSet;

/// What a client asks to happen to a unit; some words mean different jobs for different units.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Verb {
    Plain(JobKind),
    ReloadOrRestart,
    ReloadOrTryRestart,
}

pub fn start(served: &mut Served<'_>) -> Result<Outcome, Fault> {
    job(served, Verb::Plain(JobKind::Start))
}

pub fn stop(served: &mut Served<'_>) -> Result<Outcome, Fault> {
    job(served, Verb::Plain(JobKind::Stop))
}

pub fn reload(served: &mut Served<'_>) -> Result<Outcome, Fault> {
    job(served, Verb::Plain(JobKind::Reload))
}

pub fn restart(served: &mut Served<'_>) -> Result<Outcome, Fault> {
    job(served, Verb::Plain(JobKind::Restart))
}

pub fn try_restart(served: &mut Served<'_>) -> Result<Outcome, Fault> {
    job(served, Verb::Plain(JobKind::TryRestart))
}

pub fn reload_or_restart(served: &mut Served<'_>) -> Result<Outcome, Fault> {
    job(served, Verb::ReloadOrRestart)
}

pub fn reload_or_try_restart(served: &mut Served<'_>) -> Result<Outcome, Fault> {
    job(served, Verb::ReloadOrTryRestart)
}

/// `StartUnit(name, mode)` of the manager, `Start(mode)` of a unit, and so on.
fn job(served: &mut Served<'_>, verb: Verb) -> Result<Outcome, Fault> {
    let (unit, mode) = match &served.target {
        Target::Unit(unit) => (unit.clone(), served.call.arguments::<String>()?),
        Target::Manager | Target::Job(_) => {
            let (name, mode): (String, String) = served.call.arguments()?;
            (served.named(&name)?, mode)
        }
    };
    submit(served, unit, verb, &mode, |_, _| Shape::JobPath)
}

/// `StartUnitWithFlags`: no flag is defined for callers.
pub fn start_with_flags(served: &mut Served<'_>) -> Result<Outcome, Fault> {
    let (name, mode, flags): (String, String, u64) = served.call.arguments()?;
    if flags != 0 {
        return Err(Fault::invalid_args(format!("Invalid 'flags' parameter '{flags}'")));
    }
    let unit = served.named(&name)?;
    submit(served, unit, Verb::Plain(JobKind::Start), &mode, |_, _| Shape::JobPath)
}

/// `EnqueueUnitJob(name, type, mode)` and `EnqueueJob(type, mode)`: `systemctl --show-transaction`.
pub fn enqueue(served: &mut Served<'_>) -> Result<Outcome, Fault> {
    let (unit, kind, mode) = match &served.target {
        Target::Unit(unit) => {
            let (kind, mode): (String, String) = served.call.arguments()?;
            (unit.clone(), kind, mode)
        }
        Target::Manager | Target::Job(_) => {
            let (name, kind, mode): (String, String, String) = served.call.arguments()?;
            (served.load(&name)?, kind, mode)
        }
    };
    let verb = match kind.as_str() {
        "start" => Verb::Plain(JobKind::Start),
        "verify-active" => Verb::Plain(JobKind::VerifyActive),
        "stop" => Verb::Plain(JobKind::Stop),
        "reload" => Verb::Plain(JobKind::Reload),
        "restart" => Verb::Plain(JobKind::Restart),
        "try-restart" => Verb::Plain(JobKind::TryRestart),
        "reload-or-restart" => Verb::ReloadOrRestart,
        "reload-or-try-restart" => Verb::ReloadOrTryRestart,
        _ => return Err(Fault::invalid_args(format!("Job type {kind} invalid"))),
    };
    submit(served, unit, verb, &mode, |unit, kind| Shape::Enqueued { unit, kind })
}

fn submit(
    served: &mut Served<'_>,
    unit: UnitName,
    verb: Verb,
    mode: &str,
    shape: fn(UnitName, JobKind) -> Shape,
) -> Result<Outcome, Fault> {
    let kind = kind_of(served, &unit, verb);
    let mode = mode_asked(mode)?;
    let request =
        served.model.submit(Some(served.call.credentials), Request::Job { unit: unit.clone(), kind, mode });
    Ok(Outcome::Later(request, shape(unit, kind)))
}

/// Whether the mode goes with what is asked is the engine's to say: first comes whether the unit may be asked.
pub fn mode_asked(mode: &str) -> Result<JobMode, Fault> {
    mode_of(mode).ok_or_else(|| Fault::invalid_args(format!("Job mode {mode} invalid")))
}

/// Reload where the unit can, else restart: systemctl(1).
fn kind_of(served: &Served<'_>, unit: &UnitName, verb: Verb) -> JobKind {
    let reloads = || {
        let unit = served.model.unit(unit);
        unit.is_some_and(|unit| can_reload(&UnitCx::new(&*served.model, &unit)))
    };
    match verb {
        Verb::Plain(kind) => kind,
        Verb::ReloadOrRestart if reloads() => JobKind::ReloadOrStart,
        Verb::ReloadOrRestart => JobKind::Restart,
        Verb::ReloadOrTryRestart if reloads() => JobKind::TryReload,
        Verb::ReloadOrTryRestart => JobKind::TryRestart,
    }
}

pub fn kill(served: &mut Served<'_>) -> Result<Outcome, Fault> {
    let (unit, whom, signal) = match &served.target {
        Target::Unit(unit) => {
            let (whom, signal): (String, i32) = served.call.arguments()?;
            (unit.clone(), whom, signal)
        }
        Target::Manager | Target::Job(_) => {
            let (name, whom, signal): (String, String, i32) = served.call.arguments()?;
            (served.loaded(&name)?, whom, signal)
        }
    };
    let whom = match whom.as_str() {
        "" | "all" => KillWhom::All,
        "main" => KillWhom::Main,
        "control" => KillWhom::Control,
        "main-fail" => KillWhom::MainOrFail,
        "control-fail" => KillWhom::ControlOrFail,
        _ => return Err(Fault::invalid_args(format!("Invalid who argument {whom}"))),
    };
    if !(1..=64).contains(&signal) {
        return Err(Fault::invalid_args("Signal number out of range."));
    }
    if !runs_processes(unit.kind()) {
        return Err(Fault::not_supported("Operation not supported"));
    }
    let request = served.model.submit(Some(served.call.credentials), Request::Kill { unit, whom, signal });
    Ok(Outcome::Later(request, Shape::Empty))
}

/// Answered when all the unit's processes stand still.
pub fn freeze(served: &mut Served<'_>) -> Result<Outcome, Fault> {
    set_freezer(served, Freezer::Frozen)
}

pub fn thaw(served: &mut Served<'_>) -> Result<Outcome, Fault> {
    set_freezer(served, Freezer::Running)
}

fn set_freezer(served: &mut Served<'_>, freezer: Freezer) -> Result<Outcome, Fault> {
    let unit = match &served.target {
        Target::Unit(unit) => unit.clone(),
        Target::Manager | Target::Job(_) => {
            let name: String = served.call.arguments()?;
            served.loaded(&name)?
        }
    };
    let wish = Request::SetFreezer { unit, freezer };
    let request = served.model.submit(Some(served.call.credentials), wish);
    Ok(Outcome::Later(request, Shape::Empty))
}

/// `CleanUnit(name, what)`, `Clean(what)`. Answered when it has begun, as systemd does: whoever wants to know when it is over
/// watches `ActiveState`.
pub fn clean(served: &mut Served<'_>) -> Result<Outcome, Fault> {
    let (unit, words) = match &served.target {
        Target::Unit(unit) => (unit.clone(), served.call.arguments::<Vec<String>>()?),
        Target::Manager | Target::Job(_) => {
            let (name, words): (String, Vec<String>) = served.call.arguments()?;
            (served.valid(&name)?, words)
        }
    };
    let mut what = BTreeSet::new();
    for word in words {
        match Resource::ALL.into_iter().find(|resource| resource.word() == word) {
            Some(resource) => what.extend([resource]),
            None if word == "all" => what.extend(Resource::ALL),
            None => return Err(Fault::invalid_args(format!("Invalid resource type: {word}"))),
        }
    }
    let request = served.model.submit(Some(served.call.credentials), Request::Clean { unit, what });
    Ok(Outcome::Later(request, Shape::Empty))
}

fn runs_processes(kind: UnitKind) -> bool {
    match kind {
        UnitKind::Service | UnitKind::Socket | UnitKind::Mount | UnitKind::Swap => true,
        UnitKind::Slice | UnitKind::Scope => true,
        UnitKind::Target | UnitKind::Device | UnitKind::Automount | UnitKind::Timer | UnitKind::Path => false,
    }
}

pub fn reset_failed_unit(served: &mut Served<'_>) -> Result<Outcome, Fault> {
    let unit = match &served.target {
        Target::Unit(unit) => unit.clone(),
        Target::Manager | Target::Job(_) => served.loaded(&served.call.arguments::<String>()?)?,
    };
    let request = served.model.submit(Some(served.call.credentials), Request::ResetFailed(Some(unit)));
    Ok(Outcome::Later(request, Shape::Empty))
}

pub fn reset_failed(served: &mut Served<'_>) -> Result<Outcome, Fault> {
    plain(served, Request::ResetFailed(None))
}

pub fn cancel_job(served: &mut Served<'_>) -> Result<Outcome, Fault> {
    let job = match served.target {
        Target::Job(job) => job,
        Target::Manager | Target::Unit(_) => JobId(served.call.arguments()?),
    };
    plain(served, Request::CancelJob(job))
}

pub fn clear_jobs(served: &mut Served<'_>) -> Result<Outcome, Fault> {
    plain(served, Request::ClearJobs)
}

pub fn set_exit_code(served: &mut Served<'_>) -> Result<Outcome, Fault> {
    let code = served.call.arguments()?;
    plain(served, Request::SetExitCode(code))
}

pub fn exit(served: &mut Served<'_>) -> Result<Outcome, Fault> {
    let code = served.model.manager().exit_code;
    plain(served, Request::FinishNow(Finale::Exit(code)))
}

pub fn power_off(served: &mut Served<'_>) -> Result<Outcome, Fault> {
    plain(served, Request::FinishNow(Finale::PowerOff))
}

pub fn reboot(served: &mut Served<'_>) -> Result<Outcome, Fault> {
    plain(served, Request::FinishNow(Finale::Reboot))
}

pub fn halt(served: &mut Served<'_>) -> Result<Outcome, Fault> {
    plain(served, Request::FinishNow(Finale::Halt))
}

pub fn kexec(served: &mut Served<'_>) -> Result<Outcome, Fault> {
    plain(served, Request::FinishNow(Finale::Kexec))
}

fn plain(served: &mut Served<'_>, request: Request) -> Result<Outcome, Fault> {
    let request = served.model.submit(Some(served.call.credentials), request);
    Ok(Outcome::Later(request, Shape::Empty))
}

pub fn daemon_reload(served: &mut Served<'_>) -> Result<Outcome, Fault> {
    let request = served.model.reload();
    Ok(Outcome::Later(request, Shape::Empty))
}

/// The client takes the end of its connection for success.
pub fn daemon_reexec(served: &mut Served<'_>) -> Result<Outcome, Fault> {
    served.model.reexecute();
    Ok(Outcome::Silence)
}
