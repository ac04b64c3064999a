//! Properties as `systemctl show` prints them, those that the text of a unit decides.

use eudaemon_unit::config::exec::*;
use eudaemon_unit::config::service::*;
use eudaemon_unit::config::socket::{Listen, netlink_text};
use eudaemon_unit::config::*;
use eudaemon_unit::values::address::format_address;
use eudaemon_unit::values::signal::signal_name;
use eudaemon_unit::values::{capability, format_timespan};
use std::collections::BTreeMap;

pub fn load_state(config: &Config) -> &'static str {
    match &config.load {
        LoadState::Loaded => "loaded",
        LoadState::NotFound => "not-found",
        LoadState::BadSetting(_) => "bad-setting",
        LoadState::Inconsistent(_) | LoadState::Unreadable(_) => "error",
        LoadState::Masked => "masked",
    }
}

pub fn commands(list: &[ExecCommand]) -> Vec<String> {
    let ignored = |failure: Failure| if failure == Failure::Ignored { "yes" } else { "no" };
    list.iter()
        .map(|c| {
            format!(
                "{{ path={} ; argv[]={} ; ignore_errors={}}}",
                c.path,
                c.argv.join(" "),
                ignored(c.failure)
            )
        })
        .collect()
}

pub fn service(config: &Config) -> &Service {
    match &config.body {
        Body::Service(service) => service,
        other => panic!("no service: {other:?}"),
    }
}

pub fn service_type(kind: ServiceType) -> &'static str {
    match kind {
        ServiceType::Simple => "simple",
        ServiceType::Exec => "exec",
        ServiceType::Forking => "forking",
        ServiceType::Oneshot => "oneshot",
        ServiceType::Dbus => "dbus",
        ServiceType::Notify => "notify",
        ServiceType::NotifyReload => "notify-reload",
        ServiceType::Idle => "idle",
    }
}

/// Names of one dependency word, sorted.
pub fn depends(config: &Config, word: Dependency) -> String {
    let names = config.unit.dependencies.iter().filter(|edge| edge.0 == word);
    let mut names: Vec<String> = names.map(|edge| edge.1.to_string()).collect();
    names.sort();
    list(&names)
}

/// A list of strings, each quoted where `show` would.
pub fn list<'a>(items: impl IntoIterator<Item = &'a String>) -> String {
    items.into_iter().map(|item| quoted(item)).collect::<Vec<_>>().join(" ")
}

fn quoted(item: &str) -> String {
    let special = |c: char| c.is_whitespace() || "\"\\`$*?['()<>|&;!#~".contains(c) || c.is_control();
    if !item.is_empty() && !item.chars().any(special) {
        return item.to_owned();
    }
    let escaped: String = item
        .chars()
        .map(|c| match c {
            '"' | '\\' | '`' | '$' => format!("\\{c}"),
            '\t' => "\\t".to_owned(),
            other => other.to_string(),
        })
        .collect();
    format!("\"{escaped}\"")
}

pub type Shown = BTreeMap<String, String>;

fn yes(value: bool) -> String {
    if value { "yes".into() } else { "no".into() }
}

fn words<T: std::fmt::Debug>(value: T) -> String {
    let mut out = String::new();
    for (at, c) in format!("{value:?}").chars().enumerate() {
        if c.is_ascii_uppercase() && at > 0 {
            out.push('-');
        }
        out.extend(c.to_lowercase());
    }
    out
}

fn count(value: u64) -> String {
    if value == u64::MAX { "infinity".into() } else { value.to_string() }
}

/// Everything the text of a unit decides, in the words of `systemctl show`.
pub fn shown(config: &Config) -> Shown {
    let mut out = Shown::new();
    unit(config, &mut out);
    match &config.body {
        Body::Service(service) => {
            of_service(service, &mut out);
            of_exec(&service.exec, &mut out);
            of_kill(&service.kill, &mut out);
        }
        Body::Socket(socket) => {
            of_socket(socket, &mut out);
            of_exec(&socket.exec, &mut out);
            of_kill(&socket.kill, &mut out);
        }
        Body::Mount(mount) => {
            out.insert("Options".into(), mount.options.clone());
            out.insert("Type".into(), mount.kind.clone());
        }
        _ => {}
    }
    kept(config, &mut out);
    out
}

