//! What an `[Install]` section asks for, as links: aliases, wants, requirements, and the file itself where it lies
//! outside the search path.

use super::change::{Change, Note, Refusal};
use super::unit_file::{Files, Links, Mode, Role, is_inside};
use super::{Force, Overlay, links};
use crate::files::{Tree, join};
use crate::name::UnitName;

/// Whether a unit that cannot be wanted as asked spoils the whole, or is passed over as presets do.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Strictness {
    Strict,
    Lenient,
}

pub struct Applying<'a, 't, 'g, T: ?Sized> {
    pub tree: &'a mut Overlay<'t, T>,
    pub files: &'a mut Files<'g>,
    pub directory: &'a str,
    pub force: Force,
    pub strictness: Strictness,
}

/// Links asked for, and the first thing that went wrong.
#[derive(Debug, Default)]
struct Count {
    links: usize,
    refusal: Option<Refusal>,
}

enum Alias {
    Made,
    Own,
}

impl Count {
    fn add(&mut self, result: Result<(), Refusal>) {
        match result {
            Ok(()) => self.links += 1,
            Err(refusal) => self.refuse(refusal),
        }
    }

    fn refuse(&mut self, refusal: Refusal) {
        self.refusal.get_or_insert(refusal);
    }

    fn result(self) -> Result<usize, Refusal> {
        self.refusal.map_or(Ok(self.links), Err)
    }
}

impl<T: Tree + ?Sized> Applying<'_, '_, '_, T> {
    /// All units waiting, and those they bring in by `Also=`.
    pub fn all(&mut self, links: Links) -> Result<usize, Refusal> {
        let mut count = Count::default();
        while let Some(at) = self.files.waiting.pop_front() {
            if let Err(trouble) = self.files.traverse(self.tree, at, links) {
                let file = self.files.file(at);
                if file.role == Role::Auxiliary {
                    self.tree.note(Change::Note(Note::AuxiliaryFailed { unit: file.name.clone() }));
                    continue;
                }
                return Err(self.tree.fail(trouble.refusal(&file.name)));
            }
            let file = self.files.file(at);
            match file.mode {
                Mode::Regular => match self.one(at) {
                    Ok(links) => count.links += links,
                    Err(refusal) => count.refuse(refusal),
                },
                Mode::Masked => {
                    self.tree.note(Change::Note(Note::Masked { path: file.path.clone() }));
                    count.links += 1;
                }
                Mode::Alias | Mode::Linked | Mode::Unknown => {}
            }
        }
        count.result()
    }

    fn one(&mut self, at: usize) -> Result<usize, Refusal> {
        let mut count = Count::default();
        let file = self.files.file(at).clone();
        for alias in &file.alias {
            match self.alias(at, alias) {
                Ok(Alias::Made) => count.links += 1,
                // The unit's own name is no alias, and no mistake either.
                Ok(Alias::Own) => {}
                Err(refusal) => count.refuse(refusal),
            }
        }
        for (list, ending) in
            [(&file.wanted_by, ".wants"), (&file.required_by, ".requires"), (&file.upheld_by, ".upholds")]
        {
            match self.wanted(at, list, ending) {
                Ok(links) => count.links += links,
                Err(refusal) => count.refuse(refusal),
            }
        }
        // The link to a file from elsewhere is not one its section asked for.
        if !is_inside(self.files.ground.search, &file.path) {
            let path = join(self.directory, &file.name);
            if let Err(refusal) = links::make(self.tree, &file.path, &path, self.force) {
                count.refuse(refusal);
            }
        }
        count.result()
    }

    fn alias(&mut self, at: usize, alias: &str) -> Result<Alias, Refusal> {
        let file = self.files.file(at).clone();
        let expanded = self.files.expand(at, alias).map_err(|trouble| trouble.refusal(alias));
        if expanded.as_ref().is_ok_and(|name| *name == file.name) {
            return Ok(Alias::Own);
        }
        let name = expanded
            .and_then(|name| verify_alias(&file.name, file.default_instance.as_deref(), &name))
            .map_err(|refusal| self.tree.fail(refusal))?;
        links::make(self.tree, &file.path, &join(self.directory, &name), self.force)?;
        Ok(Alias::Made)
    }

    fn wanted(&mut self, at: usize, list: &[String], ending: &str) -> Result<usize, Refusal> {
        if list.is_empty() {
            return Ok(0);
        }
        let file = self.files.file(at).clone();
        let Some((unit, of_template)) = self.as_wanted(at)? else { return Ok(0) };
        let mut count = Count::default();
        for wanting in list {
            let destination = match self.files.expand(at, wanting) {
                Ok(destination) => destination,
                Err(trouble) => return Err(self.tree.fail(trouble.refusal(wanting))),
            };
            let parsed = UnitName::parse(&destination);
            let fits = parsed.as_ref().is_ok_and(|name| !of_template || name.instance().is_some());
            if !fits {
                if self.strictness == Strictness::Strict {
                    count.refuse(self.tree.fail(match parsed {
                        Ok(_) => Refusal::NonTemplate { unit: unit.clone(), destination },
                        Err(_) => Refusal::BadName { name: destination },
                    }));
                }
                continue;
            }
            let path = join(self.directory, &format!("{destination}{ending}/{unit}"));
            count.add(links::make(self.tree, &file.path, &path, Force::Yes));
            if !self.exists(&destination) {
                self.tree.note(Change::Note(Note::DestinationMissing {
                    wanted: destination,
                    unit: file.path.clone(),
                }));
            }
        }
        count.result()
    }

    /// The name by which others are to want it, and whether that is a template still.
    fn as_wanted(&mut self, at: usize) -> Result<Option<(String, bool)>, Refusal> {
        let file = self.files.file(at).clone();
        let Ok(name) = UnitName::parse(&file.name) else { return Ok(None) };
        if !name.is_template() {
            return Ok(Some((file.name, false)));
        }
        let Some(instance) = &file.default_instance else { return Ok(Some((file.name, true))) };
        let Ok(instance) = name.with_instance(instance) else {
            return Err(Refusal::Invalid { name: file.name });
        };
        // The instance may be masked by itself.
        let mut apart = Files::new(self.files.ground);
        if let Ok(found) = apart.discover(self.tree, instance.as_str(), Links::Followed)
            && apart.file(found).mode == Mode::Masked
        {
            return Err(self.tree.fail(Refusal::Masked { path: apart.file(found).path.clone() }));
        }
        Ok(Some((String::from(instance), false)))
    }

    /// Whether a file or its template has this name, or drop-ins.
    fn exists(&self, name: &str) -> bool {
        let mut apart = Files::new(self.files.ground);
        apart.discover(self.tree, name, Links::Followed).is_ok()
    }
}

