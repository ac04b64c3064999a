//! Where the manager lives: the system's, or one user's.

use eudaemon_unit::specifier::Directories;
use std::path::PathBuf;

/// For whom the manager runs; decides paths and which units are meant.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Scope {
    System,
    User,
}

/// How the machine came to us: decides what ends with us.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Role {
    /// PID 1 of a container or VM.
    First,
    /// Beside another PID 1.
    Beside,
}

/// The manager's directories, systemd.exec(5)'s and file-hierarchy(7)'s.
#[derive(Clone, Debug)]
pub struct Place {
    pub scope: Scope,
    pub role: Role,
    /// `/run`, or the user's `$XDG_RUNTIME_DIR`.
    pub runtime: PathBuf,
    /// Where our own sockets and published files live: `/run/systemd`, or `$XDG_RUNTIME_DIR/eudaemon/systemd`.
    pub published: PathBuf,
    /// Below which services' own directories are.
    pub bases: Directories,
}

impl Place {
    pub fn system(role: Role) -> Place {
        Place {
            scope: Scope::System,
            role,
            runtime: "/run".into(),
            published: "/run/systemd".into(),
            bases: Directories::of_system(),
        }
    }

    pub fn user(runtime: PathBuf, bases: Directories) -> Place {
        let published = runtime.join("eudaemon/systemd");
        Place { scope: Scope::User, role: Role::Beside, runtime, published, bases }
    }

    pub fn private_socket(&self) -> PathBuf {
        self.published.join("private")
    }

    pub fn notify_socket(&self) -> PathBuf {
        self.published.join("notify")
    }

    pub fn journal_stream(&self) -> PathBuf {
        self.published.join("journal/stdout")
    }
}
