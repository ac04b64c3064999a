//! One daemon by `kit` in every life: who starts it sees what it should, whatever happens to the daemon.
//!
//! A cell is a starter and a happening. What is compared is what the starter sees (exit codes, words, states) and what
//! the daemon wrote down of itself.

use crate::life;
use crate::nine::candidate_for;
use anyhow::{Context, Result};
use eudaemon_machine_tests::candidate::Candidate;
use eudaemon_machine_tests::harness::{Case, Report};
use eudaemon_machine_tests::machine::{Confinement, Machine, Setup};
use eudaemon_machine_tests::rootfs::Layer;
use std::path::Path;
use std::thread;
use std::time::Duration;

pub const CASES: &[Case] = &[
    Case { name: "kit-shell", run: shell },
    Case { name: "kit-systemd", run: under_systemd },
    Case { name: "kit-eudaemon", run: under_eudaemon },
    Case { name: "kit-eudaemon-user", run: under_a_user_s_eudaemon },
    Case { name: "kit-s6-and-runit", run: supervisors },
    Case { name: "kit-inetd", run: inetd },
    Case { name: "kit-first-process", run: first_process },
    Case { name: "kit-http", run: http },
];

const SOON: Duration = Duration::from_secs(60);
const PROGRAM: &str = "/usr/local/bin/lifelike";

pub fn with_program(setup: Setup) -> Result<Setup> {
    setup.program(Path::new(env!("CARGO_BIN_EXE_lifelike")), PROGRAM)
}

/// A machine in which nothing but a shell runs.
fn alone() -> Result<Machine> {
    let setup = Setup::new(Confinement::Privileged)?.layer(Layer::Starters);
    with_program(setup)?.boot(&["/bin/sh", "-c", "while :; do sleep 1000; done"])
}

