//! Services of the scripts in `/etc/init.d`: systemd-sysv-generator(8).
//!
//! A script becomes a service unless a unit file of its name exists. What its header says becomes dependencies;
//! the links in `/etc/rcN.d` say which target wants it, and order scripts whose headers do not.

mod facility;
mod runlevel;
mod script;

use super::{Draft, Generated, Taken, literal};
use crate::escape;
use crate::files::{Index, Kind, Tree, base_name, join, resolve};
use crate::name::{UnitKind, UnitName};
use std::collections::BTreeMap;

/// Bytes of one script that are read: headers stand at the top, and the largest known script is below 64 KiB.
const SCRIPT_MAX: u64 = 4 << 20;

/// Where scripts and the links to them are.
#[derive(Clone, Debug)]
pub struct Places {
    /// `/etc/init.d`; of equal names the first directory's counts.
    pub scripts: Vec<String>,
    /// The folder that holds `rc1.d` to `rc5.d`: `/etc`.
    pub runlevels: Vec<String>,
}

impl Default for Places {
    fn default() -> Places {
        Places { scripts: vec!["/etc/init.d".into()], runlevels: vec!["/etc".into()] }
    }
}

/// A script on its way to a service.
#[derive(Debug, Default)]
struct Service {
    path: String,
    description: Option<String>,
    pid_file: Option<String>,
    before: Vec<String>,
    after: Vec<String>,
    wants: Vec<String>,
    wanted_by: Vec<&'static str>,
    /// The largest number of its links, if it has one.
    priority: Option<u8>,
    header: script::Header,
    reload: script::Reload,
}

/// `native` tells which unit files there are, and `is_executable` which files may be run.
pub fn generate<T: Tree + ?Sized>(
    tree: &T,
    native: &Index,
    places: &Places,
    is_executable: &dyn Fn(&str) -> bool,
) -> Generated {
    let mut generated = Generated::default();
    let mut services = find(tree, native, places, is_executable, &mut generated);
    runlevel::read(tree, places, &mut services);
    for (name, service) in &mut services {
        let bytes = match tree.read(&service.path, SCRIPT_MAX) {
            Ok(bytes) => bytes,
            Err(error) => {
                generated.warn(format!("{}: {error}; it is taken without its header", service.path));
                continue;
            }
        };
        script::read(name, service, &String::from_utf8_lossy(&bytes), &mut generated);
    }
    runlevel::order(&mut services);
    for (name, service) in services {
        write(&name, &service, &mut generated);
    }
    generated
}

/// The scripts that become services, by the services' names.
fn find<T: Tree + ?Sized>(
    tree: &T,
    native: &Index,
    places: &Places,
    is_executable: &dyn Fn(&str) -> bool,
    generated: &mut Generated,
) -> BTreeMap<UnitName, Service> {
    let mut found = BTreeMap::new();
    for directory in &places.scripts {
        for (file, _) in tree.list(directory).unwrap_or_default() {
            let path = join(directory, &file);
            let is_file = matches!(resolve(tree, &path), Ok(end) if end.kind == Some(Kind::File));
            if is_left_behind(&file) || !is_file || !is_executable(&path) {
                continue;
            }
            let Some(name) = service_name(&file) else {
                generated.warn(format!("{path}: no unit can have this name; it is left out"));
                continue;
            };
            if native.has(&name) || is_boot_work(&file) || is_of_openrc(tree, &path) {
                continue;
            }
            found.entry(name).or_insert_with(|| Service { path, ..Service::default() });
        }
    }
    found
}

/// The name of a script's service: `.sh` is left out, and what a unit's name may not hold is escaped.
fn service_name(file: &str) -> Option<UnitName> {
    UnitName::parse(&escape::mangle(stem(file).as_bytes(), ".service")?).ok()
}

fn stem(file: &str) -> &str {
    file.strip_suffix(".sh").unwrap_or(file)
}

/// Files that editors and package managers leave behind, and hidden ones.
fn is_left_behind(file: &str) -> bool {
    const ENDINGS: &[&str] = &[
        "rpmnew",
        "rpmsave",
        "rpmorig",
        "dpkg-old",
        "dpkg-new",
        "dpkg-tmp",
        "dpkg-dist",
        "dpkg-bak",
        "dpkg-backup",
        "dpkg-remove",
        "ucf-new",
        "ucf-old",
        "ucf-dist",
        "swp",
        "bak",
        "old",
        "new",
    ];
    let ending = file.rsplit_once('.').map(|(_, ending)| ending);
    file.starts_with('.')
        || file.ends_with('~')
        || ["lost+found", "aquota.user", "aquota.group"].contains(&file)
        || ending.is_some_and(|ending| ENDINGS.contains(&ending))
}

/// Scripts that do what init itself does: what mounts, starts and ends the machine. systemd packages mask them by name.
fn is_boot_work(file: &str) -> bool {
    const NAMES: &[&str] = &[
        "bootlogd",
        "bootlogs",
        "bootmisc",
        "checkfs",
        "checkroot",
        "checkroot-bootclean",
        "halt",
        "hostname",
        "killprocs",
        "mountall",
        "mountall-bootclean",
        "mountdevsubfs",
        "mountkernfs",
        "mountnfs",
        "mountnfs-bootclean",
        "rc",
        "rcS",
        "reboot",
        "rmnologin",
        "sendsigs",
        "single",
        "stop-bootlogd",
        "stop-bootlogd-single",
        "umountfs",
        "umountnfs",
        "umountroot",
    ];
    NAMES.contains(&stem(file))
}

/// OpenRC's scripts lie in the same directory and are no SysV scripts: they work under OpenRC alone.
fn is_of_openrc<T: Tree + ?Sized>(tree: &T, path: &str) -> bool {
    let start = tree.read(path, SCRIPT_MAX).unwrap_or_default();
    let first = start.split(|byte| *byte == b'\n').next().unwrap_or_default();
    String::from_utf8_lossy(first).split_whitespace().any(|word| base_name(word).ends_with("openrc-run"))
}

fn write(name: &UnitName, service: &Service, generated: &mut Generated) {
    let mut draft = Draft::by("systemd-sysv-generator(8)");
    draft.section("Unit").line("Documentation", "man:systemd-sysv-generator(8)");
    draft.line("SourcePath", &literal(&service.path));
    draft.lines("Description", service.description.as_deref().map(literal));
    draft.lines("Before", &service.before).lines("After", &service.after).lines("Wants", &service.wants);
    draft.section("Service").line("Type", "forking").line("Restart", "no").line("TimeoutSec", "5min");
    draft.line("IgnoreSIGPIPE", "no").line("KillMode", "process").line("GuessMainPID", "no");
    draft.line("RemainAfterExit", if service.pid_file.is_some() { "no" } else { "yes" });
    draft.lines("PIDFile", service.pid_file.as_deref().map(literal));
    if service.header == script::Header::Lsb {
        // LSB: not installed, not configured.
        draft.line("SuccessExitStatus", "5 6");
    }
    let command = literal(&service.path);
    draft.line("ExecStart", &format!("{command} start")).line("ExecStop", &format!("{command} stop"));
    if service.reload == script::Reload::Known {
        draft.line("ExecReload", &format!("{command} reload"));
    }
    if generated.file(name.as_str(), draft.0) == Err(Taken) {
        return;
    }
    for target in &service.wanted_by {
        generated.pull(target, "wants", name.as_str());
    }
}

/// What another name, as a header gives it, means to a service.
fn is_target(name: &str) -> bool {
    matches!(UnitName::parse(name), Ok(name) if name.kind() == UnitKind::Target)
}
