//! `[X-Health]` (docs/reference/extensions.md) on the real kernel: what is asked, what waits for the answer, what follows from it,
//! and that a manager that is killed over it forgets nothing.

use crate::kills::{kill, manager};
use crate::nine::candidate_for;
use anyhow::{Context, Result};
use eudaemon_machine_tests::candidate::Candidate;
use eudaemon_machine_tests::harness::{Case, Report};
use eudaemon_machine_tests::machine::{Confinement, Machine, Setup};
use std::time::Duration;

pub const CASES: &[Case] = &[
    Case { name: "health", run: as_first },
    Case { name: "health-beside-a-foreign-one", run: beside_a_foreign_one },
];

const SOON: Duration = Duration::from_secs(60);

/// Listens when it may, and answers each GET as a file says: with a status, or never.
const WEB: &str = r#"#!/usr/bin/python3
import ctypes, fcntl, http.server, os, socket, struct, sys, time
if sys.argv[2:] == ["alone"]:
    # A network of its own, with nothing in it but lo, which is to be up.
    assert ctypes.CDLL(None).unshare(0x40000000) == 0
    fcntl.ioctl(socket.socket(), 0x8914, struct.pack("16sh22x", b"lo", 0x41))
while not os.path.exists("/var/tmp/listen"):
    time.sleep(0.01)
