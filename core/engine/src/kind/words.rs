//! Numbers of the kernel and of systemd.exec(5) in words, for the log.

use crate::api::{ExitStatus, Trouble};
use eudaemon_unit::span::Span;
use eudaemon_unit::values::exit_status::exit_status_name;
use eudaemon_unit::values::signal::signal_name;
use eudaemon_unit::values::timespan::format_timespan;

/// How a process ended.
pub(super) fn ending(status: ExitStatus) -> String {
    match status {
        ExitStatus::Code(code) => match exit_status_name(code) {
            Some(name) => format!("exited with code {code} ({name})"),
            None => format!("exited with code {code}"),
        },
        ExitStatus::Signal(signal) => format!("was killed by SIG{}", signal_name(signal)),
        ExitStatus::Dumped(signal) => format!("was killed by SIG{} and dumped core", signal_name(signal)),
        ExitStatus::Unknown => "is gone, nobody knows how".to_owned(),
    }
}

/// What a step that failed was about: systemd.exec(5), "Process Exit Codes".
pub(super) fn step(code: u8) -> String {
    exit_status_name(code).map_or_else(|| code.to_string(), str::to_owned)
}

/// Why a program was not started.
pub(super) fn unborn(program: Option<&str>, what: &Trouble) -> String {
    format!("cannot start {}: {}", program.unwrap_or("a command"), trouble(what))
}

/// An error with the step it came from, as far as they are known.
pub(crate) fn trouble(Trouble { errno: number, step }: &Trouble) -> String {
    match (step.as_str(), *number) {
        ("", number) => errno(number),
        (step, 0) => step.to_owned(),
        (step, number) => format!("{step}: {}", errno(number)),
    }
}

/// `what` went on for longer than a directive allows.
pub(super) fn limit(what: &str, key: &str, limit: Span) -> String {
    format!("{what} took longer than {key}={}", format_timespan(limit))
}

/// What the kernel said, for the errors that preparing a process meets.
pub(super) fn errno(errno: i32) -> String {
    let words = match errno {
        1 => "operation not permitted",
        2 => "no such file or directory",
        5 => "input/output error",
        7 => "argument list too long",
        8 => "exec format error",
        11 => "resource temporarily unavailable",
        12 => "out of memory",
        13 => "permission denied",
        16 => "device or resource busy",
        17 => "file exists",
        20 => "not a directory",
        21 => "is a directory",
        22 => "invalid argument",
        24 => "too many open files",
        26 => "text file busy",
        28 => "no space left on device",
        30 => "read-only file system",
        38 => "function not implemented",
        40 => "too many levels of symbolic links",
        95 => "operation not supported",
        98 => "address already in use",
        99 => "address not available",
        other => return format!("error {other}"),
    };
    words.to_owned()
}
