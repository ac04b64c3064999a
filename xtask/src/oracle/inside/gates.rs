//! The processes of the units: each says who it is on our socket and waits until it is told to go on.

use anyhow::{Context, Result};
use rustix::event::{PollFd, PollFlags, Timespec, poll};
use std::fs;
use std::io::{ErrorKind, Read, Write};
use std::os::unix::net::{UnixListener, UnixStream};
use std::time::Duration;

const SOCKET: &str = "/run/oracle/gate";

pub struct Gates {
    listener: UnixListener,
    gates: Vec<Gate>,
}

/// One process.
pub struct Gate {
    pub pid: i64,
    pub unit: String,
    /// Which command it is, `start` say; empty until it has spoken.
    pub what: String,
    stream: UnixStream,
    said: Vec<u8>,
}

impl Gates {
    pub fn open() -> Result<Gates> {
        fs::create_dir_all("/run/oracle")?;
        let listener = UnixListener::bind(SOCKET).context(SOCKET)?;
        listener.set_nonblocking(true)?;
        Ok(Gates { listener, gates: Vec::new() })
    }

    /// Those that wait, in an order that does not depend on who came first.
    pub fn waiting(&self) -> Vec<&Gate> {
        let mut waiting: Vec<&Gate> = self.gates.iter().filter(|gate| !gate.what.is_empty()).collect();
        waiting.sort_by_key(|gate| (&gate.unit, &gate.what, gate.pid));
        waiting
    }

    pub fn pids(&self) -> impl Iterator<Item = (i64, &str)> {
        self.gates.iter().map(|gate| (gate.pid, gate.unit.as_str()))
    }

    /// Lets one go on: a process of a service that notifies says first that it is ready, if it is to end well.
    pub fn release(&mut self, place: usize, code: u8) -> Result<()> {
        let Some(chosen) = self.waiting().get(place).map(|gate| gate.pid) else { return Ok(()) };
        let Some(gate) = self.gates.iter_mut().find(|gate| gate.pid == chosen) else { return Ok(()) };
        let notifies = gate.what == "notify" && code == 0;
        let order = if notifies { "ready\n".to_owned() } else { format!("exit {code}\n") };
        gate.what.clear();
        match gate.stream.write_all(order.as_bytes()) {
            Err(error) if error.kind() != ErrorKind::BrokenPipe => Err(error.into()),
            Ok(()) | Err(_) => Ok(()),
        }
    }

    /// Listens for a while, or until something is said.
    pub fn listen(&mut self, longest: Duration) -> Result<()> {
        let mut sources = vec![PollFd::new(&self.listener, PollFlags::IN)];
        sources.extend(self.gates.iter().map(|gate| PollFd::new(&gate.stream, PollFlags::IN)));
        let longest = Timespec::try_from(longest)?;
        poll(&mut sources, Some(&longest))?;
        loop {
            match self.listener.accept() {
                Ok((stream, _)) => self.gates.push(gate(stream)?),
                Err(error) if error.kind() == ErrorKind::WouldBlock => break,
                Err(error) => return Err(error.into()),
            }
        }
        self.gates.retain_mut(Gate::lives);
        Ok(())
    }
}

fn gate(stream: UnixStream) -> Result<Gate> {
    stream.set_nonblocking(true)?;
    let pid = i64::from(rustix::net::sockopt::socket_peercred(&stream)?.pid.as_raw_nonzero().get());
    Ok(Gate { pid, unit: String::new(), what: String::new(), stream, said: Vec::new() })
}

impl Gate {
    /// Reads what it says; answers whether it is still there.
    fn lives(&mut self) -> bool {
        let mut bytes = [0; 256];
        loop {
            match self.stream.read(&mut bytes) {
                Ok(0) => return false,
                Ok(count) => self.said.extend_from_slice(&bytes[..count]),
                Err(error) if error.kind() == ErrorKind::WouldBlock => break,
                Err(_) => return false,
            }
        }
        while let Some(end) = self.said.iter().position(|byte| *byte == b'\n') {
            let line: Vec<u8> = self.said.drain(..=end).collect();
            let line = String::from_utf8_lossy(&line);
            match line.trim_end().split_once(' ') {
                Some((unit, what)) => (self.unit, self.what) = (unit.to_owned(), what.to_owned()),
                None => self.what = line.trim_end().to_owned(),
            }
        }
        true
    }
}
