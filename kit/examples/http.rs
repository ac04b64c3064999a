//! An HTTP server that is restarted without a failed request: its listening socket stays with the service manager.
//!
//! ```text
//! [Service]
//! Type=notify
//! ExecStart=/usr/local/bin/http
//! FileDescriptorStoreMax=1
//! ```
//! While it is down, connections wait in the socket's queue. On its way down it answers what was asked on open
//! connections, and says with each answer that it is the last.

use eudaemon_kit::{Daemon, Handle, Life, Moment, Result, Socket};
use std::io::{ErrorKind, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::os::fd::AsFd;
use std::process::ExitCode;
use std::time::{Duration, Instant};

/// How long a connection on which nobody asks anything stays open on the way down.
const LAST_CALL: Duration = Duration::from_secs(1);
/// How long nobody is taken in when there are no descriptors for more: they would still be missing at once.
const REST: Duration = Duration::from_millis(100);
/// How often an idle connection looks whether the way is down.
const LOOK: Duration = Duration::from_millis(100);
/// The longest request, in bytes: there is nothing here to ask for at length.
const LONGEST: usize = 16 * 1024;

pub fn main() -> ExitCode {
    Daemon::new("http").socket(Socket::tcp("http", "127.0.0.1:8080")).run(serve)
}

fn serve(life: &mut Life) -> Result<()> {
    let listener = life.tcp("http")?;
    // Whoever is first in accept() gets the connection; the others must not wait there.
    listener.set_nonblocking(true).ok();
    life.store("http", &listener)?;
    life.ready()?;
    let handle = life.handle();
    let mut rest = None;
    loop {
        let listening = [listener.as_fd()];
        let asked = if rest.is_none() { &listening[..] } else { &[] };
        match life.wait_for(asked, rest.take())? {
            Moment::Readable(_) => match take_in(&listener, &handle) {
                Err(error) if error.kind() != ErrorKind::WouldBlock => rest = Some(REST),
                Ok(()) | Err(_) => {}
            },
            Moment::Reload(reload) => reload.done(),
            Moment::Stop => return Ok(()),
            Moment::TimeOver => {}
        }
    }
}

/// Takes in all that wait.
fn take_in(listener: &TcpListener, handle: &Handle) -> std::io::Result<()> {
    loop {
        let (stream, _) = listener.accept()?;
        let this = handle.clone();
        // One that hangs up in the middle is no failure of ours, and without threads there is no answer.
        handle.spawn(move || answer(&stream, &this).unwrap_or_default()).ok();
    }
}

/// Answers request after request.
fn answer(mut stream: &TcpStream, handle: &Handle) -> std::io::Result<()> {
    stream.set_nodelay(true)?;
    stream.set_read_timeout(Some(LOOK))?;
    let mut request = Vec::new();
    let mut idle_on_the_way_down = None;
    loop {
        let mut part = [0; 4096];
        match stream.read(&mut part) {
            Ok(0) => return Ok(()),
            Ok(length) => request.extend_from_slice(&part[..length]),
            Err(error) if matches!(error.kind(), ErrorKind::WouldBlock | ErrorKind::TimedOut) => {
                let since = idle_on_the_way_down.get_or_insert_with(Instant::now);
                if !handle.is_stopping() {
                    idle_on_the_way_down = None;
                } else if since.elapsed() >= LAST_CALL {
                    return Ok(());
                }
            }
            // A signal that another thread is to have may come by here.
            Err(error) if error.kind() == ErrorKind::Interrupted => {}
            Err(error) => return Err(error),
        }
        while let Some(end) = request.windows(4).position(|bytes| bytes == b"\r\n\r\n") {
            request.drain(..end + 4);
            let last = handle.is_stopping();
            let connection = if last { "close" } else { "keep-alive" };
            let text = "hello\n";
            let answer = format!(
                "HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\nContent-Length: {}\r\nConnection: {connection}\r\n\r\n{text}",
                text.len()
            );
            stream.write_all(answer.as_bytes())?;
            if last {
                return Ok(());
            }
        }
        if request.len() > LONGEST {
            return stream
                .write_all(b"HTTP/1.1 431 Request Header Fields Too Large\r\nConnection: close\r\n\r\n");
        }
    }
}
