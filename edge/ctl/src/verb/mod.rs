//! The verbs: each asks the manager, and prints what it hears.

mod ask;
mod cat;
mod clean;
mod dependencies;
mod environment;
mod files;
mod flight;
mod jobs;
mod kill;
mod listing;
mod machine;
mod meant;
mod names;
mod plan;
mod schedule;
mod show;
mod sysv;
mod unit_files;
mod units;
mod why;

use crate::bus::CallError;
use crate::line::{Line, Verb};
use crate::running;
use crate::screen::Screen;
use eudaemon_unit::install::AddedDependency;
pub use files::words;
pub use why::Cause;

/// Why a verb stops: what to say, and the exit code.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Failure {
    pub text: String,
    pub code: u8,
}

impl Failure {
    pub fn new(text: impl Into<String>) -> Failure {
        Failure { text: text.into(), code: 1 }
    }

    /// A refused call: `Failed to enable unit: …`.
    pub fn call(what: &str, error: &CallError) -> Failure {
        Failure { text: format!("Failed to {what}: {}", error.text()), code: 1 }
    }
}

/// Runs the line; the exit code.
pub fn run(line: &Line, screen: &mut Screen) -> u8 {
    match dispatch(line, screen) {
        Ok(code) => code,
        Err(failure) => {
            if !failure.text.is_empty() {
                screen.complain(&failure.text);
                meant::explain(line, screen, &failure.text);
            }
            failure.code
        }
    }
}

fn dispatch(line: &Line, screen: &mut Screen) -> Result<u8, Failure> {
    if let Some(root) = &line.options.root
        && let Err(error) = std::fs::read_dir(root)
    {
        let text = "Failed to initialize unit search paths for root directory";
        return Err(Failure::new(format!("{text} {}: {}", root.display(), words(&error))));
    }
    match line.verb {
        Verb::Help => show::help(line, screen),
        Verb::Start => jobs::run(line, screen, jobs::START),
        Verb::Stop => jobs::run(line, screen, jobs::STOP),
        Verb::Restart => jobs::run(line, screen, jobs::RESTART),
        Verb::Reload => jobs::run(line, screen, jobs::RELOAD),
        Verb::TryRestart => jobs::run(line, screen, jobs::TRY_RESTART),
        Verb::ReloadOrRestart => jobs::run(line, screen, jobs::RELOAD_OR_RESTART),
        Verb::TryReloadOrRestart => jobs::run(line, screen, jobs::TRY_RELOAD_OR_RESTART),
        Verb::Isolate => jobs::isolate(line, screen, &line.arguments[0]),
        Verb::Default => jobs::isolate(line, screen, "default.target"),
        Verb::Rescue => jobs::isolate(line, screen, "rescue.target"),
        Verb::Emergency => jobs::isolate(line, screen, "emergency.target"),
        Verb::Freeze => kill::freezer(line, screen, &mut running::reach(line)?, kill::Freezer::Freeze),
        Verb::Thaw => kill::freezer(line, screen, &mut running::reach(line)?, kill::Freezer::Thaw),
        Verb::Clean => clean::run(line, screen, &mut running::reach(line)?),
        Verb::Kill => kill::kill(line, screen, &mut running::reach(line)?),
        Verb::ResetFailed => kill::reset_failed(line, screen, &mut running::reach(line)?),
        Verb::Cancel => kill::cancel(line, screen, &mut running::reach(line)?),
        Verb::Plan => plan::run(line, screen),
        Verb::Why => why::run(line, screen, &mut running::reach(line)?),
        Verb::Flight => flight::run(line, screen),
        Verb::Status => show::status(line, screen),
        Verb::Show => show::show(line, screen, &mut running::reach(line)?),
        Verb::Cat => cat::run(line, screen),
        Verb::IsActive => ask::is_active(line, screen),
        Verb::IsFailed => ask::is_failed(line, screen),
        Verb::IsSystemRunning => ask::is_system_running(line, screen),
        Verb::IsEnabled => files::is_enabled(line, screen),
        Verb::ListUnits => units::run(line, screen, &mut running::reach(line)?),
        Verb::ListUnitFiles => unit_files::run(line, screen),
        Verb::ListSockets => schedule::sockets(line, screen, &mut running::reach(line)?),
        Verb::ListTimers => schedule::timers(line, screen, &mut running::reach(line)?),
        Verb::ListJobs => units::jobs(line, screen, &mut running::reach(line)?),
        Verb::ListDependencies => dependencies::run(line, screen, &mut running::reach(line)?),
        Verb::Enable => files::change(line, screen, &files::ENABLE),
        Verb::Disable => files::change(line, screen, &files::DISABLE),
        Verb::Reenable => files::change(line, screen, &files::REENABLE),
        Verb::Preset => files::change(line, screen, &files::PRESET),
        Verb::PresetAll => files::preset_all(line, screen),
        Verb::Mask => files::change(line, screen, &files::MASK),
        Verb::Unmask => files::change(line, screen, &files::UNMASK),
        Verb::Link => files::change(line, screen, &files::LINK),
        Verb::Revert => files::change(line, screen, &files::REVERT),
        Verb::AddWants => files::add_dependency(line, screen, AddedDependency::Wants),
        Verb::AddRequires => files::add_dependency(line, screen, AddedDependency::Requires),
        Verb::GetDefault => files::get_default(line, screen),
        Verb::SetDefault => files::set_default(line, screen),
        Verb::ShowEnvironment => environment::show(line, screen, &mut running::reach(line)?),
        Verb::SetEnvironment => environment::set(line, &mut running::reach(line)?),
        Verb::UnsetEnvironment => environment::unset(line, &mut running::reach(line)?),
        Verb::ImportEnvironment => environment::import(line, &mut running::reach(line)?),
        Verb::DaemonReload => machine::reload(&mut running::reach(line)?),
        Verb::DaemonReexec => machine::reexec(&mut running::reach(line)?),
        Verb::Poweroff => machine::end(line, screen, machine::POWEROFF),
        Verb::Reboot => machine::end(line, screen, machine::REBOOT),
        Verb::Halt => machine::end(line, screen, machine::HALT),
        Verb::Exit => machine::exit(line, screen),
    }
}
