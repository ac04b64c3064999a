//! `plot`: the boot as a picture in SVG, a bar for each stretch of the manager's work and for each unit, on one scale of time.

use super::boot::{Boot, Stretch, Target, Unit, span, units};
use super::{end, failed, reach, scope};
use crate::Options;
use crate::times::Judge;
use eudaemon_ctl::bus::{Client, MANAGER, MANAGER_PATH};
use eudaemon_unit::span::SECOND;
use std::fmt::{self, Write};
use std::process::ExitCode;

pub fn plot(options: &Options, _: &[String], _: &Judge) -> ExitCode {
    end(reach(options).and_then(|mut client| {
        let boot = Boot::ask(&mut client, scope(options) == eudaemon_ctl::Scope::User)?;
        let mut units = units(&mut client, &boot)?;
        units.retain(|unit| unit.activating <= boot.finish);
        units.sort_by_key(|unit| unit.activating);
        let title = format!("{}\n{}", machine(&mut client)?, boot.summary(&Target::ask(&mut client)));
        let mut picture = String::new();
        Picture { boot, units, title }.draw(&mut picture).map_err(|error| error.to_string())?;
        out!("{picture}");
        Ok(())
    }))
}

/// What machine it is, as far as the manager and the kernel tell.
fn machine(client: &mut Client) -> Result<String, String> {
    let facts = client.properties(MANAGER_PATH, MANAGER).map_err(failed("get properties of the manager"))?;
    let line = |path: &str| std::fs::read_to_string(path).unwrap_or_default().trim().to_owned();
    let release = line("/etc/os-release");
    let name = release.lines().find_map(|line| line.strip_prefix("PRETTY_NAME=")).unwrap_or("Linux");
    let kernel = format!("(Linux {})", line("/proc/sys/kernel/osrelease"));
    let words = [
        name.trim_matches(['"', '\'']),
        &line("/proc/sys/kernel/hostname"),
        &kernel,
        facts.text("Architecture"),
        facts.text("Virtualization"),
    ];
    Ok(words.into_iter().filter(|word| !word.is_empty()).collect::<Vec<_>>().join(" "))
}

struct Picture {
    boot: Boot,
    units: Vec<Unit>,
    title: String,
}

/// Pixels: of a second, of a bar's row, and of the room around the bars.
const SECOND_WIDTH: f64 = 100.0;
const ROW: f64 = 20.0;
const BORDER: f64 = 20.0;
const HEAD: f64 = 120.0;
/// Room for a name behind a bar that ends at the right.
const NAME_WIDTH: f64 = 400.0;

/// What bars mean, with their colours.
const CLASSES: &[(&str, &str, &str)] = &[
    ("before", "#999999", "Before the manager"),
    ("manager", "#bbbbbb", "The manager"),
    ("security", "#90ee90", "Setting up security modules"),
    ("generators", "#66ccff", "Generators"),
    ("load", "#52b8ff", "Loading unit files"),
    ("activating", "#ee4444", "Activating"),
    ("active", "#d0a0a0", "Active"),
    ("deactivating", "#9a6a6a", "Deactivating"),
];

/// A row: its name, and its bars.
struct Row<'a> {
    name: &'a str,
    bars: Vec<(&'static str, Stretch)>,
}

impl Picture {
    /// What comes before the kernel's clock begins is drawn to the left of its zero.
    fn before(&self) -> u64 {
        self.boot.firmware.max(self.boot.loader)
    }

    fn x(&self, point: u64) -> f64 {
        (point + self.before()) as f64 * SECOND_WIDTH / SECOND as f64
    }

