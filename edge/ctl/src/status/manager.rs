//! `status` without a unit: the state of the whole.

use super::tree::{self, ProcessRow};
use crate::bus::Properties;
use crate::text::paint::{Paint, Style};
use crate::text::time::Clock;
use std::fmt::Write;

/// The manager's own block.
pub fn manager(
    properties: &Properties,
    processes: &[ProcessRow],
    host: &str,
    clock: &Clock,
    paint: Paint,
    width: Option<usize>,
) -> String {
    let state = properties.text("SystemState");
    let (style, dot) = match state {
        "running" => (Style::Good, paint.dot("active")),
        "starting" | "initializing" | "degraded" | "maintenance" => (Style::Bad, paint.dot("active")),
        _ => (Style::Plain, paint.dot("active")),
    };
    let mut text = String::new();
    writeln!(text, "{} {host}", paint.text(style, dot)).ok();
    writeln!(text, "    State: {}", paint.text(style, state)).ok();
    writeln!(text, "    Units: {} loaded (incl. loaded aliases)", properties.number("NNames")).ok();
    writeln!(text, "     Jobs: {} queued", properties.number("NJobs")).ok();
    writeln!(text, "   Failed: {} units", properties.number("NFailedUnits")).ok();
    let since = properties.number("UserspaceTimestamp");
    if let (Some(point), Some(distance)) = (clock.point(since), clock.distance(since)) {
        writeln!(text, "    Since: {point}; {distance}").ok();
    }
    writeln!(text, "  systemd: {}", properties.text("Version")).ok();
    let tainted = properties.text("Tainted");
    if !tainted.is_empty() {
        writeln!(text, "  Tainted: {}", paint.text(Style::Odd, tainted)).ok();
    }
    if properties.get("ControlGroup").is_some() {
        let group = properties.text("ControlGroup");
        writeln!(text, "   CGroup: {}", if group.is_empty() { "/" } else { group }).ok();
        text.push_str(&tree::processes(processes, group, "           ", paint, width));
    }
    text
}
