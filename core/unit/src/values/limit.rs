//! `LimitNOFILE=1024:524288` and its kin: a soft and a hard limit in the resource's own unit, systemd.exec(5).

use super::size::{Steps, parse_size};
use super::timespan::{Bare, parse};
use super::{Bad, number};
use crate::config::exec::{Limit, Resource};

const INFINITY: u64 = u64::MAX;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum BadLimit {
    Value,
    SoftAboveHard,
}

pub fn parse_limit(resource: Resource, text: &str) -> Result<Limit, BadLimit> {
    let (soft, hard) = text.split_once(':').unwrap_or((text, text));
    let one = |text: &str| one(resource, text).map_err(|_| BadLimit::Value);
    let limit = Limit { soft: one(soft)?, hard: one(hard)? };
    // Written as a nice level a higher limit is a lower number, so only the others can be told apart here.
    if limit.soft > limit.hard && resource != Resource::Nice {
        return Err(BadLimit::SoftAboveHard);
    }
    Ok(limit)
}

fn one(resource: Resource, text: &str) -> Result<u64, Bad> {
    if text == "infinity" && resource != Resource::Nice {
        return Ok(INFINITY);
    }
    match resource {
        Resource::Cpu => {
            let span = parse(text, Bare::Seconds)?;
            Ok(if span.is_infinite() { INFINITY } else { span.0.div_ceil(1_000_000) })
        }
        Resource::Rttime => parse(text, Bare::Microseconds).map(|span| span.0),
        Resource::Fsize
        | Resource::Data
        | Resource::Stack
        | Resource::Core
        | Resource::Rss
        | Resource::As
        | Resource::Memlock
        | Resource::Msgqueue => parse_size(text, Steps::Of1024).and_then(finite),
        Resource::Nofile | Resource::Nproc | Resource::Locks | Resource::Sigpending | Resource::Rtprio => {
            number::unsigned(text).and_then(finite)
        }
        Resource::Nice => nice(text),
    }
}

/// The number that stands for no limit is none to write.
const fn finite(value: u64) -> Result<u64, Bad> {
    if value == INFINITY { Err(Bad::Range) } else { Ok(value) }
}

/// `+N`, `-N`: a nice level; a plain number is the kernel's own (20 minus the level).
fn nice(text: &str) -> Result<u64, Bad> {
    if text.starts_with(['+', '-']) {
        let level = number::integer(text)?;
        return if (-20..=19).contains(&level) { Ok((20 - level) as u64) } else { Err(Bad::Range) };
    }
    number::unsigned(text).and_then(|raw| if raw <= 40 { Ok(raw) } else { Err(Bad::Range) })
}
