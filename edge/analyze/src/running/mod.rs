//! What a running manager is asked: how long the boot took and why, what depends on what, its whole state, and two levers.
//! The manager may be ours or systemd. systemd-analyze(1).

mod blame;
mod boot;
mod chain;
mod dot;
mod dump;
mod levers;
mod plot;

pub use blame::{blame, time};
pub use chain::critical_chain;
pub use dot::{Edges, dot};
pub use dump::dump;
pub use levers::{log_level, log_target, service_watchdogs};
pub use plot::plot;

use crate::{Options, places};
use eudaemon_ctl::bus::{self, CallError, Client, ConnectError, UNIT, Value};
use eudaemon_ctl::unit_name::object_path;
use std::process::ExitCode;

/// Whose manager is asked.
fn scope(options: &Options) -> eudaemon_ctl::Scope {
    match options.scope {
        None | Some(places::Scope::System) => eudaemon_ctl::Scope::System,
        Some(places::Scope::User | places::Scope::Global) => eudaemon_ctl::Scope::User,
    }
}

/// The running manager, or why there is none to ask.
pub fn reach(options: &Options) -> Result<Client, String> {
    let user = if scope(options) == eudaemon_ctl::Scope::User { " --user" } else { "" };
    bus::connect(scope(options)).map_err(|error| match error {
        ConnectError::Absent | ConnectError::NoRuntimeDirectory => {
            format!("No manager is running. Start one with 'eudaemon init --background{user}'.")
        }
        ConnectError::Hung | ConnectError::Roots | ConnectError::Stranger(..) | ConnectError::Refused(_) => {
            error.to_string()
        }
    })
}

/// One row of `ListUnits`.
pub struct Listed {
    pub name: String,
    pub path: String,
}

pub fn list_units(client: &mut Client) -> Result<Vec<Listed>, String> {
    type Row = (
        String,
        String,
        String,
        String,
        String,
        String,
        zbus::OwnedObjectPath,
        u32,
        String,
        zbus::OwnedObjectPath,
    );
    let rows: Vec<Row> = client.manager("ListUnits", &()).map_err(failed("list units"))?;
    Ok(rows.into_iter().map(|row| Listed { name: row.0, path: row.6.to_string() }).collect())
}

/// The name a unit has for itself.
fn id(client: &mut Client, name: &str) -> Result<String, String> {
    let value = client.property(&object_path(name), UNIT, "Id").map_err(failed("get ID"))?;
    Ok(value.text().unwrap_or_default().to_owned())
}

/// The units of one of a unit's lists.
fn others(client: &mut Client, path: &str, list: &str) -> Result<Vec<String>, String> {
    let value: Value = client.property(path, UNIT, list).map_err(failed(&format!("get {list}")))?;
    Ok(value.texts().into_iter().map(str::to_owned).collect())
}

/// `Failed to list units: …`.
fn failed(what: &str) -> impl Fn(CallError) -> String {
    let what = what.to_owned();
    move |error| format!("Failed to {what}: {}", error.text())
}

/// What a verb says in the end: nothing, or why it could not.
fn end(result: Result<(), String>) -> ExitCode {
    match result {
        Ok(()) => ExitCode::SUCCESS,
        Err(text) => {
            eprintln!("{text}");
            ExitCode::FAILURE
        }
    }
}
