//! The laws that a path states (docs/ARCHITECTURE.md), checked by reading the text.

use anyhow::{Context, Result};
use eudaemon_machine_tests::rootfs::workspace;
use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

/// What `core/` may not name: it decides, and hears of time, files and processes only as arguments.
const IMPURE: &[&str] = &[
    "std::fs",
    "TcpStream",
    "TcpListener",
    "UdpSocket",
    "ToSocketAddrs",
    "std::process",
    "std::thread",
    "std::env",
    "std::os",
    "Instant::now",
    "SystemTime::now",
    "HashMap",
    "HashSet",
    "Rc<",
    "std::rc",
    "RefCell",
    "Mutex",
    "RwLock",
    "OnceLock",
    "LazyLock",
    "thread_local!",
    "println!",
    "eprintln!",
];

/// Names that say nothing, as the last word of a type's or a module's name.
const EMPTY_NAMES: &[&str] =
    &["manager", "handler", "helper", "helpers", "util", "utils", "common", "base", "data", "info"];

/// Names of that list that stand for a thing of the field: the manager process and its D-Bus interface.
const NAMED_BY_THE_FIELD: &[&str] = &["manager", "Manager", "eudaemon_manager"];

const LONGEST_FILE: usize = 500;
/// A file may be longer when its first line says that it is one table or one match.
const ONE_THING: &[&str] = &["one table", "one match", "one `match`"];

/// Checks every tracked file; prints what breaks a law, and answers whether nothing does.
pub fn tidy() -> Result<bool> {
    let root = workspace();
    let mut broken = Vec::new();
    for path in tracked(&root)?.iter().filter(|path| path.extension().is_some_and(|ending| ending == "rs")) {
        let text = fs::read_to_string(root.join(path)).with_context(|| path.display().to_string())?;
        broken.extend(breaches(&path.to_string_lossy(), &text));
    }
    broken.extend(unexplained_dependencies(&root)?);
    for line in &broken {
        println!("{line}");
    }
    println!("tidy: {} broken", broken.len());
    Ok(broken.is_empty())
}

/// What one file breaks.
fn breaches(path: &str, text: &str) -> Vec<String> {
    let mut broken = Vec::new();
    let first = text.lines().next().unwrap_or_default().to_lowercase();
    // A file of cases is a table of cases: it is read one story at a time.
    let cases = path.contains("/tests/") || path.ends_with("/tests.rs");
    let length = text.lines().count();
    if length > LONGEST_FILE && !cases && !ONE_THING.iter().any(|word| first.contains(word)) {
        broken.push(format!("{path}: {length} lines; more than {LONGEST_FILE} only for one table or one match, said in the first line"));
    }
    let law = Law::of(path);
    let mut in_tests = path.contains("/tests/") || path.ends_with("tests.rs");
    for (number, line) in text.lines().enumerate() {
        let code = line.split("//").next().unwrap_or_default();
        in_tests |= code.trim() == "#[cfg(test)]";
        let mut breach = |what: String| broken.push(format!("{path}:{}: {what}", number + 1));
        if law == Law::Pure && !in_tests {
            for word in IMPURE.iter().filter(|word| code.contains(**word)) {
                breach(format!("`{word}` in core/, which is pure"));
            }
        }
        if law != Law::Unsafe
            && (has_word(code, "unsafe") || code.contains("allow(unsafe_code)"))
            && !code.contains('"')
        {
            breach(
                "unsafe outside of where the system is talked to: `sys` of linux/* and kit, kit/c/src/"
                    .to_owned(),
            );
        }
        if let Some(name) = declared(code).filter(|name| is_empty_name(name)) {
            breach(format!("`{name}` says nothing: use a word of the field"));
        }
    }
    broken
}

/// Which law a path is under.
#[derive(PartialEq)]
enum Law {
    Pure,
    Unsafe,
    Ordinary,
}

impl Law {
    fn of(path: &str) -> Law {
        let parts: Vec<&str> = path.split('/').collect();
        match parts[..] {
            ["core", _, "src", ..] => Law::Pure,
            // C's side of the library is pointers throughout.
            ["linux", _, "src", "sys.rs" | "sys", ..]
            | ["kit", "src", "sys", ..]
            | ["kit", "python", "src", "sys.rs"]
            | ["kit", "c", "src", ..] => Law::Unsafe,
            _ => Law::Ordinary,
        }
    }
}

