//! Standard output: lines with the name of their unit before them, aligned, coloured on a terminal. A console
//! that is slow gets less, and is told how much less; nobody waits for it.

use crate::limits;
use crate::line::Level;
use anstyle::{AnsiColor, Color, Style};
use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::io::Errno;
use std::collections::{BTreeMap, VecDeque};
use std::fmt::Write;
use std::os::fd::AsFd;

/// Whether the console understands colours.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Paint {
    None,
    Colours,
}

#[derive(Debug)]
pub struct Console<W> {
    out: W,
    paint: Paint,
    /// Columns of the widest name so far, or of the widest that is expected.
    column: usize,
    /// Names in the order they came, for colours.
    names: BTreeMap<String, AnsiColor>,
    waiting: VecDeque<u8>,
    /// Lines that found no room since there was some.
    dropped: u64,
}

/// Told apart at a glance, and none of them red: that is for errors.
const COLOURS: [AnsiColor; 10] = [
    AnsiColor::Cyan,
    AnsiColor::Yellow,
    AnsiColor::Green,
    AnsiColor::Magenta,
    AnsiColor::Blue,
    AnsiColor::BrightCyan,
    AnsiColor::BrightYellow,
    AnsiColor::BrightGreen,
    AnsiColor::BrightMagenta,
    AnsiColor::BrightBlue,
];

impl<W: AsFd> Console<W> {
    pub fn new(out: W, paint: Paint, column: usize) -> Console<W> {
        let column = column.min(limits::COLUMN);
        Console { out, paint, column, names: BTreeMap::new(), waiting: VecDeque::new(), dropped: 0 }
    }

    /// Say a line; of several lines each gets the name.
    pub fn say(&mut self, name: &str, level: Level, text: &[u8]) {
        for line in text.split(|byte| *byte == b'\n') {
            self.say_one(name, level, line);
        }
    }

    fn say_one(&mut self, name: &str, level: Level, line: &[u8]) {
        self.column = self.column.max(name.chars().count()).min(limits::COLUMN);
        if self.waiting.len() + line.len() > limits::WAITING {
            self.dropped += 1;
            return;
        }
        self.tell_dropped();
        let mut prefix = String::new();
        let colour = self.colour(name);
        let (on, off) = self.paints(Some(colour), Style::new());
        let column = self.column;
        // Writing to a String cannot fail.
        write!(prefix, "{on}{name:column$} |{off} ").unwrap_or_default();
        let (on, off) = self.paints(None, style(level));
        self.waiting.extend(prefix.bytes().chain(on.bytes()));
        self.waiting.extend(line);
        self.waiting.extend(off.bytes());
        self.waiting.push_back(b'\n');
    }

    /// Each new name has the next colour: no two are alike before all were used.
    fn colour(&mut self, name: &str) -> AnsiColor {
        if let Some(colour) = self.names.get(name) {
            return *colour;
        }
        let colour = COLOURS[self.names.len() % COLOURS.len()];
        if self.names.len() < limits::NAMES {
            self.names.insert(name.to_owned(), colour);
        }
        colour
    }

    fn paints(&self, colour: Option<AnsiColor>, style: Style) -> (String, String) {
        let style = colour.map_or(style, |colour| style.fg_color(Some(Color::Ansi(colour))));
        match self.paint {
            Paint::Colours if style != Style::new() => {
                (style.render().to_string(), style.render_reset().to_string())
            }
            Paint::Colours | Paint::None => (String::new(), String::new()),
        }
    }

    fn tell_dropped(&mut self) {
        if self.dropped > 0 {
            let words = format!("eudaemon: {} lines dropped, the console was too slow\n", self.dropped);
            self.waiting.extend(words.bytes());
            self.dropped = 0;
        }
    }

    pub fn is_waiting(&self) -> bool {
        !self.waiting.is_empty()
    }

