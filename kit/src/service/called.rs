//! By which path the program was called: what stays right when a link leads to the next version.

use std::ffi::{OsStr, OsString};
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::MetadataExt;
use std::path::{Component, Path, PathBuf};
use std::{env, fs};

/// The path of this program as its caller has it by this name, the first word of the command line, if that leads to this
/// very program; else where the kernel says that it is.
#[must_use]
pub fn called_program(name: Option<&OsString>) -> PathBuf {
    let real = env::current_exe().unwrap_or_default();
    let search = env::var_os("PATH").unwrap_or_default();
    name.and_then(|name| found(name, &search, &real)).unwrap_or(real)
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
