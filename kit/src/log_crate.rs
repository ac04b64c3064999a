//! The daemon's log for the `log` crate.

use crate::handle::Handle;
use crate::log::Priority;
use log::{Level, Log, Metadata, Record};

/// The lines of a daemon, for [`Handle::log_by_crate`].
struct Lines(Handle);

impl Handle {
    /// Sends what the program says by the `log` crate's macros where the daemon's lines go: to the journal with the
    /// target and the place in the source as fields. Says whether nobody else has taken them before.
    ///
    /// How much is said is [`log::set_max_level`]'s to say; nothing by default.
    ///
    /// # Errors
    ///
    /// When another logger is set already.
    pub fn log_by_crate(&self) -> Result<(), log::SetLoggerError> {
        log::set_boxed_logger(Box::new(Lines(self.clone())))
    }
}

impl Log for Lines {
    fn enabled(&self, _: &Metadata) -> bool {
        true
    }

    fn log(&self, record: &Record) {
        let line = record.line().map(|line| line.to_string());
        let mut fields = Vec::new();
        // A reader of a terminal wants the words alone.
        if self.0.log().keeps_fields() {
            fields.push(("TARGET", record.target()));
            fields.extend(record.file().map(|file| ("CODE_FILE", file)));
            fields.extend(line.as_deref().map(|line| ("CODE_LINE", line)));
        }
        self.0.log().send(priority(record.level()), &record.args().to_string(), &fields);
    }

    fn flush(&self) {}
}

fn priority(level: Level) -> Priority {
    match level {
        Level::Error => Priority::Error,
        Level::Warn => Priority::Warning,
        Level::Info => Priority::Info,
        Level::Debug | Level::Trace => Priority::Debug,
    }
}
