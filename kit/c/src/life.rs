//! A running daemon.

use crate::daemon::socket;
use crate::error::{eudaemon_error, failed, misused};
use crate::pointer::{c_text, fd, fds, text};
use eudaemon_kit::{Guest, Handle, Life, Moment, Priority, Reload};
use libc::{c_char, c_int, c_void, size_t};
use std::ffi::{CStr, CString};
use std::os::fd::{AsRawFd, IntoRawFd};
use std::ptr::{null, null_mut};
use std::time::Duration;

/// Nothing has happened.
pub const EUDAEMON_NOTHING: c_int = 0;
/// Asked to stop: finish what is open and call `eudaemon_finish`. The time for it runs.
pub const EUDAEMON_STOP: c_int = 1;
/// Asked to read the configuration again; `eudaemon_reloaded` or `eudaemon_reload_failed` says what came of it. Who says
/// neither has reloaded when it waits again.
pub const EUDAEMON_RELOAD: c_int = 2;
/// One of the descriptors asked about can be read or was closed.
pub const EUDAEMON_READABLE: c_int = 3;
/// The time asked for is over.
pub const EUDAEMON_TIME_OVER: c_int = 4;

/// A running daemon.
pub struct eudaemon_life {
    /// Its own thread's alone.
    own: Own,
    /// Every thread's; never borrowed mutably.
    handle: Handle,
    /// Kept for C, which borrows them.
    starter: CString,
    invocation: Option<CString>,
}

struct Own {
    life: Life,
    reload: Option<Reload>,
}

impl eudaemon_life {
    pub(crate) fn give(life: Life) -> *mut eudaemon_life {
        let starter = c_text(&life.starter().to_string());
        let invocation = life.invocation().map(c_text);
        let handle = life.handle();
        Box::into_raw(Box::new(eudaemon_life {
            own: Own { life, reload: None },
            handle,
            starter,
            invocation,
        }))
    }
}

impl Own {
    fn happened(&mut self, moment: Moment, which: *mut size_t) -> c_int {
        match moment {
            Moment::Stop => EUDAEMON_STOP,
            Moment::Reload(reload) => {
                self.reload = Some(reload);
                EUDAEMON_RELOAD
            }
            Moment::Readable(at) => {
                if let Some(which) = unsafe { which.as_mut() } {
                    *which = at;
                }
                EUDAEMON_READABLE
            }
            Moment::TimeOver => EUDAEMON_TIME_OVER,
        }
    }
}

/// The daemon at a pointer, for its own thread: this field alone is borrowed, others may use the other one meanwhile.
macro_rules! own {
    ($life:expr) => {
        match $life.is_null() {
            false => unsafe { &mut (*$life).own },
            true => return misused("NULL where a running daemon was expected").into(),
        }
    };
}

/// The same, where NULL is answered otherwise.
unsafe fn own<'a>(life: *mut eudaemon_life) -> Option<&'a mut Own> {
    (!life.is_null()).then(|| unsafe { &mut (*life).own })
}

/// The part of it that every thread may have.
macro_rules! shared {
    ($life:expr) => {
        match $life.is_null() {
            false => unsafe { &(*$life).handle },
            true => return misused("NULL where a running daemon was expected").into(),
        }
    };
}

/// Text of the caller's.
macro_rules! words {
    ($what:expr, $text:expr) => {
        match unsafe { text($what, $text) } {
            Ok(text) => text,
            Err(reason) => return misused(&reason).into(),
        }
    };
}

/// A line for people, of which every byte that can be shown is; it is not refused for one that cannot.
macro_rules! line {
    ($what:expr, $text:expr) => {
        match $text.is_null() {
            false => unsafe { CStr::from_ptr($text) }.to_string_lossy().into_owned(),
            true => return misused(concat!($what, ": NULL where a text was expected")).into(),
        }
    };
}

/// 0, or -1 with what went wrong.
fn answer(outcome: eudaemon_kit::Result<()>) -> c_int {
    outcome.map_or_else(|error| failed(&error), |()| 0)
}

/// Says that the daemon does its work now: to the manager, the supervisor, or the process that waits in front. The second
/// time, nothing happens.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn eudaemon_ready(life: *mut eudaemon_life) -> c_int {
    answer(own!(life).life.ready())
}

