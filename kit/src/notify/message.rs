//! What a service tells its manager, sd_notify(3): assignments, one a line, in both directions.
//!
//! One list serves the service, which prints it, and the manager, which reads it: what one side can say, the other
//! understands.

use std::fmt;

/// One assignment of a message.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum State {
    /// `READY=1`: start-up, or a reload, is finished.
    Ready,
    /// `RELOADING=1`: the configuration is being read again; goes with [`State::MonotonicUsec`], ends with [`State::Ready`].
    Reloading,
    /// `STOPPING=1`: the service is on its way down.
    Stopping,
    /// `MONOTONIC_USEC=`: when this was written, in microseconds of `CLOCK_MONOTONIC`.
    MonotonicUsec(u64),
    /// `STATUS=`: one line for people.
    Status(String),
    /// `ERRNO=`: why the service fails, as errno(3).
    Errno(i32),
    /// `BUSERROR=`: why the service fails, as the name of a D-Bus error.
    BusError(String),
    /// `VARLINKERROR=`: why the service fails, as the name of a Varlink error.
    VarlinkError(String),
    /// `EXIT_STATUS=`: what the service is about to exit with.
    ExitStatus(u8),
    /// `MAINPID=`: the main process from now on.
    MainPid(u32),
    /// `MAINPIDFDID=`: the inode number of that process's pidfd, which tells it from a later one of the same number.
    MainPidFdId(u64),
    /// `MAINPIDFD=1`: the one descriptor sent along is a pidfd of the main process.
    MainPidFd,
    /// `WATCHDOG=1`: alive.
    Watchdog,
    /// `WATCHDOG=trigger`: treat me as one that missed its time.
    WatchdogTrigger,
    /// `WATCHDOG_USEC=`: the watchdog's time from now on, in microseconds; 0 turns it off.
    WatchdogUsec(u64),
    /// `EXTEND_TIMEOUT_USEC=`: the present step takes so much longer, in microseconds from now.
    ExtendTimeoutUsec(u64),
    /// `FDSTORE=1`: keep the descriptors sent along, over restarts.
    FdStore,
    /// `FDSTOREREMOVE=1`: forget the stored descriptors of the name that goes with it.
    FdStoreRemove,
    /// `FDNAME=`: the name of the descriptors that this message is about.
    FdName(String),
    /// `FDPOLL=0`: keep a stored descriptor even when its other end is closed.
    FdPollOff,
    /// `BARRIER=1`: close the one descriptor sent along when all before it is dealt with. Alone in its message.
    Barrier,
    /// `NOTIFYACCESS=`: who may send from now on.
    NotifyAccess(Access),
    /// `RESTART_RESET=1`: count restarts from the beginning again.
    RestartReset,
    /// Another assignment: one of the service's own (`X_…=`), or one that this version does not know, or a known one
    /// with a value that it cannot have.
    Other {
        /// What stands before the first `=`.
        key: String,
        /// What stands after it.
        value: String,
    },
}

/// Who of a service may send: systemd.service(5), `NotifyAccess=`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Access {
    /// Nobody.
    None,
    /// The main process.
    Main,
    /// The main process and the commands of the unit.
    Exec,
    /// Every process of the service.
    All,
}

impl Access {
    const WORDS: [(Access, &'static str); 4] =
        [(Access::None, "none"), (Access::Main, "main"), (Access::Exec, "exec"), (Access::All, "all")];

    fn word(self) -> &'static str {
        match self {
            Access::None => "none",
            Access::Main => "main",
            Access::Exec => "exec",
            Access::All => "all",
        }
    }
}

impl State {
    /// An assignment of the service's own. Its key should begin with `X_`.
    pub fn other(key: impl Into<String>, value: impl Into<String>) -> State {
        State::Other { key: key.into(), value: value.into() }
    }

