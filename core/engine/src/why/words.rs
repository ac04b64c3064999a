//! Turns as sentences whose subject, the unit, is left to whoever prints them.

use super::{Asker, Errand, Lack, Root, Turn, What, Which};
use crate::api::{ActiveState, ExitStatus, JobKind, JobResult, Ownership, Phase};
use crate::graph::{Word, Writer};
use eudaemon_unit::name::UnitName;
use eudaemon_unit::values::signal::signal_name;

pub fn of_turn(turn: &Turn) -> String {
    let went = match turn.to {
        _ if super::chain::started_in_vain(turn) => "was not started",
        ActiveState::Active | ActiveState::Reloading => "came up",
        ActiveState::Activating => "is coming up",
        ActiveState::Deactivating => "is going down",
        ActiveState::Failed => "failed",
        ActiveState::Inactive | ActiveState::Maintenance => "went down",
    };
    let first = of_what(&turn.what, turn.errand.as_deref());
    match turn.then.as_ref().map(|then| of_what(then, None)) {
        // What it failed for is what people look for.
        Some(then) if turn.to == ActiveState::Failed => format!("{went}: {then}; before that, {first}"),
        Some(then) => format!("{went}: {first}; then {then}"),
        None => format!("{went}: {first}"),
    }
}

fn of_what(what: &What, errand: Option<&Errand>) -> String {
    match what {
        What::Job(kind) => {
            let why = errand.map_or(String::new(), |errand| format!(" {}", of_errand(errand)));
            format!("its {} was{why}", of_job(*kind))
        }
        What::Exited(which, status) => format!("{} {}", of_process(*which), of_status(*status)),
        What::ForkFailed(clause) | What::SetupFailed(_, clause) => clause.clone(),
        What::Notified => "it said so itself".to_owned(),
        What::Empty => "none of its processes was left".to_owned(),
        What::OutOfMemory => "the kernel killed a process of it for want of memory".to_owned(),
        What::SocketsFailed(clause) => format!("its sockets could not be opened: {clause}"),
        What::BusName(Ownership::Owned) => "its bus name was taken".to_owned(),
        What::BusName(Ownership::Free) => "its bus name was given up".to_owned(),
        What::MainMissing => "its main process could not be found".to_owned(),
        What::NothingMounted => "/bin/mount went well, but nothing is mounted".to_owned(),
        What::Host => "the machine changed so".to_owned(),
        What::StartLimit => "it was started too often".to_owned(),
        What::Reset => "its failure was reset".to_owned(),
        What::Restart => "Restart= after it had ended".to_owned(),
        What::Unmet(test) => format!("{test} does not hold"),
        What::Dependency(unit, word) => {
            let named = word.map_or(String::new(), |word| format!("{}= names ", word.property()));
            format!("{named}{unit}, which did not come up")
        }
        What::JobEnded(result) => format!("its start ended as '{}'", of_result(*result)),
        What::Overtaken(by) => {
            let asked = errand.map_or(String::new(), |errand| format!(", {}", of_errand(errand)));
            format!("a {} took the place of its start{asked}", of_job(*by))
        }
        What::Cancelled => {
            let asked = errand.map_or(String::new(), |errand| format!(", {}", of_errand(errand)));
            format!("its start was cancelled{asked}")
        }
        What::Progress => "of its own".to_owned(),
        What::Overdue(clause) => clause.clone(),
        What::InCycle(ring) => {
            let names: Vec<&str> = ring.iter().chain(ring.first()).map(|unit| unit.as_str()).collect();
            format!("its job was dropped to break the ordering cycle {}", names.join(" -> "))
        }
        What::Impossible(why) => why.clone(),
        What::Unhealthy(trouble) => format!("it was unhealthy (OnUnhealthy=): {trouble}"),
        What::Refused(why) => {
            let asked = errand.map_or(String::new(), |errand| format!("{}, but ", of_errand(errand)));
            format!("its start was {asked}refused: {why}")
        }
    }
}

