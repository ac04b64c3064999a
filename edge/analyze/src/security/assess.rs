//! From answers to exposures: what is bad counts by its weight, and a unit is as exposed as the weighed sum says.

use super::look::{Answer, answer};
use super::policy::Policy;
use super::table::{Row, TABLE};
use super::unit::Unit;

/// One row for a unit.
pub struct Assessed {
    pub row: &'static Row,
    /// `None` where it is not counted.
    pub is_good: Option<bool>,
    pub description: Option<String>,
    /// In tenths, where it is bad.
    pub exposure: Option<u64>,
}

/// All rows, last description first, and the exposure of the whole in tenths.
pub struct Review {
    pub rows: Vec<Assessed>,
    pub exposure: u64,
}

struct Weighed {
    row: &'static Row,
    answer: Answer,
    badness: u64,
    weight: u64,
    range: u64,
}

/// Exposures are parts of this.
const WHOLE: u64 = 100;

/// `Err`: the policy makes no sense for this unit.
pub fn assess(unit: &Unit<'_>, policy: &Policy) -> Result<Review, String> {
    let mut rows = Vec::with_capacity(TABLE.len());
    let mut sum: u64 = 0;
    let mut weights: u64 = 0;
    for row in TABLE {
        let weighed = weigh(row, unit, policy)?;
        if weighed.weight > 0 && ![Answer::Moot, Answer::TooEarly].contains(&weighed.answer) {
            sum = sum.wrapping_add(weighed.badness.wrapping_mul(weighed.weight).div_ceil(weighed.range));
            weights = weights.wrapping_add(weighed.weight);
        }
        rows.push(weighed);
    }
    if weights == 0 {
        return Err("the policy leaves nothing to be assessed".to_owned());
    }
    let mut rows: Vec<Assessed> = rows.into_iter().map(|row| row.assessed(policy, weights)).collect();
    // Backwards, so that those without a description come first; equal ones stay in the table's order.
    let place = |row: &Assessed| (row.description.is_none(), row.description.clone());
    rows.sort_by_cached_key(|row| std::cmp::Reverse(place(row)));
    Ok(Review { rows, exposure: sum.wrapping_mul(WHOLE).div_ceil(weights) })
}

/// What makes no sense for a service of the early boot, where the file systems are not all there.
const LATE_ONLY: [&str; 4] = ["PrivateTmp", "ProtectHome", "ProtectSystem", "RootDirectoryOrRootImage"];

fn weigh(row: &'static Row, unit: &Unit<'_>, policy: &Policy) -> Result<Weighed, String> {
    let is_early = !unit.config.unit.default_dependencies && LATE_ONLY.contains(&row.id);
    let answer = if is_early { Answer::TooEarly } else { answer(&row.look, unit) };
    let badness = match &answer {
        Answer::Badness(badness) | Answer::Said(badness, _) | Answer::Unsaid(badness) => *badness,
        Answer::Moot | Answer::TooEarly => 0,
    };
    let (weight, range) = (policy.weight(row), policy.range(row));
    if weight > 0 && (range == 0 || badness > range) {
        return Err(format!("the policy's range {range} of {} is less than its badness {badness}", row.id));
    }
    Ok(Weighed { row, answer, badness, weight, range: range.max(1) })
}

impl Weighed {
    fn assessed(self, policy: &Policy, weights: u64) -> Assessed {
        let row = self.row;
        if self.weight == 0 {
            let text = "Option excluded by policy, skipping".to_owned();
            return Assessed { row, is_good: None, description: Some(text), exposure: None };
        }
        let description = match self.answer {
            Answer::Moot => {
                return Assessed { row, is_good: None, description: Some(policy.moot(row)), exposure: None };
            }
            Answer::TooEarly => {
                let text = "Service runs in special boot phase, option is not appropriate".to_owned();
                return Assessed { row, is_good: None, description: Some(text), exposure: None };
            }
            Answer::Badness(0) => Some(policy.good(row)),
            Answer::Badness(_) => Some(policy.bad(row)),
            Answer::Said(_, text) => Some(text),
            Answer::Unsaid(_) => None,
        };
        let part = self.badness.wrapping_mul(self.weight).wrapping_mul(WHOLE).div_ceil(self.range);
        let exposure = (self.badness > 0).then(|| part.div_ceil(weights));
        Assessed { row, is_good: Some(self.badness == 0), description, exposure }
    }
}
