//! Unmodified `systemctl --user` looks in `$XDG_RUNTIME_DIR/systemd`: where no manager that lives has that name, ours
//! answers there too, be it the user's own or that of a directory.

use eudaemon_host::place::{Place, Scope};
use std::fs;
use std::os::unix::fs::symlink;
use std::os::unix::net::UnixStream;
use std::path::PathBuf;

fn usual(place: &Place) -> PathBuf {
    place.runtime.join("systemd")
}

pub fn offer(place: &Place) {
    if place.scope != Scope::User {
        return;
    }
    let usual = usual(place);
    let ours = fs::read_link(&usual).is_ok_and(|target| target.starts_with(place.runtime.join("eudaemon")));
    if ours && UnixStream::connect(usual.join("private")).is_err() {
        // One of ours had it, and is gone.
        drop(fs::remove_file(&usual));
    }
    // Somebody else's directory stays.
    drop(symlink(&place.published, usual));
}

/// A directory's manager ends and nobody comes after it: nothing of it stays.
pub fn withdraw(place: &Place) {
    let usual = usual(place);
    if fs::read_link(&usual).is_ok_and(|target| target == place.published) {
        drop(fs::remove_file(&usual));
    }
    if let Some(directory) = place.published.parent() {
        drop(fs::remove_dir_all(directory));
        // Other managers' directories may lie beside it; then it stays.
        drop(fs::remove_dir(place.runtime.join("eudaemon")));
    }
}
