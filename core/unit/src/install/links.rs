//! Making a link, and removing all that lead to what is being disabled.

use super::Overlay;
use super::change::Refusal;
use crate::files::{Kind, SearchPath, Tree, TreeError, base_name, join, parent, resolve};
use crate::install::{Force, Whose};
use crate::limits;
use crate::name::UnitName;
use std::collections::BTreeSet;

/// A link from `path` to `target`. One that leads there already is left alone.
pub fn make<T: Tree + ?Sized>(
    tree: &mut Overlay<'_, T>,
    search: &SearchPath,
    target: &str,
    path: &str,
    force: Force,
) -> Result<(), Refusal> {
    match tree.look_at(path) {
        Ok(Kind::Symlink(there)) if leads_to(tree, search, path, &there, target) => Ok(()),
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

/// Whether a link with this text leads to the same file as another text would, or to the same unit: along the search path
/// the name alone says which.
fn leads_to<T: Tree + ?Sized>(
    tree: &Overlay<'_, T>,
    search: &SearchPath,
    path: &str,
    there: &str,
    target: &str,
) -> bool {
    let (there, target) = (join(parent(path), there), join(parent(path), target));
    let is_unit = |path: &str| search.contains(parent(path));
    if there == target || base_name(&there) == base_name(&target) && is_unit(&there) && is_unit(&target) {
        return true;
    }
    match (resolve(tree, &there), resolve(tree, &target)) {
        (Ok(there), Ok(target)) => there.path == target.path,
        (Ok(_) | Err(_), Ok(_) | Err(_)) => false,
    }
}

/// Names and paths whose links are to go.
#[derive(Debug)]
pub struct Marked {
    names: BTreeSet<String>,
    whose: Whose,
}

impl Marked {
    pub fn of(whose: Whose) -> Marked {
        Marked { names: BTreeSet::new(), whose }
    }

    /// Whether it is new.
    pub fn mark(&mut self, name_or_path: &str) -> bool {
        self.names.insert(name_or_path.to_owned())
    }

    /// Removes below `directory` every link that has a marked name, is an instance of a marked template, or leads
    /// to a marked file; and then, what led to those links. Links that cannot be followed are told.
    pub fn remove_from<T: Tree + ?Sized>(
        &mut self,
        tree: &mut Overlay<'_, T>,
        directory: &str,
    ) -> Result<(), Refusal> {
        let mut removal = Removal { tree, top: directory, entered: 0, found: Found::Nothing, refusal: None };
        while !self.names.is_empty() {
            removal.found = Found::Nothing;
            removal.entered = 0;
            self.remove_once(&mut removal);
            if removal.found == Found::Nothing {
                break;
            }
        }
        removal.refusal.map_or(Ok(()), Err)
    }

    fn remove_once<T: Tree + ?Sized>(&mut self, removal: &mut Removal<'_, '_, T>) {
        let mut ahead = vec![(removal.top.to_owned(), Kind::Directory)];
        while let Some((path, kind)) = ahead.pop() {
            match kind {
                Kind::Directory if removal.entered >= limits::LINK_DIRECTORIES_MAX => {
                    let reason = "too many directories below it".to_owned();
                    let refusal = removal.tree.fail(Refusal::Io { path: removal.top.to_owned(), reason });
                    removal.refusal.get_or_insert(refusal);
                    return;
                }
                Kind::Directory => {
                    removal.entered += 1;
                    let entries = removal.tree.list(&path).unwrap_or_default().into_iter().rev();
                    ahead.extend(entries.map(|(name, kind)| (join(&path, &name), kind)));
                }
                Kind::Symlink(_) => self.remove_if_meant(removal, &path),
                Kind::File | Kind::Special => {}
            }
        }
    }

    fn remove_if_meant<T: Tree + ?Sized>(&mut self, removal: &mut Removal<'_, '_, T>, path: &str) {
        match self.meant(removal.tree, base_name(path), path) {
            Ok(false) => {}
            Ok(true) => {
                removal.tree.unlink(path, removal.top);
                if self.mark(path) {
                    removal.found = Found::NewNames;
                }
            }
            Err(refusal) => {
                let refusal = removal.tree.fail(refusal);
                removal.refusal.get_or_insert(refusal);
            }
        }
    }

    fn meant<T: Tree + ?Sized>(
        &self,
        tree: &Overlay<'_, T>,
        name: &str,
        path: &str,
    ) -> Result<bool, Refusal> {
        let Ok(parsed) = UnitName::parse(name) else { return Ok(false) };
        let has = |name: &str| self.names.contains(name);
        if has(name) || parsed.template().is_some_and(|template| has(template.as_str())) {
            return Ok(true);
        }
        let end = match resolve(tree, path) {
            Ok(end) => Some(end.path),
            Err(TreeError::TooManyLinks) => return Err(Refusal::Linked { path: path.to_owned() }),
            Err(_) => None,
        };
        Ok(end.is_some_and(|end| self.whose == Whose::Machine && has(&end) || has(base_name(&end))))
    }
}

/// What one removal sees and comes to.
struct Removal<'a, 't, T: ?Sized> {
    tree: &'a mut Overlay<'t, T>,
    top: &'a str,
    entered: usize,
    found: Found,
    refusal: Option<Refusal>,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Found {
    Nothing,
    /// A link that went may itself have been led to.
    NewNames,
}
