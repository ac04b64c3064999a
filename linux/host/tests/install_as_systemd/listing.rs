//! Trees and lines as they are compared and shown.

use std::collections::BTreeMap;
use std::fs;

pub fn listing(root: &str) -> Vec<String> {
    let mut lines = Vec::new();
    let mut ahead = vec![root.to_owned()];
    while let Some(directory) = ahead.pop() {
        for entry in fs::read_dir(&directory).unwrap() {
            let entry = entry.unwrap();
            let path = entry.path().to_str().unwrap().to_owned();
            let name = path.replace(root, "");
            let kind = entry.file_type().unwrap();
            if kind.is_symlink() {
                lines.push(format!("{name} -> {}", fs::read_link(&path).unwrap().display()));
            } else {
                lines.push(name);
                if kind.is_dir() {
                    ahead.push(path);
                }
            }
        }
    }
    lines.sort();
    lines
}

pub fn shown(tree: &BTreeMap<String, String>) -> String {
    tree.iter().map(|(path, content)| format!("    {path}: {content:?}\n")).collect()
}

pub fn difference(theirs: &[String], ours: &[String]) -> String {
    let missing =
        theirs.iter().filter(|line| !ours.contains(line)).map(|line| format!("  systemd: {line}\n"));
    let extra = ours.iter().filter(|line| !theirs.contains(line)).map(|line| format!("  we:      {line}\n"));
    missing.chain(extra).collect()
}
