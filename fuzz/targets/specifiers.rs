//! Specifiers in a text, and escaped text.
#![no_main]

use eudaemon_unit::name::UnitName;
use eudaemon_unit::specifier::{Allowed, Context, Scope, expand, unescape};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|text: &str| {
    let Ok(name) = UnitName::parse("a@b.service") else { return };
    drop(expand(text, Scope { name: &name, fragment: "/u", cx: &Context::default() }, Allowed::All));
    drop(unescape(text));
});
