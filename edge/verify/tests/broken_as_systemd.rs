//! Unit files with lines drawn at random, most of them wrong: what `systemd-analyze verify` finds in them here and now
//! is found here too. Where the tool is missing this is skipped.

#![allow(clippy::unwrap_used)]

mod judge;

use eudaemon_unit::directives::{SECTIONS, Section};
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

/// systemd's lines about corners of values that are taken here, or worded otherwise; and keys of later versions, which are
/// known here.
const CORNERS: [&str; 10] = [
    "Unknown key",
    "Accepting user/group name",
    "OnFailureIsolate is deprecated",
    "Failed to parse error number, ignoring: 0",
    "Missing destination in MountImages",
    "RootHash= is too short",
    "Failed to parse the CoredumpFilter=-",
    "Unit uses MemoryLimit=",
    "Failed to decode RootHashSignature=",
    "Failed to parse namespace type string",
];

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
    let is_corner = |line: &String| CORNERS.iter().any(|words| line.contains(words));
    let less = unsaid(&theirs, &all).into_iter().filter(|line| !is_corner(line));
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
