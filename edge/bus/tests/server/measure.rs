//! What it costs, printed: `cargo test --release -p eudaemon-bus --test server measure -- --ignored --nocapture`.

use super::{Directory, run};
use crate::table::{Background, Table};
use std::os::unix::net::UnixStream;
use std::time::Instant;
use zbus::Connection;

const UNITS: usize = 1_000;

fn resident_kib() -> u64 {
    let status = std::fs::read_to_string("/proc/self/status").expect("/proc");
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:")).expect("VmRSS");
    line.trim().trim_end_matches(" kB").parse().expect("a number")
}

async fn get_all(connection: &Connection, number: usize) -> usize {
    let path = format!("/org/freedesktop/systemd1/unit/s{number}_2eservice");
    let properties = Some("org.freedesktop.DBus.Properties");
    let reply = connection.call_method(None::<&str>, path.as_str(), properties, "GetAll", &("",)).await;
    reply.expect("all properties").body().len()
}

#[test]
#[ignore = "a measurement"]
fn measure() {
    let directory = Directory::new("measure");
    let owner = rustix::process::getuid().as_raw();
    let server = Background::start(&directory.at("private"), owner, || Table::many(UNITS));
    let stream = UnixStream::connect(directory.at("private")).expect("it accepts");
    stream.set_nonblocking(true).expect("a socket");
    run(async {
        let connection =
            zbus::connection::Builder::unix_stream(stream).p2p().build().await.expect("authenticated");
        get_all(&connection, 0).await;
        let before = resident_kib();
        let start = Instant::now();
        let mut bytes = 0;
        for number in 0..UNITS {
            bytes += get_all(&connection, number).await;
        }
        let each = start.elapsed() / UNITS as u32;
        println!("GetAll of {UNITS} services: {each:?} and {} bytes each, there and back", bytes / UNITS);
        println!("resident: {before} KiB before, {} KiB after", resident_kib());
        let start = Instant::now();
        for number in 0..UNITS {
            let path = format!("/org/freedesktop/systemd1/unit/s{number}_2eservice");
            let body = ("org.freedesktop.systemd1.Unit", "ActiveState");
            let properties = Some("org.freedesktop.DBus.Properties");
            connection
                .call_method(None::<&str>, path.as_str(), properties, "Get", &body)
                .await
                .expect("a state");
        }
        println!("Get of one property: {:?}", start.elapsed() / UNITS as u32);
        let start = Instant::now();
        let manager = Some("org.freedesktop.systemd1.Manager");
        let reply = connection
            .call_method(None::<&str>, "/org/freedesktop/systemd1", manager, "ListUnits", &())
            .await;
        let bytes = reply.expect("the list").body().len();
        println!("ListUnits of {UNITS}: {:?}, {bytes} bytes", start.elapsed());
    });
    drop(server);
}
