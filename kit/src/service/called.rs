//! What a service runs: the program by the path it was called by, which stays right when a link leads to the next version.

use super::place::{Last, inside};
use super::target::{Refusal, refused};
use std::ffi::{OsStr, OsString};
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::MetadataExt;
use std::path::{Component, Path, PathBuf};
use std::{env, fs};

/// What a service runs, by absolute paths.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Program {
    /// A program of its own.
    Itself(PathBuf),
    /// What an interpreter reads.
    Script {
        /// The interpreter.
        interpreter: PathBuf,
        /// What it reads.
        path: PathBuf,
    },
    /// What an interpreter finds by a name.
    Module {
        /// The interpreter.
        interpreter: PathBuf,
        /// What stands behind `-m`.
        name: String,
    },
    /// Nobody could start it again.
    Unknown {
        /// Why, in words.
        why: String,
    },
}

impl Program {
    /// How a command line begins that starts it.
    pub(super) fn words(&self) -> Result<Vec<OsString>, Refusal> {
        if let Some(path) = self.paths().into_iter().find(|path| !path.is_absolute()) {
            let why = "the program's path must be absolute".to_owned();
            return Err(refused(&path.display().to_string(), why));
        }
        match self {
            Program::Itself(path) => Ok(vec![path.into()]),
            Program::Script { interpreter, path } => Ok(vec![interpreter.into(), path.into()]),
            Program::Module { interpreter, name } => Ok(vec![interpreter.into(), "-m".into(), name.into()]),
            Program::Unknown { why } => Err(refused("ExecStart=", why.clone())),
        }
    }

    pub(super) fn paths(&self) -> Vec<&Path> {
        match self {
            Program::Itself(path) => vec![path],
            Program::Script { interpreter, path } => vec![interpreter, path],
            Program::Module { interpreter, name: _ } => vec![interpreter],
            Program::Unknown { why: _ } => Vec::new(),
        }
    }

    /// The same as who has this root directory calls it.
    pub(super) fn below(&self, root: &Path) -> Result<Program, Refusal> {
        Ok(match self {
            Program::Itself(path) => Program::Itself(called_below(path, root)?),
            Program::Script { interpreter, path } => Program::Script {
                interpreter: called_below(interpreter, root)?,
                path: called_below(path, root)?,
            },
            Program::Module { interpreter, name } => {
                Program::Module { interpreter: called_below(interpreter, root)?, name: name.clone() }
            }
            Program::Unknown { .. } => self.clone(),
        })
    }
}

fn called_below(path: &Path, root: &Path) -> Result<PathBuf, Refusal> {
    let below = |path: &Path, root: &Path| path.strip_prefix(root).ok().map(|rest| Path::new("/").join(rest));
    let by_links = || {
        let folder = fs::canonicalize(path.parent()?).ok()?;
        below(&folder.join(path.file_name()?), &fs::canonicalize(root).ok()?)
    };
    if let Some(path) = below(path, root).or_else(by_links) {
        return Ok(path);
    }
    // Another copy of it, at the same place there.
    if inside(path, root, Last::IsFollowed).is_ok_and(|there| there.is_file()) {
        return Ok(path.to_owned());
    }
    let why = format!(
        "{} is not below {}: say by --program which path it has there",
        path.display(),
        root.display()
    );
    Err(refused("ExecStart=", why))
}

/// This program by the path that its caller has by this name, the first word of the command line, if that leads to this
/// very program; else by where the kernel says that it is.
#[must_use]
pub fn called_program(name: Option<&OsString>) -> Program {
    let search = env::var_os("PATH").unwrap_or_default();
    match env::current_exe() {
        Ok(real) => Program::Itself(name.and_then(|name| found(name, &search, &real)).unwrap_or(real)),
        Err(error) => Program::Unknown { why: format!("cannot find out where this program is: {error}") },
    }
}

fn found(name: &OsStr, search: &OsStr, real: &Path) -> Option<PathBuf> {
    let identity = |path: &Path| fs::metadata(path).map(|found| (found.dev(), found.ino())).ok();
    let meant = identity(real)?;
    let folders: Vec<PathBuf> = match name.as_bytes().contains(&b'/') {
        true => vec![PathBuf::new()],
        false => env::split_paths(search).collect(),
    };
    let paths = folders.iter().map(|folder| folder.join(name));
    paths.filter_map(|path| tidied(&path)).find(|path| identity(path) == Some(meant))
}

/// Absolute, and without `..`, which unit files do not take: the directory may be a link then, and is followed.
fn tidied(path: &Path) -> Option<PathBuf> {
    let path = std::path::absolute(path).ok()?;
    if !path.components().any(|part| part == Component::ParentDir) {
        return Some(path);
    }
    Some(fs::canonicalize(path.parent()?).ok()?.join(path.file_name()?))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn below_a_root_it_is_called_as_there() {
        let folder = tempfile::tempdir().expect("a directory");
        let root = folder.path().join("root");
        for name in ["bin", "opt", "other"] {
            fs::create_dir_all(root.join(name)).expect("made");
        }
        fs::write(root.join("opt/greeter"), "").expect("written");
        std::os::unix::fs::symlink(&root, folder.path().join("linked")).expect("a link");
        std::os::unix::fs::symlink("../opt/greeter", root.join("bin/greeter")).expect("a link");
        let called = |path: PathBuf| called_below(&path, &root).map_err(|refusal| refusal.why);
        assert_eq!(called(root.join("bin/greeter")), Ok("/bin/greeter".into()));
        assert_eq!(called(folder.path().join("linked/bin/greeter")), Ok("/bin/greeter".into()));
        assert_eq!(called("/opt/greeter".into()), Ok("/opt/greeter".into()), "it is there too");
        let why =
            format!("/nowhere/x is not below {}: say by --program which path it has there", root.display());
        assert_eq!(called("/nowhere/x".into()), Err(why));
    }

    #[test]
    fn a_link_stays_one_and_another_program_is_not_taken_for_this() {
        let folder = fs::canonicalize(env::temp_dir()).expect("there");
        let folder = tempfile::tempdir_in(folder).expect("a directory");
        let at = |name: &str| folder.path().join(name);
        fs::create_dir_all(at("bin")).and_then(|()| fs::create_dir_all(at("other"))).expect("made");
        fs::write(at("greeter-1.2"), "").and_then(|()| fs::write(at("other/greeter"), "")).expect("written");
        std::os::unix::fs::symlink("../greeter-1.2", at("bin/greeter")).expect("a link");
        let real = at("greeter-1.2");
        let search = env::join_paths([at("other"), at("bin")]).expect("no colons");
        let called = |name: &Path| found(name.as_os_str(), &search, &real);
        assert_eq!(called(&at("bin/greeter")), Some(at("bin/greeter")));
        assert_eq!(called(Path::new("greeter")), Some(at("bin/greeter")), "the other is passed over");
        assert_eq!(called(&at("bin/../bin/greeter")), Some(at("bin/greeter")));
        assert_eq!(called(&at("other/greeter")), None);
        assert_eq!(called(Path::new("-greeter")), None, "a login shell's name");
    }
}
