//! Without root: `eudaemon up DIR` in the foreground, and a user's own units beside somebody else's PID 1.

use crate::nine::candidate_for;
use anyhow::{Context, Result};
use eudaemon_machine_tests::candidate::Candidate;
use eudaemon_machine_tests::harness::{Case, Report};
use eudaemon_machine_tests::machine::{Confinement, Machine, Setup};
use std::time::Duration;

pub const CASES: &[Case] = &[
    Case { name: "up-as-user-privileged", run: |report| up(report, Confinement::Privileged) },
    Case { name: "up-as-user-unprivileged", run: |report| up(report, Confinement::Unprivileged) },
    Case { name: "up-endings", run: endings },
    Case { name: "up-no-runtime-directory", run: no_runtime_directory },
    Case { name: "up-mounts", run: mounts },
    Case { name: "user-units", run: user_units },
    Case { name: "up-init-killed-privileged", run: |report| init_killed(report, Confinement::Privileged) },
    Case {
        name: "up-init-killed-unprivileged",
        run: |report| init_killed(report, Confinement::Unprivileged),
    },
];

const SOON: Duration = Duration::from_secs(15);
const FOLDER: &str = "/home/alice/units";

/// A machine of somebody else's, with our binary installed and alice's units in her home.
fn foreign(report: &mut Report, confinement: Confinement, folder: &str) -> Result<Option<Machine>> {
    let Some(candidate) = candidate_for(report, confinement)? else { return Ok(None) };
    let Candidate::Ours(binary) = candidate else {
        report.skip("eudaemon without root", "the candidate is not ours");
        return Ok(None);
    };
    let mut setup = Setup::new(confinement)?.program(&binary, "/usr/local/bin/eudaemon")?;
    for (name, after) in [("first", ""), ("second", "After=first.service\nRequires=first.service")] {
        let text = format!(
            "[Unit]\n{after}\n[Service]\nExecStart=sh -c 'trap \"echo {name} ends; exit 0\" TERM; echo {name} runs as $(id -un); while :; do sleep 0.05; done'\n"
        );
        setup = setup.file(&format!("{folder}/{name}.service"), &text)?;
    }
    let machine = setup.boot(&["/bin/sleep", "infinity"])?;
    machine.shell("chown -R alice: /home/alice")?.success()?;
    Ok(Some(machine))
}

/// Runs both units in the foreground, tells their lines apart, and stops them in order on Ctrl-C.
fn up(report: &mut Report, confinement: Confinement) -> Result<()> {
    let Some(machine) = foreign(report, confinement, FOLDER)? else { return Ok(()) };
    // The shell gives background jobs SIGINT ignored; a terminal does not.
    let start = format!(
        "cd /home/alice; mkdir -m 700 run; XDG_RUNTIME_DIR=/home/alice/run python3 -c 'import signal, subprocess; signal.signal(signal.SIGINT, signal.default_int_handler)\n\
         child = subprocess.Popen([\"eudaemon\", \"up\", \"{FOLDER}\"], stdout=open(\"log\", \"w\"), stderr=subprocess.STDOUT)\n\
         open(\"pid\", \"w\").write(str(child.pid)); signal.signal(signal.SIGINT, signal.SIG_IGN)\n\
         open(\"code\", \"w\").write(str(child.wait()))' > /dev/null 2>&1 &"
    );
    machine.shell_as("alice", &start)?.success()?;
    let log = || machine.read("/home/alice/log").unwrap_or_default();
    let both = || log().contains("first runs as alice") && log().contains("second runs as alice");
    let ran = machine.wait_until("both run", SOON, both).map(|_| ()).with_context(log);
    report.check("both run as alice", ran);
    let prefixed =
        log().lines().any(|line| line.contains("first") && line.find("first") < line.find("first runs"));
    report.holds("each line says whose it is", prefixed, &log());
    let systemctl = "XDG_RUNTIME_DIR=/home/alice/run systemctl --user is-active first second";
    let asked = machine.shell_as("alice", systemctl)?;
    report.same("the distribution's systemctl reaches it", &(asked.out + &asked.err), "active\nactive");
    machine.shell("kill -INT $(cat /home/alice/pid)")?.success()?;
    let ended = machine
        .wait_until("up ends", SOON, || machine.read("/home/alice/code").is_ok_and(|code| !code.is_empty()));
    report.check("Ctrl-C ends it", ended.map(|_| ()).with_context(log));
    report.same("with exit code 0", &machine.read("/home/alice/code")?, "0");
    let text = log();
    let order =
        text.find("second ends").zip(text.find("first ends")).is_some_and(|(second, first)| second < first);
    report.holds("the second is stopped before the first", order, &text);
    report.same("no file of it stays", &machine.shell("find /home/alice/run -mindepth 1")?.out, "");
    report.same(
        "nothing of alice's is left",
        &machine.shell("ps -u alice -o stat=,args= | grep -v ^Z")?.out,
        "",
    );
    Ok(())
}

type File = (&'static str, &'static str);

