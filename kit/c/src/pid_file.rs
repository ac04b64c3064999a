//! A pid file by itself.

use crate::error::{failed, misused};
use crate::pointer::text;
use eudaemon_kit::PidFile;
use libc::{c_char, c_int};
use std::ptr::null_mut;

/// A pid file that this process has locked.
pub struct eudaemon_pid_file {
    file: PidFile,
}

/// Makes and locks a pid file; NULL if somebody runs already or it cannot be made. The lock goes along over fork(2).
#[unsafe(no_mangle)]
pub unsafe extern "C" fn eudaemon_pid_file_lock(path: *const c_char) -> *mut eudaemon_pid_file {
    match unsafe { text("pid file", path) } {
        Ok(path) => match PidFile::lock(path) {
            Ok(file) => return Box::into_raw(Box::new(eudaemon_pid_file { file })),
            Err(error) => failed(&error),
        },
        Err(reason) => misused(&reason),
    };
    null_mut()
}

/// Writes this process's number; from now on it is this process that takes the file away.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn eudaemon_pid_file_write(pid_file: *mut eudaemon_pid_file) -> c_int {
    match unsafe { pid_file.as_mut() } {
        Some(own) => own.file.write().map_or_else(|error| failed(&error), |()| 0),
        None => misused("NULL where a pid file was expected"),
    }
}

/// Takes the file away if it is this process's, and lets go of the lock.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn eudaemon_pid_file_free(pid_file: *mut eudaemon_pid_file) {
    if !pid_file.is_null() {
        drop(unsafe { Box::from_raw(pid_file) });
    }
}

/// The process that a pid file names, if it is locked: a daemon that runs. 0 if none does, -1 if it cannot be read.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn eudaemon_pid_file_running(path: *const c_char) -> i64 {
    match unsafe { text("pid file", path) } {
        Ok(path) => match PidFile::running(path) {
            Ok(pid) => pid.map_or(0, i64::from),
            Err(error) => failed(&error).into(),
        },
        Err(reason) => misused(&reason).into(),
    }
}
