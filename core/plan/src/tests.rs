//! The codec's law (decode undoes encode, and nothing else is accepted silently) and the printed form.

use crate::step::*;
use crate::{ExecPlan, ExitCode, Malformed};

fn text(text: &str) -> String {
    text.to_owned()
}

/// One of every variant, so that a forgotten field or a doubled byte shows.
fn everything() -> ExecPlan {
    let journal = JournalStream {
        socket: text("/run/systemd/journal/stdout"),
        identifier: text("web"),
        unit: text("web.service"),
        priority: 30,
        level_prefix: LevelPrefix::Parsed,
        copy: CopyTo::Console,
    };
    let directories = |kind| {
        let entries = vec![Directory { path: text("/run/web"), links: vec![text("/run/alias")] }];
        Step::Directories(Directories { kind, entries, mode: 0o750 })
    };
    let missing = Missing::Ignored;
    let outputs = [
        Output::Null,
        Output::Tty(text("/dev/console")),
        Output::Journal(journal),
        Output::Console,
        Output::File(text("/a")),
        Output::Append(text("/a")),
        Output::Truncate(text("/a")),
        Output::Fd(1),
        Output::SameAsInput,
        Output::SameAsOutput,
    ];
    let inputs = [
        Input::Null,
        Input::Tty { path: text("/dev/tty1"), take: TakeTty::Wait },
        Input::Tty { path: text("/dev/tty1"), take: TakeTty::Force },
        Input::Tty { path: text("/dev/tty1"), take: TakeTty::Fail },
        Input::File(text("/a b")),
        Input::Fd(0),
        Input::Text(vec![0, 255]),
    ];
    let mut steps = vec![
        Step::Signals { pipe: PipeSignal::Ignored },
        Step::Session,
        Step::JoinCgroup(text("/sys/fs/cgroup/x")),
        Step::FindUser(FindUser {
            user: Some(text("joe")),
            group: None,
            supplementary: vec![text("audio")],
            made: vec![Made { name: text("joe"), number: 61184 }],
        }),
        Step::OomScoreAdjust(-100),
        Step::Nice(-5),
        directories(DirectoryKind::Runtime),
        directories(DirectoryKind::Configuration),
        Step::MountPoint(MountPoint { place: text("/srv"), source: Some(text("/a")), mode: 0o700 }),
        Step::Environment(vec![text("A=b c"), text("D=")]),
        Step::SetKnown(Known::Listen(vec![text("http")])),
        Step::SetKnown(Known::Watchdog { usec: 30_000_000 }),
        Step::SetKnown(Known::User),
        Step::SetKnown(Known::Term(text("/dev/console"))),
        Step::SetKnown(Known::JournalStream),
        Step::SetKnown(Known::ExecPid),
        Step::SetKnown(Known::Home),
        Step::SetKnown(Known::RuntimeDirectory),
        Step::GiveCgroup(text("/sys/fs/cgroup/x")),
        Step::PassEnvironment(vec![text("LANG")]),
        Step::EnvironmentFile { path: text("/etc/default/web"), missing: missing.clone() },
        Step::UnsetEnvironment(vec![text("A")]),
        Step::Umask(0o22),
        Step::Rlimit { resource: Resource::Nofile, soft: 1024, hard: u64::MAX },
        Step::SetGroups,
        Step::RootDirectory(text("/srv")),
        Step::Fds { indices: vec![0, 2], blocking: Blocking::NonBlocking },
        Step::BoundingSet(0xff),
        Step::KeepCapabilities,
        Step::SetUser,
        Step::Ambient(0x400),
        Step::WorkingDirectory { place: Place::Home, missing },
        Step::NoNewPrivileges,
        Step::FindProgram(Program {
            path: text("web"),
            search: vec![text("/usr/bin"), text("/bin")],
            missing: Missing::Ignored,
        }),
        Step::Exec(Command {
            argv: vec![text("web"), text("-c"), text("a \"b\"")],
            expansion: Expansion::Variables,
        }),
    ];
    steps.extend(inputs.into_iter().map(Step::Stdin));
    steps.extend(outputs.clone().into_iter().map(Step::Stdout));
    steps.extend(outputs.into_iter().map(Step::Stderr));
    ExecPlan { steps }
}

