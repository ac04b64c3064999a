//! What each dependency word means. A word is a bundle of facets; code asks for facets and never for words, so
//! an odd dependency type is a row here and not a branch elsewhere. The words are systemd.unit(5)'s, each with
//! its inverse, named as the D-Bus properties are.

use eudaemon_unit::config::Dependency;

/// A set of facets.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct Facets(u32);

impl Facets {
    pub const NONE: Facets = Facets(0);
    /// Start the other first; without it this start fails.
    pub const PULL_IN_START: Facets = Facets(1);
    /// Start the other too, whatever becomes of it.
    pub const PULL_IN_START_IGNORED: Facets = Facets(1 << 1);
    /// The other must be active already.
    pub const PULL_IN_VERIFY: Facets = Facets(1 << 2);
    /// A start of this stops the other; if it cannot, the start fails.
    pub const PULL_IN_STOP: Facets = Facets(1 << 3);
    /// A start of this stops the other if it can.
    pub const PULL_IN_STOP_IGNORED: Facets = Facets(1 << 4);
    /// A stop of this stops the other.
    pub const PROPAGATE_STOP: Facets = Facets(1 << 5);
    /// A restart of this restarts the other if it runs.
    pub const PROPAGATE_RESTART: Facets = Facets(1 << 6);
    /// A reload of this reloads the other.
    pub const PROPAGATE_RELOAD: Facets = Facets(1 << 7);
    /// A failed start of this fails the other's start.
    pub const PROPAGATE_START_FAILURE: Facets = Facets(1 << 8);
    /// A start of this that ended well but left it inactive fails the other's start.
    pub const PROPAGATE_INACTIVE_START: Facets = Facets(1 << 9);
    /// A failed stop of this fails the other's start.
    pub const PROPAGATE_STOP_FAILURE: Facets = Facets(1 << 10);
    /// This came up unasked: start the other, replacing jobs.
    pub const RETROACTIVE_START: Facets = Facets(1 << 11);
    /// This came up unasked: start the other if no job contradicts.
    pub const RETROACTIVE_START_FAIL: Facets = Facets(1 << 12);
    /// This came up unasked: stop the other.
    pub const RETROACTIVE_STOP_ON_START: Facets = Facets(1 << 13);
    /// This went down unasked: stop the other.
    pub const RETROACTIVE_STOP_ON_STOP: Facets = Facets(1 << 14);
    /// This cannot stay active when the other is down.
    pub const BOUND: Facets = Facets(1 << 15);
    /// When this goes down, see whether the other is bound to it.
    pub const CHECK_BOUND: Facets = Facets(1 << 16);
    /// This keeps the other from being unneeded: when this goes down, see whether the other still is needed.
    pub const CHECK_UNNEEDED: Facets = Facets(1 << 17);
    /// The other needs this.
    pub const NEEDED_BY: Facets = Facets(1 << 18);
    /// When this comes up, the other is to be up.
    pub const CHECK_UPHELD: Facets = Facets(1 << 19);
    /// The other holds this up.
    pub const UPHELD_BY: Facets = Facets(1 << 20);
    /// This is ordered before the other.
    pub const BEFORE: Facets = Facets(1 << 21);
    /// This is ordered after the other.
    pub const AFTER: Facets = Facets(1 << 22);
    /// Start the other when this fails.
    pub const ON_FAILURE: Facets = Facets(1 << 23);
    /// Start the other when this ends well.
    pub const ON_SUCCESS: Facets = Facets(1 << 24);
    /// Activity on this starts the other.
    pub const TRIGGERS: Facets = Facets(1 << 25);
    /// Activity on the other starts this.
    pub const TRIGGERED_BY: Facets = Facets(1 << 26);

    pub const fn and(self, other: Facets) -> Facets {
        Facets(self.0 | other.0)
    }

    /// Whether any of `wanted` is among these.
    pub const fn any(self, wanted: Facets) -> bool {
        self.0 & wanted.0 != 0
    }
}

/// By the word's number: they are asked for with each dependency that is looked at.
const FACETS: [Facets; Word::ALL.len()] = {
    let mut facets = [Facets(0); Word::ALL.len()];
    let mut at = 0;
    while at < facets.len() {
        facets[Word::ALL[at] as usize] = Word::ALL[at].row().1;
        at += 1;
    }
    facets
};

/// A dependency word or an inverse, seen from the unit that has it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, serde::Serialize, serde::Deserialize)]
#[repr(u8)]
pub enum Word {
    Requires,
    RequiredBy,
    Requisite,
    RequisiteOf,
    Wants,
    WantedBy,
    BindsTo,
    BoundBy,
    PartOf,
    ConsistsOf,
    Upholds,
    UpheldBy,
    Conflicts,
    ConflictedBy,
    Before,
    After,
    OnFailure,
    OnFailureOf,
    OnSuccess,
    OnSuccessOf,
    PropagatesReloadTo,
    ReloadPropagatedFrom,
    PropagatesStopTo,
    StopPropagatedFrom,
    JoinsNamespaceOf,
    Triggers,
    TriggeredBy,
    Slice,
    SliceOf,
}