/// Waits for what happens next: a stop, a reload, one of these descriptors becoming readable, or so many milliseconds
/// passing (-1: for ever). Answers with `EUDAEMON_STOP`, `EUDAEMON_RELOAD`, `EUDAEMON_READABLE` (its place in the array
/// in `which`, which may be NULL), `EUDAEMON_TIME_OVER`, or -1.
///
/// While it waits, the watchdog is answered: a daemon that comes back here in time is alive.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn eudaemon_wait(
    life: *mut eudaemon_life,
    readable: *const c_int,
    count: size_t,
    milliseconds: i64,
    which: *mut size_t,
) -> c_int {
    let own = own!(life);
    own.reload = None;
    let ends = match unsafe { fds(readable, count) } {
        Ok(ends) => ends,
        Err(reason) => return misused(&reason),
    };
    let time = u64::try_from(milliseconds).ok().map(Duration::from_millis);
    match own.life.wait_for(&ends, time) {
        Ok(moment) => own.happened(moment, which),
        Err(error) => failed(&error),
    }
}

/// What was asked of the daemon and not yet dealt with: as `eudaemon_wait`, but waits for nothing; `EUDAEMON_NOTHING` if
/// there is nothing.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn eudaemon_heard(life: *mut eudaemon_life) -> c_int {
    let own = own!(life);
    own.reload = None;
    match own.life.heard() {
        Ok(Some(moment)) => own.happened(moment, null_mut()),
        Ok(None) => EUDAEMON_NOTHING,
        Err(error) => failed(&error),
    }
}

/// A descriptor that is readable when `eudaemon_heard` has something: for loops of another make. It stays the daemon's.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn eudaemon_fd(life: *mut eudaemon_life) -> c_int {
    own!(life).life.fd().as_raw_fd()
}

/// The reload is finished.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn eudaemon_reloaded(life: *mut eudaemon_life) -> c_int {
    own!(life).reload = None;
    0
}

/// The reload failed, and the old configuration stays: the manager is told why, and that the daemon goes on.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn eudaemon_reload_failed(life: *mut eudaemon_life, reason: *const c_char) -> c_int {
    let (own, reason) = (own!(life), words!("reason", reason));
    if let Some(reload) = own.reload.take() {
        reload.failed(reason);
    }
    0
}

/// Takes a socket of this kind and name, which is the caller's then; -1 if there is none (any more) or it is of another
/// kind.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn eudaemon_take(life: *mut eudaemon_life, kind: c_int, name: *const c_char) -> c_int {
    let (own, name) = (own!(life), words!("a socket's name", name));
    if let Err(reason) = socket(kind, name.clone(), String::new()) {
        return misused(&reason);
    }
    let taken = match kind {
        crate::daemon::EUDAEMON_TCP => own.life.tcp(&name).map(IntoRawFd::into_raw_fd),
        crate::daemon::EUDAEMON_UDP => own.life.udp(&name).map(IntoRawFd::into_raw_fd),
        crate::daemon::EUDAEMON_UNIX => own.life.unix(&name).map(IntoRawFd::into_raw_fd),
        _ => own.life.unix_datagram(&name).map(IntoRawFd::into_raw_fd),
    };
    taken.unwrap_or_else(|error| failed(&error))
}

/// Takes a descriptor of any kind by its name: one of the fd store, say. Of several with one name, the first. -1 if there
/// is none.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn eudaemon_take_any(life: *mut eudaemon_life, name: *const c_char) -> c_int {
    let (own, name) = (own!(life), words!("a descriptor's name", name));
    match own.life.sockets().take(&name) {
        Some(fd) => fd.into_raw_fd(),
        None => misused(&format!("no descriptor is called {name:?}")),
    }
}

/// Takes the one connection that inetd, or a socket unit with `Accept=yes`, started the program for; -1 if it was not
/// started for one.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn eudaemon_take_connection(life: *mut eudaemon_life) -> c_int {
    match own!(life).life.sockets().connection() {
        Some(fd) => fd.into_raw_fd(),
        None => misused("not started for one connection"),
    }
}

