//! What holds whatever a unit hears, sense or nonsense: inputs drawn by a seed, many thousand of them.

use super::driver::Stage;
use crate::api::ActiveState;
use expect_test::expect;

const SERVICES: [&str; 6] = [
    "[Service]\nExecCondition=/bin/if\nExecStartPre=/bin/pre\nExecStart=/bin/web\nExecStartPost=/bin/post\n\
     ExecReload=/bin/reload\nExecStop=/bin/stop\nExecStopPost=/bin/stoppost\nRestart=always\nRuntimeMaxSec=1h\n",
    "[Service]\nType=forking\nPIDFile=/run/web.pid\nExecStart=/bin/web\nExecStartPost=/bin/post\nRestart=on-failure\n",
    "[Service]\nType=forking\nExecStart=/bin/web\nKillMode=mixed\nExecStop=/bin/stop\n\
     ExecStopPost=/bin/stoppost\nTimeoutStopFailureMode=abort\n",
    "[Service]\nType=notify-reload\nNotifyAccess=all\nExecStart=/bin/web\nWatchdogSec=10s\nFileDescriptorStoreMax=3\n",
    "[Service]\nType=oneshot\nRemainAfterExit=yes\nExecStart=/bin/a\nExecStart=-/bin/b\nKillMode=process\nTimeoutStartSec=20s\n",
    "[Service]\nType=dbus\nBusName=org.web\nExitType=cgroup\nExecStart=/bin/web\nSendSIGKILL=no\nOOMPolicy=kill\n",
];

const INPUTS: [&str; 45] = [
    "start",
    "start",
    "start",
    "stop",
    "restart",
    "reload",
    "reset-failed",
    "start-limit",
    "spawned P",
    "spawned P",
    "spawned P",
    "fork-failed P",
    "exec P",
    "exec P",
    "setup P 203",
    "exit P 0",
    "exit P 0",
    "exit P 0",
    "exit P 1",
    "exit P 255",
    "kill P TERM",
    "kill P KILL",
    "dump P SEGV",
    "gone P",
    "found P",
    "found P",
    "missing P why",
    "empty",
    "empty",
    "empty",
    "occupied",
    "occupied",
    "owned",
    "free",
    "oom",
    "restart-refused",
    "main READY=1",
    "main RELOADING=1 MONOTONIC_USEC=9000000000000",
    "main STOPPING=1",
    "member MAINPID=7",
    "main WATCHDOG=trigger",
    "control WATCHDOG=1 STATUS=x FDSTORE=1",
    "main EXTEND_TIMEOUT_USEC=5000000",
    "+3s",
    "+2m",
];

#[test]
fn any_inputs_leave_a_service_in_order() {
    let mut draw = 0x9e37_79b9_7f4a_7c15_u64;
    let mut next = |below: usize| {
        draw ^= draw << 13;
        draw ^= draw >> 7;
        draw ^= draw << 17;
        (draw % below as u64) as usize
    };
    let mut visited = std::collections::BTreeSet::new();
    for _ in 0..600 {
        let mut stage = Stage::new("web.service", SERVICES[next(SERVICES.len())]);
        stage.play("hold");
        for _ in 0..120 {
            let owned = stage.state.processes();
            let process = owned.get(next(4)).map_or(next(9) as u64, |process| process.id.0);
            stage.play(&INPUTS[next(INPUTS.len())].replace(" P", &format!(" p{process}")));
            in_order(&stage);
            visited.insert(stage.state.sub_state());
        }
    }
    let visited: Vec<&str> = visited.into_iter().collect();
    expect!["auto-restart condition dead exited failed final-sigkill final-sigterm final-watchdog reload reload-signal running start start-post start-pre stop stop-post stop-sigkill stop-sigterm stop-watchdog"].assert_eq(&visited.join(" "));
}

/// Where nothing runs nothing is owned; what is on its way ends by itself, at the latest by a deadline.
fn in_order(stage: &Stage) {
    let state = &stage.state;
    let owns = !state.processes().is_empty();
    let way = match state.active_state() {
        ActiveState::Inactive | ActiveState::Failed => {
            assert!(
                !owns && state.deadline().is_none(),
                "down and yet busy: {state:?}\n{}",
                stage.transcript
            );
            return;
        }
        ActiveState::Active | ActiveState::Maintenance => return,
        ActiveState::Activating | ActiveState::Reloading | ActiveState::Deactivating => state,
    };
    let waits_for_job = way.sub_state() == "auto-restart";
    let being_forked = way.sub_state() == "start" && owns;
    assert!(
        way.deadline().is_some() || waits_for_job || being_forked,
        "on its way for ever: {state:?}\n{}",
        stage.transcript
    );
}
