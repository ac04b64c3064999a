//! The exit codes by which a child says which step failed: systemd.exec(5), "Process exit codes".

macro_rules! exit_codes {
    ($( $variant:ident = $number:literal $name:literal, )*) => {
        /// Which step failed. The number is the process's exit code; the name is the manual's, without `EXIT_`.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
        #[repr(u8)]
        pub enum ExitCode {
            $( $variant = $number, )*
        }

        impl ExitCode {
            pub const ALL: &'static [ExitCode] = &[$( ExitCode::$variant, )*];

            pub const fn name(self) -> &'static str {
                match self { $( ExitCode::$variant => $name, )* }
            }

            pub const fn from_number(number: u8) -> Option<ExitCode> {
                match number {
                    $( $number => Some(ExitCode::$variant), )*
                    _ => None,
                }
            }
        }
    };
}

exit_codes! {
    // What systemd finds out before it forks (an unreadable EnvironmentFile=, say) our child finds out after:
    // the plain failure code, which a manager that has the report reads as `resources`.
    Resources = 1 "FAILURE",
    Chdir = 200 "CHDIR",
    Nice = 201 "NICE",
    Fds = 202 "FDS",
    Exec = 203 "EXEC",
    Memory = 204 "MEMORY",
    Limits = 205 "LIMITS",
    OomAdjust = 206 "OOM_ADJUST",
    SignalMask = 207 "SIGNAL_MASK",
    Stdin = 208 "STDIN",
    Stdout = 209 "STDOUT",
    Chroot = 210 "CHROOT",
    IoPriority = 211 "IOPRIO",
    TimerSlack = 212 "TIMERSLACK",
    SecureBits = 213 "SECUREBITS",
    SetScheduler = 214 "SETSCHEDULER",
    CpuAffinity = 215 "CPUAFFINITY",
    Group = 216 "GROUP",
    User = 217 "USER",
    Capabilities = 218 "CAPABILITIES",
    Cgroup = 219 "CGROUP",
    Setsid = 220 "SETSID",
    Confirm = 221 "CONFIRM",
    Stderr = 222 "STDERR",
    Pam = 224 "PAM",
    Network = 225 "NETWORK",
    Namespace = 226 "NAMESPACE",
    NoNewPrivileges = 227 "NO_NEW_PRIVILEGES",
    Seccomp = 228 "SECCOMP",
    SelinuxContext = 229 "SELINUX_CONTEXT",
    Personality = 230 "PERSONALITY",
    ApparmorProfile = 231 "APPARMOR_PROFILE",
    AddressFamilies = 232 "ADDRESS_FAMILIES",
    RuntimeDirectory = 233 "RUNTIME_DIRECTORY",
    Chown = 235 "CHOWN",
    SmackProcessLabel = 236 "SMACK_PROCESS_LABEL",
    Keyring = 237 "KEYRING",
    StateDirectory = 238 "STATE_DIRECTORY",
    CacheDirectory = 239 "CACHE_DIRECTORY",
    LogsDirectory = 240 "LOGS_DIRECTORY",
    ConfigurationDirectory = 241 "CONFIGURATION_DIRECTORY",
    NumaPolicy = 242 "NUMA_POLICY",
    Credentials = 243 "CREDENTIALS",
    Bpf = 245 "BPF",
}

impl ExitCode {
    pub const fn number(self) -> u8 {
        self as u8
    }
}
