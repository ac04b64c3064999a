//! `security`: how much of the system the processes of a unit can reach, read from unit files. systemd-analyze(1).
//!
//! The rows of `table` are asked in `look` and `own`, weighed in `assess` and written in `show`.

mod assess;
mod look;
mod own;
mod policy;
mod read;
mod show;
mod table;
mod unit;

use crate::times::Judge;
use crate::{Options, places};
use eudaemon_unit::config::{Config, Exec};
use policy::Policy;
use show::Glyphs;
use std::process::ExitCode;
use unit::Unit;

/// How reviews are written.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Format {
    #[default]
    Table,
    Short,
    Pretty,
}

/// What the command line says to `security` alone.
#[derive(Debug, Default)]
pub struct Wishes {
    pub offline: bool,
    pub threshold: Option<u64>,
    pub policy: Option<String>,
    pub profile: Option<String>,
    pub format: Option<Format>,
}

/// Exposures are counted in tenths up to here.
pub const EXPOSURE_MAX: u64 = 100;

const ONLINE: &str = "security asks no manager yet: name unit files or units, and say --offline=true";

pub fn security(options: &Options, arguments: &[String], _: &Judge) -> ExitCode {
    match review(options, arguments) {
        Ok(code) => code,
        Err(text) => {
            eprintln!("{text}");
            ExitCode::FAILURE
        }
    }
}

fn review(options: &Options, arguments: &[String]) -> Result<ExitCode, String> {
    let wishes = &options.security;
    let policy = wishes.policy.as_deref().map(Policy::read).transpose()?.unwrap_or_default();
    if !wishes.offline {
        return Err(ONLINE.to_owned());
    }
    let root = options.root.as_deref().unwrap_or("");
    let user = options.scope == Some(places::Scope::User);
    let mut code = ExitCode::SUCCESS;
    let mut first = true;
    for found in read::units(arguments, root, user, wishes.profile.as_deref())? {
        let config = match found {
            Ok(config) => config,
            Err(text) => {
                eprintln!("{text}");
                code = ExitCode::FAILURE;
                continue;
            }
        };
        let exposure = one(&config, &policy, wishes.format.unwrap_or_default(), first)?;
        first = false;
        if exposure > wishes.threshold.unwrap_or(EXPOSURE_MAX) {
            code = ExitCode::FAILURE;
        }
    }
    Ok(code)
}

fn one(config: &Config, policy: &Policy, format: Format, first: bool) -> Result<u64, String> {
    let nothing = Exec::default();
    let review = assess::assess(&Unit::of(config, &nothing), policy)?;
    match format {
        Format::Table => {
            let glyphs = Glyphs::of_environment();
            let name = config.name.as_str();
            let apart = if first { "" } else { "\n" };
            out!("{apart}{}{}", show::table(&review, glyphs), show::overall(name, &review, glyphs));
        }
        Format::Short | Format::Pretty => out!("{}", show::json(&review, format)),
    }
    Ok(review.exposure)
}
