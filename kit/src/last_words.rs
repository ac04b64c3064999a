//! What is said of a daemon that ends badly: panics, and errors with what lies beneath them.

use crate::life::Life;
use crate::limits::DEEPEST_ERROR;
use crate::log::Priority;
use crate::notify::State;
use std::any::Any;
use std::error::Error as Failure;
use std::io;
use std::panic;

/// Panics of every thread are told to people and to the manager; where stderr reaches somebody, as Rust tells them.
pub(crate) fn tell_of_panics(life: &Life) {
    let handle = life.handle();
    let before = panic::take_hook();
    panic::set_hook(Box::new(move |panic| {
        let place = panic.location().map(|place| format!(" at {place}")).unwrap_or_default();
        let text = format!("panicked{place}: {}", panic_text(panic.payload()));
        if handle.log().is_stderr() {
            before(panic);
        } else {
            handle.log().line(Priority::Critical, &text);
        }
        handle.notify(&[State::Status(text)]).ok();
    }));
}

pub(crate) fn panic_text(payload: &dyn Any) -> &str {
    let text = payload.downcast_ref::<&str>().copied();
    text.or_else(|| payload.downcast_ref::<String>().map(String::as_str)).unwrap_or("no text")
}

/// The error with what lies beneath it.
pub(crate) fn with_sources(error: &(dyn Failure + 'static)) -> String {
    let mut text = error.to_string();
    for source in chain(error).skip(1) {
        let source = source.to_string();
        if !text.contains(&source) {
            text = format!("{text}: {source}");
        }
    }
    text
}

/// The system's number of an error, if it is the system's.
pub(crate) fn errno_of(error: &(dyn Failure + 'static)) -> Option<i32> {
    chain(error).find_map(|error| error.downcast_ref::<io::Error>()?.raw_os_error())
}

/// An error and its sources, as far as anybody would read; a ring of them ends too.
fn chain<'a>(error: &'a (dyn Failure + 'static)) -> impl Iterator<Item = &'a (dyn Failure + 'static)> {
    let mut next = Some(error);
    std::iter::from_fn(move || {
        let error = next?;
        next = error.source();
        Some(error)
    })
    .take(DEEPEST_ERROR)
}
