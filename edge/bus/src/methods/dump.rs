//! `Dump` and its sisters: the manager's state as text for people, by `systemd-analyze dump`. The shape is systemd's: facts of the
//! manager, then a block for each unit and each job, its lines behind a tab. What is not set is left out. systemd-analyze(1).

use super::Served;
use super::listing::matches_any;
use crate::call::Outcome;
use crate::fault::Fault;
use crate::limits;
use crate::model::{Job, JobState, Manager, Unit};
use crate::properties::{Source, UnitCx, active_word, description, load_word, of_kind, relations};
use eudaemon_engine::api::Moment;
use eudaemon_unit::values::timestamp::format_timestamp;
use jiff::tz::TimeZone;
use rustix::fs::{MemfdFlags, memfd_create};
use std::fmt::{self, Write};
use std::fs::File;
use std::io::{Seek, Write as _};
use zbus::{Fd, Variant};

pub fn dump(served: &mut Served<'_>) -> Result<Outcome, Fault> {
    served.reply(&text(served, None)?)
}

pub fn dump_matching(served: &mut Served<'_>) -> Result<Outcome, Fault> {
    let patterns = patterns(served)?;
    served.reply(&text(served, Some(&patterns))?)
}

/// A descriptor to read the text from: it may be longer than a message.
pub fn dump_into(served: &mut Served<'_>) -> Result<Outcome, Fault> {
    served.reply(&readable(&text(served, None)?)?)
}

pub fn dump_matching_into(served: &mut Served<'_>) -> Result<Outcome, Fault> {
    let patterns = patterns(served)?;
    served.reply(&readable(&text(served, Some(&patterns))?)?)
}

fn patterns(served: &Served<'_>) -> Result<Vec<String>, Fault> {
    let patterns: Vec<String> = served.call.arguments()?;
    if patterns.len() > limits::NAMES {
        return Err(Fault::limits_exceeded("Too many names in one call."));
    }
    Ok(patterns)
}

fn readable(text: &str) -> Result<Fd<'static>, Fault> {
    let failed = |error: std::io::Error| Fault::failed(format!("Failed to hand out the dump: {error}"));
    let memory = memfd_create("dump", MemfdFlags::CLOEXEC).map_err(|error| failed(error.into()))?;
    let mut file = File::from(memory);
    file.write_all(text.as_bytes()).and_then(|()| file.rewind()).map_err(failed)?;
    Ok(Fd::from(std::os::fd::OwnedFd::from(file)))
}

/// Without patterns all of it.
fn text(served: &Served<'_>, patterns: Option<&[String]>) -> Result<String, Fault> {
    let mut text = String::new();
    written(served, patterns, &mut text).map_err(|_| Fault::failed("Failed to write the dump."))?;
    Ok(text)
}

fn written(served: &Served<'_>, patterns: Option<&[String]>, out: &mut String) -> fmt::Result {
    if patterns.is_none() {
        manager(&served.model.manager(), out)?;
    }
    let is_asked = |name: &str| patterns.is_none_or(|patterns| matches_any(patterns, name));
    let mut left_out = 0;
    for name in served.model.units().iter().filter(|name| is_asked(name.as_str())) {
        if out.len() > limits::DUMP_BYTES {
            left_out += 1;
        } else if let Some(unit) = served.model.unit(name) {
            one_unit(&UnitCx::new(served.model, &unit), out)?;
        }
    }
    for job in served.model.jobs().iter().filter(|job| is_asked(job.unit.as_str())) {
        one_job(job, out)?;
    }
    if left_out > 0 {
        writeln!(out, "{left_out} units are left out: a dump has at most {} bytes", limits::DUMP_BYTES)?;
    }
    Ok(())
}

fn manager(facts: &Manager, out: &mut String) -> fmt::Result {
    writeln!(out, "Manager: systemd {}", facts.version)?;
    writeln!(out, "Features: {}", facts.features)?;
    let moments = [
        ("kernel", facts.kernel),
        ("userspace", facts.userspace),
        ("finish", facts.finish),
        ("generators-start", facts.generators_start),
        ("generators-finish", facts.generators_finish),
        ("units-load-start", facts.units_load_start),
        ("units-load-finish", facts.units_load_finish),
        ("units-load", facts.units_load),
    ];
    for (name, moment) in moments {
        if let Some(point) = point(moment) {
            writeln!(out, "Timestamp {name}: {point}")?;
        }
    }
    Ok(())
}

/// The bus knows no files, so no zone of the machine.
fn point(moment: Moment) -> Option<String> {
    format_timestamp(moment.realtime, &TimeZone::UTC)
}

