//! What a child does between fork and exec.

use super::is_root;
use crate::driver::{Init, exec, shell, shell_after};
use eudaemon_init::wire::{Order, WatchExec};
use eudaemon_plan::step::{
    Blocking, FindUser, Input, JournalStream, Known, LevelPrefix, Missing, Output, Place, Program, Resource,
    Step,
};
use std::io::{Read, Write};
use std::os::fd::AsFd;

pub fn descriptors_are_handed_over_as_listed() {
    let init = Init::start();
    let mut manager = init.greeted();
    let files: Vec<std::fs::File> = ["a", "b", "c"]
        .iter()
        .map(|name| {
            let path = init.directory.join(name);
            std::fs::write(&path, name).expect("a file");
            std::fs::File::open(path).expect("a file")
        })
        .collect();
    let fds: Vec<_> = files.iter().map(AsFd::as_fd).collect();
    let out = init.directory.join("out");
    let steps = vec![
        Step::Stdin(Input::Fd(1)),
        Step::Stdout(Output::Truncate(out.display().to_string())),
        Step::SetKnown(Known::Listen(vec!["second".into(), "first".into()])),
        Step::Fds { indices: vec![2, 0], blocking: Blocking::NonBlocking },
    ];
    let print = "cat; cat <&3; cat <&4; echo \" $(($$ == LISTEN_PID)) $LISTEN_FDS $LISTEN_FDNAMES\"";
    let steps = [steps, exec(&["/bin/sh", "-c", print])].concat();
    manager.spawn_with(1, WatchExec::Yes, steps, &fds);
    assert_eq!(manager.hear_until("exited"), ["spawned 1", "executed 1", "exited 1 Code(0)"]);
    assert_eq!(std::fs::read_to_string(out).expect("output"), "bca 1 2 second:first\n");
    manager.spawn(2, vec![Step::Fds { indices: vec![0], blocking: Blocking::Blocking }]);
    manager.hear_until("exited 2 Code(202)");
    assert_eq!(manager.setup_failure(), "2 202 9 0");
}

/// Init may hold more than a child's limit allows.
pub fn descriptors_are_handed_over_below_a_low_limit() {
    use eudaemon_plan::step::Resource;
    let init = Init::start();
    let mut manager = init.greeted();
    let null = std::fs::File::open("/dev/null").expect("a file");
    for name in ["one", "two"] {
        manager.order_with(Order::Put { name }, &vec![null.as_fd(); 100]);
    }
    let out = init.directory.join("out");
    let steps = vec![
        Step::Stdout(Output::Truncate(out.display().to_string())),
        Step::Rlimit { resource: Resource::Nofile, soft: 64, hard: 64 },
        Step::Fds { indices: vec![0], blocking: Blocking::Blocking },
    ];
    // Of a shell the ends of its pipes would be seen now and then.
    let steps = [steps, exec(&["/bin/ls", "/proc/self/fd"])].concat();
    manager.spawn_with(1, WatchExec::Yes, steps, &[null.as_fd()]);
    assert_eq!(manager.hear_until("exited"), ["spawned 1", "executed 1", "exited 1 Code(0)"]);
    assert_eq!(std::fs::read_to_string(out).expect("output"), "0\n1\n2\n3\n4\n", "fd 4 is ls's own");
}

pub fn nothing_leaks_into_a_child() {
    let init = Init::start();
    let mut manager = init.greeted();
    let out = init.directory.join("out");
    let print = "ls /proc/self/fd | tr '\\n' ' '; while read k v; do case $k in SigBlk:|SigIgn:) echo $k $v; esac; done </proc/self/status; \
                 ps -o pid=,pgid=,sid= -p $$ | awk '{print ($1==$2 && $2==$3)}'";
    let steps = vec![
        Step::Umask(0o022),
        Step::Stdin(Input::Null),
        Step::Stdout(Output::Truncate(out.display().to_string())),
        Step::Stderr(Output::SameAsOutput),
        Step::Environment(vec!["PATH=/usr/bin:/bin".into()]),
    ];
    manager.spawn_with(1, WatchExec::Yes, shell_after(steps, print), &[std::io::stdin().as_fd()]);
    manager.hear_until("exited 1 Code(0)");
    let text = std::fs::read_to_string(out).expect("output");
    assert_eq!(text, "0 1 2 3 SigBlk: 0000000000000000\nSigIgn: 0000000000001000\n1\n", "fd 3 is ls's own");
}