impl Word {
    pub const ALL: [Word; 29] = [
        Word::Requires,
        Word::RequiredBy,
        Word::Requisite,
        Word::RequisiteOf,
        Word::Wants,
        Word::WantedBy,
        Word::BindsTo,
        Word::BoundBy,
        Word::PartOf,
        Word::ConsistsOf,
        Word::Upholds,
        Word::UpheldBy,
        Word::Conflicts,
        Word::ConflictedBy,
        Word::Before,
        Word::After,
        Word::OnFailure,
        Word::OnFailureOf,
        Word::OnSuccess,
        Word::OnSuccessOf,
        Word::PropagatesReloadTo,
        Word::ReloadPropagatedFrom,
        Word::PropagatesStopTo,
        Word::StopPropagatedFrom,
        Word::JoinsNamespaceOf,
        Word::Triggers,
        Word::TriggeredBy,
        Word::Slice,
        Word::SliceOf,
    ];

    /// The word, its inverse (the same fact told by the other unit), its facets and its D-Bus property.
    const fn row(self) -> (Word, Facets, &'static str) {
        use Facets as F;
        match self {
            Word::Requires => (
                Word::RequiredBy,
                F::PULL_IN_START.and(F::RETROACTIVE_START).and(F::CHECK_UNNEEDED),
                "Requires",
            ),
            Word::RequiredBy => (
                Word::Requires,
                F::PROPAGATE_STOP.and(F::PROPAGATE_RESTART).and(F::PROPAGATE_START_FAILURE).and(F::NEEDED_BY),
                "RequiredBy",
            ),
            Word::Requisite => (Word::RequisiteOf, F::PULL_IN_VERIFY.and(F::CHECK_UNNEEDED), "Requisite"),
            Word::RequisiteOf => (
                Word::Requisite,
                F::PROPAGATE_STOP
                    .and(F::PROPAGATE_RESTART)
                    .and(F::PROPAGATE_START_FAILURE)
                    .and(F::PROPAGATE_INACTIVE_START)
                    .and(F::NEEDED_BY),
                "RequisiteOf",
            ),
            Word::Wants => (
                Word::WantedBy,
                F::PULL_IN_START_IGNORED.and(F::RETROACTIVE_START_FAIL).and(F::CHECK_UNNEEDED),
                "Wants",
            ),
            Word::WantedBy => (Word::Wants, F::NEEDED_BY, "WantedBy"),
            Word::BindsTo => (
                Word::BoundBy,
                F::PULL_IN_START.and(F::RETROACTIVE_START).and(F::BOUND).and(F::CHECK_UNNEEDED),
                "BindsTo",
            ),
            Word::BoundBy => (
                Word::BindsTo,
                F::RETROACTIVE_STOP_ON_STOP
                    .and(F::PROPAGATE_STOP)
                    .and(F::PROPAGATE_RESTART)
                    .and(F::PROPAGATE_START_FAILURE)
                    .and(F::NEEDED_BY)
                    .and(F::CHECK_BOUND),
                "BoundBy",
            ),
            Word::PartOf => (Word::ConsistsOf, F::NONE, "PartOf"),
            Word::ConsistsOf => (Word::PartOf, F::PROPAGATE_STOP.and(F::PROPAGATE_RESTART), "ConsistsOf"),
            Word::Upholds => (
                Word::UpheldBy,
                F::PULL_IN_START_IGNORED
                    .and(F::RETROACTIVE_START)
                    .and(F::CHECK_UPHELD)
                    .and(F::CHECK_UNNEEDED),
                "Upholds",
            ),
            Word::UpheldBy => (Word::Upholds, F::UPHELD_BY.and(F::NEEDED_BY), "UpheldBy"),
            Word::Conflicts => {
                (Word::ConflictedBy, F::PULL_IN_STOP.and(F::RETROACTIVE_STOP_ON_START), "Conflicts")
            }
            Word::ConflictedBy => (
                Word::Conflicts,
                F::PULL_IN_STOP_IGNORED.and(F::RETROACTIVE_STOP_ON_START).and(F::PROPAGATE_STOP_FAILURE),
                "ConflictedBy",
            ),
            Word::Before => (Word::After, F::BEFORE, "Before"),
            Word::After => (Word::Before, F::AFTER, "After"),
            Word::OnFailure => (Word::OnFailureOf, F::ON_FAILURE, "OnFailure"),
            Word::OnFailureOf => (Word::OnFailure, F::NONE, "OnFailureOf"),
            Word::OnSuccess => (Word::OnSuccessOf, F::ON_SUCCESS, "OnSuccess"),
            Word::OnSuccessOf => (Word::OnSuccess, F::NONE, "OnSuccessOf"),
            Word::PropagatesReloadTo => {
                (Word::ReloadPropagatedFrom, F::PROPAGATE_RELOAD, "PropagatesReloadTo")
            }
            Word::ReloadPropagatedFrom => (Word::PropagatesReloadTo, F::NONE, "ReloadPropagatedFrom"),
            Word::PropagatesStopTo => (
                Word::StopPropagatedFrom,
                F::RETROACTIVE_STOP_ON_STOP.and(F::PROPAGATE_STOP),
                "PropagatesStopTo",
            ),
            Word::StopPropagatedFrom => (Word::PropagatesStopTo, F::NONE, "StopPropagatedFrom"),
            Word::JoinsNamespaceOf => (Word::JoinsNamespaceOf, F::NONE, "JoinsNamespaceOf"),
            Word::Triggers => (Word::TriggeredBy, F::TRIGGERS, "Triggers"),
            Word::TriggeredBy => (Word::Triggers, F::TRIGGERED_BY, "TriggeredBy"),
            Word::Slice => (Word::SliceOf, F::NONE, "Slice"),
            Word::SliceOf => (Word::Slice, F::NONE, "SliceOf"),
        }
    }

