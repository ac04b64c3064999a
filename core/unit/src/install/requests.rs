//! Each request, step by step.

use super::change::{Change, Note, Refusal, as_told};
use super::links::{self, Marked};
use super::preset::{PresetMode, Presets, Verdict};
use super::rules::{Applying, Strictness};
use super::unit_file::{Files, Links, Mode, Role, Trouble, is_configuration, is_generator, is_inside};
use super::{AddedDependency, Force, Ground, Overlay, Plan, Request, Whose};
use crate::diagnostic::Diagnostic;
use crate::files::{Kind, Tree, TreeError, base_name, is_carried, join, resolve};
use crate::name::{UnitKind, UnitName};

pub struct Work<'t, 'g, T: ?Sized> {
    tree: Overlay<'t, T>,
    ground: Ground<'g>,
    /// Where links are made and removed.
    directory: &'g str,
    asked_for: usize,
    given: Vec<String>,
    odd: Vec<Diagnostic>,
}

type Done = Result<(), Refusal>;

impl<'t, 'g, T: Tree + ?Sized> Work<'t, 'g, T> {
    pub fn new(tree: &'t T, ground: Ground<'g>, directory: &'g str) -> Work<'t, 'g, T> {
        Work { tree: Overlay::new(tree), ground, directory, asked_for: 0, given: Vec::new(), odd: Vec::new() }
    }

    pub fn into_plan(self, result: Done) -> Plan {
        let mut odd: Vec<Diagnostic> = Vec::new();
        for one in self.odd {
            if !odd.contains(&one) {
                odd.push(one);
            }
        }
        Plan {
            changes: self.tree.into_changes(),
            refusal: result.err(),
            asked_for: self.asked_for,
            given: self.given,
            odd,
        }
    }

    pub fn perform(&mut self, request: &Request) -> Done {
        match request {
            Request::Enable { names, force } => self.enable(names, *force),
            Request::Disable { names } => self.disable(names),
            Request::Reenable { names, force } => self.reenable(names, *force),
            Request::Link { paths, force } => self.link(paths, *force),
            Request::Mask { names, force } => self.mask(names, *force),
            Request::Unmask { names } => self.unmask(names),
            Request::Preset { names, mode, force } => self.preset(names, *mode, *force),
            Request::PresetAll { mode, force } => self.preset_all(*mode, *force),
            Request::Revert { names } => self.revert(names),
            Request::SetDefault { name, force } => self.set_default(name, *force),
            Request::AddDependency { names, target, kind, force } => {
                self.add_dependency(names, target, *kind, *force)
            }
        }
    }

    fn enable(&mut self, names: &[String], force: Force) -> Done {
        let mut files = Files::new(self.ground);
        for name in names {
            self.usable(&mut files, name, Links::Followed)?;
        }
        self.apply(files, force, Strictness::Strict, Links::OfLinkedFiles)
    }

    /// Where a unit lies is found before links to it are removed; what it asks for, in that file alone.
    fn reenable(&mut self, names: &[String], force: Force) -> Done {
        if let Some(name) = names.iter().find(|name| name.ends_with('/')) {
            let reason =
                if as_told(name) == "/" { "Cannot assign requested address" } else { "Is a directory" };
            return Err(Refusal::NoFileName { reason });
        }
        let files: Vec<String> = names.iter().map(|name| self.file_of(name)).collect();
        let plain: Vec<String> = names.iter().map(|name| base_name(name).to_owned()).collect();
        self.disable(&plain)?;
        self.asked_for = 0;
        self.enable(&files, force)
    }

    /// The path of the file that a name leads to.
    fn file_of(&self, name: &str) -> String {
        let mut files = Files::new(self.ground);
        match files.discover(&self.tree, name, Links::Followed) {
            Ok(at) if !name.starts_with('/') => files.file(at).path.clone(),
            Ok(_) | Err(_) => name.to_owned(),
        }
    }

    fn remember(&mut self, name: &str) {
        if name.starts_with('/') {
            self.given.push(as_told(name));
        }
    }

