//! The program found, and the last step: arguments expanded, executed.

use super::{EXEC_IS_NEXT, Failure, Process};
use crate::sys::program;
use eudaemon_plan::expand::expand;
use eudaemon_plan::step::{Command, Expansion, Missing, Program};
use rustix::fs::{Access, FileType, Mode, OFlags, access, fstat, open};
use rustix::io::Errno;
use std::ffi::CString;

impl Process<'_> {
    pub fn find_program(&mut self, Program { path, search, missing }: &Program) -> Result<(), Failure> {
        match (find(path, search), missing) {
            (Ok(path), _) => self.program = Some(path),
            // Systemd leaves such a command out, rather than to ignore its failure.
            (Err(_), Missing::Ignored) => std::process::exit(0),
            (Err(errno), Missing::Fails) => return Err(errno.into()),
        }
        Ok(())
    }

    /// Returns only when it fails.
    pub fn execute(&mut self, command: &Command) -> Result<(), Failure> {
        let environment = self.environment.entries();
        let argv = match command.expansion {
            Expansion::Verbatim => command.argv.clone(),
            Expansion::Variables => expand(&command.argv, environment),
        };
        // As under systemd, a program gets one word at least: its name.
        if argv.is_empty() {
            return Err(Errno::INVAL.into());
        }
        let path = self.program.take().ok_or(Errno::NOEXEC)?;
        let argv = strings(&argv)?;
        let environment = strings(environment)?;
        self.say_exec(EXEC_IS_NEXT);
        match program::execute(&path, &argv, &environment)? {}
    }
}

fn find(path: &str, search: &[String]) -> Result<CString, Errno> {
    if path.contains('/') {
        return found(path);
    }
    let mut reason = Errno::NOENT;
    for directory in search {
        match found(&format!("{directory}/{path}")) {
            Ok(path) => return Ok(path),
            Err(Errno::NOENT | Errno::NOTDIR) => {}
            Err(errno) => reason = errno,
        }
    }
    Err(reason)
}

/// Opened, as a look at it is only worth what the descriptor limit allows; executed by its name, which scripts
/// need to be told.
fn found(path: &str) -> Result<CString, Errno> {
    let file = open(path, OFlags::PATH | OFlags::CLOEXEC, Mode::empty())?;
    if FileType::from_raw_mode(fstat(&file)?.st_mode) != FileType::RegularFile {
        return Err(Errno::ACCESS);
    }
    access(path, Access::EXEC_OK)?;
    CString::new(path).map_err(|_| Errno::INVAL)
}

fn strings(texts: &[String]) -> Result<Vec<CString>, Errno> {
    texts.iter().map(|text| CString::new(text.as_str()).map_err(|_| Errno::INVAL)).collect()
}
