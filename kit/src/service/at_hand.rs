//! Which manager is there to be told.

use super::target::{Level, Target};
use std::env;
use std::path::{Path, PathBuf};

impl Target {
    /// The manager that runs here, or whose files are read when the machine starts. Looked for in this order: systemd or
    /// eudaemon, OpenRC, runit, supervisord, launchd, SysV scripts. `None`: no one that is known.
    ///
    /// Both of the first serve systemd's clients: whoever's client is installed is told.
    #[must_use]
    pub fn at_hand(level: Level) -> Option<Target> {
        let path = env::var_os("PATH").unwrap_or_default();
        let has = |program: &str| env::split_paths(&path).any(|folder| folder.join(program).is_file());
        let run = env::var_os("XDG_RUNTIME_DIR").map(PathBuf::from);
        look(Path::new("/"), run.as_deref(), level, &has)
    }
}

fn look(root: &Path, run: Option<&Path>, level: Level, has: &dyn Fn(&str) -> bool) -> Option<Target> {
    let there = |path: &str| root.join(path).exists();
    let client = |first: (&str, Target), second: (&str, Target)| {
        [first, second].into_iter().find(|(program, _)| has(program)).map(|(_, target)| target)
    };
    let (systemctl, eudaemon) = (("systemctl", Target::Systemd), ("eudaemon", Target::Eudaemon));
    match level {
        Level::User => {
            let run = run?;
            if run.join("eudaemon/systemd/private").exists() {
                return client(eudaemon, systemctl);
            }
            run.join("systemd/private").exists().then_some(Target::Systemd)
        }
        // sd_booted(3), and the socket of a manager beside another first process.
        Level::System if there("run/systemd/system") || there("run/systemd/private") => {
            client(systemctl, eudaemon)
        }
        Level::System if there("run/openrc") => Some(Target::Openrc),
        Level::System if there("run/runit") || there("etc/runit/stopit") => Some(Target::Runit),
        Level::System if there("run/supervisor.sock") => Some(Target::Supervisord),
        Level::System if there("System/Library/LaunchDaemons") => Some(Target::Launchd),
        Level::System if there("etc/init.d") => Some(Target::Sysv),
        Level::System => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(paths: &[&str], programs: &[&str], level: Level, expected: Option<Target>) {
        let root = tempfile::tempdir().expect("a directory");
        for path in paths {
            std::fs::create_dir_all(root.path().join(path)).expect("it is made");
        }
        let run = root.path().join("run/user/1");
        let found = look(root.path(), Some(&run), level, &|program| programs.contains(&program));
        assert_eq!(found, expected, "{paths:?} {programs:?}");
    }

    #[test]
    fn who_runs_is_told_by_what_it_leaves() {
        let system = Level::System;
        check(&["run/systemd/system", "etc/init.d"], &["systemctl"], system, Some(Target::Systemd));
        check(&["run/systemd/private", "run/openrc"], &["eudaemon"], system, Some(Target::Eudaemon));
        check(&["run/systemd/system"], &["eudaemon", "systemctl"], system, Some(Target::Systemd));
        check(&["run/openrc", "etc/init.d"], &[], system, Some(Target::Openrc));
        check(&["run/runit", "etc/init.d"], &[], system, Some(Target::Runit));
        check(&["run/supervisor.sock", "etc/init.d"], &[], system, Some(Target::Supervisord));
        check(&["etc/init.d"], &["systemctl"], system, Some(Target::Sysv));
        check(&[], &["systemctl"], system, None);
        let user = Level::User;
        check(&["run/user/1/eudaemon/systemd/private"], &["eudaemon"], user, Some(Target::Eudaemon));
        check(&["run/user/1/systemd/private"], &["systemctl"], user, Some(Target::Systemd));
        check(&["run/systemd/system"], &["systemctl"], user, None);
    }
}
