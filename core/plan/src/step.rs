//! The steps. Their order in a plan is the compiler's affair; what each does, and what it assumes to have
//! happened before, is written here. Sources: systemd.exec(5), systemd.service(5), sd_listen_fds(3).

use crate::codec::{self, Malformed};
use crate::exit_code::ExitCode;

coded! {
    /// What one child obeys, in order.
    pub struct ExecPlan {
        pub steps: Vec<Step>,
    }

    /// One thing to do before (and finally: by) exec. A failure ends the child with [`Step::exit_code`].
    pub enum Step {
        /// All signals unblocked and at their defaults, except SIGPIPE as told.
        1 = Signals { pipe: PipeSignal },
        /// A session and process group of its own: setsid(2).
        2 = Session,
        /// Write the own pid to `PATH/cgroup.procs`: where the child could not be cloned into the cgroup.
        3 = JoinCgroup(path: String),
        /// Find the numbers of `User=`, `Group=`, `SupplementaryGroups=`; nothing is changed yet. The steps
        /// below that speak of "the user" mean this one.
        4 = FindUser(user: FindUser),
        5 = Stdin(input: Input),
        6 = Stdout(output: Output),
        7 = Stderr(output: Output),
        /// EPERM and EACCES are ignored: a container may not lower it.
        8 = OomScoreAdjust(score: i16),
        /// Clamped to what is permitted.
        9 = Nice(level: i8),
        /// Make directories for the user.
        10 = Directories(directories: Directories),
        /// Merge `NAME=VALUE`s into the environment: a known name keeps its place and gets the new value.
        11 = Environment(assignments: Vec<String>),
        /// Merge what only the child can know.
        12 = SetKnown(known: Known),
        /// Merge the named variables of init's own environment, where set.
        13 = PassEnvironment(names: Vec<String>),
        /// Merge the assignments of a file (or of all files that match, if the path is a pattern).
        14 = EnvironmentFile { path: String, missing: Missing },
        /// Drop entries: `NAME`, or `NAME=VALUE` for this value only.
        15 = UnsetEnvironment(entries: Vec<String>),
        16 = Umask(mask: u32),
        /// Clamped to the hard limit where raising that is not permitted.
        17 = Rlimit { resource: Resource, soft: u64, hard: u64 },
        /// The primary and supplementary groups of the user become the process's.
        18 = SetGroups,
        /// chroot(2) and chdir to its root.
        19 = RootDirectory(path: String),
        /// Exactly these of the passed descriptors become 3, 4, …; all others from there on are closed.
        20 = Fds { indices: Vec<u16>, blocking: Blocking },
        /// Drop all capabilities that are not in the mask from the bounding set.
        21 = BoundingSet(mask: u64),
        /// Keep permitted capabilities over the change of user, for [`Step::Ambient`].
        22 = KeepCapabilities,
        /// The user's number becomes the process's.
        23 = SetUser,
        /// Make these capabilities inheritable and ambient.
        24 = Ambient(mask: u64),
        25 = WorkingDirectory { place: Place, missing: Missing },
        26 = NoNewPrivileges,
        /// Wait until the other end of a passed descriptor is closed, five seconds at most: `Type=idle`, systemd.service(5).
        30 = Idle(index: u16),
        /// A number that all descendants inherit and anybody may read, as the soft limit of RLIMIT_RTTIME: how a unit's
        /// processes are found where there are no cgroups. Where it is refused they are found by less.
        28 = Mark(mark: u64),
        /// Find the program that the end executes. Before descriptors are passed and rights given up: a program that is
        /// not there is told before anything that these could fail at.
        29 = FindProgram(program: Program),
        /// The user may divide this cgroup: the directory and the files that move processes and hand on controllers become
        /// theirs. Before the user's number is taken; cgroups(7), "Cgroup delegation".
        31 = GiveCgroup(path: String),
        /// Make the place that something is to be mounted on.
        32 = MountPoint(point: MountPoint),
        /// The end: expand variables in the arguments, execute the program that was found.
        27 = Exec(command: Command),
    }

    pub enum PipeSignal {
        0 = Default,
        1 = Ignored,
    }

    pub struct FindUser {
        /// Name or number. None: the process stays who it is.
        pub user: Option<String>,
        /// None: the user's own group.
        pub group: Option<String>,
        pub supplementary: Vec<String>,
        /// Whom `DynamicUser=` makes: names that mean these numbers where no file knows them.
        pub made: Vec<Made>,
    }

    pub struct Made {
        pub name: String,
        pub number: u32,
    }

    pub enum Input {
        0 = Null,
        /// Opened, and made the controlling terminal.
        1 = Tty { path: String, take: TakeTty },
        2 = File(path: String),
        /// A passed descriptor, by its index.
        3 = Fd(index: u16),
        /// Served from memory.
        4 = Text(bytes: Vec<u8>),
    }

    /// What if another session has the terminal.
    pub enum TakeTty {
        0 = Fail,
        1 = Force,
        2 = Wait,
    }

    pub enum Output {
        0 = Null,
        1 = Tty(path: String),
        2 = Journal(stream: JournalStream),
        /// The descriptor init was started with.
        3 = Console,
        /// Written from its beginning, not truncated.
        4 = File(path: String),
        5 = Append(path: String),
        6 = Truncate(path: String),
        7 = Fd(index: u16),
        /// A copy of fd 0.
        8 = SameAsInput,
        /// A copy of fd 1 (standard error only).
        9 = SameAsOutput,
    }

    /// A connection to the journal's stream socket, opened as the user and introduced by seven lines; the
    /// console if nobody listens.
    pub struct JournalStream {
        pub socket: String,
        pub identifier: String,
        pub unit: String,
        /// Facility and level: `facility << 3 | level`.
        pub priority: u8,
        pub level_prefix: LevelPrefix,
        pub copy: CopyTo,
    }

    /// Whether `<N>` before a line is taken as its level.
    pub enum LevelPrefix {
        0 = Verbatim,
        1 = Parsed,
    }

    /// Where else the journal shall send the lines.
    pub enum CopyTo {
        0 = None,
        1 = KernelLog,
        2 = Console,
    }

    pub struct Directories {
        pub kind: DirectoryKind,
        pub entries: Vec<Directory>,
        pub mode: u32,
    }

    pub enum DirectoryKind {
        0 = Runtime,
        1 = State,
        2 = Cache,
        3 = Logs,
        4 = Configuration,
    }

    pub struct Directory {
        /// Absolute; missing parents are made.
        pub path: String,
        /// Absolute paths of symbolic links to it.
        pub links: Vec<String>,
    }

    pub struct MountPoint {
        /// Absolute. A symbolic link on the way to it is a failure.
        pub place: String,
        /// What else appears there, if that is a file or directory: a missing one is made, and a place for a file is a file.
        pub source: Option<String>,
        /// Of directories that are made.
        pub mode: u32,
    }

    pub enum Known {
        /// LISTEN_PID, LISTEN_FDS, LISTEN_FDNAMES.
        0 = Listen(names: Vec<String>),
        /// WATCHDOG_PID, WATCHDOG_USEC.
        1 = Watchdog { usec: u64 },
        /// HOME, LOGNAME, USER, SHELL of the user, as far as they mean something.
        2 = User,
        /// TERM, as fits a terminal.
        3 = Term(path: String),
        /// JOURNAL_STREAM, if standard error (or else output) is connected to the journal.
        4 = JournalStream,
        /// SYSTEMD_EXEC_PID.
        5 = ExecPid,
        /// HOME, of who we are.
        6 = Home,
        /// XDG_RUNTIME_DIR of the user, where somebody made that directory for them.
        7 = RuntimeDirectory,
    }

    pub enum Missing {
        0 = Fails,
        1 = Ignored,
    }

    pub enum Resource {
        0 = Cpu,
        1 = Fsize,
        2 = Data,
        3 = Stack,
        4 = Core,
        5 = Rss,
        6 = Nproc,
        7 = Nofile,
        8 = Memlock,
        9 = As,
        10 = Locks,
        11 = Sigpending,
        12 = Msgqueue,
        13 = Nice,
        14 = Rtprio,
        15 = Rttime,
    }

    pub enum Blocking {
        0 = Blocking,
        1 = NonBlocking,
    }

    pub enum Place {
        0 = Path(path: String),
        /// The user's home; root's where no user is set.
        1 = Home,
    }

    pub struct Program {
        /// Absolute, or a bare name looked for in `search`.
        pub path: String,
        pub search: Vec<String>,
        /// `Ignored`: where there is no such program the child ends at once and well.
        pub missing: Missing,
    }

    pub struct Command {
        pub argv: Vec<String>,
        pub expansion: Expansion,
    }

    pub enum Expansion {
        0 = Verbatim,
        1 = Variables,
    }
}

