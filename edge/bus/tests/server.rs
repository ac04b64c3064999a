//! The server as a client of any make sees it: what it says of itself, how it refuses, and what it endures.

mod table;

#[path = "server/errors.rs"]
mod errors;
#[path = "server/interface.rs"]
mod interface;
#[path = "server/limits.rs"]
mod limits;
#[path = "server/measure.rs"]
mod measure;
#[path = "server/parts.rs"]
mod parts;
#[path = "server/system_bus.rs"]
mod system_bus;

use std::os::unix::net::UnixStream;
use std::path::PathBuf;
use table::{Background, Table};
use zbus::Connection;

/// A directory of its own, gone at the end.
struct Directory(PathBuf);

impl Directory {
    fn new(name: &str) -> Directory {
        let path = std::env::temp_dir().join(format!("eudaemon-bus-{}-{name}", std::process::id()));
        std::fs::create_dir_all(&path).expect("a temporary directory");
        Directory(path)
    }

    fn at(&self, name: &str) -> PathBuf {
        self.0.join(name)
    }
}

impl Drop for Directory {
    fn drop(&mut self) {
        std::fs::remove_dir_all(&self.0).expect("the temporary directory can be removed");
    }
}

fn run<T>(work: impl Future<Output = T>) -> T {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime");
    runtime.block_on(work)
}

/// A private connection to a server over the usual table.
fn with_connection<T>(name: &str, work: impl AsyncFnOnce(&Connection) -> T) -> T {
    let directory = Directory::new(name);
    let owner = rustix::process::getuid().as_raw();
    let server = Background::start(&directory.at("private"), owner, Table::new);
    let stream = UnixStream::connect(directory.at("private")).expect("it accepts");
    stream.set_nonblocking(true).expect("a socket");
    let result = run(async {
        let connection =
            zbus::connection::Builder::unix_stream(stream).p2p().build().await.expect("it authenticates");
        work(&connection).await
    });
    drop(server);
    result
}