/// The name of a descriptor that nobody took yet, by its place; the length of the name, which is written as far as there
/// is room, NUL included. -1 behind the last one.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn eudaemon_name(
    life: *mut eudaemon_life,
    place: size_t,
    name: *mut c_char,
    room: size_t,
) -> c_int {
    let own = own!(life);
    let Some(found) = own.life.sockets().names().nth(place).map(c_text) else {
        return misused(&format!("there is no descriptor at place {place}"));
    };
    if !name.is_null() && room > 0 {
        let bytes = found.as_bytes();
        let length = bytes.len().min(room - 1);
        unsafe {
            std::ptr::copy_nonoverlapping(bytes.as_ptr().cast(), name, length);
            *name.add(length) = 0;
        }
    }
    c_int::try_from(found.as_bytes().len()).unwrap_or(c_int::MAX)
}

/// Whether the socket of this name was handed over: by a socket unit, or out of the fd store.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn eudaemon_is_handed(life: *mut eudaemon_life, name: *const c_char) -> bool {
    match unsafe { (own(life), text("a socket's name", name)) } {
        (Some(own), Ok(name)) => own.life.sockets().is_handed(&name),
        (Some(_) | None, Ok(_) | Err(_)) => false,
    }
}

/// Leaves a copy of a descriptor with the manager, which hands it to the next start under this name: `FDSTORE=1` of
/// sd_notify(3).
#[unsafe(no_mangle)]
pub unsafe extern "C" fn eudaemon_store(
    life: *mut eudaemon_life,
    name: *const c_char,
    stored: c_int,
) -> c_int {
    let (own, name) = (own!(life), words!("a descriptor's name", name));
    match fd(stored) {
        Ok(stored) => answer(own.life.store(&name, stored)),
        Err(reason) => misused(&reason),
    }
}

/// Who started the program: `manager`, `silent manager`, `supervisor NAME`, `superserver`, `nobody` (it is process 1),
/// `init`, `terminal` or `program`. The text is the daemon's.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn eudaemon_starter(life: *const eudaemon_life) -> *const c_char {
    if life.is_null() { null() } else { unsafe { (*life).starter.as_ptr() } }
}

/// The number of this run, as the journal has it, `INVOCATION_ID=`; NULL if nobody gave one. The text is the daemon's.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn eudaemon_invocation(life: *const eudaemon_life) -> *const c_char {
    if life.is_null() {
        return null();
    }
    unsafe { &(*life).invocation }.as_deref().map_or(null(), CStr::as_ptr)
}

/// How often a sign of life is expected at the latest, in microseconds, `WATCHDOG_USEC=`; 0 if none is.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn eudaemon_watchdog(life: *mut eudaemon_life) -> u64 {
    let time = unsafe { own(life) }.and_then(|own| own.life.watchdog());
    time.and_then(|time| u64::try_from(time.as_micros()).ok()).unwrap_or(0)
}

/// Reads a secret that the manager gave, a file of `CREDENTIALS_DIRECTORY=`, into new memory, which `eudaemon_forget`
/// gives back. NULL with a length of 0 if it gave none of that name; NULL with a length of 1 if it cannot be read.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn eudaemon_credential(
    life: *mut eudaemon_life,
    name: *const c_char,
    length: *mut size_t,
) -> *mut c_void {
    let (own, name, length) = unsafe { (own(life), text("a credential's name", name), length.as_mut()) };
    let Some(length) = length else {
        misused("NULL where room for a length was expected");
        return null_mut();
    };
    *length = 1;
    let (Some(own), Ok(name)) = (own, name) else {
        misused("NULL where a running daemon or a credential's name was expected");
        return null_mut();
    };
    match own.life.credential(&name) {
        Ok(None) => {
            *length = 0;
            null_mut()
        }
        Ok(Some(secret)) => {
            *length = secret.len();
            unsafe {
                let room = libc::malloc(secret.len().max(1));
                if !room.is_null() {
                    std::ptr::copy_nonoverlapping(secret.as_ptr(), room.cast(), secret.len());
                }
                room
            }
        }
        Err(error) => {
            failed(&error);
            null_mut()
        }
    }
}

