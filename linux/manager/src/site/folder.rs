//! `up`: a folder's units from their start to the exit code, and what it says while it stops and as it ends.

use super::Site;
use crate::choice::Choice;
use crate::options::Mission;
use crate::units::Loaded;
use crate::{clock, lines};
use eudaemon_engine::api::{
    Action, ActiveState, ExitStatus, JobKind, JobResult, KillWhom, Request, RequestId,
};
use eudaemon_engine::job::Phase;
use eudaemon_engine::{Engine, UnitView};
use eudaemon_unit::config::unit::JobMode;
use eudaemon_unit::name::{UnitKind, UnitName};
use serde::{Deserialize, Serialize};
use std::collections::{BTreeMap, BTreeSet};

/// How long a stop may take, in microseconds, before people are told what it waits for.
const SILENCE: u64 = 2_000_000;

/// Units named in one line; the rest are counted.
const NAMED: usize = 8;

/// What is remembered of a folder, over the manager's death too.
#[derive(Debug, Default, Serialize, Deserialize)]
pub struct Folder {
    /// What is run; when none of it lives any more, all ends.
    mine: BTreeSet<UnitName>,
    /// Those whose last start was refused or came to nothing.
    unstarted: BTreeSet<UnitName>,
    #[serde(skip)]
    asked: BTreeMap<RequestId, UnitName>,
}

/// Why everything ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Ending {
    /// Nothing is left that lives.
    Through,
    Signal,
    /// A second Ctrl-C.
    Impatience,
}

/// When people were told last what a stop waits for.
#[derive(Debug, Default)]
pub struct Waiting {
    due: Option<u64>,
    told: Vec<UnitName>,
}

impl Folder {
    pub fn is_empty(&self) -> bool {
        self.mine.is_empty()
    }

    /// The start that this request asked for was refused: whose was it?
    pub fn refused(&mut self, request: RequestId) -> Option<UnitName> {
        let unit = self.asked.remove(&request)?;
        self.unstarted.insert(unit.clone());
        Some(unit)
    }

    /// A job that was to bring the unit up ended; says whether that changes anything.
    pub fn hear(&mut self, unit: &UnitName, result: JobResult) -> bool {
        match result {
            JobResult::Done => self.unstarted.remove(unit),
            JobResult::Timeout
            | JobResult::Failed
            | JobResult::Dependency
            | JobResult::Invalid
            | JobResult::Assert
            | JobResult::Unsupported
            // Another unit that it conflicts with was wanted later.
            | JobResult::Canceled => self.unstarted.insert(unit.clone()),
            JobResult::Skipped | JobResult::Collected | JobResult::Once => false,
        }
    }
}

/// How it went, for the last line and the exit code.
#[derive(Debug, Default, PartialEq, Eq)]
struct Outcome {
    failed: Vec<UnitName>,
    unstarted: Vec<UnitName>,
    /// Some unit was started.
    any_ran: bool,
    /// The exit code of the first failed main process that gave one.
    code: Option<u8>,
}

impl Outcome {
    fn exit_code(&self) -> u8 {
        match (self.failed.is_empty(), self.unstarted.is_empty()) {
            (true, true) => 0,
            (false, _) => self.code.unwrap_or(1),
            (true, false) => 1,
        }
    }

    fn last_line(&self, ending: Option<Ending>, living: &[UnitName]) -> String {
        let why = match ending {
            Some(Ending::Impatience) if living.is_empty() => "interrupted again".to_owned(),
            Some(Ending::Impatience) => format!("interrupted again: killed {}", named(living)),
            Some(Ending::Through) if !self.any_ran && self.exit_code() != 0 => {
                "nothing could be started".to_owned()
            }
            Some(Ending::Through) => "every service has ended".to_owned(),
            Some(Ending::Signal) => "interrupted: every service is stopped".to_owned(),
            None => "ended as asked".to_owned(),
        };
        let lists = [("failed", &self.failed), ("not started", &self.unstarted)];
        lists
            .into_iter()
            .filter(|(_, units)| !units.is_empty())
            .fold(why, |line, (word, units)| format!("{line}; {word}: {}", named(units)))
    }
}

fn named(units: &[UnitName]) -> String {
    let names: Vec<&str> = units.iter().take(NAMED).map(UnitName::as_str).collect();
    match units.len().saturating_sub(NAMED) {
        0 => names.join(", "),
        more => format!("{} and {more} more", names.join(", ")),
    }
}

/// Targets and slices are names for others: nobody waits for them to end.
fn lives(view: &UnitView<'_>) -> bool {
    let counts = !matches!(view.config.name.kind(), UnitKind::Target | UnitKind::Slice);
    counts && !matches!(view.active, ActiveState::Inactive | ActiveState::Failed)
}