    /// Finds a unit that may be enabled; a failure is remembered.
    fn usable(&mut self, files: &mut Files<'g>, name: &str, links: Links) -> Result<usize, Refusal> {
        self.remember(name);
        let found = files.discover_usable(&self.tree, name, links);
        self.odd.append(&mut files.odd);
        found.map_err(|trouble| self.tree.fail(trouble.refusal(&as_told(name))))
    }

    fn apply(&mut self, mut files: Files<'g>, force: Force, strictness: Strictness, links: Links) -> Done {
        let directory = self.directory;
        let mut applying = Applying { tree: &mut self.tree, files: &mut files, directory, force, strictness };
        let asked_for = applying.all(links);
        self.odd.append(&mut files.odd);
        self.asked_for += asked_for?;
        Ok(())
    }

    fn disable(&mut self, names: &[String]) -> Done {
        let mut files = Files::new(self.ground);
        for name in names {
            if UnitName::parse(name).is_err() {
                return Err(Refusal::BadName { name: name.clone() });
            }
            files.add(name, Role::Named).map_err(|trouble| self.tree.fail(trouble.refusal(name)))?;
        }
        self.remove(files)
    }

    /// Marks the units and what they bring along, and removes the links to them. A unit that is not there is no
    /// reason to stop: links to it may be.
    fn remove(&mut self, mut files: Files<'g>) -> Done {
        let mut marked = Marked::of(self.ground.whose);
        while let Some(at) = files.waiting.pop_front() {
            let traversed = files.traverse(&self.tree, at, Links::Followed);
            self.odd.append(&mut files.odd);
            let file = files.file(at);
            let place = if file.path.is_empty() { file.name.clone() } else { file.path.clone() };
            match traversed {
                Err(Trouble::DeadEnd) => self.tree.note(Change::Note(Note::Dangling { path: place })),
                Err(Trouble::NotFound) if file.role == Role::Auxiliary => {}
                Err(Trouble::NotFound) if !file.path.is_empty() => {
                    self.tree.fail(Refusal::NoSuchFile { path: place });
                }
                Err(trouble) => {
                    self.tree.fail(trouble.refusal(&place));
                }
                Ok(_) if file.mode == Mode::Masked => {
                    self.tree.note(Change::Note(Note::Masked { path: place }));
                    continue;
                }
                Ok(_) if file.mode != Mode::Regular => continue,
                Ok(_) => self.asked_for += usize::from(file.has_rules() || !file.also.is_empty()),
            }
            marked.mark(&files.file(at).name);
        }
        marked.remove_from(&mut self.tree, self.directory)
    }

    fn link(&mut self, paths: &[String], force: Force) -> Done {
        let mut todo = Vec::new();
        for given in paths {
            let path = &as_told(given);
            self.remember(given);
            if !path.starts_with('/') || UnitName::parse(base_name(given)).is_err() {
                return Err(Refusal::BadName { name: path.clone() });
            }
            let refusal = match self.tree.look_at(path) {
                Ok(Kind::File) => None,
                Ok(Kind::Symlink(_)) => Some(Refusal::Linked { path: path.clone() }),
                Ok(Kind::Directory) => Some(io(path, "Is a directory")),
                Ok(Kind::Special) => Some(io(path, "Bad file descriptor")),
                Err(TreeError::NotFound) => Some(Refusal::NoSuchUnit { name: path.clone() }),
                Err(
                    error @ (TreeError::Denied
                    | TreeError::NotADirectory
                    | TreeError::IsADirectory
                    | TreeError::TooLarge { .. }
                    | TreeError::TooManyLinks
                    | TreeError::Other(_)),
                ) => Some(io(path, &error.to_string())),
            };
            if let Some(refusal) = refusal {
                return Err(self.tree.fail(refusal));
            }
            if self.ground.whose == Whose::Image || !is_inside(self.ground.search, path) {
                todo.push(given);
            }
        }
        let mut refusal = None;
        for path in todo {
            let place = join(self.directory, base_name(path));
            if let Err(refused) = links::make(&mut self.tree, self.ground.search, path, &place, force) {
                refusal.get_or_insert(refused);
            }
        }
        refusal.map_or(Ok(()), Err)
    }

