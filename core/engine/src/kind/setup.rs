//! What a step before exec failed at, in the words of the unit file.

use super::words;
use crate::api::Trouble;
use eudaemon_unit::config::exec::{Exec, Place, Stdio};

/// The step that failed with this code, and at what.
pub(super) fn trouble(code: u8, errno: i32, exec: Option<&Exec>) -> Trouble {
    let what =
        exec.and_then(|exec| place(code, exec)).unwrap_or_else(|| format!("step {}", words::step(code)));
    match exec.and_then(|exec| nobody(code, errno, exec)) {
        Some(nobody) => Trouble { errno: 0, step: format!("{what}: {nobody}") },
        None => Trouble { errno, step: what },
    }
}

/// The directive whose path a step failed at.
fn place(code: u8, exec: &Exec) -> Option<String> {
    const CHDIR: u8 = 200;
    const STDIN: u8 = 208;
    const STDOUT: u8 = 209;
    const STDERR: u8 = 210;
    let stream = |key: &str, stream: &Stdio| match stream {
        Stdio::Tty | Stdio::TtyForce | Stdio::TtyFail => {
            Some(format!("TTYPath={}", exec.tty_path.as_deref().unwrap_or("/dev/console")))
        }
        Stdio::File(path) => Some(format!("{key}=file:{path}")),
        Stdio::Append(path) => Some(format!("{key}=append:{path}")),
        Stdio::Truncate(path) => Some(format!("{key}=truncate:{path}")),
        Stdio::Inherit
        | Stdio::Null
        | Stdio::Journal
        | Stdio::JournalConsole
        | Stdio::Kmsg
        | Stdio::KmsgConsole
        | Stdio::Socket
        | Stdio::NamedFd(_)
        | Stdio::Text => None,
    };
    match (code, &exec.working_directory.place) {
        (CHDIR, Place::Path(path)) => Some(format!("WorkingDirectory={path}")),
        (STDIN, _) => stream("StandardInput", &exec.standard_input),
        (STDOUT, _) => stream("StandardOutput", &exec.standard_output),
        (STDERR, _) => stream("StandardError", &exec.standard_error),
        _ => None,
    }
}

/// Who is not there, where an account was looked for and not found.
fn nobody(code: u8, errno: i32, exec: &Exec) -> Option<String> {
    const GROUP: u8 = 216;
    const USER: u8 = 217;
    const NOT_FOUND: i32 = 3;
    const HALF_THERE: i32 = 84;
    let groups: Vec<&str> = exec.group.iter().chain(&exec.supplementary_groups).map(String::as_str).collect();
    match (code, errno, groups.as_slice()) {
        (USER, NOT_FOUND, _) => Some(format!("no user named {}", exec.user.as_ref()?)),
        (USER, HALF_THERE, _) if exec.dynamic_user => Some(
            "DynamicUser= makes no user whose name a group has, and no group whose name a user has"
                .to_owned(),
        ),
        (GROUP, NOT_FOUND, [group]) => Some(format!("no group named {group}")),
        (GROUP, NOT_FOUND, [_, ..]) => Some(format!("one of these groups is missing: {}", groups.join(", "))),
        _ => None,
    }
}
