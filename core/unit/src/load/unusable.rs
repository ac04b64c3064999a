//! Units that cannot be read, and what is said of that.

use super::Loader;
use crate::config::{Config, LoadState};
use crate::diagnostic::{Code, Diagnostic, Severity};
use crate::files::{Found, Fragment, Tree, TreeError};
use crate::merge::{Merged, merge, not_loaded};

pub(super) fn missing<T: Tree + ?Sized>(found: Found, loader: &Loader<'_, T>) -> Merged {
    let found = Found { fragment: Fragment::Missing, ..found };
    merge(&found.name, &[], &found, loader.cx)
}

pub(super) fn unreadable(found: &Found, path: &str, error: &TreeError) -> Merged {
    let complaint = complaint(path, Severity::Error, error);
    let reason = match error {
        TreeError::IsADirectory => Some("Is a directory"),
        TreeError::Denied => Some("Permission denied"),
        TreeError::TooManyLinks => Some("Too many levels of symbolic links"),
        TreeError::NotFound | TreeError::NotADirectory | TreeError::TooLarge { .. } | TreeError::Other(_) => {
            None
        }
    };
    let load = match reason {
        Some(reason) => LoadState::Inconsistent(not_loaded(&found.name, reason)),
        None => LoadState::Unreadable(complaint.to_string()),
    };
    let mut config = Config::bare(found.name.clone(), load);
    config.aliases = found.aliases.clone();
    config.fragment = Some(path.to_owned());
    Merged { config, diagnostics: vec![complaint] }
}

pub(super) fn complaint(path: &str, severity: Severity, error: &TreeError) -> Diagnostic {
    Diagnostic::of_unit(path, severity, format!("cannot read: {error}")).coded(Code::Unreadable)
}
