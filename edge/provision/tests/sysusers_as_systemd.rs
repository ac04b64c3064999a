//! Users and groups made beside real `systemd-sysusers --root=`, from the files of real packages and from seeded lines.

#![allow(clippy::unwrap_used)]

use std::ffi::OsString;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

const TABLES: [&str; 4] = ["passwd", "group", "shadow", "gshadow"];

struct Folder(String);

impl Drop for Folder {
    fn drop(&mut self) {
        fs::remove_dir_all(&self.0).unwrap();
    }
}

fn have_systemd() -> bool {
    let version = Command::new("systemd-sysusers").arg("--version").output();
    let found = version.is_ok_and(|out| String::from_utf8_lossy(&out.stdout).starts_with("systemd 252"));
    if !found {
        eprintln!("SKIPPED: systemd-sysusers of systemd 252 is not here");
    }
    found
}

#[test]
fn files_of_packages() {
    if !have_systemd() {
        return;
    }
    let beside = concat!(env!("CARGO_MANIFEST_DIR"), "/../../../shared");
    let shared = std::env::var("EUDAEMON_SHARED").unwrap_or_else(|_| beside.to_owned());
    let mut files = files_below(Path::new("/usr/lib/sysusers.d"));
    let packages = files_below(&Path::new(&shared).join("corpus"));
    if packages.is_empty() {
        eprintln!("SKIPPED: no corpus below {shared}; set EUDAEMON_SHARED");
    }
    files.extend(packages.into_iter().filter(|path| path.to_str().unwrap().contains("/sysusers.d/")));
    for file in files {
        let text = fs::read_to_string(&file).unwrap();
        for base in [BARE, USED] {
            check(&format!("{}", file.display()), base, &text);
        }
    }
}

#[test]
fn seeded_lines() {
    if !have_systemd() {
        return;
    }
    for seed in 1..60u64 {
        let mut luck = seed.wrapping_mul(0x9e37_79b9_7f4a_7c15);
        let mut below = |end: usize| {
            luck ^= luck << 13;
            luck ^= luck >> 7;
            luck ^= luck << 17;
            (luck >> 11) as usize % end
        };
        let names = ["a", "b", "c-d", "_e", "root", "www", "old"];
        let ids = ["-", "-", "5", "300", "999", "998", "300:300", "7:www", "-:www", "/etc/passwd", "100000"];
        let mut text = String::new();
        for _ in 0..1 + below(8) {
            let name = names[below(names.len())];
            text.push_str(&match below(6) {
                0..3 => format!(
                    "u {name} {} \"N {name}\" {}\n",
                    ids[below(ids.len())],
                    ["-", "/home/x", "/var /bin/sh"][below(3)]
                ),
                3 => format!("g {name} {}\n", ids[below(6)]),
                4 => format!("m {name} {}\n", names[below(names.len())]),
                _ => format!("r - {}\n", ["200-210", "990", "500-600"][below(3)]),
            });
        }
        check(&format!("seed {seed}"), if below(2) == 0 { BARE } else { USED }, &text);
    }
}

const BARE: &str = "";
const USED: &str = "root:x:0:0:root:/root:/bin/bash\nold:x:998:997::/:/bin/false\n";

fn check(what: &str, passwd: &str, text: &str) {
    let top = Folder(format!(
        "{}/eudaemon-sysusers-{}-{:?}",
        std::env::temp_dir().display(),
        std::process::id(),
        std::thread::current().id()
    ));
    let (theirs, ours) = (format!("{}/theirs", top.0), format!("{}/ours", top.0));
    for root in [&theirs, &ours] {
        fs::create_dir_all(format!("{root}/etc")).unwrap();
        fs::create_dir_all(format!("{root}/usr/lib/sysusers.d")).unwrap();
        fs::write(format!("{root}/usr/lib/sysusers.d/x.conf"), text).unwrap();
        if !passwd.is_empty() {
            fs::write(format!("{root}/etc/passwd"), passwd).unwrap();
            fs::write(format!("{root}/etc/group"), "root:x:0:\noldgroup:x:997:old\nwww:x:33:\n").unwrap();
        }
    }
    let out = Command::new("systemd-sysusers").arg(format!("--root={theirs}")).output().unwrap();
    let code = eudaemon_provision::sysusers(vec![
        OsString::from("sysusers"),
        OsString::from(format!("--root={ours}")),
    ]);
    let mut wrong = String::new();
    for table in TABLES {
        let read = |root: &str| {
            fs::read_to_string(format!("{root}/etc/{table}")).unwrap_or_else(|_| "(none)".to_owned())
        };
        let (theirs, ours) = (read(&theirs), read(&ours));
        if theirs != ours {
            wrong.push_str(&format!("{table}: systemd\n{theirs}we\n{ours}"));
        }
    }
    let said = String::from_utf8_lossy(&out.stderr);
    assert!(wrong.is_empty(), "{what}\n{text}{wrong}systemd said: {said}\nwe ended with {code:?}");
}

fn files_below(top: &Path) -> Vec<PathBuf> {
    let mut files = Vec::new();
    let mut ahead = vec![top.to_owned()];
    while let Some(path) = ahead.pop() {
        if path.is_dir() {
            ahead.extend(fs::read_dir(&path).unwrap().map(|entry| entry.unwrap().path()));
        } else if path.is_file() {
            files.push(path);
        }
    }
    files.sort();
    files
}
