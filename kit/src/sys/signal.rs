//! Signals as bytes in a pipe, and the two ends that must work even when the program hangs: the second request to
//! stop, and a stop that takes too long.
//!
//! Argument: the one signal function below, with what it calls, does what signal-safety(7) allows and nothing else: atomics,
//! send(2), poll(2), write(2), clock_gettime(2), getpid(2), timer_settime(2), signal(2), sigemptyset(3), sigaddset(3),
//! sigprocmask(2) of the thread that it runs in, raise(3), _exit(2); it keeps errno as it was where it returns. It may run in
//! several threads at once. What it reads are atomics: its own, and those that [`listen`] sets before the function is
//! installed, a second time only in a process of one thread. They hold integers, and a pointer to a vector that is never
//! changed or freed. None of its calls waits, but the write to a pipe or terminal that was filled after a look at it, and that the timer ends.
//! `sigaction`, `sigemptyset`, `timer_create` and `timer_settime` get pointers to live, initialised values of ours.
//! `timer_delete` gets a timer that this very process made: a child of fork(2) has none, and its own may have the same id.
//!
//! The deadline has a timer of its own, whose signal is the highest there is (`SIGRTMAX`): alarm(2) and SIGALRM are the program's.
#![allow(unsafe_code)]

use super::fd::last_errno;
use crate::limits::{LAST_LINE_TAKES, ONE_REQUEST};
use rustix::pipe::PipeFlags;
use std::mem::{MaybeUninit, zeroed};
use std::os::fd::{FromRawFd, IntoRawFd, OwnedFd, RawFd};
use std::process;
use std::ptr::{null, null_mut};
use std::sync::atomic::{AtomicBool, AtomicI32, AtomicPtr, AtomicU32, AtomicU64, Ordering};

/// The end of the pipe that signals are written to; closed when another takes its place.
static PIPE: AtomicI32 = AtomicI32::new(-1);
/// When the first request to stop came, in milliseconds of the monotonic clock, and one more; 0 is never.
static STOPPED: AtomicU64 = AtomicU64::new(0);
/// Seconds that a stop may take; 0 is for ever.
static PATIENCE: AtomicU32 = AtomicU32::new(0);
/// What is said at an end by force, if anything is.
static LAST_LINE: AtomicPtr<Vec<u8>> = AtomicPtr::new(null_mut());
/// What counts them, by the id of timer_create(2), if [`TIMED`] says that there is one; 0 is a valid id.
static TIMER: AtomicPtr<libc::c_void> = AtomicPtr::new(null_mut());
/// The process that made the timer, 0 if none did. Timers are not inherited over fork(2).
static TIMED: AtomicU32 = AtomicU32::new(0);
/// Whether the end by force has begun.
static ENDS: AtomicBool = AtomicBool::new(false);

/// Asks to stop.
pub(crate) const STOPS_US: [libc::c_int; 2] = [libc::SIGTERM, libc::SIGINT];
/// Asks to read the configuration again.
pub(crate) const RELOADS_US: libc::c_int = libc::SIGHUP;

/// Routes SIGTERM, SIGINT and SIGHUP into a pipe, one byte each, and gives its other end.
///
/// The first request to stop starts the clock: after `patience` seconds the process ends by force, as it does at the
/// second request; `last_line` is what is said on stderr then. A second call, which only a process of one thread may make, gets a pipe of its own, and the first
/// is closed.
pub(crate) fn listen(patience: u32, last_line: Vec<u8>) -> rustix::io::Result<OwnedFd> {
    if TIMED.swap(0, Ordering::SeqCst) == process::id() {
        // SAFETY: this process made it; without `TIMED` the signal function sets none.
        unsafe { libc::timer_delete(TIMER.load(Ordering::SeqCst)) };
    }
    let timer = if patience > 0 { Some(timer()?) } else { None };
    let (ours, theirs) = rustix::pipe::pipe_with(PipeFlags::CLOEXEC | PipeFlags::NONBLOCK)?;
    // Kept for ever: the signal function may be at it at any time.
    LAST_LINE.store(Box::into_raw(Box::new(last_line)), Ordering::SeqCst);
    PATIENCE.store(patience, Ordering::SeqCst);
    STOPPED.store(0, Ordering::SeqCst);
    if let Some(timer) = timer {
        TIMER.store(timer, Ordering::SeqCst);
        TIMED.store(process::id(), Ordering::SeqCst);
    }
    let before = PIPE.swap(theirs.into_raw_fd(), Ordering::SeqCst);
    if before >= 0 {
        // SAFETY: it was ours, and the signal function writes to the other one now.
        drop(unsafe { OwnedFd::from_raw_fd(before) });
    }
    for signal in STOPS_US.into_iter().chain([RELOADS_US, libc::SIGRTMAX()]) {
        // nohup(1) and shells' `&` have these ignored, and mean it.
        if [libc::SIGINT, libc::SIGHUP].contains(&signal) && is_ignored(signal) {
            continue;
        }
        set(signal, heard as *const () as libc::sighandler_t)?;
    }
    Ok(ours)
}

