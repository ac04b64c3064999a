//! The unit files themselves, for what needs no manager: read along the search path, changed as a plan says.

use crate::line::{Options, Scope};
use crate::verb::{Failure, words};
use eudaemon_host::tree::{HostTree, JOURNAL};
use eudaemon_host::zones::Installed;
use eudaemon_unit::diagnostic::{Code, Diagnostic, Severity};
use eudaemon_unit::files::{self, Found, Fragment, Index, SearchPath, Tree};
use eudaemon_unit::install::{
    self, Change, Ground, Note, Place, Presets, Refusal, Request, State, Unreadable, Whose,
};
use eudaemon_unit::limits::UNIT_FILE_MAX;
use eudaemon_unit::load::{Loader, Surroundings};
use eudaemon_unit::name::UnitName;
use eudaemon_unit::specifier::Context;
use eudaemon_unit::values::zones::KnownZones;
use eudaemon_unit::vendor::WithVendor;
use eudaemon_verify::nearest_unit;
use std::path::Path;

#[derive(Debug)]
pub struct Disk {
    tree: WithVendor<HostTree>,
    search: SearchPath,
    index: Index,
    cx: Context,
    place: Place,
    /// Put before every path that is shown; empty for the machine itself.
    root: String,
}

/// What a change came to: the lines to print, and whether any unit has an `[Install]` section to speak of.
#[derive(Debug)]
pub struct Changed {
    /// Each with whether it tells a failure.
    pub lines: Vec<(String, bool)>,
    pub asked_for: usize,
    pub refusal: Option<String>,
    /// What was odd in the files that were read, a line each.
    pub odd: Vec<String>,
}

impl Disk {
    /// The machine's files, or those below `--root`.
    pub fn read(options: &Options) -> Disk {
        let scope = match options.scope {
            Scope::System => files::Scope::System,
            Scope::User => files::Scope::User,
        };
        let mut search = SearchPath::new(scope, &environment(options));
        if options.root.is_some() {
            // An image has what is on it, whoever will run it.
            search.leave_out_vendor();
        }
        let root = options.root.as_ref().map_or(String::new(), |root| root.to_string_lossy().into_owned());
        let root = root.trim_end_matches('/').to_owned();
        let tree = if root.is_empty() { HostTree::machine() } else { HostTree::under(&root) };
        let journal = match options.scope {
            Scope::System => JOURNAL.to_owned(),
            Scope::User => match crate::bus::runtime_directory() {
                Some(run) => run.join("eudaemon/systemd/journal").to_string_lossy().into_owned(),
                None => String::new(),
            },
        };
        let tree = tree.with_vendor(&journal);
        let index = Index::read(&tree, &search);
        let place = if options.runtime { Place::Runtime } else { Place::Persistent };
        Disk { tree, search, index, cx: specifiers(), place, root }
    }

    fn whose(&self) -> Whose {
        if self.root.is_empty() { Whose::Machine } else { Whose::Image }
    }

