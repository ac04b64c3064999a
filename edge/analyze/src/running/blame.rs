//! `time` and `blame`: how long the boot took, and which unit how much of it.

use super::boot::{Boot, Target, span, units};
use super::{end, reach, scope};
use crate::Options;
use crate::times::Judge;
use std::cmp::Reverse;
use std::process::ExitCode;

pub fn time(options: &Options, _: &[String], _: &Judge) -> ExitCode {
    end(reach(options).and_then(|mut client| {
        let boot = Boot::ask(&mut client, scope(options) == eudaemon_ctl::Scope::User)?;
        outln!("{}", boot.summary(&Target::ask(&mut client)));
        Ok(())
    }))
}

pub fn blame(options: &Options, _: &[String], _: &Judge) -> ExitCode {
    end(reach(options).and_then(|mut client| {
        let boot = Boot::ask(&mut client, scope(options) == eudaemon_ctl::Scope::User)?;
        let mut units = units(&mut client, &boot)?;
        units.retain(|unit| unit.time() > 0);
        units.sort_by_key(|unit| Reverse(unit.time()));
        let rows: Vec<(String, &str)> =
            units.iter().map(|unit| (span(unit.time()), unit.name.as_str())).collect();
        let width = rows.iter().map(|(time, _)| time.len()).max().unwrap_or(0);
        rows.iter().for_each(|(time, name)| outln!("{time:>width$} {name}"));
        Ok(())
    }))
}
