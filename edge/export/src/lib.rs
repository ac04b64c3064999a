#![forbid(unsafe_code)]
//! `eudaemon export`: a unit's service in another manager's language, and what that cannot say.
//!
//! It reads with the manager's own reader and writes with `kit`'s writers; it asks no manager and starts nothing.
//!
//! Modules stand in the order the facts flow: the line, the unit, its parts as a service's, the words.

mod options;

mod find;

mod limits;

mod commands;
mod life;
mod rest;
mod rights;
mod section;
mod service;

pub use options::Request;
pub use service::service;

use eudaemon_kit::service::{File, Level, Loss, Put, Written, written};
use options::Line;
use std::ffi::OsString;
use std::io::Write;
use std::path::Path;
use std::process::ExitCode;

/// The arguments begin with the word `export`.
pub fn main(arguments: Vec<OsString>) -> ExitCode {
    let request = match options::read(arguments) {
        Ok(Line::Help) => return print(options::HELP),
        Ok(Line::Export(request)) => request,
        Err(text) => return fail(&text),
    };
    match export(&request) {
        Ok(Exported { written, remarks }) => {
            let told = remarks.iter().cloned().chain(told(&written.losses)).map(|line| line + "\n");
            // Who does not read it has what is on standard output all the same.
            std::io::stderr().write_all(told.collect::<String>().as_bytes()).ok();
            match &request.output {
                Some(folder) => put(&written.files, folder),
                None => print(&page(&written.files)),
            }
        }
        Err(text) => fail(&text),
    }
}

/// A unit as another manager has it.
#[derive(Clone, Debug)]
pub struct Exported {
    pub written: Written,
    /// What the reader says of the unit's files.
    pub remarks: Vec<String>,
}

/// Reads the unit and writes it down.
///
/// # Errors
///
/// A sentence: there is no such unit, it cannot be loaded, or the result would be wrong to run.
pub fn export(request: &Request) -> Result<Exported, String> {
    let found = find::unit(request)?;
    let service = service(&found.config, &found.sockets).map_err(|refusal| of(&found.name, &refusal))?;
    let mut written =
        written(&service, request.target, Level::System).map_err(|refusal| of(&found.name, &refusal))?;
    for file in &mut written.files {
        file.mode = found.readers.narrow(file.mode);
    }
    Ok(Exported { written, remarks: found.remarks })
}

fn of(name: &str, refusal: &dyn std::fmt::Display) -> String {
    format!("{name} cannot be exported: {refusal}")
}

fn told(losses: &[Loss]) -> Vec<String> {
    Loss::folded(losses).iter().map(Loss::to_string).collect()
}

/// One file as it is; several each behind its path.
fn page(files: &[File]) -> String {
    match files {
        [only] => only.text.clone(),
        several => several
            .iter()
            .map(|file| format!("# {} ({:04o})\n{}\n", file.path, file.mode.as_raw_mode(), file.text))
            .collect(),
    }
}

fn put(files: &[File], folder: &Path) -> ExitCode {
    for file in files {
        match file.put(folder) {
            Ok(put) => {
                let word = match put {
                    Put::Made => "made",
                    Put::Replaced => "replaced",
                    Put::Unchanged => "unchanged",
                };
                let code = print(&format!("{word} {}{}\n", folder.display(), file.path));
                if code != ExitCode::SUCCESS {
                    return code;
                }
            }
            Err(error) => return fail(&error.to_string()),
        }
    }
    ExitCode::SUCCESS
}

fn fail(text: &str) -> ExitCode {
    std::io::stderr().write_all(format!("export: {text}\n").as_bytes()).ok();
    ExitCode::FAILURE
}

/// A reader that went away takes nothing from the answer.
fn print(text: &str) -> ExitCode {
    let mut out = std::io::stdout();
    match out.write_all(text.as_bytes()).and_then(|()| out.flush()) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) if error.kind() == std::io::ErrorKind::BrokenPipe => ExitCode::SUCCESS,
        Err(_) => ExitCode::FAILURE,
    }
}

#[cfg(test)]
mod tests;
