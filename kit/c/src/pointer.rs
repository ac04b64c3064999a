//! What comes from C, looked at before it is used.

use libc::{c_char, c_int, size_t};
use std::ffi::{CStr, CString};
use std::os::fd::{BorrowedFd, RawFd};
use std::slice;

/// The text at a pointer, or what is wrong with it.
pub(crate) unsafe fn text(what: &str, at: *const c_char) -> Result<String, String> {
    if at.is_null() {
        return Err(format!("{what}: NULL where a text was expected"));
    }
    // SAFETY: text that ends in NUL, as the header asks.
    let bytes = unsafe { CStr::from_ptr(at) };
    let text = bytes.to_str().map_err(|_| format!("{what} {}: is no UTF-8", bytes.to_string_lossy()))?;
    Ok(text.to_owned())
}

/// The texts of an array.
pub(crate) unsafe fn texts(
    what: &str,
    at: *const *const c_char,
    count: size_t,
) -> Result<Vec<String>, String> {
    if at.is_null() && count > 0 {
        return Err(format!("{what}: NULL where {count} texts were expected"));
    }
    // SAFETY: as many pointers as the caller says, each to text that ends in NUL.
    (0..count).map(|index| unsafe { text(what, *at.add(index)) }).collect()
}

/// The descriptors of an array; none of them is closed while they are used.
pub(crate) unsafe fn fds<'a>(at: *const c_int, count: size_t) -> Result<Vec<BorrowedFd<'a>>, String> {
    if count == 0 {
        return Ok(Vec::new());
    }
    if at.is_null() {
        return Err(format!("NULL where {count} descriptors were expected"));
    }
    // SAFETY: as many numbers as the caller says.
    unsafe { slice::from_raw_parts(at, count) }.iter().map(|number| fd(*number)).collect()
}

pub(crate) fn fd<'a>(number: RawFd) -> Result<BorrowedFd<'a>, String> {
    if number < 0 {
        return Err(format!("{number} is no descriptor"));
    }
    // SAFETY: the caller's, and open for as long as the call takes, as the header asks.
    Ok(unsafe { BorrowedFd::borrow_raw(number) })
}

/// Text for C; a NUL in it would end it early, so it goes.
pub(crate) fn c_text(text: &str) -> CString {
    CString::new(text.replace('\0', " ")).unwrap_or_default()
}
