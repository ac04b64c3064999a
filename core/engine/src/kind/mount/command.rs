//! mount(8) and umount(8): with what words they are called.

use super::super::control::{Control, after};
use super::super::{Cx, History, Process, Stage};
use super::Work;
use crate::api::{Action, Phase, ProcId, Spawn, Told, WatchExec};
use eudaemon_unit::config::exec::{ExecCommand, Expansion, Failure, Privileges};
use eudaemon_unit::config::{Config, Mount};
use eudaemon_unit::specifier::path_of;
use eudaemon_unit::values::mounts;

/// Whether a file says what is to be mounted: what the kernel says of a mount is not enough to make it again.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Written {
    Yes,
    No,
}

impl Written {
    pub(super) fn of(config: &Config) -> Written {
        if config.fragment.is_some() { Written::Yes } else { Written::No }
    }
}

/// The program that a process was to become.
pub(in crate::kind) fn program(process: ProcId, history: &History) -> Option<&'static str> {
    history.commands.iter().find(|run| run.process == process).map(|run| program_of(run.phase))
}

fn program_of(phase: Phase) -> &'static str {
    match phase {
        Phase::Stop => "/bin/umount",
        Phase::Start
        | Phase::Reload
        | Phase::Condition
        | Phase::StartPre
        | Phase::StartPost
        | Phase::StopPost
        | Phase::StopPre
        | Phase::Health => "/bin/mount",
    }
}

/// The command of a phase: to mount is to start, to remount is to reload. `None`: there is none.
pub fn command(phase: Phase, config: &Config, mount: &Mount) -> Option<ExecCommand> {
    let mut argv = vec![program_of(phase).to_owned()];
    // The name says where, also when the file that repeats it is gone or masked.
    let place = path_of(&config.name);
    let mut add = |words: &[&str]| argv.extend(words.iter().map(|word| (*word).to_owned()));
    match (phase, Written::of(config)) {
        (Phase::Start, Written::Yes) => {
            add(&[&mount.what, &place]);
            add(&flags(mount));
            // Of these only we have to know.
            let known = |option: &&str| !["nofail", "noauto", "auto"].contains(option);
            let options: Vec<&str> = mounts::options(&mount.options).filter(known).collect();
            let options = options.join(",");
            if !options.is_empty() {
                add(&["-o", &options]);
            }
        }
        (Phase::Reload, Written::Yes) => {
            let options = match mount.options.as_str() {
                "" => "remount".to_owned(),
                options => format!("remount,{options}"),
            };
            add(&[&mount.what, &place, "-o", &options]);
            add(&flags(mount));
        }
        (Phase::Stop, Written::Yes | Written::No) => {
            add(&[&place, "-c"]);
            let wanted = [(mount.lazy_unmount, "-l"), (mount.force_unmount, "-f")];
            wanted.iter().filter(|(wanted, _)| *wanted).for_each(|(_, flag)| add(&[flag]));
        }
        (Phase::Start | Phase::Reload, Written::No)
        | (
            Phase::Condition
            | Phase::StartPre
            | Phase::StartPost
            | Phase::StopPost
            | Phase::StopPre
            | Phase::Health,
            Written::Yes | Written::No,
        ) => return None,
    }
    Some(ExecCommand {
        path: program_of(phase).to_owned(),
        argv,
        failure: Failure::Counts,
        expansion: Expansion::None,
        privileges: Privileges::AsConfigured,
    })
}

fn flags(mount: &Mount) -> Vec<&str> {
    let mut flags = Vec::new();
    if mount.sloppy_options {
        flags.push("-s");
    }
    if mount.read_write_only {
        flags.push("-w");
    }
    if !mount.kind.is_empty() {
        flags.extend(["-t", mount.kind.as_str()]);
    }
    flags
}

pub(super) fn spawn(phase: Phase, config: &Config, mount: &Mount, cx: &mut Cx) -> Option<Work> {
    let process = Process { id: cx.fresh(), stage: Stage::Asked };
    let order = order(process, phase, config, mount, cx)?;
    cx.history.command_started(phase, 0, process.id, cx.now);
    cx.order(order);
    Some(Work::Runs(Control { process, index: 0, deadline: after(cx, mount.timeout) }))
}

pub(super) fn order(
    process: Process,
    phase: Phase,
    config: &Config,
    mount: &Mount,
    cx: &Cx,
) -> Option<Action> {
    Some(Action::Spawn(Box::new(Spawn {
        process: process.id,
        unit: cx.unit.clone(),
        phase,
        index: 0,
        command: command(phase, config, mount)?,
        invocation: cx.run.invocation.unwrap_or(cx.next_invocation),
        watch_exec: WatchExec::No,
        told: Told::default(),
        watchdog_usec: 0,
    })))
}