/// Overwrites a secret of `eudaemon_credential` and gives its memory back.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn eudaemon_forget(secret: *mut c_void, length: size_t) {
    if !secret.is_null() {
        unsafe {
            libc::explicit_bzero(secret, length);
            libc::free(secret);
        }
    }
}

/// Tells people what the daemon is at, in one line: `systemctl status` shows it. From every thread.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn eudaemon_status(life: *const eudaemon_life, status: *const c_char) -> c_int {
    shared!(life).status(line!("status", status));
    0
}

/// Tells the manager that the daemon is alive, for daemons that do not wait in `eudaemon_wait`. From every thread.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn eudaemon_alive(life: *const eudaemon_life) -> c_int {
    shared!(life).alive();
    0
}

/// Writes a line where the daemon's lines go, with a priority of syslog.h (`LOG_ERR` …; a facility is left
/// out). From every thread.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn eudaemon_log(
    life: *const eudaemon_life,
    priority: c_int,
    line: *const c_char,
) -> c_int {
    let (handle, line) = (shared!(life), line!("line", line));
    match usize::try_from(priority & !FACILITIES).ok().and_then(Priority::of_number) {
        Some(priority) => {
            handle.log().line(priority, line);
            0
        }
        None => misused(&format!("priority {priority}: expected 0 (LOG_EMERG) to 7 (LOG_DEBUG)")),
    }
}

/// syslog.h's `LOG_FACMASK`: a facility is the daemon's already.
const FACILITIES: c_int = 0x3f8;

/// Asks the daemon to stop, as SIGTERM does. From every thread.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn eudaemon_stop(life: *const eudaemon_life) -> c_int {
    shared!(life).stop();
    0
}

/// Whether the daemon was asked to stop. From every thread.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn eudaemon_is_stopping(life: *const eudaemon_life) -> bool {
    !life.is_null() && unsafe { &(*life).handle }.is_stopping()
}

/// One piece of open work, which a stop waits for.
pub struct eudaemon_guest {
    _guest: Guest,
}

/// Open work begins that a stop waits for, until `eudaemon_guest_leaves`. From every thread.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn eudaemon_guest_comes(life: *const eudaemon_life) -> *mut eudaemon_guest {
    if life.is_null() {
        misused("NULL where a running daemon was expected");
        return null_mut();
    }
    let guest = unsafe { &(*life).handle }.guest();
    Box::into_raw(Box::new(eudaemon_guest { _guest: guest }))
}

/// Open work is done. From every thread.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn eudaemon_guest_leaves(guest: *mut eudaemon_guest) {
    if !guest.is_null() {
        drop(unsafe { Box::from_raw(guest) });
    }
}

/// The end as wished: waits for open work as long as a stop may take, takes away what was made, and gives 0, for `main` to
/// return. The daemon is gone afterwards; threads must not use it any more.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn eudaemon_finish(life: *mut eudaemon_life) -> c_int {
    if life.is_null() {
        return misused("NULL where a running daemon was expected");
    }
    let own = unsafe { Box::from_raw(life) }.own;
    drop(own.reload);
    own.life.finish();
    0
}

/// The end by an error: it is told once, where it is read, and what was made is taken away. `exit` is what the program is
/// about to exit with, from 1 to 255; `error` the system's number of the error, or 0; `reason` why, or NULL for what
/// `eudaemon_error` says. Gives `exit`, for `main` to return. The daemon is gone afterwards.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn eudaemon_fail(
    life: *mut eudaemon_life,
    exit: c_int,
    error: c_int,
    reason: *const c_char,
) -> c_int {
    if life.is_null() {
        return misused("NULL where a running daemon was expected");
    }
    let told = if reason.is_null() { eudaemon_error() } else { reason };
    let mut reason = unsafe { CStr::from_ptr(told) }.to_string_lossy().into_owned();
    if reason.is_empty() {
        reason = match error {
            1.. => std::io::Error::from_raw_os_error(error).to_string(),
            _ => format!("exits with {exit}"),
        };
    }
    let code = u8::try_from(exit).ok().filter(|exit| *exit > 0).unwrap_or(1);
    let own = unsafe { Box::from_raw(life) }.own;
    own.life.fail(code, (error > 0).then_some(error), &reason);
    c_int::from(code)
}