fn unit(config: &Config, out: &mut Shown) {
    let u = &config.unit;
    let mut put = |key: &str, value: String| drop(out.insert(key.to_owned(), value));
    put("LoadState", load_state(config).into());
    let description = if u.description.is_empty() { config.name.to_string() } else { u.description.clone() };
    put("Description", description);
    put("Documentation", list(&u.documentation));
    put("SourcePath", config.source.clone().unwrap_or_default());
    for (key, word) in [
        ("Requisite", Dependency::Requisite),
        ("BindsTo", Dependency::BindsTo),
        ("Upholds", Dependency::Upholds),
        ("PartOf", Dependency::PartOf),
        ("OnSuccess", Dependency::OnSuccess),
        ("OnFailure", Dependency::OnFailure),
        ("PropagatesReloadTo", Dependency::PropagatesReloadTo),
        ("ReloadPropagatedFrom", Dependency::ReloadPropagatedFrom),
        ("PropagatesStopTo", Dependency::PropagatesStopTo),
        ("StopPropagatedFrom", Dependency::StopPropagatedFrom),
        ("JoinsNamespaceOf", Dependency::JoinsNamespaceOf),
    ] {
        put(key, depends(config, word));
    }
    for (key, value) in [
        ("RefuseManualStart", u.refuse_manual_start),
        ("RefuseManualStop", u.refuse_manual_stop),
        ("AllowIsolate", u.allow_isolate),
        ("DefaultDependencies", u.default_dependencies),
        ("IgnoreOnIsolate", u.ignore_on_isolate),
        ("StopWhenUnneeded", u.stop_when_unneeded),
    ] {
        put(key, yes(value));
    }
    put("OnFailureJobMode", words(u.on_failure_job_mode));
    put("OnSuccessJobMode", words(u.on_success_job_mode));
    put("JobTimeoutUSec", format_timespan(u.job_timeout));
    put("JobRunningTimeoutUSec", format_timespan(u.job_running_timeout));
    put("StartLimitIntervalUSec", format_timespan(u.start_limit_interval));
    put("StartLimitBurst", u.start_limit_burst.to_string());
    for (key, action) in [
        ("StartLimitAction", u.start_limit_action),
        ("FailureAction", u.failure_action),
        ("SuccessAction", u.success_action),
        ("JobTimeoutAction", u.job_timeout_action),
    ] {
        put(key, words(action).replace("power-off", "poweroff"));
    }
    let status = |status: Option<u8>| status.map_or("-1".to_owned(), |status| status.to_string());
    put("FailureActionExitStatus", status(u.failure_action_exit_status));
    put("SuccessActionExitStatus", status(u.success_action_exit_status));
    put("CollectMode", words(u.collect_mode));
}

