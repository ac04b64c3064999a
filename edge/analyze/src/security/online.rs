//! Services as a running manager has them. What it tells of one is written down as a unit file would say it, and read like one.

use crate::Options;
use crate::running::{list_units, reach};
use eudaemon_ctl::bus::{Client, Properties, Value};
use eudaemon_ctl::unit_name::{Globs, mangle, object_path};
use eudaemon_unit::config::Config;
use eudaemon_unit::files::{Found, Fragment};
use eudaemon_unit::merge::{Source, merge};
use eudaemon_unit::name::UnitName;
use eudaemon_unit::specifier::Context;
use eudaemon_unit::values::capability;
use std::fmt::Write;
use std::net::{Ipv4Addr, Ipv6Addr};

/// What a template is reviewed as.
const INSTANCE: &str = "test-instance";

/// All loaded services that stay: those that end by themselves are left out, as is what could not be loaded.
pub fn all(options: &Options) -> Result<Vec<Config>, String> {
    let mut client = reach(options)?;
    let mut names: Vec<String> = list_units(&mut client)?.into_iter().map(|unit| unit.name).collect();
    names.retain(|name| name.ends_with(".service"));
    names.sort();
    let mut configs = Vec::new();
    for name in names {
        let facts = ask(&mut client, &name)?;
        if facts.text("LoadState") == "loaded" && facts.text("Type") != "oneshot" {
            configs.push(config(&name, &facts)?);
        }
    }
    Ok(configs)
}

/// The service of that name, or why it cannot be reviewed. `Err`: no other need be asked for.
pub fn named(client: &mut Client, given: &str) -> Result<Result<Config, String>, String> {
    let name = name(given)?;
    Ok(one(&name, &ask(client, &name)?))
}

fn name(given: &str) -> Result<String, String> {
    let mangled = mangle(given, ".service", Globs::Refused);
    let name = mangled.ok_or_else(|| format!("Failed to mangle unit name '{given}': Invalid argument"))?.name;
    let Ok(parsed) = UnitName::parse(&name) else { return Ok(name) };
    if !name.ends_with(".service") {
        return Err(format!("Unit {given} is not a service unit, refusing."));
    }
    match parsed.is_template() {
        true => {
            parsed.with_instance(INSTANCE).map(|name| name.to_string()).map_err(|error| error.to_string())
        }
        false => Ok(name),
    }
}

fn one(name: &str, facts: &Properties) -> Result<Config, String> {
    match facts.text("LoadState") {
        "loaded" => config(name, facts),
        "not-found" => Err(format!("Unit {name} not found, cannot analyze.")),
        "masked" => Err(format!("Unit {name} is masked, cannot analyze.")),
        _ => Err(format!("Unit {name} not loaded properly, cannot analyze.")),
    }
}

/// The properties of all interfaces a service has.
fn ask(client: &mut Client, name: &str) -> Result<Properties, String> {
    let asked = client.properties(&object_path(name), "");
    asked.map_err(|error| format!("Failed to get unit properties: {}", error.text()))
}

fn config(name: &str, facts: &Properties) -> Result<Config, String> {
    let id = if facts.text("Id").is_empty() { name } else { facts.text("Id") };
    let parsed = UnitName::parse(id).map_err(|error| format!("{id}: {error}"))?;
    let path = facts.text("FragmentPath");
    let text = text(facts);
    let found = Found {
        name: parsed.clone(),
        aliases: Vec::new(),
        fragment: Fragment::File(path.to_owned()),
        dropins: Vec::new(),
        dependencies: Vec::new(),
    };
    let source = Source { path, text: text.as_bytes() };
    let mut config = merge(&parsed, &[source], &found, &Context::default()).config;
    let implied = config.implied_devices().len();
    drop_last(&mut config, implied);
    Ok(config)
}

/// The manager tells of devices that other directives need, too, as if they were written last.
fn drop_last(config: &mut Config, implied: usize) {
    let written = config.kept("DeviceAllow").count().saturating_sub(implied);
    let mut at = 0;
    config.kept.retain(|kept| {
        at += usize::from(kept.key == "DeviceAllow");
        kept.key != "DeviceAllow" || at <= written
    });
}

const SWITCHES: &[&str] = &[
    "Delegate",
    "DynamicUser",
    "LockPersonality",
    "MemoryDenyWriteExecute",
    "NoNewPrivileges",
    "PrivateDevices",
    "PrivateMounts",
    "PrivateNetwork",
    "PrivateTmp",
    "PrivateUsers",
    "ProtectClock",
    "ProtectControlGroups",
    "ProtectHostname",
    "ProtectKernelLogs",
    "ProtectKernelModules",
    "ProtectKernelTunables",
    "RemoveIPC",
    "RestrictRealtime",
    "RestrictSUIDSGID",
];

const WORDS: &[&str] = &[
    "KeyringMode",
    "NotifyAccess",
    "ProcSubset",
    "ProtectHome",
    "ProtectProc",
    "ProtectSystem",
    "RootDirectory",
    "RootImage",
    "User",
];

const LISTS: &[&str] =
    &["IPEgressFilterPath", "IPIngressFilterPath", "SupplementaryGroups", "SystemCallArchitectures"];

