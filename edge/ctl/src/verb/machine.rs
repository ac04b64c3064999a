//! Verbs about the whole: reload, re-execute, power off, reboot, halt, exit.

use super::Failure;
use crate::bus::{self, CallError, Client, MANAGER_PATH};
use crate::limits;
use crate::line::{Line, Scope};
use crate::running;
use crate::screen::Screen;
use std::time::Instant;

/// One way for the machine to end.
#[derive(Clone, Copy, Debug)]
pub struct Ending {
    word: &'static str,
    target: &'static str,
    /// The manager's method that ends at once, without stopping units.
    at_once: &'static str,
    command: rustix::system::RebootCommand,
}

pub const POWEROFF: Ending = Ending {
    word: "power off",
    target: "poweroff.target",
    at_once: "PowerOff",
    command: rustix::system::RebootCommand::PowerOff,
};
pub const REBOOT: Ending = Ending {
    word: "reboot",
    target: "reboot.target",
    at_once: "Reboot",
    command: rustix::system::RebootCommand::Restart,
};
pub const HALT: Ending = Ending {
    word: "halt",
    target: "halt.target",
    at_once: "Halt",
    command: rustix::system::RebootCommand::Halt,
};

/// The reply comes when everything has been read again.
pub fn reload(client: &mut Client) -> Result<u8, Failure> {
    let answer: Result<(), CallError> = client.manager("Reload", &());
    answer.map_err(|error| Failure::new(format!("Reload daemon failed: {}", error.text())))?;
    Ok(0)
}

/// There is no reply: the manager that would send it is gone.
pub fn reexec(client: &mut Client) -> Result<u8, Failure> {
    let answer: Result<(), CallError> = client.manager("Reexecute", &());
    match answer {
        Ok(()) | Err(CallError::Lost) => Ok(0),
        Err(error) if error.kind() == "NoReply" || error.kind() == "Disconnected" => Ok(0),
        Err(error) => Err(Failure::call("reexecute daemon", &error)),
    }
}

/// Without --force units are stopped in order; with it the manager ends at once; twice, the kernel does.
pub fn end(line: &Line, screen: &mut Screen, ending: Ending) -> Result<u8, Failure> {
    if line.options.dry_run {
        return Ok(0);
    }
    if line.options.force >= 2 {
        screen.complain(&format!("Trying to {} at once.", ending.word));
        rustix::fs::sync();
        return match rustix::system::reboot(ending.command) {
            Ok(()) => Ok(0),
            Err(error) => Err(Failure::new(format!("Failed to {}: {error}", ending.word))),
        };
    }
    let mut client = running::reach(line)?;
    if line.options.force == 1 {
        let answer: Result<(), CallError> = client.manager(ending.at_once, &());
        return finished(answer, &format!("{} system", ending.word));
    }
    start_irreversibly(&mut client, ending.target)
}

/// `exit [CODE]`: the code of the container, or of the user's manager.
pub fn exit(line: &Line, screen: &mut Screen) -> Result<u8, Failure> {
    let code = match line.arguments.first().map(|word| word.parse::<u8>()) {
        None => None,
        Some(Ok(code)) => Some(code),
        Some(Err(_)) => {
            return Err(Failure::new(format!("Invalid exit code: {}", line.arguments[0])));
        }
    };
    let mut client = running::reach(line)?;
    if let Some(code) = code {
        let answer: Result<(), CallError> = client.manager("SetExitCode", &code);
        answer.map_err(|error| Failure::call("set exit code", &error))?;
    }
    if line.options.force > 0 {
        let answer: Result<(), CallError> = client.manager("Exit", &());
        return finished(answer, "exit");
    }
    if line.options.scope == Scope::System && !line.options.quiet && in_own_machine(&mut client) {
        screen.complain("The system is no container: powering off instead.");
        return start_irreversibly(&mut client, POWEROFF.target);
    }
    let code = start_irreversibly(&mut client, "exit.target")?;
    if !line.options.no_block {
        wait_for_the_end(line, screen);
    }
    Ok(code)
}

/// What comes after `exit` is to find nobody there. In a container of its own the end takes us along.
fn wait_for_the_end(line: &Line, screen: &mut Screen) {
    let deadline = Instant::now() + limits::END;
    while bus::is_listened_to(line.options.scope) {
        if Instant::now() > deadline {
            return screen.complain("Still stopping; not waiting any longer.");
        }
        std::thread::sleep(limits::END_LOOK);
    }
}

/// Whether it is systemd's manager, and runs a machine rather than a container. Ours knows what exit.target comes to where it is:
/// beside another PID 1 it ends, whatever machine that is on.
fn in_own_machine(client: &mut Client) -> bool {
    let version = client.property(MANAGER_PATH, crate::bus::MANAGER, "Version");
    if version.is_ok_and(|version| version.text().is_some_and(|text| text.contains("(eudaemon "))) {
        return false;
    }
    let value = client.property(MANAGER_PATH, crate::bus::MANAGER, "Virtualization");
    // The names of virtual machines and of bare metal; whatever else is named is a container.
    value.is_ok_and(|value| {
        matches!(
            value.text(),
            Some("" | "kvm" | "qemu" | "vmware" | "microsoft" | "xen" | "amazon" | "bochs")
        )
    })
}

fn start_irreversibly(client: &mut Client, target: &str) -> Result<u8, Failure> {
    let answer: Result<zbus::OwnedObjectPath, CallError> =
        client.manager("StartUnit", &(target, "replace-irreversibly"));
    finished(answer.map(|_| ()), &format!("start {target}"))
}

/// A lost connection is what was asked for.
fn finished(answer: Result<(), CallError>, what: &str) -> Result<u8, Failure> {
    match answer {
        Ok(()) | Err(CallError::Lost) => Ok(0),
        Err(error) => Err(Failure {
            text: format!("Failed to {what}: {}", error.text()),
            code: super::jobs::exit_code(&error),
        }),
    }
}
