//! The daemon's log for `tracing`.

use crate::handle::Handle;
use crate::log::Priority;
use std::fmt::{Debug, Write};
use tracing::field::{Field, Visit};
use tracing::{Event, Level, Subscriber};
use tracing_subscriber::layer::Context;
use tracing_subscriber::registry::LookupSpan;

/// A layer that sends events where the daemon's lines go. In the journal each field of the event is one of the entry,
/// its name in upper case; elsewhere fields stand behind the text. The spans an event is in are the field `SPANS`.
#[derive(Clone, Debug)]
pub struct Layer(Handle);

impl Layer {
    /// For this daemon.
    #[must_use]
    pub fn new(daemon: Handle) -> Layer {
        Layer(daemon)
    }
}

impl<S: Subscriber + for<'span> LookupSpan<'span>> tracing_subscriber::Layer<S> for Layer {
    fn on_event(&self, event: &Event, context: Context<'_, S>) {
        let mut told = Told::default();
        let metadata = event.metadata();
        // First, so that a field of the event with such a name gets another.
        if self.0.log().keeps_fields() {
            told.fields.push(("TARGET".to_owned(), metadata.target().to_owned()));
            told.fields.extend(metadata.file().map(|file| ("CODE_FILE".to_owned(), file.to_owned())));
            told.fields.extend(metadata.line().map(|line| ("CODE_LINE".to_owned(), line.to_string())));
        }
        let spans: Vec<&str> = context
            .event_scope(event)
            .map(|scope| scope.from_root().map(|span| span.name()).collect())
            .unwrap_or_default();
        if !spans.is_empty() {
            told.fields.push(("SPANS".to_owned(), spans.join(":")));
        }
        event.record(&mut told);
        let fields: Vec<(&str, &str)> = told.fields.iter().map(|(name, value)| (&**name, &**value)).collect();
        self.0.log().send(priority(*metadata.level()), &told.message, &fields);
    }
}

fn priority(level: Level) -> Priority {
    match level {
        Level::ERROR => Priority::Error,
        Level::WARN => Priority::Warning,
        Level::INFO => Priority::Info,
        _ => Priority::Debug,
    }
}

/// What an event says.
#[derive(Default)]
struct Told {
    message: String,
    fields: Vec<(String, String)>,
}

impl Visit for Told {
    fn record_debug(&mut self, field: &Field, value: &dyn Debug) {
        if field.name() == "message" {
            write!(self.message, "{value:?}").ok();
        } else {
            self.fields.push((field.name().to_owned(), format!("{value:?}")));
        }
    }

    fn record_str(&mut self, field: &Field, value: &str) {
        if field.name() == "message" {
            self.message.push_str(value);
        } else {
            self.fields.push((field.name().to_owned(), value.to_owned()));
        }
    }
}