/// Says what a script printed: `$L` is the daemon, `$M` asks for marks in `m`, `$P` for the pid file `p`; `await COMMAND` waits.
pub fn told(machine: &Machine, script: &str) -> Result<String> {
    const BEFORE: &str = "
        cd $(mktemp -d)
        L=/usr/local/bin/lifelike M=--mark=$PWD/m P=--pid-file=$PWD/p
        await() { for _ in $(seq 200); do if eval \"$*\" 2>/dev/null; then return; fi; sleep 0.05; done; echo \"never: $*\"; }
        marks() { sed -E 's/started [0-9]+/started PID/' m; }
        gone() { await \"! kill -0 $1 || grep -q '^State:.Z' /proc/$1/status\"; }
    ";
    let ran = machine.run(&["bash", "-c", &format!("{BEFORE}\n{script}")])?;
    Ok((ran.out + &ran.err).trim().to_owned())
}

/// Cells of the shell: what it is, the script, what is seen.
const SHELL: &[(&str, &str, &str)] = &[
    (
        "background: ready, reload, stop",
        "$L --daemon $M $P; echo $?; D=$(cat p); ps -o ppid=,tty= -p $D | xargs
         kill -HUP $D; await grep -q reloaded m; kill $D; gone $D; marks; ls",
        "0\n1 ?\nstarted PID by Program\nready\nreloaded\nstopped\nm",
    ),
    ("background: fails at start", "$L --daemon $P fails; echo $?; ls", "1\nlifelike: told to fail"),
    (
        "background: slow start is waited for",
        "$L --daemon $M $P slow; echo $?; marks; kill $(cat p)",
        "0\nstarted PID by Program\nready",
    ),
    (
        "background: crash before it is ready",
        "$L --daemon $P crashes-early; echo $?; ls",
        "1\nlifelike: killed by signal 6 before it was ready",
    ),
    (
        "background: crash after it was ready, and the next start",
        "$L --daemon $M $P crashes; echo $?; await '! kill -0 $(cat p)'; ls; $L --daemon $P; echo $?; kill $(cat p); await '! test -e p'",
        "0\nm\np\n0",
    ),
    (
        "background: forced stop",
        "$L --daemon $M $P stubborn; D=$(cat p); kill $D; await grep -q asked m; sleep 0.6; kill $D; gone $D; marks",
        "started PID by Program\nready\nasked to stop",
    ),
    (
        "background: a stop that takes too long is ended by the daemon's own deadline",
        "$L --daemon $M $P late; D=$(cat p); kill $D; gone $D; marks; ls",
        "started PID by Program\nready\nwaits for its guests\nm",
    ),
    (
        "background: a second start is refused and changes nothing",
        "$L --daemon $P; D=$(cat p); $L --daemon $P 2>&1 | sed s/$D/PID/\\;s,/tmp/.*/,,; cat p | sed s/$D/PID/; kill $D",
        "lifelike: already running as process PID (pid file p)\nPID",
    ),
    (
        "background: sockets are bound, and a taken port is an error",
        "$L --daemon $P --port=7100; echo $?; D=$(cat p); nc 127.0.0.1 7100 </dev/null | sed s/$D/PID/
         $L --daemon --pid-file=$PWD/q --port=7100; echo $?; ls; kill $D",
        "0\nPID\n1\np\nlifelike: socket lifelike: cannot listen at 127.0.0.1:7100: Address already in use (os error 98)",
    ),
    (
        "background: rights are gone",
        "$L --daemon $P --user=daemon; grep -E '^(Uid|CapEff|NoNewPrivs)' /proc/$(cat p)/status | tr '\\t' ' '; kill $(cat p)",
        "Uid: 1 1 1 1\nCapEff: 0000000000000000\nNoNewPrivs: 1",
    ),
    ("background: an unknown user", "$L --daemon $P --user=nosuch; echo $?; ls", "67\nlifelike: no user \"nosuch\" on this system"),
    (
        "background: inherited descriptors and closed streams",
        "$L --daemon $P 7</etc/passwd <&- >&- 2>&-; ls -l /proc/$(cat p)/fd | grep -c passwd; readlink /proc/$(cat p)/fd/[012]; kill $(cat p)",
        "0\n/dev/null\n/dev/null\n/dev/null",
    ),
    (
        "background: interrupted while it starts",
        "timeout -s INT 0.3 $L --daemon $M $P slow; echo $?; pgrep -x lifelike; ls",
        "124\nm\nlifelike: interrupted before the daemon was ready",
    ),
    (
        "background: interrupted at any moment, nobody is left",
        "for i in $(seq 40); do timeout -s INT 0.00$((i % 8 + 1)) $L --daemon $P slow; done 2>/dev/null; pgrep -x lifelike; ls",
        "",
    ),
    (
        "background: others who may read the pid file do not keep it from starting",
        "touch p; chmod 644 p; chmod 755 .; setpriv --reuid 65534 --clear-groups python3 -c 'import fcntl, os, struct, sys, time
f = os.open(\"p\", os.O_RDONLY); fcntl.fcntl(f, 37, struct.pack(\"hhqqi4x\", 0, 0, 0, 0, 0)); open(\"/tmp/locked\", \"w\"); time.sleep(1000)' & await test -e /tmp/locked; $L --daemon $P; echo $?; kill $(cat p) $!; rm /tmp/locked",
        "0",
    ),
    (
        "background: a reload before it is ready is not taken for readiness",
        "python3 - $L $M <<'END'
import os, signal, socket, subprocess, sys, time
s = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM); s.bind('n')
d = subprocess.Popen([sys.argv[1], sys.argv[2], 'slow'], env=dict(os.environ, NOTIFY_SOCKET=os.path.abspath('n')))
while not os.path.exists('m') or 'started' not in open('m').read(): time.sleep(0.01)
d.send_signal(signal.SIGHUP); print(s.recv(100).decode()); d.send_signal(signal.SIGTERM); print(s.recv(100).decode()); print(d.wait())
END",
        "READY=1\nSTOPPING=1\n0",
    ),
    (
        "background: a pid file that is none",
        "mkdir d; ln -s m l; echo x >f; ln f g; chown daemon f; chmod 666 f; : >h; chown daemon h
         for p in d l f h /proc/x; do $L --daemon --pid-file=$p 2>&1; echo $?; done | sed s,/tmp/[^/]*/,,; cat f",
        "lifelike: pid file d: is a directory\n73\nlifelike: pid file l: is a symbolic link\n73\n\
         lifelike: pid file f: has another name too (a hard link), which must not be written to\n73\n\
         lifelike: pid file h: belongs to user 1, not to us (user 0)\n73\n\
         lifelike: pid file /proc/x: its directory does not exist\n73\nx",
    ),
    (
        "background: a full disk",
        "mkdir d; mount -t tmpfs -o size=4k,nr_inodes=8 full d; cat /dev/zero >d/zero 2>/dev/null; $L --daemon --pid-file=$PWD/d/p 2>&1 | sed s,/tmp/.*/,,; ls d; umount d",
        "lifelike: pid file p: cannot be written: No space left on device (os error 28)\nzero",
    ),
    (
        "background: a directory that may only be read",
        "mkdir d; mount -t tmpfs -o ro ro d; $L --daemon --pid-file=$PWD/d/p 2>&1 | sed s,/tmp/.*/,,; umount d",
        "lifelike: pid file p: cannot be opened: Read-only file system (os error 30)",
    ),
    (
        "foreground: ready, reload, stop",
        "$L $M $P & await grep -q ready m; cat p | sed s/$!/PID/; kill -HUP $!; await grep -q reloaded m; kill $!; wait $!; echo $?; marks; ls",
        "PID\n0\nstarted PID by Program\nready\nreloaded\nstopped\nm",
    ),
    ("foreground: fails at start", "$L $P fails; echo $?; ls", "1\nlifelike: told to fail"),
    (
        "foreground: slow start, stopped before it is ready",
        "$L $M slow & await grep -q started m; kill $!; wait $!; echo $?; marks",
        "0\nstarted PID by Program",
    ),
    (
        "foreground: forced stop",
        "$L $M stubborn & await grep -q ready m; kill $!; await grep -q asked m; sleep 0.6; kill $!; wait $! 2>/dev/null; echo $?",
        "143",
    ),
    (
        "foreground: one that does not stop is ended by its own deadline",
        "$L $M stubborn & await grep -q ready m; kill $!; wait $!; echo $?",
        "1\nlifelike: stopping took too long: ended by force",
    ),
    (
        "foreground: a stop that takes too long",
        "$L $M late & await grep -q ready m; kill $!; wait $!; echo $?; marks",
        "0\nstarted PID by Program\nready\nwaits for its guests\nlifelike: stopped with 1 open after 2s",
    ),
    ("foreground: crash", "$L crashes 2>/dev/null & wait $! 2>/dev/null; echo $?", "134"),
    ("foreground: panic", "RUST_BACKTRACE=0 $L panics 2>&1 | grep -o 'told to panic'; echo ${PIPESTATUS[0]}", "told to panic\n101"),
    (
        "foreground: one request that comes twice, as timeout sends it",
        "timeout -s TERM 1 $L $M; echo $?; marks",
        "124\nstarted PID by Program\nready\nstopped",
    ),
    (
        "foreground: sockets handed over, and what is no such thing",
        "export LISTEN_FDS=1; python3 - $L $M 1 <<'END' | sed -E 's/[0-9]{2,}/N/'
import os, socket, sys, subprocess, time
s = socket.create_server(('127.0.0.1', 7101)); os.dup2(s.fileno(), 3); os.set_inheritable(3, True)
pid = os.fork()
if pid == 0:
    os.environ['LISTEN_PID'] = str(os.getpid())
    os.execv(sys.argv[1], ['lifelike', sys.argv[2], '--port=1'])
c = socket.create_connection(('127.0.0.1', 7101)); print(c.recv(100).decode().strip()); os.kill(pid, 15); print(os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]))
END
         marks
         sh -c 'LISTEN_PID=$$ LISTEN_FDS=2 exec /usr/local/bin/lifelike' 3</dev/null 4<&-; echo $?
         sh -c 'LISTEN_PID=$$ LISTEN_FDS=x exec /usr/local/bin/lifelike'; echo $?
         LISTEN_PID=1 LISTEN_FDS=9 timeout 0.5 $L; echo $?",
        "N\n0\nstarted PID by Manager\nits socket was handed over\nready\nstopped\n1\n1\n124\n\
         lifelike: LISTEN_FDS=2, but descriptor 4 was not handed over\nlifelike: LISTEN_FDS=x: expected a number from 0 to 4096",
    ),
    (
        "foreground: a manager that is gone",
        "NOTIFY_SOCKET=/nowhere timeout 0.5 $L; echo $?",
        "124\nlifelike: cannot reach the service manager at /nowhere: No such file or directory (os error 2) (NOTIFY_SOCKET=): goes on without",
    ),
];

