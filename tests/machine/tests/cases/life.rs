//! The whole life of each `Type=`, as Debian's own systemctl sees it; the order of stopping; zombies; bad input.

use crate::nine::candidate_for;
use anyhow::{Context, Result};
use eudaemon_machine_tests::harness::{Case, Report};
use eudaemon_machine_tests::machine::{Confinement, Machine, Setup};
use eudaemon_machine_tests::rootfs;
use std::io::{Read, Seek};
use std::time::Duration;

pub const CASES: &[Case] = &[
    Case { name: "life-types-privileged", run: |report| types(report, Confinement::Privileged) },
    Case { name: "life-types-unprivileged", run: |report| types(report, Confinement::Unprivileged) },
    Case {
        name: "life-ready-at-once-privileged",
        run: |report| ready_at_once(report, Confinement::Privileged),
    },
    Case {
        name: "life-ready-at-once-unprivileged",
        run: |report| ready_at_once(report, Confinement::Unprivileged),
    },
    Case { name: "life-output-privileged", run: |report| output(report, Confinement::Privileged) },
    Case { name: "life-output-unprivileged", run: |report| output(report, Confinement::Unprivileged) },
    Case { name: "life-idle", run: idle },
    Case { name: "life-fd-store", run: fd_store },
    Case { name: "life-stop-order", run: stop_order },
    Case { name: "life-zombies", run: zombies },
    Case { name: "life-bad-input", run: bad_input },
    Case { name: "life-many-units", run: many_units },
    Case { name: "life-changed-on-disk", run: changed_on_disk },
];

const SOON: Duration = Duration::from_secs(15);

/// The packages' own services, which these stories do not need.
const PACKAGES: &[&str] =
    &["apache2", "nginx", "redis-server", "postgresql", "ssh", "memcached", "rsyslog", "cron"];

/// A machine's setup in which only the story's own units run.
pub fn quiet(report: &mut Report, confinement: Confinement) -> Result<Option<(Setup, Vec<String>)>> {
    let Some(candidate) = candidate_for(report, confinement)? else { return Ok(None) };
    let mut setup = candidate.setup(confinement)?;
    for unit in PACKAGES {
        setup = setup.link(&format!("/etc/systemd/system/{unit}.service"), "/dev/null")?;
    }
    Ok(Some((setup, candidate.init().into_iter().map(str::to_owned).collect())))
}

pub fn boot(setup: Setup, init: &[String]) -> Result<Machine> {
    let machine = setup.boot(&init.iter().map(String::as_str).collect::<Vec<_>>())?;
    let mut last = String::new();
    let running = machine.wait_until("the boot is over", Duration::from_secs(60), || {
        last = machine
            .run(&["systemctl", "is-system-running"])
            .map(|ran| ran.out + &ran.err)
            .unwrap_or_default();
        matches!(last.trim_end(), "running" | "degraded")
    });
    running.with_context(|| format!("is-system-running said {last:?}\n{}", machine.console()))?;
    Ok(machine)
}

/// One service, what starting it shows, what killing its main process shows, and what stopping it shows.
struct Life {
    name: &'static str,
    service: &'static str,
    started: &'static str,
    killed: &'static str,
}

