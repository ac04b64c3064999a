//! Plans as lines, and the environment beside what real systemd gives.

use super::*;
use crate::api::{InvocationId, ProcId, Told, WatchExec};
use eudaemon_plan::step::Known;
use eudaemon_unit::config::Body;
use eudaemon_unit::config::exec::{ExecCommand, Failure, Limit, Place, Privileges, Stdio};
use eudaemon_unit::name::UnitName;
use expect_test::{Expect, expect};

struct Case {
    config: Config,
    phase: Phase,
    privileges: Privileges,
    told: Vec<String>,
    listen: Vec<String>,
    scope: Scope,
    capabilities: Capabilities,
    watchdog_usec: u64,
}

/// A service changed by `edit`, its main process spawned by root's manager.
fn service(edit: impl FnOnce(&mut Service)) -> Case {
    let mut service = Service::default();
    edit(&mut service);
    let mut config =
        Config::bare(UnitName::parse("web.service").unwrap(), eudaemon_unit::config::LoadState::Loaded);
    config.body = Body::Service(Box::new(service));
    Case {
        config,
        phase: Phase::Start,
        privileges: Privileges::AsConfigured,
        told: Vec::new(),
        listen: Vec::new(),
        scope: Scope::System,
        capabilities: Capabilities::ALL,
        watchdog_usec: 0,
    }
}

fn exec(edit: impl FnOnce(&mut Exec)) -> Case {
    service(|service| edit(&mut service.exec))
}

impl Case {
    fn compiled(&self) -> Compiled {
        let command = ExecCommand {
            path: "/usr/bin/web".to_owned(),
            argv: ["/usr/bin/web", "--port", "$PORT"].map(str::to_owned).to_vec(),
            failure: Failure::Counts,
            expansion: exec::Expansion::Variables,
            privileges: self.privileges,
        };
        let spawn = Spawn {
            process: ProcId(1),
            unit: self.config.name.clone(),
            phase: self.phase,
            index: 0,
            command,
            invocation: InvocationId([0xab; 16]),
            watch_exec: WatchExec::No,
            told: Told::default(),
            watchdog_usec: self.watchdog_usec,
        };
        let environment = ["LANG=C.UTF-8".to_owned(), "PATH=/usr/bin:/bin".to_owned()];
        let facts = Facts {
            scope: self.scope,
            environment: &environment,
            told: self.told.clone(),
            listen: self.listen.clone(),
            notify_socket: "/run/systemd/notify",
            journal_socket: "/run/systemd/journal/stdout",
            directories: &specifier::Directories::of_system(),
            idle: Some(7),
            cgroup: Some("/sys/fs/cgroup/system.slice/web.service".to_owned()),
            mark: None,
            capabilities: self.capabilities,
        };
        compile(&self.config, &spawn, &facts).unwrap()
    }

    fn check(&self, expected: Expect) {
        let Compiled { plan, verdicts } = self.compiled();
        let verdicts: String = verdicts
            .iter()
            .map(|verdict| format!("! {}: {:?}\n", verdict.directive, verdict.outcome))
            .collect();
        expected.assert_eq(&format!("{plan}{verdicts}"));
    }

    /// The names in the environment, in order, with everything known that can be.
    fn names(&self) -> Vec<String> {
        let mut names: Vec<String> = Vec::new();
        let known = |known: &Known| match known {
            Known::Listen(_) => ["LISTEN_PID", "LISTEN_FDS", "LISTEN_FDNAMES"].as_slice(),
            Known::Watchdog { .. } => &["WATCHDOG_PID", "WATCHDOG_USEC"],
            Known::User => &["HOME", "LOGNAME", "USER", "SHELL"],
            Known::Term(_) => &[],
            Known::Home => &["HOME"],
            Known::RuntimeDirectory => &["XDG_RUNTIME_DIR"],
            Known::JournalStream => &["JOURNAL_STREAM"],
            Known::ExecPid => &["SYSTEMD_EXEC_PID"],
        };
        for step in self.compiled().plan.steps {
            #[expect(
                clippy::wildcard_enum_match_arm,
                reason = "only what adds to the environment matters here"
            )]
            let added: Vec<String> = match step {
                Step::Environment(entries) => {
                    entries.iter().filter_map(|entry| Some(entry.split_once('=')?.0.to_owned())).collect()
                }
                Step::SetKnown(which) => known(&which).iter().map(|name| (*name).to_owned()).collect(),
                _ => Vec::new(),
            };
            for name in added {
                if !names.contains(&name) {
                    names.push(name);
                }
            }
        }
        names
    }
}