/// The name an alias link gets; an instance gives its own to an alias that is a template.
fn verify_alias(unit: &str, default_instance: Option<&str>, alias: &str) -> Result<String, Refusal> {
    let cannot = || Refusal::CannotAlias { unit: unit.to_owned(), alias: alias.to_owned() };
    if let Some((folder, name)) = alias.rsplit_once('/') {
        // An old way of being wanted: `Alias=x.target.wants/NAME`.
        let wanting = folder.strip_suffix(".wants").or_else(|| folder.strip_suffix(".requires"));
        let Some(wanting) = wanting.and_then(|wanting| UnitName::parse(wanting).ok()) else {
            return Err(Refusal::BadReference { name: alias.to_owned() });
        };
        let (Ok(parsed), Ok(unit_name)) = (UnitName::parse(name), UnitName::parse(unit)) else {
            return Err(cannot());
        };
        let instance_of_it = parsed.template().is_some_and(|template| template == unit_name)
            && (default_instance.is_none() && wanting.instance().is_some()
                || parsed.instance() == default_instance);
        return if parsed == unit_name || instance_of_it { Ok(alias.to_owned()) } else { Err(cannot()) };
    }
    let (Ok(alias_name), Ok(unit_name)) = (UnitName::parse(alias), UnitName::parse(unit)) else {
        return Err(cannot());
    };
    let name = match unit_name.instance() {
        Some(instance) if alias_name.is_template() && !instance.is_empty() => {
            alias_name.with_instance(instance).map_err(|_| cannot())?
        }
        Some(_) | None => alias_name,
    };
    let of_default = unit_name.is_template() && name.is_instance() && name.kind() == unit_name.kind();
    if name != unit_name && (of_default || crate::files::may_alias(name.as_str(), unit)) {
        Ok(String::from(name))
    } else {
        Err(cannot())
    }
}
