//! The description of a daemon, and its start.

use crate::error::{failed, keep, misused};
use crate::life::eudaemon_life;
use crate::pointer::{text, texts};
use eudaemon_kit::{CapabilitySet, Daemon, FdNumber, Ground, Mode, Privileges, Socket, resource_of_number};
use libc::{c_char, c_int, size_t};
use std::os::fd::AsRawFd;
use std::path::Path;
use std::ptr::null_mut;
use std::time::Duration;

/// The daemon stays where it was started.
pub const EUDAEMON_FOREGROUND: c_int = 1;
/// The daemon detaches; the process that was started waits until it is ready.
pub const EUDAEMON_BACKGROUND: c_int = 2;

/// A listening TCP socket, at `HOST:PORT`, `ADDRESS:PORT` or `[ADDRESS]:PORT`.
pub const EUDAEMON_TCP: c_int = 1;
/// A UDP socket, at such an address.
pub const EUDAEMON_UDP: c_int = 2;
/// A listening Unix stream socket, at a path.
pub const EUDAEMON_UNIX: c_int = 3;
/// A Unix datagram socket, at a path.
pub const EUDAEMON_UNIX_DATAGRAM: c_int = 4;

/// A daemon's description.
///
/// The `eudaemon_set_…` never fail by themselves: the first thing that is wrong in the description is an error of
/// `eudaemon_start`. NULL for a description is ignored.
pub struct eudaemon {
    name: String,
    daemon: Option<Daemon>,
    privileges: Privileges,
    /// The first that was wrong.
    wrong: Option<String>,
}

impl eudaemon {
    /// The daemon with all that was said of it, or what is wrong.
    pub(crate) fn whole(&mut self) -> Result<&Daemon, String> {
        let rights = self.privileges.clone();
        self.change(|daemon| Ok(daemon.privileges(rights)));
        match (&self.wrong, &self.daemon) {
            (Some(wrong), _) => Err(wrong.clone()),
            (None, Some(daemon)) => Ok(daemon),
            (None, None) => Err("the description cannot be used any more".to_owned()),
        }
    }

    pub(crate) fn name(&self) -> &str {
        &self.name
    }

    pub(crate) fn change(&mut self, change: impl FnOnce(Daemon) -> Result<Daemon, String>) {
        let Some(daemon) = self.daemon.take() else { return };
        match change(daemon) {
            Ok(daemon) => self.daemon = Some(daemon),
            Err(reason) => {
                self.wrong.get_or_insert(reason);
            }
        }
    }

    fn limit_rights(&mut self, change: impl FnOnce(Privileges) -> Result<Privileges, String>) {
        match change(std::mem::take(&mut self.privileges)) {
            Ok(privileges) => self.privileges = privileges,
            Err(reason) => {
                self.wrong.get_or_insert(reason);
            }
        }
    }
}

/// The description at a pointer.
unsafe fn with(at: *mut eudaemon, change: impl FnOnce(&mut eudaemon)) {
    if let Some(description) = unsafe { at.as_mut() } {
        change(description);
    }
}

/// Describes a daemon of this name, which stands before its lines. It ends by `eudaemon_start` or `eudaemon_free`.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn eudaemon_new(name: *const c_char) -> *mut eudaemon {
    let (name, wrong) = match unsafe { text("name", name) } {
        Ok(name) => (name, None),
        Err(reason) => ("daemon".to_owned(), Some(reason)),
    };
    let daemon = Some(Daemon::new(name.clone()));
    Box::into_raw(Box::new(eudaemon { name, daemon, privileges: Privileges::keep(), wrong }))
}

/// Forgets a description that is not started.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn eudaemon_free(daemon: *mut eudaemon) {
    if !daemon.is_null() {
        drop(unsafe { Box::from_raw(daemon) });
    }
}

