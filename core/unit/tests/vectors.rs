//! Agreement with real systemd, measured: each table names an input and what systemd 252 made of it.

#![allow(clippy::unwrap_used, clippy::wildcard_enum_match_arm)]

#[path = "vectors/json.rs"]
mod json;
#[path = "vectors/show.rs"]
mod show;
#[path = "vectors/table.rs"]
mod table;

use eudaemon_unit::config::exec::{Expansion, Failure, Privileges};
use eudaemon_unit::config::{Config, Dependency};
use eudaemon_unit::directives::find;
use eudaemon_unit::files::{self, Environment, Found, Fragment, Index, MemoryTree, SearchPath};
use eudaemon_unit::load::{Loader, Surroundings};
use eudaemon_unit::merge::{Merged, Source, merge};
use eudaemon_unit::name::UnitName;
use eudaemon_unit::specifier::Context;
use eudaemon_unit::values::size::{Steps, parse_size};
use eudaemon_unit::values::{format_timespan, parse_timespan};
use json::Json;
use table::{Score, rows, text};

fn context() -> Context {
    let mut cx = Context { shell: "/bin/bash".into(), hostname: "vm".into(), ..Context::default() };
    cx.os.id = "debian".into();
    cx.os.version_id = "12".into();
    cx
}

fn load(name: &str, path: &str, file: &[u8]) -> Merged {
    let name = UnitName::parse(name).unwrap();
    let found = Found {
        name: name.clone(),
        aliases: Vec::new(),
        fragment: Fragment::File(path.to_owned()),
        dropins: Vec::new(),
        dependencies: Vec::new(),
    };
    merge(&name, &[Source { path, text: file }], &found, &context())
}

fn unit(name: &str, file: &str) -> Merged {
    load(name, &format!("/run/systemd/system/{name}"), file.as_bytes())
}

/// Diagnostics as the tables write them: `<unit>` for the unit, no line numbers.
fn messages(merged: &Merged) -> String {
    let name = merged.config.name.as_str();
    merged.diagnostics.iter().map(|said| said.text.replace(name, "<unit>")).collect::<Vec<_>>().join("\n")
}

/// systemd's messages, reduced to what is ours to say.
fn expected_messages(cell: &[u8]) -> String {
    let cell = text(cell);
    let lines = cell.lines().filter(|line| !line.ends_with("has a bad unit file setting."));
    let lines = lines.map(|line| match line.strip_prefix("<unit>:") {
        Some(rest) => rest.split_once(' ').map_or(rest, |(_, text)| text),
        None => line,
    });
    lines.collect::<Vec<_>>().join("\n")
}

#[test]
fn timespan() {
    let Some(rows) = rows("timespan") else { return };
    let mut score = Score::new("timespan");
    for row in rows {
        let found = match parse_timespan(&text(&row[0])) {
            Ok(span) => format!("ok {} {}", span.0, format_timespan(span)),
            Err(_) => "error  ".into(),
        };
        let expected = format!("{} {} {}", text(&row[1]), text(&row[2]), text(&row[3]));
        score.row(&text(&row[0]), &expected, &found);
    }
    score.done(141);
}

#[test]
fn bytesize() {
    let Some(rows) = rows("bytesize") else { return };
    let mut score = Score::new("bytesize");
    for row in rows {
        let (key, value) = (text(&row[0]), text(&row[1]));
        let trimmed = value.trim();
        let steps = if key == "IOReadBandwidthMax" { Steps::Of1000 } else { Steps::Of1024 };
        let found = parse_size(trimmed, steps);
        let (nothing, prefix) = match key.as_str() {
            "PipeSize" | "ReceiveBuffer" => ("0", ""),
            "IOReadBandwidthMax" => ("", "/dev/null "),
            _ => ("infinity", ""),
        };
        let reaches_end = key != "PipeSize" && key != "ReceiveBuffer";
        let found = match found {
            Ok(u64::MAX) if reaches_end => nothing.to_owned(),
            Ok(0) if key == "MemoryMax" => nothing.to_owned(),
            Ok(size) => format!("{prefix}{size}"),
            Err(_) => nothing.to_owned(),
        };
        score.row(&format!("{key}={value}"), &text(&row[2]), &found);
    }
    score.done(187);
}

