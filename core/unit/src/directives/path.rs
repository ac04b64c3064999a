//! `[Path]`: systemd.path(5). Read and kept; paths are not watched yet.

use super::{Directive, Kind, Support, keep};

const fn kept(key: &'static str, kind: Kind, help: &'static str) -> Directive {
    Directive { key, kind, support: Support::NotYet, set: keep, help }
}

#[rustfmt::skip]
pub(super) static TABLE: &[Directive] = &[
    kept("DirectoryMode", Kind::Mode, "permissions of directories that MakeDirectory= makes"),
    kept("DirectoryNotEmpty", Kind::Path, "starts the unit when the directory holds something"),
    kept("MakeDirectory", Kind::Boolean, "makes the watched directories"),
    kept("PathChanged", Kind::Path, "starts the unit when a file written to is closed"),
    kept("PathExists", Kind::Path, "starts the unit when the path exists"),
    kept("PathExistsGlob", Kind::Path, "starts the unit when a path matches the pattern"),
    kept("PathModified", Kind::Path, "starts the unit when a file is written to"),
    kept("TriggerLimitBurst", Kind::Unsigned, "how many starts TriggerLimitIntervalSec= allows"),
    kept("TriggerLimitIntervalSec", Kind::Span("sec value"), "the time in which its starts are counted"),
    kept("Unit", Kind::Text, "the unit it starts"),
];