    fn mask(&mut self, names: &[String], force: Force) -> Done {
        let mut refusal = None;
        for name in names {
            let made = if UnitName::parse(name).is_ok() {
                links::make(
                    &mut self.tree,
                    self.ground.search,
                    "/dev/null",
                    &join(self.directory, name),
                    force,
                )
            } else {
                Err(Refusal::Invalid { name: name.clone() })
            };
            if let Err(refused) = made {
                refusal.get_or_insert(refused);
            }
        }
        refusal.map_or(Ok(()), Err)
    }

    fn unmask(&mut self, names: &[String]) -> Done {
        let mut marked = Marked::of(self.ground.whose);
        let mut seen: Vec<&String> = Vec::new();
        for name in names {
            if UnitName::parse(name).is_err() {
                return Err(Refusal::Invalid { name: name.clone() });
            }
            let path = join(self.directory, name);
            if resolve(&self.tree, &path) == Err(TreeError::TooManyLinks) {
                return Err(Refusal::Circle { path });
            }
            if seen.contains(&name) || !self.tree.is_void(&path) {
                continue;
            }
            seen.push(name);
            self.tree.unlink(&path, self.directory);
            marked.mark(&path);
        }
        marked.remove_from(&mut self.tree, self.directory)
    }

    fn revert(&mut self, names: &[String]) -> Done {
        let mut todo: Vec<String> = Vec::new();
        for name in names {
            if UnitName::parse(name).is_err() {
                return Err(Refusal::Invalid { name: name.clone() });
            }
            self.to_revert(name, &mut todo);
        }
        let mut marked = Marked::of(self.ground.whose);
        for path in todo {
            if marked.mark(&path) {
                self.tree.unlink_all(&path);
            }
        }
        let search = self.ground.search;
        marked.remove_from(&mut self.tree, &search.runtime)?;
        marked.remove_from(&mut self.tree, &search.persistent)
    }

    /// Drop-ins of the administrator; and where a vendor or generator has a file of the name, the administrator's file.
    fn to_revert(&self, name: &str, todo: &mut Vec<String>) {
        let search = self.ground.search;
        let own = |directory: &str| directory == search.persistent || directory == search.runtime;
        let control = |directory: &str| {
            directory == search.persistent_control
                || directory == search.runtime_control
                || directory == search.transient
        };
        let generated = |path: &str| self.ground.whose == Whose::Machine && is_generator(search, path);
        let mut has_vendor = false;
        let mut files = Vec::new();
        for directory in &search.directories {
            let path = join(directory, name);
            let dropins = format!("{path}.d");
            if (own(directory) || control(directory)) && self.tree.look_at(&dropins) == Ok(Kind::Directory) {
                todo.push(dropins);
            }
            match self.tree.look_at(&path) {
                Ok(Kind::File) if generated(&path) || is_vendor(directory) => has_vendor = true,
                Ok(Kind::File | Kind::Symlink(_)) if is_configuration(search, &path) => files.push(path),
                Ok(_) | Err(_) => {}
            }
        }
        if has_vendor {
            todo.append(&mut files);
        }
    }

    fn set_default(&mut self, name: &str, force: Force) -> Done {
        let is_target = UnitName::parse(name).is_ok_and(|name| name.kind() == UnitKind::Target);
        if !is_target || name == "default.target" {
            return Err(Refusal::Invalid { name: name.to_owned() });
        }
        let mut files = Files::without_sections(self.ground);
        let at = self.usable(&mut files, name, Links::Refused)?;
        let path = join(&self.ground.search.persistent, "default.target");
        links::make(&mut self.tree, self.ground.search, &files.file(at).path, &path, force)
    }

