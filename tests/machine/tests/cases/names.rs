//! A daemon by `kit` that is announced in DNS-SD by Debian's avahi-daemon, in a network of its own.
//!
//! What is compared is what another client of Avahi finds (`avahi-browse`) and what the daemon says of it.

use crate::kit::{told, with_program};
use anyhow::Result;
use eudaemon_machine_tests::harness::{Case, Report};
use eudaemon_machine_tests::machine::{Confinement, Setup};
use eudaemon_machine_tests::rootfs::Layer;

pub const CASES: &[Case] = &[Case { name: "kit-avahi", run: avahi }];

/// Words of the cells: `start` and `end` of the bus and of Avahi, `browse` for what is found, `found N` waits for so many.
const WORDS: &str = "
    bus() { mkdir -p /run/dbus; rm -f /run/dbus/pid; dbus-daemon --system --fork; }
    avahi() { avahi-daemon -D --no-chroot 2>/dev/null; await avahi-browse -at >/dev/null; }
    no_avahi() { avahi-daemon -k; await '! pgrep -x avahi-daemon'; }
    browse() { timeout 20 avahi-browse -rpt _lifelike._tcp 2>/dev/null | grep '^=' | grep ';IPv4;' | cut -d';' -f4,5,9,10 | sort -u; }
    found() { await test '$(browse | wc -l)' = $1; browse; }
    A='--announce=web --port=7400'
";

/// Each begins with bus and Avahi running and nothing announced, and leaves it so.
const CELLS: &[(&str, &str, &str)] = &[
    (
        "nothing is announced before it is ready; then it is, with port and tag; a stop takes it back",
        "$L $M $A slow & await grep -q started m; browse; await grep -q ready m; found 1; kill $!; wait $!; echo $?; found 0",
        "web;_lifelike._tcp;7400;\"path=/\"\n0",
    ),
    (
        "in the background, as somebody else",
        "chmod 755 .; $L --daemon $P $A --user=daemon; found 1; kill $(cat p); found 0",
        "web;_lifelike._tcp;7400;\"path=/\"",
    ),
    (
        "a reload announces nothing anew",
        "dbus-monitor --system \"member='EntryGroupNew'\" >seen 2>/dev/null & S=$!; await grep -q NameAcquired seen
         $L $M $A & found 1 >/dev/null; kill -HUP $!; await grep -q reloaded m; kill $!; wait $!; found 0; kill $S; grep -c EntryGroupNew seen",
        "1",
    ),
    ("one that is killed is gone", "$L $A & found 1 >/dev/null; kill -KILL $!; wait $! 2>/dev/null; found 0", ""),
    (
        "a panic takes it back",
        "$L $A panics 2>/dev/null & wait $!; echo $?; found 0",
        "101",
    ),
    (
        "a name that is taken on this machine",
        "avahi-publish -s web _lifelike._tcp 1 2>/dev/null & T=$!; found 1 >/dev/null; $L $A & found 2; kill $!; wait $!; kill $T; found 0",
        "web;_lifelike._tcp;1;\nweb\\032\\0352;_lifelike._tcp;7400;\"path=/\"\n\
         lifelike: web is taken in DNS-SD: announced as web #2",
    ),
    (
        "a name that another machine has",
        "ip link add here type veth peer name there; ip netns add other; ip link set there netns other
         ip addr add 10.98.0.1/24 dev here; ip link set here up; ip netns exec other ip addr add 10.98.0.2/24 dev there
         ip netns exec other ip link set there up; mkdir rest; printf '[server]\\nhost-name=other\\nenable-dbus=no\\n' >conf
         printf '<service-group><name>web</name><service><type>_lifelike._tcp</type><port>1</port></service></service-group>' >web.service
         ip netns exec other unshare -m sh -c 'mount --bind '$PWD' /etc/avahi/services; mount -t tmpfs run /run; exec avahi-daemon -f '$PWD'/conf --no-chroot --no-drop-root 2>/dev/null' & T=$!
         found 1; $L $A & found 2; kill $!; wait $!; kill $T; wait $T 2>/dev/null; ip netns del other; ip link del here 2>/dev/null; found 0",
        "web;_lifelike._tcp;1;\nweb;_lifelike._tcp;1;\nweb\\032\\0352;_lifelike._tcp;7400;\"path=/\"\n\
         lifelike: web is taken in DNS-SD: announced as web #2",
    ),
    (
        "a new name of the machine",
        "$L $A & found 1 >/dev/null; avahi-set-host-name moved; await 'avahi-browse -rpt _lifelike._tcp | grep -q moved.local'; found 1; kill $!; wait $!; found 0",
        "web;_lifelike._tcp;7400;\"path=/\"",
    ),
    (
        "one that hangs is not announced any more",
        "$L $M $A hangs & await grep -q ready m; found 1 >/dev/null; found 0; kill -KILL $!",
        "",
    ),
    (
        "an Avahi that is away is told of once and found later",
        "no_avahi; $L $M $A 2>e & await grep -q ready m; echo ready; await grep -q again e; avahi; found 1; kill $!; wait $!; found 0; cat e",
        "ready\nweb;_lifelike._tcp;7400;\"path=/\"\nlifelike: cannot announce web at Avahi: REASON\nlifelike: announced web at Avahi after all",
    ),
    (
        "an Avahi that begins anew is told again",
        "$L $A & found 1 >/dev/null; no_avahi; avahi; found 1; kill $!; wait $!; found 0",
        "web;_lifelike._tcp;7400;\"path=/\"\nlifelike: cannot announce web at Avahi: REASON\nlifelike: announced web at Avahi after all",
    ),
    (
        "a bus that is away keeps nobody from being ready or from stopping",
        "no_avahi; kill $(cat /run/dbus/pid); rm /run/dbus/system_bus_socket; $L $M $A & await grep -q ready m; kill $!; wait $!; echo $?; bus; avahi",
        "0\nlifelike: cannot announce web at Avahi: REASON",
    ),
];

fn avahi(report: &mut Report) -> Result<()> {
    let setup = Setup::new(Confinement::Privileged)?.layer(Layer::Names);
    let machine = with_program(setup)?.boot(&["/bin/sh", "-c", "while :; do sleep 1000; done"])?;
    machine.run(&["mount", "-t", "tmpfs", "tmp", "/tmp"])?.success()?;
    // A network to be found in.
    let network = "ip link add name net type veth peer name far; ip addr add 10.97.0.1/24 dev net; ip link set net up; ip link set far up";
    machine.shell(network)?.success()?;
    told(&machine, &format!("{WORDS}\nbus; avahi"))?;
    for (what, script, wanted) in CELLS {
        let said = told(&machine, &format!("{WORDS}\n{script}"))?;
        // Why it is away is Avahi's or the bus's to say, in their words.
        let said: Vec<String> = said.lines().map(without_reason).collect();
        report.same(what, &said.join("\n"), wanted);
    }
    Ok(())
}

fn without_reason(line: &str) -> String {
    match line.split_once("at Avahi: ").filter(|(_, rest)| rest.ends_with("; tries again")) {
        Some((before, _)) => format!("{before}at Avahi: REASON"),
        None => line.to_owned(),
    }
}