/// A unit file that says what the manager said, as far as reviews ask for it.
fn text(facts: &Properties) -> String {
    let mut lines: Vec<(&str, String)> = vec![("ExecStart", "/bin/true".to_owned())];
    let is_on = |key: &str| facts.yes(key) || key == "PrivateMounts" && has_own_mounts(facts);
    lines.extend(SWITCHES.iter().filter(|key| is_on(key)).map(|key| (*key, "yes".to_owned())));
    let said = WORDS.iter().map(|key| (*key, facts.text(key).to_owned()));
    lines.extend(said.filter(|(_, value)| !value.is_empty()));
    let listed = LISTS.iter().flat_map(|key| facts.texts(key).into_iter().map(move |one| (*key, one)));
    lines.extend(listed.map(|(key, one)| (key, one.to_owned())));
    let policy = facts.text("DevicePolicy");
    if !["", "auto"].contains(&policy) {
        lines.push(("DevicePolicy", policy.to_owned()));
    }
    // The manager tells the latest first.
    let devices = facts.list("DeviceAllow").iter().rev().map(|pair| pair.texts().join(" "));
    lines.extend(devices.map(|device| ("DeviceAllow", device)));
    for key in ["IPAddressAllow", "IPAddressDeny"] {
        lines.extend(facts.list(key).iter().filter_map(prefix).map(|prefix| (key, prefix)));
    }
    // Of these it matters only that they are there: devices come with them.
    let brings_devices = [("LoadCredentialEncrypted", "x:/x"), ("MountImages", "/x:/x")];
    let is_said = |key: &str| !facts.list(key).is_empty();
    lines.extend(
        brings_devices
            .into_iter()
            .filter(|(key, _)| is_said(key))
            .map(|(key, value)| (key, value.to_owned())),
    );
    lines.extend(capabilities(facts));
    lines.push(("UMask", format!("{:04o}", facts.number("UMask"))));
    lines.extend(namespaces(facts).map(|kinds| ("RestrictNamespaces", kinds)));
    for key in ["RestrictAddressFamilies", "SystemCallFilter"] {
        lines.extend(allowed(facts, key).into_iter().map(|list| (key, list)));
    }
    let mut text = String::from("[Unit]\n");
    let dependencies = if facts.yes("DefaultDependencies") { "yes" } else { "no" };
    writeln!(text, "DefaultDependencies={dependencies}\n[Service]").unwrap_or_default();
    for (key, value) in lines {
        writeln!(text, "{key}={}", value.replace('%', "%%")).unwrap_or_default();
    }
    text
}

/// Whether it gets mounts of its own, though nobody asks for them by name; of files systemd does not say that.
fn has_own_mounts(facts: &Properties) -> bool {
    const NEED_THEM: [&str; 5] = [
        "PrivateDevices",
        "PrivateTmp",
        "ProtectControlGroups",
        "ProtectKernelModules",
        "ProtectKernelTunables",
    ];
    NEED_THEM.iter().any(|key| facts.yes(key))
        || ["ProtectHome", "ProtectSystem"].iter().any(|key| facts.text(key) != "no")
        || !facts.text("RootImage").is_empty()
}

/// Bits of sets of capabilities, as names: of the bounding set those that are not in it.
fn capabilities(facts: &Properties) -> Vec<(&'static str, String)> {
    let names = |bits: u64| {
        let set = (0..capability::NAMES.len()).filter(|number| bits >> number & 1 == 1);
        set.map(|number| capability::NAMES[number]).collect::<Vec<_>>().join(" ")
    };
    let bits = |key| facts.get(key).and_then(Value::unsigned);
    let missing = names(!bits("CapabilityBoundingSet").unwrap_or(u64::MAX));
    let ambient = names(bits("AmbientCapabilities").unwrap_or(0));
    let lines = [
        ("CapabilityBoundingSet", format!("~{missing}"), missing.is_empty()),
        ("AmbientCapabilities", ambient.clone(), ambient.is_empty()),
    ];
    lines.into_iter().filter(|(.., is_empty)| !is_empty).map(|(key, value, _)| (key, value)).collect()
}

/// Namespaces by their bits of clone(2).
const NAMESPACES: [(&str, u64); 7] = [
    ("cgroup", 0x0200_0000),
    ("ipc", 0x0800_0000),
    ("net", 0x4000_0000),
    ("mnt", 0x0002_0000),
    ("pid", 0x2000_0000),
    ("user", 0x1000_0000),
    ("uts", 0x0400_0000),
];

/// Those that it may make; `None` where it may make all.
fn namespaces(facts: &Properties) -> Option<String> {
    let bits = facts.get("RestrictNamespaces").and_then(Value::unsigned)?;
    let may: Vec<&str> =
        NAMESPACES.iter().filter(|(_, bit)| bits & bit != 0).map(|(name, _)| *name).collect();
    match may.len() {
        0 => Some("yes".to_owned()),
        count if count == NAMESPACES.len() => None,
        _ => Some(may.join(" ")),
    }
}

/// Lines for a list of what is allowed, or of what is not; none where it is not restricted.
fn allowed(facts: &Properties, key: &str) -> Vec<String> {
    let [Value::Bool(allows), list] = facts.list(key) else { return Vec::new() };
    let list = list.texts().join(" ");
    match (*allows, list.is_empty()) {
        (true, true) if key == "RestrictAddressFamilies" => vec!["none".to_owned()],
        // An empty list is written as one of which all is taken away again.
        (true, true) => ["read", "~read @default"].map(str::to_owned).to_vec(),
        (true, false) => vec![list],
        (false, true) => Vec::new(),
        (false, false) => vec![format!("~{list}")],
    }
}

/// Family, bytes and length as an address.
fn prefix(value: &Value) -> Option<String> {
    let [_, Value::Bytes(bytes), Value::Unsigned(length)] = value.list() else { return None };
    let four = <[u8; 4]>::try_from(bytes.as_slice()).map(|bytes| Ipv4Addr::from(bytes).to_string());
    let address = four
        .or_else(|_| <[u8; 16]>::try_from(bytes.as_slice()).map(|bytes| Ipv6Addr::from(bytes).to_string()));
    address.ok().map(|address| format!("{address}/{length}"))
}
