//! Files where managers look for them: written whole or not at all, and never over somebody else's.

use super::script::MARK;
use super::target::File;
use crate::Mode;
use crate::error::{Error, Result};
use crate::limits::LINKS;
use std::fs::{self, OpenOptions};
use std::io::{ErrorKind, Write};
use std::os::unix::fs::{MetadataExt, OpenOptionsExt, PermissionsExt};
use std::path::{Component, Path, PathBuf};

/// What became of a file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Put {
    /// There was none.
    Made,
    /// An older one of ours was there.
    Replaced,
    /// It was there as it is.
    Unchanged,
}

/// Whether a file had to be taken away.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Gone {
    /// It was not there.
    Before,
    /// It was.
    Now,
}

impl File {
    /// Where it is below a root directory; `~/` is the caller's home. Links among the directories lead where they lead for
    /// who has that root: none leads out of it.
    ///
    /// # Errors
    ///
    /// [`Error::Io`] when it is a user's and the environment does not tell `HOME`, or links lead in a circle.
    pub fn place(&self, root: &Path) -> Result<PathBuf> {
        place(&self.path, root)
    }

    /// Puts it below a root directory, and makes the directories it is in. It is written beside its place and then takes
    /// it, so nobody reads half of it.
    ///
    /// # Errors
    ///
    /// [`Error::Foreign`] when another file is there that we have not written; [`Error::Io`] when a step fails.
    pub fn put(&self, root: &Path) -> Result<Put> {
        let place = self.place(root)?;
        let there = self.there(&place)?;
        if there == There::Same {
            return Ok(Put::Unchanged);
        }
        let folder = place.parent().unwrap_or(root);
        fs::create_dir_all(folder).map_err(|error| Error::io(format!("make {}", folder.display()), error))?;
        let name = place.file_name().unwrap_or_default().to_string_lossy().into_owned();
        // A name that managers pass over: it begins with a point.
        let fresh = folder.join(format!(".{name}.new-{}", std::process::id()));
        let written = self.write(&fresh).and_then(|()| fs::rename(&fresh, &place));
        if let Err(error) = written {
            // It may not have come so far as to be there.
            fs::remove_file(&fresh).ok();
            return Err(Error::io(format!("write {}", place.display()), error));
        }
        Ok(if there == There::Nothing { Put::Made } else { Put::Replaced })
    }

    /// Takes it away, if it is there and ours, and tells whether it was. The directories it is in stay.
    ///
    /// # Errors
    ///
    /// As [`File::put`].
    pub fn remove(&self, root: &Path) -> Result<Gone> {
        let place = self.place(root)?;
        if self.there(&place)? == There::Nothing {
            return Ok(Gone::Before);
        }
        let removed = fs::remove_file(&place).map(|()| Gone::Now);
        removed.map_err(|error| Error::io(format!("remove {}", place.display()), error))
    }

    /// Looks whether it can be put or removed: nobody else's file is at its place.
    ///
    /// # Errors
    ///
    /// As [`File::put`].
    pub fn look(&self, root: &Path) -> Result<()> {
        self.place(root).and_then(|place| self.there(&place)).map(|_| ())
    }

    fn write(&self, fresh: &Path) -> std::io::Result<()> {
        let mut file =
            OpenOptions::new().write(true).create_new(true).mode(self.mode.as_raw_mode()).open(fresh)?;
        file.write_all(self.text.as_bytes())?;
        file.set_permissions(fs::Permissions::from_mode(self.mode.as_raw_mode()))?;
        file.sync_all()
    }

    /// What is at its place.
    fn there(&self, place: &Path) -> Result<There> {
        let found = match fs::symlink_metadata(place) {
            Ok(found) => found,
            Err(error) if matches!(error.kind(), ErrorKind::NotFound | ErrorKind::NotADirectory) => {
                return Ok(There::Nothing);
            }
            Err(error) => return Err(Error::io(format!("look at {}", place.display()), error)),
        };
        let foreign = || Error::Foreign { path: place.to_owned() };
        if !found.is_file() {
            return Err(foreign());
        }
        let text = fs::read(place).map_err(|error| Error::io(format!("read {}", place.display()), error))?;
        if text == self.text.as_bytes() {
            let is_same = Mode::from_raw_mode(found.mode() & 0o7777) == self.mode;
            return Ok(if is_same { There::Same } else { There::Ours });
        }
        if is_marked(&text, MARK) || is_older_down(place, &text) {
            return Ok(There::Ours);
        }
        Err(foreign())
    }
}

