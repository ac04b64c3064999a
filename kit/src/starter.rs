//! Who started us, and what they handed over: the environment, the parent and stdin, looked at once.

use crate::sys::process::session;
use std::ffi::OsString;
use std::fmt;
use std::fs;
use std::os::fd::BorrowedFd;
use std::os::linux::fs::MetadataExt;
use std::path::PathBuf;
use std::process;
use std::time::Duration;

/// Who started this process.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Starter {
    /// A service manager that speaks sd_notify(3) or hands over sockets: systemd, eudaemon and their like.
    Manager,
    /// A service manager of that kind that does neither here. It may wait for us to go into the background
    /// (`Type=forking`), or for anything but that: only `--daemon` on the command line tells.
    SilentManager,
    /// A supervisor that wants its child in the foreground, by the name of its process: `s6-supervise`, `runsv` …
    Supervisor(String),
    /// inetd and its like: stdin is the socket.
    Superserver,
    /// Nobody: we are the first process of a container or machine.
    Nobody,
    /// An init that starts us by itself, from its table, as the leader of a session.
    Init,
    /// A person at a terminal.
    Terminal,
    /// Another program: a script, cron, a package's scripts.
    Program,
}

/// Processes that watch over their child, and what goes into the background is lost to them.
const SUPERVISORS: &[&str] = &[
    "s6-supervise",
    "runsv",
    "supervise",
    // OpenRC's, as far as the kernel keeps names: 15 bytes.
    "supervise-daemo",
    "supervisord",
    "perpd",
    "dinit",
    "nitro",
    "circusd",
    "procd",
    "launchd",
    "tini",
    "docker-init",
    "dumb-init",
    "catatonit",
    "podman-init",
];

/// First processes that start others and are no daemon of their own; supervisors may be first as well.
const INITS: &[&str] = &[
    "systemd",
    "init",
    "eudaemon",
    "openrc-init",
    "runit",
    "s6-svscan",
    "s6-linux-init",
    "sinit",
    "finit",
    "shepherd",
];

/// Whether a first process of this name is an init.
pub(crate) fn is_init(name: &str) -> bool {
    INITS.contains(&name) || SUPERVISORS.contains(&name)
}

/// What the kernel calls a process: proc(5), `/proc/PID/comm`.
pub(crate) fn process_name(pid: u32) -> Option<String> {
    let line = fs::read_to_string(format!("/proc/{pid}/comm")).ok()?;
    Some(line.strip_suffix('\n').unwrap_or(&line).to_owned())
}

impl Starter {
    /// Looks who started this process. [`Life::starter`](crate::Life::starter) tells what was seen at the start.
    #[must_use]
    pub fn look() -> Starter {
        look().0
    }

    /// Whether it is to be obeyed when the command line says `--daemon`.
    #[must_use]
    pub fn lets_detach(&self) -> bool {
        match self {
            Starter::SilentManager | Starter::Terminal | Starter::Program => true,
            Starter::Manager
            | Starter::Supervisor(_)
            | Starter::Superserver
            | Starter::Nobody
            | Starter::Init => false,
        }
    }

    /// Whether it keeps the list of what runs, so that a pid file would say the same thing twice.
    #[must_use]
    pub fn keeps_count(&self) -> bool {
        match self {
            Starter::Manager | Starter::Supervisor(_) | Starter::Superserver | Starter::Nobody => true,
            Starter::SilentManager | Starter::Init | Starter::Terminal | Starter::Program => false,
        }
    }
}

/// One word for each; a supervisor's own name follows it.
impl fmt::Display for Starter {
    fn fmt(&self, f: &mut fmt::Formatter) -> fmt::Result {
        match self {
            Starter::Manager => f.write_str("manager"),
            Starter::SilentManager => f.write_str("silent manager"),
            Starter::Supervisor(name) => write!(f, "supervisor {name}"),
            Starter::Superserver => f.write_str("superserver"),
            Starter::Nobody => f.write_str("nobody"),
            Starter::Init => f.write_str("init"),
            Starter::Terminal => f.write_str("terminal"),
            Starter::Program => f.write_str("program"),
        }
    }
}

/// Who started us, and with what.
pub(crate) fn look() -> (Starter, Handed) {
    let place = Place::look();
    let handed = Handed::read(place.pid, |name| std::env::var_os(name));
    (starter(&handed, &place), handed)
}

