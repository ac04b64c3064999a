//! Which file, names and drop-ins a unit has, compared with what real systemd showed for the same files.
//! The table is not part of the project: `EUDAEMON_SHARED`, or `../shared` beside the repository.

#![allow(clippy::unwrap_used)]

use eudaemon_unit::files::{Environment, Fragment, Index, MemoryTree, Scope, SearchPath};
use eudaemon_unit::name::UnitName;
use std::collections::BTreeMap;

#[test]
fn dropins_aliases_and_masks() {
    let Some(table) = shared("vectors/unit-dropins.tsv") else { return };
    let mut wrong = Vec::new();
    for line in table.lines().skip(1) {
        let cells: Vec<String> = line.split('\t').map(unescape).collect();
        // Generators run again at each reload, and what they had written before is gone.
        if cells[2] == "generator dirs" || cells[4].ends_with(".slice") {
            continue;
        }
        let expected = strings(&cells[5]);
        let found = show(&strings(&cells[3]), &cells[4]);
        for (key, value) in found {
            // Files left over from the case before it when the table was made.
            if key == "DropInPaths" && cells[2] == "generator.early over etc" {
                continue;
            }
            let wanted = expected.get(key).map_or("", String::as_str);
            if wanted != value {
                wrong.push(format!("{}: {key}: systemd says {wanted:?}, we say {value:?}", cells[2]));
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

fn show(files: &BTreeMap<String, String>, unit: &str) -> Vec<(&'static str, String)> {
    let mut tree = MemoryTree::new();
    tree.special("/dev/null");
    tree.directory("/usr/lib/systemd/system");
    tree.link("/lib", "usr/lib");
    for (path, content) in files {
        match content.strip_prefix("->") {
            Some(target) => tree.link(path, target),
            None => tree.file(path, content.as_str()),
        }
    }
    let index = Index::read(&tree, &SearchPath::new(Scope::System, &Environment::default()));
    let found = index.find(&tree, &UnitName::parse(unit).unwrap());
    let (state, file) = match found.fragment {
        Fragment::Missing | Fragment::Cycle => ("not-found", String::new()),
        Fragment::File(path) => ("loaded", path),
        Fragment::Masked(path) => ("masked", path),
    };
    let mut names: Vec<String> = found.aliases.iter().map(|name| name.to_string()).collect();
    names.push(found.name.to_string());
    names.sort();
    let dropins = if state == "loaded" { found.dropins.join(" ") } else { String::new() };
    vec![
        ("Id", found.name.to_string()),
        ("Names", names.join(" ")),
        ("LoadState", state.to_owned()),
        ("FragmentPath", file),
        ("DropInPaths", dropins),
    ]
}

fn shared(file: &str) -> Option<String> {
    let beside = concat!(env!("CARGO_MANIFEST_DIR"), "/../../../shared");
    let places = [std::env::var("EUDAEMON_SHARED").unwrap_or_default(), beside.to_owned()];
    let text = places.iter().find_map(|place| std::fs::read_to_string(format!("{place}/{file}")).ok());
    if text.is_none() {
        eprintln!("SKIPPED: {file} is not here; set EUDAEMON_SHARED");
    }
    text
}

fn unescape(cell: &str) -> String {
    cell.replace("\\t", "\t").replace("\\\\", "\\")
}

/// A flat JSON object of strings.
fn strings(json: &str) -> BTreeMap<String, String> {
    let mut texts = Vec::new();
    let mut chars = json.chars();
    while let Some(c) = chars.next() {
        if c != '"' {
            continue;
        }
        let mut text = String::new();
        loop {
            match chars.next().unwrap() {
                '"' => break,
                '\\' => match chars.next().unwrap() {
                    'n' => text.push('\n'),
                    other => text.push(other),
                },
                other => text.push(other),
            }
        }
        texts.push(text);
    }
    texts.chunks(2).map(|pair| (pair[0].clone(), pair[1].clone())).collect()
}
