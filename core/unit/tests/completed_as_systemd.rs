//! Every unit of a booted machine, file, drop-ins and dependencies, compared with real systemd's answers.
//! `EUDAEMON_ORACLE` names folders made by `oracle.sh`, separated by colons.

#![allow(clippy::unwrap_used)]

use eudaemon_unit::config::unit::Dependency;
use eudaemon_unit::config::{Config, LoadState};
use eudaemon_unit::files::{Environment, Index, MemoryTree, Scope, SearchPath};
use eudaemon_unit::install::{self, Ground, Presets, Whose};
use eudaemon_unit::load::{Loader, Surroundings};
use eudaemon_unit::name::{UnitKind, UnitName};
use eudaemon_unit::specifier::Context;
use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::Path;

type Shown = BTreeMap<String, String>;

#[test]
fn files_and_dependencies() {
    let Ok(folders) = std::env::var("EUDAEMON_ORACLE") else {
        eprintln!("SKIPPED: EUDAEMON_ORACLE names no folder made by oracle.sh");
        return;
    };
    let mut wrong = Vec::new();
    for folder in folders.split(':') {
        let shown = shown(&fs::read_to_string(format!("{folder}/show.txt")).unwrap());
        let ours = load(&format!("{folder}/root"), &shown);
        for (name, theirs) in &shown {
            compare(name, theirs, &ours, &shown, &mut wrong);
        }
        states(folder, &mut wrong);
        eprintln!("{folder}: {} units", shown.len());
    }
    assert!(wrong.is_empty(), "{}\n{} differ", wrong.join("\n"), wrong.len());
}

/// What `list-unit-files` said: name, state, preset.
fn states(folder: &str, wrong: &mut Vec<String>) {
    let tree = tree(&format!("{folder}/root"));
    let mut search = SearchPath::new(Scope::System, &Environment::default());
    // Their list knows nothing of our own units.
    search.directories.pop();
    let (index, cx) = (Index::read(&tree, &search), Context::default());
    let ground = Ground { search: &search, index: &index, cx: &cx, whose: Whose::Machine };
    let presets = Presets::read(&tree, &search);
    let ours: BTreeMap<String, String> = install::list(&tree, ground)
        .into_iter()
        .map(|(path, state)| (path.rsplit('/').next().unwrap().to_owned(), state.word().to_owned()))
        .collect();
    let mut theirs = 0;
    for line in fs::read_to_string(format!("{folder}/unit-files.txt")).unwrap().lines() {
        let words: Vec<&str> = line.split_whitespace().collect();
        theirs += 1;
        let state = ours.get(words[0]).map_or("(none)", String::as_str);
        let preset = if words[2] == "-" { "-" } else { presets.word(words[0]) };
        if (state, preset) != (words[1], words[2]) {
            wrong.push(format!("{}: systemd {} {}, we {state} {preset}", words[0], words[1], words[2]));
        }
    }
    if theirs != ours.len() {
        wrong.push(format!("systemd lists {theirs} unit files, we {}", ours.len()));
    }
}

const EDGES: [(&str, Dependency); 11] = [
    ("Requires", Dependency::Requires),
    ("Requisite", Dependency::Requisite),
    ("Wants", Dependency::Wants),
    ("BindsTo", Dependency::BindsTo),
    ("PartOf", Dependency::PartOf),
    ("Conflicts", Dependency::Conflicts),
    ("Before", Dependency::Before),
    ("After", Dependency::After),
    ("Triggers", Dependency::Triggers),
    ("OnFailure", Dependency::OnFailure),
    ("Slice", Dependency::InSlice),
];

fn compare(
    name: &str,
    theirs: &Shown,
    ours: &BTreeMap<String, Config>,
    all: &BTreeMap<String, Shown>,
    wrong: &mut Vec<String>,
) {
    let Some(config) = ours.get(name) else { return wrong.push(format!("{name}: not loaded")) };
    let get = |key: &str| theirs.get(key).map_or("", String::as_str);
    // A mount without a file is known from the kernel's table alone.
    if config.name.kind() == UnitKind::Mount && get("FragmentPath").is_empty() {
        return;
    }
    let mut say = |key: &str, theirs: &str, ours: &str| {
        if theirs != ours {
            wrong.push(format!("{name}: {key}: systemd {theirs:?}, we {ours:?}"));
        }
    };
    let load = match &config.load {
        LoadState::Loaded => "loaded",
        LoadState::NotFound => "not-found",
        LoadState::BadSetting(_) => "bad-setting",
        LoadState::Inconsistent(_) | LoadState::Unreadable(_) => "error",
        LoadState::Masked => "masked",
    };
    say("LoadState", get("LoadState"), load);
    if load != "loaded" || get("LoadState") != "loaded" || get("FragmentPath").is_empty() {
        return;
    }
    say("FragmentPath", get("FragmentPath"), config.fragment.as_deref().unwrap_or(""));
    say("DropInPaths", get("DropInPaths"), &config.dropins.join(" "));
    let mut names: Vec<&str> =
        config.aliases.iter().map(UnitName::as_str).chain([config.name.as_str()]).collect();
    names.sort_unstable();
    say("Names", &words(get("Names")).join(" "), &names.join(" "));
    for (key, dependency) in EDGES {
        let theirs: BTreeSet<String> =
            words(get(key)).into_iter().filter(|other| counts(other, all)).collect();
        let said: BTreeSet<String> =
            forward(config, dependency, ours).filter(|other| counts(other, all)).collect();
        let ours: BTreeSet<String> = said.iter().cloned().chain(backward(config, dependency, ours)).collect();
        // The other side of an edge is not there in systemd while the other unit is not loaded.
        for extra in said.difference(&theirs) {
            say(key, "", extra);
        }
        for missing in theirs.difference(&ours) {
            say(key, missing, "");
        }
    }
}