pub fn the_environment_is_in_order() {
    let init = Init::start();
    let mut manager = init.greeted();
    let (out, file) = (init.directory.join("out"), init.directory.join("x.env"));
    std::fs::write(&file, "FROM_FILE='a b'\nLANG=de\n").expect("a file");
    let steps = vec![
        Step::Stdout(Output::Truncate(out.display().to_string())),
        Step::Environment(vec!["LANG=C".into(), "PATH=/usr/bin:/bin".into()]),
        Step::SetKnown(Known::Watchdog { usec: 30 }),
        Step::SetKnown(Known::ExecPid),
        Step::PassEnvironment(vec!["XDG_RUNTIME_DIR".into(), "NO_SUCH".into()]),
        Step::Environment(vec!["ONE=1".into(), "TWO=2".into()]),
        Step::EnvironmentFile {
            path: format!("{}/*.env", init.directory.display()),
            missing: Missing::Fails,
        },
        Step::UnsetEnvironment(vec!["ONE".into(), "TWO=3".into()]),
    ];
    manager.spawn(1, [steps, exec(&["/usr/bin/env"])].concat());
    manager.hear_until("exited 1 Code(0)");
    let (pid, directory) = (manager.pids[&1], init.directory.display());
    assert_eq!(
        std::fs::read_to_string(out).expect("output"),
        format!(
            "LANG=de\nPATH=/usr/bin:/bin\nWATCHDOG_PID={pid}\nWATCHDOG_USEC=30\nSYSTEMD_EXEC_PID={pid}\n\
             XDG_RUNTIME_DIR={directory}\nTWO=2\nFROM_FILE=a b\n"
        )
    );
}

pub fn output_finds_the_journal_or_the_console() {
    let mut init = Init::start();
    let mut manager = init.greeted();
    let socket = init.directory.join("stdout");
    let stream = JournalStream {
        socket: socket.display().to_string(),
        identifier: "web".into(),
        unit: "web.service".into(),
        priority: 30,
        level_prefix: LevelPrefix::Parsed,
        copy: eudaemon_plan::step::CopyTo::None,
    };
    let steps = || {
        vec![
            Step::Stdout(Output::Journal(stream.clone())),
            Step::Stderr(Output::SameAsOutput),
            Step::SetKnown(Known::JournalStream),
        ]
    };
    manager.spawn(1, shell_after(steps(), "echo to the console ${JOURNAL_STREAM+and the journal}"));
    manager.hear_until("exited 1 Code(0)");
    let mut line = [0; 15];
    init.process.stdout.as_mut().expect("piped").read_exact(&mut line).expect("a line");
    assert_eq!(&line[..], b"to the console\n");

    let listener = std::os::unix::net::UnixListener::bind(&socket).expect("a journal");
    let check = "test \"$JOURNAL_STREAM\" = \"$(stat -Lc %d:%i /proc/self/fd/2)\" && echo words >&2";
    manager.spawn(2, shell_after(steps(), check));
    manager.hear_until("exited 2 Code(0)");
    let mut text = String::new();
    listener.accept().expect("a stream").0.read_to_string(&mut text).expect("text");
    assert_eq!(text, "web\nweb.service\n30\n1\n0\n0\n0\nwords\n");
}

pub fn a_large_plan_travels_in_a_memfd() {
    use eudaemon_init::wire::{CgroupFd, PlanBytes};
    let init = Init::start();
    let mut manager = init.greeted();
    let large = format!("LARGE={}", "x".repeat(100_000));
    let steps = shell_after(vec![Step::Environment(vec![large])], "exit ${#LARGE}");
    let bytes = eudaemon_plan::ExecPlan { steps }.encode();
    let memfd = rustix::fs::memfd_create("plan", rustix::fs::MemfdFlags::CLOEXEC).expect("memfd");
    std::fs::File::from(memfd.try_clone().expect("dup")).write_all(&bytes).expect("written");
    let (watch, cgroup) = (WatchExec::No, CgroupFd::Absent);
    manager.order_with(Order::Spawn { id: 1, watch, cgroup, plan: PlanBytes::Memfd }, &[memfd.as_fd()]);
    assert_eq!(manager.hear_until("exited"), ["spawned 1", &format!("exited 1 Code({})", 100_000 % 256)]);
    manager.order(Order::Spawn { id: 2, watch, cgroup, plan: PlanBytes::Memfd });
    assert_eq!(manager.hear(), "spawn-failed 2 9");
    manager.order(Order::Spawn { id: 3, watch, cgroup, plan: PlanBytes::Inline(b"nonsense") });
    assert_eq!(manager.hear_until("exited"), ["spawned 3", "exited 3 Code(1)"]);
}