    pub const fn inverse(self) -> Word {
        self.row().0
    }

    #[inline]
    pub const fn facets(self) -> Facets {
        FACETS[self as usize]
    }

    pub const fn property(self) -> &'static str {
        self.row().2
    }

    /// The word as it stands in a unit file, and whose: inverses are written by the other.
    pub const fn written(self) -> (Word, Writer) {
        match self {
            Word::Requires
            | Word::Requisite
            | Word::Wants
            | Word::BindsTo
            | Word::PartOf
            | Word::Upholds
            | Word::Conflicts
            | Word::Before
            | Word::After
            | Word::OnFailure
            | Word::OnSuccess
            | Word::PropagatesReloadTo
            | Word::ReloadPropagatedFrom
            | Word::PropagatesStopTo
            | Word::StopPropagatedFrom
            | Word::JoinsNamespaceOf
            | Word::Triggers
            | Word::Slice => (self, Writer::This),
            Word::RequiredBy
            | Word::RequisiteOf
            | Word::WantedBy
            | Word::BoundBy
            | Word::ConsistsOf
            | Word::UpheldBy
            | Word::ConflictedBy
            | Word::OnFailureOf
            | Word::OnSuccessOf
            | Word::TriggeredBy
            | Word::SliceOf => (self.inverse(), Writer::Other),
        }
    }
}

/// In whose unit file a word stands, of the two it holds between.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Writer {
    This,
    Other,
}

impl From<Dependency> for Word {
    fn from(dependency: Dependency) -> Word {
        match dependency {
            Dependency::Requires => Word::Requires,
            Dependency::Requisite => Word::Requisite,
            Dependency::Wants => Word::Wants,
            Dependency::BindsTo => Word::BindsTo,
            Dependency::PartOf => Word::PartOf,
            Dependency::Upholds => Word::Upholds,
            Dependency::Conflicts => Word::Conflicts,
            Dependency::Before => Word::Before,
            Dependency::After => Word::After,
            Dependency::OnFailure => Word::OnFailure,
            Dependency::OnSuccess => Word::OnSuccess,
            Dependency::PropagatesReloadTo => Word::PropagatesReloadTo,
            Dependency::ReloadPropagatedFrom => Word::ReloadPropagatedFrom,
            Dependency::PropagatesStopTo => Word::PropagatesStopTo,
            Dependency::StopPropagatedFrom => Word::StopPropagatedFrom,
            Dependency::JoinsNamespaceOf => Word::JoinsNamespaceOf,
            Dependency::Triggers => Word::Triggers,
            Dependency::InSlice => Word::Slice,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_inverse_of_the_inverse_is_the_word() {
        for word in Word::ALL {
            assert_eq!(word.inverse().inverse(), word);
        }
    }

    #[test]
    fn one_of_a_word_and_its_inverse_is_written() {
        for word in Word::ALL {
            let (written, writer) = word.written();
            assert_eq!(written.written(), (written, Writer::This), "{word:?}");
            assert_eq!(writer == Writer::This, written == word, "{word:?}");
        }
    }

    #[test]
    fn every_word_stands_once() {
        for (place, word) in Word::ALL.into_iter().enumerate() {
            assert_eq!(word as usize, place, "the array and the enum are in one order");
        }
    }

    #[test]
    fn what_pulls_in_is_what_needs() {
        let pulls = Facets::PULL_IN_START.and(Facets::PULL_IN_START_IGNORED).and(Facets::PULL_IN_VERIFY);
        for word in Word::ALL {
            let inverse = word.inverse().facets();
            assert_eq!(word.facets().any(pulls), word.facets().any(Facets::CHECK_UNNEEDED), "{word:?}");
            assert_eq!(word.facets().any(Facets::CHECK_UNNEEDED), inverse.any(Facets::NEEDED_BY), "{word:?}");
            assert_eq!(word.facets().any(Facets::BOUND), inverse.any(Facets::CHECK_BOUND), "{word:?}");
            assert_eq!(word.facets().any(Facets::BEFORE), inverse.any(Facets::AFTER), "{word:?}");
        }
    }
}
