//! Units of many kinds, for each manager, as text; and every service of the shared units, where they are.

#![allow(clippy::unwrap_used)]

use crate::find::{Found, load};
use crate::{Request, service};
use eudaemon_kit::service::{Level, Severity, Target, written};
use eudaemon_unit::files::{Environment, MemoryTree, Scope};
use eudaemon_unit::name::UnitName;
use eudaemon_unit::specifier::Context;
use eudaemon_verify::{Ground, Programs};
use expect_test::{Expect, expect};
use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::Command;

const TARGETS: [Target; 5] =
    [Target::Launchd, Target::Openrc, Target::Sysv, Target::Runit, Target::Supervisord];

struct Everything;

impl Programs for Everything {
    fn may_run(&self, _: &str) -> Result<(), &'static str> {
        Ok(())
    }
    fn first_line(&self, _: &str) -> Vec<u8> {
        Vec::new()
    }
}

/// The unit `name` of a folder of these files.
fn found(files: &[(&str, &str)], name: &str) -> Result<Found, String> {
    let mut tree = MemoryTree::new();
    for (name, text) in files {
        tree.file(&format!("/u/{name}"), *text);
    }
    let environment = Environment { unit_path: Some("/u".to_owned()), ..Environment::default() };
    let ground = Ground::new(&tree, &Everything, &[], &environment, Scope::System, Context::default());
    load(&UnitName::parse(name).unwrap(), &ground)
}

/// What stands in the files for a manager, without the parts that all scripts have, and what is lost.
fn told(files: &[(&str, &str)], name: &str, target: Target) -> String {
    let exported = found(files, name).and_then(|found| {
        let service = service(&found.config, &found.sockets).map_err(|refusal| refusal.to_string())?;
        written(&service, target, Level::System).map_err(|refusal| refusal.to_string())
    });
    match exported {
        Err(text) => format!("refused: {text}\n"),
        Ok(written) => {
            let losses = crate::told(&written.losses).into_iter().map(|line| line + "\n");
            written.files.iter().map(|file| file.text.clone()).chain(losses).collect()
        }
    }
}

/// The lines that hold one of these.
fn check(text: &str, words: &[&str], expected: Expect) {
    let lines = text.lines().filter(|line| words.iter().any(|word| line.contains(word)));
    expected.assert_eq(&lines.map(|line| format!("{}\n", line.trim_start())).collect::<String>());
}

const LOST: [&str; 3] = ["lost:", "lost protection:", "note:"];