const LIVES: [Life; 10] = [
    Life {
        name: "simple",
        service: "ExecStart=sleep 1000",
        started: "active running",
        killed: "failed failed signal",
    },
    Life {
        name: "exec",
        service: "Type=exec\nExecStart=sleep 1000",
        started: "active running",
        killed: "failed failed signal",
    },
    Life {
        name: "forking",
        service: "Type=forking\nExecStart=sh -c 'sleep 1000 & echo $$! > /run/forking.pid'\nPIDFile=/run/forking.pid",
        started: "active running",
        killed: "failed failed signal",
    },
    Life {
        name: "guessed",
        service: "Type=forking\nExecStart=sh -c 'sleep 1000 &'",
        started: "active running",
        killed: "failed failed signal",
    },
    Life {
        name: "once",
        service: "Type=oneshot\nExecStart=true\nExecStart=true",
        started: "inactive dead",
        killed: "inactive dead success",
    },
    Life {
        name: "remains",
        service: "Type=oneshot\nExecStart=true\nRemainAfterExit=yes",
        started: "active exited",
        killed: "active exited success",
    },
    Life {
        name: "notify",
        service: "Type=notify\nNotifyAccess=all\nExecStart=sh -c 'systemd-notify --ready --status=here; exec sleep 1000'",
        started: "active running",
        killed: "failed failed signal",
    },
    Life {
        name: "bus",
        service: "Type=dbus\nBusName=org.example.Life\nExecStart=/usr/local/bin/own-a-name org.example.Life",
        started: "active running",
        killed: "failed failed signal",
    },
    Life {
        name: "idle",
        service: "Type=idle\nExecStart=sleep 1000",
        started: "active running",
        killed: "failed failed signal",
    },
    Life {
        name: "always",
        service: "ExecStart=sleep 1000\nRestart=always\nRestartSec=50ms",
        started: "active running",
        killed: "active running success",
    },
];

/// Takes a name on the system bus without any library: the handshake, Hello, RequestName.
const OWN_A_NAME: &str = r#"#!/usr/bin/python3
import socket, struct, sys
def field(code, kind, value):
    raw = value.encode() + b"\0"
    return bytes([code, 1]) + kind + b"\0" + struct.pack("<I", len(raw) - 1) + raw
def pad(raw):
    return raw + b"\0" * (-len(raw) % 8)
def call(serial, member, signature=b"", body=b""):
    fields = b""
    for f in (field(1, b"o", "/org/freedesktop/DBus"), field(2, b"s", "org.freedesktop.DBus"), field(3, b"s", member), field(6, b"s", "org.freedesktop.DBus")):
        fields = pad(fields) + f
    if signature:
        fields = pad(fields) + bytes([8, 1]) + b"g\0" + bytes([len(signature)]) + signature + b"\0"
    return pad(struct.pack("<BBBBIII", 108, 1, 0, 1, len(body), serial, len(fields)) + fields) + body
bus = socket.socket(socket.AF_UNIX)
bus.connect("/run/dbus/system_bus_socket")
bus.sendall(b"\0AUTH EXTERNAL 30\r\n")
bus.recv(1000)
bus.sendall(b"BEGIN\r\n" + call(1, "Hello"))
name = sys.argv[1].encode() + b"\0"
bus.sendall(call(2, "RequestName", b"su", struct.pack("<I", len(name) - 1) + name + b"\0" * (-(4 + len(name)) % 4) + struct.pack("<I", 0)))
while bus.recv(4096):
    pass
"#;

/// Anybody may take the name: this is the tests' own bus.
const BUS_POLICY: &str =
    "<busconfig><policy context=\"default\"><allow own=\"org.example.Life\"/></policy></busconfig>\n";

fn types(report: &mut Report, confinement: Confinement) -> Result<()> {
    let Some((mut setup, init)) = quiet(report, confinement)? else { return Ok(()) };
    for life in &LIVES {
        let text = format!("[Service]\n{}\nSyslogIdentifier={}\n", life.service, life.name);
        setup = setup.file(&format!("/etc/systemd/system/{}.service", life.name), &text)?;
    }
    setup = setup
        .file("/usr/local/bin/own-a-name", OWN_A_NAME)?
        .file("/etc/dbus-1/system.d/life.conf", BUS_POLICY)?;
    let machine = boot(setup, &init)?;
    machine.shell("chmod 755 /usr/local/bin/own-a-name")?.success()?;
    for life in &LIVES {
        one_life(report, &machine, life).with_context(|| life.name)?;
    }
    Ok(())
}

