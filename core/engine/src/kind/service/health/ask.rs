//! What is asked, as orders.

use super::super::super::{Cx, Process, Stage};
use super::super::process::ask_by_command;
use super::super::{State, process};
use super::{Probe, Turn};
use crate::api::{Action, Phase, Target};
use eudaemon_unit::config::Service;
use eudaemon_unit::config::health::{Check, Health as Settings};

/// Begins the check of this number; `None`: there is none.
pub(in crate::kind::service) fn ask(
    check: u32,
    main: Option<Process>,
    settings: &Settings,
    service: &Service,
    cx: &mut Cx,
) -> Option<Probe> {
    let target = match settings.check(check)? {
        Check::Exec(index) => return ask_by_command(index, main, service, cx).map(Probe::Command),
        Check::Tcp(at) => Target::Tcp(at),
        Check::Http(url) => Target::Http(url.clone()),
    };
    let process = cx.fresh();
    let main = main.map(|main| main.id);
    cx.order(Action::Probe { unit: cx.unit.clone(), process, main, target });
    Some(Probe::Net(process))
}

/// The orders of a probe that nobody has answered.
pub(in crate::kind::service) fn unanswered(state: &State, service: &Service, cx: &Cx) -> Option<Action> {
    let settings = service.health.as_deref()?;
    let Turn::Asking { probe, check, .. } = &state.health()?.turn else { return None };
    let main = state.main();
    let target = match (settings.check(*check)?, probe) {
        (Check::Exec(index), Probe::Command(process)) if process.stage == Stage::Asked => {
            return process::order(process.id, Phase::Health, index, main, service, cx);
        }
        (Check::Tcp(at), Probe::Net(_)) => Target::Tcp(at),
        (Check::Http(url), Probe::Net(_)) => Target::Http(url.clone()),
        (Check::Exec(_) | Check::Tcp(_) | Check::Http(_), Probe::Command(_) | Probe::Net(_)) => return None,
    };
    let (unit, process) = (cx.unit.clone(), probe.process().id);
    Some(Action::Probe { unit, process, main: main.map(|main| main.id), target })
}