fn of_service(s: &Service, out: &mut Shown) {
    let mut put = |key: &str, value: String| drop(out.insert(key.to_owned(), value));
    put("Type", service_type(s.kind).into());
    put("ExitType", words(s.exit_type));
    for (key, value) in [
        ("RemainAfterExit", s.remain_after_exit),
        ("GuessMainPID", s.guess_main_pid),
        ("NonBlocking", s.non_blocking),
        ("RootDirectoryStartOnly", s.root_directory_start_only),
    ] {
        put(key, yes(value));
    }
    put("PIDFile", s.pid_file.clone().unwrap_or_default());
    put("BusName", s.bus_name.clone().unwrap_or_default());
    put("TimeoutStartUSec", format_timespan(s.timeout_start));
    put("TimeoutStopUSec", format_timespan(s.timeout_stop));
    put("TimeoutAbortUSec", format_timespan(s.timeout_abort.unwrap_or(s.timeout_stop)));
    put("RestartUSec", format_timespan(s.restart_sec));
    put("RuntimeMaxUSec", format_timespan(s.runtime_max));
    put("Restart", words(s.restart));
    put("NotifyAccess", words(s.notify_access));
    put("TimeoutStartFailureMode", words(s.timeout_start_failure_mode));
    put("TimeoutStopFailureMode", words(s.timeout_stop_failure_mode));
    put("OOMPolicy", words(s.oom_policy));
    put("FileDescriptorStoreMax", s.fd_store_max.to_string());
    for (key, statuses) in [
        ("RestartPreventExitStatus", &s.restart_prevent_exit_status),
        ("RestartForceExitStatus", &s.restart_force_exit_status),
        ("SuccessExitStatus", &s.success_exit_status),
    ] {
        let codes = statuses.codes.iter().map(u8::to_string);
        let signals = statuses.signals.iter().map(|signal| signal_name(*signal));
        put(key, codes.chain(signals).collect::<Vec<_>>().join(" "));
    }
    for (key, list) in [
        ("ExecStart", &s.commands.start),
        ("ExecReload", &s.commands.reload),
        ("ExecStartPre", &s.commands.start_pre),
        ("ExecStop", &s.commands.stop),
    ] {
        put(key, commands(list).join("\n"));
    }
}

fn of_exec(e: &Exec, out: &mut Shown) {
    let mut put = |key: &str, value: String| drop(out.insert(key.to_owned(), value));
    put("User", e.user.clone().unwrap_or_default());
    put("Group", e.group.clone().unwrap_or_default());
    put("SupplementaryGroups", list(&e.supplementary_groups));
    put("Environment", list(&e.environment));
    let ignored = |failure: Failure| if failure == Failure::Ignored { "yes" } else { "no" };
    let files = e.environment_files.iter();
    let files = files.map(|file| format!("{} (ignore_errors={})", file.path, ignored(file.missing)));
    put("EnvironmentFiles", files.collect::<Vec<_>>().join("\n"));
    put("PassEnvironment", list(&e.pass_environment));
    put("UnsetEnvironment", list(&e.unset_environment));
    put("UMask", format!("{:04o}", e.umask));
    put("Nice", e.nice.unwrap_or(0).to_string());
    put("OOMScoreAdjust", e.oom_score_adjust.unwrap_or(0).to_string());
    for (resource, limit) in &e.limits {
        let name = format!("{resource:?}").to_uppercase();
        if limit.hard == u64::MAX && limit.soft == u64::MAX {
            continue;
        }
        put(&format!("Limit{name}"), count(limit.hard));
        put(&format!("Limit{name}Soft"), count(limit.soft));
    }
    for (key, stream) in [
        ("StandardInput", &e.standard_input),
        ("StandardOutput", &e.standard_output),
        ("StandardError", &e.standard_error),
    ] {
        put(key, stdio(stream).into());
        if let Stdio::NamedFd(name) = stream {
            put(&format!("{key}FileDescriptorName"), name.clone());
        }
    }
    put("StandardInputData", base64(&e.standard_input_text));
    put("TTYPath", e.tty_path.clone().unwrap_or_default());
    put("SyslogIdentifier", e.syslog_identifier.clone().unwrap_or_default());
    put("SyslogFacility", e.syslog_facility.to_string());
    put("SyslogLevel", e.syslog_level.to_string());
    put("SyslogPriority", (u32::from(e.syslog_facility) << 3 | u32::from(e.syslog_level)).to_string());
    put("SyslogLevelPrefix", yes(e.syslog_level_prefix));
    for (key, directories) in [
        ("RuntimeDirectory", &e.runtime_directory),
        ("StateDirectory", &e.state_directory),
        ("CacheDirectory", &e.cache_directory),
        ("LogsDirectory", &e.logs_directory),
        ("ConfigurationDirectory", &e.configuration_directory),
    ] {
        let mut names: Vec<&String> = directories.names.iter().map(|(name, _)| name).collect();
        names.sort();
        put(key, list(names));
        let links = directories
            .names
            .iter()
            .flat_map(|(name, links)| links.iter().map(move |l| format!("{name}:{l}")));
        let mut links: Vec<String> = links.collect();
        links.sort();
        put(&format!("{key}Symlink"), links.join("\n"));
        put(&format!("{key}Mode"), format!("{:04o}", directories.mode));
    }
    put("CapabilityBoundingSet", capability::names(e.capability_bounding_set).collect::<Vec<_>>().join(" "));
    put("AmbientCapabilities", capability::names(e.ambient_capabilities).collect::<Vec<_>>().join(" "));
    put("NoNewPrivileges", yes(e.no_new_privileges));
    put("IgnoreSIGPIPE", yes(e.ignore_sigpipe));
    put("ExecSearchPath", list(&e.search_path));
    put("PAMName", e.pam_name.clone().unwrap_or_default());
    put("RuntimeDirectoryPreserve", words(e.runtime_directory_preserve));
    put("Delegate", yes(e.delegate));
    let working = match (&e.working_directory.place, e.working_directory.missing) {
        (Place::Unset, _) => String::new(),
        (Place::Home, Failure::Ignored) => "!~".into(),
        (Place::Home, Failure::Counts) => "~".into(),
        (Place::Path(path), Failure::Ignored) => format!("!{path}"),
        (Place::Path(path), Failure::Counts) => path.clone(),
    };
    put("WorkingDirectory", working);
}