pub fn rights_are_changed_as_listed() {
    if !is_root("rights_are_changed_as_listed") {
        return;
    }
    let init = Init::start();
    let mut manager = init.greeted();
    let out = init.directory.join("out");
    let print =
        "grep -E '^(Uid|Gid|Groups|Cap|NoNewPrivs)' /proc/self/status | tr -s '\\t ' ' '; echo $HOME $USER";
    let (bind, chown) = (1 << 10, 1 << 0);
    let steps = vec![
        find_user("12345"),
        Step::Stdout(Output::Truncate(out.display().to_string())),
        Step::Environment(vec!["PATH=/usr/bin:/bin".into()]),
        Step::SetKnown(Known::User),
        Step::SetGroups,
        Step::BoundingSet(bind | chown),
        Step::KeepCapabilities,
        Step::SetUser,
        Step::Ambient(bind),
        Step::NoNewPrivileges,
    ];
    manager.spawn(1, shell_after(steps, print));
    manager.hear_until("exited 1 Code(0)");
    let expected = "Uid: 12345 12345 12345 12345\nGid: 12345 12345 12345 12345\nGroups: 4242 12345 \n\
                    CapInh: 0000000000000400\nCapPrm: 0000000000000400\nCapEff: 0000000000000400\n\
                    CapBnd: 0000000000000401\nCapAmb: 0000000000000400\nNoNewPrivs: 1\n12345\n";
    assert_eq!(std::fs::read_to_string(out).expect("output"), expected);
}

pub fn directories_are_the_users_own() {
    use eudaemon_plan::step::{Directories, Directory, DirectoryKind};
    use std::os::unix::fs::MetadataExt;
    if !is_root("directories_are_the_users_own") {
        return;
    }
    let init = Init::start();
    let mut manager = init.greeted();
    let at = |name: &str| init.directory.join(name).display().to_string();
    std::fs::create_dir_all(at("state/deep/deeper")).expect("a directory");
    std::fs::write(at("state/deep/file"), "x").expect("a file");
    let directories = |kind, path: &str, links: &[&str]| {
        let links = links.iter().map(|link| at(link)).collect();
        let entries = vec![Directory { path: at(path), links }];
        Step::Directories(Directories { kind, entries, mode: 0o750 })
    };
    let steps = vec![
        Step::Umask(0o077),
        find_user("12345"),
        directories(DirectoryKind::Runtime, "run/a/b", &["run/link"]),
        directories(DirectoryKind::State, "state", &[]),
        directories(DirectoryKind::Configuration, "etc/web", &[]),
    ];
    for id in 1..=2 {
        manager.spawn(id, shell_after(steps.clone(), "exit 0"));
        manager.hear_until(&format!("exited {id} Code(0)"));
    }
    let look = |name: &str| {
        let found = std::fs::metadata(at(name)).expect(name);
        format!("{} {}:{} {:o}", name, found.uid(), found.gid(), found.mode() & 0o7777)
    };
    assert_eq!(look("run/a"), "run/a 0:0 755");
    assert_eq!(look("run/a/b"), "run/a/b 12345:12345 750");
    assert_eq!(look("state"), "state 12345:12345 750");
    assert_eq!(look("etc/web"), "etc/web 0:0 750");
    for inside in ["state/deep", "state/deep/deeper", "state/deep/file"] {
        assert!(look(inside).contains(" 12345:12345 "), "{inside}");
    }
    assert_eq!(std::fs::read_link(at("run/link")).expect("a link").display().to_string(), at("run/a/b"));
    std::fs::write(at("file"), "x").expect("a file");
    manager.spawn(3, shell_after(vec![directories(DirectoryKind::Logs, "file/logs", &[])], "exit 0"));
    manager.hear_until("exited 3 Code(240)");
}

pub fn limits_are_set_or_clamped() {
    use eudaemon_plan::step::Resource;
    let init = Init::start();
    let mut manager = init.greeted();
    let out = init.directory.join("out");
    let limit = |resource, soft, hard| Step::Rlimit { resource, soft, hard };
    let steps = vec![
        Step::Stdout(Output::Truncate(out.display().to_string())),
        limit(Resource::Nofile, 1024, u64::MAX),
        limit(Resource::Core, 0, 0),
        Step::Nice(5),
        Step::OomScoreAdjust(300),
    ];
    manager.spawn(1, shell_after(steps, "ulimit -Sn; ulimit -c; nice; cat /proc/self/oom_score_adj"));
    manager.hear_until("exited 1 Code(0)");
    assert_eq!(std::fs::read_to_string(out).expect("output"), "1024\n0\n5\n300\n");
}

