//! What is too much for one turn.

use super::{Directory, run};
use crate::table::{Table, name};
use eudaemon_bus::Server;
use eudaemon_engine::api::{Announcement, JobId, JobKind, JobResult};
use std::os::unix::net::{UnixListener, UnixStream};
use std::pin::{Pin, pin};
use std::time::Duration;
use zbus::MessageStream;

const UNITS: usize = 500;

/// A turn of the server's loop, with as many turns of its connections as they want.
async fn serve(server: &mut Server, table: &mut Table) {
    while let Ok(incoming) = tokio::time::timeout(Duration::from_millis(1), server.next()).await {
        server.serve(table, incoming);
    }
}

#[test]
fn changes_of_many_units_are_told_over_some_turns_and_none_is_lost() {
    let directory = Directory::new("parts");
    let listener = UnixListener::bind(directory.at("private")).expect("the socket can be bound");
    run(async {
        let mut table = Table::many(UNITS);
        let mut server = Server::new(rustix::process::getuid().as_raw());
        server.listen(listener).expect("it listens");
        let stream = UnixStream::connect(directory.at("private")).expect("it accepts");
        stream.set_nonblocking(true).expect("a socket");
        let mut connecting = pin!(zbus::connection::Builder::unix_stream(stream).p2p().build());
        let connection = loop {
            tokio::select! {
                connection = &mut connecting => break connection.expect("it authenticates"),
                () = serve(&mut server, &mut table) => {}
            }
        };
        let mut heard = MessageStream::from(&connection);
        serve(&mut server, &mut table).await;
        for number in 0..UNITS {
            server.hear(&Announcement::UnitChanged(name(&format!("s{number}.service"))));
        }
        let unit = name("s99.service");
        server.hear(&Announcement::JobRemoved {
            job: JobId(7),
            unit,
            kind: JobKind::Start,
            result: JobResult::Done,
        });
        let mut turns = 1;
        server.flush(&table);
        while server.is_behind() {
            server.flush(&table);
            turns += 1;
        }
        assert!((5..=UNITS / 10).contains(&turns), "{turns} turns");
        let mut told = Vec::new();
        while told.len() < 2 * UNITS + 1 {
            let next = std::future::poll_fn(|cx| {
                use zbus::export::futures_core::Stream;
                Pin::new(&mut heard).poll_next(cx)
            });
            let message = tokio::time::timeout(Duration::from_secs(30), next).await;
            let message = message.expect("in time").expect("the stream goes on").expect("a message");
            let header = message.header();
            let what = header.member().expect("a member").to_string();
            told.push((what, header.path().expect("a path").to_string()));
        }
        let place = |what: &str, path: &str| told.iter().position(|one| *one == (what.into(), path.into()));
        let job = place("JobRemoved", "/org/freedesktop/systemd1").expect("the job is told");
        for number in 0..UNITS {
            let path = format!("/org/freedesktop/systemd1/unit/s{number}_2eservice");
            let first = place("PropertiesChanged", &path).expect("each unit is told");
            assert_eq!(told.iter().filter(|(_, at)| *at == path).count(), 2, "{path}");
            assert!(number != 99 || first < job, "what is said of a unit's job comes after its changes");
        }
        assert!(job < 2 * UNITS, "a job's end does not wait for the changes of others");
    });
}
