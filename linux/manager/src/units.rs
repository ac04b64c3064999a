//! Units from disk: the index of the search path, kept until a reload, and what is loaded through it.

use crate::choice;
use crate::machine::Machine;
use crate::options::Mission;
use eudaemon_engine::api::Moment;
use eudaemon_host::place::{Role, Scope};
use eudaemon_host::tree::HostTree;
use eudaemon_unit::config::unit::Dependency;
use eudaemon_unit::config::{Body, Config, LoadState};
use eudaemon_unit::diagnostic::Diagnostic;
use eudaemon_unit::files::{self, Index, SearchPath};
use eudaemon_unit::implicit;
use eudaemon_unit::install::{Ground, Whose};
use eudaemon_unit::load::{Again, Fresh, Loader, Print, Surroundings};
use eudaemon_unit::manager::Defaults;
use eudaemon_unit::name::UnitName;
use eudaemon_unit::specifier::Context;
use eudaemon_unit::values::mount_table::{MOUNT_TABLE, Mounted};
use eudaemon_unit::vendor::{Own, WithVendor};
use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;
use std::sync::Arc;

/// The unit files as this manager sees them.
#[derive(Debug)]
pub struct Units {
    tree: WithVendor<HostTree>,
    search: SearchPath,
    index: Index,
    cx: Context,
    scope: files::Scope,
    surroundings: Surroundings,
    role: Role,
    /// How wide names before lines will be, where that is known.
    column: Option<usize>,
    /// Places that are mounted and have no unit file.
    pub mounted: BTreeSet<UnitName>,
    /// What the engine was handed, and what it is to be known again by: for as long as it keeps that very configuration.
    prints: BTreeMap<UnitName, (Arc<Config>, Print)>,
}

/// A unit, and what is odd about its files.
#[derive(Debug)]
pub struct Loaded {
    pub config: Arc<Config>,
    pub diagnostics: Vec<Diagnostic>,
    /// Where equal texts would make an equal unit, with nothing more to be said of it.
    pub print: Option<Print>,
}

impl Loaded {
    /// Made here, with nothing to be said of it and nothing to be known again by.
    pub fn plain(config: Arc<Config>) -> Loaded {
        Loaded { config, diagnostics: Vec::new(), print: None }
    }
}

impl Units {
    pub fn new(machine: &Machine, mission: &Mission) -> Units {
        let scope = match machine.place.scope {
            Scope::System => files::Scope::System,
            Scope::User => files::Scope::User,
        };
        let variable = |name: &str| std::env::var(name).ok();
        let unit_path = match mission {
            Mission::System | Mission::User => variable("SYSTEMD_UNIT_PATH"),
            Mission::Directory(directory) => Some(choice::folder(directory).to_string_lossy().into_owned()),
        };
        let environment = files::Environment {
            unit_path,
            home: Some(machine.specifiers.home.clone()),
            runtime_directory: Some(machine.place.runtime.to_string_lossy().into_owned()),
            config_home: variable("XDG_CONFIG_HOME"),
            data_home: variable("XDG_DATA_HOME"),
            config_dirs: variable("XDG_CONFIG_DIRS"),
            data_dirs: variable("XDG_DATA_DIRS"),
        };
        let search = SearchPath::new(scope, &environment);
        let tree = WithVendor::new(
            HostTree::machine(),
            Own {
                program: &machine.program,
                journal: &machine.place.published.join("journal").to_string_lossy(),
            },
        );
        let index = Index::read(&tree, &search);
        let surroundings = match (machine.place.role, &machine.container) {
            (Role::First, None) => Surroundings::Machine,
            (Role::First, Some(_)) | (Role::Beside, _) => Surroundings::Container,
        };
        Units {
            tree,
            search,
            index,
            cx: machine.specifiers.clone(),
            scope,
            surroundings,
            role: machine.place.role,
            mounted: BTreeSet::new(),
            prints: BTreeMap::new(),
            column: match mission {
                Mission::System | Mission::User => None,
                Mission::Directory(directory) => Some(choice::column(directory)),
            },
        }
    }

    pub fn search(&self) -> &SearchPath {
        &self.search
    }

    pub fn tree(&self) -> &WithVendor<HostTree> {
        &self.tree
    }

