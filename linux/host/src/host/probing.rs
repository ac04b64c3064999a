//! Probes over the network, each until it is answered or nobody waits for it any more.

use super::{Host, facts};
use crate::probe::{Probe, Turn, Unasked};
use eudaemon_engine::api::{Event, ProcId, Target};
use eudaemon_unit::name::UnitName;
use rustix::event::epoll;

impl Host {
    pub(super) fn probe(&mut self, unit: UnitName, process: ProcId, main: Option<ProcId>, target: &Target) {
        // A server that goes on talking after its answer is listened to no longer than until it is asked again.
        self.probes.retain(|_, (of, probe)| *of != unit || !probe.is_answered());
        let main = match main.map(|main| self.pid(main)) {
            // It is gone, and its end is heard or will be.
            Some(None) => return,
            Some(pid) => pid,
            None => None,
        };
        match Probe::begin(target, main) {
            Ok((probe, turn)) => {
                let token = epoll::EventData::new_u64(facts::PROBE | process.0);
                if let Err(error) = epoll::add(&self.epoll, &probe.socket, token, epoll::EventFlags::empty())
                {
                    let outcome = Err(format!("cannot watch a socket: {}", error.kind()));
                    return self.fact(Event::Probed { process, outcome });
                }
                self.probes.insert(process, (unit, probe));
                self.turn(process, turn);
            }
            Err(Unasked::Failed(trouble)) => self.fact(Event::Probed { process, outcome: Err(trouble) }),
            Err(Unasked::Gone) => {}
        }
    }

    pub(super) fn stop_probe(&mut self, process: ProcId) {
        self.probes.remove(&process);
    }

    /// The unit's run is over.
    pub(super) fn stop_probes_of(&mut self, unit: &UnitName) {
        self.probes.retain(|_, (of, _)| of != unit);
    }

    pub(super) fn go_on_with_probe(&mut self, process: ProcId) {
        if let Some((_, probe)) = self.probes.get_mut(&process) {
            let turn = probe.go_on();
            self.turn(process, turn);
        }
    }

    fn turn(&mut self, process: ProcId, turn: Turn) {
        let waits_for = match turn {
            Turn::Writes => epoll::EventFlags::OUT,
            Turn::Reads => epoll::EventFlags::IN,
            Turn::Answered(outcome) => {
                self.fact(Event::Probed { process, outcome });
                let is_left = self.probes.get(&process).is_some_and(|(_, probe)| probe.is_answered());
                if !is_left {
                    self.probes.remove(&process);
                }
                epoll::EventFlags::IN
            }
            Turn::Over => {
                self.probes.remove(&process);
                return;
            }
        };
        let Some((_, probe)) = self.probes.get(&process) else { return };
        let token = epoll::EventData::new_u64(facts::PROBE | process.0);
        if epoll::modify(&self.epoll, &probe.socket, token, waits_for).is_err() {
            // The engine's patience ends it.
            self.probes.remove(&process);
        }
    }
}
