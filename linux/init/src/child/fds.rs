//! Socket activation's descriptors: sd_listen_fds(3).

use super::{Process, passed};
use crate::sys::descriptors;
use eudaemon_plan::step::Blocking;
use rustix::fs::{OFlags, fcntl_getfl, fcntl_setfl};
use rustix::io::Errno;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};

/// sd_listen_fds(3): the first descriptor handed over.
const FIRST: i32 = 3;

impl Process<'_> {
    /// Exactly these become 3, 4, …; everything else from there on is closed by exec.
    pub fn hand_over(&mut self, indices: &[u16], blocking: &Blocking) -> Result<(), Errno> {
        let above = FIRST + i32::try_from(indices.len()).map_err(|_| Errno::MFILE)?;
        let chosen: Vec<BorrowedFd<'_>> = indices
            .iter()
            .map(|index| passed(&self.birth.fds, *index))
            .chain([Ok(self.birth.reports)])
            .chain(self.birth.exec.as_ref().map(|pipe| Ok(pipe.as_fd())))
            .collect::<Result<_, Errno>>()?;
        descriptors::close_others(FIRST, &chosen)?;
        // Out of the way first, what is handed over and what is still needed.
        let copies: Vec<OwnedFd> = indices
            .iter()
            .map(|index| descriptors::copy_above(passed(&self.birth.fds, *index)?, above))
            .collect::<Result<_, Errno>>()?;
        let reports = descriptors::copy_above(self.birth.reports, above)?;
        let exec =
            self.birth.exec.as_ref().map(|pipe| descriptors::copy_above(pipe.as_fd(), above)).transpose()?;
        descriptors::close_at_exec(FIRST)?;
        for (number, copy) in (FIRST..).zip(&copies) {
            set_blocking(copy, blocking)?;
            descriptors::place(copy.as_fd(), number)?;
        }
        // The old numbers mean something else now: nobody may close them.
        for retired in self.birth.exec.take().into_iter().chain(self.birth.fds.drain(..)) {
            std::mem::forget(retired);
        }
        self.birth.exec = exec;
        // Kept until exec or exit, which is the rest of this process's life.
        let reports: &'static OwnedFd = Box::leak(Box::new(reports));
        self.birth.reports = reports.as_fd();
        Ok(())
    }
}

fn set_blocking(fd: &OwnedFd, blocking: &Blocking) -> Result<(), Errno> {
    let flags = fcntl_getfl(fd)?;
    let wanted = match blocking {
        Blocking::Blocking => flags - OFlags::NONBLOCK,
        Blocking::NonBlocking => flags | OFlags::NONBLOCK,
    };
    if wanted == flags { Ok(()) } else { fcntl_setfl(fd, wanted) }
}
