//! Two transcripts of a case, step by step, in a form in which only what a manager decides differs.

use super::case::Case;
use std::collections::BTreeMap;

/// One step and what became of it.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Step {
    pub what: String,
    pub lines: Vec<String>,
}

/// The steps of a transcript. Jobs that end at the same moment come in no order, but for those of units that are ordered.
pub fn steps(case: &Case, transcript: &str) -> Vec<Step> {
    let mut steps: Vec<Step> = Vec::new();
    for line in transcript.lines() {
        match (line.strip_prefix("> "), steps.last_mut()) {
            (Some(what), _) => steps.push(Step { what: what.to_owned(), lines: Vec::new() }),
            (None, Some(step)) => step.lines.push(line.to_owned()),
            (None, None) => {}
        }
    }
    for step in &mut steps {
        let order = order(case, &step.lines);
        step.lines.sort();
        step.lines.extend(order);
    }
    steps
}

/// For two units with an order whose jobs each ended once, and came to something: who came first.
fn order(case: &Case, lines: &[String]) -> Vec<String> {
    let mut ends: BTreeMap<&str, Vec<usize>> = BTreeMap::new();
    // Jobs that others take the place of go in no order.
    let in_order = |line: &&String| !line.ends_with(" canceled");
    for (place, line) in lines.iter().enumerate().filter(|(_, line)| in_order(line)) {
        if let Some(unit) = line.strip_prefix("ended ").and_then(|rest| rest.split(' ').next()) {
            ends.entry(unit).or_default().push(place);
        }
    }
    let once = |unit: &str| match ends.get(unit).map(Vec::as_slice) {
        Some([place]) => Some(*place),
        Some(_) | None => None,
    };
    let mut told = Vec::new();
    for (one, other) in case.ordered_pairs() {
        if let (Some(first), Some(second)) = (once(one), once(other)) {
            let (before, after) = if first < second { (one, other) } else { (other, one) };
            told.push(format!("order {before} {after}"));
        }
    }
    told
}

/// The first step in which ours is as none of theirs, which agree up to there or not.
#[derive(Debug, Clone)]
pub struct Difference {
    pub place: usize,
    pub step: String,
    pub theirs: Vec<String>,
    pub ours: Vec<String>,
}

impl Difference {
    /// Whether it is one that docs/decisions/0010 says why there is.
    pub fn is_decided(&self) -> bool {
        self.is_ring()
            || self.is_limit()
            || self.is_next_command()
            || self.is_order_given_up()
            || self.is_other_pair()
    }

    /// There jobs wait for each other for ever, here one of them is given up.
    fn is_ring(&self) -> bool {
        let waiting: Vec<&str> = self.theirs.iter().filter_map(|line| waits(line)).collect();
        let given_up = |line: &String| {
            let unit = line.strip_prefix("ended ").and_then(|rest| rest.strip_suffix(" canceled"));
            unit.is_some_and(|unit| waiting.contains(&unit))
        };
        waiting.len() > 1 && self.ours.iter().any(given_up)
    }

    /// There a unit is said to have failed while it still stops, since it was started too often; here the start waits.
    fn is_limit(&self) -> bool {
        let waiting: Vec<&str> = self.ours.iter().filter_map(|line| waits(line)).collect();
        let fails = |unit: &&str| {
            let of = format!("unit {unit} failed/failed ");
            self.theirs.iter().any(|line| line.starts_with(&of) && line.contains("=start-limit-hit "))
        };
        self.theirs.iter().any(|line| line == "unsettled") && waiting.iter().any(fails)
    }

    /// There a oneshot goes on with its next command though it is being stopped.
    fn is_next_command(&self) -> bool {
        let stopping = |line: &String| {
            let unit =
                line.strip_prefix("unit ").and_then(|rest| rest.split_once(" deactivating/stop-sigterm "));
            unit.is_some_and(|(unit, _)| self.theirs.contains(&format!("process {unit} second")))
        };
        self.theirs.iter().any(stopping)
    }

    /// Both refuse; of several jobs that contradict each other systemd names those it finds first in a hash table.
    fn is_other_pair(&self) -> bool {
        let refuses = |lines: &[String]| match lines {
            [line] => line.starts_with("refused org.freedesktop.systemd1.TransactionJobsConflicting "),
            _ => false,
        };
        refuses(&self.theirs) && refuses(&self.ours)
    }

