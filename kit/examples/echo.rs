//! An echo server: `echo [--daemon]`, on 127.0.0.1:7007 unless sockets are handed over; from inetd too.
//!
//! ```text
//! cargo run -p eudaemon-kit --example echo
//! nc 127.0.0.1 7007
//! ```

use eudaemon_kit::{Daemon, Life, Moment, Result, Socket};
use std::io;
use std::net::TcpStream;
use std::os::fd::AsFd;
use std::process::ExitCode;
use std::time::Duration;

/// How long nobody is asked in when there are no descriptors for more: they would still be missing at once.
const REST: Duration = Duration::from_millis(100);

pub fn main() -> ExitCode {
    Daemon::new("echo").socket(Socket::tcp("echo", "127.0.0.1:7007")).run(serve)
}

fn serve(life: &mut Life) -> Result<()> {
    if let Some(only) = life.sockets().connection() {
        echo(TcpStream::from(only));
        return Ok(());
    }
    let listener = life.tcp("echo")?;
    // A client that is gone again must not keep us waiting.
    listener.set_nonblocking(true).unwrap_or_default();
    life.ready()?;
    let handle = life.handle();
    let mut rest = None;
    loop {
        let listening = [listener.as_fd()];
        let asked = if rest.is_none() { &listening[..] } else { &[] };
        match life.wait_for(asked, rest.take())? {
            Moment::Readable(_) => match listener.accept() {
                // A stop waits for those who are being served.
                Ok((stream, _)) => drop(handle.spawn(move || echo(stream))),
                // Whoever asked may be gone again.
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => {}
                Err(_) => rest = Some(REST),
            },
            // There is nothing to read again.
            Moment::Reload(reload) => reload.done(),
            Moment::Stop => return Ok(()),
            Moment::TimeOver => {}
        }
    }
}

fn echo(stream: TcpStream) {
    stream.set_nonblocking(false).unwrap_or_default();
    if let Ok(mut back) = stream.try_clone() {
        // One that hangs up in the middle is no failure of ours.
        io::copy(&mut &stream, &mut back).ok();
    }
}
