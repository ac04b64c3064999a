//! What a signal to init means: systemd(1), "SIGNALS". One departure: in a container, beside another PID 1 and
//! for a user SIGTERM and SIGINT mean "stop everything and end", which is what whoever sends them there wants.

use eudaemon_engine::api::{Finale, JobKind, Request};
use eudaemon_unit::config::unit::JobMode;
use eudaemon_unit::name::UnitName;

/// How far we are the machine's only manager.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Standing {
    /// PID 1 of a booted machine: the signals are systemd's own.
    Machine,
    /// A container's PID 1, or beside another, or a user's.
    Guest,
}

/// What is to be done.
#[derive(Clone, Debug)]
pub enum Meaning {
    Ask(Request),
    Reload,
    Reexecute,
    /// Look for the system bus again.
    ReconnectBus,
    Nothing,
}

const RTMIN: i32 = 34;

pub fn meaning(signal: i32, standing: Standing) -> Meaning {
    match (signal, standing) {
        (libc::SIGTERM, Standing::Machine) => Meaning::Reexecute,
        (libc::SIGINT, Standing::Machine) => start("ctrl-alt-del.target", JobMode::ReplaceIrreversibly),
        (libc::SIGTERM | libc::SIGINT | libc::SIGQUIT, Standing::Guest) => {
            start("exit.target", JobMode::ReplaceIrreversibly)
        }
        (libc::SIGHUP, _) => Meaning::Reload,
        (libc::SIGUSR1, _) => Meaning::ReconnectBus,
        (libc::SIGPWR, _) => start("sigpwr.target", JobMode::Replace),
        (libc::SIGWINCH, Standing::Machine) => start("kbrequest.target", JobMode::Replace),
        (number, _) => match number - RTMIN {
            0 => start("default.target", JobMode::Isolate),
            1 => start("rescue.target", JobMode::Isolate),
            2 => start("emergency.target", JobMode::Isolate),
            3 => start("halt.target", JobMode::ReplaceIrreversibly),
            4 => start("poweroff.target", JobMode::ReplaceIrreversibly),
            5 => start("reboot.target", JobMode::ReplaceIrreversibly),
            6 => start("kexec.target", JobMode::ReplaceIrreversibly),
            13 => Meaning::Ask(Request::FinishNow(Finale::Halt)),
            14 => Meaning::Ask(Request::FinishNow(Finale::PowerOff)),
            15 => Meaning::Ask(Request::FinishNow(Finale::Reboot)),
            16 => Meaning::Ask(Request::FinishNow(Finale::Kexec)),
            24 => start("exit.target", JobMode::ReplaceIrreversibly),
            25 => Meaning::Reexecute,
            _ => Meaning::Nothing,
        },
    }
}

fn start(unit: &str, mode: JobMode) -> Meaning {
    match UnitName::parse(unit) {
        Ok(unit) => Meaning::Ask(Request::Job { unit, kind: JobKind::Start, mode }),
        Err(_) => Meaning::Nothing,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(signal: i32, standing: Standing) -> String {
        let found = meaning(signal, standing);
        if let Meaning::Ask(Request::Job { unit, mode, .. }) = &found {
            return format!("{unit} {mode:?}");
        }
        format!("{found:?}")
    }

    #[test]
    fn table() {
        assert_eq!(check(15, Standing::Guest), "exit.target ReplaceIrreversibly");
        assert_eq!(check(15, Standing::Machine), "Reexecute");
        assert_eq!(check(2, Standing::Machine), "ctrl-alt-del.target ReplaceIrreversibly");
        assert_eq!(check(37, Standing::Guest), "halt.target ReplaceIrreversibly");
        assert_eq!(check(38, Standing::Guest), "poweroff.target ReplaceIrreversibly");
        assert_eq!(check(59, Standing::Machine), "Reexecute");
        assert_eq!(check(1, Standing::Guest), "Reload");
        assert_eq!(check(17, Standing::Guest), "Nothing");
    }
}
