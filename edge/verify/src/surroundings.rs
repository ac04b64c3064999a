//! The surroundings a unit is meant for, and what a manager there may do.

use eudaemon_unit::config::exec::Capabilities;
use eudaemon_unit::diagnostic::Severity;
use eudaemon_unit::directives::rights;

/// The surroundings units are meant for, and whether somebody named them.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Meant {
    pub kind: Surroundings,
    pub named: Named,
}

/// Whether the surroundings were named on the command line, or are those we find ourselves in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Named {
    Yes,
    No,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Surroundings {
    /// A container as docker confines it.
    Container,
    /// An ordinary user's manager.
    Rootless,
    /// A virtual machine.
    Vm,
    /// A machine of its own.
    Machine,
}

use Surroundings::{Container, Machine, Rootless, Vm};

impl Surroundings {
    pub const ALL: [(&'static str, Surroundings); 4] =
        [("container", Container), ("rootless", Rootless), ("vm", Vm), ("machine", Machine)];

    pub fn words(self) -> &'static str {
        match self {
            Container => "in a container",
            Rootless => "without privileges",
            Vm => "in a virtual machine",
            Machine => "on a machine",
        }
    }

    pub fn is_container(self) -> bool {
        match self {
            Container => true,
            Rootless | Vm | Machine => false,
        }
    }

    /// Whether a manager there ends with an exit code; a machine is switched off.
    pub fn has_exit_code(self) -> bool {
        match self {
            Container | Rootless => true,
            Vm | Machine => false,
        }
    }

    /// Whether a manager there may run processes as other users.
    pub fn changes_users(self) -> bool {
        match self {
            Rootless => false,
            Container | Vm | Machine => true,
        }
    }

    /// The capabilities(7) a manager there has.
    pub fn capabilities(self) -> Capabilities {
        match self {
            Rootless => Capabilities::NONE,
            Container => rights::of_container(),
            Vm | Machine => Capabilities::ALL,
        }
    }

    /// What `ConditionVirtualization=` gives for a value; `None` where that depends on more.
    pub fn is_virtual(self, value: &str) -> Option<bool> {
        let (container, vm) = match self {
            Container => (true, false),
            Vm => (false, true),
            Machine => (false, false),
            Rootless => return None,
        };
        match value {
            "yes" | "true" | "1" => Some(container || vm),
            "no" | "false" | "0" => Some(!container && !vm),
            "container" => Some(container),
            "vm" => Some(vm),
            _ => None,
        }
    }
}

impl Meant {
    /// Who asks what would not be honoured somewhere is warned; else it is worth a note.
    pub fn severity(self) -> Severity {
        match self.named {
            Named::Yes => Severity::Warning,
            Named::No => Severity::Note,
        }
    }
}