    /// What enabling and the states of unit files are told from.
    pub fn ground(&self) -> Ground<'_> {
        Ground { search: &self.search, index: &self.index, cx: &self.cx, whose: Whose::Machine }
    }

    /// What units have that say nothing, from the next one that is read.
    pub fn set_defaults(&mut self, defaults: Defaults) {
        if self.cx.defaults != defaults {
            self.prints.clear();
            self.cx.defaults = defaults;
        }
    }

    /// Looks at the search path anew.
    pub fn refresh(&mut self) {
        self.index = Index::read(&self.tree, &self.search);
    }

    /// Looks anew if a directory has changed: a unit written after the last reload is found, as systemd finds it.
    pub fn refresh_if_stale(&mut self) {
        if !self.index.is_current(&self.tree) {
            self.refresh();
        }
    }

    /// One unit, without those it leads to.
    pub fn one(&self, name: &UnitName) -> Arc<Config> {
        let mut config = self.loader().one(name).config;
        implicit::after_mounted(&mut config, &self.mounted);
        Arc::new(config)
    }

    /// The unit of what the kernel says is mounted.
    pub fn mounted(&self, name: &UnitName, mounted: &Mounted) -> Arc<Config> {
        let mut config = self.loader().mounted(name, mounted).config;
        self.adapt_mount(&mut config);
        implicit::after_mounted(&mut config, &self.mounted);
        Arc::new(config)
    }

    pub fn has_file(&self, name: &UnitName) -> bool {
        self.index.has(name)
    }

    /// Beside another PID 1 the machine's mounts are the other's: our end is not theirs, unless a folder brought them.
    fn adapt_mount(&self, config: &mut Config) -> bool {
        let Body::Mount(_) = &config.body else { return false };
        if self.role == Role::First {
            return false;
        }
        let is_default = config.unit.default_dependencies && config.load == LoadState::Loaded;
        // What a folder's own units mount ends with the folder, as its services do.
        if self.column.is_some() && config.fragment.is_some() && is_default {
            let Ok(end) = UnitName::parse("shutdown.target") else { return false };
            config
                .unit
                .dependencies
                .extend([(Dependency::Before, end.clone()), (Dependency::Conflicts, end)]);
            return true;
        }
        if self.scope == files::Scope::User {
            return false;
        }
        let before = config.unit.dependencies.len();
        config.unit.dependencies.retain(|(_, other)| other.as_str() != "umount.target");
        before != config.unit.dependencies.len()
    }

    /// Did the unit's files change after this instant? A drop-in that came or went counts too.
    pub fn has_changed(&self, config: &Config, since: Moment) -> bool {
        let newer;
        let index = if self.index.is_current(&self.tree) {
            &self.index
        } else {
            newer = Index::read(&self.tree, &self.search);
            &newer
        };
        if config.fragment.is_some() && index.find(&self.tree, &config.name).dropins != config.dropins {
            return true;
        }
        // A folder in a drop-in's place could not be read.
        if config.dropins.iter().any(|path| Path::new(path).is_dir()) {
            return true;
        }
        let changed = |path: &String| match std::fs::symlink_metadata(path) {
            Ok(found) => {
                let at =
                    found.modified().ok().and_then(|time| time.duration_since(std::time::UNIX_EPOCH).ok());
                at.is_some_and(|at| at.as_micros() as u64 > since.realtime)
            }
            Err(_) => !path.starts_with("/usr/lib/eudaemon/"),
        };
        let source = config.source.iter().filter(|source| *source != MOUNT_TABLE);
        config.fragment.iter().chain(source).chain(&config.dropins).any(changed)
    }

    fn loader(&self) -> Loader<'_, WithVendor<HostTree>> {
        Loader {
            tree: &self.tree,
            index: &self.index,
            cx: &self.cx,
            scope: self.scope,
            surroundings: self.surroundings,
        }
    }

    /// The units named and all they lead to.
    pub fn closure(&self, names: &[UnitName]) -> Vec<Loaded> {
        self.closure_beside(names, &|_| None)
    }

    /// As `closure`, without reading those again that are known: they are not in it.
    pub fn closure_beside<'k>(
        &self,
        names: &[UnitName],
        known: &impl Fn(&UnitName) -> Option<&'k Arc<Config>>,
    ) -> Vec<Loaded> {
        let known = |name: &UnitName| known(name).map(|config| &**config);
        let fresh = self.loader().closure_beside(names, &known).into_iter();
        fresh.map(|fresh| self.localised(fresh)).collect()
    }

    /// The units named and all they lead to, read again, without those that come out as the engine has them.
    pub fn closure_again<'k>(
        &mut self,
        names: &[UnitName],
        known: &impl Fn(&UnitName) -> Option<&'k Arc<Config>>,
    ) -> Vec<Loaded> {
        let printed = |name: &UnitName| {
            let config = known(name)?;
            let (of, print) = self.prints.get(&config.name)?;
            Arc::ptr_eq(of, config).then_some((&**config, *print))
        };
        let again = self.loader().closure_again(names, &printed);
        let changed = again.into_iter().filter_map(|again| match again {
            Again::Fresh(fresh) => Some(self.localised(fresh)),
            Again::Kept { name, own, between, print } => {
                let (before, known_by) = self.prints.get_mut(&name)?;
                *known_by = print;
                let (own, rest) = before.unit.dependencies.split_at(own);
                let mut now = between;
                let orders = implicit::orders_after_mounted(before, &self.mounted);
                now.extend(orders.into_iter().filter(|order| !own.contains(order)));
                // A mount that has a file may be among them twice.
                let mut seen = BTreeSet::new();
                now.retain(|edge| seen.insert(edge.clone()));
                if rest == now {
                    return None;
                }
                let mut config = (**before).clone();
                config.unit.dependencies.truncate(own.len());
                config.unit.dependencies.extend(now);
                Some(Loaded { config: Arc::new(config), diagnostics: Vec::new(), print: Some(print) })
            }
        });
        changed.collect()
    }

    /// Notes what a unit that the engine gets, or has already, is to be known again by.
    pub fn remember(&mut self, config: &Arc<Config>, print: Option<Print>) {
        match print {
            Some(print) => drop(self.prints.insert(config.name.clone(), (Arc::clone(config), print))),
            None => drop(self.prints.remove(&config.name)),
        }
    }

    pub fn forget(&mut self, unit: &UnitName) {
        self.prints.remove(unit);
    }

    fn localised(&self, fresh: Fresh) -> Loaded {
        let Fresh { merged, print } = fresh;
        let mut config = merged.config;
        let mut adapted = false;
        if self.role == Role::Beside && self.scope == files::Scope::System {
            adapted |= leave_to_the_host(&mut config);
            adapted |= spare_what_is_there(&mut config);
        }
        adapted |= self.adapt_mount(&mut config);
        implicit::after_mounted(&mut config, &self.mounted);
        if let Some(column) = self.column {
            adapted |= align(&mut config, column);
        }
        // What is odd about a unit is said at each reload.
        let is_plain = config.load == LoadState::Loaded && merged.diagnostics.is_empty() && !adapted;
        let print = is_plain.then_some(print);
        Loaded { config: Arc::new(config), diagnostics: merged.diagnostics, print }
    }

    /// Does the file lie in the one directory whose units are run?
    pub fn is_in_directory(&self, file: &str) -> bool {
        self.search.directories.first().is_some_and(|directory| Path::new(file).starts_with(directory))
    }
}