fn stdio(stream: &Stdio) -> &'static str {
    match stream {
        Stdio::Inherit => "inherit",
        Stdio::Null => "null",
        Stdio::Tty => "tty",
        Stdio::TtyForce => "tty-force",
        Stdio::TtyFail => "tty-fail",
        Stdio::Journal => "journal",
        Stdio::JournalConsole => "journal+console",
        Stdio::Kmsg => "kmsg",
        Stdio::KmsgConsole => "kmsg+console",
        Stdio::Socket => "socket",
        Stdio::NamedFd(_) => "fd",
        Stdio::File(_) => "file",
        Stdio::Append(_) => "append",
        Stdio::Truncate(_) => "truncate",
        Stdio::Text => "data",
    }
}

fn base64(bytes: &[u8]) -> String {
    const DIGITS: &[u8] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let group = |chunk: &[u8]| {
        let bits =
            chunk.iter().fold(0u32, |bits, byte| bits << 8 | u32::from(*byte)) << (8 * (3 - chunk.len()));
        let digits = (0..4).map(|at| char::from(DIGITS[(bits >> (18 - 6 * at) & 63) as usize]));
        let used = chunk.len() + 1;
        digits.take(used).chain(std::iter::repeat_n('=', 4 - used)).collect::<String>()
    };
    bytes.chunks(3).map(group).collect()
}

fn of_kill(k: &Kill, out: &mut Shown) {
    let mut put = |key: &str, value: String| drop(out.insert(key.to_owned(), value));
    put("KillMode", words(k.mode));
    put("KillSignal", k.signal.to_string());
    put("RestartKillSignal", k.restart_signal.unwrap_or(k.signal).to_string());
    put("FinalKillSignal", k.final_signal.to_string());
    put("WatchdogSignal", k.watchdog_signal.to_string());
    put("SendSIGHUP", yes(k.send_sighup));
    put("SendSIGKILL", yes(k.send_sigkill));
}