    /// There a job goes on waiting for one that was asked for again without its order; here it begins.
    fn is_order_given_up(&self) -> bool {
        let begins = |unit: &str| {
            let begun = |line: &String| {
                let job = line.strip_prefix("job ").and_then(|rest| rest.split_once(' '));
                job.is_some_and(|(of, job)| of == unit && job.ends_with(" running"))
                    || *line == format!("ended {unit} done")
            };
            self.ours.iter().any(begun)
        };
        self.step.ends_with(" ignore-dependencies")
            && self.theirs.iter().filter_map(|line| waits(line)).any(begins)
    }
}

/// The unit whose job waits.
fn waits(line: &str) -> Option<&str> {
    let (unit, job) = line.strip_prefix("job ")?.split_once(' ')?;
    job.ends_with(" waiting").then_some(unit)
}

pub fn difference(theirs: &[Step], ours: &[Step]) -> Option<Difference> {
    let nothing = Step { what: "nothing".to_owned(), lines: Vec::new() };
    for place in 0..theirs.len().max(ours.len()) {
        let (their, our) = (theirs.get(place).unwrap_or(&nothing), ours.get(place).unwrap_or(&nothing));
        if their != our {
            let only = |of: &Step, other: &Step| {
                of.lines.iter().filter(|line| !other.lines.contains(line)).cloned().collect()
            };
            return Some(Difference {
                place,
                step: if their == &nothing { our.what.clone() } else { their.what.clone() },
                theirs: only(their, our),
                ours: only(our, their),
            });
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    fn case() -> Case {
        let text = "unit a.service\n| After=b.service\nunit b.service\nunit c.service\n";
        Case::parse(text).unwrap()
    }

    fn check(theirs: &str, ours: &str, wanted: Option<usize>) {
        let (theirs, ours) = (steps(&case(), theirs), steps(&case(), ours));
        assert_eq!(difference(&theirs, &ours).map(|found| found.place), wanted);
    }

    #[test]
    fn only_ordered_ends_have_an_order() {
        let theirs = "> start\nended b.service done\nended a.service done\nended c.service done\n";
        check(theirs, "> start\nended c.service done\nended b.service done\nended a.service done\n", None);
        check(theirs, "> start\nended a.service done\nended b.service done\nended c.service done\n", Some(0));
        let (one, other) = ("ended a.service canceled\n", "ended b.service canceled\n");
        check(&format!("> stop\n{one}{other}"), &format!("> stop\n{other}{one}"), None);
        check(
            theirs,
            "> start\nended b.service done\nended a.service failed\nended c.service done\n",
            Some(0),
        );
    }

    #[test]
    fn what_was_decided_is_known() {
        let check = |theirs: &str, ours: &str, decided: bool| {
            let difference = difference(&steps(&case(), theirs), &steps(&case(), ours)).unwrap();
            assert_eq!(difference.is_decided(), decided, "{theirs}");
        };
        let ring = "> start\njob a.service start waiting\njob b.service start waiting\n";
        check(ring, "> start\nended b.service canceled\njob a.service start running\n", true);
        check(ring, "> start\nended c.service canceled\njob a.service start running\n", false);
        let limit =
            "> start\nunit a.service failed/failed loaded Result=start-limit-hit NRestarts=0\nunsettled\n";
        check(limit, "> start\njob a.service start waiting\n", true);
        check(limit, "> start\njob b.service start waiting\n", false);
        let next = "> stop\nprocess a.service second\nunit a.service deactivating/stop-sigterm loaded\n";
        check(next, "> stop\n", true);
        check("> stop\nprocess a.service second\n", "> stop\n", false);
        let pair =
            |one| format!("> start\nrefused org.freedesktop.systemd1.TransactionJobsConflicting {one}\n");
        check(&pair("a.service"), &pair("b.service"), true);
        check(&pair("a.service"), "> start\n", false);
        let waits = "job c.service start waiting\n";
        let begins = "job c.service start running\n";
        let again = "> start a.service ignore-dependencies\n";
        check(&format!("{again}{waits}"), &format!("{again}{begins}"), true);
        check(&format!("{again}{waits}"), &format!("{again}ended c.service done\n"), true);
        check(
            &format!("> start a.service replace\n{waits}"),
            &format!("> start a.service replace\n{begins}"),
            false,
        );
    }

    #[test]
    fn the_first_difference_is_told() {
        check("> start\n> stop\nunit a.service x\n", "> start\n> stop\nunit a.service y\n", Some(1));
        check("> start\n", "> start\n> stop\n", Some(1));
        check("> start\n", "> start\n", None);
    }
}