fn one_life(report: &mut Report, machine: &Machine, life: &Life) -> Result<()> {
    let unit = format!("{}.service", life.name);
    let started = machine.run(&["systemctl", "start", &unit])?;
    report.check(&format!("{unit} starts"), started.success().map(|_| ()));
    report.same(
        &format!("{unit} is up when start returns"),
        &state(machine, &unit, "ActiveState,SubState")?,
        life.started,
    );
    let pid = machine.run(&["systemctl", "show", "-P", "MainPID", &unit])?.out;
    if life.started == "active running" {
        machine.run(&["kill", "-KILL", pid.trim()])?.success().with_context(|| format!("MainPID={pid}"))?;
        let other = machine.wait_until("the death is known", SOON, || {
            machine
                .run(&["systemctl", "show", "-P", "MainPID", &unit])
                .is_ok_and(|ran| ran.out != pid && !ran.out.is_empty())
        });
        report.check(&format!("{unit}: the death of its main process is seen"), other.map(|_| ()));
        if life.killed.starts_with("active") {
            let again = || state(machine, &unit, "SubState").is_ok_and(|sub| sub == "running");
            report.check(
                &format!("{unit} is restarted"),
                machine.wait_until("running", SOON, again).map(|_| ()),
            );
        }
    }
    report.same(
        &format!("{unit} after its main process was killed"),
        &state(machine, &unit, "ActiveState,SubState,Result")?,
        life.killed,
    );
    let stopped = machine.run(&["systemctl", "stop", &unit])?;
    report.check(&format!("{unit} stops"), stopped.success().map(|_| ()));
    let left = machine
        .shell(&format!("systemctl is-active {unit}; systemctl reset-failed {unit}; pgrep -x sleep"))?
        .out;
    let wanted = if life.killed.starts_with("failed") { "failed" } else { "inactive" };
    report.same(&format!("{unit} is down and leaves nothing"), &left, wanted);
    Ok(())
}

/// A message that is faster than init's word about its sender's pid is not lost, whatever else goes on.
fn ready_at_once(report: &mut Report, confinement: Confinement) -> Result<()> {
    let Some((setup, init)) = quiet(report, confinement)? else { return Ok(()) };
    let service = "[Service]\nType=notify\nNotifyAccess=main\nExecStart=/usr/local/bin/ready\n";
    let setup = setup
        .program(&rootfs::tool("ready")?, "/usr/local/bin/ready")?
        .file("/etc/systemd/system/ready@.service", service)?;
    let machine = boot(setup, &init)?;
    let all = "for i in $(seq 200); do echo ready@$i; done";
    // Two that never sleep: the kernel lets any of the processes wait at any point.
    let load = "(timeout 20 sh -c 'while :; do :; done' & timeout 20 sh -c 'while :; do :; done' &) ; exec";
    let started = machine.shell(&format!("{load} systemctl start $({all})"))?;
    report.check("200 of them start", started.success().map(|_| ()));
    let active = machine.shell(&format!("systemctl is-active $({all}) | sort | uniq -c"))?.out;
    report.same("all are active", active.trim_start(), "200 active");
    Ok(())
}

/// What a service says is on the container's output, with its unit, whether the distribution's journal runs or ours does.
fn output(report: &mut Report, confinement: Confinement) -> Result<()> {
    for journal in ["the distribution's journal", "no journal installed"] {
        let Some((mut setup, init)) = quiet(report, confinement)? else { return Ok(()) };
        if init.last().is_some_and(|word| word != "init") {
            report.skip("services' lines on the container's output", "real systemd needs a console for that");
            return Ok(());
        }
        if journal == "no journal installed" {
            // As in an image without the package: the vendor's units stand in for these.
            for unit in
                ["systemd-journald.service", "systemd-journald.socket", "systemd-journald-dev-log.socket"]
            {
                let vendor = format!("/usr/lib/eudaemon/system/{unit}");
                setup = setup.link(&format!("/etc/systemd/system/{unit}"), &vendor)?;
            }
            setup = setup.link("/etc/systemd/system/systemd-journald-audit.socket", "/dev/null")?;
        }
        let setup = setup.file(
            "/etc/systemd/system/voice.service",
            "[Service]\nExecStart=sh -c 'echo words of a service; echo words of despair >&2; sleep 1000'\n",
        )?;
        let machine = boot(setup, &init)?;
        machine.run(&["systemctl", "start", "voice"])?.success()?;
        for words in ["words of a service", "words of despair"] {
            let told = |line: &str| line.contains("voice.service") && line.contains(words);
            let seen = machine.wait_until(words, SOON, || machine.console().lines().any(told));
            report.check(
                &format!("{words:?}, with {journal}"),
                seen.map(|_| ()).with_context(|| machine.console()),
            );
        }
    }
    Ok(())
}

