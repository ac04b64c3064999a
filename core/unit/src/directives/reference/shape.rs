//! What the value of a directive looks like where its [`Kind`](super::Kind) says no more than "text" or "words", and what holds when a
//! unit says nothing: for people, as in `eudaemon help DIRECTIVE` and docs/reference.

use super::{Directive, Kind};

/// What one more line of the same directive does.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Lines {
    /// It takes the place of the line before.
    Replace,
    /// It adds to the list; an empty one empties it.
    Add,
}

/// Key, what is taken, a value that is right, what one more line does.
type Shape = (&'static str, &'static str, &'static str, Lines);

const ONE: Lines = Lines::Replace;
const LIST: Lines = Lines::Add;

const AMOUNT: &str = "bytes such as 512M, a percentage of the machine's memory, or infinity";
const CPUS: &str = "numbers and ranges such as 0-3 7";
const CREDENTIAL: &str = "name:path, or a name alone";
const DEVICE_AMOUNT: &str = "a path and bytes per second such as /dev/sda 5M";
const DEVICE_RATE: &str = "a path and operations per second such as /dev/sda 1000";
const DIRECTORIES: &str = "relative paths, each with a link's name after : if wanted";
const ENDS: &str = "exit codes by number or name, and signals";
const GROUP: &str = "a group's name or number";
const IMAGE_POLICY: &str = "an image policy, systemd.image-policy(7)";
const LABEL: &str = "a label";
const NAMES: &str = "names of variables";
const PREFIXES: &str = "addresses with or without prefix length, any, localhost, link-local or multicast";
const SOCKET: &str = "a path, @ and an abstract name, a port, or address:port";
const SPAN_LATER: &str = "a length of time such as 5min";
const USER: &str = "a user's name or number";
const WEIGHT: &str = "a number from 1 to 10000";

/// Sorted by key.
const SHAPES: &[Shape] = &[
    ("AllowedCPUs", CPUS, "0-1", LIST),
    ("AllowedMemoryNodes", CPUS, "0", LIST),
    ("AmbientCapabilities", "names of capabilities, all but those after ~", "CAP_NET_BIND_SERVICE", LIST),
    ("AppArmorProfile", "a profile's name, after - where it may be missing", "-web", ONE),
    ("BPFProgram", "a kind of program, : and a path in the BPF file system", "egress:/sys/fs/bpf/a", LIST),
    ("BindPaths", "source:destination:options, of which the source is enough", "/srv:/mnt:norbind", LIST),
    ("BindReadOnlyPaths", "source:destination:options, of which the source is enough", "/srv:/mnt", LIST),
    ("BindToDevice", "a network interface", "eth0", ONE),
    ("BlockIOAccounting", "yes or no", "yes", ONE),
    ("BlockIODeviceWeight", "a path and a number from 10 to 1000", "/dev/sda 500", LIST),
    ("BlockIOReadBandwidth", DEVICE_AMOUNT, "/dev/sda 5M", LIST),
    ("BlockIOWeight", "a number from 10 to 1000", "500", ONE),
    ("BlockIOWriteBandwidth", DEVICE_AMOUNT, "/dev/sda 5M", LIST),
    ("BusName", "a D-Bus name such as org.example.Daemon", "org.example.Daemon", ONE),
    ("CPUAffinity", "numbers and ranges such as 0-3 7, or numa", "0-1", LIST),
    ("CPUQuota", "a percentage of one CPU, such as 20%", "20%", ONE),
    ("CPUQuotaPeriodSec", "a length of time from 1ms to 1s", "10ms", ONE),
    ("CPUSchedulingPolicy", "other, batch, idle, fifo or rr", "batch", ONE),
    ("CPUSchedulingPriority", "a number from 1 to 99", "10", ONE),
    ("CPUShares", "a number from 2 to 262144", "1024", ONE),
    ("CPUWeight", "a number from 1 to 10000, or idle", "100", ONE),
    ("CacheDirectory", DIRECTORIES, "web", LIST),
    ("CapabilityBoundingSet", "names of capabilities, all but those after ~", "~CAP_SYS_ADMIN", LIST),
    ("ConfigurationDirectory", "relative paths", "web", LIST),
    ("CoredumpFilter", "names of kinds of mappings, or a hexadecimal mask", "default", LIST),
    ("DefaultMemoryLow", AMOUNT, "1M", ONE),
    ("DefaultMemoryMin", AMOUNT, "1M", ONE),
    ("DefaultStartupMemoryLow", AMOUNT, "1M", ONE),
    ("Delegate", "yes, no, or names of controllers", "cpu memory", LIST),
    ("DelegateSubgroup", "a name", "inner", ONE),
    ("Description", "text", "A web server", ONE),
    ("DeviceAllow", "a path or kind of device, and letters of r, w and m", "/dev/null rw", LIST),
    ("DisableControllers", "names of controllers", "cpu", LIST),
    ("Documentation", "URIs with http, https, file, info or man", "man:a(1)", LIST),
    ("Environment", "NAME=value, each in quotes where it has spaces", "\"A=b c\"", LIST),
    ("ExitCodeFrom", "a unit's name", "web.service", ONE),
    ("ExtensionImagePolicy", IMAGE_POLICY, "root=verity", ONE),
    ("ExtensionImages", "paths, with options after :", "/srv/a.raw", LIST),
    ("ExtraOptions", "options with commas between them", "a,b", ONE),
    ("FileDescriptorName", "a name without colons", "http", ONE),
    ("Group", GROUP, "daemon", ONE),
    ("Http", "an http:// URL", "http://127.0.0.1:8080/health", ONE),
    ("IODeviceLatencyTargetSec", "a path and a length of time", "/dev/sda 25ms", LIST),
    ("IODeviceWeight", "a path and a number from 1 to 10000", "/dev/sda 200", LIST),
    ("IOReadBandwidthMax", DEVICE_AMOUNT, "/dev/sda 5M", LIST),
    ("IOReadIOPSMax", DEVICE_RATE, "/dev/sda 1K", LIST),
    ("IOSchedulingClass", "realtime, best-effort, idle or none", "idle", ONE),
    ("IOSchedulingPriority", "a number from 0 to 7", "3", ONE),
    ("IOWeight", WEIGHT, "100", ONE),
    ("IOWriteBandwidthMax", DEVICE_AMOUNT, "/dev/sda 5M", LIST),
    ("IOWriteIOPSMax", DEVICE_RATE, "/dev/sda 1K", LIST),
    ("IPAddressAllow", PREFIXES, "10.0.0.0/8 localhost", LIST),
    ("IPAddressDeny", PREFIXES, "any", LIST),
    ("IPTOS", "a number, low-delay, throughput, reliability or low-cost", "low-delay", ONE),
    ("ImportCredential", "a pattern of names", "web.*", LIST),
    ("JobTimeoutRebootArgument", "text", "now", ONE),
    ("ListenDatagram", SOCKET, "127.0.0.1:53", LIST),
    ("ListenFIFO", "an absolute path", "/run/a.fifo", LIST),
    ("ListenMessageQueue", "a name after /", "/queue", LIST),
    ("ListenNetlink", "a family, and a multicast group if wanted", "kobject-uevent 1", LIST),
    ("ListenSequentialPacket", SOCKET, "/run/a.socket", LIST),
    ("ListenSpecial", "an absolute path", "/dev/null", LIST),
    ("ListenStream", SOCKET, "[::1]:80", LIST),
    ("ListenUSBFunction", "an absolute path", "/dev/usb", LIST),
    ("LoadCredential", CREDENTIAL, "key:/etc/key", LIST),
    ("LoadCredentialEncrypted", CREDENTIAL, "key:/etc/key", LIST),
    ("LogExtraFields", "NAME=value, each in quotes where it has spaces", "TEAM=web", LIST),
    ("LogFilterPatterns", "a regular expression, after ~ to leave out what matches", "~debug", LIST),
    ("LogLevelMax", "a level such as err, or its number", "warning", ONE),
    ("LogNamespace", "a name", "web", ONE),
    ("LogsDirectory", DIRECTORIES, "web", LIST),
    ("ManagedOOMMemoryPressure", "auto or kill", "kill", ONE),
    ("ManagedOOMMemoryPressureLimit", "a percentage", "60%", ONE),
    ("ManagedOOMSwap", "auto or kill", "kill", ONE),
    ("MemoryHigh", AMOUNT, "512M", ONE),
    ("MemoryLimit", AMOUNT, "512M", ONE),
    ("MemoryLow", AMOUNT, "512M", ONE),
    ("MemoryMax", AMOUNT, "50%", ONE),
    ("MemoryMin", AMOUNT, "1M", ONE),
    ("MemorySwapMax", AMOUNT, "0", ONE),
    ("MemoryZSwapMax", AMOUNT, "1G", ONE),
    ("MountAPIVFS", "yes or no", "yes", ONE),
    ("MountFlags", "shared, slave or private", "slave", ONE),
    ("MountImagePolicy", IMAGE_POLICY, "root=verity", ONE),
    (
        "MountImages",
        "source:destination, with partitions and options after further colons",
        "/srv/a.raw:/mnt",
        LIST,
    ),
    ("NFTSet", "source:family:table:set", "cgroup:inet:filter:web", LIST),
    ("NUMAMask", "numbers and ranges such as 0-3 7, or all", "0", ONE),
    ("NUMAPolicy", "default, preferred, bind, interleave or local", "bind", ONE),
    ("OnActiveSec", SPAN_LATER, "5min", LIST),
    ("OnBootSec", SPAN_LATER, "5min", LIST),
    ("OnCalendar", "a calendar expression such as Mon..Fri 07:30, systemd.time(7)", "*-*-* 04:00", LIST),
    ("OnStartupSec", SPAN_LATER, "5min", LIST),
    ("OnUnitActiveSec", SPAN_LATER, "1h", LIST),
    ("OnUnitInactiveSec", SPAN_LATER, "1h", LIST),
    ("OpenFile", "path:name:options, of which the path is enough", "/etc/a:a:read-only", LIST),
    ("Options", "options with commas between them", "noexec,nosuid", ONE),
    ("PAMName", "a PAM service", "login", ONE),
    ("PassEnvironment", NAMES, "LANG TZ", LIST),
    ("Personality", "an architecture such as x86", "x86-64", ONE),
    ("RebootArgument", "text", "now", ONE),
    ("RestartForceExitStatus", ENDS, "75 SIGHUP", LIST),
    ("RestartPreventExitStatus", ENDS, "2", LIST),
    (
        "RestrictAddressFamilies",
        "families such as AF_INET, none, or ~ and those that are forbidden",
        "AF_UNIX",
        LIST,
    ),
    (
        "RestrictFileSystems",
        "kinds of file systems, groups such as @network, or ~ and those that are forbidden",
        "ext4",
        LIST,
    ),
    (
        "RestrictNamespaces",
        "yes, no, or kinds of namespaces, after ~ those that are forbidden",
        "~user",
        LIST,
    ),
    ("RestrictNetworkInterfaces", "network interfaces, after ~ those that are forbidden", "eth0", LIST),
    ("RootHash", "an absolute path, or the hash in hexadecimal", "/srv/a.roothash", ONE),
    ("RootHashSignature", "an absolute path, or base64: and the signature", "/srv/a.p7s", ONE),
    ("RootImage", "an absolute path", "/srv/a.raw", ONE),
    ("RootImageOptions", "options with commas between them, after a partition's name and :", "root:ro", ONE),
    ("RootImagePolicy", IMAGE_POLICY, "root=verity", ONE),
    ("RootVerity", "an absolute path", "/srv/a.verity", ONE),
    ("RuntimeDirectory", DIRECTORIES, "web", LIST),
    ("SELinuxContext", "a context, after - where it may be refused", "-system_u:system_r:a_t", ONE),
    ("SecureBits", "names of bits such as noroot", "noroot", LIST),
    ("SetCredential", "name:value", "key:secret", LIST),
    ("SetCredentialEncrypted", "name:value, encrypted and in base64", "key:c2VjcmV0", LIST),
    ("SmackLabel", LABEL, "web", ONE),
    ("SmackLabelIPIn", LABEL, "web", ONE),
    ("SmackLabelIPOut", LABEL, "web", ONE),
    ("SmackProcessLabel", LABEL, "web", ONE),
    ("SocketBindAllow", "family:protocol:ports, of which one is enough, or any", "ipv4:tcp:80-90", LIST),
    ("SocketBindDeny", "family:protocol:ports, of which one is enough, or any", "any", LIST),
    ("SocketGroup", GROUP, "daemon", ONE),
    ("SocketProtocol", "udplite or sctp", "sctp", ONE),
    ("SocketUser", USER, "daemon", ONE),
    (
        "StandardError",
        "inherit, null, tty, journal, kmsg, socket, fd:name, file:path, append:path or truncate:path, some with +console",
        "append:/var/log/a",
        ONE,
    ),
    (
        "StandardInput",
        "null, tty, tty-force, tty-fail, data, file:path, socket or fd:name",
        "file:/etc/a",
        ONE,
    ),
    ("StandardInputData", "base64", "aGVsbG8=", LIST),
    ("StandardInputText", "text with C escapes", "hello", LIST),
    (
        "StandardOutput",
        "inherit, null, tty, journal, kmsg, socket, fd:name, file:path, append:path or truncate:path, some with +console",
        "journal",
        ONE,
    ),
    ("StartupAllowedCPUs", CPUS, "0", LIST),
    ("StartupAllowedMemoryNodes", CPUS, "0", LIST),
    ("StartupBlockIOWeight", "a number from 10 to 1000", "500", ONE),
    ("StartupCPUShares", "a number from 2 to 262144", "1024", ONE),
    ("StartupCPUWeight", "a number from 1 to 10000, or idle", "100", ONE),
    ("StartupIOWeight", WEIGHT, "100", ONE),
    ("StartupMemoryHigh", AMOUNT, "512M", ONE),
    ("StartupMemoryLow", AMOUNT, "512M", ONE),
    ("StartupMemoryMax", AMOUNT, "512M", ONE),
    ("StartupMemorySwapMax", AMOUNT, "512M", ONE),
    ("StartupMemoryZSwapMax", AMOUNT, "512M", ONE),
    ("StateDirectory", DIRECTORIES, "web", LIST),
    ("SuccessExitStatus", ENDS, "TEMPFAIL 250 SIGUSR1", LIST),
    ("SupplementaryGroups", "groups' names or numbers", "adm daemon", LIST),
    ("SyslogFacility", "a facility such as daemon or local3", "local3", ONE),
    ("SyslogIdentifier", "a name", "web", ONE),
    ("SyslogLevel", "a level such as err, or its number", "info", ONE),
    ("SystemCallArchitectures", "architectures such as x86-64, or native", "native", LIST),
    ("SystemCallErrorNumber", "an error such as EPERM, its number, or kill", "EPERM", ONE),
    (
        "SystemCallFilter",
        "names of system calls and groups such as @system-service, each with :error if wanted, after ~ those that are forbidden",
        "@system-service",
        LIST,
    ),
    (
        "SystemCallLog",
        "names of system calls and groups such as @system-service, after ~ those that are not logged",
        "@mount",
        LIST,
    ),
    ("TCPCongestion", "an algorithm such as cubic", "cubic", ONE),
    ("TasksMax", "a number, a percentage of what the machine allows, or infinity", "100", ONE),
    ("Tcp", "a port, or an address and a port", "127.0.0.1:5432", ONE),
    ("TemporaryFileSystem", "paths, with mount options after :", "/var:ro", LIST),
    ("TimerSlackNSec", "a length of time, in nanoseconds where it has no unit", "50us", ONE),
    ("Type", "a kind of file system such as ext4", "ext4", ONE),
    ("UnsetEnvironment", "NAME or NAME=value", "LANG", LIST),
    ("User", USER, "daemon", ONE),
    ("UtmpIdentifier", "four characters at most", "tty1", ONE),
    (
        "What",
        "a path, a device by UUID=, LABEL= and the like, or what the file system takes",
        "UUID=1234-ABCD",
        ONE,
    ),
];

/// What holds where a unit does not say it, and the kind of value does not say it either. Sorted by key.
const DEFAULTS: &[(&str, &str)] = &[
    ("CacheDirectoryMode", "0755"),
    ("CollectMode", "inactive"),
    ("ConfigurationDirectoryMode", "0755"),
    ("DirectoryMode", "0755"),
    ("ExitCodeFrom", "none: the container goes on"),
    ("FailureAction", "none"),
    ("FileDescriptorStoreMax", "0"),
    ("Gate", "none"),
    ("IntervalSec", "30s"),
    ("JobRunningTimeoutSec", "infinity"),
    ("JobTimeoutAction", "none"),
    ("JobTimeoutSec", "infinity"),
    ("KillMode", "control-group"),
    ("KillSignal", "SIGTERM"),
    ("LogsDirectoryMode", "0755"),
    ("NotifyAccess", "none; main with Type=notify, WatchdogSec= or FileDescriptorStoreMax="),
    ("OOMPolicy", "stop; continue with Delegate=yes"),
    ("OnFailureJobMode", "replace"),
    ("OnSuccessJobMode", "fail"),
    ("OnUnhealthy", "none"),
    ("Restart", "no"),
    ("RestartKillSignal", "that of KillSignal="),
    ("RestartMaxDelaySec", "infinity"),
    ("RestartSec", "100ms"),
    ("RestartSteps", "0: every wait is as long as RestartSec="),
    ("Retries", "3"),
    ("RuntimeDirectoryMode", "0755"),
    ("RuntimeDirectoryPreserve", "no"),
    ("RuntimeMaxSec", "infinity"),
    ("SocketMode", "0666"),
    ("StandardError", "inherit"),
    ("StandardInput", "null"),
    ("StandardOutput", "journal; inherit with input from a terminal, socket or descriptor"),
    ("StartLimitAction", "none"),
    ("StartLimitBurst", "5"),
    ("StartLimitIntervalSec", "10s"),
    ("StartPeriodSec", "0"),
    ("StateDirectoryMode", "0755"),
    ("SuccessAction", "none"),
    ("TimeoutAbortSec", "that of TimeoutStopSec="),
    ("TimeoutStartSec", "1min 30s; infinity with Type=oneshot"),
    ("TimeoutStopSec", "1min 30s"),
    ("Type", "simple; dbus with BusName=, oneshot without ExecStart="),
    ("UMask", "0022"),
    ("WatchdogSec", "0, which is off"),
    ("WatchdogSignal", "SIGABRT"),
    ("WorkingDirectory", "/"),
    ("X-RestartResetSec", "infinity: never"),
];

#[derive(Clone, Copy)]
pub(super) struct Shaped {
    pub takes: &'static str,
    pub example: &'static str,
    pub lines: Lines,
}

/// `None` where the kind of value says it all.
pub(super) fn of(row: &Directive) -> Option<Shaped> {
    if !matches!(row.kind, Kind::Text | Kind::Words | Kind::Lines) {
        return None;
    }
    let at = SHAPES.binary_search_by(|(key, ..)| (*key).cmp(row.key)).ok()?;
    SHAPES.get(at).map(|&(_, takes, example, lines)| Shaped { takes, example, lines })
}

pub(super) const fn lines_of(kind: Kind) -> Lines {
    match kind {
        Kind::Paths | Kind::Words | Kind::Lines | Kind::Units | Kind::Commands | Kind::Condition => {
            Lines::Add
        }
        Kind::Boolean
        | Kind::BooleanYes
        | Kind::Span(_)
        | Kind::Timeout(_)
        | Kind::Wait
        | Kind::Unsigned
        | Kind::Count
        | Kind::Integer(_)
        | Kind::Mode
        | Kind::Size
        | Kind::Path
        | Kind::OneOf(_, _)
        | Kind::Word(_)
        | Kind::Text
        | Kind::Signal
        | Kind::Limit
        | Kind::Action => Lines::Replace,
    }
}

pub(super) fn default(row: &Directive) -> Option<&'static str> {
    // A mount's type is no service's.
    let is_other = row.key == "Type" && matches!(row.kind, Kind::Text);
    let said = DEFAULTS.binary_search_by(|(key, _)| (*key).cmp(row.key)).ok();
    if let Some((_, default)) = said.filter(|_| !is_other).and_then(|at| DEFAULTS.get(at)) {
        return Some(default);
    }
    match row.kind {
        Kind::Boolean => Some("no"),
        Kind::BooleanYes => Some("yes"),
        Kind::OneOf(_, words) => words.first().copied(),
        Kind::Span(_)
        | Kind::Timeout(_)
        | Kind::Wait
        | Kind::Unsigned
        | Kind::Count
        | Kind::Integer(_)
        | Kind::Mode
        | Kind::Size
        | Kind::Path
        | Kind::Paths
        | Kind::Word(_)
        | Kind::Text
        | Kind::Words
        | Kind::Lines
        | Kind::Units
        | Kind::Commands
        | Kind::Signal
        | Kind::Limit
        | Kind::Action
        | Kind::Condition => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::directives::all;

    #[test]
    fn tables_are_sorted_and_name_directives() {
        let keys = |keys: Vec<&'static str>| {
            for pair in keys.windows(2) {
                assert!(pair[0] < pair[1], "{} before {}", pair[0], pair[1]);
            }
            for key in keys {
                assert!(all().any(|(_, row)| row.key == key), "{key}");
            }
        };
        keys(SHAPES.iter().map(|(key, ..)| *key).collect());
        keys(DEFAULTS.iter().map(|(key, _)| *key).collect());
    }
}
