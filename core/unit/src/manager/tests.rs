use super::*;
use crate::diagnostic::Severity;
use crate::files::{Environment, MemoryTree, Scope};
use crate::specifier::Context;
use expect_test::{Expect, expect};

/// What differs from the settings of a machine that says nothing, and what is odd.
fn shown(settings: &Settings) -> String {
    let lines = |settings: &Settings| format!("{settings:#?}").lines().map(str::to_owned).collect::<Vec<_>>();
    let plain = lines(&Settings::default());
    let new = lines(settings).into_iter().filter(|line| !plain.contains(line));
    new.map(|line| format!("{}\n", line.trim())).collect()
}

fn files(scope: Scope, files: &[(&str, &str)], expected: Expect) {
    let mut tree = MemoryTree::new();
    for (path, text) in files {
        match text.strip_prefix("-> ") {
            Some(target) => tree.link(path, target),
            None => tree.file(path, *text),
        }
    }
    tree.special("/dev/null");
    let environment = Environment { home: Some("/home/a".into()), ..Environment::default() };
    let (texts, mut odd) = Places::new(scope, &environment).texts(&tree);
    let mut settings = Settings::default();
    let cx = Context { hostname: "h".into(), ..Context::default() };
    odd.extend(read(&mut settings, &texts, &cx));
    let odd: String = odd.iter().map(|odd| format!("{odd}\n")).collect();
    expected.assert_eq(&format!("{}{odd}", shown(&settings)));
}

fn lines(text: &str, expected: Expect) {
    files(Scope::System, &[("/etc/systemd/system.conf", &format!("[Manager]\n{text}"))], expected);
}

#[test]
fn the_table_is_sorted_and_says_each_key_once() {
    for pair in rows().windows(2) {
        assert!(pair[0].key < pair[1].key, "{} before {}", pair[0].key, pair[1].key);
    }
}