/// `Type=idle` is up at once, and its program runs when no job is left, or after five seconds.
fn idle(report: &mut Report) -> Result<()> {
    let Some((setup, init)) = quiet(report, Confinement::Privileged)? else { return Ok(()) };
    let idler = "[Service]\nType=idle\nExecStart=sh -c 'echo %p >> /run/order; exec sleep 1000'\n";
    let setup = setup
        .file("/etc/systemd/system/first.service", idler)?
        .file("/etc/systemd/system/second.service", idler)?
        .file(
            "/etc/systemd/system/short.service",
            "[Service]\nType=oneshot\nExecStart=sh -c 'sleep 1; echo short >> /run/order'\n",
        )?
        .file(
            "/etc/systemd/system/long.service",
            "[Service]\nType=oneshot\nExecStart=sh -c 'sleep 8; echo long >> /run/order'\n",
        )?;
    let machine = boot(setup, &init)?;
    for (idler, other) in [("first", "short"), ("second", "long")] {
        machine.run(&["systemctl", "start", "--no-block", other])?.success()?;
        machine.run(&["systemctl", "start", idler])?.success()?;
        report.same(
            &format!("{idler} is up beside {other}"),
            &state(&machine, &format!("{idler}.service"), "SubState")?,
            "running",
        );
        let ended =
            || machine.read("/run/order").is_ok_and(|text| text.contains(other) && text.contains(idler));
        machine.wait_until("both have run", SOON, ended)?;
    }
    report.same("who ran when", &machine.read("/run/order")?, "short\nfirst\nsecond\nlong");
    Ok(())
}

/// Stores three of which two fit, closes the other end of one when told to, and says what it was handed at its start.
const STORES: &str = r#"#!/usr/bin/python3
import array, os, signal, socket
open("/run/handed", "a").write(os.environ.get("LISTEN_FDS", "0") + os.environ.get("LISTEN_FDNAMES", "") + "\n")
notify = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
notify.connect(os.environ["NOTIFY_SOCKET"])
pairs = [socket.socketpair() for _ in range(3)]
for number, (kept, _) in enumerate(pairs):
    for _ in range(2):
        fds = array.array("i", [kept.fileno()])
        notify.sendmsg([f"FDSTORE=1\nFDNAME=n{number}".encode()], [(socket.SOL_SOCKET, socket.SCM_RIGHTS, fds)])
for kept, _ in pairs:
    kept.close()
signal.signal(signal.SIGUSR1, lambda *_: pairs[0][1].close())
while True:
    signal.pause()
"#;

/// A store holds as many as it may, each once, and lets go of what hung up; sd_notify(3).
fn fd_store(report: &mut Report) -> Result<()> {
    let Some((setup, init)) = quiet(report, Confinement::Privileged)? else { return Ok(()) };
    let service = "[Service]\nType=exec\nFileDescriptorStoreMax=2\nExecStart=/usr/bin/python3 /usr/local/bin/stores\nRestart=always\nRestartSec=0\n";
    let setup =
        setup.file("/usr/local/bin/stores", STORES)?.file("/etc/systemd/system/stores.service", service)?;
    let machine = boot(setup, &init)?;
    machine.run(&["systemctl", "start", "stores"])?.success()?;
    let stored = |count: &str| {
        let holds =
            || state(&machine, "stores.service", "NFileDescriptorStore").is_ok_and(|seen| seen == count);
        machine.wait_until(&format!("{count} are stored"), SOON, holds).map(|_| ())
    };
    report.check("two fit", stored("2"));
    machine.run(&["systemctl", "kill", "-s", "USR1", "stores"])?.success()?;
    report.check("what hung up goes", stored("1"));
    machine.run(&["systemctl", "kill", "-s", "KILL", "stores"])?.success()?;
    let handed = || machine.read("/run/handed").is_ok_and(|text| text.lines().count() == 2);
    report.check("it is started again", machine.wait_until("two starts", SOON, handed).map(|_| ()));
    // The first life's other ends are closed with it.
    report.same("what it was handed", &machine.read("/run/handed")?, "0\n0");
    Ok(())
}

