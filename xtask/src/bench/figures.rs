//! What was measured in all rounds, and what may be said of it: medians with ranges, and ratios taken within a round.

use super::runner::Runner;
use std::collections::BTreeMap;
use std::fmt;

/// One machine of one round.
#[derive(Debug, Clone, Copy)]
pub struct Run {
    pub round: usize,
    pub count: usize,
    pub runner: Runner,
}

/// What is measured, in the order it is printed.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub enum Figure {
    /// From PID 1's exec to the first act of the last service, ms.
    Boot,
    /// From SIGKILL to the first act of the next main process, ms.
    Restart,
    Trip(Trip),
    /// `systemctl daemon-reload` without generators, whose time is their own, ms.
    ReloadAlone,
    /// That after the text of each unit was changed, ms.
    ReloadOfChanged,
    /// PSS of all processes that are no services, MB.
    Memory,
    /// That at the end, after all reloads, MB.
    MemoryAfter,
    /// That of one program among them, MB.
    MemoryOf(String),
}

/// A command of Debian's systemctl, the same client for both managers.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Trip {
    /// Asks nobody: what the client itself costs.
    Version,
    IsActive,
    Start,
    ListUnits,
    /// Of units whose files stayed as they were.
    Reload,
}

/// The middle of some values and how far they lie apart.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Spread {
    pub median: f64,
    pub least: f64,
    pub most: f64,
}

/// Each figure's value in each run.
#[derive(Debug, Default)]
pub struct Figures(BTreeMap<usize, BTreeMap<Figure, Row>>);

/// One figure with so many services: by runner, then by round.
#[derive(Debug, Default)]
pub struct Row(BTreeMap<Runner, BTreeMap<usize, f64>>);

impl fmt::Display for Run {
    fn fmt(&self, f: &mut fmt::Formatter) -> fmt::Result {
        write!(f, "round {}, {} services, {}", self.round + 1, self.count, self.runner.name())
    }
}

impl Figure {
    pub fn name(&self) -> String {
        match self {
            Figure::Boot => "boot, ms".to_owned(),
            Figure::Restart => "restart after SIGKILL, ms".to_owned(),
            Figure::Trip(trip) => format!("{}, ms", trip.command()),
            Figure::ReloadAlone => "  the same without generators, ms".to_owned(),
            Figure::ReloadOfChanged => "  and all units changed, ms".to_owned(),
            Figure::Memory => "PSS of all but services, MB".to_owned(),
            Figure::MemoryAfter => "  after all this, MB".to_owned(),
            Figure::MemoryOf(program) => format!("  of it {program}"),
        }
    }

    /// Whether it is the same thing for every runner: their programs are not, even where their names are.
    pub fn is_comparable(&self) -> bool {
        match self {
            Figure::Boot
            | Figure::Restart
            | Figure::Trip(_)
            | Figure::ReloadAlone
            | Figure::ReloadOfChanged
            | Figure::Memory
            | Figure::MemoryAfter => true,
            Figure::MemoryOf(_) => false,
        }
    }
}

impl Trip {
    pub const ALL: [Trip; 5] = [Trip::Version, Trip::IsActive, Trip::Start, Trip::ListUnits, Trip::Reload];

    pub fn command(self) -> &'static str {
        match self {
            Trip::Version => "systemctl --version",
            Trip::IsActive => "systemctl is-active bench-0.service",
            Trip::Start => "systemctl start once.service",
            Trip::ListUnits => "systemctl list-units",
            Trip::Reload => "systemctl daemon-reload",
        }
    }
}

impl Figures {
    pub fn note(&mut self, run: Run, figure: Figure, value: f64) {
        let row = self.0.entry(run.count).or_default().entry(figure).or_default();
        row.0.entry(run.runner).or_default().insert(run.round, value);
    }

    /// The figures of each number of services.
    pub fn by_count(&self) -> impl Iterator<Item = (usize, &BTreeMap<Figure, Row>)> {
        self.0.iter().map(|(count, rows)| (*count, rows))
    }
}

impl Row {
    /// What a runner's rounds gave.
    pub fn spread(&self, runner: Runner) -> Option<Spread> {
        Spread::of(self.0.get(&runner)?.values().copied().collect())
    }

    /// How many times the other one's value, in each round that has both.
    pub fn ratio(&self, over: Runner, under: Runner) -> Option<Spread> {
        let (over, under) = (self.0.get(&over)?, self.0.get(&under)?);
        let within = |(round, value): (&usize, &f64)| Some(value / under.get(round)?);
        Spread::of(over.iter().filter_map(within).filter(|ratio| ratio.is_finite()).collect())
    }
}

impl Spread {
    fn of(values: Vec<f64>) -> Option<Spread> {
        let least = values.iter().copied().min_by(f64::total_cmp)?;
        let most = values.iter().copied().max_by(f64::total_cmp)?;
        Some(Spread { median: median(values)?, least, most })
    }
}

/// The middle value, or the mean of the two in the middle.
pub fn median(mut values: Vec<f64>) -> Option<f64> {
    values.sort_by(f64::total_cmp);
    let last = values.len().checked_sub(1)?;
    Some((values[last / 2] + values[values.len() / 2]) / 2.0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_middle_of_an_even_number_is_a_mean() {
        assert_eq!(median(vec![3.0, 1.0, 2.0]), Some(2.0));
        assert_eq!(median(vec![4.0, 1.0, 2.0, 3.0]), Some(2.5));
        assert_eq!(median(vec![]), None);
    }

    #[test]
    fn ratios_are_taken_within_a_round() {
        let mut figures = Figures::default();
        // The machine was ten times slower in the second round, and the floor failed in the third.
        for (round, runner, value) in [
            (0, Runner::Ours, 20.0),
            (0, Runner::Born, 10.0),
            (1, Runner::Ours, 220.0),
            (1, Runner::Born, 100.0),
            (2, Runner::Ours, 50.0),
        ] {
            figures.note(Run { round, count: 1, runner }, Figure::Boot, value);
        }
        let row = &figures.0[&1][&Figure::Boot];
        assert_eq!(
            row.ratio(Runner::Ours, Runner::Born),
            Some(Spread { median: 2.1, least: 2.0, most: 2.2 })
        );
        assert_eq!(row.spread(Runner::Ours), Some(Spread { median: 50.0, least: 20.0, most: 220.0 }));
        assert_eq!(row.ratio(Runner::Systemd, Runner::Ours), None);
    }
}
