//! Standard output and standard error: buffered, in order, never panicking on a closed pipe.

use crate::text::paint::{Paint, Style};
use std::io::{IsTerminal, Write};

/// Where a verb writes. Output is held back until an error line or the end, so that both keep their order.
#[derive(Debug)]
pub struct Screen {
    held: String,
    pub paint: Paint,
    /// Columns of the terminal; `None` where standard output is no terminal and nothing is cut.
    pub columns: Option<usize>,
    errors_in_colour: bool,
    /// `--quiet`.
    pub quiet: bool,
}

/// Bytes held back at most: a listing of 10,000 units is some megabytes, and need not be held at once.
const HELD_MAX: usize = 64 * 1024;

impl Screen {
    pub fn new() -> Screen {
        let stdout = std::io::stdout();
        let terminal = stdout.is_terminal();
        let columns = terminal.then(|| {
            rustix::termios::tcgetwinsize(&stdout)
                .ok()
                .map(|size| usize::from(size.ws_col))
                .filter(|columns| *columns > 0)
                .unwrap_or(crate::limits::DEFAULT_COLUMNS)
        });
        Screen {
            held: String::new(),
            paint: Paint::for_terminal(terminal),
            columns,
            errors_in_colour: terminal && std::io::stderr().is_terminal(),
            quiet: false,
        }
    }

    pub fn out(&mut self, text: &str) {
        self.held.push_str(text);
        if self.held.len() > HELD_MAX {
            self.flush();
        }
    }

    pub fn line(&mut self, text: &str) {
        self.out(text);
        self.out("\n");
    }

    /// What one can do without, on standard error.
    pub fn hint(&mut self, text: &str) {
        if !self.quiet {
            self.complain(text);
        }
    }

    /// One or more whole lines on standard error.
    pub fn complain(&mut self, text: &str) {
        self.flush();
        let mut lines = String::with_capacity(text.len() + 1);
        lines.push_str(text);
        if !text.ends_with('\n') {
            lines.push('\n');
        }
        if self.errors_in_colour {
            let painted: Vec<String> =
                lines.lines().map(|line| format!("{}\n", self.paint.text(Style::Bad, line))).collect();
            lines = painted.concat();
        }
        // Nowhere is left to report a closed standard error to.
        std::io::stderr().write_all(lines.as_bytes()).ok();
    }

    pub fn flush(&mut self) {
        let mut stdout = std::io::stdout();
        // A reader that closed the pipe (`| head`) has all it wanted.
        stdout.write_all(self.held.as_bytes()).and_then(|()| stdout.flush()).ok();
        self.held.clear();
    }
}