fn shell(report: &mut Report) -> Result<()> {
    let machine = alone()?;
    machine.run(&["mount", "-t", "tmpfs", "tmp", "/tmp"])?;
    for (what, script, wanted) in SHELL {
        report.same(what, &told(&machine, script)?, wanted);
    }
    Ok(())
}

/// Units: name, and what stands in `[Service]` behind its command.
const UNITS: &[(&str, &str, &str)] = &[
    ("ready", "", "ExecReload=kill -HUP $MAINPID\n"),
    ("fails", "fails", ""),
    ("slow", "slow", ""),
    ("stubborn", "stubborn", "TimeoutStopSec=1\n"),
    ("late", "late", ""),
    ("crashes", "crashes", ""),
    ("panics", "panics", "Environment=RUST_BACKTRACE=0\n"),
    ("hangs", "hangs", "WatchdogSec=1\n"),
    ("watched", "", "WatchdogSec=1\n"),
    ("stores", "--port=7200 stores", "FileDescriptorStoreMax=4\n"),
    ("daemon", "--daemon", ""),
];

/// A unit that goes into the background because its manager waits for just that.
const FORKING: &str = "[Service]\nType=forking\nPIDFile=/run/lifelike.pid\n\
                       ExecStart=/usr/local/bin/lifelike --daemon --pid-file=/run/lifelike.pid --mark=/var/tmp/forking\n";