    fn add_dependency(
        &mut self,
        names: &[String],
        target: &str,
        kind: AddedDependency,
        force: Force,
    ) -> Done {
        let mut files = Files::without_sections(self.ground);
        if UnitName::parse(target).is_err() {
            return Err(Refusal::Invalid { name: target.to_owned() });
        }
        let at = self.usable(&mut files, target, Links::Followed)?;
        let target = files.file(at).name.clone();
        for name in names {
            let at = self.usable(&mut files, name, Links::Followed)?;
            // Only this one link is asked for, whatever the unit's own section says.
            let file = files.file_mut(at);
            (file.wanted_by, file.required_by) = match kind {
                AddedDependency::Wants => (vec![target.clone()], Vec::new()),
                AddedDependency::Requires => (Vec::new(), vec![target.clone()]),
            };
        }
        self.apply(files, force, Strictness::Strict, Links::Followed)
    }

    fn presets(&mut self) -> Presets {
        let presets = Presets::read(&self.tree, self.ground.search);
        self.odd.extend_from_slice(presets.odd());
        presets
    }

    fn preset(&mut self, names: &[String], mode: PresetMode, force: Force) -> Done {
        let presets = self.presets();
        let (mut plus, mut minus) = (Files::new(self.ground), Files::without_sections(self.ground));
        for name in names {
            self.sort_out(name, &presets, &mut plus, &mut minus)?;
        }
        self.execute_preset(plus, minus, mode, force)
    }

    fn preset_all(&mut self, mode: PresetMode, force: Force) -> Done {
        let presets = self.presets();
        let (mut plus, mut minus) = (Files::new(self.ground), Files::without_sections(self.ground));
        // What the binary carries is nobody's to enable.
        let on_disk = |directory: &&String| !is_carried(directory);
        for directory in self.ground.search.directories.iter().filter(on_disk) {
            for (name, kind) in self.tree.list(directory).unwrap_or_default() {
                let counts = matches!(kind, Kind::File | Kind::Symlink(_))
                    && !name.starts_with('.')
                    && UnitName::parse(&name).is_ok();
                if !counts {
                    continue;
                }
                // What cannot be enabled is passed over, what cannot be read is not.
                if let Err(refusal @ Refusal::Io { .. }) =
                    self.sort_out(&name, &presets, &mut plus, &mut minus)
                {
                    return Err(refusal);
                }
            }
        }
        self.execute_preset(plus, minus, mode, force)
    }

    /// A unit by what the presets say of it; aliases are left to the unit they name.
    fn sort_out(
        &mut self,
        name: &str,
        presets: &Presets,
        plus: &mut Files<'g>,
        minus: &mut Files<'g>,
    ) -> Done {
        if plus.has(name) || minus.has(name) {
            return Ok(());
        }
        let mut apart = Files::without_sections(self.ground);
        let at = self.found(&mut apart, name)?;
        if apart.file(at).name != name {
            return Ok(());
        }
        match presets.verdict(name) {
            Verdict::Disable => {
                self.found(minus, name)?;
            }
            Verdict::Enable => {
                self.usable(plus, name, Links::Followed)?;
            }
            Verdict::EnableInstances(instances) => {
                for instance in instances {
                    self.usable(plus, &instance, Links::Followed)?;
                }
            }
        }
        Ok(())
    }

    fn found(&mut self, files: &mut Files<'g>, name: &str) -> Result<usize, Refusal> {
        self.remember(name);
        let found = files.discover(&self.tree, name, Links::Followed);
        self.odd.append(&mut files.odd);
        found.map_err(|trouble| self.tree.fail(trouble.refusal(&as_told(name))))
    }

    fn execute_preset(&mut self, plus: Files<'g>, minus: Files<'g>, mode: PresetMode, force: Force) -> Done {
        let removed = if mode == PresetMode::EnableOnly { Ok(()) } else { self.remove(minus) };
        if mode != PresetMode::DisableOnly {
            let applied = self.apply(plus, force, Strictness::Lenient, Links::Refused);
            return removed.and(applied);
        }
        removed
    }
}

fn is_vendor(directory: &str) -> bool {
    ["/usr/lib/", "/usr/local/lib/", "/lib/", "/usr/share/", "/usr/local/share/"]
        .iter()
        .any(|place| directory.starts_with(place))
}

fn io(path: &str, reason: &str) -> Refusal {
    Refusal::Io { path: path.to_owned(), reason: reason.to_owned() }
}
