//! Services that are SysV init scripts, alone or beside a unit file: what enables them is the distribution's own tool.

use super::Failure;
use crate::disk::Disk;
use crate::line::Line;
use crate::screen::Screen;
use std::process::Command;

/// systemd calls it by this path, and Debian ships it there.
const TOOL: &str = "/lib/systemd/systemd-sysv-install";

/// A name that `/etc/init.d` knows.
pub struct Script {
    pub name: String,
    /// Whether there is a unit file too: then both are enabled and disabled.
    is_unit_too: bool,
}

/// Parts `names` into units and names that `/etc/init.d` knows; what has both is in both. Other verbs than those of the tool leave
/// all as units.
pub fn split(disk: &Disk, names: Vec<String>, verb: &str) -> Result<(Vec<String>, Vec<Script>), Failure> {
    let (mut units, mut scripts) = (Vec::new(), Vec::new());
    let has_tool = disk.exists(TOOL);
    for name in names {
        let stem = name.strip_suffix(".service").filter(|stem| !stem.contains('/'));
        let asks = matches!(verb, "enable" | "disable" | "is-enabled");
        let Some(stem) = stem.filter(|_| asks) else {
            units.push(name);
            continue;
        };
        let is_unit = disk.has_file(&name)?;
        let is_script =
            has_tool && !(is_unit && verb == "is-enabled") && disk.exists(&format!("/etc/init.d/{stem}"));
        if is_script {
            scripts.push(Script { name: name.clone(), is_unit_too: is_unit });
        }
        if is_unit || !is_script {
            units.push(name);
        }
    }
    Ok((units, scripts))
}

/// Runs the tool for each.
pub fn redirect(line: &Line, screen: &mut Screen, scripts: &[Script], verb: &str) -> Result<(), Failure> {
    for Script { name, is_unit_too } in scripts {
        if !line.options.quiet {
            screen.complain(&match is_unit_too {
                true => format!("Synchronizing state of {name} with SysV service script with {TOOL}."),
                false => format!("{name} is not a native service, redirecting to systemd-sysv-install."),
            });
            let root = line.options.root.as_ref().map(|root| format!("--root={} ", root.display()));
            screen.complain(&format!("Executing: {TOOL} {}{verb} {}", root.unwrap_or_default(), stem(name)));
        }
        if !run(line, verb, name)? {
            return Err(Failure::new(String::new()));
        }
    }
    Ok(())
}

pub fn is_enabled(line: &Line, name: &str) -> Result<bool, Failure> {
    run(line, "is-enabled", name)
}

fn stem(name: &str) -> &str {
    name.strip_suffix(".service").unwrap_or(name)
}

fn run(line: &Line, verb: &str, name: &str) -> Result<bool, Failure> {
    let mut command = Command::new(TOOL);
    if let Some(root) = &line.options.root {
        command.arg(format!("--root={}", root.display()));
    }
    let status = command.args([verb, stem(name)]).status();
    let status = status
        .map_err(|error| Failure::new(format!("Failed to execute {TOOL}: {}", super::words(&error))))?;
    Ok(status.success())
}