/// Where a path is below a root directory.
pub(super) fn place(path: &str, root: &Path) -> Result<PathBuf> {
    let path = match path.strip_prefix("~/") {
        None => path.to_owned(),
        Some(rest) => {
            let home = std::env::var("HOME").ok().filter(|home| home.starts_with('/'));
            let missing = || Error::io(format!("find the home of {path}"), ErrorKind::NotFound);
            format!("{}/{rest}", home.ok_or_else(missing)?)
        }
    };
    let doing = || format!("find {path} below {}", root.display());
    inside(Path::new(&path), root, Last::Stays).map_err(|error| Error::io(doing(), error))
}

/// Whether a link at the end of a path is followed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Last {
    Stays,
    IsFollowed,
}

/// Where a path leads for who has this root directory. What is not there, or cannot be looked at, is taken as it is called.
pub(super) fn inside(path: &Path, root: &Path, last: Last) -> std::io::Result<PathBuf> {
    let parts = |path: &Path| -> Vec<std::ffi::OsString> {
        path.components().rev().map(|part| part.as_os_str().to_owned()).collect()
    };
    let (mut left, mut there, mut links) = (parts(path), PathBuf::new(), 0);
    while let Some(part) = left.pop() {
        match Path::new(&part).components().next() {
            Some(Component::Normal(name)) => there.push(name),
            Some(Component::ParentDir) => {
                there.pop();
                continue;
            }
            Some(Component::RootDir | Component::CurDir | Component::Prefix(_)) | None => continue,
        }
        if left.is_empty() && last == Last::Stays {
            break;
        }
        if let Ok(to) = fs::read_link(root.join(&there)) {
            links += 1;
            if links > LINKS {
                return Err(rustix::io::Errno::LOOP.into());
            }
            there.pop();
            if to.is_absolute() {
                there.clear();
            }
            left.extend(parts(&to));
        }
    }
    Ok(root.join(there))
}

/// Whether the link at a place leads to a path, for who has this root directory.
pub(super) fn leads(link: &Path, to: &str, root: &Path) -> bool {
    let Ok(text) = fs::read_link(link) else { return false };
    let folder = link.parent().and_then(|folder| folder.strip_prefix(root).ok());
    let meant = Path::new("/").join(folder.unwrap_or(Path::new(""))).join(text);
    let there = inside(&meant, root, Last::Stays).ok();
    there.is_some() && there == place(to, root).ok()
}

/// Older versions kept a service of runit's down by an empty file, without a mark: runsv(8), "down".
fn is_older_down(place: &Path, text: &[u8]) -> bool {
    let run = || fs::read(place.with_file_name("run"));
    text.is_empty() && place.ends_with("down") && run().is_ok_and(|run| is_marked(&run, MARK))
}

/// Whether a mark stands where ours does.
fn is_marked(text: &[u8], mark: &str) -> bool {
    String::from_utf8_lossy(text).lines().take(crate::limits::MARK_WITHIN).any(|line| line.contains(mark))
}

/// The files of a pattern that we wrote for a service: a path whose last part may hold a `*`. What cannot be looked at is
/// nobody's of ours.
pub(super) fn written_for(service: &str, pattern: &str, root: &Path) -> Vec<PathBuf> {
    let mark = format!("{MARK} {service}:");
    let mut found = named(pattern, root);
    found.retain(|path| fs::symlink_metadata(path).is_ok_and(|found| found.is_file()));
    found.retain(|path| fs::read(path).is_ok_and(|text| is_marked(&text, &mark)));
    found
}