/// The values of some properties, in systemctl's order of asking, separated by blanks.
fn state(machine: &Machine, unit: &str, properties: &str) -> Result<String> {
    let mut values = Vec::new();
    for property in properties.split(',') {
        values.push(
            machine.run(&["systemctl", "show", "-P", property, unit])?.success()?.trim_end().to_owned(),
        );
    }
    Ok(values.join(" "))
}

/// Stopping the machine stops services against the order they were started in, and lets each finish.
fn stop_order(report: &mut Report) -> Result<()> {
    for confinement in [Confinement::Privileged, Confinement::Unprivileged] {
        let Some((mut setup, init)) = quiet(report, confinement)? else { continue };
        for (name, after) in
            [("first", ""), ("second", "After=first.service"), ("third", "After=second.service")]
        {
            let text = format!(
                "[Unit]\n{after}\n[Service]\nExecStart=sh -c 'trap \"sleep 0.2; echo {name} ended >> /var/order; exit 0\" TERM; echo {name} started >> /var/order; while :; do sleep 0.05; done'\n\
                 ExecStop=sh -c 'echo {name} stops >> /var/order'\n[Install]\nWantedBy=multi-user.target\n"
            );
            setup = setup.file(&format!("/etc/systemd/system/{name}.service"), &text)?;
            setup = setup.link(
                &format!("/etc/systemd/system/multi-user.target.wants/{name}.service"),
                &format!("../{name}.service"),
            )?;
        }
        let mut machine = boot(setup.file("/var/order", "")?, &init)?;
        let started = || machine.read("/var/order").is_ok_and(|text| text.lines().count() == 3);
        machine.wait_until("all three have spoken", SOON, started)?;
        // Held open, the file can still be read when the machine and all its mounts are gone.
        let mut order = std::fs::File::open(machine.path("/var/order"))?;
        machine.stop("RTMIN+3", Duration::from_secs(30))?;
        let mut text = String::new();
        order.rewind()?;
        order.read_to_string(&mut text)?;
        let stops: Vec<&str> = text.lines().filter(|line| !line.ends_with("started")).collect();
        let wanted = "third stops, third ended, second stops, second ended, first stops, first ended";
        report.same(
            &format!("each is stopped after those that need it ({confinement:?})"),
            &stops.join(", "),
            wanted,
        );
    }
    Ok(())
}

/// Orphans become PID 1's children and are reaped, be they a service's or a foreigner's.
fn zombies(report: &mut Report) -> Result<()> {
    let Some((setup, init)) = quiet(report, Confinement::Privileged)? else { return Ok(()) };
    let orphans = "for i in $(seq 100); do (sh -c 'sleep 0.1 & sleep 0.1 &' &) ; done";
    let setup = setup.file(
        "/etc/systemd/system/orphans.service",
        &format!("[Service]\nKillMode=none\nExecStart=bash -c \"{orphans}\"\n"),
    )?;
    let machine = boot(setup, &init)?;
    machine.run(&["systemctl", "start", "orphans"])?.success()?;
    machine.shell(orphans)?.success()?;
    let mut left = String::new();
    let gone = machine.wait_until("no zombie is left", SOON, || {
        let find = "cat /proc/[0-9]*/stat 2>/dev/null | awk '$2 == \"(sleep)\" || $2 == \"(sh)\" && $3 == \"Z\"'; true";
        left = machine.shell(find).map(|ran| ran.out).unwrap_or_default();
        left.lines().all(|line| !line.contains(") Z ") && !line.contains("(sleep)"))
    });
    report.check("hundreds of orphans are reaped", gone.map(|_| ()).with_context(|| left));
    Ok(())
}