/// What the environment said when the process began.
#[derive(Clone, Debug, Default)]
pub(crate) struct Handed {
    /// `NOTIFY_SOCKET=`
    pub(crate) notify_socket: Option<OsString>,
    /// `WATCHDOG_USEC=`, if it is meant for us.
    pub(crate) watchdog: Option<Duration>,
    /// `LISTEN_FDS=` and `LISTEN_FDNAMES=`, if they are meant for us.
    pub(crate) listen: Option<(OsString, Option<OsString>)>,
    /// `NOTIFY_FD=`: where a newline says that we are ready.
    pub(crate) notify_fd: Option<OsString>,
    /// `INVOCATION_ID=`
    pub(crate) invocation: Option<String>,
    /// `JOURNAL_STREAM=`: device and inode of the journal's stream.
    pub(crate) journal_stream: Option<String>,
    /// `SYSLOG_IDENTIFIER=`: whose lines a reader of stderr takes them for, without our saying so.
    pub(crate) syslog_identifier: Option<String>,
    /// `CREDENTIALS_DIRECTORY=`
    pub(crate) credentials: Option<PathBuf>,
    /// `CONSUL_HTTP_ADDR=`
    #[cfg(feature = "consul")]
    pub(crate) consul_address: Option<String>,
    /// `CONSUL_HTTP_TOKEN=`
    #[cfg(feature = "consul")]
    pub(crate) consul_token: Option<Secret>,
    /// `CONSUL_HTTP_TOKEN_FILE=`
    #[cfg(feature = "consul")]
    pub(crate) consul_token_file: Option<PathBuf>,
    /// `DBUS_SYSTEM_BUS_ADDRESS=`
    #[cfg(feature = "avahi")]
    pub(crate) system_bus: Option<String>,
    /// `SYSTEMD_EXEC_PID=` names us.
    pub(crate) by_manager: bool,
}

/// What is never shown.
#[cfg(feature = "consul")]
#[derive(Clone)]
pub(crate) struct Secret(String);

#[cfg(feature = "consul")]
impl Secret {
    pub(crate) fn new(text: impl Into<String>) -> Secret {
        Secret(text.into())
    }

    pub(crate) fn reveal(&self) -> &str {
        &self.0
    }
}

#[cfg(feature = "consul")]
impl std::fmt::Debug for Secret {
    fn fmt(&self, f: &mut std::fmt::Formatter) -> std::fmt::Result {
        f.write_str("Secret")
    }
}

/// The variables that are meant for this process alone; its children should not see them.
pub(crate) const OURS: [&str; 11] = [
    "NOTIFY_SOCKET",
    "WATCHDOG_USEC",
    "WATCHDOG_PID",
    "LISTEN_PID",
    "LISTEN_FDS",
    "LISTEN_FDNAMES",
    "LISTEN_PIDFDID",
    "NOTIFY_FD",
    "SYSLOG_IDENTIFIER",
    "CONSUL_HTTP_TOKEN",
    "CONSUL_HTTP_TOKEN_FILE",
];

impl Handed {
    /// Reads variables, which `get` gives, for the process of this number.
    pub(crate) fn read(pid: u32, get: impl Fn(&str) -> Option<OsString>) -> Handed {
        let text = |name| get(name)?.into_string().ok().filter(|value| !value.is_empty());
        let filled = |name| get(name).filter(|value| !value.is_empty());
        let names_us = |name| text(name).is_some_and(|value| value.parse() == Ok(pid));
        let for_us = text("WATCHDOG_PID").is_none() || names_us("WATCHDOG_PID");
        Handed {
            notify_socket: filled("NOTIFY_SOCKET"),
            watchdog: text("WATCHDOG_USEC")
                .filter(|_| for_us)
                .and_then(|value| value.parse().ok())
                .filter(|time| *time > 0 && *time < u64::MAX)
                .map(Duration::from_micros),
            listen: filled("LISTEN_FDS")
                .filter(|_| names_us("LISTEN_PID"))
                .map(|fds| (fds, get("LISTEN_FDNAMES"))),
            notify_fd: filled("NOTIFY_FD"),
            invocation: text("INVOCATION_ID"),
            journal_stream: text("JOURNAL_STREAM"),
            syslog_identifier: text("SYSLOG_IDENTIFIER"),
            credentials: filled("CREDENTIALS_DIRECTORY").map(PathBuf::from),
            #[cfg(feature = "consul")]
            consul_address: text("CONSUL_HTTP_ADDR"),
            #[cfg(feature = "consul")]
            consul_token: text("CONSUL_HTTP_TOKEN").map(Secret::new),
            #[cfg(feature = "consul")]
            consul_token_file: filled("CONSUL_HTTP_TOKEN_FILE").map(PathBuf::from),
            #[cfg(feature = "avahi")]
            system_bus: text("DBUS_SYSTEM_BUS_ADDRESS"),
            by_manager: names_us("SYSTEMD_EXEC_PID"),
        }
    }
}

