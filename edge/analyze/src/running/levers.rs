//! `log-level`, `log-target` and `service-watchdogs`: what the manager says and to whom, and whether it minds watchdogs.

use super::{end, failed, reach};
use crate::Options;
use crate::times::Judge;
use eudaemon_ctl::bus::{Client, MANAGER, MANAGER_PATH, Value};
use eudaemon_unit::directives::LEVELS;
use std::process::ExitCode;
use zbus::Variant;

pub fn log_level(options: &Options, words: &[String], _: &Judge) -> ExitCode {
    end(reach(options).and_then(|mut client| match words.first() {
        None => tell(&mut client, "LogLevel", "log level"),
        Some(word) => {
            let number = word.parse::<usize>().ok().and_then(|number| LEVELS.get(number));
            let level = number.or_else(|| LEVELS.iter().find(|level| *level == word));
            let level = level.ok_or_else(|| format!("\"{word}\" is not a valid log level."))?;
            pull(
                &mut client,
                "LogLevel",
                Variant::from(*level),
                &format!("set log level of {NAME} to {word}"),
            )
        }
    }))
}

pub fn log_target(options: &Options, words: &[String], _: &Judge) -> ExitCode {
    end(reach(options).and_then(|mut client| match words.first() {
        None => tell(&mut client, "LogTarget", "log target"),
        Some(word) => pull(
            &mut client,
            "LogTarget",
            Variant::from(word.clone()),
            &format!("set log target of {NAME} to {word}"),
        ),
    }))
}

pub fn service_watchdogs(options: &Options, words: &[String], _: &Judge) -> ExitCode {
    end(reach(options).and_then(|mut client| match words.first() {
        None => tell(&mut client, "ServiceWatchdogs", "service-watchdog state"),
        Some(word) => {
            let on = eudaemon_unit::values::boolean(word)
                .ok_or_else(|| "Failed to parse service-watchdogs argument: Invalid argument".to_owned())?;
            pull(&mut client, "ServiceWatchdogs", Variant::from(on), "set service-watchdog state")
        }
    }))
}

const NAME: &str = "org.freedesktop.systemd1";

fn tell(client: &mut Client, property: &str, what: &str) -> Result<(), String> {
    let value = client.property(MANAGER_PATH, MANAGER, property).map_err(failed(&format!("get {what}")))?;
    match value {
        Value::Bool(on) => outln!("{}", if on { "yes" } else { "no" }),
        Value::Text(text) => outln!("{text}"),
        Value::Signed(_)
        | Value::Unsigned(_)
        | Value::Double(_)
        | Value::Bytes(_)
        | Value::List(_)
        | Value::Fields(_)
        | Value::Pairs(_)
        | Value::Descriptor => return Err(format!("Failed to get {what}: unexpected type")),
    }
    Ok(())
}

fn pull(client: &mut Client, property: &str, value: Variant<'_>, what: &str) -> Result<(), String> {
    let interface = "org.freedesktop.DBus.Properties";
    client.call::<()>(MANAGER_PATH, interface, "Set", &(MANAGER, property, value)).map_err(failed(what))
}
