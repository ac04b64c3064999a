//! passwd(5), shadow(5), group(5), gshadow(5): read whole, added to, and written whole, each by a rename, under
//! the lock every tool that writes them takes.

use std::fs::{self, File, OpenOptions};
use std::io::{self, Write};
use std::os::unix::fs::{MetadataExt, OpenOptionsExt, PermissionsExt};

#[derive(Debug)]
struct Table {
    name: &'static str,
    lines: Vec<String>,
    changed: bool,
}

#[derive(Debug)]
pub struct Database {
    passwd: Table,
    shadow: Table,
    group: Table,
    gshadow: Table,
    /// What was made, in words.
    pub made: Vec<String>,
}

/// Held while the tables are read and written: lckpwdf(3).
pub fn lock(root: &str) -> Result<File, String> {
    let path = format!("{root}/etc/.pwd.lock");
    let say = |error: io::Error| format!("cannot lock {path}: {error}");
    fs::create_dir_all(format!("{root}/etc")).map_err(say)?;
    let nofollow = rustix::fs::OFlags::NOFOLLOW.bits() as i32;
    let opened = OpenOptions::new()
        .write(true)
        .create(true)
        .truncate(false)
        .mode(0o600)
        .custom_flags(nofollow)
        .open(&path);
    let file = opened.map_err(say)?;
    rustix::fs::fcntl_lock(&file, rustix::fs::FlockOperation::LockExclusive)
        .map_err(|error| say(error.into()))?;
    Ok(file)
}

impl Database {
    pub fn read(root: &str) -> Result<Database, String> {
        let table = |name: &'static str| {
            let path = format!("{root}/etc/{name}");
            let lines = match fs::read(&path) {
                Ok(bytes) => String::from_utf8(bytes).map_err(|_| format!("{path} is not UTF-8"))?,
                Err(error) if error.kind() == io::ErrorKind::NotFound => String::new(),
                Err(error) => return Err(format!("cannot read {path}: {error}")),
            };
            Ok(Table { name, lines: lines.lines().map(str::to_owned).collect(), changed: false })
        };
        Ok(Database {
            passwd: table("passwd")?,
            shadow: table("shadow")?,
            group: table("group")?,
            gshadow: table("gshadow")?,
            made: Vec::new(),
        })
    }

    pub fn uid_of(&self, name: &str) -> Option<u32> {
        self.passwd.id_of(name)
    }

    pub fn gid_of(&self, name: &str) -> Option<u32> {
        self.group.id_of(name)
    }

    pub fn has_gid(&self, gid: u32) -> bool {
        self.group.name_of(gid).is_some()
    }

    pub fn gid_is_free(&self, gid: u32) -> bool {
        self.group.name_of(gid).is_none()
    }

    /// Neither a group's, nor the uid of a user of another name.
    pub fn gid_is_free_for(&self, gid: u32, name: &str) -> bool {
        self.gid_is_free(gid) && self.passwd.name_of(gid).is_none_or(|user| user == name)
    }

    pub fn uid_is_free(&self, uid: u32) -> bool {
        self.passwd.name_of(uid).is_none()
    }

    /// Neither a user's, nor the gid of a group of another name.
    pub fn uid_is_free_for(&self, uid: u32, name: &str) -> bool {
        self.uid_is_free(uid) && self.group.name_of(uid).is_none_or(|group| group == name)
    }

    pub fn add_group(&mut self, name: &str, gid: u32) {
        self.made.push(format!("Creating group '{name}' with GID {gid}."));
        self.group.add(format!("{name}:x:{gid}:"));
        if self.gshadow.line_of(name).is_none() {
            self.gshadow.add(format!("{name}:!*::"));
        }
    }

    pub fn add_user(&mut self, name: &str, uid: u32, gid: u32, description: &str, home: &str, shell: &str) {
        let shown = if description.is_empty() { "n/a" } else { description };
        self.made.push(format!("Creating user '{name}' ({shown}) with UID {uid} and GID {gid}."));
        self.passwd.add(format!("{name}:x:{uid}:{gid}:{description}:{home}:{shell}"));
        if self.shadow.line_of(name).is_none() {
            let now = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH);
            let days = now.map_or(0, |since| since.as_secs() / 86_400);
            self.shadow.add(format!("{name}:!*:{days}::::::"));
        }
    }

    pub fn add_member(&mut self, group: &str, user: &str) {
        let added = self.group.add_member(group, user);
        self.gshadow.add_member(group, user);
        if added {
            self.made.push(format!("Adding user '{user}' to group '{group}'."));
        }
    }

    /// Shadow files first: a user in passwd without a locked password must never be seen.
    pub fn write(&self, root: &str) -> Result<(), String> {
        for table in [&self.gshadow, &self.group, &self.shadow, &self.passwd] {
            if table.changed {
                let path = format!("{root}/etc/{}", table.name);
                table.write(&path).map_err(|error| format!("cannot write {path}: {error}"))?;
            }
        }
        Ok(())
    }
}

