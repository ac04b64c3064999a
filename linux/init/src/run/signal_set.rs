//! Which signals wait for something: bit N for signal N.

#[derive(Clone, Copy, Debug, Default)]
pub struct SignalSet(u128);

impl SignalSet {
    pub fn add(&mut self, signal: i32) {
        self.0 |= bit(signal);
    }

    pub fn add_all(&mut self, others: SignalSet) {
        self.0 |= others.0;
    }

    pub fn remove(&mut self, signal: i32) {
        self.0 &= !bit(signal);
    }

    /// The lowest one that is not in `others` too.
    pub fn first_outside(self, others: SignalSet) -> Option<i32> {
        let left = self.0 & !others.0;
        (left != 0).then(|| left.trailing_zeros() as i32)
    }
}

/// A number that is no signal is in no set.
fn bit(signal: i32) -> u128 {
    u32::try_from(signal).ok().and_then(|number| 1u128.checked_shl(number)).unwrap_or(0)
}
