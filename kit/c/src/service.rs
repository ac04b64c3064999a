//! The program's own service.

use crate::daemon::eudaemon;
use crate::error::{MISUSED, misused};
use crate::pointer::{text, texts};
use eudaemon_kit::Error;
use eudaemon_kit::service::{Asked, called_program};
use libc::{c_char, c_int, size_t};
use std::ffi::{CStr, OsStr, OsString};
use std::os::unix::ffi::OsStrExt;

/// Answers `PROGRAM service install|uninstall|start|stop|status` and `PROGRAM service --help`, where the program was called
/// so: acts on the service that is this program, as it is called now, with these arguments. `argc` and `argv` are `main`'s.
///
/// What to exit with, or -1 where the program was not called so and is meant itself. What is wrong with the description is
/// told then, and 70 is what to exit with. The description is as it was. It is
/// called before `eudaemon_start`; what is done is told on stdout, and what goes wrong on stderr.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn eudaemon_answer_service(
    daemon: *mut eudaemon,
    argc: c_int,
    argv: *const *const c_char,
    description: *const c_char,
    arguments: *const *const c_char,
    count: size_t,
) -> c_int {
    let words = unsafe { words(argc, argv) };
    if Asked::of_arguments(words.clone()).is_none() {
        // What is wrong the start says, where the program is meant itself.
        return -1;
    }
    let Some(of) = (unsafe { daemon.as_mut() }) else {
        // It has no name to tell it by.
        let name = words.first().map(|word| word.to_string_lossy().into_owned()).unwrap_or_default();
        return told(&name, "NULL where a description was expected");
    };
    let texts = unsafe { (text("description", description), texts("arguments", arguments, count)) };
    let (description, arguments) = match texts {
        (Ok(description), Ok(arguments)) => (description, arguments),
        (Err(wrong), _) | (_, Err(wrong)) => return told(of.name(), &wrong),
    };
    let name = of.name().to_owned();
    match of.whole() {
        Ok(daemon) => {
            let program = called_program(words.first());
            let code = daemon.answer_service_as(words, &description, &program, arguments);
            code.map_or(-1, c_int::from)
        }
        Err(wrong) => told(&name, &wrong),
    }
}

/// Tells people what is wrong, in the words of the start.
fn told(name: &str, wrong: &str) -> c_int {
    Error::Handed { reason: wrong.to_owned() }.tell(name);
    misused(wrong);
    c_int::from(MISUSED)
}

/// Words that need not be UTF-8.
unsafe fn words(argc: c_int, argv: *const *const c_char) -> Vec<OsString> {
    let count = if argv.is_null() { 0 } else { usize::try_from(argc).unwrap_or(0) };
    let pointers = (0..count).map(|index| unsafe { *argv.add(index) }).take_while(|at| !at.is_null());
    pointers.map(|at| OsStr::from_bytes(unsafe { CStr::from_ptr(at) }.to_bytes()).to_owned()).collect()
}
