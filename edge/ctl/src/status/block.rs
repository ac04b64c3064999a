//! The block of one unit: a line for each fact that is known.

use super::ours::{health, verdicts};
use super::process;
use super::tree::{self, ProcessRow};
use crate::bus::{Properties, Value};
use crate::show::listen;
use crate::text::paint::{self, Paint, Style};
use crate::text::size;
use crate::text::time::{self, Clock};
use crate::verb::Cause;

/// All that a block is written from.
#[derive(Clone, Copy, Debug)]
pub struct Facts<'a> {
    pub properties: &'a Properties,
    /// Units named in `Triggers` and `TriggeredBy` with their active states.
    pub neighbours: &'a [(String, String)],
    /// `None` where they cannot be had.
    pub processes: Option<&'a [ProcessRow]>,
    /// What eudaemon alone says of a unit.
    pub ours: &'a Properties,
    /// Why it is not up, a line each.
    pub faults: &'a [String],
    /// Which lines of its files count for nothing.
    pub ignored: Option<&'a str>,
    /// What kept it down, where the unit was forgotten since and its properties say nothing.
    pub skipped: Option<&'a Cause>,
    /// Set for timers: the next elapse in wall-clock microseconds.
    pub next_elapse: Option<u64>,
    pub clock: &'a Clock,
    pub paint: Paint,
    pub width: Option<usize>,
}

/// The block, ready to print.
pub fn unit(facts: &Facts) -> String {
    let mut block = Block { text: String::new() };
    block.text.push_str(&title(facts));
    block.row("Loaded", &loaded(facts));
    if facts.properties.yes("Transient") {
        block.row("Transient", "yes");
    }
    drop_ins(facts, &mut block);
    block.row("Active", &active(facts));
    until(facts, &mut block);
    duration(facts, &mut block);
    health(facts, &mut block);
    conditions(facts, &mut block, "Condition", "Conditions");
    conditions(facts, &mut block, "Assert", "Asserts");
    if let Some(Cause { realtime, text, .. }) = facts.skipped
        && let Some((point, distance)) = facts.clock.point(*realtime).zip(facts.clock.distance(*realtime))
    {
        block.row("Condition", &format!("{text} at {point}; {distance}"));
    }
    block.rows("Fault", facts.faults);
    if let Some(lines) = facts.ignored {
        block.row("Ignored", lines);
    }
    block.rows("TriggeredBy", &neighbours(facts, "TriggeredBy"));
    if let Some(next) = facts.next_elapse {
        let at = facts.clock.point(next).zip(facts.clock.distance(next));
        block.row("Trigger", &at.map_or("n/a".to_owned(), |(point, left)| format!("{point}; {left}")));
    }
    block.rows("Triggers", &neighbours(facts, "Triggers"));
    kind_rows(facts, &mut block);
    let documents: Vec<String> =
        facts.properties.texts("Documentation").into_iter().map(str::to_owned).collect();
    block.rows("Docs", &documents);
    verdicts(facts, &mut block);
    sockets(facts, &mut block);
    processes(facts, &mut block);
    resources(facts, &mut block);
    group(facts, &mut block);
    block.text
}

/// Rows with their labels right-aligned to one column.
pub(super) struct Block {
    text: String,
}

const LABEL: usize = 11;
const INDENT: &str = "             ";

impl Block {
    pub(super) fn row(&mut self, label: &str, value: &str) {
        self.text.push_str(&format!("{label:>LABEL$}: {value}\n"));
    }

    /// The first value beside the label, the others below it; nothing where there is none.
    pub(super) fn rows(&mut self, label: &str, values: &[String]) {
        for (at, value) in values.iter().enumerate() {
            if at == 0 { self.row(label, value) } else { self.below(value) }
        }
    }

    pub(super) fn below(&mut self, value: &str) {
        self.text.push_str(&format!("{INDENT}{value}\n"));
    }
}

fn title(facts: &Facts) -> String {
    let (id, description) = (facts.properties.text("Id"), facts.properties.text("Description"));
    let active = facts.properties.text("ActiveState");
    let dot = facts.paint.text(paint::of_active_state(active), facts.paint.dot(active));
    if description.is_empty() || description == id {
        format!("{dot} {id}\n")
    } else {
        format!("{dot} {id} - {description}\n")
    }
}

/// `loaded (/path; enabled; preset: enabled)`, or the reason why not.
fn loaded(facts: &Facts) -> String {
    let properties = facts.properties;
    let load = properties.text("LoadState");
    let style = match load {
        "error" | "not-found" | "bad-setting" => Style::Bad,
        _ => Style::Plain,
    };
    let word = facts.paint.text(style, load);
    let reason = properties.list("LoadError").get(1).and_then(Value::text).unwrap_or("");
    if !reason.is_empty() {
        return format!("{word} (Reason: {reason})");
    }
    let source = properties.text("SourcePath");
    let path = if source.is_empty() { properties.text("FragmentPath") } else { source };
    let (state, preset) = (properties.text("UnitFileState"), properties.text("UnitFilePreset"));
    let mut notes: Vec<String> = Vec::new();
    if !path.is_empty() {
        notes.push(path.to_owned());
    }
    if !state.is_empty() {
        notes.push(facts.paint.text(enablement(state), state));
        // Presets have no say over what nobody can enable.
        if !preset.is_empty() && !matches!(state, "alias" | "static" | "generated" | "transient") {
            notes.push(format!("preset: {}", facts.paint.text(enablement(preset), preset)));
        }
    }
    if notes.is_empty() { word } else { format!("{word} ({})", notes.join("; ")) }
}