/// What each shows: the unit, the script (`C` is the manager's client), what is seen.
const SERVICES: &[(&str, &str, &str)] = &[
    (
        "ready",
        "C start ready; echo $?; state ready; await grep -q ready /var/tmp/ready; marks ready",
        "0\nactive running success\nstarted PID by Manager\nready",
    ),
    (
        "reload",
        "C reload ready; echo $?; await grep -q reloaded /var/tmp/ready; state ready",
        "0\nactive running success",
    ),
    (
        "stop",
        "C stop ready; echo $?; state ready; marks ready | tail -n1",
        "0\ninactive dead success\nstopped",
    ),
    (
        "fails at start",
        "C start fails 2>/dev/null; echo $?; state fails; C show -P StatusText -P ExecMainStatus fails",
        "1\nfailed failed exit-code\ntold to fail\n1",
    ),
    (
        "slow start",
        "C start slow; echo $?; await grep -q ready /var/tmp/slow; marks slow; C stop slow",
        "0\nstarted PID by Manager\nready",
    ),
    (
        "forced stop",
        "C start stubborn; C stop stubborn; state stubborn; marks stubborn",
        "failed failed timeout\nstarted PID by Manager\nready\nasked to stop",
    ),
    (
        "a stop that takes too long",
        "C start late; C stop late; state late; marks late",
        "inactive dead success\nstarted PID by Manager\nready\nwaits for its guests",
    ),
    (
        "crash",
        "C start crashes 2>/dev/null; await 'C is-failed -q crashes'; state crashes | sed s/core-dump/signal/",
        "failed failed signal",
    ),
    (
        "panic",
        "C start panics 2>/dev/null; await 'C is-failed -q panics'; state panics; C show -P StatusText -P ExecMainStatus panics",
        "failed failed exit-code\npanicked: told to panic\n101",
    ),
    ("watchdog missed", "C start hangs; await 'C is-failed -q hangs'; state hangs", "failed failed watchdog"),
    (
        "watchdog answered",
        "C start watched; S=$(C show -P WatchdogTimestampMonotonic watched); await test '$(C show -P WatchdogTimestampMonotonic watched) -gt $((S + 2000000))'; state watched; C stop watched",
        "active running success",
    ),
    (
        "sockets kept by the manager",
        "C start stores; C restart stores; state stores; marks stores; C stop stores",
        "active running success\nstarted PID by Manager\nready\nstopped\nstarted PID by Manager\nits socket was handed over\nready",
    ),
    (
        "told to detach",
        "C start daemon; state daemon; marks daemon; C stop daemon",
        "active running success\nstarted PID by Manager\nready",
    ),
];