fn of_job(kind: JobKind) -> &'static str {
    match kind {
        JobKind::Start | JobKind::VerifyActive => "start",
        JobKind::Stop => "stop",
        JobKind::Reload | JobKind::ReloadOrStart | JobKind::TryReload => "reload",
        JobKind::Restart | JobKind::TryRestart => "restart",
        JobKind::Nop => "job",
    }
}

fn of_errand(errand: &Errand) -> String {
    if let Some((unit, word)) = &errand.through {
        return format!("pulled in by {unit}, {}", of_word(*word, unit));
    }
    match &errand.root {
        Root::Asked(asker) => format!("asked for by {}", of_asker(asker)),
        Root::Ended(ended) => format!("named by OnFailure= or OnSuccess= of {}", ended.unit),
        Root::Triggered(unit) => format!("triggered by {unit}"),
        Root::Followed { unit, word } => format!("following {unit}, {}", of_word(*word, unit)),
        Root::Unneeded => "queued since nobody needs it any more (StopWhenUnneeded=)".to_owned(),
        Root::Restart => "queued by Restart=".to_owned(),
        Root::Emergency(Some(unit)) => {
            format!("queued for an action of {unit} (FailureAction= and the like)")
        }
        Root::ExitCode(unit) => format!("queued since {unit} ended, which ExitCodeFrom= names"),
        Root::Emergency(None) => "queued for the end of everything".to_owned(),
    }
}

/// What a unit has to do without: it is, or was, started so.
pub fn of_lack(Lack { unit, word, why }: &Lack) -> String {
    let named = match word.map(Word::written) {
        Some((written, Writer::This)) => format!(", which it names in {}=", written.property()),
        Some((written, Writer::Other)) => format!(", which has {}= for it", written.property()),
        None => String::new(),
    };
    format!("without {unit}{named}, and pulled in nothing further: {why}")
}

/// What a chain ends with that was pulled in from elsewhere: who wanted all of it.
pub fn of_root(errand: &Errand) -> Option<String> {
    errand.through.as_ref()?;
    Some(format!("was part of a transaction {}", of_errand(&errand.beside(None, None))))
}

/// `other` has the word for the unit the sentence is about, or that one has its inverse.
fn of_word(word: Word, other: &UnitName) -> String {
    match word.written() {
        (written, Writer::This) => format!("which names it in {}=", written.property()),
        (written, Writer::Other) => format!("by its own {}={other}", written.property()),
    }
}

fn of_asker(asker: &Asker) -> String {
    match asker {
        Asker::Manager => "the manager itself".to_owned(),
        Asker::Bus => "the bus, for somebody who called a name of it".to_owned(),
        Asker::Client { uid, pid, command } if command.is_empty() => format!("process {pid} of user {uid}"),
        Asker::Client { uid, pid, command } => format!("{command} (process {pid} of user {uid})"),
    }
}

fn of_process(which: Which) -> &'static str {
    match which {
        Which::Main => "its main process",
        Which::Command(Phase::Condition) => "a command of ExecCondition=",
        Which::Command(Phase::StartPre) => "a command of ExecStartPre=",
        Which::Command(Phase::Start) => "a command of ExecStart=",
        Which::Command(Phase::StartPost) => "a command of ExecStartPost=",
        Which::Command(Phase::Reload) => "a command of ExecReload=",
        Which::Command(Phase::Stop) => "a command of ExecStop=",
        Which::Command(Phase::StopPre) => "a command of ExecStopPre=",
        Which::Command(Phase::StopPost) => "a command of ExecStopPost=",
        Which::Command(Phase::Health) => "a command of [X-Health]",
        Which::Mount => "/bin/mount",
        Which::Unmount => "/bin/umount",
        Which::Other => "a process of it",
    }
}

fn of_status(status: ExitStatus) -> String {
    match status {
        ExitStatus::Code(code) => format!("ended with status {code}"),
        ExitStatus::Signal(signal) => format!("was killed by SIG{}", signal_name(signal)),
        ExitStatus::Dumped(signal) => format!("was killed by SIG{} and dumped core", signal_name(signal)),
        ExitStatus::Unknown => "is gone, nobody knows how".to_owned(),
    }
}

fn of_result(result: JobResult) -> String {
    format!("{result:?}").to_lowercase()
}
