//! What units have that say nothing: drawn files of the manager's settings, the same under us and under real systemd, and what
//! `systemctl show` answers of units and of the manager after each reload.

use crate::nine::candidate_for;
use anyhow::{Context, Result};
use eudaemon_machine_tests::candidate::Candidate;
use eudaemon_machine_tests::harness::{Case, Report};
use eudaemon_machine_tests::machine::{Confinement, Machine, Setup};
use std::collections::BTreeMap;
use std::time::Duration;

pub const CASES: &[Case] =
    &[Case { name: "defaults-as-systemd", run: system }, Case { name: "defaults-of-a-user", run: user }];

const REAL: &str = "/lib/systemd/systemd";
const ROUNDS: u64 = 6;
const SEED: u64 = 0x9e37_79b9_7f4a_7c15;

/// Lines to draw from: right, odd and wrong ones.
const LINES: &[&str] = &[
    "DefaultTimeoutStartSec=45",
    "DefaultTimeoutStartSec=0",
    "DefaultTimeoutStartSec=2min 5s",
    "DefaultTimeoutStartSec=soon",
    "DefaultTimeoutStopSec=17",
    "DefaultTimeoutStopSec=infinity",
    "DefaultTimeoutAbortSec=21",
    "DefaultTimeoutAbortSec=0",
    "DefaultTimeoutAbortSec=",
    "DefaultDeviceTimeoutSec=33",
    "DefaultRestartSec=250ms",
    "DefaultRestartSec=-1",
    "DefaultStartLimitIntervalSec=42",
    "DefaultStartLimitInterval=43",
    "DefaultStartLimitBurst=11",
    "DefaultStartLimitBurst=many",
    "DefaultTimerAccuracySec=3s",
    "DefaultStandardOutput=null",
    "DefaultStandardOutput=kmsg",
    "DefaultStandardOutput=journal+console",
    "DefaultStandardOutput=syslog",
    "DefaultStandardOutput=file:/x",
    "DefaultStandardError=journal",
    "DefaultStandardError=null",
    "DefaultStandardError=inherit",
    "DefaultEnvironment=ONE=1 \"TWO=2 2\"",
    "DefaultEnvironment=ONE=3 1BAD=4",
    "DefaultEnvironment=HOST=%v UNIT=%n",
    "DefaultEnvironment=",
    "ManagerEnvironment=OURS=1",
    "DefaultCPUAccounting=no",
    "DefaultIOAccounting=yes",
    "DefaultMemoryAccounting=no",
    "DefaultMemoryAccounting=perhaps",
    "DefaultTasksAccounting=no",
    "DefaultBlockIOAccounting=yes",
    "DefaultTasksMax=200",
    "DefaultTasksMax=7%",
    "DefaultTasksMax=infinity",
    "DefaultTasksMax=0",
    "DefaultTasksMax=",
    "DefaultLimitNOFILE=900:4000",
    "DefaultLimitNOFILE=9:1",
    "DefaultLimitCORE=1M:2M",
    "DefaultLimitCPU=2h",
    "DefaultLimitFSIZE=1G",
    "DefaultLimitSTACK=4M:64M",
    "DefaultLimitNPROC=500",
    "DefaultLimitMEMLOCK=64K",
    "DefaultLimitNICE=+5",
    "DefaultLimitRTPRIO=3",
    "DefaultLimitDATA=",
    "DefaultOOMPolicy=kill",
    "DefaultOOMPolicy=continue",
    "DefaultOOMPolicy=die",
    "DefaultOOMScoreAdjust=77",
    "DefaultOOMScoreAdjust=2000",
    "DefaultOOMScoreAdjust=",
    "LogLevel=notice",
    "LogLevel=6",
    "LogLevel=loud",
    "LogTarget=kmsg",
    "LogTarget=nowhere",
    "ShowStatus=no",
    "ShowStatus=auto",
    "ShowStatus=maybe",
    "CtrlAltDelBurstAction=poweroff-force",
    "CtrlAltDelBurstAction=none",
    "RebootWatchdogSec=5min",
    "RebootWatchdogSec=off",
    "ShutdownWatchdogSec=6min",
    "KExecWatchdogSec=1min",
    "KExecWatchdogSec=default",
    "StatusUnitFormat=name",
    "DumpCore=no",
    "NoSuchSetting=1",
    "X-Mine=1",
    "no assignment",
    "[Other]\nDefaultStartLimitBurst=99\n[Manager]",
    "# a remark\n; another",
];