impl ExecPlan {
    pub fn encode(&self) -> Vec<u8> {
        codec::encode(self)
    }

    pub fn decode(bytes: &[u8]) -> Result<ExecPlan, Malformed> {
        let plan: ExecPlan = codec::decode(bytes)?;
        if plan.steps.len() > crate::limits::STEPS { Err(Malformed::TooLong) } else { Ok(plan) }
    }
}

impl Step {
    /// The code the child exits with when this step fails. Finding a user and finding a group differ:
    /// `FindUser` is `User`, and its groups fail with `Group` by the child's own word.
    pub fn exit_code(&self) -> ExitCode {
        match self {
            Step::Signals { .. } => ExitCode::SignalMask,
            Step::Session => ExitCode::Setsid,
            Step::JoinCgroup(_) | Step::GiveCgroup(_) => ExitCode::Cgroup,
            Step::FindUser(_) | Step::SetUser => ExitCode::User,
            Step::Stdin(_) => ExitCode::Stdin,
            Step::Stdout(_) => ExitCode::Stdout,
            Step::Stderr(_) => ExitCode::Stderr,
            Step::OomScoreAdjust(_) => ExitCode::OomAdjust,
            Step::Nice(_) => ExitCode::Nice,
            Step::Directories(directories) => directories.kind.exit_code(),
            Step::Environment(_)
            | Step::SetKnown(_)
            | Step::PassEnvironment(_)
            | Step::UnsetEnvironment(_) => ExitCode::Memory,
            Step::EnvironmentFile { .. } | Step::MountPoint(_) => ExitCode::Resources,
            Step::Umask(_) | Step::Idle(_) => ExitCode::Memory,
            Step::Rlimit { .. } | Step::Mark(_) => ExitCode::Limits,
            Step::SetGroups => ExitCode::Group,
            // Systemd makes a mount namespace for it, and tells its failure so.
            Step::RootDirectory(_) => ExitCode::Namespace,
            Step::Fds { .. } => ExitCode::Fds,
            Step::BoundingSet(_) | Step::KeepCapabilities | Step::Ambient(_) => ExitCode::Capabilities,
            Step::WorkingDirectory { .. } => ExitCode::Chdir,
            Step::NoNewPrivileges => ExitCode::NoNewPrivileges,
            Step::FindProgram(_) | Step::Exec(_) => ExitCode::Exec,
        }
    }
}

impl DirectoryKind {
    pub fn exit_code(&self) -> ExitCode {
        match self {
            DirectoryKind::Runtime => ExitCode::RuntimeDirectory,
            DirectoryKind::State => ExitCode::StateDirectory,
            DirectoryKind::Cache => ExitCode::CacheDirectory,
            DirectoryKind::Logs => ExitCode::LogsDirectory,
            DirectoryKind::Configuration => ExitCode::ConfigurationDirectory,
        }
    }
}
