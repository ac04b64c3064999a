//! The directories units are looked for in, most important first: systemd.unit(5), "Unit File Load Path".

use super::tree::{Kind, Tree, resolve};

/// Whose units: the machine's, or one user's.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Scope {
    System,
    User,
}

/// What of the environment says where units are. Only the user's scope reads the home and XDG directories.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Environment {
    /// `SYSTEMD_UNIT_PATH`; a colon at its end appends the usual path.
    pub unit_path: Option<String>,
    pub home: Option<String>,
    pub runtime_directory: Option<String>,
    pub config_home: Option<String>,
    pub data_home: Option<String>,
    pub config_dirs: Option<String>,
    pub data_dirs: Option<String>,
}

/// Where a directory's name says nothing, its role does: enabling writes to two of them, generators to three.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SearchPath {
    pub scope: Scope,
    /// In order; the first that has a name wins.
    pub directories: Vec<String>,
    /// Where enabling writes, `/etc/systemd/system`.
    pub persistent: String,
    /// Where `--runtime` writes.
    pub runtime: String,
    pub persistent_control: String,
    pub runtime_control: String,
    pub transient: String,
    /// `generator`, `generator.early`, `generator.late`.
    pub generators: [String; 3],
    /// Directories of presets, most important first.
    pub presets: Vec<String>,
}

/// The units the binary carries, lowest of all. They are no real files: see `crate::vendor`.
pub const VENDOR_SYSTEM: &str = "/usr/lib/eudaemon/system";
pub const VENDOR_USER: &str = "/usr/lib/eudaemon/user";

/// Where units of all users lie, those of the operator first; the third and fourth are `$XDG_DATA_DIRS` where nobody sets it.
pub const ALL_USERS: [&str; 6] = [
    "/etc/systemd/user",
    "/run/systemd/user",
    "/usr/local/share/systemd/user",
    "/usr/share/systemd/user",
    "/usr/local/lib/systemd/user",
    "/usr/lib/systemd/user",
];

/// Whether the units of a directory are those that the binary carries.
pub fn is_carried(directory: &str) -> bool {
    [VENDOR_SYSTEM, VENDOR_USER].contains(&directory)
}

impl SearchPath {
    pub fn new(scope: Scope, environment: &Environment) -> SearchPath {
        let mut search = match scope {
            Scope::System => system(),
            Scope::User => user(environment),
        };
        if let Some(given) = &environment.unit_path {
            let mut directories: Vec<String> = absolute(given).map(str::to_owned).collect();
            if given.ends_with(':') {
                directories.append(&mut search.directories);
            }
            search.directories = directories;
        }
        let vendor = match scope {
            Scope::System => VENDOR_SYSTEM,
            Scope::User => VENDOR_USER,
        };
        search.directories.push(vendor.to_owned());
        deduplicate(&mut search.directories);
        search
    }

    /// Leaves out what the binary carries.
    pub fn leave_out_vendor(&mut self) {
        self.directories.retain(|directory| !is_carried(directory));
    }

    /// Those that are there, each with where it leads; of two names for one directory (`/lib` and `/usr/lib`) the first.
    pub fn existing<T: Tree + ?Sized>(&self, tree: &T) -> Vec<(String, String)> {
        let real = |directory: &String| match resolve(tree, directory) {
            Ok(resolved) if resolved.kind == Some(Kind::Directory) => {
                Some((directory.clone(), resolved.path))
            }
            Ok(_) | Err(_) => None,
        };
        let mut found: Vec<(String, String)> = self.directories.iter().filter_map(real).collect();
        let mut seen: Vec<String> = Vec::new();
        found.retain(|(_, real)| {
            let new = !seen.contains(real);
            seen.push(real.clone());
            new
        });
        found
    }

    /// Whether nobody but the manager and its generators writes to `directory`.
    pub fn is_the_managers(&self, directory: &str) -> bool {
        let control = [&self.persistent_control, &self.runtime_control, &self.transient];
        control.into_iter().chain(&self.generators).any(|one| one == directory)
    }

