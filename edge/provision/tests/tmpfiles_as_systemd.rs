//! Files and directories made and removed beside real `systemd-tmpfiles --root=`, from the files of real packages
//! and from seeded lines: names, types, modes, owners, contents, link targets and access lists must agree.

#![allow(clippy::unwrap_used)]

use std::ffi::OsString;
use std::fs;
use std::os::unix::fs::{FileTypeExt, MetadataExt, PermissionsExt};
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::atomic::{AtomicU32, Ordering};

struct Folder(String);

impl Folder {
    fn new() -> Folder {
        static COUNT: AtomicU32 = AtomicU32::new(0);
        let count = COUNT.fetch_add(1, Ordering::Relaxed);
        Folder(format!("{}/eudaemon-tmpfiles-{}-{count}", std::env::temp_dir().display(), std::process::id()))
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        fs::remove_dir_all(&self.0).unwrap();
    }
}

fn can_compare() -> bool {
    let version = Command::new("systemd-tmpfiles").arg("--version").output();
    let found = version.is_ok_and(|out| String::from_utf8_lossy(&out.stdout).starts_with("systemd 252"));
    let root = rustix::process::geteuid().is_root();
    if !found || !root {
        eprintln!("SKIPPED: systemd-tmpfiles of systemd 252 and root are needed");
    }
    found && root
}

#[test]
fn files_of_packages() {
    if !can_compare() {
        return;
    }
    let beside = concat!(env!("CARGO_MANIFEST_DIR"), "/../../../shared");
    let shared = std::env::var("EUDAEMON_SHARED").unwrap_or_else(|_| beside.to_owned());
    let mut files = files_below(Path::new("/usr/lib/tmpfiles.d"));
    let packages = files_below(&Path::new(&shared).join("corpus"));
    if packages.is_empty() {
        eprintln!("SKIPPED: no corpus below {shared}; set EUDAEMON_SHARED");
    }
    files.extend(packages.into_iter().filter(|path| path.to_str().unwrap().contains("/tmpfiles.d/")));
    let mut wrong = Vec::new();
    for file in &files {
        let text = fs::read_to_string(file).unwrap();
        let report = check(&text, &["--create", "--remove", "--boot"], &|_| {});
        wrong.extend(report.map(|report| format!("{}\n{report}", file.display())));
    }
    assert!(wrong.is_empty(), "{}\n{} of {} differ", wrong.join("\n"), wrong.len(), files.len());
}

#[test]
fn seeded_lines() {
    if !can_compare() {
        return;
    }
    let mut wrong = Vec::new();
    for seed in 1..150u64 {
        let mut luck = seed.wrapping_mul(0x9e37_79b9_7f4a_7c15);
        let mut below = |end: usize| {
            luck ^= luck << 13;
            luck ^= luck >> 7;
            luck ^= luck << 17;
            (luck >> 11) as usize % end
        };
        let paths = [
            "/t/a",
            "/t/b",
            "/t/a/x",
            "/t/a/y/z",
            "/t/full",
            "/t/link",
            "/t/tolink/q",
            "/t/pipe",
            "/t/*",
            "/t/full/f[12]",
            "/t/{a,b}",
        ];
        let kinds = [
            "f", "f+", "f=", "d", "d=", "D", "e", "q", "p", "p+", "L", "L+", "L=", "C", "w", "w+", "r", "R",
            "z", "Z", "x", "f!", "d-", "f~",
        ];
        let modes = ["-", "0700", "0640", "~0755", ":0600", "4755"];
        let owners = ["-", "root", "daemon", "7", ":bin"];
        let arguments =
            ["-", "", "hello\\nworld", "a  b \"c\"", "/etc/passwd", "../x", "/src", "100%%", "aGVsbG8="];
        let mut text = String::new();
        for _ in 0..1 + below(5) {
            let (kind, path) = (kinds[below(kinds.len())], paths[below(paths.len())]);
            // Under --root systemd 252 looks for what a link leads to outside of it, and takes the link away.
            let kind = if path.contains("link") { kind.trim_end_matches('=') } else { kind };
            text.push_str(&format!(
                "{kind} {path} {} {} {} - {}\n",
                modes[below(modes.len())],
                owners[below(owners.len())],
                owners[below(owners.len())],
                arguments[below(arguments.len())]
            ));
        }
        let verbs: &[&str] = match below(3) {
            0 => &["--create"],
            1 => &["--remove"],
            _ => &["--create", "--remove", "--boot"],
        };
        let report = check(&text, verbs, &|root| {
            fs::create_dir_all(format!("{root}/t/full/deep")).unwrap();
            for file in ["t/full/f1", "t/full/f2", "t/full/deep/f3", "t/b"] {
                fs::write(format!("{root}/{file}"), "old").unwrap();
            }
            fs::set_permissions(format!("{root}/t/full/f1"), fs::Permissions::from_mode(0o400)).unwrap();
            std::os::unix::fs::symlink("full/f2", format!("{root}/t/link")).unwrap();
            std::os::unix::fs::symlink("/t/full", format!("{root}/t/tolink")).unwrap();
            fs::create_dir_all(format!("{root}/src/in")).unwrap();
            fs::write(format!("{root}/src/in/file"), "copied").unwrap();
            std::os::unix::fs::symlink("in", format!("{root}/src/l")).unwrap();
        });
        wrong.extend(report.map(|report| format!("seed {seed} {verbs:?}\n{report}")));
    }
    assert!(wrong.is_empty(), "{}\n{} seeds differ", wrong.join("\n"), wrong.len());
}

