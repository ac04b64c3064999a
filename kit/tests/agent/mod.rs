//! A Consul agent of the tests' own: it keeps what it was asked, and answers as it is told to.

use super::lives::SOON;
use std::io::{BufRead, BufReader, Read, Write};
use std::net::{SocketAddr, TcpListener};
use std::sync::mpsc::{Receiver, RecvTimeoutError, channel};
use std::thread;
use std::time::{Duration, Instant};

/// A sign of life, as it is asked for.
pub const SIGN: &str = "PUT /v1/agent/check/update/service:web-80 HTTP/1.1";

/// What was asked of the agent.
#[derive(Debug)]
pub struct Request {
    pub head: String,
    pub body: String,
}

impl Request {
    pub fn line(&self) -> &str {
        self.head.lines().next().unwrap_or_default()
    }
}

/// An agent that answers every request alike, or not at all.
pub struct Agent {
    pub requests: Receiver<Request>,
    pub at: SocketAddr,
    pub stop: TcpListener,
}

pub type Answers = fn(&Request) -> Option<(u16, &'static str)>;

pub fn fine(_: &Request) -> Option<(u16, &'static str)> {
    Some((200, ""))
}

impl Agent {
    pub fn start(answers: Answers) -> Agent {
        Agent::at(SocketAddr::from(([127, 0, 0, 1], 0)), answers)
    }

    pub fn at(address: SocketAddr, answers: Answers) -> Agent {
        let listener = TcpListener::bind(address).expect("a port");
        let (at, stop) = (listener.local_addr().expect("bound"), listener.try_clone().expect("a descriptor"));
        let (sender, requests) = channel();
        thread::spawn(move || {
            let mut kept = Vec::new();
            while let Ok((mut stream, _)) = listener.accept() {
                let Some(request) = read(&mut stream) else { return };
                let answer = answers(&request);
                sender.send(request).ok();
                match answer {
                    Some(answer) => say(&mut stream, answer),
                    None => kept.push(stream),
                }
            }
        });
        Agent { requests, at, stop }
    }

    pub fn variable(&self) -> (&'static str, String) {
        ("CONSUL_HTTP_ADDR", format!("http://{}", self.at))
    }

    /// The next request that is no sign of life.
    pub fn next(&self) -> Request {
        self.next_but(SIGN)
    }

    pub fn next_but(&self, passed_over: &str) -> Request {
        let end = Instant::now() + SOON;
        loop {
            let left = end.saturating_duration_since(Instant::now());
            let request = self.requests.recv_timeout(left).expect("a request");
            if request.line() != passed_over {
                return request;
            }
        }
    }

    pub fn sign(&self) -> Request {
        let request = self.requests.recv_timeout(SOON).expect("a request");
        assert_eq!(request.line(), SIGN);
        request
    }

    /// Whether nothing is asked for so long.
    pub fn is_quiet(&self, time: Duration) -> bool {
        matches!(self.requests.recv_timeout(time), Err(RecvTimeoutError::Timeout))
    }

    /// Ends it; its port can be taken again.
    pub fn end(self) -> SocketAddr {
        // Its thread is woken by a connection that says nothing.
        let at = self.at;
        drop(self.stop);
        drop(std::net::TcpStream::connect(at));
        let end = Instant::now() + SOON;
        while std::net::TcpStream::connect(at).is_ok() {
            assert!(Instant::now() < end, "the agent does not end");
        }
        at
    }
}

pub fn read(stream: &mut impl Read) -> Option<Request> {
    let mut reader = BufReader::new(stream);
    let mut head = String::new();
    while !head.ends_with("\r\n\r\n") {
        if reader.read_line(&mut head).ok()? == 0 {
            return None;
        }
    }
    let length = head
        .lines()
        .find_map(|line| line.to_ascii_lowercase().strip_prefix("content-length: ")?.parse().ok());
    let mut body = vec![0; length.unwrap_or(0)];
    reader.read_exact(&mut body).ok()?;
    Some(Request { head, body: String::from_utf8(body).ok()? })
}

pub fn say(stream: &mut impl Write, (status, text): (u16, &str)) {
    let length = text.len();
    write!(stream, "HTTP/1.1 {status} Words\r\nContent-Length: {length}\r\nConnection: close\r\n\r\n{text}")
        .ok();
}