/// A unit of each kind that says nothing, and some that say a little or all of it.
const UNITS: &[(&str, &str)] = &[
    ("d-plain.service", "[Service]\nExecStart=/bin/true\n"),
    ("d-once.service", "[Service]\nType=oneshot\nExecStart=/bin/true\n"),
    ("d-bus.service", "[Service]\nBusName=a.b\nExecStart=/bin/true\nDelegate=yes\n"),
    (
        "d-own.service",
        "[Unit]\nStartLimitIntervalSec=1\nStartLimitBurst=2\n[Service]\nExecStart=/bin/true\nTimeoutStartSec=3\nTimeoutStopSec=4\n\
         TimeoutAbortSec=5\nRestartSec=6\nLimitNOFILE=7\nLimitCORE=8\nStandardOutput=journal\nStandardError=kmsg\nTasksMax=9\n\
         CPUAccounting=yes\nIOAccounting=no\nMemoryAccounting=yes\nTasksAccounting=yes\nOOMPolicy=stop\nOOMScoreAdjust=10\n",
    ),
    (
        "d-reset.service",
        "[Service]\nExecStart=/bin/true\nTimeoutAbortSec=\nTasksMax=3\nTasksMax=\nOOMScoreAdjust=4\nOOMScoreAdjust=\nOOMPolicy=\n",
    ),
    ("d-tty.service", "[Service]\nExecStart=/bin/true\nStandardInput=tty\n"),
    ("d-inherit.service", "[Service]\nExecStart=/bin/true\nStandardOutput=inherit\nStandardError=inherit\n"),
    (
        "d-file.service",
        "[Service]\nExecStart=/bin/true\nStandardInput=file:/dev/null\nStandardOutput=inherit\n",
    ),
    ("d-error.service", "[Service]\nExecStart=/bin/true\nStandardOutput=null\n"),
    ("d-bad.service", "[Service]\nType=simple\n"),
    ("d-plain.socket", "[Socket]\nListenFIFO=/run/d.fifo\n"),
    ("d-own.socket", "[Socket]\nListenFIFO=/run/e.fifo\nTimeoutSec=8\nStandardError=inherit\n"),
    ("d-plain.timer", "[Timer]\nOnActiveSec=1h\n"),
    ("d-own.timer", "[Timer]\nOnActiveSec=1h\nAccuracySec=9\n"),
    ("dplain.mount", "[Mount]\nWhat=tmpfs\nType=tmpfs\nWhere=/dplain\n"),
    ("dplain.swap", "[Swap]\nWhat=/dplain\n"),
    ("d-plain.slice", "[Slice]\n"),
    ("d-own.slice", "[Slice]\nTasksMax=5%\nIOAccounting=yes\n"),
    ("d-plain.target", "[Unit]\n"),
    ("d-plain.path", "[Path]\nPathExists=/nonexistent\n"),
];
/// Units without a file.
const ABSENT: &[&str] = &["d-absent.service", "d-absent.socket", "dev-d.device", "system.slice"];

const OF_UNITS: &str = "TimeoutStartUSec,TimeoutStopUSec,TimeoutAbortUSec,TimeoutUSec,RestartUSec,StartLimitIntervalUSec,\
    StartLimitBurst,AccuracyUSec,JobRunningTimeoutUSec,JobTimeoutUSec,StandardInput,StandardOutput,StandardError,Environment,\
    CPUAccounting,IOAccounting,BlockIOAccounting,IPAccounting,MemoryAccounting,TasksAccounting,TasksMax,OOMPolicy,OOMScoreAdjust,\
    LimitCPU,LimitCPUSoft,LimitFSIZE,LimitSTACK,LimitSTACKSoft,LimitCORE,LimitCORESoft,LimitNPROC,LimitNICE,LimitRTPRIO,LimitDATA";
