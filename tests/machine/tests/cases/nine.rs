//! The main job: Debian's own packages, from their own units, answer their clients; and they stop in order.

use anyhow::{Context, Result};
use eudaemon_machine_tests::candidate::{self, Candidate};
use eudaemon_machine_tests::harness::{Case, Report};
use eudaemon_machine_tests::machine::{Confinement, Machine};
use std::time::Duration;

pub const CASES: &[Case] = &[
    Case { name: "nine-privileged", run: |report| booted(report, Confinement::Privileged) },
    Case { name: "nine-unprivileged", run: |report| booted(report, Confinement::Unprivileged) },
    Case {
        name: "nine-foreign-privileged",
        run: |report| beside_a_foreign_one(report, Confinement::Privileged),
    },
    Case {
        name: "nine-foreign-unprivileged",
        run: |report| beside_a_foreign_one(report, Confinement::Unprivileged),
    },
];

/// A unit, a client of it, and what the client must be told.
pub struct Service {
    pub unit: &'static str,
    pub client: &'static str,
    pub answer: &'static str,
}

pub const NINE: [Service; 9] = [
    Service {
        unit: "dbus.service",
        client: "dbus-send --system --print-reply --dest=org.freedesktop.DBus / org.freedesktop.DBus.ListNames",
        answer: "org.freedesktop.DBus",
    },
    Service { unit: "nginx.service", client: "curl -si http://127.0.0.1:80/", answer: "Server: nginx" },
    Service {
        unit: "apache2.service",
        client: "curl -s http://127.0.0.1:8080/",
        answer: "Apache2 Debian Default Page",
    },
    Service { unit: "redis-server.service", client: "redis-cli ping", answer: "PONG" },
    Service {
        unit: "postgresql@15-main.service",
        client: "cd /; setpriv --reuid postgres --regid postgres --init-groups psql -At -c 'select 41 + 1'",
        answer: "42",
    },
    Service { unit: "ssh.service", client: "ssh-keyscan 127.0.0.1 2>/dev/null", answer: "ssh-ed25519" },
    Service {
        unit: "memcached.service",
        client: "printf 'stats\\r\\nquit\\r\\n' | nc 127.0.0.1 11211",
        answer: "STAT pid",
    },
    Service { unit: "cron.service", client: "cat /proc/$(cat /run/crond.pid)/comm", answer: "cron" },
    Service {
        unit: "rsyslog.service",
        client: "logger --tag client said-$$; for i in 1 2 3 4 5 6 7 8 9; do grep said-$$ /var/log/syslog && break; sleep 0.1; done",
        answer: "client: said-",
    },
];

const READY: Duration = Duration::from_secs(60);
const STOPPED: Duration = Duration::from_secs(45);

/// Boots the root file system as it is, and asks every client; then stops it, once by each signal that runtimes send.
fn booted(report: &mut Report, confinement: Confinement) -> Result<()> {
    let Some(candidate) = candidate_for(report, confinement)? else { return Ok(()) };
    for signal in ["RTMIN+3", "TERM"] {
        let mut machine = candidate.setup(confinement)?.boot(&candidate.init())?;
        answers(report, &machine, &NINE);
        active(report, &machine, &NINE);
        let zombies = machine.shell("cat /proc/[0-9]*/stat 2>/dev/null | awk '$3 == \"Z\"'")?.out;
        report.same("no zombie is left", &zombies, "");
        if !candidate.is_ours() {
            // Real systemd re-executes itself on SIGTERM, and ends by reboot(2), whose answer is a signal.
            machine.stop("RTMIN+3", STOPPED)?;
            return Ok(());
        }
        let code = machine.stop(signal, STOPPED);
        report.check(
            &format!("SIG{signal} stops all of it, exit code 0"),
            code.and_then(|code| expect_code(code, 0)),
        );
    }
    Ok(())
}

/// `eudaemon start X` where PID 1 is somebody else's: the manager is started first, then the service.
fn beside_a_foreign_one(report: &mut Report, confinement: Confinement) -> Result<()> {
    let Some(Candidate::Ours(binary)) = candidate_for(report, confinement)? else {
        report.skip("beside a foreign PID 1", "the candidate is not ours");
        return Ok(());
    };
    let setup = eudaemon_machine_tests::machine::Setup::new(confinement)?
        .program(&binary, "/usr/local/bin/eudaemon")?;
    let machine = setup.boot(&["/bin/sleep", "infinity"])?;
    machine.shell("mkdir -p /tmp/build; echo precious > /tmp/build/artifact")?.success()?;
    let started = machine.run(&["eudaemon", "start", "nginx"])?;
    report.check("eudaemon start nginx", started.success().map(|_| ()));
    report.same("files in /tmp stay", &machine.shell("cat /tmp/build/artifact")?.out, "precious");
    report.same("nobody is locked out", &machine.shell("ls /run/nologin 2>/dev/null; true")?.out, "");
    answers(report, &machine, &NINE[1..2]);
    for service in NINE.iter().filter(|service| service.unit != "nginx.service") {
        let started = machine.run(&["eudaemon", "start", service.unit])?;
        report.check(&format!("eudaemon start {}", service.unit), started.success().map(|_| ()));
    }
    answers(report, &machine, &NINE);
    let foreign = machine.read("/proc/1/comm")?;
    report.same("PID 1 is still somebody else's", &foreign, "sleep");
    let stopped = machine.run(&["eudaemon", "stop", "nginx"])?;
    report.check("eudaemon stop nginx", stopped.success().map(|_| ()));
    let refused = machine.shell("curl -s http://127.0.0.1:80/")?;
    report.same("nobody answers any more", &refused.code.to_string(), "7");
    Ok(())
}

fn answers(report: &mut Report, machine: &Machine, services: &[Service]) {
    for service in services {
        let mut last = String::new();
        let seen = machine.wait_until(service.client, READY, || {
            last = machine.shell(service.client).map(|ran| ran.out + &ran.err).unwrap_or_default();
            last.contains(service.answer)
        });
        let seen = seen
            .map(|_| ())
            .with_context(|| format!("the client said {:?}", last.chars().take(300).collect::<String>()));
        report.check(&format!("{} answers", service.unit), seen);
    }
}

fn active(report: &mut Report, machine: &Machine, services: &[Service]) {
    for service in services {
        let mut last = String::new();
        let seen = machine.wait_until("is-active", READY, || {
            last = machine
                .run(&["systemctl", "is-active", service.unit])
                .map(|ran| ran.out + &ran.err)
                .unwrap_or_default();
            last.trim_end() == "active"
        });
        report.check(&format!("{} is active", service.unit), seen.map(|_| ()).with_context(|| last));
    }
}

/// The binary under test, unless there is none or this machine cannot confine it so.
pub fn candidate_for(report: &mut Report, confinement: Confinement) -> Result<Option<Candidate>> {
    let Some(candidate) = Candidate::find() else {
        report.skip("eudaemon", "it is not built: cargo build -p eudaemon");
        return Ok(None);
    };
    let wanted = match confinement {
        Confinement::Privileged | Confinement::Nspawn => None,
        Confinement::Unprivileged if !candidate.is_ours() => Some("real systemd cannot".to_owned()),
        Confinement::Unprivileged => candidate::no_user_namespace(),
    };
    if let Some(why) = wanted {
        report.skip("the unprivileged machine", &why);
        return Ok(None);
    }
    Ok(Some(candidate))
}

fn expect_code(code: i32, wanted: i32) -> Result<()> {
    match code == wanted {
        true => Ok(()),
        false => anyhow::bail!("exit code {code}"),
    }
}
