//! One table: systemd.exec(5), what is acted on: the environment a process finds.

use super::line::{Style, Want};
use super::streams::{input_data, input_text, standard_error, standard_input, standard_output};
use super::unit::flag;
use super::{Directive, Draft, Kind, Line, Support};
use crate::config::exec::{
    Capabilities, Directories, EnvironmentFile, Failure, Limit, Place, Preserve, Resource, WorkingDirectory,
};
use crate::specifier::Allowed;
use crate::values::Bad;
use crate::values::capability::combine;
use crate::values::limit::{BadLimit, parse_limit};
use crate::values::number;
use crate::values::words::{Escapes, Quotes, Words};

const fn row(
    key: &'static str,
    kind: Kind,
    set: fn(&mut Draft, &mut Line<'_>),
    help: &'static str,
) -> Directive {
    Directive { key, kind, support: Support::Full, set, help }
}

const fn partly(
    key: &'static str,
    kind: Kind,
    missing: &'static str,
    set: fn(&mut Draft, &mut Line<'_>),
    help: &'static str,
) -> Directive {
    Directive { key, kind, support: Support::Partial(missing), set, help }
}

const fn limit(key: &'static str, help: &'static str, set: fn(&mut Draft, &mut Line<'_>)) -> Directive {
    Directive { key, kind: Kind::Limit, support: Support::Full, set, help }
}

#[rustfmt::skip]
pub(super) static TABLE: &[Directive] = &[
    row("AmbientCapabilities", Kind::Words, |d, l| capabilities(&mut d.exec.ambient_capabilities, Capabilities::NONE, l), "capabilities an ordinary user's process gets"),
    row("CacheDirectory", Kind::Words, |d, l| directories(&mut d.exec.cache_directory, Links::Taken, l), "directories made under /var/cache"),
    row("CacheDirectoryMode", Kind::Mode, |d, l| mode(&mut d.exec.cache_directory.mode, l), "permissions of CacheDirectory="),
    row("CapabilityBoundingSet", Kind::Words, |d, l| capabilities(&mut d.exec.capability_bounding_set, Capabilities::ALL, l), "capabilities its processes can ever have"),
    row("ConfigurationDirectory", Kind::Words, |d, l| directories(&mut d.exec.configuration_directory, Links::Refused, l), "directories made under /etc"),
    row("ConfigurationDirectoryMode", Kind::Mode, |d, l| mode(&mut d.exec.configuration_directory.mode, l), "permissions of ConfigurationDirectory="),
    partly("DynamicUser", Kind::Boolean, "the service runs as a user made for it only where one can be made", dynamic_user, "runs as a user that exists as long as it does"),
    row("Environment", Kind::Words, environment, "variables of its environment"),
    row("EnvironmentFile", Kind::Path, environment_file, "files of variables of its environment"),
    row("ExecSearchPath", Kind::Paths, search_path, "where bare program names are looked up"),
    row("Group", Kind::Text, |d, l| if let Some(group) = owner(l) { d.exec.group = group }, "the group it runs as"),
    row("IgnoreSIGPIPE", Kind::BooleanYes, |d, l| flag(&mut d.exec.ignore_sigpipe, l), "starts with SIGPIPE ignored"),
    limit("LimitAS", "how much address space", |d, l| set_limit(d, l, Resource::As)),
    limit("LimitCORE", "how large a core dump", |d, l| set_limit(d, l, Resource::Core)),
    limit("LimitCPU", "how much CPU time", |d, l| set_limit(d, l, Resource::Cpu)),
    limit("LimitDATA", "how large a data segment", |d, l| set_limit(d, l, Resource::Data)),
    limit("LimitFSIZE", "how large a file", |d, l| set_limit(d, l, Resource::Fsize)),
    limit("LimitLOCKS", "how many file locks", |d, l| set_limit(d, l, Resource::Locks)),
    limit("LimitMEMLOCK", "how much locked memory", |d, l| set_limit(d, l, Resource::Memlock)),
    limit("LimitMSGQUEUE", "how much in message queues", |d, l| set_limit(d, l, Resource::Msgqueue)),
    limit("LimitNICE", "how high a priority", |d, l| set_limit(d, l, Resource::Nice)),
    limit("LimitNOFILE", "how many open files", |d, l| set_limit(d, l, Resource::Nofile)),
    limit("LimitNPROC", "how many processes of its user", |d, l| set_limit(d, l, Resource::Nproc)),
    limit("LimitRSS", "how much resident memory", |d, l| set_limit(d, l, Resource::Rss)),
    limit("LimitRTPRIO", "how high a real-time priority", |d, l| set_limit(d, l, Resource::Rtprio)),
    limit("LimitRTTIME", "how long real-time work without a pause", |d, l| set_limit(d, l, Resource::Rttime)),
    limit("LimitSIGPENDING", "how many pending signals", |d, l| set_limit(d, l, Resource::Sigpending)),
    limit("LimitSTACK", "how large a stack", |d, l| set_limit(d, l, Resource::Stack)),
    row("LogsDirectory", Kind::Words, |d, l| directories(&mut d.exec.logs_directory, Links::Taken, l), "directories made under /var/log"),
    row("LogsDirectoryMode", Kind::Mode, |d, l| mode(&mut d.exec.logs_directory.mode, l), "permissions of LogsDirectory="),
    row("Nice", Kind::Integer("value"), nice, "priority from -20 to 19"),
    row("NoNewPrivileges", Kind::Boolean, |d, l| flag(&mut d.exec.no_new_privileges, l), "no program it runs gains privileges"),
    row("OOMScoreAdjust", Kind::Integer("value"), oom_score_adjust, "how soon the kernel kills it for memory, -1000 to 1000"),
    partly("PAMName", Kind::Text, "no PAM session is opened; the user's XDG_RUNTIME_DIR is told", |d, l| if let Some(name) = l.optional_text() { d.exec.pam_name = name }, "the PAM service whose session it runs in"),
    row("PassEnvironment", Kind::Words, pass_environment, "variables taken over from the manager"),
    row("RootDirectory", Kind::Path, root_directory, "the directory it sees as /"),
    row("RuntimeDirectory", Kind::Words, |d, l| directories(&mut d.exec.runtime_directory, Links::Taken, l), "directories made under /run"),
    row("RuntimeDirectoryMode", Kind::Mode, |d, l| mode(&mut d.exec.runtime_directory.mode, l), "permissions of RuntimeDirectory="),
    row("RuntimeDirectoryPreserve", Kind::Word("runtime directory preserve mode"), preserve, "whether RuntimeDirectory= outlives it"),
    row("StandardError", Kind::Text, standard_error, "where its error output goes"),
    row("StandardInput", Kind::Text, standard_input, "where its input comes from"),
    row("StandardInputData", Kind::Text, input_data, "its input, in base64"),
    row("StandardInputText", Kind::Text, input_text, "its input, as text"),
    row("StandardOutput", Kind::Text, standard_output, "where its output goes"),
    row("StateDirectory", Kind::Words, |d, l| directories(&mut d.exec.state_directory, Links::Taken, l), "directories made under /var/lib"),
    row("StateDirectoryMode", Kind::Mode, |d, l| mode(&mut d.exec.state_directory.mode, l), "permissions of StateDirectory="),
    row("SupplementaryGroups", Kind::Words, supplementary_groups, "further groups it belongs to"),
    row("SyslogFacility", Kind::Text, syslog_facility, "the syslog facility of its output"),
    row("SyslogIdentifier", Kind::Text, |d, l| if let Some(name) = l.optional_text() { d.exec.syslog_identifier = name }, "the name before its lines in the log"),
    row("SyslogLevel", Kind::Text, syslog_level, "the syslog level of its output"),
    row("SyslogLevelPrefix", Kind::BooleanYes, |d, l| flag(&mut d.exec.syslog_level_prefix, l), "a <N> before a line sets its level"),
    row("TTYPath", Kind::Path, |d, l| if let Some(path) = l.path() { d.exec.tty_path = path }, "the terminal of StandardInput=tty and its kin"),
    row("TimeoutCleanSec", Kind::Span("sec value"), |d, l| if let Some(span) = l.span("sec value") { d.exec.timeout_clean = span }, "how long systemctl clean may take"),
    row("UMask", Kind::Mode, |d, l| mode(&mut d.exec.umask, l), "the file mode creation mask"),
    row("UnsetEnvironment", Kind::Words, unset_environment, "variables taken out of its environment"),
    row("User", Kind::Text, |d, l| if let Some(user) = owner(l) { d.exec.user = user }, "the user it runs as"),
    row("WorkingDirectory", Kind::Path, working_directory, "the directory it starts in"),
];

fn mode(field: &mut u32, l: &mut Line<'_>) {
    if let Some(mode) = l.mode() {
        *field = mode;
    }
}

fn capabilities(set: &mut Capabilities, untouched: Capabilities, l: &mut Line<'_>) {
    combine(set, untouched, l.value);
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Links {
    /// `name:link` makes a symbolic link.
    Taken,
    Refused,
}

fn directories(field: &mut Directories, links: Links, l: &mut Line<'_>) {
    if l.is_empty() {
        field.names.clear();
        return;
    }
    for word in l.quoted() {
        // Colons in a row are one; what stands behind the second is nothing.
        let mut parts = word.split(':').filter(|part| !part.is_empty());
        let (name, link) = (parts.next().unwrap_or(""), parts.next());
        let Some(name) = relative(name, l) else { continue };
        if link.is_some() && links == Links::Refused {
            l.warn(format!("Destination parameter is not supported for {}, ignoring: {word}", l.key));
            continue;
        }
        let link = match link.map(|link| relative(link, l)) {
            Some(None) => continue,
            Some(Some(link)) => vec![link],
            None => Vec::new(),
        };
        l.push(&mut field.names, (name, link));
    }
    field.names.sort();
}

fn relative(written: &str, l: &mut Line<'_>) -> Option<String> {
    let text = l.expanded_in(Style::Double, written)?;
    let path = l.checked_path(text, Want::Relative)?;
    if path == "private" || path.starts_with("private/") {
        l.warn(format!("{}= path can't be 'private', ignoring assignment: {path}", l.key));
        return None;
    }
    Some(path)
}

fn dynamic_user(d: &mut Draft, l: &mut Line<'_>) {
    match crate::values::boolean(l.value) {
        Some(value) => d.exec.dynamic_user = value,
        None => l.fatal(format!("Failed to parse boolean value: {}", l.value)),
    }
}

/// A user or group: `Some(None)` for an empty value; what is no name ends the unit.
pub(super) fn owner(l: &mut Line<'_>) -> Option<Option<String>> {
    if l.is_empty() {
        return Some(None);
    }
    let name = match crate::specifier::expand(l.value, l.scope, Allowed::All) {
        Ok(name) => name.into_owned(),
        Err(bad) => {
            l.fatal(format!("Failed to resolve unit specifiers in {}: {bad}", l.value));
            return None;
        }
    };
    if !is_owner_name(&name) {
        l.fatal(format!("Invalid user/group name or numeric ID: {name}"));
        return None;
    }
    accept_owner(l, &name);
    if l.key == "User" && name == "nobody" {
        l.note("Special user nobody configured, this is not safe!".into());
    }
    Some(Some(name))
}

/// A name that useradd(8) would not give is taken, and remarked upon.
fn accept_owner(l: &mut Line<'_>, name: &str) {
    const LONGEST: usize = 31;
    let first = |c: char| c.is_ascii_alphabetic() || c == '_';
    let is_strict = name.starts_with(first)
        && name.chars().all(|c| first(c) || c.is_ascii_digit() || c == '-')
        && name.len() <= LONGEST;
    if !is_strict && !name.bytes().all(|byte| byte.is_ascii_digit()) {
        l.note(format!(
            "Accepting user/group name '{name}', which does not match strict user/group name rules."
        ));
    }
}

/// systemd's relaxed rule: a number, or nearly any name that passwd files can hold.
fn is_owner_name(name: &str) -> bool {
    let is_digits = |text: &str| text.bytes().all(|byte| byte.is_ascii_digit());
    if is_digits(name) {
        let is_plain = name == "0" || !name.starts_with('0');
        return is_plain && name.parse::<u32>().is_ok_and(|id| id != u32::MAX && id != 0xffff);
    }
    !(is_digits(name.strip_prefix('-').unwrap_or("-x"))
        || name == "."
        || name == ".."
        || name.contains([':', '/'])
        || name.chars().any(char::is_control)
        || name.starts_with(' ')
        || name.ends_with(' '))
}

fn supplementary_groups(d: &mut Draft, l: &mut Line<'_>) {
    if l.is_empty() {
        d.exec.supplementary_groups.clear();
    }
    // Quotes are part of a name.
    for written in Words::new(l.value, Quotes::Kept, Escapes::Literal).map_while(Result::ok) {
        let name = match crate::specifier::expand(&written.text, l.scope, Allowed::All) {
            Ok(name) => name.into_owned(),
            Err(bad) => {
                return l.fatal(format!("Failed to resolve unit specifiers in {}: {bad}", written.text));
            }
        };
        if !is_owner_name(&name) {
            return l.fatal(format!("Invalid user/group name or numeric ID: {name}"));
        }
        accept_owner(l, &name);
        l.push(&mut d.exec.supplementary_groups, name);
    }
}

fn is_variable_name(name: &str) -> bool {
    let mut bytes = name.bytes();
    bytes.next().is_some_and(|first| first.is_ascii_alphabetic() || first == b'_')
        && bytes.all(|byte| byte.is_ascii_alphanumeric() || byte == b'_')
}

fn is_assignment(text: &str) -> bool {
    let is_value = |value: &str| !value.chars().any(|c| c.is_ascii_control() && c != '\t' && c != '\n');
    text.split_once('=').is_some_and(|(name, value)| is_variable_name(name) && is_value(value))
}

fn environment(d: &mut Draft, l: &mut Line<'_>) {
    assignments(&mut d.exec.environment, l);
}

/// `NAME=VALUE` …, each line adding to the list.
pub(crate) fn assignments(list: &mut Vec<String>, l: &mut Line<'_>) {
    if l.is_empty() {
        list.clear();
        return;
    }
    for written in l.quoted() {
        let Some(assignment) = l.expanded_in(Style::Plain, &written) else { continue };
        if !is_assignment(&assignment) {
            l.warn(format!("Invalid environment assignment, ignoring: {assignment}"));
            continue;
        }
        l.push(list, assignment);
    }
}

fn environment_file(d: &mut Draft, l: &mut Line<'_>) {
    if l.is_empty() {
        d.exec.environment_files.clear();
        return;
    }
    let Some(text) = l.text() else { return };
    let (path, missing) = match text.strip_prefix('-') {
        Some(path) => (path.to_owned(), Failure::Ignored),
        None => (text, Failure::Counts),
    };
    if let Some(path) = l.checked_path(path, Want::Absolute) {
        l.push(&mut d.exec.environment_files, EnvironmentFile { path, missing });
    }
}

fn pass_environment(d: &mut Draft, l: &mut Line<'_>) {
    variable_names(&mut d.exec.pass_environment, l, is_variable_name);
}

fn unset_environment(d: &mut Draft, l: &mut Line<'_>) {
    variable_names(&mut d.exec.unset_environment, l, |text| is_variable_name(text) || is_assignment(text));
}

fn variable_names(list: &mut Vec<String>, l: &mut Line<'_>, is_right: fn(&str) -> bool) {
    if l.is_empty() {
        list.clear();
    }
    let passes = l.key == "PassEnvironment";
    for written in if passes { l.literal() } else { l.quoted() } {
        let style = if passes { Style::Plain } else { Style::Bare };
        let Some(name) = l.expanded_in(style, &written) else { continue };
        if !is_right(&name) {
            let or_assignment = if passes { "" } else { " or assignment" };
            let of = if passes { " for" } else { "" };
            l.warn(format!("Invalid environment name{or_assignment}{of} {}, ignoring: {name}", l.key));
        } else {
            l.push(list, name);
        }
    }
}

/// Each character behind a backslash is taken as it is.
fn without_backslashes(text: &str) -> String {
    let mut chars = text.chars();
    std::iter::from_fn(|| chars.next().map(|c| if c == '\\' { chars.next() } else { Some(c) }))
        .flatten()
        .collect()
}

fn search_path(d: &mut Draft, l: &mut Line<'_>) {
    if l.is_empty() {
        d.exec.search_path.clear();
    }
    for written in l.value.split(':').filter(|part| !part.is_empty()) {
        let Some(text) = l.expanded(&without_backslashes(written), Allowed::All) else { continue };
        let Some(path) = l.checked_path(text, Want::Absolute) else { return };
        l.push(&mut d.exec.search_path, path);
    }
}

fn set_limit(d: &mut Draft, l: &mut Line<'_>, resource: Resource) {
    one_limit(&mut d.exec.limits, l, resource);
}

/// A limit into a list that is sorted by resource.
pub(crate) fn one_limit(limits: &mut Vec<(Resource, Limit)>, l: &mut Line<'_>, resource: Resource) {
    match parse_limit(resource, l.value) {
        Ok(limit) => match limits.binary_search_by_key(&resource, |(resource, _)| *resource) {
            Ok(at) => limits[at].1 = limit,
            Err(at) => limits.insert(at, (resource, limit)),
        },
        Err(BadLimit::Value) => l.unparsed("resource value"),
        Err(BadLimit::SoftAboveHard) => {
            l.warn(format!("Soft resource limit chosen higher than hard limit, ignoring: {}", l.value));
        }
    }
}

fn nice(d: &mut Draft, l: &mut Line<'_>) {
    if l.is_empty() {
        d.exec.nice = None;
        return;
    }
    match number::integer(l.value) {
        Ok(level @ -20..=19) => d.exec.nice = i8::try_from(level).ok(),
        Ok(_) | Err(Bad::Range) => l.warn(format!("Nice priority out of range, ignoring: {}", l.value)),
        Err(bad) => l.warn(format!("Failed to parse nice priority '{}', ignoring: {bad}", l.value)),
    }
}

fn oom_score_adjust(d: &mut Draft, l: &mut Line<'_>) {
    score(&mut d.exec.oom_score_adjust, l);
}

pub(crate) fn score(field: &mut Option<i16>, l: &mut Line<'_>) {
    if l.is_empty() {
        *field = None;
        return;
    }
    match number::integer(l.value) {
        Ok(score @ -1000..=1000) => *field = i16::try_from(score).ok(),
        Ok(_) | Err(Bad::Range) => {
            l.warn(format!("OOM score adjust value out of range, ignoring: {}", l.value))
        }
        Err(bad) => {
            l.warn(format!("Failed to parse the OOM score adjust value '{}', ignoring: {bad}", l.value))
        }
    }
}

fn preserve(d: &mut Draft, l: &mut Line<'_>) {
    let kept = match crate::values::boolean(l.value) {
        Some(true) => Some(Preserve::Yes),
        Some(false) => Some(Preserve::No),
        None => l.word(&[("restart", Preserve::Restart)]),
    };
    if let Some(kept) = kept {
        d.exec.runtime_directory_preserve = kept;
    }
}

fn root_directory(d: &mut Draft, l: &mut Line<'_>) {
    if let Some(path) = l.required_path() {
        d.exec.root_directory = path.filter(|path| path != "/");
    }
}

fn working_directory(d: &mut Draft, l: &mut Line<'_>) {
    let (value, missing) = match l.value.strip_prefix('-') {
        Some(rest) => (rest, Failure::Ignored),
        None => (l.value, Failure::Counts),
    };
    let place = match value {
        "" => Place::Unset,
        "~" => Place::Home,
        written => {
            let text = match (crate::specifier::expand(written, l.scope, Allowed::All), missing) {
                (Ok(text), _) => text,
                (Err(bad), Failure::Counts) => {
                    let what = "Failed to resolve unit specifiers in working directory path";
                    return l.fatal(format!("{what} '{written}': {bad}"));
                }
                (Err(bad), Failure::Ignored) => {
                    let what = "Failed to resolve unit specifiers in working directory path";
                    return l.warn(format!("{what} '{written}', ignoring: {bad}"));
                }
            };
            match (l.judge_path(&text, Want::Absolute), missing) {
                (Ok(path), _) => Place::Path(path),
                (Err(complaint), Failure::Ignored) => {
                    return l.warn(complaint.replacen('@', ", ignoring", 1));
                }
                (Err(complaint), Failure::Counts) => return l.fatal(complaint.replacen('@', "", 1)),
            }
        }
    };
    let missing = if place == Place::Unset { Failure::Counts } else { missing };
    d.exec.working_directory = WorkingDirectory { place, missing };
}

/// syslog(3)'s words, by number.
pub const LEVELS: [&str; 8] = ["emerg", "alert", "crit", "err", "warning", "notice", "info", "debug"];
const FACILITIES: [&str; 24] = [
    "kern", "user", "mail", "daemon", "auth", "syslog", "lpr", "news", "uucp", "cron", "authpriv", "ftp",
    "12", "13", "14", "15", "local0", "local1", "local2", "local3", "local4", "local5", "local6", "local7",
];

pub(crate) fn numbered(words: &[&str], text: &str) -> Option<u8> {
    let at = words.iter().position(|word| *word == text).or_else(|| text.parse().ok())?;
    u8::try_from(at).ok().filter(|at| usize::from(*at) < words.len())
}

fn syslog_level(d: &mut Draft, l: &mut Line<'_>) {
    match numbered(&LEVELS, l.value) {
        Some(level) => d.exec.syslog_level = level,
        None => l.unparsed("log level"),
    }
}

fn syslog_facility(d: &mut Draft, l: &mut Line<'_>) {
    // The kernel has room for more of them than there are names.
    const MOST: u8 = 127;
    let numbered =
        numbered(&FACILITIES, l.value).or_else(|| l.value.parse().ok().filter(|number| *number <= MOST));
    match numbered {
        Some(facility) => d.exec.syslog_facility = facility,
        None => l.unparsed("log facility"),
    }
}
