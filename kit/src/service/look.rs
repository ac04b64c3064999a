//! Looks whose a service is, before anything is done to it.

use super::place::{leads, named, place, written_for};
use super::plan::Links;
use super::word::quoted;
use std::ffi::OsStr;
use std::fs;
use std::io;
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::MetadataExt;
use std::path::Path;
use std::process::{Output, Stdio};

/// What a section of supervisord may be that has the name of a service.
const SECTIONS: [&str; 4] = ["program", "group", "fcgi-program", "eventlistener"];

fn foreign(text: String) -> io::Error {
    io::Error::other(format!("{text}, which is not ours: it is left as it is"))
}

fn is_there(path: &str, root: &Path) -> bool {
    place(path, root).is_ok_and(|path| fs::symlink_metadata(path).is_ok())
}

/// Whether anything of ours is there.
pub(super) fn any(
    name: &str,
    (files, older): (&[String], &[String]),
    links: &[Links],
    folders: &[String],
    root: &Path,
) -> bool {
    let is_ours = |pattern: &String| !written_for(name, pattern, root).is_empty();
    files.iter().any(|path| is_there(path, root))
        || older.iter().any(is_ours)
        || links.iter().any(|links| !links.found(root).is_empty())
        || folders.iter().any(|path| place(path, root).is_ok_and(|path| path.is_dir()))
}

impl Links {
    /// Those that are there and lead there.
    pub(super) fn found(&self, root: &Path) -> Vec<std::path::PathBuf> {
        let there = self.paths.iter().flat_map(|pattern| named(pattern, root));
        there.filter(|path| leads(path, &self.to, root)).collect()
    }

    /// Nothing else is in their places.
    pub(super) fn look(&self, root: &Path) -> io::Result<()> {
        let ours = self.found(root);
        let mut there = self.paths.iter().flat_map(|pattern| named(pattern, root));
        match there.find(|path| !ours.contains(path)) {
            Some(path) => Err(foreign(format!("{} is there", path.display()))),
            None => Ok(()),
        }
    }
}

/// No file but ours has a section of this name.
pub(super) fn sections(name: &str, patterns: &[String], kept: &[String], root: &Path) -> io::Result<()> {
    let kept: Vec<_> = kept.iter().filter_map(|path| place(path, root).ok()).collect();
    let files = patterns.iter().flat_map(|pattern| named(pattern, root));
    for file in files.filter(|file| !kept.contains(file)) {
        let text = fs::read(&file).unwrap_or_default();
        let text = String::from_utf8_lossy(&text);
        let wanted = SECTIONS.map(|kind| format!("[{kind}:{name}]"));
        if let Some(section) =
            wanted.iter().find(|section| text.lines().any(|line| line.trim_end().starts_with(*section)))
        {
            return Err(foreign(format!("{} has {section}", file.display())));
        }
    }
    Ok(())
}

/// Where ours is not there, nothing else is that would be taken for it.
pub(super) fn elsewhere(path: &str, others: &[String], root: &Path) -> io::Result<()> {
    if is_there(path, root) {
        return Ok(());
    }
    match others.iter().find(|other| is_there(other, root)) {
        Some(other) => {
            Err(foreign(format!("{} is there", place(other, root).map_err(io::Error::other)?.display())))
        }
        None => Ok(()),
    }
}

/// The manager, if it runs, takes this file for the unit, or knows of none.
pub(super) fn unit(path: &str, command: io::Result<std::process::Command>) -> io::Result<()> {
    let told = match command?.stdin(Stdio::null()).stderr(Stdio::null()).output() {
        Ok(Output { stdout, .. }) => stdout,
        // Whoever acts by it says that it is not there.
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(()),
        Err(error) => return Err(error),
    };
    let told = Path::new(OsStr::from_bytes(told.trim_ascii()));
    let ours = place(path, Path::new("/")).map_err(io::Error::other)?;
    let identity = |path: &Path| fs::metadata(path).map(|found| (found.dev(), found.ino())).ok();
    let is_ours = told == ours || identity(told).is_some_and(|found| identity(&ours) == Some(found));
    if told.as_os_str().is_empty() || is_ours {
        return Ok(());
    }
    Err(foreign(format!("the manager has it from {}", quoted(&told.to_string_lossy()))))
}

/// Whether one of these programs can be run.
pub(super) fn has_one(tools: &[String]) -> bool {
    let search = std::env::var_os("PATH").unwrap_or_default();
    std::env::split_paths(&search).any(|folder| tools.iter().any(|tool| folder.join(tool).is_file()))
}

pub(super) fn tools(tools: &[String]) -> io::Result<()> {
    match has_one(tools) {
        true => Ok(()),
        false => Err(io::Error::other(format!(
            "{} is not here: its manager could not be told",
            tools.join(" or ")
        ))),
    }
}