/// All that is there by a pattern.
pub(super) fn named(pattern: &str, root: &Path) -> Vec<PathBuf> {
    let Ok(place) = place(pattern, root) else { return Vec::new() };
    let name = place.file_name().unwrap_or_default().to_string_lossy().into_owned();
    let (first, last) = name.split_once('*').unwrap_or((&name, ""));
    let is_named = |found: &str| match name.contains('*') {
        true => found.len() >= name.len() && found.starts_with(first) && found.ends_with(last),
        false => found == name,
    };
    let entries = fs::read_dir(place.parent().unwrap_or(root)).into_iter().flatten().flatten();
    let mut found: Vec<PathBuf> = entries
        .filter(|entry| is_named(&entry.file_name().to_string_lossy()))
        .map(|entry| entry.path())
        .collect();
    found.sort();
    found
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum There {
    Nothing,
    /// The same text with the same permissions.
    Same,
    /// One that we have written, of other text.
    Ours,
}

#[cfg(test)]
mod tests {
    use super::*;

    fn file(text: &str) -> File {
        let text = format!("#!/bin/sh\n# {MARK} x\n{text}\n");
        File { path: "/etc/init.d/x".to_owned(), mode: Mode::from_raw_mode(0o755), text }
    }

    #[test]
    fn ours_is_replaced_and_removed_and_a_stranger_s_is_not() {
        let root = tempfile::tempdir().expect("a directory");
        let place = root.path().join("etc/init.d/x");
        let put = |text: &str| file(text).put(root.path());
        assert_eq!(put("one").expect("it is put"), Put::Made);
        assert_eq!(put("one").expect("it is there"), Put::Unchanged);
        assert_eq!(put("two").expect("it is ours"), Put::Replaced);
        assert_eq!(fs::metadata(&place).expect("it is there").mode() & 0o7777, 0o755);
        assert_eq!(fs::read_dir(place.parent().expect("etc")).expect("it is there").count(), 1);
        assert_eq!(file("three").remove(root.path()).expect("it is ours"), Gone::Now);
        assert!(!place.exists());
        assert_eq!(file("three").remove(root.path()).expect("what is not there need not go"), Gone::Before);
        fs::write(&place, "#!/bin/sh\nsomebody else's\n").expect("it is written");
        let refused = put("one").expect_err("it is not ours").to_string();
        assert_eq!(refused, format!("{} is there, and not ours: it is left as it is", place.display()));
        file("one").remove(root.path()).expect_err("it is not ours");
        file("one").look(root.path()).expect_err("it is not ours");
        fs::remove_file(&place).expect("it goes");
        std::os::unix::fs::symlink("/nowhere", &place).expect("a link");
        put("one").expect_err("a link is not ours");
    }

    #[test]
    fn a_down_of_an_older_version_is_ours_beside_our_run() {
        let root = tempfile::tempdir().expect("a directory");
        let at = |name: &str| root.path().join("etc/sv/x").join(name);
        let down = File::text("/etc/sv/x/down", format!("# {MARK} x: X\n"));
        fs::create_dir_all(at("")).and_then(|()| fs::write(at("down"), "")).expect("made");
        fs::write(at("run"), "#!/bin/sh\nexec theirs\n").expect("written");
        down.put(root.path()).expect_err("it is not ours");
        fs::write(at("run"), format!("#!/bin/sh\n# {MARK} x: X\n")).expect("written");
        assert_eq!(down.put(root.path()).expect("it is ours"), Put::Replaced);
        fs::write(at("down"), "why it is down\n").expect("written");
        down.put(root.path()).expect_err("it is not ours");
    }

    #[test]
    fn no_link_leads_out_of_the_root() {
        let folder = tempfile::tempdir().expect("a directory");
        let (root, host) = (folder.path().join("root"), folder.path().join("host"));
        fs::create_dir_all(root.join("etc")).and_then(|()| fs::create_dir_all(&host)).expect("made");
        let link = |to: &Path, name: &str| std::os::unix::fs::symlink(to, root.join(name)).expect("a link");
        link(&host, "etc/init.d");
        assert_eq!(file("one").put(&root).expect("it is put"), Put::Made);
        assert_eq!(
            fs::read_dir(&host).expect("it is there").count(),
            0,
            "nothing of the machine's is written"
        );
        let inner = root.join(host.strip_prefix("/").expect("absolute")).join("x");
        assert_eq!(file("one").place(&root).expect("a place"), inner);
        assert!(inner.is_file());
        assert_eq!(file("one").remove(&root).expect("it is ours"), Gone::Now);
        for (to, leads) in [("../../../../rc.d/init.d", "rc.d/init.d/x"), ("../opt/./x/..", "opt/x")] {
            fs::remove_file(root.join("etc/init.d")).expect("a link");
            link(Path::new(to), "etc/init.d");
            assert_eq!(file("one").place(&root).expect("a place"), root.join(leads), "{to}");
        }
        fs::remove_file(root.join("etc/init.d")).expect("a link");
        link(Path::new("init.d"), "etc/init.d");
        file("one").put(&root).expect_err("a circle");
    }

    #[test]
    fn what_was_written_for_a_service_is_found() {
        let root = tempfile::tempdir().expect("a directory");
        let put = |name: &str, text: &str| {
            std::fs::write(root.path().join(name), text).expect("it is written");
        };
        put("x.socket", &format!("# {MARK} x: X\n"));
        put("x-a.socket", &format!("# {MARK} x: X\n"));
        put("x-b.socket", &format!("# {MARK} x-b: another service\n"));
        put("x-c.socket", "[Socket]\n");
        put("x-a.service", &format!("# {MARK} x: X\n"));
        std::os::unix::fs::symlink("x.socket", root.path().join("x-d.socket")).expect("a link");
        let found = |pattern: &str| written_for("x", pattern, root.path());
        assert_eq!(found("/x-*.socket"), [root.path().join("x-a.socket")]);
        assert_eq!(found("/x.socket"), [root.path().join("x.socket")]);
        assert_eq!(found("/nowhere/x.socket"), Vec::<PathBuf>::new());
    }
}