/// Where it runs, `EUDAEMON_FOREGROUND` or `EUDAEMON_BACKGROUND`, instead of looking for `--daemon` among the program's
/// arguments. Under a supervisor it stays in the foreground whatever is said here.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn eudaemon_set_ground(daemon: *mut eudaemon, ground: c_int) {
    let change = |daemon: Daemon| match ground {
        EUDAEMON_FOREGROUND => Ok(daemon.ground(Ground::Foreground)),
        EUDAEMON_BACKGROUND => Ok(daemon.ground(Ground::Background)),
        other => Err(format!("ground {other}: expected EUDAEMON_FOREGROUND or EUDAEMON_BACKGROUND")),
    };
    unsafe { with(daemon, |description| description.change(change)) };
}

/// Has a pid file, locked for life and written when the daemon is ready; not under a manager that keeps count itself.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn eudaemon_set_pid_file(daemon: *mut eudaemon, path: *const c_char) {
    let change = |daemon: Daemon| Ok(daemon.pid_file(unsafe { text("pid file", path) }?));
    unsafe { with(daemon, |description| description.change(change)) };
}

/// Wants a socket of this kind (`EUDAEMON_TCP` and its kin), by a name, at an address: handed over by whoever started
/// the program, or bound before rights are given up. `eudaemon_take` takes it.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn eudaemon_set_socket(
    daemon: *mut eudaemon,
    kind: c_int,
    name: *const c_char,
    address: *const c_char,
) {
    let change = |daemon: Daemon| {
        let (name, address) =
            unsafe { (text("a socket's name", name)?, text("a socket's address", address)?) };
        Ok(daemon.socket(socket(kind, name, address)?))
    };
    unsafe { with(daemon, |description| description.change(change)) };
}

/// As `eudaemon_set_socket` with `EUDAEMON_UNIX` or `EUDAEMON_UNIX_DATAGRAM`, and who may connect: permission bits,
/// 0666 otherwise.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn eudaemon_set_unix_socket(
    daemon: *mut eudaemon,
    kind: c_int,
    name: *const c_char,
    path: *const c_char,
    mode: u32,
) {
    let change = |daemon: Daemon| {
        let (name, path) = unsafe { (text("a socket's name", name)?, text("a socket's path", path)?) };
        if ![EUDAEMON_UNIX, EUDAEMON_UNIX_DATAGRAM].contains(&kind) {
            return Err(format!(
                "socket {name}: expected EUDAEMON_UNIX or EUDAEMON_UNIX_DATAGRAM, not {kind}"
            ));
        }
        Ok(daemon.socket(socket(kind, name, path)?.mode(Mode::from_raw_mode(mode))))
    };
    unsafe { with(daemon, |description| description.change(change)) };
}

pub(crate) fn socket(kind: c_int, name: String, address: String) -> Result<Socket, String> {
    match kind {
        EUDAEMON_TCP => Ok(Socket::tcp(name, address)),
        EUDAEMON_UDP => Ok(Socket::udp(name, address)),
        EUDAEMON_UNIX => Ok(Socket::unix(name, address)),
        EUDAEMON_UNIX_DATAGRAM => Ok(Socket::unix_datagram(name, address)),
        other => Err(format!("socket {name}: {other} is no kind of socket, as EUDAEMON_TCP is")),
    }
}

/// Becomes this user, by name or number, with its group and groups, once sockets, pid file and log are open.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn eudaemon_set_user(daemon: *mut eudaemon, user: *const c_char) {
    let change = |rights: Privileges| Ok(rights.user(unsafe { text("user", user) }?));
    unsafe { with(daemon, |description| description.limit_rights(change)) };
}

/// Has this group, by name or number, instead of the user's.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn eudaemon_set_group(daemon: *mut eudaemon, group: *const c_char) {
    let change = |rights: Privileges| Ok(rights.group(unsafe { text("group", group) }?));
    unsafe { with(daemon, |description| description.limit_rights(change)) };
}