impl Site {
    /// Where init cannot stop what is left, each process of a unit is told at once.
    pub(super) fn let_go(&mut self, engine: &Engine) {
        // Slices and init.scope hold us too.
        let runs = |kind| matches!(kind, UnitKind::Service | UnitKind::Socket);
        for view in engine.unit_views().filter(|view| runs(view.config.name.kind())) {
            let order =
                Action::SignalSet { unit: view.config.name.clone(), signal: libc::SIGTERM, but: Vec::new() };
            self.host.perform(order, Some(view.config), None);
        }
    }

    pub fn is_folder(&self) -> bool {
        matches!(self.mission, Mission::Directory(_))
    }

    /// Asks for the start of the folder's units.
    pub fn start_folder(&mut self, engine: &Engine, choice: Choice) {
        self.folder.mine = choice.start.iter().cloned().collect();
        self.load(engine, &choice.start);
        self.say_left_out(&choice.left_out);
        self.hold_folder(engine);
        for unit in choice.start {
            let wish = Request::Job { unit: unit.clone(), kind: JobKind::Start, mode: JobMode::Replace };
            let request = self.ask(engine, wish);
            self.folder.asked.insert(request, unit);
        }
        self.note_folder();
    }

    /// How the folder's units did is asked at the end: none is forgotten before.
    pub fn hold_folder(&mut self, engine: &Engine) {
        for unit in self.folder.mine.clone() {
            self.ask(engine, Request::Hold(unit));
        }
    }

    fn say_left_out(&self, left_out: &[Loaded]) {
        if left_out.is_empty() {
            return;
        }
        self.say_diagnostics(left_out);
        let names: Vec<UnitName> = left_out.iter().map(|one| one.config.name.clone()).collect();
        let line = format!("left out, for nothing here starts them: {}", named(&names));
        self.lines.say(None, None, lines::NOTICE, &line);
    }

    pub(super) fn note_folder(&mut self) {
        self.notes.push(("folder".into(), postcard::to_allocvec(&self.folder).ok()));
    }

    /// Does the unit's file lie in the folder?
    pub(super) fn is_of_folder(&self, engine: &Engine, unit: &UnitName) -> bool {
        let fragment = engine.unit_view(unit).and_then(|view| view.config.fragment.clone());
        fragment.is_some_and(|file| self.units.is_in_directory(&file))
    }

    fn folder_views<'a>(&'a self, engine: &'a Engine) -> impl Iterator<Item = UnitView<'a>> {
        engine.unit_views().filter(|view| {
            let file = view.config.fragment.as_deref();
            self.folder.mine.contains(&view.config.name)
                || file.is_some_and(|file| self.units.is_in_directory(file))
        })
    }

    fn living(&self, engine: &Engine) -> Vec<UnitName> {
        let living = self.folder_views(engine).filter(lives);
        let names: BTreeSet<UnitName> = living.map(|view| view.config.name.clone()).collect();
        names.into_iter().collect()
    }

    /// Nothing is left to wait for: every unit of the folder is down and no job is queued.
    pub(super) fn is_through(&self, engine: &Engine) -> bool {
        !self.folder.mine.is_empty()
            && self.ending.is_none()
            && engine.job_views().next().is_none()
            && !self.folder_views(engine).any(|view| lives(&view))
    }

    fn outcome(&self, engine: &Engine) -> Outcome {
        let mut outcome = Outcome::default();
        let views: BTreeMap<&UnitName, UnitView<'_>> =
            self.folder_views(engine).map(|view| (&view.config.name, view)).collect();
        for (name, view) in &views {
            outcome.any_ran |= view.times.inactive_exit.monotonic > 0;
            if view.active == ActiveState::Failed {
                outcome.failed.push((*name).clone());
                if let (None, Some(ExitStatus::Code(code @ 1..))) = (outcome.code, view.history.main.status) {
                    outcome.code = Some(code);
                }
            }
        }
        let unstarted = self.folder.unstarted.iter();
        let named = |unit: &&UnitName| views.contains_key(unit) || self.folder.mine.contains(*unit);
        outcome.unstarted =
            unstarted.filter(named).filter(|unit| !outcome.failed.contains(unit)).cloned().collect();
        outcome
    }

    pub(super) fn folder_exit_code(&self, engine: &Engine) -> u8 {
        self.outcome(engine).exit_code()
    }