/// Mounts and devices come from the running kernel, with no file; what is not loaded there says nothing here.
fn counts(other: &str, all: &BTreeMap<String, Shown>) -> bool {
    let kind = UnitName::parse(other).unwrap().kind();
    let has_file =
        all.get(other).is_some_and(|shown| shown.get("FragmentPath").is_some_and(|path| !path.is_empty()));
    kind != UnitKind::Device && (kind != UnitKind::Mount || has_file) && kind != UnitKind::Swap
}

fn main_name(name: &UnitName, ours: &BTreeMap<String, Config>) -> String {
    ours.get(name.as_str()).map_or(name.to_string(), |config| config.name.to_string())
}

fn forward(
    config: &Config,
    dependency: Dependency,
    ours: &BTreeMap<String, Config>,
) -> impl Iterator<Item = String> {
    let named = config.unit.dependencies.iter().filter(move |(said, _)| *said == dependency);
    named.map(|(_, other)| main_name(other, ours)).collect::<Vec<_>>().into_iter()
}

/// `Before=` there is `After=` here.
fn backward(
    config: &Config,
    dependency: Dependency,
    ours: &BTreeMap<String, Config>,
) -> impl Iterator<Item = String> {
    let pairs = [(Dependency::Before, Dependency::After), (Dependency::After, Dependency::Before)];
    let Some((_, inverse)) = pairs.into_iter().find(|(one, _)| *one == dependency) else {
        return Vec::new().into_iter();
    };
    let names = |other: &Config| {
        other
            .unit
            .dependencies
            .iter()
            .any(|(said, name)| *said == inverse && main_name(name, ours) == config.name.as_str())
    };
    let found: BTreeSet<String> =
        ours.values().filter(|other| names(other)).map(|other| other.name.to_string()).collect();
    found.into_iter().collect::<Vec<_>>().into_iter()
}

fn load(root: &str, shown: &BTreeMap<String, Shown>) -> BTreeMap<String, Config> {
    let tree = tree(root);
    let index = Index::read(&tree, &SearchPath::new(Scope::System, &Environment::default()));
    let cx = Context::default();
    let loader = Loader {
        tree: &tree,
        index: &index,
        cx: &cx,
        scope: Scope::System,
        surroundings: Surroundings::Machine,
    };
    let names: Vec<UnitName> = shown.keys().map(|name| UnitName::parse(name).unwrap()).collect();
    let mut units = BTreeMap::new();
    for merged in loader.closure(&names) {
        for alias in &merged.config.aliases {
            units.insert(alias.to_string(), merged.config.clone());
        }
        units.insert(merged.config.name.to_string(), merged.config);
    }
    units
}

fn tree(root: &str) -> MemoryTree {
    let mut tree = MemoryTree::new();
    tree.special("/dev/null");
    copy(Path::new(root), "", &mut tree);
    tree
}

fn copy(from: &Path, to: &str, tree: &mut MemoryTree) {
    for entry in fs::read_dir(from).unwrap() {
        let entry = entry.unwrap();
        let path = format!("{to}/{}", entry.file_name().into_string().unwrap());
        let kind = entry.file_type().unwrap();
        if kind.is_symlink() {
            tree.link(&path, fs::read_link(entry.path()).unwrap().to_str().unwrap());
        } else if kind.is_dir() {
            tree.directory(&path);
            copy(&entry.path(), &path, tree);
        } else {
            tree.file(&path, fs::read(entry.path()).unwrap());
        }
    }
}

fn shown(text: &str) -> BTreeMap<String, Shown> {
    let blocks = text.split("\n\n");
    let read = |block: &str| -> Shown {
        block
            .lines()
            .filter_map(|line| line.split_once('='))
            .map(|(key, value)| (key.into(), value.into()))
            .collect()
    };
    blocks.map(read).filter_map(|block: Shown| Some((block.get("Id")?.clone(), block))).collect()
}

/// systemctl quotes names that hold a backslash.
fn words(list: &str) -> Vec<String> {
    let mut words: Vec<String> = list
        .split(' ')
        .filter(|word| !word.is_empty())
        .map(|word| word.trim_matches('"').replace("\\\\", "\\"))
        .collect();
    words.sort();
    words
}