/// Has these supplementary groups instead of the user's.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn eudaemon_set_groups(
    daemon: *mut eudaemon,
    groups: *const *const c_char,
    count: size_t,
) {
    let change = |rights: Privileges| Ok(rights.groups(unsafe { texts("groups", groups, count) }?));
    unsafe { with(daemon, |description| description.limit_rights(change)) };
}

/// Sees this directory as `/`: chroot(2).
#[unsafe(no_mangle)]
pub unsafe extern "C" fn eudaemon_set_root_directory(daemon: *mut eudaemon, path: *const c_char) {
    let change = |rights: Privileges| Ok(rights.root_directory(unsafe { text("root directory", path) }?));
    unsafe { with(daemon, |description| description.limit_rights(change)) };
}

/// Keeps these capabilities over the change of user, and no others: bits by the numbers of linux/capability.h.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn eudaemon_set_capabilities(daemon: *mut eudaemon, kept: u64) {
    let change = |rights: Privileges| match CapabilitySet::from_bits(kept) {
        Some(kept) => Ok(rights.keep_capabilities(kept)),
        None => Err(format!("capabilities {kept:#x}: some are unknown")),
    };
    unsafe { with(daemon, |description| description.limit_rights(change)) };
}

/// Nothing that the daemon executes gains rights that the daemon has not: `PR_SET_NO_NEW_PRIVS` of prctl(2).
#[unsafe(no_mangle)]
pub unsafe extern "C" fn eudaemon_set_no_new_privileges(daemon: *mut eudaemon) {
    unsafe { with(daemon, |description| description.limit_rights(|rights| Ok(rights.no_new_privileges()))) };
}

/// Its working directory in the background, `/` otherwise.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn eudaemon_set_directory(daemon: *mut eudaemon, path: *const c_char) {
    let change = |daemon: Daemon| Ok(daemon.directory(unsafe { text("directory", path) }?));
    unsafe { with(daemon, |description| description.change(change)) };
}

/// What files that it makes in the background are without: permission bits, 022 otherwise.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn eudaemon_set_umask(daemon: *mut eudaemon, umask: u32) {
    unsafe {
        with(daemon, |description| description.change(|daemon| Ok(daemon.umask(Mode::from_raw_mode(umask)))))
    };
}

/// The file that stdout is appended to in the background, instead of going nowhere.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn eudaemon_set_stdout(daemon: *mut eudaemon, path: *const c_char) {
    let change = |daemon: Daemon| Ok(daemon.stdout(unsafe { text("stdout", path) }?));
    unsafe { with(daemon, |description| description.change(change)) };
}

/// The file that stderr is appended to in the background once the daemon is ready, instead of going nowhere.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn eudaemon_set_stderr(daemon: *mut eudaemon, path: *const c_char) {
    let change = |daemon: Daemon| Ok(daemon.stderr(unsafe { text("stderr", path) }?));
    unsafe { with(daemon, |description| description.change(change)) };
}

/// In the background, only these environment variables stay.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn eudaemon_set_only_variables(
    daemon: *mut eudaemon,
    names: *const *const c_char,
    count: size_t,
) {
    let change = |daemon: Daemon| Ok(daemon.only_variables(unsafe { texts("variables", names, count) }?));
    unsafe { with(daemon, |description| description.change(change)) };
}

/// Sets a resource limit, soft and hard: a `RLIMIT_…` of sys/resource.h, and what setrlimit(2) takes.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn eudaemon_set_limit(daemon: *mut eudaemon, resource: c_int, to: u64) {
    let change = |daemon: Daemon| match u32::try_from(resource).ok().and_then(resource_of_number) {
        Some(resource) => Ok(daemon.limit(resource, to)),
        None => Err(format!("limit {resource}: no such resource")),
    };
    unsafe { with(daemon, |description| description.change(change)) };
}