/// A timer that sends this process SIGRTMAX.
fn timer() -> rustix::io::Result<libc::timer_t> {
    // SAFETY: integers and pointers that may be null.
    let mut event: libc::sigevent = unsafe { zeroed() };
    event.sigev_notify = libc::SIGEV_SIGNAL;
    event.sigev_signo = libc::SIGRTMAX();
    let mut timer = null_mut();
    // SAFETY: both are live.
    match unsafe { libc::timer_create(libc::CLOCK_MONOTONIC, &raw mut event, &raw mut timer) } {
        0 => Ok(timer),
        _ => Err(last_errno()),
    }
}

fn is_ignored(signal: libc::c_int) -> bool {
    // SAFETY: integers and a pointer that may be null.
    let mut action: libc::sigaction = unsafe { zeroed() };
    // SAFETY: nothing is changed; `action` is live.
    let answer = unsafe { libc::sigaction(signal, null(), &raw mut action) };
    answer == 0 && action.sa_sigaction == libc::SIG_IGN
}

/// Asks this process to stop, as somebody else would: whichever thread may have the signal gets it.
pub(crate) fn ask_to_stop() {
    // SAFETY: integers.
    unsafe { libc::kill(libc::getpid(), STOPS_US[0]) };
}

/// The signals that a daemon listens to come to other threads than this one.
pub(crate) fn block_in_this_thread() {
    // SAFETY: sigemptyset initialises the set that the others read; the change is this thread's own.
    unsafe {
        let mut ours = zeroed();
        libc::sigemptyset(&raw mut ours);
        for signal in STOPS_US.into_iter().chain([RELOADS_US, libc::SIGRTMAX()]) {
            libc::sigaddset(&raw mut ours, signal);
        }
        libc::pthread_sigmask(libc::SIG_BLOCK, &raw const ours, null_mut());
    }
}

/// Every signal does what it does by default and none is blocked, but SIGPIPE, which Rust ignores.
pub(crate) fn reset() -> rustix::io::Result<()> {
    for signal in 1..=64 {
        // Two of them are the runtime's, which tells of a stack that is full.
        if [libc::SIGKILL, libc::SIGSTOP, libc::SIGPIPE, libc::SIGSEGV, libc::SIGBUS].contains(&signal) {
            continue;
        }
        // Numbers that the C library keeps for itself are refused.
        set(signal, libc::SIG_DFL).ok();
    }
    let mut none = MaybeUninit::uninit();
    // SAFETY: sigemptyset initialises the set that sigprocmask reads.
    let answer = unsafe {
        libc::sigemptyset(none.as_mut_ptr());
        libc::sigprocmask(libc::SIG_SETMASK, none.as_ptr(), null_mut())
    };
    if answer == 0 { Ok(()) } else { Err(last_errno()) }
}

fn set(signal: libc::c_int, function: libc::sighandler_t) -> rustix::io::Result<()> {
    // SAFETY: integers and a pointer that may be null.
    let mut action: libc::sigaction = unsafe { zeroed() };
    action.sa_sigaction = function;
    action.sa_flags = libc::SA_RESTART;
    // SAFETY: `action` is live; nothing is asked back.
    let answer = unsafe {
        libc::sigemptyset(&raw mut action.sa_mask);
        libc::sigaction(signal, &raw const action, null_mut())
    };
    if answer == 0 { Ok(()) } else { Err(last_errno()) }
}

