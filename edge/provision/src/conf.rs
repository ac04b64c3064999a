//! Which configuration files are read, and in which order: by base name, those of /etc over /run over /usr.

use std::collections::BTreeMap;
use std::fs;
use std::io::Read;
use std::path::Path;

/// Directories that may hold `NAME.d`, most important first.
const PLACES: [&str; 4] = ["/etc", "/run", "/usr/local/lib", "/usr/lib"];

/// One file's text, under the path people know it by.
#[derive(Clone, Debug)]
pub struct Conf {
    pub path: String,
    pub text: String,
}

/// All files of a kind (`tmpfiles.d`), or those named: by path, by base name, or `-` for standard input.
/// A name that is nowhere is an error.
pub fn read(root: &str, kind: &str, named: &[String], replace: Option<&str>) -> Result<Vec<Conf>, String> {
    let all = find(root, kind);
    if let Some(replaced) = replace {
        return Ok(replacing(root, &all, replaced, &read_named(root, &all, named)?));
    }
    if named.is_empty() {
        return Ok(all.values().filter_map(|path| read_one(root, path).ok()).collect());
    }
    read_named(root, &all, named)
}

/// Base name → the path of the file that counts; masked ones are left out when read, being empty.
fn find(root: &str, kind: &str) -> BTreeMap<String, String> {
    let mut files = BTreeMap::new();
    for place in PLACES {
        let Ok(entries) = fs::read_dir(format!("{root}{place}/{kind}")) else { continue };
        for name in entries.flatten().filter_map(|entry| entry.file_name().into_string().ok()) {
            if name.ends_with(".conf") && !name.starts_with('.') {
                files.entry(name.clone()).or_insert_with(|| format!("{place}/{kind}/{name}"));
            }
        }
    }
    files
}

fn read_named(root: &str, all: &BTreeMap<String, String>, named: &[String]) -> Result<Vec<Conf>, String> {
    let mut confs = Vec::new();
    for name in named {
        confs.push(match name.as_str() {
            "-" => {
                let mut text = String::new();
                let input = std::io::stdin().take(crate::CONF_MAX).read_to_string(&mut text);
                input.map_err(|error| format!("cannot read standard input: {error}"))?;
                Conf { path: "<stdin>".to_owned(), text }
            }
            path if path.contains('/') => read_at(path, path)?,
            name => match all.get(name) {
                Some(path) => read_one(root, path)?,
                None => return Err(format!("{name}: no such file or directory")),
            },
        });
    }
    Ok(confs)
}

/// All files, with the named ones in the place of one of them (as a package's script has them before its file is there).
fn replacing(root: &str, all: &BTreeMap<String, String>, replaced: &str, given: &[Conf]) -> Vec<Conf> {
    let base = replaced.rsplit('/').next().unwrap_or(replaced);
    let mut confs = Vec::new();
    let mut done = false;
    let names: std::collections::BTreeSet<&str> = all.keys().map(String::as_str).chain([base]).collect();
    for name in names {
        let higher = all.get(name).is_some_and(|path| rank(path) < rank(replaced));
        if name == base && !higher {
            confs.extend(given.iter().cloned());
            done = true;
        } else if let Some(conf) = all.get(name).and_then(|path| read_one(root, path).ok()) {
            confs.push(conf);
        }
    }
    debug_assert!(done || all.contains_key(base), "the replaced name is among the names");
    confs
}

fn rank(path: &str) -> usize {
    PLACES.iter().position(|place| Path::new(path).starts_with(place)).unwrap_or(PLACES.len())
}

fn read_one(root: &str, path: &str) -> Result<Conf, String> {
    read_at(&format!("{root}{path}"), path)
}

fn read_at(place: &str, path: &str) -> Result<Conf, String> {
    let mut bytes = Vec::new();
    let file = fs::File::open(place).map_err(|error| format!("cannot open {path}: {error}"))?;
    let read = file.take(crate::CONF_MAX).read_to_end(&mut bytes);
    read.map_err(|error| format!("cannot read {path}: {error}"))?;
    Ok(Conf { path: path.to_owned(), text: String::from_utf8_lossy(&bytes).into_owned() })
}