/// Keeps a descriptor open in the background that came from whoever started the program, or that a library opened without
/// `O_CLOEXEC`; all others of that kind are closed there.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn eudaemon_set_keep(daemon: *mut eudaemon, fd: c_int) {
    let change = |daemon: Daemon| Ok(daemon.keep(&crate::pointer::fd(fd)?.as_raw_fd()));
    unsafe { with(daemon, |description| description.change(change)) };
}

/// Writes a newline to this descriptor when ready, and closes it: s6's `notification-fd`.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn eudaemon_set_notification_fd(daemon: *mut eudaemon, fd: c_int) {
    unsafe {
        with(daemon, |description| description.change(|daemon| Ok(daemon.notification_fd(FdNumber(fd)))))
    };
}

/// How long a stop may take, in milliseconds, 30,000 otherwise; then it ends by force. Whole seconds count.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn eudaemon_set_stop_within(daemon: *mut eudaemon, milliseconds: u64) {
    let time = Duration::from_millis(milliseconds);
    unsafe { with(daemon, |description| description.change(|daemon| Ok(daemon.stop_within(time)))) };
}

/// How long the process in front waits for the daemon to be ready, in milliseconds, for ever otherwise. Then the daemon is
/// stopped again.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn eudaemon_set_ready_within(daemon: *mut eudaemon, milliseconds: u64) {
    let time = Duration::from_millis(milliseconds);
    unsafe { with(daemon, |description| description.change(|daemon| Ok(daemon.ready_within(time)))) };
}

/// Sets everything up and gives the running daemon. The description is gone afterwards, whatever comes of it.
///
/// In the background only the daemon returns from it: the process that was started waits inside, reports and exits.
/// NULL when something failed; whoever started the program has been told then, on the way that reaches them, and the
/// program has only to return `eudaemon_exit_code()`.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn eudaemon_start(daemon: *mut eudaemon) -> *mut eudaemon_life {
    if daemon.is_null() {
        misused("NULL where a description was expected");
        return null_mut();
    }
    let description = unsafe { Box::from_raw(daemon) };
    let Some(daemon) = description.daemon.filter(|_| description.wrong.is_none()) else {
        let wrong = eudaemon_kit::Error::Handed { reason: description.wrong.unwrap_or_default() };
        wrong.tell(&description.name);
        misused(&wrong.to_string());
        return null_mut();
    };
    match daemon.privileges(description.privileges).start() {
        Ok(life) => eudaemon_life::give(life),
        Err(error) => {
            error.tell(&description.name);
            failed(&error);
            null_mut()
        }
    }
}

/// Prints unit files for this daemon into a directory: `NAME.service`, and `NAME.socket` if it has sockets, hardened as
/// far as the description allows. `program` is the daemon's absolute path.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn eudaemon_write_units(
    daemon: *mut eudaemon,
    directory: *const c_char,
    description: *const c_char,
    program: *const c_char,
    arguments: *const *const c_char,
    count: size_t,
) -> c_int {
    let Some(of) = (unsafe { daemon.as_mut() }) else {
        return misused("NULL where a description was expected");
    };
    let words = unsafe {
        (
            text("directory", directory),
            text("description", description),
            text("program", program),
            texts("arguments", arguments, count),
        )
    };
    let (Ok(directory), Ok(description), Ok(program), Ok(arguments)) = words else {
        return misused("directory, description, program and arguments: expected text in UTF-8");
    };
    let daemon = match of.whole() {
        Ok(daemon) => daemon,
        Err(wrong) => return misused(&wrong),
    };
    let files = match daemon.unit_files(&description, Path::new(&program), arguments) {
        Ok(files) => files,
        Err(error) => return failed(&error),
    };
    for file in files {
        let path = Path::new(&directory).join(&file.name);
        if let Err(error) = std::fs::write(&path, file.text) {
            keep(&format!("cannot write {}: {error}", path.display()), 73);
            return -1;
        }
    }
    0
}