    /// Whether `directory` is one that units are looked for in.
    pub fn contains(&self, directory: &str) -> bool {
        self.directories.iter().any(|one| one == directory)
    }
}

fn system() -> SearchPath {
    let generators = ["", ".early", ".late"].map(|rank| format!("/run/systemd/generator{rank}"));
    let directories = [
        "/etc/systemd/system.control",
        "/run/systemd/system.control",
        "/run/systemd/transient",
        &generators[1],
        "/etc/systemd/system",
        "/etc/systemd/system.attached",
        "/run/systemd/system",
        "/run/systemd/system.attached",
        &generators[0],
        "/usr/local/lib/systemd/system",
        "/lib/systemd/system",
        "/usr/lib/systemd/system",
        &generators[2],
    ];
    SearchPath {
        scope: Scope::System,
        directories: directories.map(str::to_owned).to_vec(),
        persistent: "/etc/systemd/system".to_owned(),
        runtime: "/run/systemd/system".to_owned(),
        persistent_control: "/etc/systemd/system.control".to_owned(),
        runtime_control: "/run/systemd/system.control".to_owned(),
        transient: "/run/systemd/transient".to_owned(),
        generators: generators.clone(),
        presets: preset_directories("system-preset"),
    }
}

fn user(environment: &Environment) -> SearchPath {
    let home = environment.home.clone().unwrap_or_else(|| "/root".to_owned());
    let config = environment.config_home.clone().unwrap_or_else(|| format!("{home}/.config"));
    let shared = environment.data_home.clone().unwrap_or_else(|| format!("{home}/.local/share"));
    // Without a runtime directory nothing can be there; a path that is not keeps the roles apart.
    let run = environment.runtime_directory.clone().unwrap_or_else(|| "/run/user/nobody".to_owned());
    let generators = ["", ".early", ".late"].map(|rank| format!("{run}/systemd/generator{rank}"));
    let persistent = format!("{config}/systemd/user");
    let under =
        |list: &str| -> Vec<String> { absolute(list).map(|one| format!("{one}/systemd/user")).collect() };
    let one = |directory: &str| vec![directory.to_owned()];
    let [etc, volatile, shared_here, shared_by_all, libraries_here, libraries] = ALL_USERS;
    let data = match &environment.data_dirs {
        Some(list) => under(list),
        None => [shared_here, shared_by_all].map(str::to_owned).to_vec(),
    };
    let directories = [
        one(&format!("{config}/systemd/user.control")),
        one(&format!("{run}/systemd/user.control")),
        one(&format!("{run}/systemd/transient")),
        one(&generators[1]),
        one(&persistent),
        under(environment.config_dirs.as_deref().unwrap_or("/etc/xdg")),
        one(etc),
        one(&format!("{run}/systemd/user")),
        one(volatile),
        one(&generators[0]),
        one(&format!("{shared}/systemd/user")),
        data,
        one(libraries_here),
        one(libraries),
        one(&generators[2]),
    ];
    SearchPath {
        scope: Scope::User,
        directories: directories.concat(),
        persistent,
        runtime: format!("{run}/systemd/user"),
        persistent_control: format!("{config}/systemd/user.control"),
        runtime_control: format!("{run}/systemd/user.control"),
        transient: format!("{run}/systemd/transient"),
        generators,
        presets: preset_directories("user-preset"),
    }
}

fn preset_directories(name: &str) -> Vec<String> {
    ["/etc", "/run", "/usr/local/lib", "/usr/lib", "/lib"]
        .map(|place| format!("{place}/systemd/{name}"))
        .to_vec()
}

fn absolute(list: &str) -> impl Iterator<Item = &str> {
    list.split(':')
        .filter(|directory| directory.starts_with('/'))
        .map(|directory| directory.trim_end_matches('/'))
}

fn deduplicate(directories: &mut Vec<String>) {
    let mut seen = std::collections::BTreeSet::new();
    directories.retain(|directory| seen.insert(directory.clone()));
}
