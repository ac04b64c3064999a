//! Becoming another program.
//!
//! Safety: the arrays given to execve are built here, end with a null pointer, and point into C strings that
//! outlive the call.
#![allow(unsafe_code)]

use super::fork::last_errno;
use rustix::io::Errno;
use std::convert::Infallible;
use std::ffi::{CStr, CString, c_char};

/// Returns only when it fails.
pub fn execute(path: &CStr, argv: &[CString], environment: &[CString]) -> Result<Infallible, Errno> {
    let pointers = |strings: &[CString]| -> Vec<*const c_char> {
        strings.iter().map(|string| string.as_ptr()).chain([std::ptr::null()]).collect()
    };
    let (argv, environment) = (pointers(argv), pointers(environment));
    // SAFETY: see the module.
    unsafe { libc::execve(path.as_ptr(), argv.as_ptr(), environment.as_ptr()) };
    Err(last_errno())
}
