//! What units are looked for in: a tree, a search path, the specifiers' values, and the programs that are there.

use crate::limits::SCRIPT_LINE;
use eudaemon_host::tree::{HostTree, JOURNAL};
use eudaemon_unit::files::{self, Index, Scope, SearchPath, Tree, join, resolve};
use eudaemon_unit::specifier::{Context, Directories};
use eudaemon_unit::vendor::WithVendor;
use rustix::fs::{Access, access};
use std::fs::File;
use std::io::Read;
use std::path::Path;

/// Whether a file may be run. What the trait of trees does not tell.
pub trait Programs {
    /// `Err`: why not, in the kernel's words.
    fn may_run(&self, path: &str) -> Result<(), &'static str>;
    /// As much of a program's first line as the kernel looks at, without its end; empty where it cannot be read.
    fn first_line(&self, path: &str) -> Vec<u8>;
}

const MISSING: &str = "No such file or directory";
const DENIED: &str = "Permission denied";

/// Files to be read and programs to be found.
pub struct Ground<'a> {
    pub tree: &'a dyn Tree,
    pub programs: &'a dyn Programs,
    pub search: SearchPath,
    pub index: Index,
    pub cx: Context,
    pub scope: Scope,
}

impl<'a> Ground<'a> {
    /// `folders` come before the usual search path.
    pub fn new(
        tree: &'a dyn Tree,
        programs: &'a dyn Programs,
        folders: &[String],
        environment: &files::Environment,
        scope: Scope,
        cx: Context,
    ) -> Ground<'a> {
        let mut search = SearchPath::new(scope, environment);
        search.directories.splice(0..0, folders.iter().cloned());
        let index = Index::read(tree, &search);
        Ground { tree, programs, search, index, cx, scope }
    }
}

/// The machine's files, or those below a root.
pub struct Disk {
    pub tree: WithVendor<HostTree>,
    host: HostTree,
    root: String,
}

impl Disk {
    pub fn of(root: &str) -> Disk {
        let root = root.trim_end_matches('/').to_owned();
        let host = if root.is_empty() { HostTree::machine() } else { HostTree::under(&root) };
        Disk { tree: host.clone().with_vendor(JOURNAL), host, root }
    }

    /// Where a path leads on the machine that looks.
    fn end(&self, path: &str) -> Result<String, &'static str> {
        if self.root.is_empty() {
            return Ok(path.to_owned());
        }
        let end = resolve(&self.host, path).map_err(|_| MISSING)?;
        Ok(format!("{}{}", self.root, end.path))
    }
}

impl Programs for Disk {
    fn may_run(&self, path: &str) -> Result<(), &'static str> {
        let end = self.end(path)?;
        let denied = |error: std::io::Error| error.kind() == std::io::ErrorKind::PermissionDenied;
        let found = std::fs::metadata(Path::new(&end))
            .map_err(|error| if denied(error) { DENIED } else { MISSING })?;
        if found.is_dir() { Err("Is a directory") } else { access(&end, Access::EXEC_OK).map_err(|_| DENIED) }
    }

    fn first_line(&self, path: &str) -> Vec<u8> {
        let Ok(end) = self.end(path) else { return Vec::new() };
        // Opening what is no file might wait for somebody, or mean something.
        if !std::fs::metadata(&end).is_ok_and(|found| found.is_file()) {
            return Vec::new();
        }
        let mut line = Vec::new();
        let read = File::open(&end).and_then(|file| file.take(SCRIPT_LINE).read_to_end(&mut line));
        if read.is_err() {
            return Vec::new();
        }
        // A line that is longer is cut here, by the kernel as well.
        line.truncate(line.iter().position(|byte| *byte == b'\n').unwrap_or(line.len()));
        line
    }
}

/// Where a bare name of a program is looked up.
const PROGRAM_FOLDERS: [&str; 6] =
    ["/usr/local/sbin", "/usr/local/bin", "/usr/sbin", "/usr/bin", "/sbin", "/bin"];

/// Where a command's program is: an absolute path, or a name along `folders` or the usual path.
pub fn find_program(
    programs: &dyn Programs,
    program: &str,
    folders: &[String],
) -> Result<String, &'static str> {
    if program.starts_with('/') {
        return programs.may_run(program).map(|()| program.to_owned());
    }
    let mut worst = MISSING;
    let usual: Vec<String> = PROGRAM_FOLDERS.map(str::to_owned).to_vec();
    let folders = if folders.is_empty() { &usual } else { folders };
    for folder in folders {
        let path = join(folder, program);
        match programs.may_run(&path) {
            Ok(()) => return Ok(path),
            Err(MISSING) => {}
            Err(why) => worst = why,
        }
    }
    Err(worst)
}

/// What of the caller's environment says where units are. It says nothing about another root.
pub fn environment(root: &str) -> files::Environment {
    let variable = |name: &str| std::env::var(name).ok().filter(|value| !value.is_empty());
    files::Environment {
        unit_path: variable("SYSTEMD_UNIT_PATH").filter(|_| root.is_empty()),
        home: variable("HOME"),
        runtime_directory: variable("XDG_RUNTIME_DIR"),
        config_home: variable("XDG_CONFIG_HOME"),
        data_home: variable("XDG_DATA_HOME"),
        config_dirs: variable("XDG_CONFIG_DIRS"),
        data_dirs: variable("XDG_DATA_DIRS"),
    }
}

/// What specifiers stand for, as far as it can be told without a manager.
pub fn specifiers(scope: Scope, environment: &files::Environment) -> Context {
    let line = |path: &str| std::fs::read_to_string(path).unwrap_or_default().trim().to_owned();
    let uname = rustix::system::uname();
    let known = Context {
        hostname: uname.nodename().to_string_lossy().into_owned(),
        machine_id: line("/etc/machine-id"),
        boot_id: line("/proc/sys/kernel/random/boot_id").replace('-', ""),
        kernel: uname.release().to_string_lossy().into_owned(),
        ..Context::default()
    };
    match scope {
        Scope::System => known,
        Scope::User => {
            let home = environment.home.clone().unwrap_or_else(|| "/root".to_owned());
            let uid = rustix::process::getuid().as_raw();
            let run = environment.runtime_directory.clone().unwrap_or_else(|| format!("/run/user/{uid}"));
            Context {
                user: std::env::var("USER").unwrap_or_else(|_| uid.to_string()),
                uid,
                gid: rustix::process::getgid().as_raw(),
                directories: Directories::of_user(&home, &run),
                home,
                ..known
            }
        }
    }
}