/// Systemd raises its own, which units show that are not there.
const OF_THOSE_THERE: &str = ",LimitNOFILE,LimitNOFILESoft,LimitMEMLOCK,LimitMEMLOCKSoft";
const OF_MANAGER: &[&str] = &[
    "Default",
    "Environment",
    "ConfirmSpawn",
    "ShowStatus",
    "LogLevel",
    "LogTarget",
    "ServiceWatchdogs",
    "RebootWatchdog",
    "KExecWatchdog",
    "CtrlAltDel",
];

/// What processes find: limits, score and environment, from a service that says nothing.
const PROBE: &str = "[Unit]\nStartLimitIntervalSec=0\n[Service]\nType=oneshot\nStandardOutput=truncate:/run/probe\nExecStart=/bin/sh -c 'ulimit -Sn; \
     ulimit -Hn; ulimit -Sc; ulimit -Ht; ulimit -Hf; cat /proc/self/oom_score_adj; echo $$ONE $$TWO $$HOST $$CMD'\n";

struct Luck(u64);

impl Luck {
    /// A number below `end`.
    fn below(&mut self, end: usize) -> usize {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        ((self.0 >> 33) as usize) % end
    }

    fn file(&mut self) -> String {
        let mut text = "[Manager]\n".to_owned();
        for _ in 0..3 + self.below(22) {
            text += LINES[self.below(LINES.len())];
            text.push('\n');
        }
        text
    }
}

/// Path and text of each file, for each round.
fn rounds(main: &str, folders: &[&str]) -> Vec<Vec<(String, String)>> {
    let mut luck = Luck(SEED);
    let round = |_| {
        let mut files = vec![(main.to_owned(), luck.file())];
        for folder in folders {
            let name = ["10-a", "20-b", "30-c"][luck.below(3)];
            files.push((format!("{folder}/{name}.conf"), luck.file()));
        }
        files
    };
    (0..ROUNDS).map(round).collect()
}

type Shown = BTreeMap<String, String>;

fn system(report: &mut Report) -> Result<()> {
    let Some(candidate) = candidate_for(report, Confinement::Privileged)? else { return Ok(()) };
    let folders = [
        "/etc/systemd/system.conf.d",
        "/run/systemd/system.conf.d",
        "/usr/local/lib/systemd/system.conf.d",
        "/usr/lib/systemd/system.conf.d",
    ];
    let rounds = rounds("/etc/systemd/system.conf", &folders);
    let wanted = answers(&Candidate::Theirs(REAL.to_owned()), &rounds).context("real systemd")?;
    let found = answers(&candidate, &rounds).context("the candidate")?;
    compare(report, &wanted.0, &found.0);
    if candidate.is_ours() {
        let (path, line) = ("/etc/systemd/system.conf.d/90-wrong.conf", "DefaultTimeoutStopSec=late");
        let said = format!("{path}:3: Failed to parse sec value, ignoring: late");
        let setup = candidate.setup(Confinement::Privileged)?;
        let text =
            format!("[Manager]\nDefaultStartLimitBurst=8\n{line}\nDefaultRestartSec=9\nCPUAffinity=0\n");
        let init = [candidate.init(), vec!["systemd.unit=multi-user.target"]].concat();
        let machine = setup.file(path, &text)?.boot(&init)?;
        settle(&machine)?;
        let state = machine.run(&["systemctl", "is-active", "multi-user.target", "graphical.target"])?.out;
        report.holds("the unit PID 1 is asked for is started", state == "active\ninactive\n", &state);
        report.holds("a wrong line is said", machine.console().contains(&said), &machine.console());
        let kept = format!("{path}:5: CPUAffinity= is not acted on yet");
        report.holds("so is what is not acted on", machine.console().contains(&kept), &machine.console());
        let show = ["systemctl", "show", "-P", "DefaultRestartUSec"];
        let restart = machine.run(&show)?.success()?;
        report.holds("the lines around it are used", restart.trim() == "9s", &restart);
    }
    Ok(())
}

fn compare(report: &mut Report, wanted: &[Shown], found: &[Shown]) {
    let (mut answers, mut wrong) = (0, Vec::new());
    for (round, (wanted, found)) in wanted.iter().zip(found).enumerate() {
        for (key, want) in wanted {
            answers += 1;
            let got = found.get(key).map_or("nothing", String::as_str);
            if got != want {
                wrong.push(format!("round {round}: {key}: want {want}, got {got}"));
            }
        }
    }
    for line in wrong.iter().take(100) {
        println!("        {line}");
    }
    let what = format!("{answers} answers are those of real systemd");
    report.holds(&what, wrong.is_empty() && answers > 0, &format!("{} are not", wrong.len()));
}

