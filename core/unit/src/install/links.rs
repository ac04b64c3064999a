//! Making a link, and removing all that lead to what is being disabled.

use super::Overlay;
use super::change::Refusal;
use crate::files::{Kind, Tree, base_name, join, parent, resolve};
use crate::install::Force;
use crate::limits;
use crate::name::UnitName;
use std::collections::BTreeSet;

/// A link from `path` to `target`. One that leads there already is left alone.
pub fn make<T: Tree + ?Sized>(
    tree: &mut Overlay<'_, T>,
    target: &str,
    path: &str,
    force: Force,
) -> Result<(), Refusal> {
    match tree.look_at(path) {
        Ok(Kind::Symlink(there)) if leads_to(tree, path, &there, target) => Ok(()),
        Ok(Kind::Symlink(there)) if force == Force::No => {
            Err(tree.fail(Refusal::Exists { path: path.to_owned(), target: Some(there) }))
        }
        Ok(Kind::Symlink(_)) => {
            // The old link goes and the new one comes in one step; its directory never stands empty.
            tree.note(super::Change::Unlink { path: path.to_owned() });
            tree.link(path, target);
            Ok(())
        }
        Ok(Kind::File | Kind::Directory | Kind::Special) => {
            Err(tree.fail(Refusal::Exists { path: path.to_owned(), target: None }))
        }
        Err(_) => {
            tree.link(path, target);
            Ok(())
        }
    }
}

/// Whether a link with this text leads to the same file as another text would.
fn leads_to<T: Tree + ?Sized>(tree: &Overlay<'_, T>, path: &str, there: &str, target: &str) -> bool {
    let (there, target) = (join(parent(path), there), join(parent(path), target));
    if there == target {
        return true;
    }
    match (resolve(tree, &there), resolve(tree, &target)) {
        (Ok(there), Ok(target)) => there.path == target.path,
        (Ok(_) | Err(_), Ok(_) | Err(_)) => false,
    }
}

/// Names and paths whose links are to go.
#[derive(Debug, Default)]
pub struct Marked {
    names: BTreeSet<String>,
}

impl Marked {
    /// Whether it is new.
    pub fn mark(&mut self, name_or_path: &str) -> bool {
        self.names.insert(name_or_path.to_owned())
    }

    /// Removes below `directory` every link that has a marked name, is an instance of a marked template, or leads
    /// to a marked file; and then, what led to those links.
    pub fn remove_from<T: Tree + ?Sized>(&mut self, tree: &mut Overlay<'_, T>, directory: &str) {
        while !self.names.is_empty() && self.remove_once(tree, directory) == Found::NewNames {}
    }

    fn remove_once<T: Tree + ?Sized>(&mut self, tree: &mut Overlay<'_, T>, top: &str) -> Found {
        let mut found = Found::Nothing;
        let mut ahead = vec![top.to_owned()];
        let mut entered = 0;
        while let Some(directory) = ahead.pop() {
            entered += 1;
            if entered > limits::LINK_DIRECTORIES_MAX {
                break;
            }
            for (name, kind) in tree.list(&directory).unwrap_or_default() {
                let path = join(&directory, &name);
                match kind {
                    Kind::Directory => ahead.push(path),
                    Kind::Symlink(_) if self.meant(tree, &name, &path) => {
                        tree.unlink(&path, top);
                        if self.mark(&path) {
                            found = Found::NewNames;
                        }
                    }
                    Kind::Symlink(_) | Kind::File | Kind::Special => {}
                }
            }
        }
        found
    }

    fn meant<T: Tree + ?Sized>(&self, tree: &Overlay<'_, T>, name: &str, path: &str) -> bool {
        let Ok(parsed) = UnitName::parse(name) else { return false };
        let template = parsed.template();
        if self.names.contains(name)
            || template.is_some_and(|template| self.names.contains(template.as_str()))
        {
            return true;
        }
        resolve(tree, path)
            .is_ok_and(|end| self.names.contains(&end.path) || self.names.contains(base_name(&end.path)))
    }
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Found {
    Nothing,
    /// A link that went may itself have been led to.
    NewNames,
}