fn one_unit(cx: &UnitCx<'_>, out: &mut String) -> fmt::Result {
    let unit = cx.unit;
    let config = &unit.config;
    writeln!(out, "-> Unit {}:", config.name)?;
    writeln!(out, "\tDescription: {}", description(config))?;
    writeln!(out, "\tInstance: {}", config.name.instance().unwrap_or("n/a"))?;
    writeln!(out, "\tUnit Load State: {}", load_word(&config.load))?;
    writeln!(out, "\tUnit Active State: {}", active_word(unit.active))?;
    moments(unit, out)?;
    writeln!(out, "\tNeed Daemon Reload: {}", yes(cx.model.needs_reload(&config.name)))?;
    writeln!(out, "\tTransient: {}", yes(unit.transient))?;
    writeln!(out, "\tPerpetual: {}", yes(unit.perpetual))?;
    writeln!(out, "\tCGroup: {}", if unit.cgroup.is_empty() { "n/a" } else { &unit.cgroup })?;
    if let Some(id) = unit.invocation {
        let digits: String = id.0.iter().map(|byte| format!("{byte:02x}")).collect();
        writeln!(out, "\tInvocation ID: {digits}")?;
    }
    config.aliases.iter().try_for_each(|alias| writeln!(out, "\tName: {alias}"))?;
    config.unit.documentation.iter().try_for_each(|page| writeln!(out, "\tDocumentation: {page}"))?;
    config.fragment.iter().try_for_each(|path| writeln!(out, "\tFragment Path: {path}"))?;
    config.source.iter().try_for_each(|path| writeln!(out, "\tSource Path: {path}"))?;
    config.dropins.iter().try_for_each(|path| writeln!(out, "\tDropIn Path: {path}"))?;
    for (word, checked) in [("Condition", unit.condition), ("Assert", unit.assertion)] {
        if let Some(at) = point(checked.at) {
            writeln!(out, "\t{word} Timestamp: {at}\n\t{word} Result: {}", yes(checked.holds))?;
        }
    }
    for row in relations() {
        let others = cx.read(row);
        let others = if let Variant::Array(names) = &others { names.inner() } else { &[] };
        for other in others {
            write!(out, "\t{}: ", row.name)?;
            shown(other, out)?;
            out.push('\n');
        }
    }
    let kind = config.name.kind().suffix();
    writeln!(out, "\t{}{} State: {}", kind[..1].to_ascii_uppercase(), &kind[1..], unit.sub)?;
    settings(cx, out)
}

fn moments(unit: &Unit, out: &mut String) -> fmt::Result {
    let moments = [
        ("State Change", unit.state_changed),
        ("Inactive Exit", unit.inactive_exit),
        ("Active Enter", unit.active_enter),
        ("Active Exit", unit.active_exit),
        ("Inactive Enter", unit.inactive_enter),
    ];
    moments.into_iter().try_for_each(|(word, moment)| {
        writeln!(out, "\t{word} Timestamp: {}", point(moment).unwrap_or_else(|| "n/a".to_owned()))
    })
}

/// What is particular to its kind, as far as it is set.
fn settings(cx: &UnitCx<'_>, out: &mut String) -> fmt::Result {
    for row in of_kind(cx.unit.config.name.kind()).iter().flat_map(|rows| rows.iter()) {
        let mut value = String::new();
        let read = cx.read(row);
        if let Variant::U32(bits) = read
            && (row.name == "UMask" || row.name.ends_with("Mode"))
        {
            write!(value, "{bits:04o}")?;
        } else {
            shown(&read, &mut value)?;
        }
        if !value.trim().is_empty() {
            writeln!(out, "\t{}: {value}", row.name)?;
        }
    }
    Ok(())
}

/// A value in one line; nothing for what says that nothing is said. Values of ours nest a few levels deep.
fn shown(value: &Variant<'_>, out: &mut String) -> fmt::Result {
    let mut list = |items: &mut dyn Iterator<Item = &Variant<'_>>| {
        for (at, item) in items.enumerate() {
            if at > 0 {
                out.push(' ');
            }
            shown(item, out)?;
        }
        Ok(())
    };
    match value {
        Variant::Bool(is_so) => out.write_str(if *is_so { "yes" } else { "" }),
        Variant::U64(u64::MAX) | Variant::U32(u32::MAX) => Ok(()),
        Variant::U8(number) => write!(out, "{number}"),
        Variant::I16(number) => write!(out, "{number}"),
        Variant::U16(number) => write!(out, "{number}"),
        Variant::I32(number) => write!(out, "{number}"),
        Variant::U32(number) => write!(out, "{number}"),
        Variant::I64(number) => write!(out, "{number}"),
        Variant::U64(number) => write!(out, "{number}"),
        Variant::F64(number) => write!(out, "{number}"),
        Variant::Str(text) => write!(out, "{}", text.escape_debug()),
        Variant::Signature(signature) => write!(out, "{signature}"),
        Variant::ObjectPath(path) => write!(out, "{path}"),
        Variant::Variant(inner) => shown(inner, out),
        Variant::Array(array) => list(&mut array.inner().iter()),
        Variant::Structure(fields) => list(&mut fields.fields().iter()),
        Variant::Dict(_) | Variant::Fd(_) => Ok(()),
    }
}

fn one_job(job: &Job, out: &mut String) -> fmt::Result {
    let state = match job.running {
        JobState::Waiting => "waiting",
        JobState::Running => "running",
    };
    writeln!(out, "-> Job {}:", job.id.0)?;
    writeln!(out, "\tAction: {} -> {}\n\tState: {state}", job.unit, job.kind.word())
}

fn yes(is_so: bool) -> &'static str {
    if is_so { "yes" } else { "no" }
}
