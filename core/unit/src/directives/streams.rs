//! Directives of systemd.exec(5) about standard input, output and error.

use super::line::Want;
use super::{Draft, Line};
use crate::config::exec::Stdio;
use crate::limits::STDIN_TEXT_MAX;
use crate::specifier::Allowed;
use crate::values::words::{Escapes, Known, Quotes, Word, Words};

pub(super) fn standard_input(d: &mut Draft, l: &mut Line<'_>) {
    let stdio = match l.value {
        "null" => Some(Stdio::Null),
        "tty" => Some(Stdio::Tty),
        "tty-force" => Some(Stdio::TtyForce),
        "tty-fail" => Some(Stdio::TtyFail),
        "socket" => Some(Stdio::Socket),
        "data" => Some(Stdio::Text),
        _ => named_stream(l, "stdin"),
    };
    if let Some(stdio) = stdio {
        d.said.standard_input = Some(stdio);
    }
}

pub(super) fn standard_output(d: &mut Draft, l: &mut Line<'_>) {
    if let Some(stdio) = output(l, "stdout") {
        d.said.standard_output = Some(stdio);
    }
}

pub(super) fn standard_error(d: &mut Draft, l: &mut Line<'_>) {
    if let Some(stdio) = output(l, "stderr") {
        d.said.standard_error = Some(stdio);
    }
}

fn output(l: &mut Line<'_>, stream: &str) -> Option<Stdio> {
    let obsolete = |l: &mut Line<'_>, new: &str| {
        let what = "is obsolete, automatically updating to";
        let then = "Please update your unit file, and consider removing the setting altogether.";
        l.note(format!("Standard output type {} {what} {new}. {then}", l.value));
    };
    match l.value {
        "inherit" => Some(Stdio::Inherit),
        "null" => Some(Stdio::Null),
        "tty" => Some(Stdio::Tty),
        "journal" => Some(Stdio::Journal),
        "journal+console" => Some(Stdio::JournalConsole),
        "kmsg" => Some(Stdio::Kmsg),
        "kmsg+console" => Some(Stdio::KmsgConsole),
        "socket" => Some(Stdio::Socket),
        "syslog" => {
            obsolete(l, "journal");
            Some(Stdio::Journal)
        }
        "syslog+console" => {
            obsolete(l, "journal+console");
            Some(Stdio::JournalConsole)
        }
        _ => named_stream(l, stream),
    }
}

/// `fd`, `fd:NAME`, `file:PATH` and, for outputs, `append:PATH` and `truncate:PATH`.
fn named_stream(l: &mut Line<'_>, stream: &str) -> Option<Stdio> {
    if l.value == "fd" {
        return Some(Stdio::NamedFd(stream.to_owned()));
    }
    let (word, rest) = l.value.split_once(':').unwrap_or((l.value, ""));
    let make: fn(String) -> Stdio = match word {
        "fd" => Stdio::NamedFd,
        "file" => Stdio::File,
        "append" if stream != "stdin" => Stdio::Append,
        "truncate" if stream != "stdin" => Stdio::Truncate,
        _ => {
            l.unparsed(if stream == "stdin" { "input specifier" } else { "output specifier" });
            return None;
        }
    };
    if word == l.value && stream != "stdin" {
        // Taken, though there is nothing to open.
        return Some(make(String::new()));
    }
    let rest = l.expanded(rest, Allowed::All)?;
    if word == "fd" {
        let is_name = rest.len() <= 255 && !rest.contains(':') && !rest.chars().any(char::is_control);
        let name = if rest.is_empty() { stream.to_owned() } else { rest };
        return is_name.then_some(make(name));
    }
    match l.judge_path(&rest, Want::Absolute) {
        Ok(path) => Some(make(path)),
        Err(complaint) => {
            l.warn(complaint.replacen('@', "", 1));
            None
        }
    }
}

pub(super) fn input_text(d: &mut Draft, l: &mut Line<'_>) {
    if l.is_empty() {
        d.exec.standard_input_text.clear();
        return;
    }
    // One word: only the escapes mean something here, and white space is not taken from the sides twice.
    let bytes = l.value.replace(' ', "\\x20").replace('\t', "\\x09");
    let Some(Ok(Word { text, escapes: Known::All })) = Words::new(&bytes, Quotes::Kept, Escapes::C).next()
    else {
        let bad = crate::values::Bad::Syntax;
        l.warn(format!("Failed to decode C escaped text '{}', ignoring: {bad}", l.value));
        return;
    };
    let Some(mut text) = l.expanded(&text, Allowed::All) else { return };
    text.push('\n');
    add_input(d, l, text.as_bytes());
}

pub(super) fn input_data(d: &mut Draft, l: &mut Line<'_>) {
    if l.is_empty() {
        d.exec.standard_input_text.clear();
        return;
    }
    match base64(l.value) {
        Some(bytes) => add_input(d, l, &bytes),
        None => l.warn(format!("Failed to decode base64 data, ignoring: {}", l.value)),
    }
}

fn add_input(d: &mut Draft, l: &mut Line<'_>, bytes: &[u8]) {
    if d.exec.standard_input_text.len() + bytes.len() > STDIN_TEXT_MAX {
        l.warn(format!("Standard input data too large, ignoring: more than {STDIN_TEXT_MAX} bytes"));
        return;
    }
    d.exec.standard_input_text.extend_from_slice(bytes);
}

/// RFC 4648 with white space between.
pub(super) fn base64(text: &str) -> Option<Vec<u8>> {
    let mut out = Vec::new();
    let (mut bits, mut held, mut padding, mut digits) = (0u32, 0u32, 0, 0);
    for byte in text.bytes().filter(|byte| !byte.is_ascii_whitespace()) {
        let value = match byte {
            b'A'..=b'Z' => byte - b'A',
            b'a'..=b'z' => byte - b'a' + 26,
            b'0'..=b'9' => byte - b'0' + 52,
            b'+' => 62,
            b'/' => 63,
            b'=' => {
                padding += 1;
                continue;
            }
            _ => return None,
        };
        if padding > 0 {
            return None;
        }
        digits += 1;
        bits = (bits << 6 | u32::from(value)) & 0x00ff_ffff;
        held += 6;
        if held >= 8 {
            held -= 8;
            out.push((bits >> held) as u8);
        }
    }
    (padding <= 2 && (digits + padding) % 4 == 0).then_some(out)
}
