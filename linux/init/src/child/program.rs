//! The last step: arguments expanded, program found, executed.

use super::{EXEC_IS_NEXT, Failure, Process};
use crate::sys::program;
use eudaemon_plan::expand::expand;
use eudaemon_plan::step::{Command, Expansion};
use rustix::fs::{Access, access};
use rustix::io::Errno;
use std::ffi::CString;

impl Process<'_> {
    /// Returns only when it fails.
    pub fn execute(&mut self, command: &Command) -> Result<(), Failure> {
        let environment = self.environment.entries();
        let argv = match command.expansion {
            Expansion::Verbatim => command.argv.clone(),
            Expansion::Variables => expanded(&command.argv, environment),
        };
        let path = find(&command.path, &command.search)?;
        let argv = strings(&argv)?;
        let environment = strings(environment)?;
        self.say_exec(EXEC_IS_NEXT);
        match program::execute(&path, &argv, &environment)? {}
    }
}

/// The program's own name is not expanded.
fn expanded(argv: &[String], environment: &[String]) -> Vec<String> {
    let Some((name, arguments)) = argv.split_first() else { return Vec::new() };
    let mut all = vec![name.clone()];
    all.extend(expand(arguments, environment));
    all
}

fn find(path: &str, search: &[String]) -> Result<CString, Errno> {
    let c = |path: &str| CString::new(path).map_err(|_| Errno::INVAL);
    if path.contains('/') {
        return c(path);
    }
    let mut reason = Errno::NOENT;
    for directory in search {
        let candidate = format!("{directory}/{path}");
        let is_file = std::fs::metadata(&candidate).is_ok_and(|metadata| metadata.is_file());
        match access(&candidate, Access::EXEC_OK) {
            Ok(()) if is_file => return c(&candidate),
            Err(Errno::ACCESS) => reason = Errno::ACCESS,
            Ok(()) | Err(_) => {}
        }
    }
    Err(reason)
}

fn strings(texts: &[String]) -> Result<Vec<CString>, Errno> {
    texts.iter().map(|text| CString::new(text.as_str()).map_err(|_| Errno::INVAL)).collect()
}