#[test]
fn unit_names() {
    let Some(rows) = rows("unit-name") else { return };
    let mut score = Score::new("unit-name");
    for row in rows {
        // An instance of a scope is a name, only no unit that can be loaded; an empty name is the caller itself.
        let is_name =
            UnitName::parse(&text(&row[0])).is_ok() && !text(&row[3]).starts_with("Invalid argument");
        score.row(&text(&row[0]), &text(&row[1]), if is_name { "ok" } else { "error" });
    }
    score.done(48);
}

#[test]
fn exec_lines() {
    let Some(rows) = rows("exec-parse") else { return };
    let mut score = Score::new("exec-parse");
    let mut said = Score::new("exec-parse messages");
    for row in rows {
        let (lines, fragment) = (text(&row[0]), "[Service]\nType=oneshot\nEnvironment=FOO=foo\n");
        let merged = unit("vex-0125.service", &format!("{fragment}{lines}\n"));
        let hide = |text: &str| text.replace("IDX", "0125");
        let config = &merged.config;
        let commands = &show::service(config).commands.start;
        let json: Vec<Json> = commands.iter().map(as_json).collect();
        let mut expected = Json::parse(&hide(&text(&row[2])));
        // What systemd leaves of a unit that it refused is not what was read.
        if show::load_state(config) == "bad-setting" && text(&row[1]) == "bad-setting" {
            expected = Json::List(json.clone());
        }
        let found = format!("{} {:?}", show::load_state(config), Json::List(json));
        score.row(&lines, &format!("{} {expected:?}", text(&row[1])), &found);
        // A value that holds line breaks was cut by the table's journal reader.
        let found = messages(&merged).replace("\n$V\n", "\n").replace("\n\n", "\n");
        said.row(&lines, &expected_messages(hide(&text(&row[4])).as_bytes()), &found);
    }
    score.done(125);
    said.done(125);
}

fn as_json(command: &eudaemon_unit::config::exec::ExecCommand) -> Json {
    let text = |text: &str| Json::Text(text.to_owned());
    let mut flags = Vec::new();
    if command.failure == Failure::Ignored {
        flags.push(text("ignore-failure"));
    }
    match command.privileges {
        Privileges::AsConfigured => {}
        Privileges::Full => flags.push(text("privileged")),
        Privileges::NoSetuid => flags.push(text("no-setuid")),
        Privileges::AmbientMagic => flags.push(text("ambient")),
    }
    if command.expansion == Expansion::None {
        flags.push(text("no-env-expand"));
    }
    let argv = command.argv.iter().map(|word| text(word)).collect();
    Json::List(vec![text(&command.path), Json::List(argv), Json::List(flags)])
}

#[test]
fn environment() {
    let Some(rows) = rows("environment") else { return };
    let mut score = Score::new("environment");
    for row in rows {
        let lines = text(&row[0]);
        let merged =
            unit("ven-IDX.service", &format!("[Service]\nType=oneshot\n{lines}\nExecStart=/bin/bash\n"));
        let shown = show::list(&show::service(&merged.config).exec.environment);
        let found = format!("{} {shown}", show::load_state(&merged.config));
        score.row(&lines, &format!("{} {}", text(&row[1]), text(&row[2])), &found);
    }
    score.done(40);
}