    /// Write as much as is taken without blocking. The descriptor is shared with others, so it is asked
    /// before each write rather than made non-blocking.
    pub fn flush(&mut self) {
        while !self.waiting.is_empty() && self.has_room() {
            let (first, _) = self.waiting.as_slices();
            let piece = &first[..first.len().min(limits::WRITE)];
            match rustix::io::write(&self.out, piece) {
                Ok(count) => drop(self.waiting.drain(..count)),
                Err(Errno::INTR) => {}
                Err(Errno::AGAIN) => return,
                // Nobody will ever read it.
                Err(_) => self.waiting.clear(),
            }
        }
        if self.waiting.is_empty() {
            self.waiting.shrink_to(limits::WRITE);
            if self.dropped > 0 {
                self.tell_dropped();
            }
        }
    }

    fn has_room(&self) -> bool {
        let now = Timespec { tv_sec: 0, tv_nsec: 0 };
        let mut fds = [PollFd::new(&self.out, PollFlags::OUT)];
        poll(&mut fds, Some(&now)).is_ok()
            && fds[0].revents().intersects(PollFlags::OUT | PollFlags::ERR | PollFlags::HUP)
    }
}

fn style(level: Level) -> Style {
    let red = Style::new().fg_color(Some(Color::Ansi(AnsiColor::Red)));
    match level.0 {
        0..=2 => red.bold(),
        3 => red,
        4 => Style::new().fg_color(Some(Color::Ansi(AnsiColor::Yellow))),
        5 => Style::new().bold(),
        6 => Style::new(),
        _ => Style::new().dimmed(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use rustix::pipe::pipe;
    use std::os::fd::OwnedFd;

    fn console(paint: Paint) -> (Console<OwnedFd>, std::fs::File) {
        let (read, write) = pipe().unwrap();
        (Console::new(write, paint, 0), read.into())
    }

    fn text(console: Console<OwnedFd>, mut read: std::fs::File) -> String {
        drop(console);
        let mut text = String::new();
        std::io::Read::read_to_string(&mut read, &mut text).unwrap();
        text
    }

    #[test]
    fn names_are_aligned() {
        let (mut console, read) = console(Paint::None);
        console.say("web", Level(6), b"one\ntwo");
        console.say("database", Level(3), b"three");
        console.say("web", Level(6), b"four");
        console.flush();
        assert_eq!(text(console, read), "web | one\nweb | two\ndatabase | three\nweb      | four\n");
    }

    #[test]
    fn names_to_come_have_room() {
        let (read, write) = pipe().unwrap();
        let mut console = Console::new(write, Paint::None, 8);
        console.say("web", Level(6), b"one");
        console.flush();
        assert_eq!(text(console, std::fs::File::from(read)), "web      | one\n");
    }

    #[test]
    fn a_terminal_has_colours() {
        let (mut console, read) = console(Paint::Colours);
        console.say("web", Level(3), b"bad");
        console.say("db", Level(6), b"good");
        console.say("web", Level(6), b"good");
        console.flush();
        let (first, second) = (COLOURS[0].render_fg(), COLOURS[1].render_fg());
        let expected = format!(
            "{first}web |\u{1b}[0m \u{1b}[31mbad\u{1b}[0m\n{second}db  |\u{1b}[0m good\n{first}web |\u{1b}[0m good\n"
        );
        assert_eq!(text(console, read), expected);
    }

    #[test]
    fn a_slow_console_is_told_what_it_missed() {
        let (mut console, mut read) = console(Paint::None);
        let line = vec![b'x'; 10_000];
        for _ in 0..200 {
            console.say("web", Level(6), &line);
            console.flush();
        }
        assert!(console.waiting.len() <= limits::WAITING + 2 * line.len());
        let dropped = console.dropped;
        assert!(dropped > 50, "{dropped}");
        let reader = std::thread::spawn(move || {
            let mut text = String::new();
            std::io::Read::read_to_string(&mut read, &mut text).unwrap();
            text
        });
        while console.is_waiting() {
            console.flush();
        }
        console.say("web", Level(6), b"last");
        console.flush();
        drop(console);
        let text = reader.join().unwrap();
        let kept = text.lines().filter(|line| line.starts_with("web | xxx")).count() as u64;
        assert_eq!(kept + dropped, 200);
        assert!(text.contains(&format!("eudaemon: {dropped} lines dropped")), "told");
        assert!(text.ends_with("web | last\n"));
    }
}
