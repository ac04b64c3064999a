//! What the manager says: to the terminal or the container's log, and to the journal, where `systemctl status`
//! finds it beside the unit's own lines.

use eudaemon_engine::api::InvocationId;
use eudaemon_host::place::{Place, Role, Scope};
use eudaemon_unit::directives::LEVELS;
use eudaemon_unit::name::UnitName;
use rustix::net::{
    AddressFamily, SendAncillaryBuffer, SendAncillaryMessage, SendFlags, SocketAddrUnix, SocketFlags,
    SocketType, UCred,
};
use rustix::process::Pid;
use std::io::{IsTerminal, Write};
use std::os::fd::OwnedFd;
use std::path::PathBuf;

/// syslog(3) levels we speak on.
pub const ERROR: u8 = 3;
pub const WARNING: u8 = 4;
pub const NOTICE: u8 = 5;
pub const INFO: u8 = 6;
pub const DEBUG: u8 = 7;

/// The number of a level's word; the number itself is one too.
pub fn level(word: &str) -> Option<u8> {
    let given = word.parse::<usize>().ok().filter(|number| *number < LEVELS.len());
    given.or_else(|| LEVELS.iter().position(|known| *known == word)).map(|at| at as u8)
}

/// The word of a level's number.
pub fn level_word(level: u8) -> &'static str {
    LEVELS.get(usize::from(level)).copied().unwrap_or("debug")
}

#[derive(Debug)]
pub struct Lines {
    scope: Scope,
    role: Role,
    /// The journal's native socket.
    journal: PathBuf,
    socket: Option<OwnedFd>,
    colour: bool,
    /// Somebody sat before it when we began; a terminal that was closed is none any more.
    pub on_terminal: bool,
    /// As wide as the names before services' lines, where those are shown beside ours.
    pub column: Option<usize>,
    /// Lines less important than this are not shown (they still go to the journal).
    pub shown: u8,
}

impl Lines {
    pub fn new(place: &Place) -> Lines {
        let flags = SocketFlags::CLOEXEC | SocketFlags::NONBLOCK;
        let socket = rustix::net::socket_with(AddressFamily::UNIX, SocketType::DGRAM, flags, None).ok();
        let on_terminal = std::io::stderr().is_terminal();
        let colour = on_terminal && std::env::var_os("NO_COLOR").is_none();
        Lines {
            scope: place.scope,
            role: place.role,
            journal: place.published.join("journal/socket"),
            socket,
            colour,
            on_terminal,
            column: None,
            shown: INFO,
        }
    }

    /// One line, about a unit or about all.
    pub fn say(&self, unit: Option<&UnitName>, invocation: Option<InvocationId>, level: u8, text: &str) {
        self.show(unit, level, text);
        self.record(unit, invocation, level, text);
    }

    /// One line that nobody in front of a terminal need read.
    pub fn say_aside(
        &self,
        unit: Option<&UnitName>,
        invocation: Option<InvocationId>,
        level: u8,
        text: &str,
    ) {
        self.record(unit, invocation, level, text);
    }

    fn show(&self, unit: Option<&UnitName>, level: u8, text: &str) {
        if level > self.shown {
            return;
        }
        let (before, after) = match level {
            0..=ERROR if self.colour => ("\x1b[1;31m", "\x1b[0m"),
            WARNING if self.colour => ("\x1b[1;33m", "\x1b[0m"),
            _ => ("", ""),
        };
        let own = match self.column {
            Some(column) => format!("{:column$} |", "eudaemon"),
            None => "eudaemon:".to_owned(),
        };
        // A text that names its unit need not be introduced by it.
        let line = match unit.filter(|unit| !text.contains(unit.as_str())) {
            Some(unit) => format!("{before}{own} {unit}: {text}{after}\n"),
            None => format!("{before}{own} {text}{after}\n"),
        };
        // Nobody is left to be told when our own log is gone.
        drop(std::io::stderr().write_all(line.as_bytes()));
    }

    /// Native journal protocol; without a journal the line above is all there is.
    fn record(&self, unit: Option<&UnitName>, invocation: Option<InvocationId>, level: u8, text: &str) {
        let (Some(socket), Ok(address)) = (&self.socket, SocketAddrUnix::new(&self.journal)) else { return };
        let (unit_field, invocation_field) = match self.scope {
            Scope::System => ("UNIT", "INVOCATION_ID"),
            Scope::User => ("USER_UNIT", "USER_INVOCATION_ID"),
        };
        let mut message = format!("PRIORITY={level}\nSYSLOG_FACILITY=3\nSYSLOG_IDENTIFIER=systemd\n");
        if let Some(unit) = unit {
            message.push_str(&format!("{unit_field}={unit}\n"));
            // Where we cannot speak in PID 1's name `journalctl -u` believes us as root that speaks of another's unit.
            if self.scope == Scope::System {
                message.push_str(&format!("OBJECT_SYSTEMD_UNIT={unit}\n"));
            }
        }
        if let Some(InvocationId(id)) = invocation {
            let id: String = id.iter().map(|byte| format!("{byte:02x}")).collect();
            message.push_str(&format!("{invocation_field}={id}\n"));
        }
        message.push_str(&format!("MESSAGE={}\n", text.replace('\n', " ")));
        // journalctl -u takes a unit's messages from PID 1 alone: where init is PID 1 we speak in its name.
        let flags = SendFlags::DONTWAIT | SendFlags::NOSIGNAL;
        if self.role != Role::First
            || speak_as_first(socket, message.as_bytes(), &address) == Err(rustix::io::Errno::PERM)
        {
            rustix::net::sendto(socket, message.as_bytes(), flags, &address).ok();
        }
    }
}

fn speak_as_first(
    socket: &OwnedFd,
    message: &[u8],
    address: &SocketAddrUnix,
) -> Result<usize, rustix::io::Errno> {
    let (uid, gid) = (rustix::process::getuid(), rustix::process::getgid());
    let credentials = UCred { pid: Pid::INIT, uid, gid };
    let mut space = [std::mem::MaybeUninit::uninit(); rustix::cmsg_space!(ScmCredentials(1))];
    let mut ancillary = SendAncillaryBuffer::new(&mut space);
    ancillary.push(SendAncillaryMessage::ScmCredentials(credentials));
    let flags = SendFlags::DONTWAIT | SendFlags::NOSIGNAL;
    let parts = [std::io::IoSlice::new(message)];
    rustix::net::sendmsg_addr(socket, address, &parts, &mut ancillary, flags)
}