fn enablement(state: &str) -> Style {
    match state {
        "enabled" | "enabled-runtime" | "alias" => Style::Good,
        "disabled" => Style::Odd,
        "masked" | "masked-runtime" | "bad" => Style::Bad,
        _ => Style::Plain,
    }
}

/// Drop-ins by directory, in the order they are read.
fn drop_ins(facts: &Facts, block: &mut Block) {
    let mut directories: Vec<(&str, Vec<&str>)> = Vec::new();
    for path in facts.properties.texts("DropInPaths") {
        let (directory, file) = path.rsplit_once('/').unwrap_or(("", path));
        match directories.last_mut() {
            Some((last, files)) if *last == directory => files.push(file),
            Some(_) | None => directories.push((directory, vec![file])),
        }
    }
    for (at, (directory, files)) in directories.iter().enumerate() {
        if at == 0 {
            block.row("Drop-In", directory)
        } else {
            block.below(directory)
        }
        block.below(&format!("{}{}", facts.paint.last_branch(), files.join(", ")));
    }
}

fn active(facts: &Facts) -> String {
    let properties = facts.properties;
    let (state, sub) = (properties.text("ActiveState"), properties.text("SubState"));
    let words = if state == sub { state.to_owned() } else { format!("{state} ({sub})") };
    let result = properties.text("Result");
    let mut text = if state == "failed" {
        facts.paint.text(Style::Bad, state)
    } else {
        facts.paint.text(paint::of_active_state(state), &words)
    };
    if !result.is_empty() && result != "success" {
        text.push_str(&format!(" (Result: {result})"));
    }
    let freezer = properties.text("FreezerState");
    if !freezer.is_empty() && freezer != "running" {
        text.push_str(&format!(" ({freezer})"));
    }
    let stamp = match state {
        "active" | "reloading" => "ActiveEnterTimestamp",
        "inactive" | "failed" => "InactiveEnterTimestamp",
        "activating" => "InactiveExitTimestamp",
        _ => "ActiveExitTimestamp",
    };
    let since = properties.number(stamp);
    if let (Some(point), Some(distance)) = (facts.clock.point(since), facts.clock.distance(since)) {
        text.push_str(&format!(" since {point}; {distance}"));
    }
    text
}

/// When `RuntimeMaxSec=` will end it.
fn until(facts: &Facts, block: &mut Block) {
    let started = facts.properties.known("ActiveEnterTimestamp").filter(|started| *started > 0);
    let is_active = facts.properties.text("ActiveState") == "active";
    if let (Some(most), Some(started), true) = (facts.properties.known("RuntimeMaxUSec"), started, is_active)
    {
        let end = started.saturating_add(most);
        if let Some((point, left)) = facts.clock.point(end).zip(facts.clock.distance(end)) {
            block.row("Until", &format!("{point}; {left}"));
        }
    }
}

/// How long a unit that is down was up.
fn duration(facts: &Facts, block: &mut Block) {
    let properties = facts.properties;
    let (enter, exit) = (
        properties.number("ActiveEnterTimestampMonotonic"),
        properties.number("ActiveExitTimestampMonotonic"),
    );
    let down = matches!(properties.text("ActiveState"), "inactive" | "failed");
    if down && enter > 0 && exit >= enter {
        block.row("Duration", &time::span(exit - enter, 1000));
    }
}

/// The conditions that kept the unit down, with those that were not met.
fn conditions(facts: &Facts, block: &mut Block, label: &str, list: &str) {
    let properties = facts.properties;
    let at = properties.number(&format!("{label}Timestamp"));
    if properties.yes(&format!("{label}Result")) || at == 0 {
        return;
    }
    let word = if label == "Condition" { "condition" } else { "assertion" };
    let style = if label == "Condition" { Style::Odd } else { Style::Bad };
    let point = facts.clock.point(at).unwrap_or_default();
    let distance = facts.clock.distance(at).unwrap_or_default();
    let failed = facts.paint.text(style, &format!("{word} failed"));
    block.row(label, &format!("start {failed} at {point}; {distance}"));
    // (name, is a trigger, is negated, parameter, outcome): negative where it was not met.
    let unmet: Vec<&Value> = properties
        .list(list)
        .iter()
        .filter(|condition| condition.list().get(4).and_then(Value::signed).unwrap_or(0) < 0)
        .collect();
    for (at, condition) in unmet.iter().enumerate() {
        let fields = condition.list();
        let text = |at: usize| fields.get(at).and_then(Value::text).unwrap_or("");
        let mark =
            |at: usize, mark| if fields.get(at).and_then(Value::bool) == Some(true) { mark } else { "" };
        let branch = if at + 1 == unmet.len() { facts.paint.last_branch() } else { facts.paint.branch() };
        block.below(&format!("{branch} {}={}{}{} was not met", text(0), mark(1, "|"), mark(2, "!"), text(3)));
    }
}