fn of_socket(s: &Socket, out: &mut Shown) {
    let mut put = |key: &str, value: String| drop(out.insert(key.to_owned(), value));
    let listen = s.listen.iter().map(|listen| match listen {
        Listen::Stream(at) => format!("{} (Stream)", format_address(at)),
        Listen::Datagram(at) => format!("{} (Datagram)", format_address(at)),
        Listen::SequentialPacket(at) => format!("{} (SequentialPacket)", format_address(at)),
        Listen::Fifo(path) => format!("{path} (FIFO)"),
        Listen::Netlink { protocol, group } => format!("{} (Netlink)", netlink_text(*protocol, *group)),
        Listen::Other { key, value } => format!("{value} ({})", key.trim_start_matches("Listen")),
    });
    put("Listen", listen.collect::<Vec<_>>().join("\n"));
    for (key, value) in [
        ("KeepAlive", s.keep_alive),
        ("NoDelay", s.no_delay),
        ("ReusePort", s.reuse_port),
        ("Transparent", s.transparent),
        ("PassCredentials", s.pass_credentials),
        ("PassSecurity", s.pass_security),
        ("PassPacketInfo", s.pass_packet_info),
    ] {
        put(key, yes(value));
    }
    put("BindIPv6Only", words(s.bind_ipv6_only).replace("ipv6only", "ipv6-only"));
    put("Backlog", s.backlog.to_string());
    put("SocketMode", format!("{:04o}", s.socket_mode));
    put("DirectoryMode", format!("{:04o}", s.directory_mode));
    put("MaxConnections", s.max_connections.to_string());
    put("SendBuffer", s.send_buffer.unwrap_or(0).to_string());
    put("ReceiveBuffer", s.receive_buffer.unwrap_or(0).to_string());
    put("TimeoutUSec", format_timespan(s.timeout));
    put("FileDescriptorName", s.file_descriptor_name.clone().unwrap_or_default());
    put("ExecStartPre", commands(&s.start_pre).join("\n"));
}

/// What is kept as text goes by the name of its property, which for times ends in `USec`.
fn kept(config: &Config, out: &mut Shown) {
    let mut lists: BTreeMap<String, Vec<String>> = BTreeMap::new();
    let (mut times, mut calendars, mut paths) = (Vec::new(), Vec::new(), Vec::new());
    for kept in &config.kept {
        let property = kept.key.replace("Sec", "USec");
        match kept.section.as_str() {
            "Timer" if kept.key.starts_with("On") && kept.key.ends_with("Sec") => {
                times.insert(0, format!("{{ {property}={} ; next_elapse=* }}", kept.value));
                continue;
            }
            "Timer" if kept.key == "OnCalendar" => {
                calendars.insert(0, format!("{{ OnCalendar={} ; next_elapse=* }}", kept.value));
                continue;
            }
            "Path" if kept.value.starts_with('/') => {
                paths.insert(0, format!("{} ({})", kept.value, kept.key));
                continue;
            }
            _ => {}
        }
        let key = match kept.key.as_str() {
            "ReadWriteDirectories" => "ReadWritePaths".to_owned(),
            "CPUQuota" => "CPUQuotaPerSecUSec".to_owned(),
            "TimerSlackNSec" => "TimerSlackNSec".to_owned(),
            "Delegate" => "DelegateControllers".to_owned(),
            key => key.strip_suffix("Sec").map_or(key.to_owned(), |stem| format!("{stem}USec")),
        };
        lists.entry(key).or_default().push(kept.value.clone());
    }
    out.insert("TimersMonotonic".into(), times.join("\n"));
    out.insert("TimersCalendar".into(), calendars.join("\n"));
    out.insert("Paths".into(), paths.join("\n"));
    for (key, mut values) in lists {
        if ["DelegateControllers", "DisableControllers", "IPAddressAllow"].contains(&key.as_str()) {
            values.sort();
        }
        let lines = key.starts_with("IO") || key == "Paths" || key.starts_with("BindPaths");
        let text = if lines {
            values.join("\n")
        } else {
            values.iter().map(|v| spaced(v)).collect::<Vec<_>>().join(" ")
        };
        out.insert(key, text);
    }
}

/// Lists of paths quote what holds a blank.
fn spaced(value: &str) -> String {
    if value.starts_with('/') && value.contains(' ') && !value.contains(':') && !value.starts_with("/dev/") {
        return format!("\"{value}\"");
    }
    value.to_owned()
}
