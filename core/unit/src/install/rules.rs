//! What an `[Install]` section asks for, as links: aliases, wants, requirements, and the file itself where it lies
//! outside the search path.

use super::change::{Change, Note, Refusal, as_told};
use super::unit_file::{Files, Links, Mode, Role, Trouble, is_inside};
use super::{Force, Overlay, links};
use crate::files::{Tree, join, parent};
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

/// What others are asked to do for the unit.
#[derive(Clone, Copy)]
enum Wish {
    Wants,
    Requires,
    Upholds,
}

/// Whether links were asked for (more than 0), or what went wrong.
type Outcome = Result<usize, Refusal>;

/// What decides of a unit is the first of its parts that has something to say, be that good or bad.
fn first_word(first: Outcome, then: Outcome) -> Outcome {
    match first {
        Ok(0) => then,
        Ok(_) | Err(_) => first,
    }
}

/// Among links of one kind, the first failure; among units too, where the links are counted together.
fn both(first: Outcome, then: Outcome) -> Outcome {
    Ok(first? + then?)
}

impl<T: Tree + ?Sized> Applying<'_, '_, '_, T> {
    /// All units waiting, and those they bring in by `Also=`.
    pub fn all(&mut self, links: Links) -> Outcome {
        let mut outcome = Ok(0);
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
                Mode::Regular => outcome = both(outcome, self.one(at)),
                Mode::Masked => {
                    self.tree.note(Change::Note(Note::Masked { path: file.path.clone() }));
                    outcome = both(outcome, Ok(1));
                }
                Mode::Alias | Mode::Linked | Mode::Unknown => {}
            }
        }
        outcome
    }

    fn one(&mut self, at: usize) -> Outcome {
        // The link to a file from elsewhere is not one its section asked for. Without it the others would lead to a wrong unit.
        self.linked(at)?;
        let mut outcome = self.aliases(at);
        for wish in [Wish::Wants, Wish::Requires, Wish::Upholds] {
            outcome = first_word(outcome, self.wanted(at, wish));
        }
        outcome
    }

    fn linked(&mut self, at: usize) -> Result<(), Refusal> {
        let file = self.files.file(at);
        if is_inside(self.files.ground.search, &file.path) {
            return Ok(());
        }
        let (from, path) = (file.path.clone(), join(self.directory, &file.name));
        links::make(self.tree, self.files.ground.search, &from, &path, self.force)
    }

    fn aliases(&mut self, at: usize) -> Outcome {
        let mut outcome = Ok(0);
        for alias in self.files.file(at).alias.clone() {
            outcome = both(outcome, self.alias(at, &alias));
        }
        outcome
    }

    fn alias(&mut self, at: usize, alias: &str) -> Outcome {
        let file = self.files.file(at).clone();
        let expanded = self.files.expand(at, alias).map_err(|trouble| trouble.refusal(alias));
        if expanded.as_ref().is_ok_and(|name| *name == file.name) {
            // The unit's own name is no alias, and no mistake either.
            return Ok(0);
        }
        let name = match expanded.and_then(|name| verify_alias(&file.name, &name)) {
            Ok(name) => name,
            Err(Refusal::NoFolder) => {
                self.tree.note(Change::Note(Note::NoFolder { alias: alias.to_owned() }));
                return Err(Refusal::NoFolder);
            }
            Err(refusal) => return Err(self.tree.fail(refusal)),
        };
        if name == file.name {
            return Ok(0);
        }
        links::make(
            self.tree,
            self.files.ground.search,
            &file.path,
            &join(self.directory, &name),
            self.force,
        )?;
        Ok(1)
    }

    fn wanted(&mut self, at: usize, wish: Wish) -> Outcome {
        let file = self.files.file(at).clone();
        let (ending, list) = match wish {
            Wish::Wants => (".wants", &file.wanted_by),
            Wish::Requires => (".requires", &file.required_by),
            Wish::Upholds => (".upholds", &file.upheld_by),
        };
        if list.is_empty() {
            return Ok(0);
        }
        let Some((unit, of_template)) = self.as_wanted(at)? else { return Ok(0) };
        let mut outcome = Ok(0);
        for wanting in list {
            let destination = match self.files.expand(at, wanting) {
                Ok(destination) => destination,
                Err(trouble) => {
                    let refusal = self.tree.fail(trouble.refusal(wanting));
                    outcome = outcome.and(Err(refusal));
                    continue;
                }
            };
            let parsed = UnitName::parse(&destination);
            let fits = parsed.as_ref().is_ok_and(|name| !of_template || name.instance().is_some());
            if !fits {
                if self.strictness == Strictness::Strict {
                    let refusal = self.tree.fail(match parsed {
                        Ok(_) => Refusal::NonTemplate { unit: unit.clone(), destination },
                        Err(_) => Refusal::BadName { name: destination },
                    });
                    outcome = outcome.and(Err(refusal));
                }
                continue;
            }
            let path = join(self.directory, &format!("{destination}{ending}/{unit}"));
            let made =
                links::make(self.tree, self.files.ground.search, &file.path, &path, Force::Yes).map(|()| 1);
            if outcome == Ok(0) || outcome.is_ok() && made.is_err() {
                outcome = made;
            }
            if !self.exists(&destination) {
                self.tree.note(Change::Note(Note::DestinationMissing {
                    wanted: destination,
                    unit: file.path.clone(),
                }));
            }
        }
        outcome
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

    /// Whether a file or its template has this name; one that cannot be read is there.
    fn exists(&self, name: &str) -> bool {
        let mut apart = Files::without_sections(self.files.ground);
        apart.discover(self.tree, name, Links::OfLinkedFiles) != Err(Trouble::NotFound)
    }
}