    /// What stands before the first `=`.
    #[must_use]
    pub fn key(&self) -> &str {
        match self {
            State::Ready => "READY",
            State::Reloading => "RELOADING",
            State::Stopping => "STOPPING",
            State::MonotonicUsec(_) => "MONOTONIC_USEC",
            State::Status(_) => "STATUS",
            State::Errno(_) => "ERRNO",
            State::BusError(_) => "BUSERROR",
            State::VarlinkError(_) => "VARLINKERROR",
            State::ExitStatus(_) => "EXIT_STATUS",
            State::MainPid(_) => "MAINPID",
            State::MainPidFdId(_) => "MAINPIDFDID",
            State::MainPidFd => "MAINPIDFD",
            State::Watchdog | State::WatchdogTrigger => "WATCHDOG",
            State::WatchdogUsec(_) => "WATCHDOG_USEC",
            State::ExtendTimeoutUsec(_) => "EXTEND_TIMEOUT_USEC",
            State::FdStore => "FDSTORE",
            State::FdStoreRemove => "FDSTOREREMOVE",
            State::FdName(_) => "FDNAME",
            State::FdPollOff => "FDPOLL",
            State::Barrier => "BARRIER",
            State::NotifyAccess(_) => "NOTIFYACCESS",
            State::RestartReset => "RESTART_RESET",
            State::Other { key, .. } => key,
        }
    }

    /// Reads one line, without its newline; a line that assigns nothing is nothing.
    fn read(line: &str) -> Option<State> {
        let (key, value) = line.split_once('=')?;
        let text = || value.to_owned();
        let known = match key {
            "READY" => flag(value, State::Ready),
            "RELOADING" => flag(value, State::Reloading),
            "STOPPING" => flag(value, State::Stopping),
            "MONOTONIC_USEC" => value.parse().ok().map(State::MonotonicUsec),
            "STATUS" => Some(State::Status(text())),
            "ERRNO" => value.parse().ok().map(State::Errno),
            "BUSERROR" => Some(State::BusError(text())),
            "VARLINKERROR" => Some(State::VarlinkError(text())),
            "EXIT_STATUS" => value.parse().ok().map(State::ExitStatus),
            "MAINPID" => value.parse().ok().map(State::MainPid),
            "MAINPIDFDID" => value.parse().ok().map(State::MainPidFdId),
            "MAINPIDFD" => flag(value, State::MainPidFd),
            "WATCHDOG" if value == "trigger" => Some(State::WatchdogTrigger),
            "WATCHDOG" => flag(value, State::Watchdog),
            "WATCHDOG_USEC" => value.parse().ok().map(State::WatchdogUsec),
            "EXTEND_TIMEOUT_USEC" => value.parse().ok().map(State::ExtendTimeoutUsec),
            "FDSTORE" => flag(value, State::FdStore),
            "FDSTOREREMOVE" => flag(value, State::FdStoreRemove),
            "FDNAME" => Some(State::FdName(text())),
            "FDPOLL" => (value == "0").then_some(State::FdPollOff),
            "BARRIER" => flag(value, State::Barrier),
            "NOTIFYACCESS" => Access::WORDS
                .iter()
                .find(|(_, word)| *word == value)
                .map(|(access, _)| State::NotifyAccess(*access)),
            "RESTART_RESET" => flag(value, State::RestartReset),
            _ => None,
        };
        Some(known.unwrap_or_else(|| State::other(key, value)))
    }
}

fn flag(value: &str, state: State) -> Option<State> {
    (value == "1").then_some(state)
}

impl fmt::Display for State {
    fn fmt(&self, f: &mut fmt::Formatter) -> fmt::Result {
        write!(f, "{}=", OneLine(self.key()))?;
        match self {
            State::Ready
            | State::Reloading
            | State::Stopping
            | State::MainPidFd
            | State::Watchdog
            | State::FdStore
            | State::FdStoreRemove
            | State::Barrier
            | State::RestartReset => f.write_str("1"),
            State::FdPollOff => f.write_str("0"),
            State::WatchdogTrigger => f.write_str("trigger"),
            State::MonotonicUsec(number)
            | State::MainPidFdId(number)
            | State::WatchdogUsec(number)
            | State::ExtendTimeoutUsec(number) => write!(f, "{number}"),
            State::Errno(number) => write!(f, "{number}"),
            State::ExitStatus(status) => write!(f, "{status}"),
            State::MainPid(pid) => write!(f, "{pid}"),
            State::NotifyAccess(access) => f.write_str(access.word()),
            State::Status(text)
            | State::BusError(text)
            | State::VarlinkError(text)
            | State::FdName(text)
            | State::Other { value: text, .. } => write!(f, "{}", OneLine(text)),
        }
    }
}

/// Text as it can stand in a message: a newline would begin another assignment.
struct OneLine<'a>(&'a str);