class Answers(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        said = open("/var/tmp/answer").read().strip()
        open("/var/tmp/asked", "a").write(self.path + "\n")
        while said == "never":
            time.sleep(1)
        self.send_response(int(said))
        self.end_headers()
    def log_message(self, *_):
        pass
http.server.ThreadingHTTPServer(("127.0.0.1", int(sys.argv[1])), Answers).serve_forever()
"#;

const FILES: &[(&str, &str)] = &[
    ("/usr/local/bin/web", WEB),
    (
        "/etc/systemd/system/web.service",
        "[Unit]\nStartLimitIntervalSec=0\n[Service]\nExecStart=/usr/bin/python3 /usr/local/bin/web 18080\n\
         [X-Health]\nHttp=http://localhost:18080/health?%p\nIntervalSec=200ms\nTimeoutSec=2s\nRetries=2\n\
         OnUnhealthy=restart\nGate=start\n",
    ),
    // It finds web ready: that is all it looks at.
    (
        "/etc/systemd/system/user.service",
        "[Unit]\nRequires=web.service\nAfter=web.service\n[Service]\nType=oneshot\nRemainAfterExit=yes\n\
         ExecStart=/usr/bin/python3 -c 'import urllib.request as r; print(r.urlopen(\"http://127.0.0.1:18080/user\").status)'\n",
    ),
    // Who asks is the service's own user.
    (
        "/etc/systemd/system/told.service",
        "[Service]\nUser=daemon\nExecStart=sleep 1000\n[X-Health]\nIntervalSec=100ms\nTimeoutSec=5s\nRetries=3\nOnUnhealthy=none\n\
         Exec=sh -c 'test $$(id -un) = daemon && ! test -e /var/tmp/ill-told'\n",
    ),
    (
        "/etc/systemd/system/ended.service",
        "[Unit]\nOnFailure=alarm.service\n[Service]\nExecStart=sleep 1000\nRestart=always\n[X-Health]\nIntervalSec=100ms\n\
         TimeoutSec=500ms\nRetries=2\nOnUnhealthy=stop\nExec=sh -c 'test ! -e /var/tmp/ill-ended || exec sleep 1000'\n",
    ),
    ("/etc/systemd/system/alarm.service", "[Service]\nType=oneshot\nRemainAfterExit=yes\nExecStart=true\n"),
    // In its own network, where alone there is somebody at this port.
    (
        "/etc/systemd/system/inside.service",
        "[Service]\nExecStart=/usr/bin/python3 /usr/local/bin/web 9090 alone\nTimeoutStartSec=20s\n\
         [X-Health]\nTcp=9090\nIntervalSec=100ms\nRetries=1\nOnUnhealthy=restart\nGate=start\n",
    ),
    (
        "/etc/systemd/system/never.service",
        "[Service]\nExecStart=sleep 1000\nTimeoutStartSec=1s\n[X-Health]\nTcp=127.0.0.1:9\nGate=start\n",
    ),
];

fn with_units(mut setup: Setup) -> Result<Setup> {
    for (path, text) in FILES {
        setup = setup.file(path, text)?;
    }
    Ok(setup)
}

fn as_first(report: &mut Report) -> Result<()> {
    let Some(candidate) = candidate_for(report, Confinement::Privileged)? else { return Ok(()) };
    if !candidate.is_ours() {
        report.skip("[X-Health]", "systemd passes it over");
        return Ok(());
    }
    let machine = with_units(candidate.setup(Confinement::Privileged)?)?.boot(&candidate.init())?;
    let answers = || machine.run(&["eudaemon", "list-jobs"]).is_ok_and(|ran| ran.out.contains("No jobs"));
    machine.wait_until("the boot is over", SOON, answers)?;
    play(report, &machine, || kill(manager(&machine).context("a manager")?))?;
    frozen(report, &machine)
}

fn beside_a_foreign_one(report: &mut Report) -> Result<()> {
    let Some(Candidate::Ours(binary)) = candidate_for(report, Confinement::Privileged)? else {
        report.skip("[X-Health]", "the candidate is not ours");
        return Ok(());
    };
    let setup = Setup::new(Confinement::Privileged)?.program(&binary, "/usr/local/bin/eudaemon")?;
    let machine = with_units(setup)?.boot(&["/bin/sleep", "infinity"])?;
    machine.run(&["eudaemon", "start", "told"])?.success()?;
    play(report, &machine, || machine.shell("kill -9 $(pgrep -x eudaemon-manage)")?.success().map(|_| ()))
}

/// The same story, however the manager came to be; `kill_manager` ends it once.
fn play(report: &mut Report, machine: &Machine, kill_manager: impl Fn() -> Result<()>) -> Result<()> {
    let shown = |unit: &str, property: &str| -> Result<String> {
        let ran = machine.run(&["eudaemon", "show", "-P", property, unit])?;
        Ok(ran.success()?.trim_end().to_owned())
    };
    let status = |unit: &str| machine.run(&["eudaemon", "status", unit]).map_or(String::new(), |ran| ran.out);
    let wait_status = |unit: &str, words: &str| {
        machine.wait_until(&format!("{unit}: {words}"), SOON, || status(unit).contains(words))
    };
    machine.write("/var/tmp/answer", "503")?;

    // The gate, over the death of a manager.
    machine.run(&["eudaemon", "start", "--no-block", "user"])?.success()?;
    wait_status("web", "cannot connect to 127.0.0.1:18080: connection refused")?;
    report.same("it waits to be healthy", &shown("web", "SubState")?, "start-post");
    machine.write("/var/tmp/listen", "")?;
    wait_status("web", "GET http://localhost:18080/health?web answered 503")?;
    report.same("and for a good answer", &shown("web", "SubState")?, "start-post");
    let main = shown("web", "MainPID")?;
    kill_manager()?;
    let starts = || machine.read("/var/tmp/asked").map_or(0, |asked| asked.lines().count());
    let before = starts();
    machine.wait_until("the next manager asks", SOON, || starts() > before)?;
    report.same("the same main process", &shown("web", "MainPID")?, &main);
    report.same("at the same gate", &shown("web", "SubState")?, "start-post");
    machine.write("/var/tmp/answer", "204")?;
    let is_up = |unit: &str| machine.run(&["eudaemon", "is-active", unit]).is_ok_and(|ran| ran.ok());
    machine.wait_until("what comes after it is up", SOON, || is_up("user"))?;
    report.same("which is", &shown("user", "Result")?, "success");
    wait_status("web", "Health: healthy since")?;

    // Unhealthy: it is started again, and waits at its gate.
    machine.write("/var/tmp/answer", "500")?;
    let restarts = |wanted: &str| shown("web", "NRestarts").is_ok_and(|restarts| restarts == wanted);
    machine.wait_until("it is restarted", SOON, || restarts("1"))?;
    machine.write("/var/tmp/answer", "302")?;
    machine.wait_until("it is well again", SOON, || is_up("web"))?;
    report.holds("by another process", shown("web", "MainPID")? != main, &main);
    machine.write("/var/tmp/answer", "never")?;
    machine.wait_until("no answer is as bad", SOON, || restarts("2"))?;
    machine.write("/var/tmp/answer", "200")?;
    machine.wait_until("it is well once more", SOON, || is_up("web"))?;
    let why = machine.shell("eudaemon why web")?.out;
    report.holds("and it is known why", why.contains("Restart="), &why);

    // Only told, and a manager that dies over it goes on.
    machine.run(&["eudaemon", "start", "told", "ended"])?.success()?;
    wait_status("told", "Health: healthy since")?;
    machine.write("/var/tmp/ill-told", "")?;
    wait_status("told", "Health: unhealthy since")?;
    kill_manager()?;
    wait_status("told", "Health: unhealthy since")?;
    machine.run(&["rm", "/var/tmp/ill-told"])?.success()?;
    wait_status("told", "Health: healthy since")?;

    // Stopped, by a command that hangs.
    machine.write("/var/tmp/ill-ended", "")?;
    machine
        .wait_until("it ends", SOON, || shown("ended", "ActiveState").is_ok_and(|state| state == "failed"))?;
    report.same("as what", &shown("ended", "Result")?, "watchdog");
    report.holds("why", status("ended").contains("did not end within 500ms"), &status("ended"));
    machine.wait_until("OnFailure=", SOON, || is_up("alarm"))?;
    report.same("no process of it is left", &machine.shell("eudaemon show -P MainPID ended")?.out, "0");

    let inside = machine.run(&["eudaemon", "start", "inside"])?;
    report.check("asked in its own network", inside.success().map(|_| ()));

    let never = machine.run(&["eudaemon", "start", "never"])?;
    report.holds("a gate that never opens", !never.ok(), &never.out);
    report.same("is a start that takes too long", &shown("never", "Result")?, "timeout");
    let told = status("never");
    report.holds(
        "with the last word",
        told.contains("cannot connect to 127.0.0.1:9: connection refused"),
        &told,
    );
    Ok(())
}

/// What stands still is not asked: else it would be restarted for it.
fn frozen(report: &mut Report, machine: &Machine) -> Result<()> {
    let main = machine.run(&["eudaemon", "show", "-P", "MainPID", "NRestarts", "web"])?.success()?;
    machine.run(&["eudaemon", "freeze", "web"])?.success()?;
    machine.write("/var/tmp/ill-told", "")?;
    let failures = |text: &str| -> Option<u32> {
        text.split_once(" probes in a row failed")?.0.rsplit(' ').next()?.parse().ok()
    };
    let told = || {
        let status = machine.run(&["eudaemon", "status", "told"]);
        status.is_ok_and(|ran| failures(&ran.out).is_some_and(|failures| failures >= 20))
    };
    machine.wait_until("another is asked twenty times", SOON, told)?;
    machine.run(&["eudaemon", "thaw", "web"])?.success()?;
    let after = machine.run(&["eudaemon", "show", "-P", "MainPID", "NRestarts", "web"])?.success()?;
    report.same("it went on where it stood", &after, &main);
    Ok(())
}
