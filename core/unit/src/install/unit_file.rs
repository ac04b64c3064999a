//! A unit file as installing reads it: where it is, what kind of thing stands there, and its `[Install]` section.

mod section;

use super::change::Refusal;
use super::{Ground, Overlay, Whose};
use crate::diagnostic::{Diagnostic, Severity};
use crate::files::{Kind, SearchPath, Tree, TreeError, base_name, join, parent, resolve};
use crate::limits;
use crate::name::UnitName;
use std::collections::VecDeque;

/// Which links in the configuration directories are followed; the others end the search.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Links {
    Followed,
    /// To files outside the search path: enabling by an alias would hide which unit is meant.
    OfLinkedFiles,
    Refused,
}

/// Named by the user, or by another unit's `Also=`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Role {
    Named,
    Auxiliary,
}

/// What stands where a unit was found.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Mode {
    /// Not looked for yet.
    Unknown,
    Regular,
    Masked,
    /// A link to another name of the search path.
    Alias,
    /// A link to a file outside of it.
    Linked,
}

#[derive(Clone, Debug)]
pub struct UnitFile {
    pub name: String,
    pub path: String,
    pub mode: Mode,
    pub role: Role,
    /// Where the link at `path` leads.
    target: String,
    pub alias: Vec<String>,
    pub wanted_by: Vec<String>,
    pub required_by: Vec<String>,
    pub upheld_by: Vec<String>,
    pub also: Vec<String>,
    pub default_instance: Option<String>,
}

/// Why a unit was not found.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Trouble {
    NotFound,
    /// A link leads to a name that no file has.
    DeadEnd,
    Loop,
    /// A link gives a name that its target cannot have.
    BadAlias,
    BadName,
    Masked(String),
    Generated(String),
    BadSpecifier,
    Other(String),
}

impl Trouble {
    pub fn refusal(self, name: &str) -> Refusal {
        let name = name.to_owned();
        match self {
            Trouble::NotFound => Refusal::NoSuchUnit { name },
            Trouble::DeadEnd => Refusal::Io { path: name, reason: "Link has been severed".to_owned() },
            Trouble::Loop => Refusal::Linked { path: name },
            Trouble::BadAlias => Refusal::BadReference { name },
            Trouble::BadName => Refusal::Io { path: name, reason: "Invalid argument".to_owned() },
            Trouble::Masked(path) => Refusal::Masked { path },
            Trouble::Generated(path) => Refusal::Generated { path },
            Trouble::BadSpecifier => Refusal::BadSpecifier { text: name },
            Trouble::Other(reason) => Refusal::Io { path: name, reason },
        }
    }
}

/// Whether `[Install]` sections are read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Sections {
    Read,
    LeftOut,
}

/// The unit files of one request, each once, in the order they were met.
pub struct Files<'g> {
    pub ground: Ground<'g>,
    sections: Sections,
    files: Vec<UnitFile>,
    /// What was odd in the sections read, in systemd's words.
    pub odd: Vec<Diagnostic>,
    /// Indices of those not worked on yet.
    pub waiting: VecDeque<usize>,
}

