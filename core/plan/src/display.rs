//! A plan in words: one line per step, for reviews and snapshots.

use crate::step::{
    Blocking, Command, CopyTo, Directories, DirectoryKind, ExecPlan, Expansion, FindUser, Input,
    JournalStream, Known, LevelPrefix, Missing, MountPoint, Output, PipeSignal, Place, Program, Step,
    TakeTty,
};
use std::fmt::{self, Display, Formatter};

impl Display for ExecPlan {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        self.steps.iter().try_for_each(|step| writeln!(f, "{step}"))
    }
}

impl Display for Step {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        match self {
            Step::Signals { pipe: PipeSignal::Default } => f.write_str("signals"),
            Step::Signals { pipe: PipeSignal::Ignored } => f.write_str("signals, PIPE ignored"),
            Step::Session => f.write_str("session"),
            Step::JoinCgroup(path) => write!(f, "join-cgroup {path}"),
            Step::GiveCgroup(path) => write!(f, "give-cgroup {path}"),
            Step::FindUser(user) => find_user(user, f),
            Step::Stdin(source) => input(source, f),
            Step::Stdout(target) => output("stdout", target, f),
            Step::Stderr(target) => output("stderr", target, f),
            Step::OomScoreAdjust(score) => write!(f, "oom-score-adjust {score}"),
            Step::Nice(level) => write!(f, "nice {level}"),
            Step::Directories(those) => directories(those, f),
            Step::Environment(assignments) => write!(f, "environment{}", Words(assignments)),
            Step::SetKnown(which) => known(which, f),
            Step::PassEnvironment(names) => write!(f, "pass-environment{}", Words(names)),
            Step::EnvironmentFile { path, missing } => write!(f, "environment-file {}{path}", dash(missing)),
            Step::UnsetEnvironment(entries) => write!(f, "unset-environment{}", Words(entries)),
            Step::Umask(mask) => write!(f, "umask {mask:04o}"),
            Step::Rlimit { resource, soft, hard } => {
                write!(f, "rlimit {resource:?} {}:{}", Limit(*soft), Limit(*hard))
            }
            Step::Idle(index) => write!(f, "idle until fd {index} hangs up"),
            Step::Mark(mark) => write!(f, "mark {mark:#x}"),
            Step::SetGroups => f.write_str("set-groups"),
            Step::RootDirectory(path) => write!(f, "root-directory {path}"),
            Step::Fds { indices, blocking } => fds(indices, blocking, f),
            Step::BoundingSet(mask) => write!(f, "bounding-set {mask:#x}"),
            Step::KeepCapabilities => f.write_str("keep-capabilities"),
            Step::SetUser => f.write_str("set-user"),
            Step::Ambient(mask) => write!(f, "ambient {mask:#x}"),
            Step::WorkingDirectory { place: Place::Path(path), missing } => {
                write!(f, "working-directory {}{path}", dash(missing))
            }
            Step::WorkingDirectory { place: Place::Home, missing } => {
                write!(f, "working-directory {}~", dash(missing))
            }
            Step::NoNewPrivileges => f.write_str("no-new-privileges"),
            Step::MountPoint(point) => mount_point(point, f),
            Step::FindProgram(program) => find(program, f),
            Step::Exec(command) => exec(command, f),
        }
    }
}

fn dash(missing: &Missing) -> &'static str {
    match missing {
        Missing::Fails => "",
        Missing::Ignored => "-",
    }
}

fn find_user(FindUser { user, group, supplementary, made }: &FindUser, f: &mut Formatter<'_>) -> fmt::Result {
    let name = |name: &Option<String>| name.clone().unwrap_or_else(|| "-".to_owned());
    write!(f, "find-user {}:{}{}", name(user), name(group), Words(supplementary))?;
    made.iter().try_for_each(|one| write!(f, ", or else {} is {}", one.name, one.number))
}

fn input(source: &Input, f: &mut Formatter<'_>) -> fmt::Result {
    match source {
        Input::Null => f.write_str("stdin null"),
        Input::Tty { path, take: TakeTty::Wait } => write!(f, "stdin tty {path}"),
        Input::Tty { path, take: TakeTty::Force } => write!(f, "stdin tty-force {path}"),
        Input::Tty { path, take: TakeTty::Fail } => write!(f, "stdin tty-fail {path}"),
        Input::File(path) => write!(f, "stdin file {path}"),
        Input::Fd(index) => write!(f, "stdin fd {index}"),
        Input::Text(bytes) => write!(f, "stdin text of {} bytes", bytes.len()),
    }
}

