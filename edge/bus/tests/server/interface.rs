//! Every interface is complete in names and exact in signatures: against our own copy of what systemd 252 says,
//! against its introspection data where that is at hand, and value by value.

use super::with_connection;
use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use zbus::{Connection, OwnedVariant};

const OBJECTS: &[(&str, &str)] = &[
    ("Manager", "/org/freedesktop/systemd1"),
    ("LogControl1", "/org/freedesktop/LogControl1"),
    ("Service", "/org/freedesktop/systemd1/unit/t_2dsimple_2eservice"),
    ("Socket", "/org/freedesktop/systemd1/unit/t_2dsock_2esocket"),
    ("Target", "/org/freedesktop/systemd1/unit/multi_2duser_2etarget"),
    ("Slice", "/org/freedesktop/systemd1/unit/t_2dsl_2eslice"),
    ("Scope", "/org/freedesktop/systemd1/unit/x_2escope"),
    ("Mount", "/org/freedesktop/systemd1/unit/mnt_2dtm_2emount"),
    ("Timer", "/org/freedesktop/systemd1/unit/t_2dtim_2etimer"),
    ("Path", "/org/freedesktop/systemd1/unit/t_2dpath_2epath"),
    ("Automount", "/org/freedesktop/systemd1/unit/proc_2dx_2eautomount"),
    ("Swap", "/org/freedesktop/systemd1/unit/dev_2dx_2eswap"),
    ("Device", "/org/freedesktop/systemd1/unit/dev_2dfoo_2edevice"),
    ("Job", "/org/freedesktop/systemd1/job/1"),
];

async fn introspect(connection: &Connection, path: &str) -> String {
    let reply = connection
        .call_method(None::<&str>, path, Some("org.freedesktop.DBus.Introspectable"), "Introspect", &())
        .await
        .expect("it can be introspected");
    reply.body().deserialize::<String>().expect("XML")
}

/// A job that does not end, so that there is one to look at.
async fn queue_a_job(connection: &Connection) {
    let start = ("t-slow.service", "replace");
    let manager = Some("org.freedesktop.systemd1.Manager");
    connection.call_method(None::<&str>, OBJECTS[0].1, manager, "StartUnit", &start).await.expect("a job");
}

/// XML as lines, one for each member: interface, sort, name, signature, words about it.
fn members(xml: &str) -> BTreeSet<String> {
    let mut lines = BTreeSet::new();
    let (mut interface, mut member) = (String::new(), Member::default());
    for tag in xml.split('<').skip(1) {
        let attribute = |name: &str| {
            let (_, rest) = tag.split_once(&format!("{name}=\""))?;
            rest.split_once('"').map(|(value, _)| value.to_owned())
        };
        let ends = tag.split('>').next().is_some_and(|tag| tag.ends_with('/'));
        let word = tag.split([' ', '>', '/']).next().unwrap_or_default();
        match word {
            "interface" => interface = attribute("name").unwrap_or_default(),
            "method" | "signal" | "property" => {
                member = Member {
                    sort: word.to_owned(),
                    name: attribute("name").unwrap_or_default(),
                    takes: attribute("type").unwrap_or_default(),
                    words: attribute("access").into_iter().collect(),
                    ..Member::default()
                };
                if ends {
                    lines.insert(member.line(&interface));
                }
            }
            "arg" => {
                let signature = attribute("type").unwrap_or_default();
                match attribute("direction").as_deref() {
                    Some("out") => member.gives.push_str(&signature),
                    _ => member.takes.push_str(&signature),
                }
                member.words.extend(attribute("name"));
            }
            "annotation" => {
                let name = attribute("name").unwrap_or_default();
                let name = name.rsplit('.').next().unwrap_or_default();
                member.annotations.insert(format!("{name}={}", attribute("value").unwrap_or_default()));
            }
            "" if !member.name.is_empty()
                && tag.starts_with('/')
                && !tag.starts_with("/i")
                && !tag.starts_with("/n") =>
            {
                lines.insert(member.line(&interface));
                member = Member::default();
            }
            _ => {}
        }
    }
    lines
}

#[derive(Default)]
struct Member {
    sort: String,
    name: String,
    takes: String,
    gives: String,
    words: Vec<String>,
    annotations: BTreeSet<String>,
}

