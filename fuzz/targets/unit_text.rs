//! A unit file and a drop-in of the same text, for a unit of each kind in turn.
#![no_main]

use eudaemon_unit::files::{Found, Fragment};
use eudaemon_unit::merge::{Source, merge};
use eudaemon_unit::name::UnitName;
use eudaemon_unit::specifier::Context;
use libfuzzer_sys::fuzz_target;

const NAMES: [&str; 8] =
    ["a.service", "a@b.service", "a.socket", "a.timer", "a.path", "a.mount", "a.slice", "a.target"];

fuzz_target!(|input: &[u8]| {
    let Some((first, text)) = input.split_first() else { return };
    let Ok(name) = UnitName::parse(NAMES[usize::from(*first) % NAMES.len()]) else { return };
    let found = Found {
        name: name.clone(),
        aliases: Vec::new(),
        fragment: Fragment::File("/u".into()),
        dropins: vec!["/d".into()],
        dependencies: Vec::new(),
    };
    let sources = [Source { path: "/u", text }, Source { path: "/d", text }];
    let merged = merge(&name, &sources, &found, &Context::default());
    for diagnostic in &merged.diagnostics {
        assert!(!diagnostic.to_string().is_empty());
    }
});
