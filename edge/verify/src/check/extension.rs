//! Sections that nobody reads because systemd passes over what begins with `X-`, and so is silent of a slip in the name of
//! one of ours.

use super::Looking;
use crate::finding::{Finding, Spot, Suggestion};
use crate::source::Sources;
use eudaemon_unit::config::Config;
use eudaemon_unit::diagnostic::{Code, Severity};
use eudaemon_unit::directives::{SECTIONS, sections};
use eudaemon_unit::files::Tree;
use eudaemon_unit::spelling::nearest;

pub(super) fn add(looking: &Looking<'_>, config: &Config, findings: &mut Vec<Finding>) {
    for Misspelt { name, near, spot } in misspelt(looking.sources, config) {
        let text = format!("[{name}] is {PASSED_OVER}");
        let code = Code::UnknownSection.word();
        let finding = Finding::of_file(looking.file(config), Severity::Warning, code, text).at(Some(spot));
        findings.push(Finding { suggestion: Some(Suggestion::word(near)), ..finding });
    }
}

/// A section that means nothing, and the one of ours that it is nearly called.
pub(super) struct Misspelt {
    pub name: String,
    pub near: &'static str,
    pub spot: Spot,
}

pub(super) fn misspelt<T: Tree + ?Sized>(sources: &Sources<'_, T>, config: &Config) -> Vec<Misspelt> {
    let known = sections(config.name.kind());
    let ours = || SECTIONS.iter().map(|section| section.name).filter(|name| name.starts_with("X-"));
    let odd = |(name, spot): (String, Spot)| {
        if !name.starts_with("X-") || known.contains(&name.as_str()) {
            return None;
        }
        // Of one that stands in a unit of another kind the reader tells.
        let near = nearest(&name, ours()).filter(|near| *near != name)?;
        Some(Misspelt { name, near, spot })
    };
    sources.headers(config).into_iter().filter_map(odd).collect()
}

pub(super) const PASSED_OVER: &str = "passed over, as every section is that begins with X- and means nothing";