/// The name of the type or the module that a line declares.
fn declared(code: &str) -> Option<&str> {
    let code = code.trim_start().trim_start_matches("pub(crate) ").trim_start_matches("pub ");
    let name =
        ["struct ", "enum ", "trait ", "type ", "mod "].iter().find_map(|word| code.strip_prefix(word))?;
    name.split(|c: char| !c.is_alphanumeric() && c != '_').next()
}

fn is_empty_name(name: &str) -> bool {
    if NAMED_BY_THE_FIELD.contains(&name) {
        return false;
    }
    let start = name.rfind(|c: char| c.is_uppercase() || c == '_').unwrap_or(0);
    let last = name[start..].trim_start_matches('_').to_lowercase();
    EMPTY_NAMES.contains(&last.as_str())
}

/// Whether the text has the word by itself.
fn has_word(text: &str, word: &str) -> bool {
    text.split(|c: char| !c.is_alphanumeric() && c != '_').any(|found| found == word)
}

/// Every dependency has a line that begins with its name, in backquotes, in docs/dependencies.md.
fn unexplained_dependencies(root: &Path) -> Result<Vec<String>> {
    let manifest = fs::read_to_string(root.join("Cargo.toml"))?;
    let listed = manifest.split("[workspace.dependencies]").nth(1).unwrap_or_default();
    let listed = listed.lines().skip(1).take_while(|line| !line.starts_with('['));
    let names: BTreeSet<&str> = listed
        .filter_map(|line| Some(line.split_once('=')?.0.trim()))
        .filter(|name| !name.starts_with("eudaemon"))
        .collect();
    let explained = fs::read_to_string(root.join("docs/dependencies.md")).unwrap_or_default();
    let unexplained = names.iter().filter(|name| !explained.contains(&format!("`{name}`")));
    Ok(unexplained.map(|name| format!("docs/dependencies.md: no line says why `{name}`")).collect())
}

fn tracked(root: &Path) -> Result<Vec<PathBuf>> {
    let output = Command::new("git")
        .arg("-C")
        .arg(root)
        .args(["ls-files", "--cached", "--others", "--exclude-standard"])
        .output();
    let output = String::from_utf8(output.context("cannot run git")?.stdout)?;
    Ok(output.lines().map(PathBuf::from).filter(|path| root.join(path).is_file()).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(path: &str, text: &str, wanted: &[&str]) {
        assert_eq!(breaches(path, text), wanted);
    }

    #[test]
    fn core_is_pure() {
        check(
            "core/engine/src/job.rs",
            "use std::fs;\n",
            &["core/engine/src/job.rs:1: `std::fs` in core/, which is pure"],
        );
        check("core/engine/src/job.rs", "// std::fs is not for us\n#[cfg(test)]\nuse std::fs;\n", &[]);
        check("linux/host/src/load.rs", "use std::fs;\n", &[]);
    }

    #[test]
    fn unsafe_has_its_place() {
        check(
            "linux/init/src/spawn.rs",
            "unsafe { f() }\n",
            &[
                "linux/init/src/spawn.rs:1: unsafe outside of where the system is talked to: `sys` of linux/* and kit, kit/c/src/",
            ],
        );
        check("linux/init/src/sys/clone.rs", "unsafe { f() }\n", &[]);
        check("kit/src/sys/fd.rs", "unsafe { f() }\n", &[]);
        check("linux/init/src/lib.rs", "#![deny(unsafe_code)]\n", &[]);
    }

    #[test]
    fn names_say_something() {
        check(
            "edge/bus/src/lib.rs",
            "mod helpers;\n",
            &["edge/bus/src/lib.rs:1: `helpers` says nothing: use a word of the field"],
        );
        check(
            "edge/bus/src/lib.rs",
            "pub struct UnitInfo {\n",
            &["edge/bus/src/lib.rs:1: `UnitInfo` says nothing: use a word of the field"],
        );
        check("edge/bus/src/lib.rs", "mod manager;\npub struct Database;\n", &[]);
    }

    #[test]
    fn long_files_say_why() {
        let long = "\n".repeat(501);
        check("core/unit/src/a.rs", &format!("//! One table: the directives.{long}"), &[]);
        check(
            "core/unit/src/a.rs",
            &long,
            &[
                "core/unit/src/a.rs: 501 lines; more than 500 only for one table or one match, said in the first line",
            ],
        );
    }
}