#[test]
fn old_files_go() {
    if !can_compare() {
        return;
    }
    let text = "d /t - - - 1h\nx /t/kept*\nX /t/shell\nd /t/level - - - ~1h\n";
    let report = check(text, &["--clean"], &|root| {
        for file in [
            "t/old",
            "t/kept",
            "t/kept2/x",
            "t/shell/x",
            "t/deep/er/x",
            "t/level/a",
            "t/level/b/c",
            "t/young",
        ] {
            let path = format!("{root}/{file}");
            fs::create_dir_all(Path::new(&path).parent().unwrap()).unwrap();
            fs::write(&path, "x").unwrap();
        }
    });
    assert_eq!(report, None);
}

/// The program under test sets the umask, which all threads of a process share.
static ALONE: std::sync::Mutex<()> = std::sync::Mutex::new(());

fn check(text: &str, verbs: &[&str], prepare: &dyn Fn(&str)) -> Option<String> {
    let _alone = ALONE.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
    let top = Folder::new();
    let (theirs, ours) = (format!("{}/theirs", top.0), format!("{}/ours", top.0));
    for root in [&theirs, &ours] {
        fs::create_dir_all(format!("{root}/etc")).unwrap();
        fs::create_dir_all(format!("{root}/usr/lib/tmpfiles.d")).unwrap();
        fs::write(format!("{root}/usr/lib/tmpfiles.d/x.conf"), text).unwrap();
        for table in ["passwd", "group", "machine-id"] {
            if let Ok(content) = fs::read(format!("/etc/{table}")) {
                fs::write(format!("{root}/etc/{table}"), content).unwrap();
            }
        }
        prepare(root);
    }
    let out = Command::new("systemd-tmpfiles").arg(format!("--root={theirs}")).args(verbs).output().unwrap();
    let arguments = [OsString::from("tmpfiles"), OsString::from(format!("--root={ours}"))];
    let code =
        eudaemon_provision::tmpfiles(arguments.into_iter().chain(verbs.iter().map(OsString::from)).collect());
    let (theirs, ours) = (listing(&theirs), listing(&ours));
    let ended = format!("{code:?}")
        == format!("{:?}", std::process::ExitCode::from(out.status.code().unwrap() as u8));
    if theirs == ours && ended {
        return None;
    }
    let missing =
        theirs.iter().filter(|line| !ours.contains(line)).map(|line| format!("  systemd: {line}\n"));
    let extra = ours.iter().filter(|line| !theirs.contains(line)).map(|line| format!("  we:      {line}\n"));
    let difference: String = missing.chain(extra).collect();
    let said = String::from_utf8_lossy(&out.stderr).replace(&top.0, "");
    Some(format!("{text}{difference}  systemd ended with {}: {said}  we with {code:?}", out.status))
}

fn listing(root: &str) -> Vec<String> {
    let mut lines = Vec::new();
    let mut ahead = vec![root.to_owned()];
    while let Some(directory) = ahead.pop() {
        for entry in fs::read_dir(&directory).unwrap() {
            let path = entry.unwrap().path().to_str().unwrap().to_owned();
            let found = fs::symlink_metadata(&path).unwrap();
            let kind = found.file_type();
            let name = path.replace(root, "");
            let owner = format!("{:o} {}:{}", found.mode(), found.uid(), found.gid());
            if kind.is_symlink() {
                lines.push(format!("{name} -> {}", fs::read_link(&path).unwrap().display()));
                continue;
            }
            let content = if kind.is_file() {
                String::from_utf8_lossy(&fs::read(&path).unwrap()).into_owned()
            } else {
                String::new()
            };
            let fifo = if kind.is_fifo() { " fifo" } else { "" };
            let lists: String = ["access", "default"]
                .map(|list| {
                    let mut bytes = [0u8; 4096];
                    let length =
                        rustix::fs::getxattr(&path, format!("system.posix_acl_{list}"), &mut bytes[..])
                            .unwrap_or(0);
                    format!("{:?}", &bytes[..length])
                })
                .concat();
            lines.push(format!("{name} {owner}{fifo} {content:?} {lists}"));
            if kind.is_dir() {
                ahead.push(path);
            }
        }
    }
    lines.sort();
    lines
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
