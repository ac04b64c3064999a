//! What a service comes to by itself may be followed by a restart, wherever in its life it happens; what is asked for may not.

use super::driver::Stage;

fn end(unit: &str, script: &str) -> &'static str {
    let mut stage =
        Stage::new("web.service", &format!("[Service]\nExecStart=/bin/web\nRestart=always\n{unit}"));
    stage.play(script);
    assert!(stage.state.processes().is_empty(), "{}", stage.transcript);
    stage.state.sub_state()
}

const ENDS: [(&str, &str); 23] = [
    // Before it is up.
    ("ExecCondition=/bin/if\n", "hold\nstart\nfork-failed p1"),
    ("ExecStartPre=/bin/pre\n", "hold\nstart\nfork-failed p1"),
    ("ExecStartPre=/bin/pre\n", "start\nexit p1 1\nempty\nempty"),
    ("", "hold\nstart\nfork-failed p1\nempty\nempty"),
    ("Type=forking\n", "start\nexit p1 1\nempty\nempty"),
    ("Type=forking\nPIDFile=/run/web.pid\n", "start\nexit p1 0\nempty\nempty\nempty"),
    (
        "Type=forking\nPIDFile=/run/web.pid\nExecStartPost=/bin/post\n",
        "start\nexit p1 0\nmissing p2 absent\nexit p3 0\nempty\nempty\nempty",
    ),
    ("Type=notify\nExitType=cgroup\n", "start\nexit p1 0\nempty\nempty\nempty"),
    ("Type=notify\n", "start\nexit p1 0\nempty\nempty"),
    ("ExecStartPost=/bin/post\n", "start\nexit p2 1\nkill p1 TERM\nempty"),
    ("ExecStartPost=/bin/post\n", "hold\nstart\nspawned p1\nfork-failed p2\nkill p1 TERM\nempty"),
    ("ExecStartPost=/bin/post\n", "start\nexit p1 3\nexit p2 0\nempty\nempty"),
    ("Type=notify\nTimeoutStartSec=1s\n", "start\n+1s\nkill p1 TERM\nempty"),
    (
        "Type=notify\nTimeoutStartSec=1s\nTimeoutStartFailureMode=kill\nSendSIGKILL=no\n",
        "start\n+1s\nkill p1 KILL\nempty",
    ),
    // While it reloads.
    ("Type=notify-reload\n", "start\nmain READY=1\nreload\nexit p1 0\nempty\nempty"),
    ("Type=notify\n", "start\nmain READY=1\nmain RELOADING=1\nexit p1 0\nempty\nempty"),
    // While it runs.
    ("Type=notify\n", "start\nmain READY=1\nmain STOPPING=1\nexit p1 0\nempty"),
    ("RuntimeMaxSec=1s\n", "start\n+1s\nkill p1 TERM\nempty"),
    ("WatchdogSec=1s\n", "start\n+1s\ndump p1 ABRT\nempty"),
    ("Type=dbus\nBusName=org.web\n", "start\nowned\nfree\nkill p1 TERM\nempty"),
    ("ExitType=cgroup\n", "start\nexit p1 3\nempty\nempty"),
    // With nobody to send a signal to, and with one who hears none.
    ("KillMode=process\n", "start\nexit p1 0"),
    ("Type=notify\nKillMode=process\nTimeoutStartSec=1s\nTimeoutStopSec=1s\n", "start\n+3s\nkill p1 KILL"),
];

#[test]
fn it_may_be_restarted() {
    for (unit, script) in ENDS {
        assert_eq!(end(unit, script), "auto-restart", "{unit}{script}");
    }
}

#[test]
fn not_when_it_was_asked_for_meanwhile() {
    for (unit, script) in ENDS {
        // The last word comes when the stop has been asked for.
        let (before, last) = script.rsplit_once('\n').unwrap();
        let script = format!("{before}\nstop\n{last}\nempty\nempty");
        let mut stage =
            Stage::new("web.service", &format!("[Service]\nExecStart=/bin/web\nRestart=always\n{unit}"));
        stage.play(&script);
        for process in stage.state.processes() {
            stage.play(&format!("kill p{} KILL", process.id.0));
        }
        stage.play("empty\nempty");
        assert!(["dead", "failed"].contains(&stage.state.sub_state()), "{unit}{}", stage.transcript);
    }
}

#[test]
fn what_cannot_be_ended() {
    let quick = "TimeoutStopSec=1s\n";
    assert_eq!(end(quick, "start\nkill p1 SEGV\n+4s"), "auto-restart", "all signals were sent");
    let mild = format!("{quick}SendSIGKILL=no\n");
    assert_eq!(end(&mild, "start\nkill p1 SEGV\n+4s"), "failed", "SIGKILL was not");
}