    fn ground(&self) -> Ground<'_> {
        Ground { search: &self.search, index: &self.index, cx: &self.cx, whose: self.whose() }
    }

    /// Makes the change as far as it can be made.
    pub fn change(&self, request: &Request, verb: &str) -> Result<Changed, Failure> {
        let plan = install::plan(&self.tree, self.ground(), self.place, request);
        self.tree.inner().apply(&plan.changes).map_err(|(path, error)| {
            let path = format!("{}{path}", self.root);
            Failure::new(format!("Failed to {verb} unit, file \"{path}\": {}", words(&error)))
        })?;
        Ok(Changed {
            lines: plan.changes.iter().filter_map(|change| self.line(change, &plan.given, verb)).collect(),
            asked_for: plan.asked_for,
            odd: self.odd_lines(&plan.odd),
            refusal: plan.refusal.map(|refusal| self.shown_refusal(&refusal, &plan.given).offline(verb)),
        })
    }

    fn line(&self, change: &Change, given: &[String], verb: &str) -> Option<(String, bool)> {
        let is_failure = matches!(change, Change::Note(Note::Failed(_)));
        self.shown(change, given).offline(verb).map(|line| (line, is_failure))
    }

    /// The change with its path as the caller sees it.
    fn shown(&self, change: &Change, given: &[String]) -> Change {
        let outside = |path: &String| format!("{}{path}", self.root);
        match change {
            Change::Symlink { path, target } => {
                Change::Symlink { path: outside(path), target: target.clone() }
            }
            Change::Unlink { path } => Change::Unlink { path: outside(path) },
            Change::RemoveDirectory { path } => Change::RemoveDirectory { path: outside(path) },
            Change::Note(Note::Masked { path }) => Change::Note(Note::Masked { path: outside(path) }),
            Change::Note(Note::Dangling { path }) => Change::Note(Note::Dangling { path: outside(path) }),
            Change::Note(Note::Failed(refusal)) => {
                Change::Note(Note::Failed(self.shown_refusal(refusal, given)))
            }
            Change::Note(Note::DestinationMissing { wanted, unit }) => {
                Change::Note(Note::DestinationMissing { wanted: wanted.clone(), unit: outside(unit) })
            }
            Change::Note(note @ (Note::AuxiliaryFailed { .. } | Note::NoFolder { .. })) => {
                Change::Note(note.clone())
            }
        }
    }

    fn shown_refusal(&self, refusal: &Refusal, given: &[String]) -> Refusal {
        // Where no path is known there is the name alone.
        let outside = |path: &String| match path.starts_with('/') {
            true => format!("{}{path}", self.root),
            false => path.clone(),
        };
        // What was given is told as it was given.
        let as_given = |path: &String| if given.contains(path) { path.clone() } else { outside(path) };
        match refusal {
            Refusal::Exists { path, target } => {
                Refusal::Exists { path: outside(path), target: target.clone() }
            }
            Refusal::Masked { path } => Refusal::Masked { path: outside(&install::as_told(path)) },
            Refusal::NoSuchFile { path } => Refusal::NoSuchFile { path: outside(path) },
            Refusal::Generated { path } => Refusal::Generated { path: outside(path) },
            Refusal::Linked { path } => Refusal::Linked { path: as_given(path) },
            Refusal::BadSpecifier { text } => Refusal::BadSpecifier { text: as_given(text) },
            Refusal::Io { path, reason } => Refusal::Io { path: as_given(path), reason: reason.clone() },
            Refusal::InHierarchy { path } => Refusal::InHierarchy { path: outside(path) },
            Refusal::NonTemplate { .. }
            | Refusal::BadName { .. }
            | Refusal::CannotAlias { .. }
            | Refusal::BadReference { .. }
            | Refusal::NoSuchUnit { .. }
            | Refusal::NoFileName { .. }
            | Refusal::Circle { .. }
            | Refusal::NoFolder
            | Refusal::Invalid { .. } => refusal.clone(),
        }
    }

    /// Lines of files with their place as the caller sees it.
    fn odd_lines(&self, odd: &[Diagnostic]) -> Vec<String> {
        odd.iter().map(|one| format!("{}{one}", self.root)).collect()
    }

    /// What is odd in the files that a request is about, whoever carries it out.
    pub fn odd(&self, request: &Request) -> Vec<String> {
        self.odd_lines(&install::plan(&self.tree, self.ground(), self.place, request).odd)
    }

    /// The state of a unit file, and what was odd in it.
    pub fn state(&self, name: &str) -> (Result<State, Failure>, Vec<String>) {
        let (state, odd) = install::state_and_odd(&self.tree, self.ground(), name);
        let state = state.map_err(|why| {
            Failure::new(format!("Failed to get unit file state for {name}: {}", reason(why)))
        });
        (state, self.odd_lines(&odd))
    }

    /// Whether there is a file of that name; what it says is not looked at.
    pub fn has_file(&self, name: &str) -> Result<bool, Failure> {
        match install::is_there(&self.tree, self.ground(), name) {
            Ok(is_there) => Ok(is_there),
            Err(why) => Err(Failure::new(format!("Failed to look up unit file state: {}", reason(why)))),
        }
    }

    pub fn links_of(&self, name: &str) -> Vec<String> {
        install::links_of(&self.tree, self.ground(), self.place, name)
    }

    /// Every unit file that is meant with its state, and what was odd in them.
    pub fn list(&self, is_meant: impl Fn(&str) -> bool) -> (Vec<(String, &'static str)>, Vec<String>) {
        let (listed, odd) = install::list_and_odd(&self.tree, self.ground(), is_meant);
        let listed = listed.into_iter().map(|(path, state)| (path, state.word())).collect();
        (listed, self.odd_lines(&odd))
    }

    /// What the preset files say, and what was odd in them.
    pub fn presets(&self) -> (Presets, Vec<String>) {
        let presets = Presets::read(&self.tree, &self.search);
        let odd = self.odd_lines(presets.odd());
        (presets, odd)
    }

    pub fn default_target(&self) -> Result<String, Failure> {
        install::default_target(&self.tree, self.ground())
            .map_err(|why| Failure::new(format!("Failed to get default target: {}", reason(why))))
    }

    pub fn find(&self, name: &UnitName) -> Found {
        self.index.find(&self.tree, name)
    }

    /// The lines for which a unit cannot be used, as its files are now.
    pub fn faults(&self, name: &UnitName) -> Vec<String> {
        let (scope, surroundings) = (self.search.scope, Surroundings::Machine);
        let (tree, index, cx) = (&self.tree, &self.index, &self.cx);
        let merged = Loader { tree, index, cx, scope, surroundings }.load_whole(name);
        let is_fault =
            |said: &&Diagnostic| said.severity == Severity::Error && said.code != Code::Consequence;
        merged.diagnostics.iter().filter(is_fault).map(Diagnostic::to_string).collect()
    }

    /// The unit that may have been meant by the name of one that has no file.
    pub fn meant(&self, name: &UnitName) -> Option<String> {
        if self.index.has(name) { None } else { nearest_unit(&self.index, name) }
    }

    /// Whether it is this file that the search path has for a unit.
    pub fn is_found_as(&self, name: &UnitName, path: &str) -> bool {
        self.find(name).fragment == Fragment::File(path.to_owned())
    }

    /// A file as it is, wherever it is: the binary carries units that are on no disk.
    pub fn text(&self, path: &str) -> Result<String, String> {
        let bytes = self.tree.read(path, UNIT_FILE_MAX).map_err(|error| error.to_string())?;
        Ok(String::from_utf8_lossy(&bytes).into_owned())
    }

    /// Whether anything is at that path.
    pub fn exists(&self, path: &str) -> bool {
        files::resolve(&self.tree, path).is_ok_and(|found| found.kind.is_some())
    }
}

