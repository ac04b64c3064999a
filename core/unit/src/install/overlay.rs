//! A tree as it will be once the changes decided so far are made: later steps of a plan see the earlier ones.

use super::change::{Change, Note, Refusal};
use crate::files::{Kind, Tree, TreeError, base_name, join, parent, resolve};
use std::collections::BTreeMap;

pub struct Overlay<'t, T: ?Sized> {
    tree: &'t T,
    /// By canonical path: a link's target, or `None` for what is gone.
    altered: BTreeMap<String, Option<String>>,
    changes: Vec<Change>,
}

impl<'t, T: Tree + ?Sized> Overlay<'t, T> {
    pub fn new(tree: &'t T) -> Overlay<'t, T> {
        Overlay { tree, altered: BTreeMap::new(), changes: Vec::new() }
    }

    pub fn into_changes(self) -> Vec<Change> {
        self.changes
    }

    pub fn note(&mut self, change: Change) {
        self.changes.push(change);
    }

    /// Remembers a failure, and hands it on.
    pub fn fail(&mut self, refusal: Refusal) -> Refusal {
        self.changes.push(Change::Note(Note::Failed(refusal.clone())));
        refusal
    }

    /// Makes a link, over whatever link was there.
    pub fn link(&mut self, path: &str, target: &str) {
        self.altered.insert(self.canonical(path), Some(target.to_owned()));
        self.changes.push(Change::Symlink { path: path.to_owned(), target: target.to_owned() });
    }

    /// Removes a link, file or directory tree, and the directories below `keep` that it leaves empty.
    pub fn unlink(&mut self, path: &str, keep: &str) {
        self.altered.insert(self.canonical(path), None);
        self.changes.push(Change::Unlink { path: path.to_owned() });
        let mut directory = parent(path);
        while directory.len() > keep.len() && self.list(directory).is_ok_and(|entries| entries.is_empty()) {
            self.altered.insert(self.canonical(directory), None);
            self.changes.push(Change::RemoveDirectory { path: directory.to_owned() });
            directory = parent(directory);
        }
    }

    /// Removes a file, or a directory with all in it.
    pub fn unlink_all(&mut self, path: &str) {
        if self.look_at(path) == Ok(Kind::Directory) {
            for (name, kind) in self.list(path).unwrap_or_default() {
                if kind != Kind::Directory {
                    self.changes.push(Change::Unlink { path: join(path, &name) });
                }
            }
        }
        self.altered.insert(self.canonical(path), None);
        self.changes.push(Change::Unlink { path: path.to_owned() });
    }

    /// The place a name has: links above it are followed, itself is not.
    fn canonical(&self, path: &str) -> String {
        let above = resolve(self, parent(path)).map_or_else(|_| parent(path).to_owned(), |above| above.path);
        join(&above, base_name(path))
    }

    fn is_gone(&self, path: &str) -> bool {
        let mut at = path;
        while !at.is_empty() && at != "/" {
            match self.altered.get(at) {
                Some(None) => return true,
                Some(Some(_)) | None => at = parent(at),
            }
        }
        false
    }
}

impl<T: Tree + ?Sized> Tree for Overlay<'_, T> {
    fn look(&self, path: &str) -> Result<Kind, TreeError> {
        if let Some(Some(target)) = self.altered.get(path) {
            return Ok(Kind::Symlink(target.clone()));
        }
        if self.is_gone(path) && !self.has_made_below(path) {
            return Err(TreeError::NotFound);
        }
        match self.tree.look(path) {
            Err(TreeError::NotFound) if self.has_made_below(path) => Ok(Kind::Directory),
            found => found,
        }
    }

    fn list(&self, directory: &str) -> Result<Vec<(String, Kind)>, TreeError> {
        let directory = resolve(self, directory)?.path;
        let mut entries: BTreeMap<String, Kind> = match self.tree.list(&directory) {
            Ok(entries) => {
                entries.into_iter().filter(|(name, _)| !self.is_gone(&join(&directory, name))).collect()
            }
            Err(TreeError::NotFound) if self.has_made_below(&directory) => BTreeMap::new(),
            Err(error) => return Err(error),
        };
        let prefix = format!("{}/", directory.trim_end_matches('/'));
        for (path, target) in &self.altered {
            let (Some(rest), Some(target)) = (path.strip_prefix(&prefix), target) else { continue };
            match rest.split_once('/') {
                Some((below, _)) => entries.entry(below.to_owned()).or_insert(Kind::Directory),
                None => {
                    entries.insert(rest.to_owned(), Kind::Symlink(target.clone()));
                    continue;
                }
            };
        }
        Ok(entries.into_iter().collect())
    }

    fn read(&self, path: &str, limit: u64) -> Result<Vec<u8>, TreeError> {
        self.tree.read(&self.end(path)?, limit)
    }

    fn size(&self, path: &str) -> Result<u64, TreeError> {
        self.tree.size(&self.end(path)?)
    }

    fn stamp(&self, directory: &str) -> Option<u64> {
        self.tree.stamp(directory)
    }

    fn look_at(&self, path: &str) -> Result<Kind, TreeError> {
        if self.altered.is_empty() {
            return self.tree.look_at(path);
        }
        let above = resolve(self, parent(path))?;
        self.look(&join(&above.path, base_name(path)))
    }

    fn is_void(&self, path: &str) -> bool {
        if self.altered.is_empty() {
            return self.tree.is_void(path);
        }
        resolve(self, path).is_ok_and(|end| match end.kind {
            Some(Kind::File) => self.size(&end.path) == Ok(0),
            Some(Kind::Special) | None => end.path == "/dev/null",
            Some(Kind::Directory | Kind::Symlink(_)) => false,
        })
    }
}

impl<T: Tree + ?Sized> Overlay<'_, T> {
    fn end(&self, path: &str) -> Result<String, TreeError> {
        let resolved = resolve(self, path)?;
        resolved.kind.map(|_| resolved.path).ok_or(TreeError::NotFound)
    }

    fn has_made_below(&self, path: &str) -> bool {
        let prefix = format!("{path}/");
        let below = self.altered.range(prefix.clone()..).take_while(|(made, _)| made.starts_with(&prefix));
        below.into_iter().any(|(_, target)| target.is_some())
    }
}