#[test]
fn decode_undoes_encode() {
    let plan = everything();
    assert_eq!(ExecPlan::decode(&plan.encode()), Ok(plan));
    let empty = ExecPlan { steps: Vec::new() };
    assert_eq!(ExecPlan::decode(&empty.encode()), Ok(empty));
}

#[test]
fn every_truncation_and_every_extra_byte_is_refused() {
    let bytes = everything().encode();
    for length in 0..bytes.len() {
        assert!(ExecPlan::decode(&bytes[..length]).is_err(), "accepted the first {length} bytes");
    }
    let mut longer = bytes;
    longer.push(0);
    assert_eq!(ExecPlan::decode(&longer), Err(Malformed::Trailing));
}

#[test]
fn garbage_never_panics_and_what_is_accepted_means_one_thing() {
    let good = everything().encode();
    let mut seed = 0x9e37_79b9_7f4a_7c15_u64;
    let mut next = || {
        seed ^= seed << 13;
        seed ^= seed >> 7;
        seed ^= seed << 17;
        seed
    };
    for _ in 0..200_000 {
        let mut bytes = good.clone();
        for _ in 0..1 + next() % 4 {
            let at = next() as usize % bytes.len();
            bytes[at] = next() as u8;
        }
        if let Ok(plan) = ExecPlan::decode(&bytes) {
            assert_eq!(plan.encode(), bytes, "two encodings of one plan");
        }
    }
}

#[test]
fn a_count_larger_than_the_input_allocates_nothing() {
    assert_eq!(ExecPlan::decode(&[1, 255, 255, 255, 255]), Err(Malformed::TooLong));
    assert_eq!(ExecPlan::decode(&[1, 255, 255, 0, 0]), Err(Malformed::Short));
    assert_eq!(ExecPlan::decode(&[9]), Err(Malformed::Version(9)));
}

#[test]
fn a_plan_reads_as_lines() {
    let expected = "\
signals, PIPE ignored
session
join-cgroup /sys/fs/cgroup/x
find-user joe:- audio, or else joe is 61184
oom-score-adjust -100
nice -5
runtime-directories 0750 /run/web:/run/alias
configuration-directories 0750 /run/web:/run/alias
mount-point /srv 0700 of /a
environment \"A=b c\" D=
environment LISTEN_* of http
environment WATCHDOG_* of 30000000
environment HOME LOGNAME USER SHELL
environment TERM of /dev/console
environment JOURNAL_STREAM
environment SYSTEMD_EXEC_PID
environment HOME
environment XDG_RUNTIME_DIR
give-cgroup /sys/fs/cgroup/x
pass-environment LANG
environment-file -/etc/default/web
unset-environment A
umask 0022
rlimit Nofile 1024:infinity
set-groups
root-directory /srv
fds 0 2, non-blocking
bounding-set 0xff
keep-capabilities
set-user
ambient 0x400
working-directory -~
no-new-privileges
find-program -web (in /usr/bin:/bin)
exec \"web\" \"-c\" \"a \\\"b\\\"\"
stdin null
stdin tty /dev/tty1
stdin tty-force /dev/tty1
stdin tty-fail /dev/tty1
stdin file /a b
stdin fd 0
stdin text of 2 bytes
stdout null
stdout tty /dev/console
stdout journal /run/systemd/journal/stdout as web of web.service, priority 30, and console
stdout console
stdout file /a
stdout append /a
stdout truncate /a
stdout fd 1
stdout as stdin
stdout as stdout
";
    let printed = everything().to_string();
    assert_eq!(&printed[..expected.len()], expected);
}

#[test]
fn exit_codes_are_named_once_each() {
    for code in ExitCode::ALL {
        assert_eq!(ExitCode::from_number(code.number()), Some(*code));
    }
    assert_eq!(ExitCode::from_number(203).map(ExitCode::name), Some("EXEC"));
    assert_eq!(ExitCode::from_number(0), None);
}