#[test]
fn variables_that_the_unit_sets_are_known_and_others_wait() {
    let unit = |more: &str| {
        let text = format!(
            "[Service]\nEnvironment=A=one 'B=two words'\n{more}\nExecStart=/bin/x ${{A}}$B $B x${{B}}${{C}} $$A %% \"$A\" ${{1}} ${{A:-x}} $C\n"
        );
        told(&[("x.service", &text)], "x.service", Target::Runit)
    };
    check(
        &unit(""),
        &["exec /bin"],
        expect![[r#"
            exec /bin/sh -c 'eval "$SERVICE_VARIABLES"' sh /bin/sh -fc 'exec /bin/x '\''one$B'\'' two words '\''xtwo words'\''"${C}" '\''$A'\'' % one '\'''\'' '\''${A:-x}'\'' $C'
        "#]],
    );
    check(
        &unit("EnvironmentFile=-/etc/x"),
        &["exec /bin"],
        expect![[r#"
            exec /bin/sh -c 'eval "$SERVICE_VARIABLES"' sh /bin/sh -fc 'exec /bin/x "${A}"'\''$B'\'' $B x"${B}""${C}" '\''$A'\'' % $A '\'''\'' '\''${A:-x}'\'' $C'
        "#]],
    );
}

#[test]
fn a_forking_server() {
    let unit = "[Unit]\nDescription=nginx-like\nAfter=network-online.target remote-fs.target nss-lookup.target db.service\n\
        Wants=network-online.target db.service\nConflicts=other.service\nPartOf=group.target\n\
        [Service]\nType=forking\nPIDFile=/run/web.pid\nExecStartPre=/usr/sbin/web -t -q -g 'daemon on; master_process on;'\n\
        ExecStart=/usr/sbin/web -g 'daemon on;'\nExecReload=/usr/sbin/web -s reload\nKillMode=mixed\nTimeoutStopSec=5\n\
        ExecStop=-/sbin/start-stop-daemon --quiet --stop --retry QUIT/5 --pidfile /run/web.pid\n[Install]\nWantedBy=multi-user.target\n";
    let files = [("web.service", unit), ("db.service", "[Service]\nExecStart=/bin/db\n")];
    let text = told(&files, "web.service", Target::Sysv);
    check(
        &text,
        &["# Required", "# Should", "# Default", "PIDFILE=", "/usr/sbin/web", "start-stop", "await_end 50"],
        expect![[r#"
        # Required-Start:    $remote_fs $network
        # Required-Stop:     $remote_fs $network
        # Should-Start:      $named db
        # Should-Stop:       $named db
        # Default-Start:     2 3 4 5
        # Default-Stop:      0 1 6
        PIDFILE=/run/web.pid
        [ -x /usr/sbin/web ] || { echo 'cannot run '/usr/sbin/web >&2; return 5; }
        /usr/sbin/web -t -q -g 'daemon on; master_process on;' || return 1
        /usr/sbin/web -g 'daemon on;' </dev/null || return 1
        /sbin/start-stop-daemon --quiet --stop --retry QUIT/5 --pidfile /run/web.pid || :
        if ! await_end 50; then
        await_end 50 || return 1
        /usr/sbin/web -s reload || exit 1
    "#]],
    );
    check(
        &text,
        &LOST,
        expect![[r#"
        lost: Conflicts=other.service: both may run
        lost: PartOf=group.target: it does not stop and restart with it
        lost: KillMode=mixed: there is no cgroup: a stop reaches its process group, and what left that stays
    "#]],
    );
    check(
        &told(&files, "web.service", Target::Launchd),
        &["refused"],
        expect![[r#"
        refused: Type=forking, PIDFile=/run/web.pid: launchd loses what goes into the background: run it in the foreground (Type=simple and the program's own option)
    "#]],
    );
}

#[test]
fn one_that_says_when_it_is_ready_and_is_watched() {
    let unit = "[Unit]\nConditionPathExists=!/etc/off\nRequires=db.service\nAfter=db.service\n[Service]\nType=notify\nExecStart=/usr/bin/api\n\
        ExecReload=/bin/kill -HUP $MAINPID\nWatchdogSec=30\nDynamicUser=yes\nStateDirectory=api\nProtectSystem=strict\nPrivateTmp=no\n\
        Restart=on-abnormal\nRestartSec=5\nMemoryMax=1G\nSyslogIdentifier=a\n[Install]\nWantedBy=multi-user.target\n";
    let files = [("api.service", unit), ("db.service", "[Service]\nExecStart=/bin/db\n")];
    let text = told(&files, "api.service", Target::Openrc);
    check(
        &text,
        &["supervisor=", "respawn", "need", "kill", "install", "command"],
        expect![[r#"
            supervisor=supervise-daemon
            respawn_delay=5
            respawn_max=0
            command=/usr/bin/setpriv
            command_args='--reuid=api --regid="$(id -g api)" --init-groups --no-new-privs /bin/sh -c '\''eval "$SERVICE_VARIABLES"'\'' sh /usr/bin/api'
            extra_started_commands=reload
            need db
            setpriv --reuid="$2" --regid="$3" --clear-groups install -d -m "$1" "$4"
            install -d -m "$1" -o "$2" -g "$3" "$4"
            service_set_value command ''
            command=
            kill -HUP "$MAINPID" || return 1
            note: User= and capabilities: util-linux's setpriv changes them, so that must be installed
        "#]],
    );
    check(
        &text,
        &LOST,
        expect![[r#"
            lost protection: ProtectSystem=strict, ProtectHome=read-only, PrivateTmp=yes, RemoveIPC=yes (by DynamicUser=yes): no other manager has it
            lost protection: ProtectSystem=strict: nothing hides files from it, or keeps it from writing them
            lost: DynamicUser=yes: the user api must be there: useradd --system api
            lost: Restart=on-abnormal: it is started again however it failed
            lost: MemoryMax=1073741824: no other manager has it
            lost: ConditionPathExists=!/etc/off: it is not looked at: the service is started anyway
            lost: WatchdogSec=30s: nobody ends it when it hangs
            lost: Type=notify: readiness is not waited for: it counts as started as soon as it runs
            lost: KillMode=control-group: there is no cgroup: a stop reaches its main process, and what left that stays
            lost: Restart=on-failure: supervise-daemon starts it again also when it ended well
            note: SyslogIdentifier=: its lines have the service's name
            note: User= and capabilities: util-linux's setpriv changes them, so that must be installed
        "#]],
    );
}

#[test]
fn an_order_that_nobody_wrote_is_not_lost() {
    let service = "[Service]\nExecStart=/bin/x\nPrivateTmp=yes\nStateDirectory=x\nStandardOutput=journal\n";
    let after = |unit: &str| {
        let text = told(
            &[("x.service", unit), ("db.service", "[Service]\nExecStart=/bin/db\n")],
            "x.service",
            Target::Launchd,
        );
        let lines = text.lines().filter(|line| line.contains("After=") || line.contains("Wants="));
        lines.map(|line| format!("{line}\n")).collect::<String>()
    };
    assert_eq!(after(service), "");
    expect![[r#"
        lost: After=db, After=systemd-tmpfiles-setup: launchd knows no order and no needs: the program has to wait for what it uses
    "#]]
    .assert_eq(&after(&format!("[Unit]\nAfter=db.service systemd-tmpfiles-setup.service\n{service}")));
}

#[test]
fn directories_are_those_of_their_kinds() {
    for kind in eudaemon_kit::DIRECTORY_KINDS {
        let found = found(
            &[("x.service", &format!("[Service]\nExecStart=/bin/x\n{}=y\n", kind.directive))],
            "x.service",
        )
        .unwrap();
        let directories = service(&found.config, &[]).unwrap().environs.directories;
        let told: Vec<_> = directories.iter().map(|one| (one.path.clone(), one.variable)).collect();
        assert_eq!(told, [(format!("{}/y", kind.below), kind.variable)]);
    }
}

#[test]
fn one_that_is_started_by_a_socket() {
    let files = [
        ("echo.service", "[Service]\nExecStart=/bin/echod\n"),
        ("echo.socket", "[Socket]\nListenStream=7\nListenStream=/run/echo\n"),
        ("other.socket", "[Socket]\nListenStream=9\nService=echo.service\n"),
    ];
    check(
        &told(&files, "echo.service", Target::Supervisord),
        &LOST,
        expect![[r#"
        lost: echo.socket: ListenStream=[::]:7 ListenStream=/run/echo: nobody listens for it: the program has to open this itself, and runs from the start
        lost: KillMode=control-group: there is no cgroup: a stop reaches its process group, and what left that stays
    "#]],
    );
}

#[test]
fn what_would_be_wrong_to_run_is_refused() {
    let refused = |section: &str| told(&[("x.service", section)], "x.service", Target::Runit);
    let cases = [
        "[Service]\nType=oneshot\nSuccessExitStatus=1\n",
        "[Service]\nType=forking\nExecStart=/bin/x\n",
        "[Service]\nExecStart=/bin/x\nStandardInput=socket\n",
        "[Service]\nExecStart=/sbin/getty\nStandardInput=tty\n",
        "[Service]\nExecStart=/bin/x\nRootDirectory=/srv\n",
        "[Service]\nExecStart=/bin/x\nBogus\n",
    ];
    let text: String = cases.iter().map(|section| refused(section)).collect();
    let refusals = text.lines().filter(|line| line.starts_with("refused"));
    expect![[r#"
        refused: x.service cannot be exported: x.service: Service has no ExecStart=, ExecStop=, or SuccessAction=. Refusing.
        refused: Type=forking: without PIDFile= or ExecStop= no other manager can tell which process is the service: say it in a drop-in, or run the program in the foreground
        refused: StandardInput=socket: it serves a connection that no other manager gives it: use inetd
        refused: StandardInput=tty: no other manager gives it a terminal
        refused: RootDirectory=/srv: the script cannot give up rights within another root directory: it would run on the machine's own files
    "#]]
    .assert_eq(&refusals.map(|line| format!("{line}\n")).collect::<String>());
}

#[test]
fn commands_that_end() {
    let unit = "[Service]\nType=oneshot\nExecStart=/bin/a\nExecStart=-/bin/b 'x y'\nRemainAfterExit=yes\nExecStop=/bin/c\n";
    let text = told(&[("once.service", unit)], "once.service", Target::Launchd);
    check(
        &text,
        &["/bin/", "KeepAlive", "lost:"],
        expect![[r#"
            <string>/bin/sh</string>
            /bin/a || exit 1
            /bin/b 'x y' || :
            lost: ExecStop=: is not run: a stop is SIGTERM alone
            lost: RemainAfterExit=yes: it counts as down when its commands have ended
        "#]],
    );
}

/// All services below a folder, but links.
fn services(folder: &Path, into: &mut Vec<PathBuf>) {
    let Ok(entries) = fs::read_dir(folder) else { return };
    for entry in entries.flatten() {
        let (path, kind) = (entry.path(), entry.file_type().unwrap());
        if kind.is_dir() {
            services(&path, into);
            continue;
        }
        // Links are stored as text; activation files of D-Bus share the suffix.
        let is_unit = path.extension().is_some_and(|suffix| suffix == "service");
        if kind.is_file()
            && is_unit
            && !path.to_string_lossy().contains("/dbus-")
            && fs::read(&path).unwrap().contains(&b'[')
        {
            into.push(path);
        }
    }
}

#[test]
fn every_shared_service_for_every_manager_is_a_script_or_a_reason() {
    let beside = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../../shared");
    let shared = std::env::var_os("EUDAEMON_SHARED").map_or(beside, PathBuf::from);
    let mut paths = Vec::new();
    services(&shared.join("corpus/units"), &mut paths);
    if paths.is_empty() {
        println!("SKIPPED: no units below {}; set EUDAEMON_SHARED", shared.display());
        return;
    }
    let folder = tempfile::tempdir().unwrap();
    let mut scripts: Vec<PathBuf> = Vec::new();
    let (mut exported, mut refused) = (0, 0);
    for path in paths.iter().filter(|path| !path.to_string_lossy().ends_with("@.service")) {
        for target in TARGETS {
            let unit = path.to_string_lossy().into_owned();
            let request = Request { unit, target, scope: Scope::System, root: String::new(), output: None };
            let Ok(one) = crate::export(&request) else {
                refused += 1;
                continue;
            };
            exported += 1;
            assert!(one.written.losses.is_sorted_by_key(|loss| std::cmp::Reverse(loss.severity)));
            for file in one.written.files.iter().filter(|file| file.text.starts_with("#!")) {
                let path = folder.path().join(scripts.len().to_string());
                fs::write(&path, &file.text).unwrap();
                scripts.push(path);
            }
        }
    }
    println!("{exported} exported, {refused} refused");
    assert!(exported > 5 * refused, "{exported} exported, {refused} refused");
    for some in scripts.chunks(400) {
        let check = "for script; do sh -n \"$script\" || exit 1; done";
        let output = Command::new("sh").args(["-c", check, "check"]).args(some).output().unwrap();
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    }
}

#[test]
fn what_is_made_of_a_secret_is_one() {
    let folder = tempfile::tempdir().unwrap();
    let unit = folder.path().join("x.service");
    fs::write(&unit, "[Service]\nExecStart=/bin/sh\nEnvironment=TOKEN=secret\nStandardOutput=journal\n")
        .unwrap();
    let modes = |mode: u32, target| {
        fs::set_permissions(&unit, fs::Permissions::from_mode(mode)).unwrap();
        let unit = unit.to_string_lossy().into_owned();
        let request = Request { unit, target, scope: Scope::System, root: String::new(), output: None };
        let files = crate::export(&request).unwrap().written.files;
        files.iter().map(|file| format!("{:04o}", file.mode.as_raw_mode())).collect::<Vec<_>>().join(" ")
    };
    assert_eq!(modes(0o644, Target::Runit), "0755 0755 0755 0644");
    assert_eq!(modes(0o640, Target::Runit), "0750 0750 0750 0640");
    assert_eq!(modes(0o600, Target::Runit), "0700 0700 0700 0600");
    assert_eq!(modes(0o600, Target::Sysv), "0700");
    assert_eq!(modes(0o644, Target::Launchd), "0644");
    assert_eq!(modes(0o600, Target::Launchd), "0600");
}

#[test]
fn a_protection_that_is_lost_comes_first() {
    let unit = "[Service]\nExecStart=/bin/x\nPrivateTmp=yes\nDocumentation=x\nWatchdogSec=1\n";
    let found = found(&[("x.service", unit)], "x.service").unwrap();
    let service = service(&found.config, &found.sockets).unwrap();
    for target in TARGETS {
        let written = written(&service, target, Level::System).unwrap();
        assert_eq!(written.losses[0].severity, Severity::Protection, "{}", target.word());
    }
}

mod table;
