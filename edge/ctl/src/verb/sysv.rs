//! Services that are SysV init scripts only: what enables them is the distribution's own tool.

use super::Failure;
use crate::disk::Disk;
use crate::line::Line;
use crate::screen::Screen;
use std::process::Command;

/// systemd calls it by this path, and Debian ships it there.
const TOOL: &str = "/lib/systemd/systemd-sysv-install";

/// Parts `names` into units with a file and names that only `/etc/init.d` knows. Other verbs than those of the
/// tool leave all as units.
pub fn split(disk: &Disk, names: Vec<String>, verb: &str) -> Result<(Vec<String>, Vec<String>), Failure> {
    let (mut units, mut scripts) = (Vec::new(), Vec::new());
    let has_tool = disk.exists(TOOL);
    for name in names {
        let stem = name.strip_suffix(".service").filter(|stem| !stem.contains('/'));
        let asks = matches!(verb, "enable" | "disable" | "is-enabled");
        let is_script = match stem.filter(|_| asks) {
            Some(stem) => !disk.has_file(&name)? && has_tool && disk.exists(&format!("/etc/init.d/{stem}")),
            None => false,
        };
        if is_script { scripts.push(name) } else { units.push(name) }
    }
    Ok((units, scripts))
}

/// Runs the tool for each; the exit code.
pub fn redirect(line: &Line, screen: &mut Screen, names: &[String], verb: &str) -> Result<u8, Failure> {
    for name in names {
        if !line.options.quiet {
            screen.complain(&format!(
                "{name} is not a native service, redirecting to systemd-sysv-install.\nExecuting: {} {verb} {}",
                TOOL,
                stem(name)
            ));
        }
        if !run(line, verb, name)? {
            return Err(Failure::new(String::new()));
        }
    }
    Ok(0)
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