#[test]
fn drop_ins_come_by_name_wherever_they_lie() {
    files(
        Scope::System,
        &[
            ("/etc/systemd/system.conf", "[Manager]\nDefaultStartLimitBurst=1\nDefaultRestartSec=1s\n"),
            ("/usr/lib/systemd/system.conf", "[Manager]\nDefaultLimitNOFILE=1\n"),
            ("/usr/lib/systemd/system.conf.d/50-a.conf", "[Manager]\nDefaultStartLimitBurst=2\n"),
            ("/run/systemd/system.conf.d/60-b.conf", "[Manager]\nDefaultStartLimitBurst=3\n"),
            (
                "/etc/systemd/system.conf.d/50-a.conf",
                "[Manager]\nDefaultStartLimitBurst=4\nDefaultEnvironment=A=1\n",
            ),
            ("/lib/systemd/system.conf.d/70-c.conf", "[Manager]\nDefaultStartLimitBurst=5\n"),
            ("/etc/systemd/system.conf.d/70-c.conf", "-> /dev/null"),
            ("/etc/systemd/system.conf.d/80-d", "[Manager]\nDefaultStartLimitBurst=6\n"),
            ("/etc/systemd/user.conf.d/90-e.conf", "[Manager]\nDefaultStartLimitBurst=7\n"),
        ],
        expect![[r#"
            1000000,
            start_limit_burst: 3,
            environment: [
            "A=1",
            ],
        "#]],
    );
}

#[test]
fn a_users_file_hides_that_of_etc() {
    let etc = ("/etc/systemd/user.conf", "[Manager]\nDefaultStartLimitBurst=1\nDefaultTimeoutStopSec=1s\n");
    let dropin = ("/etc/systemd/user.conf.d/a.conf", "[Manager]\nDefaultTimeoutStopSec=2s\n");
    files(
        Scope::User,
        &[("/home/a/.config/systemd/user.conf", "[Manager]\nDefaultStartLimitBurst=3\n"), etc, dropin],
        expect![[r#"
            2000000,
            start_limit_burst: 3,
        "#]],
    );
    files(
        Scope::User,
        &[
            ("/home/a/.config/systemd/user.conf.d/a.conf", "[Manager]\nDefaultTimeoutStopSec=3s\n"),
            etc,
            dropin,
        ],
        expect![[r#"
            3000000,
            start_limit_burst: 1,
        "#]],
    );
}

#[test]
fn a_wrong_line_changes_nothing_and_the_rest_is_used() {
    lines(
        "DefaultTimeoutStartSec=soon\nDefaultTimeoutStopSec=5\nDefaultTimoutSec=1\nDefaultLimitNOFILE=9:1\n[Unit]\nx=y\n[Manager]\nDefaultTasksMax=0\nDefaultOOMPolicy=\nDefaultEnvironment=1A=2 B=%H \"C=%n\"\n",
        expect![[r#"
            5000000,
            environment: [
            "B=h",
            ],
            /etc/systemd/system.conf:2: Failed to parse sec value, ignoring: soon
            /etc/systemd/system.conf:4: Unknown key 'DefaultTimoutSec' in section [Manager], ignoring.
            /etc/systemd/system.conf:5: Soft resource limit chosen higher than hard limit, ignoring: 9:1
            /etc/systemd/system.conf:6: Unknown section 'Unit'. Ignoring.
            /etc/systemd/system.conf:9: Maximum tasks value '0' out of range, ignoring.
            /etc/systemd/system.conf:10: Failed to parse OOM policy, ignoring: 
            /etc/systemd/system.conf:11: Invalid environment assignment, ignoring: 1A=2
            /etc/systemd/system.conf:11: Failed to resolve specifiers in C=%n, ignoring: Invalid slot
        "#]],
    );
}

#[test]
fn values() {
    lines(
        "DefaultTimeoutStartSec=0\nDefaultTimeoutAbortSec=0\nDefaultTasksMax=10%",
        expect![[r#"
        18446744073709551615,
        timeout_abort: Some(
        Span(
        0,
        ),
        1000,
        /etc/systemd/system.conf:4: DefaultTasksMax= is acted on in part: shown as the default of units; control groups are not limited yet
    "#]],
    );
    lines(
        "DefaultTasksMax=4096\nDefaultLimitCORE=0\nDefaultLimitNOFILE=2K",
        expect![[r#"
        tasks_max: Number(
        4096,
        limits: [
        (
        Core,
        Limit {
        soft: 0,
        hard: 0,
        },
        ),
        ],
        /etc/systemd/system.conf:2: DefaultTasksMax= is acted on in part: shown as the default of units; control groups are not limited yet
        /etc/systemd/system.conf:4: Failed to parse resource value, ignoring: 2K
    "#]],
    );
    lines(
        "DefaultStandardOutput=syslog\nDefaultStandardError=file:/x",
        expect![[r#"
        /etc/systemd/system.conf:3: Failed to parse output type, ignoring: file:/x
    "#]],
    );
    lines(
        "RuntimeWatchdogSec=default\nRebootWatchdogSec=off\nKExecWatchdogSec=1min",
        expect![[r#"
        18446744073709551615,
        60000000,
        /etc/systemd/system.conf:2: RuntimeWatchdogSec= is acted on in part: read and shown; no watchdog device is opened
        /etc/systemd/system.conf:3: RebootWatchdogSec= is acted on in part: read and shown; no watchdog device is opened
        /etc/systemd/system.conf:4: KExecWatchdogSec= is acted on in part: read and shown; no watchdog device is opened
    "#]],
    );
    lines(
        "LogLevel=7\nLogTarget=console\nShowStatus=auto\nCtrlAltDelBurstAction=none",
        expect![[r#"
        log_level: Some(
        7,
        log_target: Some(
        Console,
        show_status: Some(
        Auto,
        ctrl_alt_del_burst_action: None,
        /etc/systemd/system.conf:3: LogTarget= is acted on in part: read and shown; lines go to the console and to the journal
        /etc/systemd/system.conf:4: ShowStatus= is acted on in part: read and shown; LogLevel= decides what the console is told
        /etc/systemd/system.conf:5: CtrlAltDelBurstAction= is acted on in part: read and shown; the keys are not counted
    "#]],
    );
    lines(
        "CPUAffinity=0-3\nNoNewPrivileges=yes\nNUMAPolicy=what",
        expect![[r#"
        kept: [
        (
        "CPUAffinity",
        "0-3",
        (
        "NoNewPrivileges",
        "yes",
        ],
        /etc/systemd/system.conf:2: CPUAffinity= is not acted on yet
        /etc/systemd/system.conf:3: NoNewPrivileges= is not acted on yet
        /etc/systemd/system.conf:4: Failed to parse NUMA policy, ignoring: what
    "#]],
    );
}

fn command_line(line: &str, expected: Expect) {
    let mut settings = Settings::default();
    let words: Vec<String> = line.split(' ').map(str::to_owned).collect();
    let (asked, odd) = from_command_line(&mut settings, &words, "kernel command line", &Context::default());
    let unit = asked.unit.map(|unit| format!("start {unit}\n")).unwrap_or_default();
    let locale: String = asked.locale.iter().map(|one| format!("{one}\n")).collect();
    let odd: String = odd.iter().map(|odd| format!("{odd}\n")).collect();
    expected.assert_eq(&format!("{}{unit}{locale}{odd}", shown(&settings)));
}

#[test]
fn the_kernels_command_line() {
    command_line(
        "root=/dev/sda systemd.unit=web.target systemd.setenv=A=1 systemd.setenv=B=2 systemd.setenv=A=3 quiet",
        expect![[r#"
            environment: [
            "B=2",
            "A=3",
            ],
            show_status: Some(
            Error,
            start web.target
        "#]],
    );
    command_line(
        "rescue debug rd.systemd.unit=a.target systemd.unit=a@.service",
        expect![[r#"
        log_level: Some(
        7,
        start rescue.target
        kernel command line: Unit name specified on systemd.unit= is not valid, ignoring: a@.service
    "#]],
    );
    command_line(
        "systemd.default-standard-output=null systemd.default_standard_error=nowhere systemd.log-level=err",
        expect![[r#"
            standard_output: Null,
            log_level: Some(
            3,
            kernel command line: Failed to parse output type, ignoring: nowhere
        "#]],
    );
    command_line(
        "systemd.show_status systemd.crash_shell systemd.watchdog_sec=1min locale.LANG=de_DE",
        expect![[r#"
            show_status: Some(
            Yes,
            60000000,
            60000000,
            kept: [
            (
            "CrashShell",
            "yes",
            ],
            LANG=de_DE
        "#]],
    );
    command_line(
        "systemd.default_timeout_start_sec=20 systemd.setenv=1=2 systemd.service_watchdogs=0 x",
        expect![[r#"
            20000000,
            service_watchdogs: false,
            kernel command line: Environment variable assignment '1=2' is not valid. Ignoring.
        "#]],
    );
}

#[test]
fn units_that_say_nothing_have_what_the_manager_says() {
    use crate::config::Body;
    use crate::files::{Found, Fragment};
    use crate::merge::{Source, merge};
    use crate::name::UnitName;
    let mut settings = Settings::default();
    let text = "[Manager]\nDefaultTimeoutStartSec=1\nDefaultTimeoutStopSec=2\nDefaultTimeoutAbortSec=3\nDefaultRestartSec=4\n\
                DefaultStartLimitBurst=5\nDefaultStandardOutput=null\nDefaultStandardError=kmsg\nDefaultLimitCORE=6\n\
                DefaultLimitNOFILE=7\nDefaultOOMPolicy=kill\nDefaultOOMScoreAdjust=8\nDefaultDeviceTimeoutSec=9\n";
    let mut odd = read(&mut settings, &[Text { path: "/c".into(), text: text.into() }], &Context::default());
    odd.retain(|odd| odd.severity > Severity::Note);
    assert_eq!(odd, []);
    let cx = Context { defaults: settings.defaults, ..Context::default() };
    let unit = |name: &str, text: &str| {
        let name = UnitName::parse(name).unwrap();
        let fragment = if text.is_empty() { Fragment::Missing } else { Fragment::File("/u".into()) };
        let found =
            Found { name: name.clone(), aliases: vec![], fragment, dropins: vec![], dependencies: vec![] };
        let source = [Source { path: "/u", text: text.as_bytes() }];
        merge(&name, &source[..usize::from(!text.is_empty())], &found, &cx).config
    };
    let says = |text: &str| {
        let config = unit("a.service", text);
        let Some(service) = config.service() else { unreachable!("a service") };
        let exec = &service.exec;
        format!(
            "{:?} {:?} {:?} {:?} {} {:?} {:?} {:?} {:?} {:?}",
            service.timeout_start.0,
            service.timeout_stop.0,
            service.timeout_abort.map(|span| span.0),
            service.restart_sec.0,
            config.unit.start_limit_burst,
            exec.standard_output,
            exec.standard_error,
            exec.limits.iter().map(|(resource, limit)| (resource, limit.soft)).collect::<Vec<_>>(),
            service.oom_policy,
            exec.oom_score_adjust,
        )
    };
    expect!["1000000 2000000 Some(3000000) 4000000 5 Null Kmsg [(Core, 6), (Nofile, 7)] Kill Some(8)"]
        .assert_eq(&says("[Service]\nExecStart=/a\n"));
    let own = "TimeoutStartSec=10\nStandardOutput=tty\nLimitNOFILE=11\nOOMPolicy=stop\nOOMScoreAdjust=\nTimeoutAbortSec=\n";
    expect!["10000000 2000000 None 4000000 5 Tty Inherit [(Core, 6), (Nofile, 11)] Stop None"]
        .assert_eq(&says(&format!("[Service]\nType=oneshot\nExecStart=/a\n{own}")));
    expect!["18446744073709551615 2000000 Some(3000000) 4000000 5 Null Null [(Core, 6), (Nofile, 7)] Continue Some(8)"]
        .assert_eq(&says("[Service]\nType=oneshot\nExecStart=/a\nDelegate=yes\nStandardError=null\n"));
    assert_eq!(unit("dev-a.device", "").unit.job_running_timeout.0, 9_000_000);
    let Body::Socket(socket) = unit("a.socket", "[Socket]\nListenFIFO=/a\n").body else {
        unreachable!("a socket")
    };
    assert_eq!(socket.timeout.0, 1_000_000);
}
