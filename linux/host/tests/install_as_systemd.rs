//! Enabling, disabling, masking …, beside real `systemctl --root=` on equal folders: the links left, the words
//! said and the states shown must agree. `EUDAEMON_SEEDS=FROM..TO` chooses the seeds.

#![allow(clippy::unwrap_used)]

#[path = "install_as_systemd/listing.rs"]
mod listing;

use eudaemon_host::tree::HostTree;
use eudaemon_unit::files::{Environment, Index, Scope, SearchPath};
use eudaemon_unit::install::{
    self, AddedDependency, Force, Ground, Place, PresetMode, Refusal, Request, Whose,
};
use eudaemon_unit::specifier::Context;
use listing::{difference, listing, shown};
use std::collections::BTreeMap;
use std::fs;
use std::path::Path;
use std::process::Command;

/// Once they showed something wrong: a file whose section cannot be read, a preset that enables it, a path that is told
/// of, an alias whose name another file has, a link that leads to a name and to no file, and a linked file met again.
const MENDED: [u64; 6] = [102, 145, 153, 7116, 20031, 40147];

#[test]
fn links_words_and_states() {
    let version = Command::new("systemctl").arg("--version").output();
    if !version.is_ok_and(|out| String::from_utf8_lossy(&out.stdout).starts_with("systemd 252")) {
        eprintln!("SKIPPED: systemctl of systemd 252 is not here");
        return;
    }
    if !is_read_by_name() {
        eprintln!("SKIPPED: {IN_MEMORY} is no place whose directories are read from the newest entry on");
        return;
    }
    let seeds: Vec<u64> = match std::env::var("EUDAEMON_SEEDS") {
        Ok(seeds) => {
            let (from, to) = seeds.split_once("..").unwrap();
            (from.parse().unwrap()..to.parse().unwrap()).collect()
        }
        Err(_) => (0..40).chain(MENDED).collect(),
    };
    let mut wrong = Vec::new();
    for seed in seeds {
        if let Err(report) = one(seed) {
            wrong.push(format!("seed {seed}: {report}"));
        }
    }
    assert!(wrong.is_empty(), "{}\n{} seeds differ", wrong.join("\n\n"), wrong.len());
}

struct Folder(String);

impl Drop for Folder {
    fn drop(&mut self) {
        fs::remove_dir_all(&self.0).unwrap();
    }
}

fn one(seed: u64) -> Result<(), String> {
    let top = Folder(format!("{IN_MEMORY}/eudaemon-install-{}-{seed}", std::process::id()));
    let (theirs, ours) = (format!("{}/theirs", top.0), format!("{}/ours", top.0));
    let drawn = format!("{}/drawn", top.0);
    let mut luck = Luck(seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) ^ 0x1234_5678);
    let tree = world(&mut luck);
    build(&drawn, &tree);
    for root in [&theirs, &ours] {
        copy(Path::new(&drawn), Path::new(root));
    }
    let mut said = Vec::new();
    for _ in 0..5 {
        let words = order(&mut luck);
        let expected = systemctl(&theirs, &words);
        let found = eudaemon(&ours, &words);
        said.push(words.join(" "));
        // The client itself stops before it asks: not what is compared here.
        if expected.0.iter().any(|line| line.starts_with("Failed to look up")) {
            return Ok(());
        }
        let (theirs, ours) = (listing(&theirs), listing(&ours));
        if theirs != ours || expected != found {
            return Err(format!(
                "{}\n  after: {}\n  systemd said {expected:?}\n  we said      {found:?}\n{}",
                shown(&tree),
                said.join("; "),
                difference(&theirs, &ours)
            ));
        }
        let (expected, found) = (states_of_systemd(&top.0), states(&format!("{}/ours", top.0)));
        if expected != found {
            return Err(format!(
                "{}\n  after: {}\n{}",
                shown(&tree),
                said.join("; "),
                difference(&expected, &found)
            ));
        }
        again(&top.0);
    }
    Ok(())
}

/// What systemd does half-way through a directory depends on the order it is read in: here that of names, as for us. Directories
/// that live in memory are read from the newest entry on.
const IN_MEMORY: &str = "/dev/shm";

fn is_read_by_name() -> bool {
    let place = format!("{IN_MEMORY}/eudaemon-order-{}", std::process::id());
    if fs::create_dir(&place).is_err() {
        return false;
    }
    let place = Folder(place);
    for name in ["d", "c", "b", "a"] {
        fs::write(format!("{}/{name}", place.0), "").unwrap();
    }
    let read = fs::read_dir(&place.0).unwrap().map(|entry| entry.unwrap().file_name());
    read.eq(["a", "b", "c", "d"])
}