fn reason(why: Unreadable) -> String {
    match why {
        Unreadable::BadName => "Invalid argument".to_owned(),
        Unreadable::NotFound => "No such file or directory".to_owned(),
        Unreadable::DeadEnd => "Link has been severed".to_owned(),
        Unreadable::Other(text) => text,
    }
}

fn environment(options: &Options) -> files::Environment {
    let variable = |name: &str| std::env::var(name).ok().filter(|value| !value.is_empty());
    let runtime = crate::bus::runtime_directory().map(|path| path.to_string_lossy().into_owned());
    files::Environment {
        // The caller's own paths say nothing about another root.
        unit_path: variable("SYSTEMD_UNIT_PATH").filter(|_| options.root.is_none()),
        home: variable("HOME"),
        runtime_directory: runtime,
        config_home: variable("XDG_CONFIG_HOME"),
        data_home: variable("XDG_DATA_HOME"),
        config_dirs: variable("XDG_CONFIG_DIRS"),
        data_dirs: variable("XDG_DATA_DIRS"),
    }
}

/// What `[Install]` sections may name; a command line knows no more of the manager than this.
fn specifiers() -> Context {
    let line = |path: &str| std::fs::read_to_string(Path::new(path)).unwrap_or_default().trim().to_owned();
    let uname = rustix::system::uname();
    Context {
        hostname: uname.nodename().to_string_lossy().into_owned(),
        machine_id: line("/etc/machine-id"),
        boot_id: line("/proc/sys/kernel/random/boot_id").replace('-', ""),
        kernel: uname.release().to_string_lossy().into_owned(),
        uid: rustix::process::getuid().as_raw(),
        gid: rustix::process::getgid().as_raw(),
        zones: KnownZones(&Installed),
        ..Context::default()
    }
}
