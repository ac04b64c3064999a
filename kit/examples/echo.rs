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

fn main() -> ExitCode {
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
    loop {
        match life.wait_for(&[listener.as_fd()], None)? {
            Moment::Readable(_) => {
                // Whoever asked may be gone again.
                let Ok((stream, _)) = listener.accept() else { continue };
                // A stop waits for those who are being served.
                handle.spawn(move || echo(stream)).ok();
            }
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
