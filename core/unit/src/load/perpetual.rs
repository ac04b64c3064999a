//! Units that need no file: they are there as long as anything is.

use crate::config::exec::Stdio;
use crate::config::{Body, Config};
use crate::name::UnitKind;

/// Units that are always there: systemd.special(7), "Special Slice Units".
pub(super) fn complete(config: &mut Config) {
    let description = match config.name.as_str() {
        "-.slice" => "Root Slice",
        "system.slice" => "System Slice",
        "init.scope" => "System and Service Manager",
        "-.mount" => "Root Mount",
        _ => return,
    };
    let unit = &mut config.unit;
    unit.default_dependencies = false;
    unit.ignore_on_isolate = true;
    if let Body::Mount(mount) = &mut config.body {
        if unit.description.is_empty() {
            unit.description = description.to_owned();
        }
        // It is there before there is a log.
        mount.processes.exec.standard_output = Stdio::Null;
        return;
    }
    if unit.documentation.is_empty() {
        let page = if config.name.kind() == UnitKind::Scope { "systemd(1)" } else { "systemd.special(7)" };
        unit.documentation.push(format!("man:{page}"));
    }
    if unit.description.is_empty() {
        unit.description = description.to_owned();
    }
}
