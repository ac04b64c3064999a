//! SASL EXTERNAL, the server's part, without a socket: bytes in, bytes out.
//!
//! Three habits are served: sd-bus sends everything up to `BEGIN` (and its first message) in one write and
//! wants `DATA`, `OK`, `AGREE_UNIX_FD` back; godbus goes step by step and begins with a bare `AUTH`; libdbus,
//! GDBus and others send their uid in hex with `AUTH EXTERNAL`. D-Bus specification, "Authentication Protocol".

use crate::limits;

/// Who may pass: the kernel has told the peer's uid, what the peer says must only agree with it.
#[derive(Debug)]
pub struct Auth {
    uid: u32,
    guid: String,
    seen: usize,
    pending: Vec<u8>,
    state: State,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum State {
    Nul,
    Command,
    Data,
    Authenticated,
}

#[derive(Debug, PartialEq, Eq)]
pub enum Step {
    /// Answer this, and go on reading.
    More(Vec<u8>),
    /// Answer this; then messages begin, the first bytes of which were read already.
    Begin { answer: Vec<u8>, rest: Vec<u8> },
    /// Hang up.
    Refused,
}

impl Auth {
    pub fn new(uid: u32, guid: String) -> Auth {
        Auth { uid, guid, seen: 0, pending: Vec::new(), state: State::Nul }
    }

    pub fn feed(&mut self, bytes: &[u8]) -> Step {
        let mut bytes = bytes;
        if self.state == State::Nul {
            match bytes.split_first() {
                None => return Step::More(Vec::new()),
                Some((0, rest)) => bytes = rest,
                Some(_) => return Step::Refused,
            }
            self.state = State::Command;
        }
        self.pending.extend_from_slice(bytes);
        let mut answer = Vec::new();
        while let Some(end) = self.pending.windows(2).position(|pair| pair == b"\r\n") {
            self.seen += end + 2;
            if self.seen > limits::AUTH_BYTES {
                return Step::Refused;
            }
            let line: Vec<u8> = self.pending.drain(..end + 2).take(end).collect();
            match self.command(&line) {
                Some(reply) => answer.extend_from_slice(&reply),
                None if self.state == State::Authenticated => {
                    return Step::Begin { answer, rest: std::mem::take(&mut self.pending) };
                }
                None => return Step::Refused,
            }
        }
        if self.seen + self.pending.len() > limits::AUTH_BYTES { Step::Refused } else { Step::More(answer) }
    }

    /// `None`: `BEGIN`, rightly or (not yet authenticated) wrongly.
    fn command(&mut self, line: &[u8]) -> Option<Vec<u8>> {
        let mut words = line.split(|byte| *byte == b' ');
        let (word, first, second) = (words.next().unwrap_or_default(), words.next(), words.next());
        Some(match word {
            b"AUTH" if self.state != State::Authenticated => match (first, second) {
                (Some(b"EXTERNAL"), None) => {
                    self.state = State::Data;
                    b"DATA\r\n".to_vec()
                }
                (Some(b"EXTERNAL"), Some(said)) => self.judge(said),
                _ => self.rejected(),
            },
            b"DATA" if self.state == State::Data => self.judge(first.unwrap_or_default()),
            b"NEGOTIATE_UNIX_FD" if self.state == State::Authenticated => b"AGREE_UNIX_FD\r\n".to_vec(),
            b"BEGIN" => return None,
            b"CANCEL" | b"ERROR" => self.rejected(),
            _ => b"ERROR\r\n".to_vec(),
        })
    }

    /// The identity the peer claims: none, or its uid in decimal, in hex digits.
    fn judge(&mut self, said: &[u8]) -> Vec<u8> {
        let claimed = unhex(said).and_then(|text| String::from_utf8(text).ok());
        let agrees = claimed.is_some_and(|text| text.is_empty() || text.parse() == Ok(self.uid));
        if !agrees {
            return self.rejected();
        }
        self.state = State::Authenticated;
        format!("OK {}\r\n", self.guid).into_bytes()
    }

    fn rejected(&mut self) -> Vec<u8> {
        self.state = State::Command;
        b"REJECTED EXTERNAL\r\n".to_vec()
    }
}

fn unhex(digits: &[u8]) -> Option<Vec<u8>> {
    let nibble = |digit: u8| (digit as char).to_digit(16);
    if !digits.len().is_multiple_of(2) {
        return None;
    }
    digits.chunks(2).map(|pair| Some((nibble(pair[0])? * 16 + nibble(pair[1])?) as u8)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use expect_test::{Expect, expect};

    /// Each `|` parts what arrives in one read.
    fn check(input: &str, expected: Expect) {
        let mut auth = Auth::new(1000, "0123".to_owned());
        let mut seen = String::new();
        for part in input.replace("\\0", "\0").replace('\n', "\r\n").split('|') {
            let said = match auth.feed(part.as_bytes()) {
                Step::More(answer) => String::from_utf8_lossy(&answer).into_owned(),
                Step::Begin { answer, rest } => {
                    format!("{}[begin, {} bytes of messages]\n", String::from_utf8_lossy(&answer), rest.len())
                }
                Step::Refused => "[hang up]\n".to_owned(),
            };
            seen.push_str(&said.replace('\r', ""));
        }
        expected.assert_eq(&seen);
    }

    #[test]
    fn sd_bus_sends_all_at_once() {
        check(
            "\\0AUTH EXTERNAL\nDATA\nNEGOTIATE_UNIX_FD\nBEGIN\nlxyz",
            expect![[r#"
                DATA
                OK 0123
                AGREE_UNIX_FD
                [begin, 4 bytes of messages]
            "#]],
        );
    }

    #[test]
    fn godbus_goes_step_by_step() {
        check(
            "\\0|AUTH\n|AUTH EXTERNAL\n|DATA\n|NEGOTIATE_UNIX_FD\n|BEG|IN\n",
            expect![[r#"
                REJECTED EXTERNAL
                DATA
                OK 0123
                AGREE_UNIX_FD
                [begin, 0 bytes of messages]
            "#]],
        );
    }

    #[test]
    fn libdbus_names_its_uid() {
        check(
            "\\0AUTH EXTERNAL 31303030\n|BEGIN\n",
            expect![[r#"
            OK 0123
            [begin, 0 bytes of messages]
        "#]],
        );
    }

    #[test]
    fn another_uid_is_rejected() {
        check(
            "\\0AUTH EXTERNAL 30\n|AUTH ANONYMOUS\n|AUTH EXTERNAL zz\n|BEGIN\n",
            expect![[r#"
            REJECTED EXTERNAL
            REJECTED EXTERNAL
            REJECTED EXTERNAL
            [hang up]
        "#]],
        );
    }

    #[test]
    fn nonsense_is_refused_and_bounded() {
        check(
            "AUTH\n",
            expect![[r#"
            [hang up]
        "#]],
        );
        check(
            "\\0HELLO\nNEGOTIATE_UNIX_FD\n",
            expect![[r#"
            ERROR
            ERROR
        "#]],
        );
        check(
            &format!("\\0{}", "x".repeat(5000)),
            expect![[r#"
            [hang up]
        "#]],
        );
    }
}
