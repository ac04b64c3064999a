//! On the units of Debian's packages nothing is said that `systemd-analyze verify` would not say, and what it says is
//! said. Both read the same files here and now; where the units or the tool are missing this is skipped.

#![allow(clippy::unwrap_used)]

mod judge;

use eudaemon_unit::files::Scope;
use eudaemon_verify::{Finding, Notes, Recursion, Request, verify};
use judge::{ours, systemd, unsaid};
use std::collections::BTreeMap;
use std::path::PathBuf;
use std::time::{Duration, Instant};

/// What is said here and not there, and why that is right: the code, the units it is right for.
const MORE: &[(&str, &[&str])] = &[
    // systemd looks at the first command of each list only; these miss a later one.
    (
        "missing-program",
        &["mdadm-shutdown.service", "open-iscsi.service", "openafs-client.service", "ipsec.service"],
    ),
    // systemd does not look for files; the programs of these are there without their packages: a shell, `true`, `java`.
    ("missing-file", &["atop.service", "puppetserver.service", "watchdog.service"]),
    ("missing-directory", &["openvpn.service"]),
    // systemd does not look for users; the programs of these are a shell's, whose packages are not here.
    ("unknown-account", &["ejabberd.service", "puppetserver.service"]),
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
    let mut took = Duration::ZERO;
    for files in rounds {
        let Some(theirs) = systemd(word, &files) else {
            println!("SKIPPED: no systemd-analyze here (apt-get install systemd)");
            return;
        };
        // systemd-analyze tells of all units that it comes across.
        let recursion = Recursion::All;
        let request = Request { arguments: files.clone(), scope, recursion, ..Request::default() };
        let began = Instant::now();
        let all = verify(&request).findings;
        took += began.elapsed();
        let severe = verify(&Request { notes: Notes::Dropped, ..request }).findings;
        let is_theirs = |finding: &&Finding| ours(finding).iter().any(|line| theirs.contains(line));
        more.extend(
            severe
                .iter()
                .filter(|finding| !is_theirs(finding) && !is_allowed(finding))
                .map(|finding| format!("{}: {}", finding.file, finding.message)),
        );
        less.extend(unsaid(&theirs, &all));
        units += files.len();
    }
    println!(
        "{units} files of {folder}/ compared with systemd-analyze verify, read in {} ms",
        took.as_millis()
    );
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