impl fmt::Display for OneLine<'_> {
    fn fmt(&self, f: &mut fmt::Formatter) -> fmt::Result {
        for (number, line) in self.0.split(['\n', '\0']).enumerate() {
            if number > 0 {
                f.write_str(" ")?;
            }
            f.write_str(line)?;
        }
        Ok(())
    }
}

/// The bytes of a message.
pub fn print(states: &[State]) -> Vec<u8> {
    let lines: Vec<String> = states.iter().map(State::to_string).collect();
    lines.join("\n").into_bytes()
}

/// Reads a message as it came in a datagram. What assigns nothing is left out; bytes that are no UTF-8 become
/// replacement characters.
pub fn parse(text: &[u8]) -> Vec<State> {
    String::from_utf8_lossy(text).split('\n').filter_map(State::read).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use expect_test::{Expect, expect};

    fn check(text: &str, wanted: Expect) {
        wanted.assert_eq(
            &parse(text.as_bytes()).iter().map(|state| format!("{state:?}\n")).collect::<String>(),
        );
    }

    /// All that can be said, once.
    fn every_state() -> Vec<State> {
        let mut all = vec![
            State::Ready,
            State::Reloading,
            State::Stopping,
            State::MonotonicUsec(12),
            State::Status("serving".to_owned()),
            State::Errno(2),
            State::BusError("org.example.Full".to_owned()),
            State::VarlinkError("org.example.Full".to_owned()),
            State::ExitStatus(3),
            State::MainPid(77),
            State::MainPidFdId(5000),
            State::MainPidFd,
            State::Watchdog,
            State::WatchdogTrigger,
            State::WatchdogUsec(0),
            State::ExtendTimeoutUsec(u64::MAX),
            State::FdStore,
            State::FdStoreRemove,
            State::FdName("http".to_owned()),
            State::FdPollOff,
            State::Barrier,
            State::RestartReset,
            State::other("X_OWN", "a=b"),
        ];
        all.extend(Access::WORDS.map(|(access, _)| State::NotifyAccess(access)));
        all
    }

    #[test]
    fn what_is_said_is_understood() {
        assert_eq!(parse(&print(&every_state())), every_state());
        for (access, word) in Access::WORDS {
            assert_eq!(access.word(), word);
        }
    }

    #[test]
    fn a_value_that_cannot_be_says_nothing_known() {
        check(
            "READY=0\nMAINPID=-1\nERRNO=\nWATCHDOG=2\nFDPOLL=1\nNOTIFYACCESS=any\nEXIT_STATUS=256\nnothing\n\n=x",
            expect![[r#"
                Other { key: "READY", value: "0" }
                Other { key: "MAINPID", value: "-1" }
                Other { key: "ERRNO", value: "" }
                Other { key: "WATCHDOG", value: "2" }
                Other { key: "FDPOLL", value: "1" }
                Other { key: "NOTIFYACCESS", value: "any" }
                Other { key: "EXIT_STATUS", value: "256" }
                Other { key: "", value: "x" }
            "#]],
        );
    }

    #[test]
    fn text_stays_on_its_line() {
        let forged = State::Status("one\nMAINPID=1\0two".to_owned());
        assert_eq!(print(&[forged, State::Ready]), b"STATUS=one MAINPID=1 two\nREADY=1");
    }
}