#[test]
fn environment_files() {
    let Some(rows) = rows("envfile") else { return };
    let mut score = Score::new("envfile");
    for row in rows {
        let found = match eudaemon_plan::env_file::parse(&row[0]) {
            Ok(file) => {
                let pairs = file.assignments.iter().filter_map(|text| text.split_once('='));
                let pairs = pairs.map(|(name, value)| (name.to_owned(), Json::Text(value.to_owned())));
                format!("rc=0 {:?}", Json::Object(pairs.collect()))
            }
            Err(_) => format!("rc=1 {:?}", Json::parse("null")),
        };
        score.row(&text(&row[0]), &format!("{} {:?}", text(&row[1]), Json::parse(&text(&row[2]))), &found);
    }
    score.done(62);
}

#[test]
fn specifiers() {
    let Some(rows) = rows("specifiers") else { return };
    let mut score = Score::new("specifiers");
    for row in rows {
        let (name, specifier) = (text(&row[0]), text(&row[1]));
        let expected = format!("{} {}", text(&row[2]), text(&row[3]));
        let Ok(parsed) = UnitName::parse(&name) else {
            score.row(&name, if expected.starts_with("LoadUnit error") { "" } else { &expected }, "");
            continue;
        };
        let file = parsed.template().map_or(name.clone(), |template| template.to_string());
        let path = format!("/run/systemd/system/{file}");
        let text = format!("[Service]\nExecStart=/bin/true\nEnvironment=\"K=<{specifier}>\"\n");
        let merged = load(&name, &path, text.as_bytes());
        let cx = context();
        let host = [
            (cx.boot_id.as_str(), "@boot-id@", 'b'),
            (cx.machine_id.as_str(), "@machine-id@", 'm'),
            (cx.hostname.as_str(), "@hostname@", 'H'),
            (cx.kernel.as_str(), "@kernel@", 'v'),
        ];
        let found = match show::service(&merged.config).exec.environment.first() {
            Some(assignment) => {
                let value = assignment.trim_start_matches("K=<").trim_end_matches('>');
                let letter = specifier.chars().nth(1).unwrap_or(' ');
                let letter = if "qlH".contains(letter) { 'H' } else { letter };
                let hidden = host.iter().find(|(shown, _, of)| *shown == value && *of == letter);
                format!("ok {}", hidden.map_or(value, |(_, name, _)| name))
            }
            None => "dropped ".into(),
        };
        score.row(&format!("{name} {specifier}"), &expected, &found);
    }
    score.done(272);
}

#[test]
fn syntax() {
    let Some(rows) = rows("unit-syntax") else { return };
    let mut score = Score::new("unit-syntax");
    let mut said = Score::new("unit-syntax messages");
    for row in rows {
        let (case, file) = (text(&row[0]), &row[1]);
        if file.starts_with(b"@generated") || file.is_empty() {
            continue;
        }
        let merged = load("vsyIDX.service", "/run/systemd/system/vsyIDX.service", file);
        let expected = Json::parse(&text(&row[2]));
        let shown = |key: &str| property(&merged.config, key);
        let wanted: Vec<_> = expected
            .object()
            .iter()
            .filter(|(key, _)| key.as_str() != "LoadError")
            .filter(|(key, _)| !(text(&row[2]).contains("\"error\"") && key.as_str() == "Description"))
            .map(|(key, value)| (key.clone(), value.text().to_owned()))
            // What was read of a unit that failed to load is not shown alike.
            .filter(|(key, value)| !(value.is_empty() && (key == "Type")))
            .collect();
        let found: Vec<_> = wanted.iter().map(|(key, _)| (key.clone(), shown(key))).collect();
        score.row(&case, &format!("{wanted:?}"), &format!("{found:?}"));
        said.row(&case, &expected_messages(&row[3]), &messages(&merged));
    }
    score.done(56);
    said.done(56);
}

fn property(config: &Config, key: &str) -> String {
    let service = show::service(config);
    match key {
        "LoadState" => show::load_state(config).into(),
        "Description" if config.unit.description.is_empty() => config.name.to_string(),
        "Description" => config.unit.description.clone(),
        "Type" => show::service_type(service.kind).into(),
        "ExecStart" => show::commands(&service.commands.start).join("\n"),
        "Wants" => show::depends(config, Dependency::Wants),
        other => panic!("property {other}"),
    }
}

