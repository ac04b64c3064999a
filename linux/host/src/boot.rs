//! What PID 1 finds missing and may make: the kernel's file systems, a clean /run, a machine id, the
//! directories clients look for. Whatever is refused is said and done without: a container that allows no
//! mounts still boots.

use crate::place::{Place, Role};
use rustix::mount::{MountFlags, mount};
use std::fs;
use std::io::{self, Read};
use std::os::unix::fs::{DirBuilderExt, MetadataExt, PermissionsExt};
use std::path::{Path, PathBuf};

/// One file system the machine should have.
struct Wanted {
    place: &'static str,
    kind: &'static str,
    flags: MountFlags,
    options: &'static str,
}

const NOSUID_NODEV: MountFlags = MountFlags::NOSUID.union(MountFlags::NODEV);
const NOSUID_NOEXEC_NODEV: MountFlags = NOSUID_NODEV.union(MountFlags::NOEXEC);

const FILE_SYSTEMS: &[Wanted] = &[
    Wanted { place: "/proc", kind: "proc", flags: NOSUID_NOEXEC_NODEV, options: "" },
    Wanted { place: "/sys", kind: "sysfs", flags: NOSUID_NOEXEC_NODEV, options: "" },
    Wanted { place: "/dev", kind: "devtmpfs", flags: MountFlags::NOSUID, options: "mode=0755,size=4m" },
    Wanted { place: "/dev/shm", kind: "tmpfs", flags: NOSUID_NODEV, options: "mode=01777" },
    Wanted {
        place: "/dev/pts",
        kind: "devpts",
        flags: MountFlags::NOSUID.union(MountFlags::NOEXEC),
        options: "mode=0620,gid=5,ptmxmode=0666",
    },
    Wanted {
        place: "/run",
        kind: "tmpfs",
        flags: NOSUID_NODEV,
        options: "mode=0755,size=20%,nr_inodes=800k",
    },
    Wanted { place: "/sys/fs/cgroup", kind: "cgroup2", flags: NOSUID_NOEXEC_NODEV, options: "nsdelegate" },
];

/// Makes the machine ready as far as it lets us; returns a line for each thing refused.
pub fn prepare(place: &Place, container: Option<&str>) -> Vec<String> {
    let mut refused = Vec::new();
    if place.role == Role::First {
        for wanted in FILE_SYSTEMS {
            if let Err(line) = mount_one(wanted) {
                refused.push(line);
            }
        }
        if !is_mount_point(Path::new("/run")) {
            refused.extend(sweep_run(Path::new("/run")));
        }
        if let Err(error) = machine_id(Path::new("/etc/machine-id")) {
            refused.push(format!("cannot write /etc/machine-id: {error}"));
        }
    }
    refused.extend(directories(place, container));
    refused
}

fn mount_one(wanted: &Wanted) -> Result<(), String> {
    let place = Path::new(wanted.place);
    if is_mount_point(place) {
        return Ok(());
    }
    // A container's runtime may have filled /dev by hand, or bound cgroups below a directory.
    let served = match wanted.place {
        "/dev" => place.join("null").exists(),
        "/sys/fs/cgroup" => place.join("unified").exists() || place.join("systemd").exists(),
        _ => false,
    };
    if served {
        return Ok(());
    }
    // The mount itself tells what is wrong with a directory that could not be made.
    drop(fs::create_dir_all(place));
    let options = std::ffi::CString::new(wanted.options).unwrap_or_default();
    mount(wanted.kind, place, wanted.kind, wanted.flags, Some(options.as_c_str())).map_err(|error| {
        format!("cannot mount {} on {}: {}", wanted.kind, wanted.place, io::Error::from(error))
    })
}

fn is_mount_point(path: &Path) -> bool {
    let (Ok(own), Some(parent)) = (fs::metadata(path), path.parent()) else { return false };
    fs::metadata(parent).is_ok_and(|above| above.dev() != own.dev())
}