impl Table {
    fn line_of(&self, name: &str) -> Option<&String> {
        self.lines.iter().find(|line| line.split(':').next() == Some(name))
    }

    fn id_of(&self, name: &str) -> Option<u32> {
        self.line_of(name)?.split(':').nth(2)?.parse().ok()
    }

    fn name_of(&self, id: u32) -> Option<&str> {
        let of = |line: &&String| line.split(':').nth(2).and_then(|text| text.parse().ok()) == Some(id);
        self.lines.iter().find(of)?.split(':').next()
    }

    /// Before the lines of NIS (`+…`), which end the table.
    fn add(&mut self, line: String) {
        let at = self.lines.iter().position(|line| line.starts_with(['+', '-'])).unwrap_or(self.lines.len());
        self.lines.insert(at, line);
        self.changed = true;
    }

    /// Whether it was new.
    fn add_member(&mut self, group: &str, user: &str) -> bool {
        let Some(line) = self.lines.iter_mut().find(|line| line.split(':').next() == Some(group)) else {
            return false;
        };
        let Some((before, members)) = line.rsplit_once(':') else { return false };
        let mut members: Vec<&str> = members.split(',').filter(|member| !member.is_empty()).collect();
        if members.contains(&user) {
            return false;
        }
        members.push(user);
        members.sort_unstable();
        *line = format!("{before}:{}", members.join(","));
        self.changed = true;
        true
    }

    fn write(&self, path: &str) -> io::Result<()> {
        let old = fs::metadata(path).ok();
        let secret = self.name.ends_with("shadow");
        let mode = old.as_ref().map_or(if secret { 0o000 } else { 0o644 }, |old| old.mode() & 0o7777);
        if old.is_some() {
            let backup = format!("{path}-");
            replace(&backup, &fs::read(path)?, mode, old.as_ref())?;
        }
        let mut text = self.lines.join("\n");
        text.push('\n');
        replace(path, text.as_bytes(), mode, old.as_ref())
    }
}

/// The whole content or none of it; a planted file or link of the temporary name is not written through.
fn replace(path: &str, content: &[u8], mode: u32, old: Option<&fs::Metadata>) -> io::Result<()> {
    let temporary = format!("{path}.eudaemon-new");
    match fs::remove_file(&temporary) {
        Ok(()) => {}
        Err(error) if error.kind() == io::ErrorKind::NotFound => {}
        Err(error) => return Err(error),
    }
    let mut file = OpenOptions::new().write(true).create_new(true).mode(0o600).open(&temporary)?;
    file.write_all(content)?;
    if let Some(old) = old {
        std::os::unix::fs::fchown(&file, Some(old.uid()), Some(old.gid()))?;
    }
    file.set_permissions(fs::Permissions::from_mode(mode))?;
    file.sync_all()?;
    fs::rename(&temporary, path)
}
