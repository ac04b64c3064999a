//! A runner of jobs: `cron --table=FILE [--patience=SECONDS] [--daemon]`.
//!
//! ```text
//! # minute hour day month weekday: command     (a field of seconds may stand before; see crontab(5))
//! */5 * * * *: /usr/local/bin/fetch-mail
//! @daily: /usr/local/bin/back-up
//! ```
//! A job whose last run is still going is left out, and so are runs whose time went by meanwhile, all but the last: both
//! are told. SIGHUP reads the table again. A stop waits for what runs; when its patience is over, those get SIGTERM.

use croner::Cron;
use croner::parser::{CronParser, Seconds};
use eudaemon_kit::{Daemon, Handle, Life, Moment, Priority};
use jiff::Zoned;
use rustix::process::{Pid, PidfdFlags, Signal, kill_process_group, pidfd_open};
use std::error::Error;
use std::fs;
use std::os::fd::{AsFd, OwnedFd};
use std::os::unix::process::CommandExt;
use std::path::Path;
use std::process::{Child, Command, ExitCode, ExitStatus};
use std::time::{Duration, Instant};

/// A clock that was set is noticed within it.
const LONGEST_NAP: Duration = Duration::from_secs(60);
/// What jobs have left to end in after SIGTERM.
const LAST_WORD: Duration = Duration::from_secs(5);
/// Missed runs are counted no further.
const MOST_MISSED: usize = 1000;

type Result<T> = std::result::Result<T, Box<dyn Error + Send + Sync>>;

/// A line of the table.
struct Job {
    line: String,
    schedule: Cron,
    command: String,
    next: Zoned,
}

/// A job that runs.
struct Run {
    line: String,
    child: Child,
    /// Readable when it has ended.
    end: OwnedFd,
}

pub fn main() -> ExitCode {
    let value = |name: &str| std::env::args().find_map(|word| word.strip_prefix(name).map(str::to_owned));
    // The directory changes in the background.
    let table = std::path::absolute(value("--table=").unwrap_or_default());
    let patience = value("--patience=").and_then(|seconds| seconds.parse().ok()).unwrap_or(60);
    let patience = Duration::from_secs(patience);
    Daemon::new("cron").stop_within(patience + LAST_WORD).run(|life| serve(life, &table?, patience))
}

fn serve(life: &mut Life, path: &Path, patience: Duration) -> Result<()> {
    let handle = life.handle();
    let mut table = read(path)?;
    let mut runs: Vec<Run> = Vec::new();
    life.ready()?;
    loop {
        let ends: Vec<_> = runs.iter().map(|run| run.end.as_fd()).collect();
        match life.wait_for(&ends, Some(nap(&table)))? {
            Moment::Readable(at) => runs.remove(at).reap(&handle),
            Moment::TimeOver => {
                for job in table.iter_mut().filter(|job| job.next <= Zoned::now()) {
                    job.pass_missed(&handle)?;
                    if runs.iter().any(|run| run.line == job.line) {
                        warn(&handle, format!("still runs, left out: {}", job.line));
                        continue;
                    }
                    match job.start(life) {
                        Ok(run) => runs.push(run),
                        Err(error) => warn(&handle, format!("cannot run: {error}: {}", job.line)),
                    }
                }
            }
            Moment::Reload(reload) => match read(path) {
                Ok(read) => table = read,
                Err(error) => {
                    warn(&handle, format!("the old table stays: {error}"));
                    reload.failed(error.to_string());
                }
            },
            Moment::Stop => return last_runs(life, runs, patience),
        }
    }
}

/// Until the next job, as far as it is not too far.
fn nap(table: &[Job]) -> Duration {
    let now = Zoned::now();
    let until = |job: &Job| Duration::try_from(job.next.duration_since(&now)).unwrap_or_default();
    table.iter().map(until).min().unwrap_or(LONGEST_NAP).min(LONGEST_NAP)
}

/// Waits for what still runs, and asks it to end when the patience is over.
fn last_runs(life: &mut Life, mut runs: Vec<Run>, patience: Duration) -> Result<()> {
    let (handle, begin, mut asked) = (life.handle(), Instant::now(), false);
    while !runs.is_empty() && begin.elapsed() < patience + LAST_WORD {
        let ends: Vec<_> = runs.iter().map(|run| run.end.as_fd()).collect();
        let left = if asked { patience + LAST_WORD } else { patience }.saturating_sub(begin.elapsed());
        match life.wait_for(&ends, Some(left))? {
            Moment::Readable(at) => runs.remove(at).reap(&handle),
            Moment::TimeOver if !asked => {
                asked = true;
                for run in &runs {
                    warn(&handle, format!("asked to end: {}", run.line));
                    // Not reaped yet, so the number is still its own.
                    kill_process_group(Pid::from_child(&run.child), Signal::TERM).ok();
                }
            }
            Moment::TimeOver | Moment::Reload(_) | Moment::Stop => {}
        }
    }
    runs.iter().for_each(|run| warn(&handle, format!("left running: {}", run.line)));
    Ok(())
}

fn warn(handle: &Handle, text: String) {
    handle.log().line(Priority::Warning, text);
}

fn read(path: &Path) -> Result<Vec<Job>> {
    let text = fs::read_to_string(path).map_err(|error| format!("{}: {error}", path.display()))?;
    let lines = text.lines().map(str::trim).enumerate();
    let jobs = lines.filter(|(_, line)| !line.is_empty() && !line.starts_with('#'));
    let place = |at: usize| format!("{}:{}", path.display(), at + 1);
    jobs.map(|(at, line)| Job::read(line).map_err(|error| format!("{}: {error}", place(at)).into())).collect()
}

impl Job {
    fn read(line: &str) -> Result<Job> {
        let (times, command) = line.split_once(':').ok_or("expected `TIMES: COMMAND`")?;
        let schedule = CronParser::builder().seconds(Seconds::Optional).build().parse(times)?;
        let next = schedule.find_next_occurrence(&Zoned::now(), false)?;
        Ok(Job { line: line.to_owned(), schedule, command: command.trim().to_owned(), next })
    }

    /// Goes on to the first time that is to come, and tells of those that went by but one.
    fn pass_missed(&mut self, handle: &Handle) -> Result<()> {
        let now = Zoned::now();
        let missed = self.schedule.iter_after(self.next.clone()).take(MOST_MISSED);
        let missed = missed.take_while(|time| *time <= now).count();
        self.next = self.schedule.find_next_occurrence(&now, false)?;
        if missed > 0 {
            warn(handle, format!("missed {missed} runs: {}", self.line));
        }
        Ok(())
    }

    /// In a process group of its own: a terminal's Ctrl-C is ours to pass on.
    fn start(&self, life: &Life) -> Result<Run> {
        let mut command = Command::new("/bin/sh");
        let child = life.clean(command.arg("-c").arg(&self.command).process_group(0)).spawn()?;
        let end = pidfd_open(Pid::from_child(&child), PidfdFlags::empty())?;
        Ok(Run { line: self.line.clone(), child, end })
    }
}

impl Run {
    /// It and nobody else.
    fn reap(mut self, handle: &Handle) {
        let outcome = self.child.wait().map_or_else(|error| error.to_string(), |status| status.to_string());
        if outcome != ExitStatus::default().to_string() {
            warn(handle, format!("{outcome}: {}", self.line));
        }
    }
}