/// A copy whose directories are read in the order of names.
fn copy(from: &Path, to: &Path) {
    fs::create_dir(to).unwrap();
    let mut entries: Vec<_> = fs::read_dir(from).unwrap().map(Result::unwrap).collect();
    entries.sort_by_key(|entry| std::cmp::Reverse(entry.file_name()));
    for entry in entries {
        let (kind, new) = (entry.file_type().unwrap(), to.join(entry.file_name()));
        if kind.is_symlink() {
            std::os::unix::fs::symlink(fs::read_link(entry.path()).unwrap(), new).unwrap();
        } else if kind.is_dir() {
            copy(&entry.path(), &new);
        } else {
            fs::copy(entry.path(), new).unwrap();
        }
    }
}

/// Both trees made anew as they are, for their order.
fn again(top: &str) {
    for root in ["theirs", "ours"] {
        let (root, old) = (format!("{top}/{root}"), format!("{top}/old"));
        fs::rename(&root, &old).unwrap();
        copy(Path::new(&old), Path::new(&root));
        fs::remove_dir_all(&old).unwrap();
    }
}

/// xorshift: the same on every machine.
struct Luck(u64);

impl Luck {
    fn below(&mut self, end: usize) -> usize {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        (self.0 >> 11) as usize % end
    }
    fn pick<'a>(&mut self, list: &[&'a str]) -> &'a str {
        list[self.below(list.len())]
    }
    fn once_in(&mut self, times: usize) -> bool {
        self.below(times) == 0
    }
}

const FILES: &[&str] =
    &["a.service", "b.service", "c.socket", "d.timer", "t@.service", "t@x.service", "u@.service", "m.target"];
/// None of them has drop-ins.
const REENABLED: &[&str] = &["b.service", "m.target", "nosuch.service"];
const NAMES: &[&str] = &[
    "a.service",
    "b.service",
    "c.socket",
    "d.timer",
    "t@.service",
    "t@x.service",
    "t@y.service",
    "u@z.service",
    "u@.service",
    "m.target",
    "nosuch.service",
    "al.service",
    "tl@.service",
    "k.service",
];
const PLACES: &[&str] =
    &["/etc/systemd/system", "/usr/lib/systemd/system", "/usr/lib/systemd/system", "/run/systemd/system"];

/// Path → content, or `->target`.
fn world(luck: &mut Luck) -> BTreeMap<String, String> {
    let mut tree = BTreeMap::new();
    for file in FILES {
        if luck.once_in(5) {
            continue;
        }
        let place = luck.pick(PLACES);
        tree.insert(format!("{place}/{file}"), content(luck));
        if luck.once_in(4) {
            let place = luck.pick(PLACES);
            tree.entry(format!("{place}/{file}")).or_insert_with(|| content(luck));
        }
        if luck.once_in(8) && !REENABLED.contains(file) {
            tree.insert(format!("/usr/lib/systemd/system/{file}.d/x.conf"), content(luck));
        }
    }
    tree.insert("/usr/lib/systemd/system/multi-user.target".into(), "[Unit]\n".into());
    tree.insert("/opt/k.service".into(), content(luck));
    tree.insert("/usr/lib/systemd/system-preset/50-x.preset".into(), presets(luck));
    for _ in 0..luck.below(4) {
        let place = luck.pick(PLACES);
        let (name, target) = match luck.below(6) {
            0 => (luck.pick(NAMES).to_owned(), "/dev/null".to_owned()),
            1 => (luck.pick(NAMES).to_owned(), format!("/usr/lib/systemd/system/{}", luck.pick(FILES))),
            2 => (luck.pick(NAMES).to_owned(), luck.pick(FILES).to_owned()),
            3 => ("k.service".to_owned(), "/opt/k.service".to_owned()),
            4 => (
                format!("multi-user.target.wants/{}", luck.pick(NAMES)),
                format!("/usr/lib/systemd/system/{}", luck.pick(FILES)),
            ),
            _ => (format!("m.target.requires/{}", luck.pick(NAMES)), format!("../{}", luck.pick(FILES))),
        };
        let path = format!("{place}/{name}");
        tree.entry(path).or_insert(format!("->{target}"));
    }
    tree
}