/// One clear answer to each, with systemctl's exit code, and nothing that runs is disturbed.
/// Who has changed a unit's files is told that the manager does not know them yet; a unit written just now is known.
fn changed_on_disk(report: &mut Report) -> Result<()> {
    let Some((setup, init)) = quiet(report, Confinement::Privileged)? else { return Ok(()) };
    let service = "[Service]\nExecStart=sleep 1000\n";
    let folder = "/etc/systemd/system";
    let setup = setup
        .file(&format!("{folder}/known.service"), service)?
        .file(&format!("{folder}/known.service.d/a.conf"), "[Service]\nNice=1\n")?
        .file(&format!("{folder}/waits.service.d/a.conf"), "[Service]\nNice=1\n")?;
    let machine = boot(setup, &init)?;
    machine.run(&["systemctl", "start", "known"])?.success()?;
    machine
        .shell(&format!("printf '{service}' | tee {folder}/fresh.service > {folder}/waits.service"))?
        .success()?;
    machine.write(&format!("{folder}/waits.service.d/b.conf"), "[Service]\nNice=2\n")?;
    machine.run(&["systemctl", "start", "fresh", "waits"])?.success()?;
    let shown = |unit: &str| machine.shell(&format!("systemctl show -P NeedDaemonReload -P Nice {unit}"));
    report.same("a unit written just now", &shown("fresh")?.out, "0\nno");
    report.same("one that got a drop-in before it was loaded", &shown("waits")?.out, "2\nno");
    report.same("one that did not change", &shown("known")?.out, "1\nno");
    machine.shell(&format!("sleep 0.1; touch {folder}/fresh.service"))?.success()?;
    report.same("one whose file changed", &shown("fresh")?.out, "0\nyes");
    machine.write(&format!("{folder}/known.service.d/b.conf"), "[Service]\nNice=3\n")?;
    report.same("one that got a drop-in", &shown("known")?.out, "1\nyes");
    machine.run(&["systemctl", "daemon-reload"])?.success()?;
    report.same("after daemon-reload", &shown("known")?.out, "3\nno");
    report.same("and the other", &shown("fresh")?.out, "0\nno");
    // Each as long as the one before it, and written before the clock of the file system has ticked much.
    let write = |nice: u8| format!("printf '[Service]\nNice={nice}\n' > {folder}/known.service.d/b.conf");
    let turns: Vec<String> = (4..10)
        .map(|nice| format!("{}; systemctl daemon-reload; systemctl show -P Nice known", write(nice)))
        .collect();
    let seen = machine.shell(&turns.join("; "))?.success()?;
    report.same("texts of equal length that follow each other quickly", &seen, "4\n5\n6\n7\n8\n9");
    Ok(())
}

