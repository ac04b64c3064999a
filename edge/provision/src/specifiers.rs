//! Specifiers of tmpfiles.d(5) and sysusers.d(5): those of unit files that say something of the machine.

use crate::accounts::{Accounts, lines};
use eudaemon_unit::name::UnitName;
use eudaemon_unit::specifier::{Allowed, Context, Directories, OsRelease, Scope, expand};

/// Which programs take which.
const OF_BOTH: &str = "aAbBHlmMoTvVwW";
const OF_TMPFILES: &str = "CghGLStuU";

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum For {
    Tmpfiles,
    Sysusers,
}

pub struct Specifiers {
    cx: Context,
    name: UnitName,
    taken: String,
}

impl Specifiers {
    /// What the machine is, and the image below `root`.
    pub fn of(root: &str, program: For) -> Specifiers {
        let first = |path: String| lines(&path).into_iter().next().unwrap_or_default();
        let uname = rustix::system::uname();
        let text = |bytes: &std::ffi::CStr| bytes.to_string_lossy().into_owned();
        let cx = Context {
            hostname: text(uname.nodename()),
            machine_id: first(format!("{root}/etc/machine-id")),
            boot_id: first("/proc/sys/kernel/random/boot_id".to_owned()).replace('-', ""),
            kernel: text(uname.release()),
            architecture: text(uname.machine()).replace('_', "-").replace("aarch64", "arm64"),
            os: os_release(root),
            directories: Directories::of_system(),
            ..whoami(root)
        };
        let taken = match program {
            For::Tmpfiles => format!("{OF_BOTH}{OF_TMPFILES}"),
            For::Sysusers => OF_BOTH.to_owned(),
        };
        // Never seen: the specifiers that tell of a unit are not taken.
        let name = UnitName::parse("none.service").unwrap_or_else(|_| unreachable!("a valid name"));
        Specifiers { cx, name, taken }
    }

    /// The text with its specifiers replaced, or which of them means nothing here.
    pub fn expand(&self, text: &str) -> Result<String, String> {
        let mut rest = text;
        while let Some(at) = rest.find('%') {
            let letter = rest[at + 1..].chars().next();
            if let Some(letter) = letter.filter(|letter| letter.is_ascii_alphanumeric())
                && !self.taken.contains(letter)
            {
                return Err(format!("unknown specifier %{letter}"));
            }
            rest = &rest[at + 1 + letter.map_or(0, char::len_utf8)..];
        }
        let scope = Scope { name: &self.name, fragment: "", cx: &self.cx };
        let expanded = expand(text, scope, Allowed::All).map_err(|bad| format!("specifier: {bad}"))?;
        Ok(expanded.into_owned())
    }
}

fn whoami(root: &str) -> Context {
    let (uid, gid) = (rustix::process::getuid().as_raw(), rustix::process::getgid().as_raw());
    let accounts = Accounts::read(root);
    let named = |names: &std::collections::BTreeMap<String, u32>, id: u32| {
        names.iter().find(|(_, known)| **known == id).map_or_else(|| id.to_string(), |(name, _)| name.clone())
    };
    let user = if uid == 0 { "root".to_owned() } else { named(&accounts.users, uid) };
    let group = if gid == 0 { "root".to_owned() } else { named(&accounts.groups, gid) };
    let home = accounts.homes.get(&user).cloned().unwrap_or_else(|| "/root".to_owned());
    Context { user, uid, group, gid, home, ..Context::default() }
}

fn os_release(root: &str) -> OsRelease {
    let mut os = OsRelease::default();
    let read = |path: &str| lines(&format!("{root}{path}"));
    let mut found = read("/etc/os-release");
    if found.is_empty() {
        found = read("/usr/lib/os-release");
    }
    for line in found {
        let Some((key, value)) = line.split_once('=') else { continue };
        let value = value.trim().trim_matches(['"', '\'']).to_owned();
        match key {
            "ID" => os.id = value,
            "VERSION_ID" => os.version_id = value,
            "BUILD_ID" => os.build_id = value,
            "VARIANT_ID" => os.variant_id = value,
            "IMAGE_ID" => os.image_id = value,
            "IMAGE_VERSION" => os.image_version = value,
            _ => {}
        }
    }
    os
}