fn content(luck: &mut Luck) -> String {
    let mut text = "[Unit]\nDescription=x\n".to_owned();
    if luck.once_in(12) {
        return String::new();
    }
    if luck.once_in(4) {
        return text;
    }
    text.push_str("[Install]\n");
    for _ in 0..1 + luck.below(3) {
        let line = match luck.below(9) {
            0 | 1 => format!(
                "WantedBy={}",
                luck.pick(&[
                    "multi-user.target",
                    "m.target",
                    "gone.target a.service",
                    "w@.target",
                    "w@%i.target"
                ])
            ),
            2 => format!("RequiredBy={}", luck.pick(&["multi-user.target", "m.target", "u@%i.service"])),
            3 => format!(
                "Alias={}",
                luck.pick(&[
                    "al.service",
                    "tl@.service",
                    "tl@%i.service",
                    "a.service",
                    "al.socket",
                    "%p-x.service",
                    "multi-user.target.wants/a.service"
                ])
            ),
            4 => format!(
                "Also={}",
                luck.pick(&["b.service", "c.socket", "nosuch.service", "t@x.service", "a.service d.timer"])
            ),
            5 => format!("DefaultInstance={}", luck.pick(&["x", "dflt", ""])),
            6 => "WantedBy=".to_owned(),
            7 => format!("WantedBy={}", luck.pick(&["%n.target", "bad name", "%%.target", "nosuffix"])),
            _ => luck
                .pick(&[
                    "Unknown=x",
                    "X-Mine=x",
                    "no equals",
                    "=x",
                    "WantedBy=m.target \"open",
                    "Also=%Z.service",
                    "Also=nosuffix",
                    "Also=\"open",
                    "DefaultInstance=a/b",
                    "[Unti]",
                    "[Install",
                ])
                .to_owned(),
        };
        text.push_str(&line);
        text.push('\n');
    }
    text
}

fn presets(luck: &mut Luck) -> String {
    let mut text = String::new();
    for _ in 0..luck.below(4) {
        let name =
            luck.pick(&["a.service", "b.*", "t@.service", "t@.service x y", "*.socket", "u@?.service", "*"]);
        text.push_str(&format!("{} {name}\n", luck.pick(&["enable", "disable"])));
        if luck.once_in(4) {
            text.push_str(luck.pick(&[
                "frobnicate a.service\n",
                "enable a.service x\n",
                "  disablea\n",
                "# x\n",
            ]));
        }
    }
    text
}

fn order(luck: &mut Luck) -> Vec<String> {
    let verb = luck.pick(&[
        "enable",
        "enable",
        "enable",
        "disable",
        "disable",
        "reenable",
        "mask",
        "unmask",
        "link",
        "preset",
        "preset-all",
        "revert",
        "set-default",
        "add-wants",
        "add-requires",
    ]);
    let mut words = vec![verb.to_owned()];
    if luck.once_in(5) {
        words.push("--runtime".to_owned());
    }
    if luck.once_in(5) {
        words.push("--force".to_owned());
    }
    match verb {
        "set-default" => {
            words.push(luck.pick(&["m.target", "multi-user.target", "nosuch.target", "a.service"]).to_owned())
        }
        "link" => words.push(luck.pick(&["/opt/k.service", "/opt/nosuch.service"]).to_owned()),
        "preset-all" => {
            words.push(format!("--preset-mode={}", luck.pick(&["full", "enable-only", "disable-only"])));
            return words;
        }
        "add-wants" | "add-requires" => {
            words.push(luck.pick(&["multi-user.target", "m.target", "nosuch.target"]).to_owned());
            words.push(luck.pick(NAMES).to_owned());
        }
        "reenable" => words.push(luck.pick(REENABLED).to_owned()),
        "enable" if luck.once_in(8) => words.push("/opt/k.service".to_owned()),
        _ => {
            for _ in 0..1 + luck.below(2) {
                words.push(luck.pick(NAMES).to_owned());
            }
        }
    }
    words
}

fn build(root: &str, tree: &BTreeMap<String, String>) {
    for directory in PLACES {
        fs::create_dir_all(format!("{root}{directory}")).unwrap();
    }
    std::os::unix::fs::symlink("usr/lib", format!("{root}/lib")).unwrap();
    for (path, content) in tree {
        let place = format!("{root}{path}");
        fs::create_dir_all(Path::new(&place).parent().unwrap()).unwrap();
        match content.strip_prefix("->") {
            Some(target) => std::os::unix::fs::symlink(target, &place).unwrap(),
            None => fs::write(&place, content).unwrap(),
        }
    }
}

/// What was said, each line, and how it ended.
type Said = (Vec<String>, bool);