fn services(
    report: &mut Report,
    client: &str,
    run: impl Fn(&str) -> Result<String>,
    cells: &[(&str, &str, &str)],
) -> Result<()> {
    let before = format!(
        "C() {{ {client} \"$@\"; }}
         await() {{ for _ in $(seq 200); do if eval \"$*\"; then return; fi; sleep 0.05; done; echo \"never: $*\"; }}
         marks() {{ sed -E 's/started [0-9]+/started PID/' /var/tmp/$1; }}
         state() {{ echo $(C show -P ActiveState $1) $(C show -P SubState $1) $(C show -P Result $1); }}"
    );
    for (what, script, wanted) in cells {
        report.same(what, run(&format!("{before}\n{script}"))?.trim(), wanted);
    }
    Ok(())
}

fn with_units(mut setup: Setup, folder: &str) -> Result<Setup> {
    for (name, words, more) in UNITS {
        let text =
            format!("[Service]\nType=notify\nExecStart={PROGRAM} --mark=/var/tmp/{name} {words}\n{more}");
        setup = setup.file(&format!("{folder}/{name}.service"), &text)?;
    }
    with_program(setup)
}

const SYSTEM: &str = "/etc/systemd/system";

fn booted(setup: Setup, init: &[&str]) -> Result<Machine> {
    // Of two words for one thing the first counts, and one that cannot be read counts too. systemd-notify would merge them.
    let twice = r#"import os, socket, time
socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM).sendto(
    b"READY=0\nREADY=1\nSTATUS=one\nSTATUS=two\nMAINPID=x\nMAINPID=1\nWATCHDOG_USEC=x\nWATCHDOG_USEC=1\nERRNO=5\nERRNO=6",
    os.environ["NOTIFY_SOCKET"])
time.sleep(1000)
"#;
    let setup = with_units(setup, SYSTEM)?
        .file(
            &format!("{SYSTEM}/twice.service"),
            "[Service]\nType=notify\nExecStart=python3 /usr/local/bin/twice\n",
        )?
        .file("/usr/local/bin/twice", twice)?
        .file(&format!("{SYSTEM}/forking.service"), FORKING)?
        .file(
            &format!("{SYSTEM}/handed.service"),
            &format!("[Service]\nType=notify\nExecStart={PROGRAM} --mark=/var/tmp/handed --port=1\n"),
        )?
        .file(&format!("{SYSTEM}/handed.socket"), "[Socket]\nListenStream=127.0.0.1:7201\n")?;
    let machine = setup.boot(init)?;
    let answers = || machine.run(&["systemctl", "list-jobs"]).is_ok_and(|ran| ran.out.contains("No jobs"));
    machine.wait_until("the boot is over", SOON, answers)?;
    Ok(machine)
}

/// Cells that ordinary users' managers have no part in.
const AS_ROOT: &[(&str, &str, &str)] = &[
    (
        "a manager that waits for it to detach",
        "C start forking; echo $?; state forking; test $(C show -P MainPID forking) = $(cat /run/lifelike.pid) && echo same; C stop forking; marks forking",
        "0\nactive running success\nsame\nstarted PID by SilentManager\nready\nstopped",
    ),
    (
        "what is said twice",
        "C start twice; state twice; C show -P StatusText -P StatusErrno twice; C stop twice",
        "active running success\none\n5",
    ),
        (
        "the units that it prints for one with a user",
        "lifelike --port=7203 --user=daemon units --mark=/etc/systemd/system; C daemon-reload; C start lifelike.socket
         nc 127.0.0.1 7203 </dev/null | sed -E 's/[0-9]+/N/'; state lifelike; C show -P User lifelike; C stop lifelike.service lifelike.socket; rm /var/lib/lifelike/m",
        "N\nactive running success\ndaemon",
    ),
    (
            "the units that it prints",
            "lifelike --port=7202 units --mark=/etc/systemd/system; C daemon-reload; systemd-analyze verify lifelike.service lifelike.socket 2>&1 | grep lifelike
             systemd-analyze security --threshold=20 lifelike.service >/dev/null; echo $?; C start lifelike.socket
             nc 127.0.0.1 7202 </dev/null | sed -E 's/[0-9]+/N/'; state lifelike; marks ../lib/lifelike/m; C stop lifelike.service lifelike.socket",
            "0\nN\nactive running success\nstarted PID by Manager\nits socket was handed over\nready",
        ),
        (
            "sockets handed over",
            "C start handed.socket; nc 127.0.0.1 7201 </dev/null | sed -E 's/[0-9]+/N/'; marks handed",
            "N\nstarted PID by Manager\nits socket was handed over\nready",
        ),
    ];

/// Where systemd's journal keeps what is written.
const IN_THE_JOURNAL: &[(&str, &str, &str)] = &[(
    "its last words are the unit's, with their priority",
    "journalctl --sync; journalctl -q -u fails -p err -o json --output-fields=MESSAGE -t lifelike | grep -o '\"MESSAGE\":[^,}]*'",
    "\"MESSAGE\":\"told to fail\"",
)];

fn under_systemd(report: &mut Report) -> Result<()> {
    let machine = booted(Setup::new(Confinement::Privileged)?, &["/lib/systemd/systemd"])?;
    let run = |script: &str| Ok(machine.run(&["bash", "-c", script])?.out);
    services(report, "systemctl", run, SERVICES)?;
    services(report, "systemctl", run, AS_ROOT)?;
    services(report, "systemctl", run, IN_THE_JOURNAL)
}

fn under_eudaemon(report: &mut Report) -> Result<()> {
    let Some(candidate) = candidate_for(report, Confinement::Privileged)? else { return Ok(()) };
    let machine = booted(candidate.setup(Confinement::Privileged)?, &candidate.init())?;
    let run = |script: &str| Ok(machine.run(&["bash", "-c", script])?.out);
    services(report, "systemctl", run, SERVICES)?;
    services(report, "systemctl", run, AS_ROOT)
}

fn under_a_user_s_eudaemon(report: &mut Report) -> Result<()> {
    let Some(candidate) = candidate_for(report, Confinement::Unprivileged)? else { return Ok(()) };
    let Candidate::Ours(binary) = &candidate else {
        report.skip("a manager of one user's", "the candidate is not ours");
        return Ok(());
    };
    let setup = Setup::new(Confinement::Unprivileged)?.program(binary, "/usr/local/bin/eudaemon")?;
    let machine = with_units(setup, "/home/alice/.config/systemd/user")?.boot(&["/bin/sleep", "infinity"])?;
    machine.shell("chown -R alice: /home/alice")?.success()?;
    let run = |script: &str| {
        let script = script.replace('\'', "'\\''");
        Ok(machine.shell_as("alice", &format!("exec bash -c '{script}'"))?.out)
    };
    services(report, "eudaemon", run, SERVICES)
}

/// Supervisors' cells: a service folder `/svc/NAME` runs the daemon with these words.
const SUPERVISED: &[(&str, &str)] = &[
    ("ready", ""),
    ("fails", "fails"),
    ("slow", "slow"),
    ("stubborn", "stubborn"),
    ("crashes", "crashes"),
    ("daemon", "--daemon"),
];

const S6: &[(&str, &str, &str)] = &[
    (
        "s6: ready",
        "s6-svwait -U -t 20000 /svc/ready; echo $?; await grep -q ready /var/tmp/ready; marks ready",
        "0\nstarted PID by Supervisor(\"s6-supervise\")\nready",
    ),
    (
        "s6: reload",
        "s6-svc -h /svc/ready; await grep -q reloaded /var/tmp/ready; s6-svstat -o up,ready /svc/ready",
        "true true",
    ),
    (
        "s6: stop",
        "s6-svc -wD -T 20000 -d /svc/ready; s6-svstat -o up,exitcode /svc/ready; marks ready | tail -n1",
        "false 0\nstopped",
    ),
    (
        "s6: fails at start",
        "await 'test $(s6-svdt /svc/fails | wc -l) -gt 0'; s6-svc -d /svc/fails; s6-svdt /svc/fails | head -n1 | cut -d' ' -f2-",
        "exitcode 1",
    ),
    (
        "s6: slow start",
        "s6-svwait -U -t 20000 /svc/slow; await grep -q ready /var/tmp/slow; marks slow",
        "started PID by Supervisor(\"s6-supervise\")\nready",
    ),
    (
        "s6: forced stop",
        "s6-svwait -U -t 20000 /svc/stubborn; s6-svc -d /svc/stubborn; await grep -q asked /var/tmp/stubborn; sleep 0.6; s6-svc -wD -T 20000 -t /svc/stubborn; s6-svstat -o up,signal /svc/stubborn",
        "false SIGTERM",
    ),
    (
        "s6: crash",
        "await 'test $(s6-svdt /svc/crashes | wc -l) -gt 0'; s6-svc -d /svc/crashes; s6-svdt /svc/crashes | head -n1 | cut -d' ' -f2-",
        "signal SIGABRT",
    ),
    (
        "s6: told to detach",
        "s6-svwait -U -t 20000 /svc/daemon; marks daemon; test $(s6-svstat -o pid /svc/daemon) = $(pgrep -xf '/usr/local/bin/lifelike .*--daemon') && echo same",
        "started PID by Supervisor(\"s6-supervise\")\nready\nsame",
    ),
];

const RUNIT: &[(&str, &str, &str)] = &[
    (
        "runit: ready",
        "await grep -q ready /var/tmp/ready; sv status /svc/ready | cut -d: -f1; marks ready",
        "run\nstarted PID by Supervisor(\"runsv\")\nready",
    ),
    (
        "runit: reload",
        "sv hup /svc/ready; await grep -q reloaded /var/tmp/ready; sv status /svc/ready | cut -d: -f1",
        "run",
    ),
    ("runit: stop", "sv -w 20 stop /svc/ready | cut -d: -f1,2; marks ready | tail -n1", "ok: down\nstopped"),
    (
        "runit: fails at start",
        "await 'test $(grep -c started /var/tmp/fails) -gt 1'; sv -w 20 stop /svc/fails | cut -d: -f1; cat /svc/fails/ends | head -n1",
        "ok\n1 0",
    ),
    (
        "runit: slow start",
        "await grep -q ready /var/tmp/slow; marks slow",
        "started PID by Supervisor(\"runsv\")\nready",
    ),
    (
        "runit: forced stop",
        "await grep -q ready /var/tmp/stubborn; sv -w 1 force-stop /svc/stubborn >/dev/null; await 'sv status /svc/stubborn | grep -q ^down'; tail -n1 /svc/stubborn/ends",
        "-1 9",
    ),
    (
        "runit: crash",
        "await 'test -s /svc/crashes/ends'; sv -w 20 stop /svc/crashes | cut -d: -f1; head -n1 /svc/crashes/ends",
        "ok\n-1 6",
    ),
    (
        "runit: told to detach",
        "await grep -q ready /var/tmp/daemon; marks daemon; test $(cat /svc/daemon/supervise/pid) = $(pgrep -xf '/usr/local/bin/lifelike .*--daemon') && echo same",
        "started PID by Supervisor(\"runsv\")\nready\nsame",
    ),
];

fn supervisors(report: &mut Report) -> Result<()> {
    for (supervisor, more, cells) in [("s6-svscan", "--notify-fd=3", S6), ("runsvdir", "", RUNIT)] {
        let mut setup = Setup::new(Confinement::Privileged)?.layer(Layer::Starters);
        for (name, words) in SUPERVISED {
            let run = format!("#!/bin/sh\nexec {PROGRAM} --mark=/var/tmp/{name} {more} {words}\n");
            setup = setup
                .file(&format!("/svc/{name}/run"), &run)?
                .file(&format!("/svc/{name}/finish"), "#!/bin/sh\necho $1 $2 >>ends\n")?
                .file(&format!("/svc/{name}/notification-fd"), "3\n")?;
        }
        let start = format!("chmod 755 /svc/*/run /svc/*/finish; exec {supervisor} /svc");
        let machine = with_program(setup)?.boot(&["/bin/sh", "-c", &start])?;
        services(report, "false", |script| Ok(machine.run(&["bash", "-c", script])?.out), cells)?;
    }
    Ok(())
}

const INETD: &[(&str, &str, &str)] = &[
    (
        "a connection",
        "nc 127.0.0.1 7300 </dev/null | sed -E 's/[0-9]+/N/'; marks nowait",
        "N\nstarted PID by Superserver",
    ),
    (
        "a listening socket",
        "nc 127.0.0.1 7301 </dev/null | sed -E 's/[0-9]+/N/'; marks wait",
        "N\nstarted PID by Superserver\nits socket was handed over\nready",
    ),
    (
        "told to detach",
        "nc 127.0.0.1 7302 </dev/null | sed -E 's/[0-9]+/N/'; marks daemon",
        "N\nstarted PID by Superserver",
    ),
    (
        "it fails, and the one who connected sees no word of it",
        "nc 127.0.0.1 7303 </dev/null | wc -c; marks fails",
        "0\nstarted PID by Superserver",
    ),
    ("stop", "pkill -x lifelike; await grep -q stopped /var/tmp/wait; marks wait | tail -n1", "stopped"),
];

fn inetd(report: &mut Report) -> Result<()> {
    let line = |name: &str, wait: &str, words: &str| {
        format!("{name} stream tcp {wait} root {PROGRAM} lifelike --mark=/var/tmp/{name} {words}\n")
    };
    let lines = [
        line("nowait", "nowait", ""),
        line("wait", "wait", "--port=1"),
        line("daemon", "nowait", "--daemon"),
        line("fails", "nowait", "fails"),
    ];
    let setup = Setup::new(Confinement::Privileged)?
        .layer(Layer::Starters)
        .file("/etc/services", "nowait 7300/tcp\nwait 7301/tcp\ndaemon 7302/tcp\nfails 7303/tcp\n")?
        .file("/etc/inetd.conf", &lines.concat())?;
    let machine = with_program(setup)?.boot(&["/bin/sh", "-c", "inetd -i & while :; do sleep 1000; done"])?;
    let listens = || machine.shell("ss -4ltn | grep -c ':730[0-3] '").is_ok_and(|ran| ran.out.trim() == "4");
    machine.wait_until("inetd listens", SOON, listens).with_context(|| machine.console())?;
    services(report, "false", |script| Ok(machine.run(&["bash", "-c", script])?.out), INETD)
}

/// A container without an init: words, the signals that are sent when it is ready, its exit code, what it says.
const FIRST: &[(&str, &[&str], i32, &str)] = &[
    ("", &["TERM"], 0, "ready\nstopped"),
    ("", &["INT"], 0, "ready\nstopped"),
    ("", &["HUP", "TERM"], 0, "ready\nreloaded\nstopped"),
    ("--daemon", &["TERM"], 0, "ready\nstopped"),
    ("slow", &["TERM"], 0, "ready\nstopped"),
    ("fails", &[], 1, "lifelike: told to fail"),
    ("late", &["TERM"], 0, "ready\nwaits for its guests\nlifelike: stopped with 1 open after 2s"),
    // The same twice, half a second apart: it has no default action to die of.
    ("stubborn", &["TERM", "later TERM"], 143, "ready\nasked to stop"),
];

fn first_process(report: &mut Report) -> Result<()> {
    for (words, signals, wanted_code, wanted) in FIRST {
        let what = format!("{words:?} {signals:?}");
        // Its marks go to the console, which outlives it.
        let mut command = vec![PROGRAM, "--mark=/proc/self/fd/2"];
        command.extend(words.split_ascii_whitespace());
        let mut machine = with_program(Setup::new(Confinement::Privileged)?)?.boot(&command)?;
        let said = |machine: &Machine, word: &str| machine.console().contains(word);
        for signal in *signals {
            machine.wait_until("it is ready", SOON, || said(&machine, "ready"))?;
            let signal = match signal.strip_prefix("later ") {
                Some(signal) => {
                    machine.wait_until("it was asked", SOON, || said(&machine, "asked"))?;
                    thread::sleep(Duration::from_millis(600));
                    signal
                }
                None => signal,
            };
            machine.signal(signal)?;
            if signal == "HUP" {
                machine.wait_until("it reloads", SOON, || said(&machine, "reloaded"))?;
            }
        }
        let code = machine.wait_end(SOON)?;
        report.same(&format!("{what}: exit code"), &code.to_string(), &wanted_code.to_string());
        let wanted = format!("started 1 by Nobody\n{wanted}");
        report.same(&format!("{what}: what it did"), machine.console().trim(), &wanted);
    }
    Ok(())
}

/// Asks on eight connections until a file says that it is enough; prints how often each ended how.
const CLIENTS: &str = r#"
import collections, http.client, os, threading
ends = collections.Counter()
def ask():
    line = http.client.HTTPConnection("127.0.0.1", 8080, timeout=20)
    while not os.path.exists("/var/tmp/enough"):
        try:
            line.request("GET", "/")
            answer = line.getresponse()
            ends["answered" if answer.read() == b"hello\n" else "garbled"] += 1
        except Exception as error:
            ends[repr(error)] += 1
            line.close()
clients = [threading.Thread(target=ask) for _ in range(8)]
for client in clients: client.start()
for client in clients: client.join()
print(ends["answered"] > 100, dict((end, count) for end, count in ends.items() if end != "answered"))
"#;

/// A server whose socket the manager keeps is restarted over and over, and no request fails.
fn http(report: &mut Report) -> Result<()> {
    let Some((setup, init)) = life::quiet(report, Confinement::Privileged)? else { return Ok(()) };
    let unit = "[Unit]\nStartLimitIntervalSec=0\n[Service]\nType=notify\nExecStart=/usr/local/bin/http\nFileDescriptorStoreMax=1\n";
    let setup = setup
        .program(Path::new(env!("CARGO_BIN_EXE_http")), "/usr/local/bin/http")?
        .file("/usr/local/bin/clients", CLIENTS)?
        .file(&format!("{SYSTEM}/http.service"), unit)?;
    let machine = life::boot(setup, &init)?;
    machine.run(&["systemctl", "start", "http"])?.success()?;
    let script =
        "python3 /usr/local/bin/clients & for i in $(seq 30); do systemctl restart http || echo no $i; done
                  touch /var/tmp/enough; wait; systemctl is-active http";
    report.same("requests over thirty restarts", machine.shell(script)?.out.trim(), "True {}\nactive");
    Ok(())
}
