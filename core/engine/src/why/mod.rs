//! Why units changed: of each its last coming up and its last going down, with what set it going and who wanted it. What
//! lies behind another unit is found there, so a chain of any length costs each unit two entries.
//!
//! It is written down with the unit, and read by [`Engine::why`](crate::Engine::why); nothing is decided by it.

mod chain;
mod past;
mod words;

pub use chain::{Link, Tells};
pub(crate) use past::Past;
pub(crate) use words::of_lack;

use crate::api::{ActiveState, ExitStatus, JobKind, JobResult, Moment, Monitored, Ownership, Phase};
use crate::graph::Word;
use eudaemon_unit::name::UnitName;
use serde::{Deserialize, Serialize};

/// Who made a request, judged by kernel credentials.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub enum Asker {
    /// The manager itself: at its start, at its end, or for a signal it got.
    #[default]
    Manager,
    /// The bus, for somebody who called a name that nobody had.
    Bus,
    Client {
        uid: u32,
        pid: u32,
        /// The process's name, empty where it could not be told.
        command: String,
    },
}

/// Why there is a job.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Errand {
    /// What its transaction was made for.
    pub root: Root,
    /// The unit whose job asked for this one, and its word for this unit; `None`: the transaction is about this unit.
    pub through: Option<(UnitName, Word)>,
    /// When its transaction came to be, microseconds of the clock that only goes forward: what its units did before is no cause.
    pub at: u64,
    /// It is started without this, since it is itself only wanted.
    pub without: Option<Box<Lack>>,
}

/// A unit that cannot be had, the word of the unit that requires it, and why it cannot.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Lack {
    pub unit: UnitName,
    pub word: Option<Word>,
    pub why: String,
}

/// What a transaction is made for.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) enum Root {
    Asked(Asker),
    /// `OnFailure=` or `OnSuccess=` of that unit.
    Ended(Box<Monitored>),
    /// Activity on that socket.
    Triggered(UnitName),
    /// That unit came or went, and has this word for the one the job is for.
    Followed {
        unit: UnitName,
        word: Word,
    },
    /// `StopWhenUnneeded=`.
    Unneeded,
    /// `Restart=`.
    Restart,
    /// `FailureAction=` and its kin, of that unit.
    Emergency(Option<UnitName>),
    /// The end of that unit is the container's: `ExitCodeFrom=`.
    ExitCode(UnitName),
}

/// Which process.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) enum Which {
    Main,
    Command(Phase),
    /// mount(8).
    Mount,
    /// umount(8).
    Unmount,
    Other,
}

/// What sets a unit going.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) enum What {
    Job(JobKind),
    Exited(Which, ExitStatus),
    /// Which program could not be started, at which step, and what was said.
    ForkFailed(String),
    /// Likewise at a step before exec: systemd.exec(5)'s code.
    SetupFailed(u8, String),
    Notified,
    /// None of its processes is left.
    Empty,
    OutOfMemory,
    SocketsFailed(String),
    BusName(Ownership),
    MainMissing,
    /// The host's own doing: a mount came or went.
    Host,
    /// mount(8) says that it did what it did not.
    NothingMounted,
    StartLimit,
    Reset,
    /// `Restart=`, after it had ended.
    Restart,
    /// A condition or assertion that does not hold, as the unit file has it.
    Unmet(String),
    /// The unit whose failure failed the start, and this unit's word for it.
    Dependency(UnitName, Option<Word>),
    JobEnded(JobResult),
    /// The queued start gave way to a job that contradicts it, whose errand stands beside this.
    Overtaken(JobKind),
    /// Somebody cancelled its start.
    Cancelled,
    /// What matters of it is told by what came before.
    Progress,
    /// What took longer than which directive allows, and what it waited for.
    Overdue(String),
    /// The job was dropped to break this ordering cycle.
    InCycle(Vec<UnitName>),
    /// Why it cannot be started here.
    Impossible(String),
    /// `OnUnhealthy=`, and what the last probe came to.
    Unhealthy(String),
    /// No job came of the wish for one.
    Refused(String),
}

/// One way a unit went.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Turn {
    pub began: Moment,
    pub ended: Moment,
    /// How far it went.
    pub to: ActiveState,
    pub what: What,
    /// What went wrong on the way.
    pub then: Option<What>,
    /// Of the job it went by.
    pub errand: Option<Box<Errand>>,
}

