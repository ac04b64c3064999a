//! `dump`: the manager's state in its own words.

use super::{end, failed, reach};
use crate::Options;
use crate::times::Judge;
use eudaemon_ctl::unit_name::{Globs, mangle};
use std::process::ExitCode;

pub fn dump(options: &Options, patterns: &[String], _: &Judge) -> ExitCode {
    end(reach(options).and_then(|mut client| {
        let said: String = if patterns.is_empty() {
            client.manager("Dump", &()).map_err(failed("issue method call Dump"))?
        } else {
            let named = |pattern: &String| {
                let mangled = mangle(pattern, ".service", Globs::Allowed);
                mangled
                    .map(|mangled| mangled.name)
                    .ok_or_else(|| format!("Failed to mangle name: {pattern}: Invalid argument"))
            };
            let patterns = patterns.iter().map(named).collect::<Result<Vec<String>, String>>()?;
            let what = "issue method call DumpUnitsMatchingPatterns";
            client.manager("DumpUnitsMatchingPatterns", &patterns).map_err(failed(what))?
        };
        out!("{said}");
        Ok(())
    }))
}