/// A folder, how `up` is left to run, the exit code, and what the last lines say.
type Ending = (&'static str, &'static [File], &'static str, i32, &'static [&'static str]);

const ENDINGS: &[Ending] = &[
    (
        "a cycle",
        &[
            ("a.service", "[Unit]\nRequires=b.service\nAfter=b.service\n[Service]\nExecStart=true\n"),
            ("b.service", "[Unit]\nRequires=a.service\nAfter=a.service\n[Service]\nExecStart=true\n"),
        ],
        "eudaemon up",
        1,
        &["nothing could be started; not started: a.service, b.service"],
    ),
    (
        "a misspelt section beside a good unit",
        &[
            ("bad.service", "[Servic]\nExecStart=true\n"),
            ("good.service", "[Service]\nExecStart=true\n[Install]\nWantedBy=default.target\n"),
        ],
        "eudaemon up",
        1,
        &[
            "bad.service:1: Unknown section 'Servic'",
            "bad.service cannot be started",
            "every service has ended; not started: bad.service",
        ],
    ),
    (
        "an exit code",
        &[("a.service", "[Service]\nExecStart=sh -c 'exit 7'\n")],
        "eudaemon up",
        7,
        &["every service has ended; failed: a.service"],
    ),
    (
        "one unit's file",
        &[
            ("a.service", "[Service]\nExecStart=echo only this\nPrivateTmp=yes\n"),
            ("b.service", "[Service]\nExecStart=sleep 1000\n"),
        ],
        "eudaemon up a.service",
        0,
        &[
            "eudaemon | a.service: not acted on in full here: PrivateTmp",
            "a        | only this",
            "every service has ended",
        ],
    ),
    ("nothing", &[], "eudaemon up", 1, &["no unit to run here: expected default.target"]),
    (
        "a service that ignores SIGTERM",
        &[(
            "a.service",
            "[Service]\nExecStart=sh -c 'trap : TERM; while :; do sleep 0.1; done'\nTimeoutStopSec=4\n",
        )],
        "python3 /interrupt 1 eudaemon up",
        1,
        &["waiting for a.service (2 s until", "interrupted: every service is stopped; failed: a.service"],
    ),
    (
        "a second Ctrl-C",
        &[("a.service", "[Service]\nExecStart=sh -c 'trap : TERM; while :; do sleep 0.1; done'\n")],
        "python3 /interrupt 2 eudaemon up",
        130,
        &["interrupted again: killed a.service"],
    ),
];

/// Ctrl-C, so many times: a second after the start, and half a second after each other.
const INTERRUPT: &str = r#"
import signal, subprocess, sys, time
signal.signal(signal.SIGINT, signal.default_int_handler)
child = subprocess.Popen(sys.argv[2:])
time.sleep(0.5)
for _ in range(int(sys.argv[1])):
    time.sleep(0.5)
    child.send_signal(signal.SIGINT)
sys.exit(child.wait())
"#;

/// `up` says why it ends, and its exit code says whether all went well.
fn endings(report: &mut Report) -> Result<()> {
    let Some(machine) = foreign(report, Confinement::Privileged, FOLDER)? else { return Ok(()) };
    machine.shell_as("alice", "mkdir -m 700 /home/alice/run")?.success()?;
    machine.write("/interrupt", INTERRUPT)?;
    for (name, units, command, code, lines) in ENDINGS {
        machine.shell("rm -rf /home/alice/folder; mkdir /home/alice/folder")?.success()?;
        for (unit, text) in *units {
            machine.write(&format!("/home/alice/folder/{unit}"), text)?;
        }
        let script = format!("cd /home/alice/folder; XDG_RUNTIME_DIR=/home/alice/run {command} 2>&1");
        let ran = machine.shell_as("alice", &script)?;
        report.same(&format!("{name}: the exit code"), &ran.code.to_string(), &code.to_string());
        for line in *lines {
            report.holds(&format!("{name}: {line:?} is said"), ran.out.contains(line), &ran.out);
        }
    }
    Ok(())
}

/// A mount of the folder is followed while it runs, and gone when it has ended.
fn mounts(report: &mut Report) -> Result<()> {
    let folder = "/root/mounts";
    let Some(machine) = foreign(report, Confinement::Privileged, folder)? else { return Ok(()) };
    machine.shell(&format!("rm {folder}/*"))?.success()?;
    for place in ["a", "b"] {
        let mount = format!("[Mount]\nWhat=tmpfs\nWhere=/mnt/{place}\nType=tmpfs\n");
        machine.write(&format!("{folder}/mnt-{place}.mount"), &mount)?;
        let bound = format!(
            "[Unit]\nBindsTo=mnt-{place}.mount\nAfter=mnt-{place}.mount\n[Service]\nExecStart=sleep infinity\nExecStopPost=touch /run/{place}-ended\n"
        );
        machine.write(&format!("{folder}/{place}.service"), &bound)?;
    }
    machine.shell(&format!(
        "cd /root; (sh -c 'echo $$ > pid; exec eudaemon up {folder}' > log 2>&1; echo $? > code) &"
    ))?;
    let log = || machine.read("/root/log").unwrap_or_default();
    let holds = |script: &str| machine.shell(script).is_ok_and(|ran| ran.code == 0);
    let up = || holds("mountpoint -q /mnt/a && mountpoint -q /mnt/b && [ $(pgrep -cx sleep) = 3 ]");
    machine.wait_until("both are mounted and used", SOON, up).with_context(log)?;
    machine.shell("umount /mnt/b")?.success()?;
    machine
        .wait_until("what was bound to one ends", SOON, || holds("[ -e /run/b-ended ]"))
        .with_context(log)?;
    report.check(
        "the other stays",
        machine.shell("mountpoint /mnt/a && [ ! -e /run/a-ended ]")?.success().map(drop),
    );
    machine.shell("kill $(cat /root/pid)")?.success()?;
    machine.wait_until("it ends", SOON, || holds("[ -s /root/code ]")).with_context(log)?;
    report.same("nothing is mounted", &machine.shell("findmnt -n /mnt/a | wc -l")?.out, "0\n");
    Ok(())
}

/// Nobody is left to stop a folder's services when init is killed: the manager tells them to end.
fn init_killed(report: &mut Report, confinement: Confinement) -> Result<()> {
    let Some(machine) = foreign(report, confinement, FOLDER)? else { return Ok(()) };
    machine.shell_as("alice", &format!("cd /home/alice; eudaemon up {FOLDER} > log 2>&1 &"))?.success()?;
    let log = || machine.read("/home/alice/log").unwrap_or_default();
    machine.wait_until("it runs", SOON, || log().contains("second runs as alice"))?;
    machine.shell("kill -9 $(pgrep -u alice -f 'eudaemon [u]p')")?.success()?;
    let mut left = String::new();
    let gone = machine.wait_until("nothing of alice's runs", SOON, || {
        let list = machine.shell("ps -u alice -o stat=,args= | grep -v ^Z");
        left = list.map(|list| list.out).unwrap_or_default();
        left.is_empty()
    });
    report.check("its services end", gone.map(|_| ()).with_context(|| left.clone()));
    report.holds("and it says why", log().contains("init was killed"), &log());
    Ok(())
}

/// A runtime directory that cannot be made is one clear line, and an exit code.
fn no_runtime_directory(report: &mut Report) -> Result<()> {
    let Some(machine) = foreign(report, Confinement::Privileged, FOLDER)? else { return Ok(()) };
    let script = format!("TMPDIR=/proc/none XDG_RUNTIME_DIR=/proc/none HOME=/proc/none eudaemon up {FOLDER}");
    let ran = machine.shell_as("alice", &script)?;
    report.holds("it fails", ran.code != 0 && ran.code != 124, &format!("{ran:?}"));
    report.holds(
        "in one line that names the directory",
        ran.err.lines().count() == 1 && ran.err.contains("/proc/none"),
        &format!("{ran:?}"),
    );
    Ok(())
}

/// `eudaemon start` as an ordinary user: that user's manager, with that user's units.
fn user_units(report: &mut Report) -> Result<()> {
    let Some(machine) = foreign(report, Confinement::Unprivileged, "/home/alice/.config/systemd/user")?
    else {
        return Ok(());
    };
    let started = machine.shell_as("alice", "eudaemon start second")?;
    report.check("alice starts her unit", started.success().map(|_| ()));
    let states = machine.shell_as("alice", "eudaemon is-active first second")?;
    report.same("both are active", &states.out, "active\nactive");
    let shown = machine.shell_as("alice", "eudaemon show -P WorkingDirectory -P KeyringMode second")?;
    report.same("they start at her home", shown.out.trim(), "!/home/alice\ninherit");
    let owners = machine.shell("ps -e -o user=,args= | grep -c '^alice.*runs as'")?;
    report.same("as alice's processes", &owners.out, "2");
    let stopped = machine.shell_as("alice", "eudaemon stop first")?;
    report.check("alice stops it", stopped.success().map(|_| ()));
    let states = machine.shell_as("alice", "eudaemon is-active first second")?;
    report.same("what required it stops too", &states.out, "inactive\ninactive");
    let missing = machine.shell_as("alice", "eudaemon start nginx")?;
    report.same("the machine's units are not hers", &missing.code.to_string(), "5");
    report.holds("and she is told so", missing.err.contains("the machine's are root's"), &missing.err);
    machine.write("/home/alice/.config/systemd/user/later.timer", "[Timer]\nOnBootSec=1h\n")?;
    let timer = machine.shell_as("alice", "eudaemon start later.timer")?;
    report.holds(
        "a timer cannot be started yet",
        timer.err.contains("does not start timer units yet"),
        &timer.err,
    );
    let wrong = machine.shell_as("alice", "eudaemon edit first")?;
    report.holds("nor a unit edited", wrong.err.contains("edit is not supported"), &wrong.err);
    machine.shell("eudaemon init --background")?.success()?;
    let denied = machine.shell_as("alice", "eudaemon --system status")?;
    report.holds("root's manager is root's", denied.err.contains("Permission denied"), &denied.err);
    let read = machine.shell_as("alice", "eudaemon --system is-enabled nginx")?;
    report.same("unit files are anybody's to read", &(read.out + &read.err), "enabled");
    Ok(())
}
