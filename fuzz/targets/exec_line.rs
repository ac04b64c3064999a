//! A command line, and its arguments with variables put in.
#![no_main]

use eudaemon_unit::exec_line;
use eudaemon_unit::name::UnitName;
use eudaemon_unit::specifier::{Context, Scope};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|line: &str| {
    let Ok(name) = UnitName::parse("a@b.service") else { return };
    let parsed = exec_line::parse(line, Scope { name: &name, fragment: "/u", cx: &Context::default() });
    let environment = ["A=x y".to_owned(), "B=".to_owned()];
    for command in &parsed.commands {
        drop(eudaemon_plan::expand::expand(&command.argv, &environment));
    }
});
