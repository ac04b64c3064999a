//! The one binary: the name it was called by, then the first word, choose the program.
//!
//! A program's word is taken before anything else is read, so a unit or a verb can never be mistaken for one.
//! All that is no program is a command line for the manager.

use eudaemon_ctl::CalledAs;
use std::ffi::OsString;
use std::path::Path;
use std::process::ExitCode;

fn main() -> ExitCode {
    let mut arguments = std::env::args_os();
    let called_as = called_as(arguments.next());
    let arguments: Vec<OsString> = arguments.collect();
    eudaemon_ctl::main(arguments, called_as)
}

fn called_as(name: Option<OsString>) -> CalledAs {
    let name = name.unwrap_or_default();
    match Path::new(&name).file_name() {
        Some(file) if file == "systemctl" => CalledAs::Systemctl,
        Some(_) | None => CalledAs::Eudaemon,
    }
}
