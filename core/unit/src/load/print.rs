//! What is written about a unit, and the sums by which it is known again when it is looked at another time.

use crate::diagnostic::Diagnostic;
use crate::files::{Found, Sight};
use crate::name::UnitName;
use std::hash::{DefaultHasher, Hash, Hasher};

/// Of what text a unit came out as it did, and how much of it depends on no other unit: enough to tell that it would come
/// out the same again. It says so to the loader whose context it was made in, and to one of an equal context.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Print {
    /// Differs where another text, another place or another name would make another unit.
    pub(super) text: u64,
    /// Differs wherever that of the texts could, and no text has to be read for it. Some files' looks tell nothing.
    pub(super) look: Option<u64>,
    /// So many of its dependencies, the first ones, it has by itself.
    pub(super) own: u32,
}

/// Everything that is written about a unit.
pub(super) struct Written {
    pub found: Found,
    pub texts: Vec<(String, Vec<u8>)>,
    /// How the files looked, where that tells what stands in all of them.
    pub sights: Option<Vec<Sight>>,
    /// About drop-ins that could not be read.
    pub odd: Vec<Diagnostic>,
}

impl Written {
    /// With none of its dependencies counted yet.
    pub fn print(&self, asked: &UnitName) -> Print {
        let look = self.sights.as_ref().map(|sights| sum_of_looks(asked, &self.found, sights));
        Print { text: sum((asked, &self.found, &self.texts, self.odd.len())), look, own: 0 }
    }
}

impl Print {
    /// Of what cannot be known again.
    pub(super) const NONE: Print = Print { text: 0, look: None, own: 0 };
}

pub(super) fn sum_of_looks(asked: &UnitName, found: &Found, sights: &[Sight]) -> u64 {
    sum((asked, found, sights))
}

fn sum(all: impl Hash) -> u64 {
    let mut sum = DefaultHasher::new();
    all.hash(&mut sum);
    sum.finish()
}