/// What the kernel knows of how we were started.
#[derive(Clone, Debug)]
pub(crate) struct Place {
    pub(crate) pid: u32,
    pub(crate) parent: u32,
    pub(crate) parent_name: String,
    pub(crate) leads_session: bool,
    pub(crate) stdin: Stdin,
    pub(crate) at_terminal: bool,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Stdin {
    /// A network socket, one that listens, or one that is stdout too: how inetd gives it.
    Service,
    Other,
}

impl Place {
    pub(crate) fn look() -> Place {
        let pid = process::id();
        let parent = rustix::process::getppid().map_or(0, |parent| parent.as_raw_nonzero().get() as u32);
        let parent_name = process_name(parent).unwrap_or_default();
        let standard = [rustix::stdio::stdin(), rustix::stdio::stdout(), rustix::stdio::stderr()];
        Place {
            pid,
            parent,
            parent_name,
            leads_session: session() == pid,
            stdin: stdin(),
            at_terminal: standard.iter().any(rustix::termios::isatty),
        }
    }
}

fn stdin() -> Stdin {
    use rustix::net::{AddressFamily, sockopt};
    let stdin: BorrowedFd = rustix::stdio::stdin();
    let Ok(family) = sockopt::socket_domain(stdin) else { return Stdin::Other };
    // Shells of today's tools have socket pairs for stdin: those are nobody's service.
    let network = family == AddressFamily::INET || family == AddressFamily::INET6;
    let listens = sockopt::socket_acceptconn(stdin) == Ok(true);
    let same = |number: u8| {
        fs::metadata(format!("/proc/self/fd/{number}")).map(|of| (of.st_dev(), of.st_ino())).ok()
    };
    let both = same(0).is_some() && same(0) == same(1);
    if network || listens || both { Stdin::Service } else { Stdin::Other }
}

/// Weighs both.
pub(crate) fn starter(handed: &Handed, place: &Place) -> Starter {
    if handed.notify_socket.is_some() || handed.listen.is_some() {
        return Starter::Manager;
    }
    if place.stdin == Stdin::Service {
        return Starter::Superserver;
    }
    if place.pid == 1 {
        return Starter::Nobody;
    }
    if SUPERVISORS.contains(&&*place.parent_name) || handed.notify_fd.is_some() {
        return Starter::Supervisor(place.parent_name.clone());
    }
    if handed.by_manager {
        return Starter::SilentManager;
    }
    if place.parent == 1 && place.leads_session {
        return Starter::Init;
    }
    if place.at_terminal { Starter::Terminal } else { Starter::Program }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Variables as `A=b C=d`, and how the place differs from a script's.
    fn check(variables: &str, change: impl Fn(&mut Place), wanted: Starter) {
        let mut place = Place {
            pid: 70,
            parent: 50,
            parent_name: "sh".to_owned(),
            leads_session: false,
            stdin: Stdin::Other,
            at_terminal: false,
        };
        change(&mut place);
        let get = |name: &str| {
            let pairs = variables.split_ascii_whitespace().filter_map(|pair| pair.split_once('='));
            pairs.into_iter().find(|(key, _)| *key == name).map(|(_, value)| OsString::from(value))
        };
        assert_eq!(starter(&Handed::read(place.pid, get), &place), wanted, "{variables} {place:?}");
    }

    #[test]
    fn starters() {
        let named = |name: &'static str| move |place: &mut Place| place.parent_name = name.to_owned();
        check("", |_| {}, Starter::Program);
        check("", |place| place.at_terminal = true, Starter::Terminal);
        check("NOTIFY_SOCKET=/run/n", |_| {}, Starter::Manager);
        check("NOTIFY_SOCKET=", |_| {}, Starter::Program);
        check("LISTEN_PID=70 LISTEN_FDS=1", |_| {}, Starter::Manager);
        // Meant for somebody else, who started us.
        check("LISTEN_PID=71 LISTEN_FDS=1 SYSTEMD_EXEC_PID=71", |_| {}, Starter::Program);
        check("SYSTEMD_EXEC_PID=70 INVOCATION_ID=a", |_| {}, Starter::SilentManager);
        check("INVOCATION_ID=a", |place| place.at_terminal = true, Starter::Terminal);
        check("", named("runsv"), Starter::Supervisor("runsv".to_owned()));
        check("NOTIFY_FD=3", named("x"), Starter::Supervisor("x".to_owned()));
        check("", |place| place.stdin = Stdin::Service, Starter::Superserver);
        check("", |place| place.pid = 1, Starter::Nobody);
        // A shell may be a container's first process: what it starts does not lead a session.
        check("", |place| place.parent = 1, Starter::Program);
        check(
            "",
            |place| {
                place.parent = 1;
                place.leads_session = true;
            },
            Starter::Init,
        );
    }

    #[test]
    fn a_watchdog_for_somebody_else_is_not_ours() {
        let watchdog = |variables: &'static [(&str, &str)]| {
            let get = |name: &str| {
                variables.iter().find(|(key, _)| *key == name).map(|(_, value)| OsString::from(value))
            };
            Handed::read(70, get).watchdog
        };
        assert_eq!(watchdog(&[("WATCHDOG_USEC", "2000000")]), Some(Duration::from_secs(2)));
        assert_eq!(
            watchdog(&[("WATCHDOG_USEC", "5"), ("WATCHDOG_PID", "70")]),
            Some(Duration::from_micros(5))
        );
        assert_eq!(watchdog(&[("WATCHDOG_USEC", "5"), ("WATCHDOG_PID", "71")]), None);
        assert_eq!(watchdog(&[("WATCHDOG_USEC", "0")]), None);
        assert_eq!(watchdog(&[("WATCHDOG_USEC", "x")]), None);
    }
}