pub fn a_child_is_born_in_its_cgroup() {
    use eudaemon_init::wire::{CgroupFd, PlanBytes};
    let name = format!("eudaemon-init-test-{}", std::process::id());
    let mounts = ["/sys/fs/cgroup", "/sys/fs/cgroup/unified"];
    let is_v2 = |mount: &&&str| std::path::Path::new(mount).join("cgroup.procs").exists();
    let made = mounts.iter().find(is_v2).map(|mount| std::path::Path::new(mount).join(&name));
    let Some(group) = made.filter(|path| std::fs::create_dir(path).is_ok()) else {
        return println!("SKIPPED: a_child_is_born_in_its_cgroup: no cgroup v2 can be written to");
    };
    let init = Init::start();
    let mut manager = init.greeted();
    let directory = std::fs::File::open(&group).expect("the cgroup");
    let bytes =
        eudaemon_plan::ExecPlan { steps: shell(&format!("grep -q '^0::.*{name}' /proc/self/cgroup")) }
            .encode();
    let (watch, plan) = (WatchExec::Yes, PlanBytes::Inline(&bytes));
    manager.order_with(Order::Spawn { id: 1, watch, cgroup: CgroupFd::First, plan }, &[directory.as_fd()]);
    let heard = manager.hear_until("exited");
    // A cgroup that takes nobody in: the child says so with its exit code.
    let null = std::fs::File::open("/").expect("a directory");
    manager.order_with(Order::Spawn { id: 2, watch, cgroup: CgroupFd::First, plan }, &[null.as_fd()]);
    let refused = manager.hear_until("exited");
    std::fs::remove_dir(&group).expect("an empty cgroup");
    assert_eq!(heard, ["spawned 1", "executed 1", "exited 1 Code(0)"]);
    assert_eq!(refused, ["spawned 2", "exited 2 Code(219)"]);
}

pub fn a_step_that_fails_ends_the_child_with_its_code() {
    let init = Init::start();
    let mut manager = init.greeted();
    let directory = |missing| Step::WorkingDirectory { place: Place::Path("/nonexistent".into()), missing };
    let user = |user: &str, group: Option<&str>| {
        let (user, group) = (Some(user.to_owned()), group.map(str::to_owned));
        Step::FindUser(FindUser { user, group, supplementary: Vec::new(), made: Vec::new() })
    };
    manager.spawn(1, exec(&["/nonexistent"]));
    assert_eq!(manager.hear_until("exited"), ["spawned 1", "exited 1 Code(203)"]);
    assert_eq!(manager.setup_failure(), "1 203 2 0");
    manager.spawn(2, vec![Step::Session, directory(Missing::Fails)]);
    manager.hear_until("exited 2 Code(200)");
    assert_eq!(manager.setup_failure(), "2 200 2 1");
    manager.spawn(3, vec![user("no-such-user", None)]);
    manager.hear_until("exited 3 Code(217)");
    assert_eq!(manager.setup_failure(), "3 217 3 0");
    manager.spawn(4, vec![user("root", Some("no-such-group"))]);
    manager.hear_until("exited 4 Code(216)");
    assert_eq!(manager.setup_failure(), "4 216 3 0");
    let file = Step::EnvironmentFile { path: "/nonexistent".into(), missing: Missing::Fails };
    manager.spawn(5, vec![file]);
    manager.hear_until("exited 5 Code(1)");
    assert_eq!(manager.setup_failure(), "5 1 2 0");
    manager.spawn(6, vec![Step::Stdout(Output::Append("/nonexistent/x".into()))]);
    manager.hear_until("exited 6 Code(209)");
    assert_eq!(manager.setup_failure(), "6 209 2 0");
    manager.spawn(7, exec(&["no-such-program"]));
    manager.hear_until("exited 7 Code(203)");
    assert_eq!(manager.setup_failure(), "7 203 2 0");
    manager.spawn(8, shell_after(vec![directory(Missing::Ignored)], "exit 3"));
    manager.hear_until("exited 8 Code(3)");
}

pub fn the_program_is_found_before_descriptors_are_passed() {
    let init = Init::start();
    let mut manager = init.greeted();
    let no_descriptors = Step::Rlimit { resource: Resource::Nofile, soft: 1, hard: 1 };
    let pass = Step::Fds { indices: vec![0], blocking: Blocking::Blocking };
    let [find, execute] = <[Step; 2]>::try_from(exec(&["/bin/true"])).expect("two steps");
    manager.spawn(1, vec![no_descriptors, find, pass, execute]);
    manager.hear_until("exited 1 Code(203)");
    assert_eq!(manager.setup_failure(), "1 203 24 1");
    let file = Step::FindProgram(Program {
        path: "/etc/passwd".into(),
        search: Vec::new(),
        missing: Missing::Fails,
    });
    manager.spawn(2, vec![file]);
    manager.hear_until("exited 2 Code(203)");
    assert_eq!(manager.setup_failure(), "2 203 13 0");
    let absent = Step::FindProgram(Program {
        path: "/nonexistent".into(),
        search: Vec::new(),
        missing: Missing::Ignored,
    });
    manager.spawn_with(3, WatchExec::Yes, vec![absent], &[]);
    assert_eq!(manager.hear_until("exited"), ["spawned 3", "exited 3 Code(0)"], "left out, not failed");
}

fn find_user(user: &str) -> Step {
    let (user, supplementary) = (Some(user.to_owned()), vec!["4242".to_owned()]);
    Step::FindUser(FindUser { user, group: None, supplementary, made: Vec::new() })
}
