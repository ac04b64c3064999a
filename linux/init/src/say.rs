//! Init's own words, on standard error. A reader that is gone or stuck must neither stop nor end PID 1, so a
//! line that finds no room is dropped.

use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::io::Errno;
use std::fmt::Arguments;

macro_rules! say {
    ($($words:tt)*) => { $crate::say::line(format_args!($($words)*)) };
}
pub(crate) use say;

pub fn line(words: Arguments<'_>) {
    let stderr = rustix::stdio::stderr();
    let mut fds = [PollFd::new(&stderr, PollFlags::OUT)];
    let now = Timespec { tv_sec: 0, tv_nsec: 0 };
    let text = format!("eudaemon: {words}\n");
    if poll(&mut fds, Some(&now)).is_ok() && fds[0].revents().contains(PollFlags::OUT) {
        // Nobody is left to tell when even this fails.
        may_fail(rustix::io::write(stderr, text.as_bytes()));
    }
}

/// For a call whose failure changes nothing; where it is called says why.
pub fn may_fail<T>(_outcome: Result<T, Errno>) {}
