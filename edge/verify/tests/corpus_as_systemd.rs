//! On the units of Debian's packages nothing is said that `systemd-analyze verify` would not say, and what it says is
//! said. Both read the same files here and now; where the units or the tool are missing this is skipped.

#![allow(clippy::unwrap_used)]

use eudaemon_unit::files::Scope;
use eudaemon_verify::{Finding, Notes, Request, verify};
use std::collections::{BTreeMap, BTreeSet};
use std::path::PathBuf;
use std::process::Command;

/// What is said here and not there, and why that is right: the code, the units it is right for.
const MORE: &[(&str, &[&str])] = &[
    // systemd looks at the first command of each list only; these miss a later one.
    (
        "missing-program",
        &["mdadm-shutdown.service", "open-iscsi.service", "openafs-client.service", "ipsec.service"],
    ),
];

/// Lines of systemd's that are said in other words, or not as a line of their own, and why.
const OTHER_WORDS: &[&str] = &[
    // What follows from an error is a note of that error.
    "has a bad unit file setting.",
    "failed to load properly, please adjust/correct and reload service manager",
    // Of the code `not-a-link`: our manager takes what systemd ignores.
    "is not a symlink, ignoring.",
    // A remark in our reader's words.
    "Unit uses KillMode=none.",
    // The error that the bus name is taken, once more.
    "Failed to put bus name to hashmap",
];

fn shared() -> Option<PathBuf> {
    let beside = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../../shared");
    let folder = std::env::var_os("EUDAEMON_SHARED").map_or(beside, PathBuf::from);
    Some(folder.join("corpus/units").canonicalize().ok()?).filter(|units| units.is_dir())
}

/// Files in the packages' folders of that name, in rounds in which no name comes twice.
fn rounds(folder: &str) -> Option<Vec<Vec<String>>> {
    let mut packages: Vec<PathBuf> =
        std::fs::read_dir(shared()?).unwrap().map(|entry| entry.unwrap().path().join(folder)).collect();
    packages.sort();
    let mut rounds: Vec<BTreeMap<String, String>> = Vec::new();
    for entry in packages.iter().filter_map(|package| std::fs::read_dir(package).ok()).flatten() {
        let path = entry.unwrap().path();
        if !path.is_file() {
            continue;
        }
        let name = path.file_name().unwrap().to_string_lossy().into_owned();
        let at = rounds.iter().position(|round| !round.contains_key(&name)).unwrap_or(rounds.len());
        if at == rounds.len() {
            rounds.push(BTreeMap::new());
        }
        rounds[at].insert(name, path.to_string_lossy().into_owned());
    }
    Some(rounds.into_iter().map(|round| round.into_values().collect()).collect())
}

/// The lines of real `systemd-analyze verify`, paths cut to names and without line numbers.
fn systemd(scope: &str, files: &[String]) -> Option<BTreeSet<String>> {
    let run = std::env::temp_dir().join(format!("eudaemon-verify{scope}-{}", std::process::id()));
    std::fs::create_dir_all(run.join("systemd")).unwrap();
    let output = Command::new("systemd-analyze")
        .args(["verify", "--man=no", scope])
        .args(files)
        .env("XDG_RUNTIME_DIR", &run)
        .output();
    std::fs::remove_dir_all(&run).unwrap();
    let text = String::from_utf8_lossy(&output.ok()?.stderr).into_owned();
    Some(text.lines().map(|line| comparable(&without_place(line))).collect())
}

fn without_place(line: &str) -> String {
    let Some((path, rest)) = line.split_once(": ").filter(|_| line.starts_with('/')) else {
        return line.to_owned();
    };
    let (path, _) = path.rsplit_once(':').unwrap_or((path, ""));
    format!("{}: {rest}", path.rsplit('/').next().unwrap())
}

/// systemd tells the first missing unit only; that there is one is what both say.
fn comparable(line: &str) -> String {
    match line.split_once("/start: ") {
        Some((start, _)) if start.contains("Failed to create ") => start.to_owned(),
        Some(_) | None => line.to_owned(),
    }
}

fn ours(finding: &Finding) -> [String; 2] {
    let name = finding.file.rsplit('/').next().unwrap();
    let said = comparable(&finding.message);
    [format!("{name}: {said}"), said]
}

fn is_allowed(finding: &Finding) -> bool {
    let [line, _] = ours(finding);
    finding.code == "not-a-link"
        || MORE.iter().any(|(code, names)| {
            *code == finding.code && names.iter().any(|name| line.starts_with(&format!("{name}: ")))
        })
}

fn check(folder: &str, scope: Scope, word: &str) {
    let Some(rounds) = rounds(folder) else {
        println!("SKIPPED: no units of Debian's packages here (set EUDAEMON_SHARED)");
        return;
    };
    let (mut units, mut more, mut less) = (0, Vec::new(), Vec::new());
    for files in rounds {
        let Some(theirs) = systemd(word, &files) else {
            println!("SKIPPED: no systemd-analyze here (apt-get install systemd)");
            return;
        };
        let request = Request { arguments: files.clone(), scope, ..Request::default() };
        let all = verify(&request);
        let said: BTreeSet<String> = all.iter().flat_map(ours).collect();
        let severe = verify(&Request { notes: Notes::Dropped, ..request });
        let is_theirs = |finding: &&Finding| ours(finding).iter().any(|line| theirs.contains(line));
        more.extend(
            severe
                .iter()
                .filter(|finding| !is_theirs(finding) && !is_allowed(finding))
                .map(|finding| format!("{}: {}", finding.file, finding.message)),
        );
        let is_said =
            |line: &&String| said.contains(*line) || OTHER_WORDS.iter().any(|word| line.contains(word));
        less.extend(theirs.iter().filter(|line| !is_said(line)).cloned());
        units += files.len();
    }
    println!("{units} files of {folder}/ compared with systemd-analyze verify");
    assert!(more.is_empty(), "said here alone:\n{}", more.join("\n"));
    assert!(less.is_empty(), "said by systemd alone:\n{}", less.join("\n"));
}

#[test]
fn units_of_the_system() {
    check("system", Scope::System, "--system");
}

#[test]
fn units_of_users() {
    check("user", Scope::User, "--user");
}