/// A unit of each kind that is whole, with room for the lines under test.
fn baseline(kind: &str, section: &str, lines: &str) -> String {
    let own = match kind {
        "service" => "[Service]\nType=oneshot\nExecStart=/bin/true\n",
        "socket" => "[Socket]\nListenFIFO=/run/v.fifo\n",
        "timer" => "[Timer]\nOnActiveSec=1h\n",
        "path" => "[Path]\nPathExists=/nonexistent-v\n",
        "mount" => "[Mount]\nWhat=tmpfs\nType=tmpfs\nWhere=/vIDX\n",
        _ => "[Slice]\n",
    };
    match section {
        "Unit" => format!("[Unit]\n{lines}\n{own}"),
        _ => format!("[Unit]\n{own}{lines}\n"),
    }
}

/// Properties that the rest of the system adds to, or that only a running manager knows.
const NOT_OURS: &[&str] = &[
    "After",
    "Before",
    "CanClean",
    "CanReload",
    "CanStart",
    "CanStop",
    "Conflicts",
    "ExecReloadEx",
    "LoadError",
    "Requires",
    "RequiresMountsFor",
    "Slice",
    "TriggeredBy",
    "Triggers",
    "Wants",
    "Conditions",
    "DelegateControllers",
];

fn difference(cell: &str) -> show::Shown {
    let mut out = show::Shown::new();
    let mut last = String::new();
    for line in cell.lines() {
        match line.split_once('=') {
            Some((key, value))
                if key.chars().all(|c| c.is_ascii_alphanumeric())
                    && key.starts_with(|c: char| c.is_ascii_uppercase()) =>
            {
                last = key.to_owned();
                out.insert(last.clone(), value.to_owned());
            }
            _ => *out.entry(last.clone()).or_default() += &format!("\n{line}"),
        }
    }
    out.retain(|key, _| !NOT_OURS.contains(&key.as_str()));
    out
}

#[test]
fn directives() {
    let Some(rows) = rows("unit-directives") else { return };
    let mut score = Score::new("unit-directives");
    let mut said = Score::new("unit-directives messages");
    for row in rows {
        let (kind, section, lines) = (text(&row[0]), text(&row[1]), text(&row[2]));
        let name = format!("vIDX.{kind}");
        let merged = unit(&name, &baseline(&kind, &section, &lines));
        let plain = unit(&name, &baseline(&kind, &section, ""));
        let before = show::shown(&plain.config);
        let mut found = show::shown(&merged.config);
        found.retain(|key, value| before.get(key) != Some(value) && !NOT_OURS.contains(&key.as_str()));
        let mut expected = difference(&text(&row[3]));
        if expected.get("LoadState").is_some_and(|state| state != "loaded") {
            expected.retain(|key, _| key == "LoadState");
            found.retain(|key, _| key == "LoadState");
        }
        score.row(&format!("{kind} {lines}"), &format!("{expected:?}"), &format!("{found:?}"));
        said.row(&format!("{kind} {lines}"), &expected_messages(&row[4]), &messages(&merged));
    }
    score.done(618);
    said.done(656);
}