impl<'g> Files<'g> {
    pub fn new(ground: Ground<'g>) -> Files<'g> {
        Files {
            ground,
            sections: Sections::Read,
            files: Vec::new(),
            odd: Vec::new(),
            waiting: VecDeque::new(),
        }
    }

    /// For what asks of no file what it says.
    pub fn without_sections(ground: Ground<'g>) -> Files<'g> {
        Files { sections: Sections::LeftOut, ..Files::new(ground) }
    }

    pub fn file(&self, at: usize) -> &UnitFile {
        &self.files[at]
    }

    pub fn file_mut(&mut self, at: usize) -> &mut UnitFile {
        &mut self.files[at]
    }

    pub fn has(&self, name: &str) -> bool {
        self.files.iter().any(|file| file.name == name)
    }

    /// Remembers a name or path.
    pub fn add(&mut self, name_or_path: &str, role: Role) -> Result<usize, Trouble> {
        let name = base_name(name_or_path);
        if UnitName::parse(name).is_err() {
            return Err(Trouble::BadName);
        }
        if let Some(at) = self.files.iter().position(|file| file.name == name) {
            if role == Role::Named {
                self.files[at].role = Role::Named;
            }
            return Ok(at);
        }
        if self.files.len() >= limits::LIST_MAX {
            return Err(Trouble::Other("Argument list too long".to_owned()));
        }
        let path = match (name_or_path.starts_with('/'), self.ground.whose) {
            (true, Whose::Machine) => name_or_path.to_owned(),
            // What leads to the image goes, and with it all slashes but one.
            (true, Whose::Image) => format!("/{}", name_or_path.trim_start_matches('/')),
            (false, Whose::Machine | Whose::Image) => String::new(),
        };
        self.files.push(UnitFile::new(name, path, role));
        self.waiting.push_back(self.files.len() - 1);
        Ok(self.files.len() - 1)
    }

    /// Finds the file a name or path leads to, over links; the index is that of the file at the end.
    pub fn discover<T: Tree + ?Sized>(
        &mut self,
        tree: &Overlay<'_, T>,
        name_or_path: &str,
        links: Links,
    ) -> Result<usize, Trouble> {
        let at = self.add(name_or_path, Role::Named)?;
        self.traverse(tree, at, links)
    }

    /// As [`Files::discover`], for units that will be enabled: masked and generated ones are refused.
    pub fn discover_usable<T: Tree + ?Sized>(
        &mut self,
        tree: &Overlay<'_, T>,
        name_or_path: &str,
        links: Links,
    ) -> Result<usize, Trouble> {
        let at = self.discover(tree, name_or_path, links)?;
        let file = self.file(at);
        if file.mode == Mode::Masked {
            return Err(Trouble::Masked(file.path.clone()));
        }
        if is_generated(self.ground.search, &file.path) {
            return Err(Trouble::Generated(file.path.clone()));
        }
        Ok(at)
    }

    pub fn traverse<T: Tree + ?Sized>(
        &mut self,
        tree: &Overlay<'_, T>,
        start: usize,
        links: Links,
    ) -> Result<usize, Trouble> {
        let mut at = start;
        self.search(tree, at)?;
        for _ in 0..limits::UNIT_LINKS_FOLLOWED {
            let file = &self.files[at];
            match file.mode {
                Mode::Regular | Mode::Masked | Mode::Unknown => return Ok(at),
                Mode::Alias | Mode::Linked => {}
            }
            let followed = match links {
                Links::Followed => true,
                Links::OfLinkedFiles => file.mode == Mode::Linked,
                Links::Refused => false,
            };
            if !followed && is_configuration(self.ground.search, &file.path) {
                return Err(Trouble::Loop);
            }
            let target = base_name(&file.target).to_owned();
            let goes_on =
                file.mode == Mode::Linked || target == file.name || instance_of(&target, &file.name);
            if goes_on {
                let path = self.files[at].target.clone();
                self.files[at].path.clone_from(&path);
                self.read(tree, at, &path)?;
                continue;
            }
            // Another name: what it has to say is its own.
            let target = with_instance_of(&target, &file.name);
            at = self.add(&target, Role::Named)?;
            self.search(tree, at)
                .map_err(|trouble| if trouble == Trouble::NotFound { Trouble::DeadEnd } else { trouble })?;
        }
        Err(Trouble::Loop)
    }

    /// Looks along the search path, for an instance then for its template.
    pub fn search<T: Tree + ?Sized>(&mut self, tree: &Overlay<'_, T>, at: usize) -> Result<(), Trouble> {
        if self.files[at].mode != Mode::Unknown {
            return Ok(());
        }
        self.suits_its_kind(at)?;
        if !self.files[at].path.is_empty() {
            let path = self.files[at].path.clone();
            return self.read(tree, at, &path);
        }
        let name = self.files[at].name.clone();
        let template = UnitName::parse(&name).ok().and_then(|name| name.template());
        for name in std::iter::once(name).chain(template.map(String::from)) {
            let search = self.ground.search;
            let own = |directory: &String| *directory == search.persistent || *directory == search.runtime;
            let there = |directory: &&String| self.ground.index.is_there(directory) || own(directory);
            let places: Vec<String> = search.directories.iter().filter(there).cloned().collect();
            for directory in places {
                match self.read(tree, at, &join(&directory, &name)) {
                    Err(Trouble::NotFound) => {}
                    Err(other) => return Err(other),
                    Ok(()) => return self.dropins(tree, at),
                }
            }
        }
        Err(Trouble::NotFound)
    }

    /// Of some kinds there are no templates, whatever file is there. It is told where it would be looked for first.
    fn suits_its_kind(&mut self, at: usize) -> Result<(), Trouble> {
        let UnitFile { name, path, .. } = &self.files[at];
        let Ok(name) = UnitName::parse(name) else { return Ok(()) };
        if name.suits_its_kind() {
            return Ok(());
        }
        let first = self.ground.search.directories.first().filter(|_| path.is_empty());
        let place = first.map_or_else(|| path.clone(), |directory| join(directory, name.as_str()));
        let text = format!("unit type {} cannot be templated, ignoring.", name.kind().suffix());
        self.say(Diagnostic::of_unit(&place, Severity::Error, text));
        Err(Trouble::BadName)
    }

    /// What stands at `path`; of a regular file, its `[Install]` section.
    fn read<T: Tree + ?Sized>(
        &mut self,
        tree: &Overlay<'_, T>,
        at: usize,
        path: &str,
    ) -> Result<(), Trouble> {
        let kind = match tree.look_at(path) {
            Ok(kind) => kind,
            Err(TreeError::NotFound | TreeError::NotADirectory | TreeError::Denied) => {
                return Err(Trouble::NotFound);
            }
            Err(TreeError::TooManyLinks) => return Err(Trouble::Loop),
            Err(error @ (TreeError::IsADirectory | TreeError::TooLarge { .. } | TreeError::Other(_))) => {
                return Err(Trouble::Other(error.to_string()));
            }
        };
        match kind {
            Kind::Symlink(target) => self.read_link(tree, at, path, &target)?,
            Kind::File if tree.is_void(path) => self.files[at].mode = Mode::Masked,
            Kind::File => {
                self.install_section(tree, at, path)?;
                // Not before it could be read: whoever comes back to it is to hear of it again.
                self.files[at].mode = Mode::Regular;
            }
            Kind::Directory => return Err(Trouble::Other("Is a directory".to_owned())),
            Kind::Special => return Err(Trouble::Other("Bad file descriptor".to_owned())),
        }
        self.files[at].path = path.to_owned();
        Ok(())
    }

    fn read_link<T: Tree + ?Sized>(
        &mut self,
        tree: &Overlay<'_, T>,
        at: usize,
        path: &str,
        target: &str,
    ) -> Result<(), Trouble> {
        let search = self.ground.search;
        let end = join(parent(path), target);
        let directory = resolve(tree, parent(&end)).map_err(|_| Trouble::Loop)?.path;
        let end = join(&directory, base_name(&end));
        let (name, target) = (base_name(path), base_name(&end));
        let mode = if end == "/dev/null" {
            Mode::Masked
        } else if is_inside(search, &end) {
            let kind = UnitName::parse(name).map(|name| name.kind());
            match kind {
                Ok(kind) if crate::files::kind_may_alias(kind) => {}
                Ok(_) | Err(_) => return Err(Trouble::Other("Invalid argument".to_owned())),
            }
            if name == target {
                return Err(Trouble::Loop);
            }
            if !crate::files::may_alias(name, target) {
                return Err(Trouble::BadAlias);
            }
            Mode::Alias
        } else {
            Mode::Linked
        };
        // An alias is followed by its name, which may stand for another file than the link leads to.
        if mode == Mode::Linked && resolve(tree, &end) == Err(TreeError::TooManyLinks) {
            return Err(Trouble::Loop);
        }
        self.files[at].mode = mode;
        self.files[at].target = end;
        Ok(())
    }

    /// `[Install]` sections of drop-ins count as well, but for those of shorter names and of the whole kind.
    fn dropins<T: Tree + ?Sized>(&mut self, tree: &Overlay<'_, T>, at: usize) -> Result<(), Trouble> {
        if self.files[at].mode == Mode::Masked {
            return Ok(());
        }
        let Ok(name) = UnitName::parse(&self.files[at].name) else { return Ok(()) };
        for path in self.ground.index.own_dropins_of(&name) {
            self.install_section(tree, at, &path)?;
        }
        Ok(())
    }
}

impl UnitFile {
    fn new(name: &str, path: String, role: Role) -> UnitFile {
        UnitFile {
            name: name.to_owned(),
            path,
            mode: Mode::Unknown,
            role,
            target: String::new(),
            alias: Vec::new(),
            wanted_by: Vec::new(),
            required_by: Vec::new(),
            upheld_by: Vec::new(),
            also: Vec::new(),
            default_instance: None,
        }
    }

    pub fn has_rules(&self) -> bool {
        !(self.alias.is_empty()
            && self.wanted_by.is_empty()
            && self.required_by.is_empty()
            && self.upheld_by.is_empty())
    }
}

/// A path without empty components and those that are `.`.
pub fn simple(path: &str) -> String {
    let parts = path.split('/').filter(|part| !part.is_empty() && *part != ".");
    let simple = parts.fold(String::new(), |path, part| format!("{path}/{part}"));
    if simple.is_empty() && path.starts_with('/') { "/".to_owned() } else { simple }
}

/// `getty@.service` for `getty@tty1.service`.
fn instance_of(target: &str, name: &str) -> bool {
    let (Ok(target), Ok(name)) = (UnitName::parse(target), UnitName::parse(name)) else { return false };
    target.is_template() && name.template().is_some_and(|template| template == target)
}

/// A template reached from an instance stands for its own instance of that name.
fn with_instance_of(target: &str, name: &str) -> String {
    let (Ok(parsed), Ok(name)) = (UnitName::parse(target), UnitName::parse(name)) else {
        return target.to_owned();
    };
    match name.instance() {
        Some(instance) if parsed.is_template() && !instance.is_empty() => {
            parsed.with_instance(instance).map_or_else(|_| target.to_owned(), String::from)
        }
        Some(_) | None => target.to_owned(),
    }
}

/// Whether a path lies in a directory of the search path.
pub fn is_inside(search: &SearchPath, path: &str) -> bool {
    let below =
        |directory: &String| path.strip_prefix(directory.as_str()).is_some_and(|rest| rest.starts_with('/'));
    search.directories.iter().any(below)
}

pub fn is_configuration(search: &SearchPath, path: &str) -> bool {
    parent(path) == search.persistent || parent(path) == search.runtime
}

pub fn is_generated(search: &SearchPath, path: &str) -> bool {
    is_generator(search, path) || parent(path) == search.transient
}

pub fn is_generator(search: &SearchPath, path: &str) -> bool {
    search.generators.iter().any(|directory| parent(path) == directory)
}

/// What is gone after the next boot.
pub fn is_runtime(search: &SearchPath, directory: &str) -> bool {
    directory == search.runtime
        || directory == search.runtime_control
        || directory == search.transient
        || search.generators.iter().any(|generator| generator == directory)
        || directory.starts_with("/run/")
}
