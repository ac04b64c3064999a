//! On a bus: the real dbus-daemon between us and the client.

use super::{Directory, run};
use crate::table::{Table, name, turn};
use eudaemon_bus::Server;
use eudaemon_engine::api::Ownership;
use std::path::Path;
use std::pin::pin;
use std::process::{Child, Command, Stdio};
use std::time::Duration;
use zbus::export::futures_core::Stream;
use zbus::{Connection, Message, MessageStream};

const MANAGER: &str = "org.freedesktop.systemd1.Manager";
const PATH: &str = "/org/freedesktop/systemd1";
const US: &str = "org.freedesktop.systemd1";

struct Daemon(Child);

impl Daemon {
    /// `None`: there is no dbus-daemon here.
    fn start(directory: &Directory) -> Option<Daemon> {
        let services = directory.at("services");
        std::fs::create_dir_all(&services).expect("a directory");
        for (name, unit) in
            [("org.example.Also", "t-also.service"), ("org.example.Masked", "t-masked.service")]
        {
            let text = format!("[D-BUS Service]\nName={name}\nExec=/bin/false\nSystemdService={unit}\n");
            std::fs::write(services.join(format!("{name}.service")), text).expect("a service file");
        }
        let config = format!(
            "<busconfig><type>session</type><listen>unix:path={}</listen><servicedir>{}</servicedir>\
             <policy context='default'><allow send_destination='*' eavesdrop='true'/><allow eavesdrop='true'/>\
             <allow own='*'/></policy></busconfig>",
            directory.at("bus").display(),
            services.display()
        );
        let file = directory.at("bus.conf");
        std::fs::write(&file, config).expect("the configuration");
        let mut command = Command::new("dbus-daemon");
        command.arg(format!("--config-file={}", file.display())).args(["--nofork", "--systemd-activation"]);
        command.stdout(Stdio::null()).stderr(Stdio::null()).spawn().ok().map(Daemon)
    }
}

impl Drop for Daemon {
    fn drop(&mut self) {
        self.0.kill().expect("the daemon is ours");
        self.0.wait().expect("and is reaped");
    }
}

async fn connect(path: &Path) -> Connection {
    let address = format!("unix:path={}", path.display());
    loop {
        match zbus::connection::Builder::address(address.as_str()).build().await {
            Ok(connection) => return connection,
            Err(_) => tokio::time::sleep(Duration::from_millis(20)).await,
        }
    }
}

/// Serves while the client works.
async fn beside<T>(server: &mut Server, table: &mut Table, work: impl Future<Output = T>) -> T {
    let mut work = pin!(work);
    let serving = async {
        loop {
            tokio::select! {
                done = &mut work => return done,
                incoming = server.next() => {
                    server.serve(table, incoming);
                    turn(server, table);
                }
            }
        }
    };
    tokio::time::timeout(Duration::from_secs(30), serving).await.expect("it does not take for ever")
}