fn bad_input(report: &mut Report) -> Result<()> {
    let Some((setup, init)) = quiet(report, Confinement::Privileged)? else { return Ok(()) };
    let unit = |name: &str| format!("/etc/systemd/system/{name}.service");
    let huge =
        format!("[Service]\nExecStart=sleep 1000\n{}", format!("# {}\n", "x".repeat(998)).repeat(100_000));
    let setup = setup
        .file(&unit("witness"), "[Service]\nExecStart=sleep 1001\n")?
        .file(&unit("garbage"), "\u{1}\u{2} no section\n[Service\nExecStart\n=\nExecStart=\n")?
        .file(&unit("no-binary"), "[Service]\nExecStart=/usr/bin/there-is-none\n")?
        .file(&unit("no-user"), "[Service]\nUser=there-is-none\nExecStart=sleep 1000\n")?
        .file(&unit("cycle-a"), "[Unit]\nRequires=cycle-b.service\nAfter=cycle-b.service\n[Service]\nExecStart=sleep 1000\n")?
        .file(&unit("cycle-b"), "[Unit]\nRequires=cycle-a.service\nAfter=cycle-a.service\n[Service]\nExecStart=sleep 1000\n")?
        .file(&unit("stolen"), "[Service]\nType=forking\nPIDFile=/run/stolen.pid\nExecStart=sh -c 'echo 1 > /run/stolen.pid; sleep 1000 &'\nTimeoutStartSec=2s\n")?
        .file(&unit("unready"), "[Service]\nType=notify\nExecStart=sleep 1000\nTimeoutStartSec=2s\n")?
        .file(&unit("no-environment"), "[Service]\nEnvironmentFile=/etc/there-is-none\nExecStart=sleep 1000\n")?
        .file(&unit("huge"), &huge)?
        .link(&unit("masked"), "/dev/null")?;
    let machine = boot(setup, &init)?;
    machine.run(&["systemctl", "start", "witness"])?.success()?;
    let witness = machine.run(&["systemctl", "show", "-P", "MainPID", "witness"])?.out;
    for (what, command, code, says) in [
        ("garbage", "systemctl start garbage", 1, "garbage.service"),
        (
            "a missing binary",
            "systemctl start no-binary; systemctl show -P ExecMainStatus no-binary",
            0,
            "203",
        ),
        ("a missing user", "systemctl start no-user; systemctl show -P ExecMainStatus no-user", 0, "217"),
        ("a missing environment file", "systemctl start no-environment", 1, "resources"),
        ("a masked unit", "systemctl start masked", 1, "masked"),
        ("an unknown unit", "systemctl start there-is-none", 5, "not found"),
        ("an unknown verb", "systemctl frobnicate witness", 1, "Unknown command verb"),
        ("a cycle", "systemctl start cycle-a", 1, "order is cyclic"),
        ("a stolen pid file", "systemctl start stolen", 1, "timeout"),
        (
            "a stranger's notify message",
            "(sleep 0.5; NOTIFY_SOCKET=/run/systemd/notify systemd-notify --ready) & systemctl start unready",
            1,
            "timeout",
        ),
        ("a unit file of 100 MB", "systemctl start huge; systemctl is-active witness", 0, "active"),
        ("an unknown unit asked", "systemctl is-active there-is-none", 3, "inactive"),
        ("an unknown unit's status", "systemctl status there-is-none", 4, "could not be found"),
    ] {
        let ran = machine.shell(command)?;
        let said = format!("{}{}", ran.out, ran.err);
        report.holds(&format!("{what}: says so"), said.contains(says), &format!("want {says:?} in {said:?}"));
        report.same(&format!("{what}: exit code"), &ran.code.to_string(), &code.to_string());
    }
    report.same(
        "the witness runs on",
        &machine.run(&["systemctl", "show", "-P", "MainPID", "witness"])?.out,
        &witness,
    );
    Ok(())
}

/// Ten thousand units in one directory: booted through, and one of them started.
fn many_units(report: &mut Report) -> Result<()> {
    let Some((mut setup, init)) = quiet(report, Confinement::Privileged)? else { return Ok(()) };
    for number in 0..10_000 {
        let text = format!("[Unit]\nDescription=Number {number}\n[Service]\nType=oneshot\nExecStart=true\n");
        setup = setup.file(&format!("/etc/systemd/system/many-{number}.service"), &text)?;
    }
    let machine = boot(setup, &init)?;
    report.check(
        "one of them starts",
        machine.run(&["systemctl", "start", "many-9999"])?.success().map(|_| ()),
    );
    if init.last().is_some_and(|word| word != "init") {
        report.skip("listing ten thousand units", "real systemd does not answer in time");
        return Ok(());
    }
    let listed = machine.shell("systemctl list-unit-files 'many-*' --no-legend | grep -c ^many-")?;
    report.same("all of them are listed", &(listed.out + &listed.err), "10000");
    Ok(())
}
