//! Unit files with lines drawn at random, most of them wrong: what `systemd-analyze verify` finds in them here and now
//! is found here too. Where the tool is missing this is skipped.

#![allow(clippy::unwrap_used)]

mod judge;

use eudaemon_unit::directives::{Directive, SECTIONS, Section};
use eudaemon_unit::files::Scope;
use eudaemon_verify::{Finding, Notes, Recursion, Request, verify};
use judge::{ours, systemd, unsaid};
use std::collections::{BTreeMap, BTreeSet};
use std::path::PathBuf;

/// Files of each kind; a seed of its own draws the next run's, where it is set: `EUDAEMON_SEED`.
const FILES: usize = 60;

const KINDS: [(&str, &str); 6] = [
    ("service", "[Service]\nExecStart=/bin/true\n"),
    ("socket", "[Socket]\nListenStream=/run/x\n"),
    ("timer", "[Timer]\nOnCalendar=daily\n"),
    ("path", "[Path]\nPathExists=/x\n"),
    ("target", ""),
    ("slice", ""),
];

const VALUES: [&str; 40] = [
    "",
    "yes",
    "maybe",
    "5s",
    "5 parsecs",
    "-1",
    "0",
    "1",
    "99999999999999999999",
    "infinity",
    "/x",
    "x",
    "/bin/true",
    "/bin/gone",
    "-/bin/gone",
    "\"open",
    "a b c",
    "%i",
    "%Z",
    "10%",
    "200%",
    "~",
    "~CAP_CHOWN",
    "@system-service",
    "SIGTERM",
    "SIGFOO",
    "0755",
    "0999",
    "root",
    "a:b",
    "always",
    "journal",
    "NAME=value",
    "=x",
    "daily",
    "mon..fri 25:00",
    "10.0.0.0/8",
    "a.service",
    "a@.service",
    "../x",
];

/// Sections, keys and lines that are none.
const ODD: [&str; 8] = [
    "[Unti]",
    "[Service",
    "Frobnicate=1",
    "=x",
    "no equals",
    "ExecStrat=/bin/true",
    "[X-Mine]",
    "After=a b.service",
];

/// A key of a later version, which is known here.
const LATER: &str = "Unknown key";

/// What is found here alone, on purpose.
const OURS: [&str; 2] = ["missing-trigger", "unknown-unit"];

struct Draw(u64);

impl Draw {
    fn below(&mut self, end: usize) -> usize {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 33) as usize % end
    }

    fn one<'a, T>(&mut self, of: &'a [T]) -> &'a T {
        &of[self.below(of.len())]
    }
}

/// A folder of this test's own, removed at its end.
struct Folder(PathBuf);

impl Drop for Folder {
    fn drop(&mut self) {
        std::fs::remove_dir_all(&self.0).unwrap();
    }
}

fn text(draw: &mut Draw, kind: &str, needed: &str) -> String {
    let own = format!("{}{}", kind[..1].to_uppercase(), &kind[1..]);
    let mut text = "[Unit]\nDefaultDependencies=no\n".to_owned();
    for section in ["Unit", own.as_str()] {
        let Some(Section { tables, .. }) = SECTIONS.iter().find(|known| known.name == section) else {
            continue;
        };
        // systemd reads no value of what it passes over.
        let keys = tables.iter().flat_map(|table| table.iter()).map(|row| row.key);
        let keys: Vec<&str> = keys.filter(|key| !key.starts_with("X-")).collect();
        if section != "Unit" {
            text += if needed.is_empty() { "" } else { needed };
        }
        for _ in 0..draw.below(5) {
            text += &match draw.below(12) {
                0 => format!("{}\n", draw.one(&ODD)),
                _ => format!("{}={}\n", draw.one(&keys), draw.one(&VALUES)),
            };
        }
    }
    text
}