impl Member {
    fn line(&self, interface: &str) -> String {
        let signature = match self.sort.as_str() {
            "method" => format!("{}->{}", self.takes, self.gives),
            _ => self.takes.clone(),
        };
        let annotations = self.annotations.iter().cloned().collect::<Vec<_>>().join(" ");
        let words = self.words.join(" ");
        format!("{interface}\t{}\t{}\t{signature}\t{words}\t{annotations}", self.sort, self.name)
    }
}

fn shared() -> Option<PathBuf> {
    let default = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../../shared");
    let path = std::env::var_os("EUDAEMON_SHARED").map_or(default, PathBuf::from);
    path.join("contract/dbus").is_dir().then_some(path)
}

fn all_members(connection_name: &str) -> BTreeMap<&'static str, BTreeSet<String>> {
    with_connection(connection_name, async |connection| {
        queue_a_job(connection).await;
        let mut all = BTreeMap::new();
        for (kind, path) in OBJECTS {
            all.insert(*kind, members(&introspect(connection, path).await));
        }
        all
    })
}

/// Our extensions have an interface of their own, which nobody gets who does not ask for it by name.
fn is_ours_alone(line: &str) -> bool {
    line.starts_with("org.eudaemon1.")
}

#[test]
fn our_own_copy_of_the_interface() {
    let ours: BTreeSet<String> = all_members("copy").into_values().flatten().collect();
    let ours: String = ours.iter().map(|line| format!("{line}\n")).collect();
    expect_test::expect_file!["interface.tsv"].assert_eq(&ours);
}

#[test]
fn systemds_introspection_data() {
    let Some(shared) = shared() else {
        println!("SKIPPED: comparison with systemd's introspection data (it is not at hand)");
        return;
    };
    for (kind, ours) in all_members("xml") {
        let xml = std::fs::read_to_string(shared.join(format!("contract/dbus/{kind}.xml"))).expect("the XML");
        let theirs = members(&xml);
        let missing: Vec<_> = theirs.difference(&ours).collect();
        let beyond: Vec<_> = ours.difference(&theirs).filter(|line| !is_ours_alone(line)).collect();
        assert!(missing.is_empty() && beyond.is_empty(), "{kind}: missing {missing:#?}, beyond {beyond:#?}");
    }
}

#[test]
fn vectors_of_the_interface() {
    let vectors =
        shared().and_then(|shared| std::fs::read_to_string(shared.join("vectors/dbus-interface.tsv")).ok());
    let Some(vectors) = vectors else {
        println!("SKIPPED: vectors of the interface (they are not at hand)");
        return;
    };
    let ours: BTreeSet<String> = all_members("vectors").into_values().flatten().collect();
    let wanted = vectors.lines().skip(1).filter_map(|line| {
        let cells: Vec<&str> = line.split('\t').collect();
        Some(cells.get(2..8)?.join("\t"))
    });
    let missing: Vec<String> = wanted.filter(|row| !ours.contains(row)).collect();
    assert!(missing.is_empty(), "{} rows are not served: {missing:#?}", missing.len());
}

/// What systemctl crashes on: a value that is not of the signature it is said to be.
#[test]
fn values_are_of_their_signature() {
    with_connection("values", async |connection| {
        queue_a_job(connection).await;
        for (kind, path) in OBJECTS {
            let said = members(&introspect(connection, path).await);
            let properties = said.iter().filter(|line| !is_ours_alone(line)).filter_map(|line| {
                let cells: Vec<&str> = line.split('\t').collect();
                (cells[1] == "property").then(|| (cells[2].to_owned(), cells[3].to_owned()))
            });
            let properties: BTreeMap<String, String> = properties.collect();
            let reply = connection
                .call_method(None::<&str>, *path, Some("org.freedesktop.DBus.Properties"), "GetAll", &("",))
                .await
                .expect("all properties");
            let values: BTreeMap<String, OwnedVariant> = reply.body().deserialize().expect("a{sv}");
            let given: BTreeMap<String, String> = values
                .iter()
                .map(|(name, value)| (name.clone(), value.value_signature().to_string()))
                .collect();
            assert_eq!(given, properties, "{kind}");
        }
    });
}
