//! One case: its files, its steps, what became of each, and the end of all that it left.

use super::bus::{Answer, Bus, MANAGER};
use super::files::Files;
use super::gates::Gates;
use super::marshal::Argument;
use super::sample::{Sample, Tempers};
use crate::oracle::case::{Case, UNHELD};
use crate::oracle::wide;
use anyhow::{Context, Result, bail};
use rustix::io::Errno;
use rustix::mount::UnmountFlags;
use std::collections::BTreeMap;
use std::time::{Duration, Instant};

/// The longest that is waited until nothing happens any more.
const UNREST: Duration = Duration::from_secs(5);
/// How long the same has to be seen, in looks and in the time between two of them.
const LOOKS: usize = 3;
const PAUSE: Duration = Duration::from_millis(2);
/// systemd begins no start of a mount for so long once the kernel's table of mounts has changed too often.
const RATE: Duration = Duration::from_millis(1200);
/// How many processes may have to be told to end before a case's units are all stopped.
const ENDS: usize = 60;

struct Player<'a> {
    prefix: &'a str,
    bus: &'a mut Bus,
    gates: &'a mut Gates,
    tempers: Tempers,
    files: Files,
    sample: Sample,
    told: BTreeMap<String, String>,
    transcript: String,
}

pub fn play(case: &Case, prefix: &str, bus: &mut Bus, gates: &mut Gates) -> Result<String> {
    let (sample, told) = (Sample::default(), BTreeMap::new());
    let files = Files::write(case, prefix)?;
    let tempers = Tempers::of(case);
    let mut player = Player { prefix, bus, gates, tempers, files, sample, told, transcript: String::new() };
    if !case.is_unheld() {
        let keep = format!("{prefix}keep.target");
        player.bus.value(MANAGER, "StartUnit", &[Argument::Text(&keep), Argument::Text("replace")])?;
        player.settle()?;
        player.bus.removed();
    }
    for step in &case.steps {
        player.step(step)?;
    }
    player.clear(case)?;
    player.files.remove()?;
    Ok(player.transcript)
}

impl Player<'_> {
    fn step(&mut self, step: &[String]) -> Result<()> {
        let words: Vec<&str> = step.iter().map(String::as_str).collect();
        self.transcript += &format!("> {}\n", words.join(" "));
        if let Some(answer) = self.ask(&words)? {
            match answer {
                Answer::Values(_) => {}
                Answer::Refused { name, text } => self.transcript += &format!("refused {name} {text}\n"),
            }
        }
        if !self.settle()? {
            self.transcript += "unsettled\n";
        }
        for (unit, result) in self.bus.removed().into_iter().filter(|(unit, _)| unit.starts_with(self.prefix))
        {
            self.transcript += &format!("ended {unit} {result}\n");
        }
        let told = self.sample.told(self.bus)?;
        for (name, line) in &told {
            if !name.ends_with("keep.target") && self.told.get(name) != Some(line) {
                self.transcript += &format!("unit {name} {line}\n");
            }
        }
        for name in self.told.keys().filter(|name| !told.contains_key(*name)) {
            self.transcript += &format!("gone {name}\n");
        }
        self.told = told;
        for job in &self.sample.jobs {
            self.transcript += &format!("job {} {} {}\n", job.unit, job.kind, job.state);
        }
        for gate in self.gates.waiting() {
            self.transcript += &format!("process {} {}\n", gate.unit, gate.what);
        }
        Ok(())
    }

    /// Does what a step says; the answer, where it is one to the manager.
    fn ask(&mut self, words: &[&str]) -> Result<Option<Answer>> {
        let text = Argument::Text;
        let (member, arguments) = match words {
            ["release", place, code] => {
                let waiting = self.gates.waiting().len().max(1);
                self.gates.release(place.parse::<usize>()? % waiting, code.parse()?)?;
                return Ok(None);
            }
            ["cancel", place] => {
                let Some(job) = self.sample.jobs.get(place.parse::<usize>()? % self.sample.jobs.len().max(1))
                else {
                    return Ok(None);
                };
                ("CancelJob", vec![Argument::Unsigned(job.id as u32)])
            }
            ["kill", unit, whom, signal] => {
                ("KillUnit", vec![text(unit), text(whom), Argument::Signed(signal.parse()?)])
            }
            ["umount", unit] => {
                // What is not mounted is not unmounted, under both.
                return match rustix::mount::unmount(wide::path(unit), UnmountFlags::DETACH) {
                    Ok(()) | Err(Errno::INVAL | Errno::NOENT) => Ok(None),
                    Err(error) => Err(error).with_context(|| format!("unmounting {unit}")),
                };
            }
            ["edit" | "mask" | "remove" | "restore", unit, ..] => {
                self.files.change(words[0], unit, &words[2..])?;
                return Ok(None);
            }
            ["reset-failed", unit] => ("ResetFailedUnit", vec![text(unit)]),
            ["daemon-reload"] => ("Reload", vec![]),
            [UNHELD] => return Ok(None),
            [verb, unit, mode] => (method(verb)?, vec![text(unit), text(mode)]),
            _ => bail!("no such step: {}", words.join(" ")),
        };
        self.bus.call(MANAGER, member, &arguments).map(Some)
    }

    /// Waits until nothing happens any more; answers whether that was so in time.
    fn settle(&mut self) -> Result<bool> {
        let start = Instant::now();
        let (mut looks, mut since) = (0, start);
        while start.elapsed() < UNREST {
            self.gates.listen(PAUSE)?;
            let sample = Sample::take(self.bus, self.prefix)?;
            let lasts = sample.lasts(self.gates, &self.tempers);
            if !lasts || sample != self.sample {
                (looks, since) = (0, Instant::now());
            }
            looks += usize::from(lasts);
            self.sample = sample;
            if looks >= LOOKS && (!self.sample.is_mounting() || since.elapsed() > RATE) {
                return Ok(true);
            }
        }
        Ok(false)
    }

    /// Stops all units of the case, and lets every process end.
    fn clear(&mut self, case: &Case) -> Result<()> {
        let keep = format!("{}keep.target", self.prefix);
        for _ in 0..ENDS {
            for unit in case.names().chain([keep.as_str()]) {
                let arguments = [Argument::Text(unit), Argument::Text("ignore-dependencies")];
                self.bus.call(MANAGER, "StopUnit", &arguments)?;
            }
            while !self.gates.waiting().is_empty() {
                self.gates.release(0, 1)?;
            }
            self.settle()?;
            if self.is_clear() {
                break;
            }
        }
        for unit in case.names() {
            self.bus.call(MANAGER, "ResetFailedUnit", &[Argument::Text(unit)])?;
        }
        self.bus.removed();
        if !self.is_clear() {
            self.transcript += "> at the end\nunits that do not stop\n";
        }
        Ok(())
    }

    fn is_clear(&self) -> bool {
        let stopped = |state: &str| state.starts_with("inactive") || state.starts_with("failed");
        self.sample.jobs.is_empty() && self.sample.units.values().all(|seen| stopped(&seen.state))
    }
}

fn method(verb: &str) -> Result<&'static str> {
    Ok(match verb {
        "start" => "StartUnit",
        "stop" => "StopUnit",
        "restart" => "RestartUnit",
        "try-restart" => "TryRestartUnit",
        "reload" => "ReloadUnit",
        "reload-or-restart" => "ReloadOrRestartUnit",
        "reload-or-try-restart" => "ReloadOrTryRestartUnit",
        other => bail!("no such step: {other}"),
    })
}