#[test]
fn what_systemd_finds_is_found() {
    let seed = std::env::var("EUDAEMON_SEED").ok().and_then(|seed| seed.parse().ok()).unwrap_or(1);
    let folder = Folder(std::env::temp_dir().join(format!("eudaemon-verify-broken-{}", std::process::id())));
    std::fs::create_dir_all(&folder.0).unwrap();
    let mut draw = Draw(seed);
    let mut texts: BTreeMap<String, String> = BTreeMap::new();
    for (kind, needed) in KINDS {
        for number in 0..FILES {
            let name = format!("{kind}{number}.{kind}");
            let text = text(&mut draw, kind, needed);
            std::fs::write(folder.0.join(&name), &text).unwrap();
            texts.insert(name, text);
        }
    }
    let path = |name: &String| folder.0.join(name).to_string_lossy().into_owned();
    let arguments: Vec<String> = texts.keys().map(path).collect();
    let Some(theirs) = systemd("--system", &arguments) else {
        println!("SKIPPED: no systemd-analyze here (apt-get install systemd)");
        return;
    };
    let request =
        Request { arguments, scope: Scope::System, recursion: Recursion::All, ..Request::default() };
    let all = verify(&request).findings;
    let less = unsaid(&theirs, &all).into_iter().filter(|line| !line.contains(LATER));
    // systemd reads no further than the line that is fatal.
    let name = |finding: &Finding| finding.file.rsplit('/').next().unwrap().to_owned();
    let fatal: BTreeSet<String> = all.iter().filter(|finding| !finding.notes.is_empty()).map(name).collect();
    let severe = verify(&Request { notes: Notes::Dropped, ..request }).findings;
    let more = severe.iter().filter(|finding| {
        let is_theirs = ours(finding).iter().any(|line| theirs.contains(line));
        !is_theirs && !OURS.contains(&finding.code) && !fatal.contains(&name(finding))
    });
    let with_text = |name: &str, line: &str| {
        let text = texts.get(name).map_or("", String::as_str);
        format!("{line}\nof\n{text}")
    };
    let less: Vec<String> =
        less.map(|line| with_text(line.split(": ").next().unwrap_or(""), &line)).collect();
    let more: Vec<String> = more.map(|finding| with_text(&name(finding), &finding.message)).collect();
    println!("{} files, of which systemd says {} lines", texts.len(), theirs.len());
    assert!(theirs.len() > FILES, "some lines are wrong");
    assert!(less.is_empty(), "{} said by systemd alone:\n{}", less.len(), less.join("\n\n"));
    println!("{} lines are said here alone\n{}", more.len(), more.join("\n\n"));
}

/// Each key of a section that was not seen in another, with each value of the list, in a file of its own: its name, and the
/// text.
fn pairs(section: &Section, kind: &str, seen: &mut BTreeSet<*const Directive>) -> BTreeMap<String, String> {
    let needed = KINDS.iter().find(|(known, _)| *known == kind).map_or("", |(_, needed)| needed);
    let rows = section.tables.iter().flat_map(|table| table.iter());
    let keys = rows.filter(|row| seen.insert(std::ptr::from_ref(*row))).map(|row| row.key);
    let mut texts = BTreeMap::new();
    for key in keys.filter(|key| !key.starts_with("X-")) {
        for (number, value) in VALUES.iter().enumerate() {
            let name = format!("{}-{number}", key.to_lowercase());
            // The name of a mount's unit is its place's.
            let needed = match kind {
                "mount" => format!("[Mount]\nWhat=/dev/x\nWhere=/{}\n", name.replace('-', "/")),
                "automount" => format!("[Automount]\nWhere=/{}\n", name.replace('-', "/")),
                "swap" => format!("[Swap]\nWhat=/{}\n", name.replace('-', "/")),
                _ => needed.to_owned(),
            };
            let text = format!("[Unit]\nDefaultDependencies=no\n{needed}[{}]\n{key}={value}\n", section.name);
            texts.insert(format!("{name}.{kind}"), text);
        }
    }
    texts
}

#[test]
fn every_key_is_judged_as_systemd_judges_it() {
    let folder = Folder(std::env::temp_dir().join(format!("eudaemon-verify-pairs-{}", std::process::id())));
    let (mut less, mut seen, mut said) = (Vec::new(), BTreeSet::new(), 0);
    let named = ["Service", "Socket", "Timer", "Path", "Slice", "Mount", "Automount", "Swap"];
    let sections = named.map(|name| (name, name.to_lowercase()));
    let shared = [("Unit", "target".to_owned()), ("Install", "target".to_owned())];
    for (section, kind) in sections.into_iter().chain(shared) {
        let section = SECTIONS.iter().find(|known| known.name == section).unwrap();
        let texts = pairs(section, &kind, &mut seen);
        let folder = folder.0.join(section.name);
        std::fs::create_dir_all(&folder).unwrap();
        for (name, text) in &texts {
            std::fs::write(folder.join(name), text).unwrap();
        }
        let path = |name: &String| folder.join(name).to_string_lossy().into_owned();
        // Several keys at once; but mounts that are wrong get in the way of others.
        let keys = if kind == "mount" { 1 } else { 10 };
        for some in texts.keys().map(path).collect::<Vec<_>>().chunks(keys * VALUES.len()) {
            let Some(theirs) = systemd("--system", some) else {
                println!("SKIPPED: no systemd-analyze here (apt-get install systemd)");
                return;
            };
            said += theirs.len();
            let request = Request {
                arguments: some.to_vec(),
                scope: Scope::System,
                recursion: Recursion::All,
                ..Request::default()
            };
            less.extend(unsaid(&theirs, &verify(&request).findings));
        }
    }
    less.retain(|line| !line.contains(LATER));
    assert!(said > seen.len(), "most keys have wrong values");
    assert!(less.is_empty(), "{} said by systemd alone:\n{}", less.len(), less.join("\n"));
}
