//! What went wrong last, in this thread.

use crate::pointer::c_text;
use eudaemon_kit::Error;
use libc::{c_char, c_int};
use std::cell::RefCell;
use std::ffi::CString;

/// What a program exits with that used this library wrongly: sysexits.h, `EX_SOFTWARE`.
pub(crate) const MISUSED: u8 = 70;

thread_local! {
    static LAST: RefCell<(CString, c_int)> = RefCell::default();
}

/// Keeps what went wrong for the two functions below.
pub(crate) fn keep(text: &str, exit: u8) {
    LAST.with(|last| *last.borrow_mut() = (c_text(text), c_int::from(exit)));
}

/// Keeps it, and is what a function answers then.
pub(crate) fn failed(error: &Error) -> c_int {
    keep(&error.to_string(), error.exit_code());
    -1
}

/// The same, of a call that could not be right.
pub(crate) fn misused(reason: &str) -> c_int {
    keep(reason, MISUSED);
    -1
}

/// What went wrong last in this thread: what, where and why. The text is good until the next call that fails; it is
/// empty when none has.
#[unsafe(no_mangle)]
pub extern "C" fn eudaemon_error() -> *const c_char {
    LAST.with(|last| last.borrow().0.as_ptr())
}

/// What a program that ends by it should exit with: a number of sysexits.h where it has one, else 1.
#[unsafe(no_mangle)]
pub extern "C" fn eudaemon_exit_code() -> c_int {
    LAST.with(|last| last.borrow().1)
}
