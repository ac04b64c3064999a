//! Names of units that are not there and nearly the name of one that is. A unit may order itself after what is not
//! installed, and want it, so a missing one is worth a word only where a slip of the pen explains it best.

use super::Looking;
use crate::finding::{Finding, Suggestion};
use eudaemon_unit::config::{Config, Dependency, LoadState};
use eudaemon_unit::diagnostic::Severity;
use eudaemon_unit::files::{Index, Tree};
use eudaemon_unit::load::Loader;
use eudaemon_unit::name::{UnitKind, UnitName};
use eudaemon_unit::spelling::{nearest, slip};

/// The words after which a name may be of no unit, and the key each is written by.
const WORDS: [(Dependency, &str); 9] = [
    (Dependency::After, "After"),
    (Dependency::Before, "Before"),
    (Dependency::Wants, "Wants"),
    (Dependency::Upholds, "Upholds"),
    (Dependency::PartOf, "PartOf"),
    (Dependency::Conflicts, "Conflicts"),
    (Dependency::OnFailure, "OnFailure"),
    (Dependency::OnSuccess, "OnSuccess"),
    (Dependency::JoinsNamespaceOf, "JoinsNamespaceOf"),
];

pub(super) fn add(looking: &Looking<'_>, config: &Config, findings: &mut Vec<Finding>) {
    for (dependency, other) in &config.unit.dependencies {
        let Some((_, key)) = WORDS.iter().find(|(word, _)| word == dependency) else { continue };
        let is_missing = |config: &Config| config.load == LoadState::NotFound;
        if !looking.config(other).is_some_and(is_missing) {
            continue;
        }
        let Some(near) = meant(looking, other).filter(|near| is_slip(other, near)) else { continue };
        let Some(spot) = looking.named(config, &[*dependency], other) else { continue };
        let text = format!("{}: {key}= names {other}, and there is no such unit", config.name);
        let finding = Finding::of_file(looking.file(config), Severity::Warning, "unknown-unit", text);
        let suggestion = Some(Suggestion::word(&near));
        findings.push(Finding { suggestion, ..finding.at(Some(spot)) });
    }
}

/// `ExitCodeFrom=` of a unit that is not there: the container would not end with it.
pub(super) fn exit_code(
    looking: &Looking<'_>,
    loader: &Loader<'_, dyn Tree + '_>,
    config: &Config,
    findings: &mut Vec<Finding>,
) {
    let Some(other) = &config.unit.exit_code_from else { return };
    let is_there = loader.load_whole(other).config.load != LoadState::NotFound;
    let (code, why, near) = match (is_there, other.kind().is_unserved()) {
        (true, false) => return,
        (true, true) => {
            let kind = other.kind().suffix();
            let text = format!("and {kind} units are not started yet: all ends with code 1 at once");
            ("unserved-unit", text, None)
        }
        (false, _) => ("unknown-unit", "and there is no such unit".to_owned(), meant(looking, other)),
    };
    let text = format!("{}: ExitCodeFrom= names {other}, {why}", config.name);
    let finding = Finding::of_file(looking.file(config), Severity::Warning, code, text);
    let suggestion = near.map(|near| Suggestion::word(&near));
    let line = |word| looking.sources.assignment(config, &["ExitCodeFrom"], word);
    let spot = line(Some(other.as_str())).or_else(|| line(None));
    findings.push(Finding { suggestion, ..finding.at(spot) });
}

/// Whether it cannot well be the name of something else: daemons are called nearly alike (`sshd` and `ssh`, `nslcd` and
/// `nscd`), so of others than targets only two letters that changed places are taken for a slip.
fn is_slip(name: &UnitName, near: &str) -> bool {
    let (one, other) = (name.as_str().as_bytes(), near.as_bytes());
    let differ = |at: &usize| one[*at] != other[*at];
    let swapped = one.len() == other.len()
        && matches!((0..one.len()).filter(differ).collect::<Vec<_>>()[..], [first, second]
            if second == first + 1 && one[first] == other[second] && one[second] == other[first]);
    name.kind() == UnitKind::Target || swapped
}

/// The unit that a slip of the pen made this name of: of the same kind, with the same numbers in its name.
pub(super) fn meant(looking: &Looking<'_>, name: &UnitName) -> Option<String> {
    like(&looking.ground.index, name, |own, known| slip(own, known.iter().copied()))
}

/// For who typed a name that no unit has: the unit of another kind that is called so, else the nearest of its own kind.
pub fn nearest_unit(index: &Index, name: &UnitName) -> Option<String> {
    let (stem, _) = name.as_str().rsplit_once('.')?;
    const KINDS: [UnitKind; 6] = [
        UnitKind::Service,
        UnitKind::Target,
        UnitKind::Socket,
        UnitKind::Timer,
        UnitKind::Mount,
        UnitKind::Path,
    ];
    let others = KINDS.iter().filter(|kind| **kind != name.kind());
    let namesakes = others.map(|kind| format!("{stem}.{}", kind.suffix()));
    let mut namesakes = namesakes.filter(|other| index.names().any(|(known, _)| known == *other));
    namesakes.next().or_else(|| like(index, name, |own, known| nearest(own, known.iter().copied())))
}

fn like<'a>(
    index: &'a Index,
    name: &'a UnitName,
    choose: impl Fn(&str, &[&'a str]) -> Option<&'a str>,
) -> Option<String> {
    let digits = |text: &str| text.chars().filter(char::is_ascii_digit).collect::<String>();
    let own = name.prefix();
    let rest = name.as_str().strip_prefix(own)?;
    let suffix = name.kind().suffix();
    let known = index.names().filter_map(|(known, _)| {
        let (stem, kind) = known.rsplit_once('.')?;
        let (prefix, is_template) = match stem.split_once('@') {
            Some((prefix, _)) => (prefix, true),
            None => (stem, false),
        };
        let fits = kind == suffix && is_template == rest.starts_with('@');
        (fits && digits(prefix) == digits(own)).then_some(prefix)
    });
    choose(own, &known.collect::<Vec<_>>()).map(|near| format!("{near}{rest}"))
}