/// The unit that a search path full of files makes, in the properties of the table.
fn loaded(files: &Json, name: &str) -> show::Shown {
    let mut tree = MemoryTree::new();
    tree.special("/dev/null");
    // What every Debian machine has, as far as dependencies on it are shown.
    for target in ["sysinit", "basic", "shutdown"] {
        tree.file(&format!("/usr/lib/systemd/system/{target}.target"), "[Unit]\n");
    }
    for (path, content) in files.object() {
        match content.text().strip_prefix("->") {
            Some(target) => tree.link(path, target),
            None => tree.file(path, content.text()),
        }
    }
    let index = Index::read(&tree, &SearchPath::new(files::Scope::System, &Environment::default()));
    let (cx, scope) = (context(), files::Scope::System);
    let loader = Loader { tree: &tree, index: &index, cx: &cx, scope, surroundings: Surroundings::Machine };
    let asked = UnitName::parse(name).unwrap();
    let config = loader.load(&asked).config;
    let mut shown = show::shown(&config);
    let mut names: Vec<String> =
        config.aliases.iter().chain([&config.name]).map(|name| name.to_string()).collect();
    names.sort();
    shown.insert("Names".into(), names.join(" "));
    shown.insert("Id".into(), config.name.to_string());
    shown.insert("FragmentPath".into(), config.fragment.clone().unwrap_or_default());
    shown.insert("DropInPaths".into(), config.dropins.join(" "));
    let slice = config.exec().and_then(|exec| exec.slice.clone());
    shown.insert("Slice".into(), slice.or_else(|| depends_on_slice(&config)).unwrap_or_default());
    shown.insert("Requires".into(), show::depends(&config, Dependency::Requires));
    shown.insert("Wants".into(), show::depends(&config, Dependency::Wants));
    shown
}

fn depends_on_slice(config: &Config) -> Option<String> {
    config.unit.dependencies.iter().find(|edge| edge.0 == Dependency::InSlice).map(|edge| edge.1.to_string())
}

#[test]
fn dropins() {
    let Some(rows) = rows("unit-dropins") else { return };
    let mut score = Score::new("unit-dropins");
    for row in rows {
        let (case, files, name) = (text(&row[0]), Json::parse(&text(&row[1])), text(&row[2]));
        let mut found = loaded(&files, &name);
        let mut expected: show::Shown = Json::parse(&text(&row[3]))
            .object()
            .iter()
            .map(|(key, value)| (key.clone(), sorted(key, value.text())))
            .collect();
        // Not the text's to say: whether it is enabled, and what a unit without files still has.
        expected.retain(|key, _| key != "UnitFileState" && found.contains_key(key));
        if expected.get("LoadState").is_some_and(|state| state != "loaded") {
            expected.retain(|key, _| ["LoadState", "Id"].contains(&key.as_str()));
        }
        found.retain(|key, _| expected.contains_key(key));
        found.iter_mut().for_each(|(key, value)| *value = sorted(key, value));
        score.row(&case, &format!("{expected:?}"), &format!("{found:?}"));
    }
    score.done(27);
}

fn sorted(key: &str, value: &str) -> String {
    if !["Names", "Requires", "Wants"].contains(&key) {
        return value.to_owned();
    }
    let mut words: Vec<&str> = value.split(' ').collect();
    words.sort_unstable();
    words.join(" ")
}

/// Section and key of every directive of systemd 252.
fn known_directives() -> Option<Vec<(String, String)>> {
    let Some(folder) = table::shared() else {
        println!("SKIPPED known directives: no shared measurements here (set EUDAEMON_SHARED)");
        return None;
    };
    let text = std::fs::read_to_string(folder.join("config-items-252.txt")).unwrap();
    let mut section = String::new();
    let mut known = Vec::new();
    for line in text.lines() {
        match (line.strip_prefix('['), line.split_once('=')) {
            (Some(name), _) => section = name.trim_end_matches(']').to_owned(),
            (None, Some((key, _))) => known.push((section.clone(), key.to_owned())),
            (None, None) => {}
        }
    }
    Some(known)
}

#[test]
fn every_directive_is_known() {
    let Some(known) = known_directives() else { return };
    let missing = known.iter().filter(|(section, key)| find(section, key).is_none());
    let missing: Vec<String> = missing.map(|(section, key)| format!("[{section}] {key}")).collect();
    println!("directives: {} of {} known", known.len() - missing.len(), known.len());
    assert!(missing.is_empty(), "{missing:?}");
}
