//! `security`: how much of the system the processes of a unit can reach, by its files or by what a manager says of it.
//! systemd-analyze(1).
//!
//! The rows of `table` are asked in `look` and `own`, weighed in `assess` and written in `show`.

mod assess;
mod look;
mod online;
mod own;
mod policy;
mod read;
mod show;
mod table;
mod unit;

use crate::running::reach;
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

pub fn security(options: &Options, arguments: &[String], _: &Judge) -> ExitCode {
    let reviewed = match (options.security.offline, arguments) {
        (true, _) => files(options, arguments),
        (false, []) => every(options),
        (false, _) => services(options, arguments),
    };
    match reviewed {
        Ok(code) => code,
        Err(text) => {
            eprintln!("{text}");
            ExitCode::FAILURE
        }
    }
}

fn policy(wishes: &Wishes) -> Result<Policy, String> {
    Ok(wishes.policy.as_deref().map(Policy::read).transpose()?.unwrap_or_default())
}

/// Unit files.
fn files(options: &Options, arguments: &[String]) -> Result<ExitCode, String> {
    let wishes = &options.security;
    let policy = policy(wishes)?;
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

/// Every service of the manager, one line each.
fn every(options: &Options) -> Result<ExitCode, String> {
    let wishes = &options.security;
    let policy = policy(wishes)?;
    let nothing = Exec::default();
    let mut exposures = Vec::new();
    for config in online::all(options)? {
        let review = assess::assess(&Unit::of(&config, &nothing), &policy)?;
        exposures.push((config.name.as_str().to_owned(), review.exposure));
    }
    out!("{}", show::overview(&exposures, wishes.format.unwrap_or_default(), Glyphs::of_environment()));
    Ok(code(&exposures, wishes))
}

/// Services of the manager, in full; of several a line each at the end.
fn services(options: &Options, names: &[String]) -> Result<ExitCode, String> {
    let wishes = &options.security;
    let policy = policy(wishes)?;
    let format = wishes.format.unwrap_or_default();
    let mut exposures = Vec::new();
    let mut failed = false;
    let mut client = reach(options)?;
    for (at, name) in names.iter().enumerate() {
        if at > 0 {
            outln!();
        }
        match online::named(&mut client, name)? {
            Ok(config) => {
                let exposure = one(&config, &policy, format, true)?;
                exposures.push((config.name.as_str().to_owned(), exposure));
            }
            Err(text) => {
                eprintln!("{text}");
                failed = true;
            }
        }
    }
    if names.len() > 1 {
        out!("\n{}", show::overview(&exposures, format, Glyphs::of_environment()));
    }
    Ok(if failed { ExitCode::FAILURE } else { code(&exposures, wishes) })
}

fn code(exposures: &[(String, u64)], wishes: &Wishes) -> ExitCode {
    let most = wishes.threshold.unwrap_or(EXPOSURE_MAX);
    ExitCode::from(u8::from(exposures.iter().any(|(_, exposure)| *exposure > most)))
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