extern "C" fn heard(signal: libc::c_int) {
    // SAFETY: signal-safe calls alone; errno is the thread's own.
    unsafe {
        let errno = *libc::__errno_location();
        let is_deadline = !STOPS_US.contains(&signal) && signal != RELOADS_US;
        if is_deadline && STOPPED.load(Ordering::SeqCst) == 0 {
            // Somebody else sent it.
            *libc::__errno_location() = errno;
            return;
        }
        if is_deadline {
            end_by_force();
        }
        if STOPS_US.contains(&signal) {
            let first = STOPPED.load(Ordering::SeqCst);
            if first > 0 && now() - first >= ONE_REQUEST {
                // As if nobody had caught it; a first process of a container has no default to fall back to.
                libc::signal(signal, libc::SIG_DFL);
                let_through(signal);
                libc::raise(signal);
                libc::_exit(128 + signal);
            }
            if first > 0 {
                *libc::__errno_location() = errno;
                return;
            }
            STOPPED.store(now(), Ordering::SeqCst);
            begin_to_count(PATIENCE.load(Ordering::SeqCst));
        }
        let byte = signal as u8;
        let pipe: RawFd = PIPE.load(Ordering::SeqCst);
        // A full pipe has reload requests enough, and a stop is counted above.
        libc::write(pipe, (&raw const byte).cast(), 1);
        *libc::__errno_location() = errno;
    }
}

/// Ends the process with the last line, from within the signal function.
unsafe fn end_by_force() -> ! {
    // SAFETY: signal-safe calls alone, and a vector that was put there whole, and is never changed or freed.
    unsafe {
        if !ENDS.swap(true, Ordering::SeqCst) {
            // Whoever comes here meanwhile, by the timer or in another thread, says nothing.
            begin_to_count(LAST_LINE_TAKES);
            let_through(libc::SIGRTMAX());
            // An empty one would be a message of its own to some sockets.
            if let Some(line) = LAST_LINE.load(Ordering::SeqCst).as_ref().filter(|line| !line.is_empty()) {
                say(line);
            }
        }
        libc::_exit(1);
    }
}

/// The signal function may be interrupted by this signal.
unsafe fn let_through(signal: libc::c_int) {
    // SAFETY: sigemptyset initialises the set that the others read; the change is this thread's own.
    unsafe {
        let mut only = zeroed();
        libc::sigemptyset(&raw mut only);
        libc::sigaddset(&raw mut only, signal);
        libc::sigprocmask(libc::SIG_UNBLOCK, &raw const only, null_mut());
    }
}

/// Sets the timer to so many seconds, from within the signal function.
unsafe fn begin_to_count(seconds: u32) {
    let timer = TIMER.load(Ordering::SeqCst);
    // SAFETY: no argument.
    if seconds == 0 || TIMED.load(Ordering::SeqCst) != unsafe { libc::getpid() }.cast_unsigned() {
        return;
    }
    // SAFETY: a live value of integers, and a timer of ours.
    unsafe {
        let mut time: libc::itimerspec = zeroed();
        time.it_value.tv_sec = seconds as libc::time_t;
        libc::timer_settime(timer, 0, &raw const time, null_mut());
    }
}

/// Milliseconds of the monotonic clock, and one more.
unsafe fn now() -> u64 {
    // SAFETY: a live value of integers, for a clock that every Linux has.
    unsafe {
        let mut time: libc::timespec = zeroed();
        libc::clock_gettime(libc::CLOCK_MONOTONIC, &raw mut time);
        time.tv_sec as u64 * 1000 + time.tv_nsec as u64 / 1_000_000 + 1
    }
}

/// Writes to stderr from within the signal function, what it takes at once.
unsafe fn say(text: &[u8]) {
    // SAFETY: a live slice and its length, and a live value of integers.
    unsafe {
        let flags = libc::MSG_DONTWAIT | libc::MSG_NOSIGNAL;
        let sent = libc::send(libc::STDERR_FILENO, text.as_ptr().cast(), text.len(), flags);
        if sent >= 0 || *libc::__errno_location() != libc::ENOTSOCK {
            return;
        }
        let mut stderr = libc::pollfd { fd: libc::STDERR_FILENO, events: libc::POLLOUT, revents: 0 };
        // More than that may wait, and without a reader SIGPIPE would be the end.
        let length = text.len().min(libc::PIPE_BUF);
        if libc::poll(&raw mut stderr, 1, 0) == 1 && stderr.revents == libc::POLLOUT {
            libc::write(libc::STDERR_FILENO, text.as_ptr().cast(), length);
        }
    }
}

/// Whether a stop was asked for.
pub(crate) fn stop_asked() -> bool {
    STOPPED.load(Ordering::SeqCst) > 0
}