/// What is shown after each round, and the machine.
fn answers(candidate: &Candidate, rounds: &[Vec<(String, String)>]) -> Result<(Vec<Shown>, Machine)> {
    let mut setup =
        candidate.setup(Confinement::Privileged)?.file("/etc/systemd/system/d-probe.service", PROBE)?;
    for (name, text) in UNITS {
        setup = setup.file(&format!("/etc/systemd/system/{name}"), text)?;
    }
    // The first round is there at boot, but for what lies in /run.
    for (path, text) in rounds.first().into_iter().flatten().filter(|(path, _)| !path.starts_with("/run")) {
        setup = setup.file(path, text)?;
    }
    let mut init = candidate.init();
    init.extend(["systemd.setenv=CMD=1", "systemd.default-timeout-start-sec=55", "systemd.setenv=nonsense"]);
    let machine = setup.boot(&init)?;
    settle(&machine)?;
    let mut shown = vec![show(&machine)?];
    for round in rounds {
        write(
            &machine,
            "/run/systemd /etc/systemd /usr/lib/systemd /usr/local/lib/systemd",
            "system.conf.d",
            round,
        )?;
        machine.run(&["systemctl", "daemon-reload"])?.success()?;
        shown.push(show(&machine)?);
    }
    machine.run(&["systemctl", "daemon-reexec"])?.success()?;
    let back = || machine.run(&["systemctl", "show", "-P", "Version"]).is_ok_and(|ran| ran.ok());
    machine.wait_until("the manager is back", Duration::from_secs(30), back)?;
    shown.push(show(&machine)?);
    Ok((shown, machine))
}

/// Takes the files of the round before away, and writes those of this.
fn write(machine: &Machine, roots: &str, folder: &str, files: &[(String, String)]) -> Result<()> {
    let make = format!("for root in {roots}; do rm -rf $root/{folder}; mkdir -p $root/{folder}; done");
    machine.shell(&make)?.success()?;
    files.iter().try_for_each(|(path, text)| machine.write(path, text))
}

fn settle(machine: &Machine) -> Result<()> {
    let answers = || machine.run(&["systemctl", "list-jobs"]).is_ok_and(|ran| ran.out.contains("No jobs"));
    machine.wait_until("the boot is over", Duration::from_secs(90), answers).map(|_| ())
}

fn show(machine: &Machine) -> Result<Shown> {
    let mut shown = manager(&machine.run(&["systemctl", "show"])?.success()?);
    let names = UNITS.iter().map(|(name, _)| *name).chain(ABSENT.iter().copied());
    for name in names {
        let is_there = UNITS.iter().any(|(known, _)| *known == name) && name != "d-bad.service";
        let properties = format!("{OF_UNITS}{}", if is_there { OF_THOSE_THERE } else { "" });
        let text = machine.run(&["systemctl", "show", "-p", &properties, name])?.success()?;
        shown.extend(
            text.lines()
                .filter_map(|line| line.split_once('='))
                .map(|(key, value)| (format!("{name} {key}"), value.to_owned())),
        );
    }
    machine.run(&["systemctl", "start", "d-probe.service"])?;
    shown.insert("what processes find".into(), machine.read("/run/probe")?);
    Ok(shown)
}

fn manager(text: &str) -> Shown {
    let lines = text.lines().filter_map(|line| line.split_once('='));
    let ours = lines.filter(|(key, _)| OF_MANAGER.iter().any(|start| key.starts_with(start)));
    ours.map(|(key, value)| (key.to_owned(), value.to_owned())).collect()
}

/// What a user's manager was told once it has until its end, under systemd, so it is told in the last round alone.
const LAST: &str = "[Manager]\nDefaultLimitCORE=3\nDefaultLimitNOFILE=90:100\nManagerEnvironment=LAST=1\n";