/// The name an alias link gets; an instance gives its own to an alias that is a template.
fn verify_alias(unit: &str, alias: &str) -> Result<String, Refusal> {
    let cannot = |alias: &str| Refusal::CannotAlias { unit: unit.to_owned(), alias: alias.to_owned() };
    if let Some((_, name)) = alias.rsplit_once('/') {
        return if wants_by_alias(unit, parent(alias.trim_end_matches('/')), name, alias)? {
            Ok(alias.to_owned())
        } else {
            Err(cannot(alias))
        };
    }
    let (Ok(alias_name), Ok(unit_name)) = (UnitName::parse(alias), UnitName::parse(unit)) else {
        return Err(cannot(alias));
    };
    let name = match unit_name.instance() {
        Some(instance) if alias_name.is_template() && !instance.is_empty() => {
            alias_name.with_instance(instance).map_err(|_| cannot(alias))?
        }
        Some(_) | None => alias_name,
    };
    let of_default = unit_name.is_template() && name.is_instance() && name.kind() == unit_name.kind();
    if name == unit_name || of_default || crate::files::may_alias(name.as_str(), unit) {
        Ok(String::from(name))
    } else {
        Err(cannot(name.as_str()))
    }
}

/// Whether an old way of being wanted, `Alias=x.target.wants/NAME`, suits the unit: under its own name, a template as an instance
/// or, wanted by a template, as it is.
fn wants_by_alias(unit: &str, folder: &str, name: &str, alias: &str) -> Result<bool, Refusal> {
    if folder.is_empty() {
        return Err(Refusal::NoFolder);
    }
    let wanting = folder.strip_suffix(".wants").or_else(|| folder.strip_suffix(".requires"));
    let Some(wanting) = wanting.and_then(|wanting| UnitName::parse(wanting).ok()) else {
        return Err(Refusal::BadReference { name: as_told(alias) });
    };
    let (Ok(name), Ok(unit)) = (UnitName::parse(name), UnitName::parse(unit)) else { return Ok(false) };
    Ok(match unit.is_template() {
        true if name == unit => wanting.is_template(),
        true => name.template().is_some_and(|template| template == unit),
        false => name == unit,
    })
}
