//! sd_notify(3) by itself, for programs that want no more.

use crate::error::{failed, misused};
use crate::pointer::{c_text, text};
use eudaemon_kit::Starter;
use eudaemon_kit::notify::{Notifier, parse};
use libc::{c_char, c_int, size_t};

/// Sends assignments, `KEY=VALUE` in lines, to the manager that `NOTIFY_SOCKET=` names: 1 if there is one and it was told, 0
/// if there is none, -1 if it could not be reached.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn eudaemon_notify(assignments: *const c_char) -> c_int {
    let lines = match unsafe { text("assignments", assignments) } {
        Ok(lines) => lines,
        Err(reason) => return misused(&reason),
    };
    let Some(socket) = std::env::var_os("NOTIFY_SOCKET").filter(|socket| !socket.is_empty()) else {
        return 0;
    };
    let sent = Notifier::connect(&socket).and_then(|notifier| notifier.send(&parse(lines.as_bytes())));
    sent.map_or_else(|error| failed(&error), |()| 1)
}

/// Who started this process, in the words of `eudaemon_starter`, written as far as there is room, NUL included. Gives 1 if
/// it is to be obeyed when it asks for a daemon in the background, 0 if the program has to stay in the foreground.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn eudaemon_who_started(name: *mut c_char, room: size_t) -> c_int {
    let starter = Starter::look();
    if !name.is_null() && room > 0 {
        let word = c_text(&starter.to_string());
        let length = word.as_bytes().len().min(room - 1);
        unsafe {
            std::ptr::copy_nonoverlapping(word.as_ptr(), name, length);
            *name.add(length) = 0;
        }
    }
    c_int::from(starter.lets_detach())
}