fn systemctl(root: &str, words: &[String]) -> Said {
    let out = Command::new("systemctl")
        .arg(format!("--root={root}"))
        .args(words)
        .env("LC_ALL", "C.UTF-8")
        .output()
        .unwrap();
    let text = format!("{}{}", String::from_utf8_lossy(&out.stdout), String::from_utf8_lossy(&out.stderr));
    let text = text.replace(root, "");
    let plain = |line: &&str| {
        line.starts_with("Created")
            || line.starts_with("Removed")
            || line.starts_with("Failed")
            || line.starts_with("Unit ")
            || line.starts_with('/')
    };
    let mut lines: Vec<String> = text.lines().filter(plain).map(str::to_owned).collect();
    lines.sort();
    // We say once of a file's line what is wrong with it.
    lines.dedup_by(|line, before| line.starts_with('/') && line == before);
    (lines, out.status.success())
}

fn eudaemon(root: &str, words: &[String]) -> Said {
    let tree = HostTree::under(root);
    let search = SearchPath::new(Scope::System, &Environment::default());
    let index = Index::read(&tree, &search);
    let cx = Context::default();
    let ground = Ground { search: &search, index: &index, cx: &cx, whose: Whose::Image };
    let has = |option: &str| words.iter().any(|word| word == option);
    let place = if has("--runtime") { Place::Runtime } else { Place::Persistent };
    let force = if has("--force") { Force::Yes } else { Force::No };
    let names: Vec<String> = words[1..].iter().filter(|word| !word.starts_with('-')).cloned().collect();
    let mode = match words.iter().find_map(|word| word.strip_prefix("--preset-mode=")) {
        Some("enable-only") => PresetMode::EnableOnly,
        Some("disable-only") => PresetMode::DisableOnly,
        _ => PresetMode::Full,
    };
    let (verb, first) = (words[0].as_str(), || names[0].clone());
    let rest = || names[1..].to_vec();
    let request = match verb {
        "enable" => Request::Enable { names, force },
        "disable" => Request::Disable { names },
        "reenable" => Request::Reenable { names, force },
        "mask" => Request::Mask { names, force },
        "unmask" => Request::Unmask { names },
        "link" => Request::Link { paths: names, force },
        "preset" => Request::Preset { names, mode, force },
        "preset-all" => Request::PresetAll { mode, force },
        "revert" => Request::Revert { names },
        "set-default" => Request::SetDefault { name: first(), force: Force::Yes },
        "add-wants" => {
            Request::AddDependency { names: rest(), target: first(), kind: AddedDependency::Wants, force }
        }
        _ => {
            Request::AddDependency { names: rest(), target: first(), kind: AddedDependency::Requires, force }
        }
    };
    let plan = install::plan(&tree, ground, place, &request);
    tree.apply(&plan.changes).unwrap();
    let word = match verb {
        "set-default" => "set default",
        "preset-all" => "preset",
        "add-wants" | "add-requires" => "add dependency on",
        verb => verb,
    };
    let mut lines: Vec<String> = plan.changes.iter().filter_map(|change| change.offline(word)).collect();
    // What was not remembered on the way is said at the end.
    if let Some(refusal @ Refusal::Invalid { .. }) = &plan.refusal {
        lines.push(refusal.offline(word));
    }
    // systemd says nothing of where such a name stands.
    let alone = ["Invalid unit name in Also=", "Unbalanced quoting in Also="];
    let odd = plan.odd.iter().map(ToString::to_string);
    lines.extend(odd.filter(|line| !alone.iter().any(|words| line.contains(words))));
    lines.sort();
    (lines, plan.refusal.is_none())
}

fn states_of_systemd(top: &str) -> Vec<String> {
    let out = Command::new("systemctl")
        .arg(format!("--root={top}/theirs"))
        .args(["list-unit-files", "--no-legend", "--no-pager", "--full"])
        .output()
        .unwrap();
    let row = |line: &str| {
        let mut words = line.split_whitespace();
        format!("{} {}", words.next().unwrap(), words.next().unwrap())
    };
    let mut rows: Vec<String> = String::from_utf8_lossy(&out.stdout).lines().map(row).collect();
    rows.sort();
    rows
}

fn states(root: &str) -> Vec<String> {
    let tree = HostTree::under(root);
    let search = SearchPath::new(Scope::System, &Environment::default());
    let (index, cx) = (Index::read(&tree, &search), Context::default());
    let ground = Ground { search: &search, index: &index, cx: &cx, whose: Whose::Image };
    let mut rows: Vec<String> = install::list(&tree, ground)
        .into_iter()
        .map(|(path, state)| format!("{} {}", path.rsplit('/').next().unwrap(), state.word()))
        .collect();
    rows.sort();
    rows
}