/// A /run on the image's own disk keeps what the last run left: pid files and sockets that would fool
/// services. All of it goes but directories and what is mounted below.
fn sweep_run(run: &Path) -> Vec<String> {
    let mut refused = Vec::new();
    let Ok(device) = fs::metadata(run).map(|found| found.dev()) else { return refused };
    let mut waiting: Vec<PathBuf> = vec![run.to_path_buf()];
    while let Some(directory) = waiting.pop() {
        let Ok(entries) = fs::read_dir(&directory) else { continue };
        for entry in entries.flatten() {
            let Ok(found) = entry.metadata() else { continue };
            if found.dev() != device || is_mounted_file(&entry.path()) {
                continue;
            }
            if found.is_dir() {
                waiting.push(entry.path());
            } else if let Err(error) = fs::remove_file(entry.path()) {
                refused.push(format!("cannot remove stale {}: {error}", entry.path().display()));
            }
        }
    }
    refused
}

/// Runtimes bind single files (`/run/.containerenv`, secrets): those are not leftovers.
fn is_mounted_file(path: &Path) -> bool {
    let text = path.to_string_lossy();
    text == "/run/.containerenv"
        || text.starts_with("/run/host/")
        || text.starts_with("/run/secrets/")
        || fs::read_to_string("/proc/self/mountinfo")
            .is_ok_and(|table| table.lines().any(|line| line.split(' ').nth(4) == Some(text.as_ref())))
}

/// machine-id(5): dbus and journald will not start without one. A container's own uuid comes first.
fn machine_id(path: &Path) -> io::Result<()> {
    let present = fs::read_to_string(path).unwrap_or_default();
    if present.trim().len() == 32 && present.trim().chars().all(|c| c.is_ascii_hexdigit()) {
        return Ok(());
    }
    let given = std::env::var("container_uuid").unwrap_or_default().replace('-', "");
    let id = if given.len() == 32 && given.chars().all(|c| c.is_ascii_hexdigit()) {
        given.to_lowercase()
    } else {
        random_id()?
    };
    let text = format!("{id}\n");
    if fs::write(path, &text).is_ok() {
        return fs::set_permissions(path, fs::Permissions::from_mode(0o444));
    }
    // A read-only root: the id lives in /run and is bound over the file, where that is allowed.
    fs::write("/run/machine-id", &text)?;
    Ok(rustix::mount::mount_bind("/run/machine-id", path)?)
}

fn random_id() -> io::Result<String> {
    let mut bytes = [0u8; 16];
    fs::File::open("/dev/urandom")?.read_exact(&mut bytes)?;
    // A version 4 UUID, as machine-id(5) asks.
    bytes[6] = bytes[6] & 0x0f | 0x40;
    bytes[8] = bytes[8] & 0x3f | 0x80;
    Ok(bytes.iter().map(|byte| format!("{byte:02x}")).collect())
}

/// What clients test for before they connect: sd_booted(3) and the socket's directory.
fn directories(place: &Place, container: Option<&str>) -> Vec<String> {
    let mut refused = Vec::new();
    for name in [
        "",
        "system",
        "units",
        "journal",
        "ask-password",
        "generator",
        "generator.early",
        "generator.late",
        "transient",
    ] {
        let path = place.published.join(name);
        let made = fs::DirBuilder::new().recursive(true).mode(0o755).create(&path);
        if let Err(error) = made {
            refused.push(format!("cannot make {}: {error}", path.display()));
        }
    }
    if let Some(container) = container
        && place.role == Role::First
        && let Err(error) = fs::write(place.published.join("container"), format!("{container}\n"))
    {
        refused.push(format!("cannot write {}: {error}", place.published.join("container").display()));
    }
    refused
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_machine_id_that_is_there_stays() {
        let path = std::env::temp_dir().join(format!("eudaemon-machine-id-{}", std::process::id()));
        fs::write(&path, "").unwrap();
        machine_id(&path).unwrap();
        let first = fs::read_to_string(&path).unwrap();
        assert_eq!(first.trim().len(), 32);
        machine_id(&path).unwrap();
        assert_eq!(fs::read_to_string(&path).unwrap(), first);
        fs::remove_file(path).unwrap();
    }

    #[test]
    fn stale_files_go_and_directories_stay() {
        let run = std::env::temp_dir().join(format!("eudaemon-run-{}", std::process::id()));
        fs::create_dir_all(run.join("nginx")).unwrap();
        fs::write(run.join("nginx/nginx.pid"), "12").unwrap();
        assert_eq!(sweep_run(&run), Vec::<String>::new());
        assert!(run.join("nginx").is_dir() && !run.join("nginx/nginx.pid").exists());
        fs::remove_dir_all(run).unwrap();
    }
}