fn output(stream: &str, target: &Output, f: &mut Formatter<'_>) -> fmt::Result {
    write!(f, "{stream} ")?;
    match target {
        Output::Null => f.write_str("null"),
        Output::Tty(path) => write!(f, "tty {path}"),
        Output::Journal(stream) => journal(stream, f),
        Output::Console => f.write_str("console"),
        Output::File(path) => write!(f, "file {path}"),
        Output::Append(path) => write!(f, "append {path}"),
        Output::Truncate(path) => write!(f, "truncate {path}"),
        Output::Fd(index) => write!(f, "fd {index}"),
        Output::SameAsInput => f.write_str("as stdin"),
        Output::SameAsOutput => f.write_str("as stdout"),
    }
}

fn journal(stream: &JournalStream, f: &mut Formatter<'_>) -> fmt::Result {
    let JournalStream { socket, identifier, unit, priority, level_prefix, copy } = stream;
    write!(f, "journal {socket} as {identifier} of {unit}, priority {priority}")?;
    f.write_str(match level_prefix {
        LevelPrefix::Verbatim => ", verbatim",
        LevelPrefix::Parsed => "",
    })?;
    f.write_str(match copy {
        CopyTo::None => "",
        CopyTo::KernelLog => ", and kernel log",
        CopyTo::Console => ", and console",
    })
}

fn directories(Directories { kind, entries, mode }: &Directories, f: &mut Formatter<'_>) -> fmt::Result {
    let word = match kind {
        DirectoryKind::Runtime => "runtime",
        DirectoryKind::State => "state",
        DirectoryKind::Cache => "cache",
        DirectoryKind::Logs => "logs",
        DirectoryKind::Configuration => "configuration",
    };
    write!(f, "{word}-directories {mode:04o}")?;
    entries.iter().try_for_each(|entry| {
        write!(f, " {}", entry.path)?;
        entry.links.iter().try_for_each(|link| write!(f, ":{link}"))
    })
}

fn mount_point(MountPoint { place, source, mode }: &MountPoint, f: &mut Formatter<'_>) -> fmt::Result {
    write!(f, "mount-point {place} {mode:04o}")?;
    source.iter().try_for_each(|source| write!(f, " of {source}"))
}

fn known(which: &Known, f: &mut Formatter<'_>) -> fmt::Result {
    match which {
        Known::Listen(names) => write!(f, "environment LISTEN_* of{}", Words(names)),
        Known::Watchdog { usec } => write!(f, "environment WATCHDOG_* of {usec}"),
        Known::User => f.write_str("environment HOME LOGNAME USER SHELL"),
        Known::Term(path) => write!(f, "environment TERM of {path}"),
        Known::Home => f.write_str("environment HOME"),
        Known::RuntimeDirectory => f.write_str("environment XDG_RUNTIME_DIR"),
        Known::JournalStream => f.write_str("environment JOURNAL_STREAM"),
        Known::ExecPid => f.write_str("environment SYSTEMD_EXEC_PID"),
    }
}

fn fds(indices: &[u16], blocking: &Blocking, f: &mut Formatter<'_>) -> fmt::Result {
    f.write_str(if indices.is_empty() { "fds none" } else { "fds" })?;
    indices.iter().try_for_each(|index| write!(f, " {index}"))?;
    f.write_str(match blocking {
        Blocking::Blocking => "",
        Blocking::NonBlocking => ", non-blocking",
    })
}

fn find(Program { path, search, missing }: &Program, f: &mut Formatter<'_>) -> fmt::Result {
    write!(f, "find-program {}{path}", dash(missing))?;
    if !search.is_empty() && !path.starts_with('/') {
        write!(f, " (in {})", search.join(":"))?;
    }
    Ok(())
}

fn exec(Command { argv, expansion }: &Command, f: &mut Formatter<'_>) -> fmt::Result {
    f.write_str(match expansion {
        Expansion::Verbatim => "exec verbatim",
        Expansion::Variables => "exec",
    })?;
    argv.iter().try_for_each(|argument| write!(f, " {argument:?}"))
}

/// Words behind a space each, quoted where one could be misread.
struct Words<'a>(&'a [String]);

impl Display for Words<'_> {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        let plain = |c: char| c.is_ascii_graphic() && !matches!(c, '"' | '\\');
        self.0.iter().try_for_each(|word| {
            if !word.is_empty() && word.chars().all(plain) {
                write!(f, " {word}")
            } else {
                write!(f, " {word:?}")
            }
        })
    }
}

struct Limit(u64);

impl Display for Limit {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        if self.0 == u64::MAX { f.write_str("infinity") } else { write!(f, "{}", self.0) }
    }
}
