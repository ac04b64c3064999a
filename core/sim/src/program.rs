//! What the commands of pretend services do.

use crate::random::Random;
use eudaemon_engine::api::{ExitStatus, Spawn};
use eudaemon_unit::config::unit::Condition;
use eudaemon_unit::name::UnitName;

/// One command's life; times are microseconds after its exec.
#[derive(Clone, Debug)]
pub struct Program {
    pub setup: Setup,
    /// What it writes into the machine's diary, and when.
    pub notes: Vec<(u64, String)>,
    /// When it says `READY=1`.
    pub ready_after: Option<u64>,
    /// When it writes its pid file.
    pub pid_file_after: Option<u64>,
    /// When it begins to take in who knocks on its sockets.
    pub takes_after: Option<u64>,
    /// When it mounts, or unmounts, what its unit is.
    pub mounts_after: Option<u64>,
    pub life: Life,
    pub on_term: OnTerm,
}

/// What comes of a probe, times in microseconds.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Probed {
    Answered(u64, Result<(), String>),
    Never,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Setup {
    Fine,
    /// A step before exec fails with this code.
    Fails(u8),
}

#[derive(Clone, Debug)]
pub enum Life {
    Ends {
        after: u64,
        status: ExitStatus,
    },
    /// Until it is killed.
    Stays,
    /// Leaves a child behind and exits with 0.
    Daemonizes {
        after: u64,
        child: Box<Program>,
    },
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum OnTerm {
    Dies { after: u64 },
    ExitsCleanly { after: u64 },
    Ignores,
}

impl Program {
    pub fn stays() -> Program {
        Program {
            setup: Setup::Fine,
            notes: Vec::new(),
            ready_after: None,
            pid_file_after: None,
            takes_after: None,
            mounts_after: None,
            life: Life::Stays,
            on_term: OnTerm::Dies { after: 500 },
        }
    }

    pub fn ends(after: u64, code: u8) -> Program {
        Program { life: Life::Ends { after, status: ExitStatus::Code(code) }, ..Program::stays() }
    }
}

/// Who says what a command does, and what conditions find.
pub trait Programs {
    fn program(&mut self, spawn: &Spawn, random: &mut Random) -> Program;

    /// What a probe over the network comes to, after so many microseconds.
    fn probed(&mut self, _unit: &UnitName, _random: &mut Random) -> Probed {
        Probed::Answered(1000, Ok(()))
    }

    /// The verdict on a test, its negation included.
    fn holds(&mut self, unit: &UnitName, test: &Condition, random: &mut Random) -> bool;
}
