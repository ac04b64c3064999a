//! What others read of us in the file system rather than on the bus: journald finds a unit's invocation id
//! under `units/invocation:UNIT`.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

fn link(published: &Path, unit: &str) -> PathBuf {
    published.join("units").join(format!("invocation:{unit}"))
}

pub fn invocation(published: &Path, unit: &str, id: &str) -> io::Result<()> {
    let link = link(published, unit);
    match std::os::unix::fs::symlink(id, &link) {
        Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {
            fs::remove_file(&link)?;
            std::os::unix::fs::symlink(id, &link)
        }
        other => other,
    }
}

pub fn withdraw(published: &Path, unit: &str) {
    drop(fs::remove_file(link(published, unit)));
}