#[test]
fn nothing_configured() {
    service(|_| {}).check(expect![[r#"
        signals, PIPE ignored
        session
        umask 0022
        stdin null
        stdout journal /run/systemd/journal/stdout as web of web.service, priority 30
        stderr as stdout
        environment LANG=C.UTF-8 PATH=/usr/bin:/bin
        environment INVOCATION_ID=abababababababababababababababab
        environment JOURNAL_STREAM
        environment SYSTEMD_EXEC_PID
        rlimit Nofile 1024:524288
        find-program /usr/bin/web
        fds none
        working-directory /
        exec "/usr/bin/web" "--port" "$PORT"
    "#]]);
}

#[test]
fn everything_configured() {
    let case = service(|service| {
        service.kind = ServiceType::Notify;
        service.pid_file = Some("/run/web.pid".into());
        service.non_blocking = true;
        let exec = &mut service.exec;
        exec.user = Some("web".into());
        exec.supplementary_groups = vec!["audio".into()];
        exec.umask = 0o27;
        exec.limits = vec![(exec::Resource::Nofile, Limit { soft: 4096, hard: u64::MAX })];
        exec.nice = Some(-5);
        exec.oom_score_adjust = Some(-900);
        exec.standard_error = Stdio::Append("/var/log/web.err".into());
        exec.runtime_directory.names = vec![("web".into(), vec!["web-link".into()])];
        exec.state_directory.names = vec![("web/a".into(), vec![]), ("web/b".into(), vec![])];
        exec.environment = vec!["PORT=80".into()];
        exec.pass_environment = vec!["TZ".into()];
        exec.unset_environment = vec!["LANG".into()];
        exec.environment_files =
            vec![exec::EnvironmentFile { path: "/etc/default/web".into(), missing: Failure::Ignored }];
        exec.working_directory.place = Place::Path("/srv/web".into());
        exec.root_directory = Some("/srv".into());
        exec.capability_bounding_set = Capabilities(0x400);
        exec.ambient_capabilities = Capabilities(0x400);
        exec.no_new_privileges = true;
    });
    let told = vec!["TRIGGER_UNIT=web.timer".to_owned()];
    let listen = vec!["http".to_owned(), "stored".to_owned()];
    Case { listen, told, watchdog_usec: 30_000_000, ..case }.check(expect![[r#"
        signals, PIPE ignored
        session
        umask 0027
        find-user web:- audio
        stdin null
        stdout journal /run/systemd/journal/stdout as web of web.service, priority 30
        stderr append /var/log/web.err
        oom-score-adjust -900
        nice -5
        runtime-directories 0755 /run/web:/run/web-link
        state-directories 0755 /var/lib/web/a /var/lib/web/b
        environment LANG=C.UTF-8 PATH=/usr/bin:/bin NOTIFY_SOCKET=/run/systemd/notify PIDFILE=/run/web.pid TRIGGER_UNIT=web.timer
        environment LISTEN_* of http stored
        environment WATCHDOG_* of 30000000
        environment HOME LOGNAME USER SHELL
        environment INVOCATION_ID=abababababababababababababababab
        environment JOURNAL_STREAM
        environment RUNTIME_DIRECTORY=/run/web STATE_DIRECTORY=/var/lib/web/a:/var/lib/web/b
        environment SYSTEMD_EXEC_PID
        pass-environment TZ
        environment PORT=80
        environment-file -/etc/default/web
        unset-environment LANG
        rlimit Nofile 4096:infinity
        set-groups
        root-directory /srv
        find-program /usr/bin/web
        fds 0 1, non-blocking
        bounding-set 0x400
        keep-capabilities
        set-user
        ambient 0x400
        working-directory /srv/web
        no-new-privileges
        exec "/usr/bin/web" "--port" "$PORT"
    "#]]);
}

#[test]
fn a_user_manager_owns_its_cgroup_and_is_told_its_directory() {
    let case = || {
        exec(|exec| {
            exec.user = Some("1000".into());
            exec.pam_name = Some("systemd-user".into());
            exec.delegate = true;
        })
    };
    case().check(expect![[r#"
        signals, PIPE ignored
        session
        umask 0022
        find-user 1000:-
        stdin null
        stdout journal /run/systemd/journal/stdout as web of web.service, priority 30
        stderr as stdout
        give-cgroup /sys/fs/cgroup/system.slice/web.service
        environment LANG=C.UTF-8 PATH=/usr/bin:/bin
        environment HOME LOGNAME USER SHELL
        environment INVOCATION_ID=abababababababababababababababab
        environment JOURNAL_STREAM
        environment SYSTEMD_EXEC_PID
        environment XDG_RUNTIME_DIR
        rlimit Nofile 1024:524288
        set-groups
        find-program /usr/bin/web
        fds none
        set-user
        working-directory /
        exec "/usr/bin/web" "--port" "$PORT"
    "#]]);
    let lines = |privileges| Case { privileges, ..case() }.compiled().plan.to_string();
    assert!(lines(Privileges::NoSetuid).contains("give-cgroup"), "the program changes its user itself");
    assert!(!lines(Privileges::Full).contains("XDG_RUNTIME_DIR"), "root has no session there");
    let dynamic = exec(|exec| (exec.dynamic_user, exec.delegate) = (true, true));
    assert!(dynamic.compiled().plan.to_string().contains("give-cgroup"), "a user without a name as well");
    let group = exec(|exec| (exec.group, exec.delegate) = (Some("web".into()), true));
    assert!(!group.compiled().plan.to_string().contains("give-cgroup"), "it stays root's process");
}

#[test]
fn full_rights_change_no_user_and_set_no_limits() {
    let case = exec(|exec| {
        exec.user = Some("web".into());
        exec.limits = vec![(exec::Resource::Core, Limit { soft: 0, hard: 0 })];
        exec.no_new_privileges = true;
        exec.capability_bounding_set = Capabilities::NONE;
    });
    let privileges = Privileges::Full;
    Case { privileges, phase: Phase::StartPre, ..case }.check(expect![[r#"
        signals, PIPE ignored
        session
        umask 0022
        find-user web:-
        stdin null
        stdout journal /run/systemd/journal/stdout as web of web.service, priority 30
        stderr as stdout
        environment LANG=C.UTF-8 PATH=/usr/bin:/bin
        environment HOME LOGNAME USER SHELL
        environment INVOCATION_ID=abababababababababababababababab
        environment JOURNAL_STREAM
        environment SYSTEMD_EXEC_PID
        rlimit Nofile 1024:524288
        find-program /usr/bin/web
        fds none
        working-directory /
        exec "/usr/bin/web" "--port" "$PORT"
    "#]]);
}

#[test]
fn a_manager_without_rights_says_what_it_leaves_out() {
    let case = exec(|exec| {
        exec.user = Some("web".into());
        exec.capability_bounding_set = Capabilities::NONE;
        exec.ambient_capabilities = Capabilities(1);
    });
    Case { capabilities: Capabilities::NONE, scope: Scope::User, ..case }.check(expect![[r#"
        signals, PIPE ignored
        session
        umask 0022
        stdin null
        stdout journal /run/systemd/journal/stdout as web of web.service, priority 30
        stderr as stdout
        environment LANG=C.UTF-8 PATH=/usr/bin:/bin
        environment INVOCATION_ID=abababababababababababababababab
        environment JOURNAL_STREAM
        environment SYSTEMD_EXEC_PID
        rlimit Nofile 1024:524288
        find-program /usr/bin/web
        fds none
        working-directory -~
        exec "/usr/bin/web" "--port" "$PORT"
        ! User: Skipped("changing to other users or groups needs CAP_SETUID and CAP_SETGID")
        ! AmbientCapabilities: Skipped("not all of them are there to be given")
        ! CapabilityBoundingSet: Skipped("taking capabilities away needs CAP_SETPCAP")
    "#]]);
}

#[test]
fn a_dynamic_user_has_a_number_and_a_name() {
    exec(|exec| exec.dynamic_user = true).check(expect![[r#"
        signals, PIPE ignored
        session
        umask 0022
        find-user web:-, or else web is 62129
        stdin null
        stdout journal /run/systemd/journal/stdout as web of web.service, priority 30
        stderr as stdout
        environment LANG=C.UTF-8 PATH=/usr/bin:/bin
        environment HOME LOGNAME USER SHELL
        environment INVOCATION_ID=abababababababababababababababab
        environment JOURNAL_STREAM
        environment SYSTEMD_EXEC_PID
        rlimit Nofile 1024:524288
        set-groups
        find-program /usr/bin/web
        fds none
        set-user
        working-directory /
        no-new-privileges
        exec "/usr/bin/web" "--port" "$PORT"
        ! DynamicUser: Substituted("a number of the dynamic range told by the name, not reserved")
    "#]]);
}

#[test]
fn streams() {
    let streams = |case: &Case| {
        let steps = case.compiled().plan.steps;
        let is_stream = |step: &&Step| matches!(step, Step::Stdin(_) | Step::Stdout(_) | Step::Stderr(_));
        steps.iter().filter(is_stream).map(|step| format!("{step}\n")).collect::<String>()
    };
    let terminal = exec(|exec| {
        exec.standard_input = Stdio::Tty;
        exec.standard_output = Stdio::Inherit;
    });
    expect![[r#"
        stdin tty /dev/console
        stdout as stdin
        stderr as stdout
    "#]]
    .assert_eq(&streams(&terminal));
    let stop = Case { phase: Phase::Stop, ..terminal };
    expect![[r#"
        stdin null
        stdout tty /dev/console
        stderr as stdout
    "#]]
    .assert_eq(&streams(&stop));
    let socket = exec(|exec| {
        exec.standard_input = Stdio::Socket;
        exec.standard_output = Stdio::Inherit;
        exec.standard_error = Stdio::Journal;
    });
    expect![[r#"
        stdin fd 0
        stdout as stdin
        stderr journal /run/systemd/journal/stdout as web of web.service, priority 30
    "#]]
    .assert_eq(&streams(&Case { listen: vec!["connection".into()], ..socket }));
    let own_log = exec(|exec| exec.standard_output = Stdio::NamedFd("console".into()));
    expect![[r#"
        stdin null
        stdout console
        stderr as stdout
    "#]]
    .assert_eq(&streams(&own_log));
}

/// Which cases of the measured environments the plan's order is compared with.
fn measured() -> Vec<(&'static str, Case)> {
    let told = |phase, told: &[&str]| {
        let told = told.iter().map(|name| format!("{name}=1")).collect();
        Case { phase, told, ..service(|_| {}) }
    };
    let monitor =
        ["MONITOR_SERVICE_RESULT", "MONITOR_EXIT_CODE", "MONITOR_EXIT_STATUS", "MONITOR_INVOCATION_ID"];
    let sockets = vec!["myname".to_owned(); 3];
    vec![
        ("min", service(|_| {})),
        (
            "user",
            exec(|exec| {
                exec.user = Some("joe".into());
                exec.standard_output = Stdio::File("/var/out/user".into());
            }),
        ),
        ("simple-post", told(Phase::StartPost, &["MAINPID"])),
        ("simple-stop", told(Phase::Stop, &["MAINPID", "SERVICE_RESULT"])),
        ("simple-stoppost", told(Phase::StopPost, &["SERVICE_RESULT", "EXIT_CODE", "EXIT_STATUS"])),
        ("onfail", told(Phase::Start, &[monitor.as_slice(), &["MONITOR_UNIT"]].concat())),
        ("path", told(Phase::Start, &["TRIGGER_UNIT", "TRIGGER_PATH"])),
        ("sock", Case { listen: sockets, ..service(|_| {}) }),
        (
            "accnet",
            Case { listen: vec!["connection".into()], ..told(Phase::Start, &["REMOTE_ADDR", "REMOTE_PORT"]) },
        ),
    ]
}

#[test]
fn the_environment_is_ordered_as_measured() {
    let shared = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("../../../shared");
    let shared = std::env::var_os("EUDAEMON_SHARED").map_or(shared, std::path::PathBuf::from);
    for (name, case) in measured() {
        let path = shared.join("contract/golden/env").join(name);
        let Ok(text) = std::fs::read_to_string(&path) else {
            println!("SKIPPED: {} is not there", path.display());
            continue;
        };
        let block = text.lines().skip_while(|line| *line != "== env").skip(1);
        let lines = block.take_while(|line| !line.starts_with("== "));
        let expected: Vec<&str> = lines.filter_map(|line| Some(line.split_once('=')?.0)).collect();
        let mut names = case.names();
        // Whether the stream is a journal's is the child's to find.
        names.retain(|name| name != "JOURNAL_STREAM" || expected.contains(&"JOURNAL_STREAM"));
        assert_eq!(names, expected, "{name}");
    }
}