fn neighbours(facts: &Facts, property: &str) -> Vec<String> {
    let state_of = |name: &str| {
        let found = facts.neighbours.iter().find(|(known, _)| known == name);
        found.map_or("unknown", |(_, state)| state.as_str())
    };
    let show = |name: &str| {
        let state = state_of(name);
        format!("{} {name}", facts.paint.text(paint::of_active_state(state), facts.paint.dot("active")))
    };
    facts.properties.texts(property).into_iter().map(show).collect()
}

/// Rows that mounts, swaps and devices alone have.
fn kind_rows(facts: &Facts, block: &mut Block) {
    for (label, property) in
        [("Follows", "Following"), ("Device", "SysFSPath"), ("Where", "Where"), ("What", "What")]
    {
        let value = facts.properties.text(property);
        if !value.is_empty() {
            block.row(label, value);
        }
    }
}

fn sockets(facts: &Facts, block: &mut Block) {
    let addresses: Vec<String> = listen(facts.properties.get("Listen"))
        .into_iter()
        .map(|(address, kind)| format!("{address} ({kind})"))
        .collect();
    block.rows("Listen", &addresses);
    if facts.properties.yes("Accept") {
        let number = |name| facts.properties.number(name);
        let refused = match number("NRefused") {
            0 => String::new(),
            refused => format!("  Refused: {refused}"),
        };
        block.row(
            "Accepted",
            &format!("{}; Connected: {};{refused}", number("NAccepted"), number("NConnections")),
        );
    }
}

fn processes(facts: &Facts, block: &mut Block) {
    for line in process::ended_commands(facts.properties, facts.paint) {
        block.row("Process", &line);
    }
    match (process::main_process(facts.properties), process::control_process(facts.properties)) {
        (Some(main), Some(control)) => block.row("Main PID", &format!("{main}; Control PID: {control}")),
        (Some(main), None) => block.row("Main PID", &main),
        (None, Some(control)) => block.row("Cntrl PID", &control),
        (None, None) => {}
    }
    let status = facts.properties.text("StatusText");
    if !status.is_empty() {
        block.row("Status", &format!("\"{status}\""));
    }
    let error = facts.properties.signed("StatusErrno");
    if error > 0 {
        let system = std::io::Error::from_raw_os_error(i32::try_from(error).unwrap_or(0));
        block.row("Error", &format!("{error} ({})", crate::verb::words(&system)));
    }
}

fn resources(facts: &Facts, block: &mut Block) {
    let known = |name| facts.properties.known(name);
    for (label, into, from, (in_word, out_word)) in [
        ("IP", "IPIngressBytes", "IPEgressBytes", ("in", "out")),
        ("IO", "IOReadBytes", "IOWriteBytes", ("read", "written")),
    ] {
        if let (Some(into), Some(from)) = (known(into), known(from)) {
            block.row(label, &format!("{} {in_word}, {} {out_word}", size::bytes(into), size::bytes(from)));
        }
    }
    if let Some(tasks) = known("TasksCurrent") {
        let limit = known("TasksMax").map(|limit| format!(" (limit: {limit})")).unwrap_or_default();
        block.row("Tasks", &format!("{tasks}{limit}"));
    }
    if let Some(memory) = known("MemoryCurrent") {
        block.row("Memory", &format!("{}{}", size::bytes(memory), memory_limits(facts.properties)));
    }
    if let Some(cpu) = known("CPUUsageNSec") {
        block.row("CPU", &time::span(cpu / 1000, 1000));
    }
}

fn memory_limits(properties: &Properties) -> String {
    let mut limits = Vec::new();
    for (name, property) in [("min", "MemoryMin"), ("low", "MemoryLow")] {
        if properties.number(property) > 0 {
            limits.push(format!("{name}: {}", size::bytes(properties.number(property))));
        }
    }
    for (name, property) in [
        ("high", "MemoryHigh"),
        ("max", "MemoryMax"),
        ("swap max", "MemorySwapMax"),
        ("limit", "MemoryLimit"),
        ("available", "MemoryAvailable"),
    ] {
        if let Some(limit) = properties.known(property) {
            limits.push(format!("{name}: {}", size::bytes(limit)));
        }
    }
    if limits.is_empty() { String::new() } else { format!(" ({})", limits.join(" ")) }
}

fn group(facts: &Facts, block: &mut Block) {
    let path = facts.properties.text("ControlGroup");
    let Some(processes) = facts.processes else { return };
    if !path.is_empty() {
        block.row("CGroup", path);
        block.text.push_str(&tree::processes(processes, path, INDENT, facts.paint, facts.width));
    } else if let Some((made_up, _, _)) = processes.first() {
        block.row("Processes", "told by their mark, for there are no cgroups here");
        block.text.push_str(&tree::processes(processes, made_up, INDENT, facts.paint, facts.width));
    }
}