async fn owned(connection: &Connection) {
    loop {
        let body = (US,);
        let dbus = Some("org.freedesktop.DBus");
        let reply = connection.call_method(dbus, "/org/freedesktop/DBus", dbus, "NameHasOwner", &body).await;
        if reply.expect("the daemon answers").body().deserialize::<bool>().expect("a boolean") {
            return;
        }
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
}

async fn manager<B>(connection: &Connection, member: &str, body: &B) -> zbus::Result<Message>
where
    B: serde::Serialize + zbus::wire::DynamicType,
{
    connection.call_method(Some(US), PATH, Some(MANAGER), member, body).await
}

async fn next(stream: &mut MessageStream) -> Message {
    let message = std::future::poll_fn(|cx| std::pin::Pin::new(&mut *stream).poll_next(cx)).await;
    message.expect("the stream goes on").expect("a message")
}

#[test]
fn on_the_bus() {
    let directory = Directory::new("bus");
    let Some(daemon) = Daemon::start(&directory) else {
        println!("SKIPPED: the system bus (there is no dbus-daemon)");
        return;
    };
    run(async {
        let client = connect(&directory.at("bus")).await;
        let mut server = Server::new(rustix::process::getuid().as_raw());
        let mut table = Table::new();
        server.watch_name("org.example.Name");
        server.bus_is_up(directory.at("bus"));
        let heard = beside(&mut server, &mut table, async {
            owned(&client).await;
            a_call_is_answered(&client).await;
            activation(&client).await;
            signals(&client).await
        })
        .await;
        assert_eq!(heard, ["JobNew", "PropertiesChanged", "PropertiesChanged", "JobRemoved"]);
        names(&mut server, &mut table, &client).await;
        drop(daemon);
        // The daemon is gone: nothing waits for it, and private work goes on.
        beside(&mut server, &mut table, client.closed()).await;
        assert!(table.owners.iter().any(|(_, owner)| *owner == Ownership::Owned));
    });
}

async fn a_call_is_answered(client: &Connection) {
    let reply = manager(client, "GetUnit", &("t-simple.service",)).await.expect("a unit");
    let header = reply.header();
    assert!(header.sender().is_some_and(|sender| sender.starts_with(':')), "the daemon names the sender");
    let twice = [
        manager(client, "Subscribe", &()).await.is_ok(),
        manager(client, "Subscribe", &()).await.is_err(),
        manager(client, "Unsubscribe", &()).await.is_ok(),
        manager(client, "Unsubscribe", &()).await.is_err(),
    ];
    assert_eq!(twice, [true; 4], "subscribing is once at a time");
}

/// The daemon asks us to start a unit; what cannot be started is said at once.
async fn activation(client: &Connection) {
    let dbus = Some("org.freedesktop.DBus");
    let body = ("org.example.Masked", 0_u32);
    let reply = client.call_method(dbus, "/org/freedesktop/DBus", dbus, "StartServiceByName", &body).await;
    match reply {
        Err(zbus::Error::MethodError(name, text, _)) => {
            assert_eq!(name.as_str(), "org.freedesktop.systemd1.UnitMasked");
            assert!(text.is_some_and(|text| text.contains("t-masked.service is masked")));
        }
        other => panic!("expected the unit to be masked: {other:?}"),
    }
}

async fn signals(client: &Connection) -> Vec<String> {
    let mut stream = MessageStream::from(client);
    let rule = (format!("type='signal',sender='{US}'"),);
    let dbus = Some("org.freedesktop.DBus");
    client.call_method(dbus, "/org/freedesktop/DBus", dbus, "AddMatch", &rule).await.expect("a match");
    manager(client, "Subscribe", &()).await.expect("a subscription");
    manager(client, "StartUnit", &("t-also.service", "replace")).await.expect("a job");
    let mut heard = Vec::new();
    while heard.last().is_none_or(|last| last != "JobRemoved") {
        let message = next(&mut stream).await;
        let header = message.header();
        let ours = header.interface().is_some_and(|interface| interface.as_str() != "org.freedesktop.DBus");
        if message.message_type() == zbus::message::Type::Signal && ours {
            heard.extend(header.member().map(|member| member.to_string()));
        }
    }
    heard.retain(|member| member != "UnitNew");
    heard
}

async fn names(server: &mut Server, table: &mut Table, client: &Connection) {
    assert_eq!(table.owners, [("org.example.Name".to_owned(), Ownership::Free)]);
    let body = ("org.example.Name", 0_u32);
    let dbus = Some("org.freedesktop.DBus");
    let request = client.call_method(dbus, "/org/freedesktop/DBus", dbus, "RequestName", &body);
    beside(server, table, request).await.expect("the name");
    // The report is on its way behind the reply to this client.
    while table.owners.len() < 2 {
        let incoming = server.next().await;
        server.serve(table, incoming);
    }
    assert_eq!(table.owners[1].1, Ownership::Owned);
    assert!(table.units_hold(&name("t-also.service")), "what the bus asked for was started");
}