    fn rows(&self) -> Vec<Row<'_>> {
        let Boot { firmware, loader, kernel_done, initrd, userspace, finish, .. } = self.boot;
        let mut rows = Vec::new();
        let mut early = |name, from: u64, to: u64| {
            if to > from {
                rows.push(Row { name, bars: vec![("before", Stretch { from, to })] });
            }
        };
        // Points before the kernel are counted backwards, so their rows are shifted by what lies before.
        let before = self.before();
        let zero = |back: u64| before - back;
        if firmware > 0 || loader > 0 {
            early("firmware", zero(firmware.max(loader)), zero(loader));
            early("loader", zero(loader), before);
        }
        early("kernel", before, before + kernel_done);
        if initrd > 0 {
            early("initrd", before + initrd, before + userspace);
        }
        let manager = Stretch { from: userspace, to: finish };
        let work = [
            ("manager", manager),
            ("security", self.boot.security),
            ("generators", self.boot.generators),
            ("load", self.boot.units_load),
        ];
        let shifted = |(class, Stretch { from, to }): (&'static str, Stretch)| {
            (class, Stretch { from: from + before, to: to + before })
        };
        rows.push(Row { name: "manager", bars: work.map(shifted).to_vec() });
        rows.extend(self.units.iter().map(|unit| Row {
            name: &unit.name,
            bars: life(unit, finish).into_iter().map(shifted).collect(),
        }));
        rows
    }

    fn draw(&self, out: &mut String) -> fmt::Result {
        let rows = self.rows();
        let right = self.x(self.boot.finish);
        let bottom = rows.len() as f64 * ROW;
        let width = right + NAME_WIDTH + 2.0 * BORDER;
        let height = HEAD + bottom + (CLASSES.len() as f64 + 2.0) * ROW;
        writeln!(out, r#"<?xml version="1.0" encoding="UTF-8" standalone="no"?>"#)?;
        writeln!(
            out,
            r#"<svg xmlns="http://www.w3.org/2000/svg" version="1.1" width="{width:.0}px" height="{height:.0}px">"#
        )?;
        style(out)?;
        writeln!(out, r#"<rect class="paper" width="100%" height="100%"/>"#)?;
        for (at, line) in self.title.lines().enumerate() {
            writeln!(out, r#"<text x="{BORDER}" y="{}">{}</text>"#, 30 + 20 * at, escaped(line.trim_end()))?;
        }
        writeln!(out, r#"<g transform="translate({BORDER},{HEAD})">"#)?;
        self.scale(out, right, bottom)?;
        for (at, row) in rows.iter().enumerate() {
            draw_row(out, row, at as f64 * ROW, right)?;
        }
        for (at, (class, _, meaning)) in CLASSES.iter().enumerate() {
            let y = bottom + (at as f64 + 1.0) * ROW;
            writeln!(out, r#"<rect class="{class}" x="0" y="{y}" width="30" height="{}"/>"#, ROW - 2.0)?;
            writeln!(out, r#"<text x="40" y="{}">{meaning}</text>"#, y + ROW - 6.0)?;
        }
        writeln!(out, "</g>\n</svg>")
    }

    /// A line for each second, with its number; of a long boot for every fifth, tenth and so on.
    fn scale(&self, out: &mut String, right: f64, bottom: f64) -> fmt::Result {
        const LINES_MAX: u64 = 200;
        writeln!(out, r#"<rect class="box" width="{right:.3}" height="{bottom:.3}"/>"#)?;
        let seconds = (self.boot.finish + self.before()) / SECOND;
        let step = [1, 5, 10, 60, 600].into_iter().find(|step| seconds / step <= LINES_MAX).unwrap_or(3_600);
        let first = self.before() / SECOND;
        for second in (0..=seconds / step).map(|line| line * step) {
            let x = second as f64 * SECOND_WIDTH;
            let told = second as i64 - first as i64;
            writeln!(out, r#"<line x1="{x}" y1="0" x2="{x}" y2="{bottom}"/>"#)?;
            writeln!(out, r#"<text class="second" x="{x}" y="-5">{told}.0s</text>"#)?;
        }
        Ok(())
    }
}

/// A unit's bars: coming up, up, going down. What is not over lasts to the end of the picture.
fn life(unit: &Unit, finish: u64) -> Vec<(&'static str, Stretch)> {
    let within = |point: u64| if point == 0 { finish } else { point.min(finish) };
    let later = |point: u64, than: u64| if point >= than { point } else { 0 };
    let activated = later(unit.activated, unit.activating);
    let deactivating = later(unit.deactivating, unit.activating);
    let deactivated = later(unit.deactivated, unit.activating);
    let gone = [deactivating, deactivated].into_iter().find(|point| *point > 0).unwrap_or(0);
    let up = if activated > 0 { activated } else { gone };
    let mut bars = vec![("activating", Stretch { from: unit.activating, to: within(up) })];
    if activated > 0 {
        bars.push(("active", Stretch { from: within(activated), to: within(gone) }));
    }
    if gone > 0 {
        bars.push(("deactivating", Stretch { from: within(gone), to: within(deactivated) }));
    }
    bars
}

fn draw_row(out: &mut String, row: &Row<'_>, y: f64, right: f64) -> fmt::Result {
    let x = |point: u64| point as f64 * SECOND_WIDTH / SECOND as f64;
    for (class, Stretch { from, to }) in &row.bars {
        if to > from {
            let (from, width) = (x(*from), x(to - from));
            let height = ROW - 1.0;
            writeln!(
                out,
                r#"<rect class="{class}" x="{from:.3}" y="{y}" width="{width:.3}" height="{height}"/>"#
            )?;
        }
    }
    // In the right half names end where their bar begins.
    let start = row.bars.first().map_or(0.0, |(_, stretch)| x(stretch.from));
    let (class, at) = if start < right / 2.0 { ("left", start + 4.0) } else { ("right", start - 4.0) };
    let first = row.bars.first().map_or(0, |(_, stretch)| stretch.to - stretch.from.min(stretch.to));
    let took = if first > 0 { format!(" ({})", span(first)) } else { String::new() };
    writeln!(
        out,
        r#"<text class="{class}" x="{at:.3}" y="{}">{}{took}</text>"#,
        y + ROW - 6.0,
        escaped(row.name)
    )
}

fn style(out: &mut String) -> fmt::Result {
    writeln!(out, "<style>")?;
    writeln!(out, "text {{ font: 14px sans-serif; }} text.right {{ text-anchor: end; }}")?;
    writeln!(out, "text.second {{ font-size: 10px; }} line {{ stroke: #dddddd; }}")?;
    writeln!(out, "rect.paper {{ fill: white; }} rect.box {{ fill: #f4f4f4; stroke: #c0c0c0; }}")?;
    for (class, colour, _) in CLASSES {
        writeln!(out, "rect.{class} {{ fill: {colour}; }}")?;
    }
    writeln!(out, "</style>")
}

/// Text as XML takes it; characters that it has none for are left out.
fn escaped(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '&' => escaped.push_str("&amp;"),
            '<' => escaped.push_str("&lt;"),
            '>' => escaped.push_str("&gt;"),
            '"' => escaped.push_str("&quot;"),
            c if c.is_control() => {}
            c => escaped.push(c),
        }
    }
    escaped
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_unit_comes_up_stays_and_goes() {
        let unit = |activating, activated, deactivating, deactivated| Unit {
            name: "a.service".to_owned(),
            activating,
            activated,
            deactivating,
            deactivated,
        };
        let bars = |unit: &Unit| {
            let bars = life(unit, 100).into_iter();
            bars.map(|(class, Stretch { from, to })| format!("{class} {from}-{to}"))
                .collect::<Vec<_>>()
                .join(", ")
        };
        assert_eq!(bars(&unit(10, 20, 0, 0)), "activating 10-20, active 20-100");
        assert_eq!(bars(&unit(10, 20, 30, 40)), "activating 10-20, active 20-30, deactivating 30-40");
        assert_eq!(bars(&unit(10, 0, 0, 40)), "activating 10-40, deactivating 40-40");
        assert_eq!(bars(&unit(10, 0, 0, 0)), "activating 10-100");
        // Started again: what is older than the start is of an earlier life.
        assert_eq!(bars(&unit(50, 60, 30, 40)), "activating 50-60, active 60-100");
        assert_eq!(bars(&unit(10, 20, 300, 0)), "activating 10-20, active 20-100, deactivating 100-100");
    }

    #[test]
    fn names_are_written_as_xml() {
        assert_eq!(escaped("a<b>&\"c\"\u{7}"), "a&lt;b&gt;&amp;&quot;c&quot;");
    }

    #[test]
    fn a_machine_has_rows_for_what_was_before_the_manager() {
        let boot = Boot {
            firmware: 5_000_000,
            loader: 2_000_000,
            kernel_done: 1_000_000,
            initrd: 1_000_000,
            userspace: 3_000_000,
            finish: 4_000_000,
            ..Boot::default()
        };
        let picture = Picture { boot, units: Vec::new(), title: String::new() };
        let rows: Vec<String> = picture
            .rows()
            .iter()
            .map(|row| format!("{} {}-{}", row.name, row.bars[0].1.from, row.bars[0].1.to))
            .collect();
        assert_eq!(
            rows,
            [
                "firmware 0-3000000",
                "loader 3000000-5000000",
                "kernel 5000000-6000000",
                "initrd 6000000-8000000",
                "manager 8000000-9000000",
            ]
        );
    }
}
