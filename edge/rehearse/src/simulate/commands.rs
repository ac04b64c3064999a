//! What the commands of simulated units do: what they are for, unless they are to fail.

use eudaemon_engine::api::{Phase, Spawn};
use eudaemon_sim::program::{Life, Probed, Program, Programs};
use eudaemon_sim::random::Random;
use eudaemon_unit::config::Config;
use eudaemon_unit::config::service::ServiceType;
use eudaemon_unit::config::unit::Condition;
use eudaemon_unit::name::UnitName;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

/// How long commands take: microseconds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Pace {
    /// As little as they can.
    Least,
    /// Each something else, by the seed.
    Drawn,
}

/// What a command takes at least, and what a drawn one takes at most.
pub const LEAST: u64 = 1_000;
const MOST: u64 = 2_000_000;

pub struct Commands {
    pub pace: Pace,
    pub failing: BTreeSet<UnitName>,
    kinds: BTreeMap<UnitName, ServiceType>,
}

impl Commands {
    pub fn new(configs: &[Arc<Config>], failing: BTreeSet<UnitName>, pace: Pace) -> Commands {
        let kinds = configs.iter().filter_map(|config| {
            let service = config.service()?;
            Some((config.name.clone(), service.kind))
        });
        Commands { pace, failing, kinds: kinds.collect() }
    }

    fn takes(&self, random: &mut Random) -> u64 {
        match self.pace {
            Pace::Least => LEAST,
            Pace::Drawn => random.between(LEAST, MOST),
        }
    }
}

impl Programs for Commands {
    fn program(&mut self, spawn: &Spawn, random: &mut Random) -> Program {
        let takes = self.takes(random);
        let fails = self.failing.contains(&spawn.unit);
        if spawn.phase == Phase::Health {
            return Program::ends(takes, u8::from(fails));
        }
        let serves = spawn.phase == Phase::Start && spawn.unit.as_str().ends_with(".service");
        if !serves {
            return Program::ends(takes, 0);
        }
        if fails {
            return Program::ends(takes, 1);
        }
        match self.kinds.get(&spawn.unit).copied().unwrap_or_default() {
            ServiceType::Oneshot => Program::ends(takes, 0),
            ServiceType::Forking => {
                let child = Program { pid_file_after: Some(0), ..Program::stays() };
                Program {
                    life: Life::Daemonizes { after: takes, child: Box::new(child) },
                    ..Program::stays()
                }
            }
            ServiceType::Notify | ServiceType::NotifyReload => {
                Program { ready_after: Some(takes), ..Program::stays() }
            }
            ServiceType::Simple | ServiceType::Exec | ServiceType::Dbus | ServiceType::Idle => {
                Program::stays()
            }
        }
    }

    /// Who fails is not well either: a gate stays shut.
    fn probed(&mut self, unit: &UnitName, random: &mut Random) -> Probed {
        let outcome = match self.failing.contains(unit) {
            true => Err("it is to fail".to_owned()),
            false => Ok(()),
        };
        Probed::Answered(self.takes(random), outcome)
    }

    /// A pretend machine has all that units look for.
    fn holds(&mut self, _unit: &UnitName, _test: &Condition, _random: &mut Random) -> bool {
        true
    }
}
