//! Every method we serve, one table row each: name, arguments, who may call it, and what it does.

mod dump;
mod environment;
mod files;
mod jobs;
mod listing;
mod manager;
mod ours;
mod unit;
mod unserved;

pub use manager::{MANAGER, MANAGER_SIGNALS};
pub use ours::OURS;
pub use unit::{JOB, SCOPE, SCOPE_SIGNALS, SERVICE, UNIT, WITH_CGROUP};

use crate::call::{Call, Outcome};
use crate::clients::Clients;
use crate::fault::Fault;
use crate::model::Model;
use eudaemon_engine::api::{JobId, Refusal};
use eudaemon_unit::config::LoadState;
use eudaemon_unit::name::UnitName;

/// Who may call.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Right {
    /// It only reads.
    Anyone,
    /// It changes something: root, or the manager's own user.
    Owner,
    /// It ends everything: as `Owner`, and no policy may grant it to others.
    Privileged,
}

/// A name and a signature.
pub type Argument = (&'static str, &'static str);

#[derive(Clone, Copy, Debug)]
pub struct Method {
    pub name: &'static str,
    pub takes: &'static [Argument],
    pub gives: &'static [Argument],
    pub right: Right,
    pub run: fn(&mut Served<'_>) -> Result<Outcome, Fault>,
}

#[derive(Clone, Copy, Debug)]
pub struct Signal {
    pub name: &'static str,
    pub gives: &'static [Argument],
}

/// A call on its way through a method.
pub struct Served<'a> {
    pub model: &'a mut dyn Model,
    pub clients: &'a mut Clients,
    pub call: &'a Call,
    /// The object called.
    pub target: Target,
}

/// The object a method is called on, known to exist.
#[derive(Clone, Debug)]
pub enum Target {
    Manager,
    Unit(UnitName),
    Job(JobId),
}

const fn anyone(
    name: &'static str,
    takes: &'static [Argument],
    gives: &'static [Argument],
    run: fn(&mut Served<'_>) -> Result<Outcome, Fault>,
) -> Method {
    Method { name, takes, gives, right: Right::Anyone, run }
}

const fn owner(
    name: &'static str,
    takes: &'static [Argument],
    gives: &'static [Argument],
    run: fn(&mut Served<'_>) -> Result<Outcome, Fault>,
) -> Method {
    Method { name, takes, gives, right: Right::Owner, run }
}

const fn privileged(
    name: &'static str,
    takes: &'static [Argument],
    gives: &'static [Argument],
    run: fn(&mut Served<'_>) -> Result<Outcome, Fault>,
) -> Method {
    Method { name, takes, gives, right: Right::Privileged, run }
}

/// The signatures of the arguments, one behind the other.
pub fn signature(arguments: &[Argument]) -> String {
    arguments.iter().map(|(_, signature)| *signature).collect()
}

impl Served<'_> {
    fn done(&self) -> Result<Outcome, Fault> {
        self.call.reply(&()).map(Outcome::Reply)
    }

    fn reply<B: serde::Serialize + zbus::wire::DynamicType>(&self, body: &B) -> Result<Outcome, Fault> {
        self.call.reply(body).map(Outcome::Reply)
    }

    /// The unit a name means; an empty one means the caller's.
    fn load(&mut self, name: &str) -> Result<UnitName, Fault> {
        if name.is_empty() {
            return self.own_unit();
        }
        self.named(name)
    }

    /// As `load`, but an empty name is none: a job is asked for by name.
    fn named(&mut self, name: &str) -> Result<UnitName, Fault> {
        let name = crate::dispatch::loadable(name)?;
        Ok(self.model.load(&name))
    }

    /// As `load`, but it must be there already.
    fn loaded(&self, name: &str) -> Result<UnitName, Fault> {
        if name.is_empty() {
            return self.own_unit();
        }
        let unit = UnitName::parse(name).ok().and_then(|name| self.model.loaded(&name));
        unit.ok_or_else(|| Fault::no_such_unit(format!("Unit {name} not loaded.")))
    }

    /// As `load`, and its files made sense.
    fn valid(&mut self, name: &str) -> Result<UnitName, Fault> {
        let unit = self.load(name)?;
        let load = self.model.unit(&unit).map(|unit| unit.config.load.clone());
        let refusal = match load {
            Some(LoadState::Loaded) | None => return Ok(unit),
            Some(LoadState::NotFound) => Refusal::NoSuchUnit(unit),
            Some(LoadState::Masked) => Refusal::Masked(unit),
            Some(LoadState::BadSetting(_)) => Refusal::BadSetting(unit),
            Some(LoadState::Inconsistent(reason)) => Refusal::Inconsistent { unit, reason },
            Some(LoadState::Unreadable(reason)) => Refusal::LoadFailed { unit, reason },
        };
        Err(Fault::from(&refusal))
    }

    fn own_unit(&self) -> Result<UnitName, Fault> {
        let unit = self.model.unit_of_pid(self.call.credentials.pid);
        unit.ok_or_else(|| Fault::no_such_unit("Client not member of any unit."))
    }
}