/// The last way of each direction.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Turns {
    pub up: Option<Box<Turn>>,
    /// Also a start that came to nothing.
    pub down: Option<Box<Turn>>,
}

impl Errand {
    /// Of the unit that a transaction is about.
    pub fn of(root: Root, now: Moment) -> Errand {
        Errand { root, through: None, at: now.monotonic, without: None }
    }

    /// Of another unit of the same transaction.
    pub fn beside(&self, through: Option<(UnitName, Word)>, without: Option<Box<Lack>>) -> Errand {
        Errand { root: self.root.clone(), through, at: self.at, without }
    }
}

impl Turns {
    pub fn last(&self) -> Option<&Turn> {
        match (self.up.as_deref(), self.down.as_deref()) {
            (Some(up), Some(down)) if up.began.monotonic > down.began.monotonic => Some(up),
            (_, Some(down)) => Some(down),
            (up, None) => up,
        }
    }

    /// The exit of a process whose setup failed tells no more than the failure did.
    fn told_before(&self, what: What) -> What {
        match (&what, self.up.as_deref().and_then(|up| up.then.as_ref())) {
            (What::Exited(_, ExitStatus::Code(code)), Some(What::SetupFailed(step, clause)))
                if code == step =>
            {
                What::SetupFailed(*step, clause.clone())
            }
            // What went wrong was heard before it was known what comes of it.
            (What::Progress, Some(then)) => then.clone(),
            _ => what,
        }
    }

    /// Takes in one change, or a fact that changed nothing to be seen.
    pub fn note(
        &mut self,
        now: Moment,
        from: ActiveState,
        to: ActiveState,
        what: What,
        errand: Option<Errand>,
    ) {
        let fresh = |errand: Option<Errand>, what: What| {
            let (began, ended, errand) = (now, now, errand.map(Box::new));
            Some(Box::new(Turn { began, ended, to, what, then: None, errand }))
        };
        // An automatic restart begins with a stop of what has stopped: that is no change of its own.
        if what == What::Job(JobKind::Restart)
            && errand.as_ref().is_some_and(|errand| errand.root == Root::Restart && errand.through.is_none())
            && from == ActiveState::Activating
        {
            return;
        }
        let (before, after) = (heading(from), heading(to));
        let what = if before != after && after == Heading::Down { self.told_before(what) } else { what };
        let (slot, other) = match after {
            Heading::Up => (&mut self.up, &self.down),
            Heading::Down => (&mut self.down, &self.up),
        };
        match slot {
            Some(turn) if before == after => {
                // It went the other way between, and that way back was not noted: a restart that comes to nothing.
                if other.as_ref().is_some_and(|other| other.began.monotonic > turn.began.monotonic) {
                    turn.began = now;
                }
                turn.ended = now;
                turn.to = to;
                if what.is_trouble() && turn.what != what {
                    turn.then = Some(what);
                }
            }
            // A manager of a version that noted nothing, or a state that was there from the beginning.
            None if before == after && from == to => {}
            Some(_) | None => *slot = fresh(errand, what),
        }
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Heading {
    Up,
    Down,
}

fn heading(state: ActiveState) -> Heading {
    match state {
        ActiveState::Active | ActiveState::Reloading | ActiveState::Activating => Heading::Up,
        ActiveState::Inactive
        | ActiveState::Failed
        | ActiveState::Deactivating
        | ActiveState::Maintenance => Heading::Down,
    }
}

impl What {
    /// Worth telling beside what set the unit going.
    fn is_trouble(&self) -> bool {
        match self {
            // A signal is how a stop is done.
            What::Exited(_, ExitStatus::Signal(_) | ExitStatus::Code(0)) => false,
            What::Exited(_, ExitStatus::Code(_) | ExitStatus::Dumped(_) | ExitStatus::Unknown) => true,
            What::ForkFailed(_)
            | What::SetupFailed(..)
            | What::OutOfMemory
            | What::SocketsFailed(_)
            | What::MainMissing
            | What::StartLimit
            | What::NothingMounted
            | What::Reset
            | What::Overdue(_) => true,
            What::Job(_)
            | What::Notified
            | What::Empty
            | What::BusName(_)
            | What::Host
            | What::Restart
            | What::Unmet(_)
            | What::Dependency(..)
            | What::JobEnded(_)
            | What::Overtaken(_)
            | What::Cancelled
            | What::Progress
            | What::InCycle(_)
            | What::Impossible(_)
            | What::Unhealthy(_)
            | What::Refused(_) => false,
        }
    }
}
