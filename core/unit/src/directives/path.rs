//! `[Path]`: systemd.path(5). Read and kept; paths are not watched yet.

use super::line::{Style, Want};
use super::{Directive, Draft, Kind, Line, Support, keep};
use crate::span::Span;
use crate::values::format_timespan;

const fn kept(key: &'static str, kind: Kind, help: &'static str) -> Directive {
    Directive { key, kind, support: Support::NotYet, set: keep, help }
}

const fn watch(key: &'static str, help: &'static str) -> Directive {
    Directive { key, kind: Kind::Path, support: Support::NotYet, set: watched, help }
}

/// Keys that say what is watched.
pub(crate) const PATHS: &[&str] =
    &["DirectoryNotEmpty", "PathChanged", "PathExists", "PathExistsGlob", "PathModified"];

#[rustfmt::skip]
pub(super) static TABLE: &[Directive] = &[
    kept("DirectoryMode", Kind::Mode, "permissions of directories that MakeDirectory= makes"),
    watch("DirectoryNotEmpty", "starts the unit when the directory holds something"),
    kept("MakeDirectory", Kind::Boolean, "makes the watched directories"),
    watch("PathChanged", "starts the unit when a file written to is closed"),
    watch("PathExists", "starts the unit when the path exists"),
    watch("PathExistsGlob", "starts the unit when a path matches the pattern"),
    watch("PathModified", "starts the unit when a file is written to"),
    kept("TriggerLimitBurst", Kind::Unsigned, "how many starts TriggerLimitIntervalSec= allows"),
    Directive { key: "TriggerLimitIntervalSec", kind: Kind::Span("sec value"), support: Support::NotYet, set: trigger_limit_interval, help: "the time in which its starts are counted" },
    Directive { key: "Unit", kind: Kind::Units, support: Support::NotYet, set: super::timer::triggered, help: "the unit it starts" },
];

/// Paths add up; an empty one of any kind takes all of them back.
fn watched(d: &mut Draft, l: &mut Line<'_>) {
    if l.is_empty() {
        PATHS.iter().for_each(|key| d.kept.reset(l.section, key));
        return;
    }
    let Some(text) = l.expanded_in(Style::Bare, l.value) else { return };
    if let Some(path) = l.checked_path(text, Want::Absolute) {
        l.keep_more(d, vec![path]);
    }
}

/// Without end is the default.
fn trigger_limit_interval(d: &mut Draft, l: &mut Line<'_>) {
    match l.span("sec value") {
        Some(Span::INFINITY) => l.reset(d),
        Some(span) => l.keep_one(d, format_timespan(span)),
        None => {}
    }
}