/// Early services of the systemd package that are about the machine, not about services: beside another PID 1
/// the machine is the other's. Everything else that sysinit.target wants is kept.
const HOSTS_OWN: &[&str] = &[
    "dev-hugepages.mount",
    "dev-mqueue.mount",
    "kmod-static-nodes.service",
    "ldconfig.service",
    "local-fs.target",
    "modprobe@.service",
    "proc-sys-fs-binfmt_misc.automount",
    "swap.target",
    "sys-fs-fuse-connections.mount",
    "sys-kernel-config.mount",
    "sys-kernel-debug.mount",
    "sys-kernel-tracing.mount",
    "systemd-binfmt.service",
    "systemd-boot-system-token.service",
    "systemd-firstboot.service",
    "systemd-hwdb-update.service",
    "systemd-machine-id-commit.service",
    "systemd-modules-load.service",
    "systemd-pcrphase-sysinit.service",
    "systemd-pcrphase.service",
    "systemd-pstore.service",
    "systemd-random-seed.service",
    "systemd-remount-fs.service",
    "systemd-repart.service",
    "systemd-sysctl.service",
    "systemd-sysext.service",
    "systemd-timesyncd.service",
    "systemd-tmpfiles-setup-dev.service",
    "systemd-udev-trigger.service",
    "systemd-udevd.service",
    "systemd-update-done.service",
    "systemd-update-utmp.service",
];

/// Nothing boots when a manager starts beside another PID 1: what files and directories lack is made, and nothing that is in
/// use, /tmp first of all, is emptied as at a boot; tmpfiles.d(5).
fn spare_what_is_there(config: &mut Config) -> bool {
    if config.name.as_str() != "systemd-tmpfiles-setup.service" {
        return false;
    }
    if let Body::Service(service) = &mut config.body {
        for command in &mut service.commands.start {
            command.argv.retain(|word| word != "--remove" && word != "--boot");
        }
    }
    true
}

/// All of a folder's lines stand below each other, from the first on.
fn align(config: &mut Config, column: usize) -> bool {
    if config.name.as_str() != "eudaemon-logd.service" {
        return false;
    }
    if let Body::Service(service) = &mut config.body {
        for command in &mut service.commands.start {
            command.argv.push(format!("--column={column}"));
        }
    }
    true
}

fn leave_to_the_host(config: &mut Config) -> bool {
    if !["sysinit.target", "basic.target", "sockets.target"].contains(&config.name.as_str()) {
        return false;
    }
    if let Body::Target = config.body {
        config.unit.dependencies.retain(|(_, other)| {
            let family = other.template().unwrap_or_else(|| other.clone());
            !HOSTS_OWN.contains(&family.as_str()) && !family.as_str().starts_with("systemd-udevd")
        });
    }
    true
}
