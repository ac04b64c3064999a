//! Time zones by name. Their rules are files of the machine, so whoever has files answers.

use super::civil::Season;
use crate::limits::ZONE_CHANGES_MAX;
use jiff::Timestamp;
use jiff::tz::{Dst, TimeZone};

/// What is known of time zones.
pub trait Zones {
    /// The rules of a zone by its name in the zone database, spelled exactly; none if there is no such zone.
    fn named(&self, name: &str) -> Option<TimeZone>;

    /// The zone of the machine, or the one asked for by `TZ=`.
    fn local(&self) -> TimeZone;

    /// Whether there is such a zone.
    fn knows(&self, name: &str) -> bool {
        self.named(name).is_some()
    }
}

/// No files: UTC, and every name that could be one is taken on trust.
#[derive(Clone, Copy, Debug, Default)]
pub struct OnTrust;

impl Zones for OnTrust {
    fn named(&self, _: &str) -> Option<TimeZone> {
        None
    }

    fn local(&self) -> TimeZone {
        TimeZone::UTC
    }

    fn knows(&self, name: &str) -> bool {
        is_well_formed(name) && name.starts_with(|c: char| c.is_ascii_uppercase())
    }
}

/// The zones that whoever reads units knows.
#[derive(Clone, Copy)]
pub struct KnownZones(pub &'static (dyn Zones + Sync));

impl std::fmt::Debug for KnownZones {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("KnownZones")
    }
}

/// Whether a text can name a zone: letters, digits, `-`, `_` and `+`, in parts between single slashes.
pub fn is_well_formed(name: &str) -> bool {
    let part = |part: &str| {
        !part.is_empty() && part.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-_+".contains(&byte))
    };
    name.split('/').all(part)
}

/// The words for standard and for daylight saving time in a zone, those used last: `CET` and `CEST`.
fn abbreviations(zone: &TimeZone) -> [Option<String>; 2] {
    let mut names = [None, None];
    let mut note = |dst: Dst, name: &str| {
        let place = match dst {
            Dst::No => &mut names[0],
            Dst::Yes => &mut names[1],
        };
        place.get_or_insert_with(|| name.to_owned());
        names.iter().all(Option::is_some)
    };
    let at_the_end = zone.to_offset_info(Timestamp::MAX);
    note(at_the_end.dst(), at_the_end.abbreviation());
    for change in zone.preceding(Timestamp::MAX).take(ZONE_CHANGES_MAX) {
        if note(change.dst(), change.abbreviation()) {
            break;
        }
    }
    names
}

/// `CEST`, and which season it is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Abbreviation {
    pub name: String,
    pub season: Season,
}

/// A text without the word for a season of the local zone at its end, and that word.
pub(super) fn split_abbreviation<'t>(text: &'t str, zones: &dyn Zones) -> Option<(&'t str, Abbreviation)> {
    // The words take a walk through the zone's history, so not for a text that has no last word.
    text.contains(' ').then_some(())?;
    let names = abbreviations(&zones.local());
    names.into_iter().zip([Season::Standard, Season::Saving]).find_map(|(name, season)| {
        let name = name?;
        Some((strip_word(text, &name)?, Abbreviation { name, season }))
    })
}

/// The text before a last word, in whatever case, and before the one space in front of it.
pub(super) fn strip_word<'t>(text: &'t str, word: &str) -> Option<&'t str> {
    let at = text.len().checked_sub(word.len())?;
    let (before, last) = (text.get(..at)?, text.get(at..)?);
    before.strip_suffix(' ').filter(|_| last.eq_ignore_ascii_case(word))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_of_zones() {
        assert!(is_well_formed("Europe/Berlin") && is_well_formed("Etc/GMT+5"));
        assert!(!is_well_formed("") && !is_well_formed("/UTC") && !is_well_formed("../UTC"));
        assert!(!OnTrust.knows("am"));
    }

    #[test]
    fn words_for_seasons() {
        let berlin = TimeZone::posix("CET-1CEST,M3.5.0,M10.5.0/3").unwrap();
        assert_eq!(abbreviations(&berlin), [Some("CET".into()), Some("CEST".into())]);
        assert_eq!(abbreviations(&TimeZone::UTC), [Some("UTC".into()), None]);
        assert_eq!(strip_word("daily utc", "UTC"), Some("daily"));
        assert_eq!(strip_word("utc", "UTC"), None);
    }
}