/// The manager of an ordinary user, and `user.conf`.
fn user(report: &mut Report) -> Result<()> {
    let Some(candidate) = candidate_for(report, Confinement::Privileged)? else { return Ok(()) };
    let etc = rounds("/etc/systemd/user.conf", &["/etc/systemd/user.conf.d", "/usr/lib/systemd/user.conf.d"]);
    let own = rounds("/home/u/.config/systemd/user.conf", &["/home/u/.config/systemd/user.conf.d"]);
    // Every other round the user's own file hides that of /etc.
    let rounds: Vec<Vec<(String, String)>> = etc
        .into_iter()
        .zip(own)
        .enumerate()
        .map(|(number, (etc, own))| if number % 2 == 0 { etc } else { [etc, own].concat() })
        .collect();
    let last = ("/home/u/.config/systemd/user.conf.d/40-d.conf".to_owned(), LAST.to_owned());
    let rounds = [rounds, vec![vec![last]]].concat();
    let wanted = answers_of_user(&Candidate::Theirs(REAL.to_owned()), &rounds).context("real systemd")?;
    let found = answers_of_user(&candidate, &rounds).context("the candidate")?;
    compare(report, &wanted, &found);
    Ok(())
}

fn answers_of_user(candidate: &Candidate, rounds: &[Vec<(String, String)>]) -> Result<Vec<Shown>> {
    let mut setup: Setup = candidate.setup(Confinement::Privileged)?;
    for (name, text) in UNITS {
        setup = setup.file(&format!("/etc/systemd/user/{name}"), text)?;
    }
    // What a session's PAM module would set.
    let runtime = "[Service]\nEnvironment=XDG_RUNTIME_DIR=/run/user/1234\n";
    let setup = setup.file("/etc/systemd/system/user@1234.service.d/runtime.conf", runtime)?;
    let machine = setup.boot(&candidate.init())?;
    settle(&machine)?;
    machine
        .shell("useradd --create-home --uid 1234 u && install -d -o u /run/user/1234 -m 700")?
        .success()?;
    let environment = "export XDG_RUNTIME_DIR=/run/user/1234; unset DBUS_SESSION_BUS_ADDRESS;";
    match candidate {
        Candidate::Ours(_) => {
            // As much above PID 1 as user@.service has it.
            let start = "echo 100 > /proc/self/oom_score_adj; exec eudaemon init --background --user";
            machine.shell_as("u", &format!("{environment} {start}"))?.success()?;
        }
        Candidate::Theirs(_) => {
            machine.run(&["systemctl", "start", "user@1234.service"])?.success()?;
        }
    }
    let mut shown = Vec::new();
    let roots = "/home/u/.config/systemd /etc/systemd /usr/lib/systemd";
    for round in rounds {
        machine.shell("rm -f /home/u/.config/systemd/user.conf")?.success()?;
        write(&machine, roots, "user.conf.d", round)?;
        let ask = |words: &str| {
            machine.shell_as("u", &format!("{environment} systemctl --user {words}"))?.success()
        };
        ask("daemon-reload")?;
        let mut answers = manager(&ask("show")?);
        // What a session hands on is not the settings' business.
        let environment = answers.remove("Environment").unwrap_or_default();
        let ours = ["ONE", "LAST", "HOST"];
        let known = |word: &&str| ours.iter().any(|name| word.split('=').next() == Some(name));
        let known = environment.split(' ').filter(known).collect::<Vec<_>>().join(" ");
        answers.insert("Environment".into(), known);
        for (name, _) in UNITS.iter().filter(|(name, _)| *name != "d-bad.service") {
            let text = ask(&format!("show -p {OF_UNITS} {name}"))?;
            let lines = text.lines().filter_map(|line| line.split_once('='));
            answers.extend(lines.map(|(key, value)| (format!("{name} {key}"), value.to_owned())));
        }
        // Where nothing is said the manager's own are shown, which whoever started it set.
        answers.retain(|key, _| !key.contains("Limit") || key.contains("StartLimit"));
        let plain = ask("show -p LimitCORE,LimitCORESoft,LimitNOFILE,LimitNOFILESoft d-plain.service")?;
        if round.iter().any(|(_, text)| text == LAST) {
            answers.insert("limits".into(), plain);
        }
        shown.push(answers);
    }
    Ok(shown)
}
