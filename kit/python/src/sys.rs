//! What Python asks of a process that forks, and descriptors by number.
//!
//! Argument: the three functions take nothing and want the interpreter's lock, which `Python` proves; they are called in
//! the order of `os.fork`: before, then in the child or in the parent. Descriptors are borrowed for one call, during which the
//! objects that they belong to are held by the caller.
#![allow(unsafe_code)]

use pyo3::exceptions::PyValueError;
use pyo3::{PyResult, Python, ffi};
use std::os::fd::{BorrowedFd, RawFd};
use std::process;

/// Runs what may fork, and come back in the child alone, as `os.fork` would: hooks run and locks are made anew.
pub(crate) fn over_forks<T>(_: Python<'_>, act: impl FnOnce() -> T) -> T {
    let before = process::id();
    // SAFETY: with the interpreter's lock.
    unsafe { ffi::PyOS_BeforeFork() };
    let outcome = act();
    if process::id() == before {
        // SAFETY: the same.
        unsafe { ffi::PyOS_AfterFork_Parent() };
    } else {
        // SAFETY: the same; a fork copies the one thread that has it.
        unsafe { ffi::PyOS_AfterFork_Child() };
    }
    outcome
}

/// Descriptors that Python's side keeps open while they are used.
pub(crate) fn borrowed<'a>(numbers: &[RawFd]) -> PyResult<Vec<BorrowedFd<'a>>> {
    let borrow = |number: &RawFd| match *number {
        number if number < 0 => Err(PyValueError::new_err(format!("{number} is no descriptor"))),
        // SAFETY: not -1; whether it is open the kernel says, and Python's side holds its object for as long as we do.
        number => Ok(unsafe { BorrowedFd::borrow_raw(number) }),
    };
    numbers.iter().map(borrow).collect()
}
