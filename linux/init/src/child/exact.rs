//! Files and directories with just the mode that is meant.

use rustix::fs::Mode;
use rustix::process::umask;

/// What is made within has the mode it is made with, whatever the umask. A mode that is set afterwards is set on whatever has
/// the name by then.
pub fn exactly<T>(make: impl FnOnce() -> T) -> T {
    let before = umask(Mode::empty());
    let made = make();
    umask(before);
    made
}
