//! `[Install]`: systemd.unit(5). Kept as written; enable and disable read it.

use super::{Directive, Draft, Kind, Line, Support};
use crate::values::words::Words;

const fn row(key: &'static str, set: fn(&mut Draft, &mut Line<'_>), help: &'static str) -> Directive {
    Directive { key, kind: Kind::Units, support: Support::Full, set, help }
}

#[rustfmt::skip]
pub(super) static TABLE: &[Directive] = &[
    row("Alias", |d, l| names(&mut d.install.alias, l), "further names it gets when enabled"),
    row("Also", |d, l| names(&mut d.install.also, l), "units that are enabled with it"),
    row("DefaultInstance", default_instance, "the instance meant when a template is enabled"),
    row("RequiredBy", |d, l| names(&mut d.install.required_by, l), "units that require it once it is enabled"),
    row("UpheldBy", |d, l| names(&mut d.install.upheld_by, l), "units that uphold it once it is enabled"),
    row("WantedBy", |d, l| names(&mut d.install.wanted_by, l), "units that want it once it is enabled"),
];

fn names(list: &mut Vec<String>, l: &mut Line<'_>) {
    if l.is_empty() {
        list.clear();
    }
    // What cannot be read ends the list without a word.
    Words::names(l.value).map_while(Result::ok).for_each(|word| l.push(list, word.text));
}

fn default_instance(d: &mut Draft, l: &mut Line<'_>) {
    d.install.default_instance = (!l.is_empty()).then(|| l.value.to_owned());
}