    /// The last line: why it ends, and what went wrong.
    pub(super) fn say_farewell(&self, engine: &Engine) {
        let outcome = self.outcome(engine);
        let line = outcome.last_line(self.ending, &self.living(engine));
        let level = if outcome.exit_code() == 0 { lines::NOTICE } else { lines::ERROR };
        self.lines.say(None, None, level, &line);
    }

    /// A second, impatient Ctrl-C: what would not go in order is killed.
    pub(super) fn kill_folder(&mut self, engine: &Engine) {
        for unit in self.living(engine) {
            self.ask(engine, Request::Kill { unit, whom: KillWhom::All, signal: libc::SIGKILL });
        }
    }

    /// When the next word on a slow stop is due.
    pub(super) fn word_due(&self) -> Option<u64> {
        self.waiting.due
    }

    pub(super) fn expect_end(&mut self) {
        if self.is_folder() {
            self.waiting.due = Some(clock::now().monotonic + SILENCE);
        }
    }

    /// Says what a slow stop waits for, as often as that changes.
    pub(super) fn say_what_stops(&mut self, engine: &Engine) {
        let now = clock::now().monotonic;
        if self.waiting.due.is_none_or(|due| due > now) {
            return;
        }
        self.waiting.due = Some(now + SILENCE);
        let running = engine.job_views().filter(|job| {
            matches!(job.kind, JobKind::Stop | JobKind::Restart) && job.phase == Phase::Running
        });
        let mut stopping: Vec<UnitView<'_>> = running
            .filter(|job| self.is_of_folder(engine, &job.unit))
            .filter_map(|job| engine.unit_view(&job.unit))
            .filter(lives)
            .collect();
        stopping.sort_by(|one, other| one.config.name.cmp(&other.config.name));
        let names: Vec<UnitName> = stopping.iter().map(|view| view.config.name.clone()).collect();
        if names.is_empty() || names == self.waiting.told {
            return;
        }
        let whom: Vec<String> = stopping.iter().take(NAMED).map(|view| patience(view, now)).collect();
        let line = format!("waiting for {} to stop; another Ctrl-C kills what still runs", whom.join(", "));
        self.waiting.told = names;
        self.lines.say(None, None, lines::NOTICE, &line);
    }
}

fn patience(view: &UnitView<'_>, now: u64) -> String {
    let name = &view.config.name;
    match view.deadline {
        Some(deadline) => {
            let left = deadline.saturating_sub(now).div_ceil(1_000_000);
            format!("{name} ({left} s until a stronger signal)")
        }
        None => format!("{name} (without a limit)"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn units(names: &str) -> Vec<UnitName> {
        names.split_whitespace().map(|name| UnitName::parse(name).unwrap()).collect()
    }

    fn check(outcome: Outcome, ending: Option<Ending>, living: &str) -> (u8, String) {
        (outcome.exit_code(), outcome.last_line(ending, &units(living)))
    }

    #[test]
    fn the_last_line_says_why_and_the_code_what_went_wrong() {
        let good = || Outcome { any_ran: true, ..Outcome::default() };
        let through = Some(Ending::Through);
        assert_eq!(check(good(), through, ""), (0, "every service has ended".into()));
        assert_eq!(
            check(good(), Some(Ending::Signal), ""),
            (0, "interrupted: every service is stopped".into())
        );
        let none = Outcome { unstarted: units("a.service b.service"), ..Outcome::default() };
        assert_eq!(
            check(none, through, ""),
            (1, "nothing could be started; not started: a.service, b.service".into())
        );
        let failed = || Outcome { failed: units("a.service"), code: Some(7), ..good() };
        assert_eq!(check(failed(), through, ""), (7, "every service has ended; failed: a.service".into()));
        let timed_out = Outcome { code: None, ..failed() };
        assert_eq!(
            check(timed_out, Some(Ending::Signal), ""),
            (1, "interrupted: every service is stopped; failed: a.service".into())
        );
        assert_eq!(
            check(good(), Some(Ending::Impatience), "b.service").1,
            "interrupted again: killed b.service"
        );
    }

    #[test]
    fn a_start_that_succeeds_later_is_no_failure() {
        let mut folder = Folder::default();
        let unit = &units("a.service")[0];
        assert!(folder.hear(unit, JobResult::Dependency));
        assert!(folder.unstarted.contains(unit));
        assert!(!folder.hear(unit, JobResult::Canceled), "it is known to be down");
        assert!(folder.hear(unit, JobResult::Done));
        assert!(folder.unstarted.is_empty());
    }

    #[test]
    fn long_lists_are_cut_short() {
        let many: Vec<UnitName> =
            (0..10).map(|number| UnitName::parse(&format!("u{number}.service")).unwrap()).collect();
        assert!(named(&many).ends_with("u7.service and 2 more"));
    }
}
