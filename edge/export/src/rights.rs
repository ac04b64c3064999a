//! Who a unit's service is, what it may do and what it finds around it.

use crate::commands::is_variable;
use crate::rest::{behaviour, note, protection};
use eudaemon_kit::service::{
    Capabilities, Directory, EnvironmentFile, Environs, Limit, Loss, Missing, NewRights, Output, Refusal,
    Rights,
};
use eudaemon_kit::{DIRECTORY_KINDS, DirectoryKind, Mode};
use eudaemon_unit::config::exec::{self, Directories, Exec, Failure, Place, Resource, Stdio};
use eudaemon_unit::values::capability;

/// The rights; root is who changes nothing.
pub fn rights(exec: &Exec, stem: &str, unsaid: &mut Vec<Loss>) -> Rights {
    let is_root = |name: &&String| name.as_str() == "root" || name.as_str() == "0" || name.is_empty();
    let mut user = exec.user.as_ref().filter(|name| !is_root(name)).cloned();
    if exec.dynamic_user {
        let name = user.get_or_insert_with(|| stem.to_owned());
        let why = format!("the user {name} must be there: useradd --system {name}");
        unsaid.push(behaviour("DynamicUser=yes", why));
        // systemd.exec(5): what comes with it.
        let with =
            "ProtectSystem=strict, ProtectHome=read-only, PrivateTmp=yes, RemoveIPC=yes (by DynamicUser=yes)";
        unsaid.push(protection(with, "no other manager has it"));
    }
    let names = |set: exec::Capabilities| {
        let names = capability::names(set).map(|name| name.trim_start_matches("cap_").to_owned());
        Capabilities(names.collect())
    };
    let bounding = exec.capability_bounding_set;
    // Who is root has root's group anyway.
    let is_other = |name: &&String| !is_root(name) || (user.is_some() && !name.is_empty());
    Rights {
        group: exec.group.as_ref().filter(is_other).cloned(),
        user,
        groups: exec.supplementary_groups.clone(),
        bounding: (bounding != exec::Capabilities::ALL).then(|| names(bounding)),
        ambient: names(exec.ambient_capabilities),
        new: if exec.no_new_privileges { NewRights::Refused } else { NewRights::Allowed },
        root_directory: exec.root_directory.clone().filter(|root| root != "/"),
    }
}

/// Variables, limits, directories and output.
pub fn environs(exec: &Exec, rights: &Rights, unsaid: &mut Vec<Loss>) -> Result<Environs, Refusal> {
    streams(exec, unsaid)?;
    let mut variables: Vec<(String, String)> = Vec::new();
    for one in &exec.environment {
        let (name, value) = one.split_once('=').unwrap_or((one, ""));
        if is_variable(name) {
            variables.push((name.to_owned(), value.to_owned()));
        } else {
            unsaid.push(behaviour(format!("Environment={name}"), "no shell has a variable of that name"));
        }
    }
    let files = exec.environment_files.iter().map(|file| EnvironmentFile {
        path: file.path.clone(),
        missing: match file.missing {
            Failure::Counts => Missing::Fails,
            Failure::Ignored => Missing::IsPassedOver,
        },
    });
    for name in &exec.pass_environment {
        unsaid.push(note(format!("PassEnvironment={name}"), "it is passed if the manager has it"));
    }
    let limits = exec.limits.iter().map(|(resource, limit)| {
        let value = |number: u64| (number != u64::MAX).then_some(number);
        Limit { resource: resource_word(*resource), soft: value(limit.soft), hard: value(limit.hard) }
    });
    Ok(Environs {
        variables,
        files: files.collect(),
        unset: exec.unset_environment.iter().filter(|name| is_variable(name)).cloned().collect(),
        directory: directory(exec, unsaid),
        umask: Some(Mode::from_raw_mode(exec.umask)),
        limits: limits.collect(),
        nice: exec.nice,
        oom_score: exec.oom_score_adjust,
        directories: directories(exec, rights, unsaid),
        output: output(exec, unsaid),
    })
}

fn directory(exec: &Exec, unsaid: &mut Vec<Loss>) -> Option<String> {
    match &exec.working_directory.place {
        Place::Unset => None,
        Place::Home => {
            unsaid.push(behaviour("WorkingDirectory=~", "it begins in /: homes are not looked up here"));
            None
        }
        Place::Path(path) => {
            if exec.working_directory.missing == Failure::Ignored {
                unsaid.push(behaviour(format!("WorkingDirectory=-{path}"), "without it the start fails"));
            }
            Some(path.clone())
        }
    }
}

/// What stands in for a terminal or a connection is nobody's to give.
fn streams(exec: &Exec, unsaid: &mut Vec<Loss>) -> Result<(), Refusal> {
    let refuse = |value: &str, why: &str| {
        Err(Refusal { directive: format!("StandardInput={value}"), why: why.to_owned() })
    };
    match &exec.standard_input {
        Stdio::Tty | Stdio::TtyForce | Stdio::TtyFail => {
            refuse("tty", "no other manager gives it a terminal")
        }
        Stdio::Socket | Stdio::NamedFd(_) => {
            refuse("socket", "it serves a connection that no other manager gives it: use inetd")
        }
        Stdio::Text | Stdio::File(_) | Stdio::Append(_) | Stdio::Truncate(_) => {
            unsaid.push(behaviour("StandardInput=", "it reads /dev/null instead"));
            Ok(())
        }
        Stdio::Inherit
        | Stdio::Null
        | Stdio::Journal
        | Stdio::JournalConsole
        | Stdio::Kmsg
        | Stdio::KmsgConsole => Ok(()),
    }
}

fn output(exec: &Exec, unsaid: &mut Vec<Loss>) -> Output {
    let of = |stream: &Stdio| match stream {
        Stdio::Null => Some(Output::Nowhere),
        Stdio::File(path) | Stdio::Append(path) | Stdio::Truncate(path) => Some(Output::File(path.clone())),
        Stdio::Journal
        | Stdio::JournalConsole
        | Stdio::Kmsg
        | Stdio::KmsgConsole
        | Stdio::Tty
        | Stdio::TtyForce
        | Stdio::TtyFail
        | Stdio::Socket
        | Stdio::NamedFd(_)
        | Stdio::Text => Some(Output::Log),
        Stdio::Inherit => None,
    };
    unsaid.extend(stream_lost("StandardOutput", &exec.standard_output));
    unsaid.extend(stream_lost("StandardError", &exec.standard_error));
    let stdout = of(&exec.standard_output).unwrap_or(Output::Nowhere);
    match of(&exec.standard_error) {
        Some(stderr) if stderr != stdout => {
            let kept = if stdout == Output::Nowhere { stderr } else { stdout };
            unsaid.push(note("StandardError=", "goes where StandardOutput= goes"));
            kept
        }
        Some(_) | None => stdout,
    }
}

/// What of a stream goes elsewhere.
fn stream_lost(key: &str, stream: &Stdio) -> Option<Loss> {
    let (value, why) = match stream {
        Stdio::Tty | Stdio::TtyForce | Stdio::TtyFail => {
            ("tty".to_owned(), "it goes to the log: there is no terminal")
        }
        Stdio::Socket => ("socket".to_owned(), "it goes to the log"),
        Stdio::NamedFd(name) => (format!("fd:{name}"), "it goes to the log"),
        Stdio::JournalConsole => ("journal+console".to_owned(), "it does not go to the console"),
        Stdio::KmsgConsole => ("kmsg+console".to_owned(), "it does not go to the console"),
        Stdio::Kmsg => ("kmsg".to_owned(), "it goes to the log"),
        Stdio::File(path) => (format!("file:{path}"), "lines are added to the file"),
        Stdio::Truncate(path) => (format!("truncate:{path}"), "lines are added to the file"),
        Stdio::Inherit | Stdio::Null | Stdio::Journal | Stdio::Append(_) | Stdio::Text => return None,
    };
    Some(behaviour(format!("{key}={value}"), why))
}

/// The directories of a unit, by their kinds.
pub fn directory_kinds(exec: &Exec) -> impl Iterator<Item = (DirectoryKind, &Directories)> {
    // As `DIRECTORY_KINDS` has them; a test compares.
    let of_unit = [
        &exec.state_directory,
        &exec.runtime_directory,
        &exec.cache_directory,
        &exec.logs_directory,
        &exec.configuration_directory,
    ];
    DIRECTORY_KINDS.into_iter().zip(of_unit)
}

fn directories(exec: &Exec, rights: &Rights, unsaid: &mut Vec<Loss>) -> Vec<Directory> {
    let mut all = Vec::new();
    for (DirectoryKind { variable, directive, below }, directories) in directory_kinds(exec) {
        for (name, links) in &directories.names {
            if !links.is_empty() {
                unsaid.push(behaviour(
                    format!("{directive}={name}:{}", links.join(":")),
                    "the links are not made",
                ));
            }
            let owner = rights.user.clone().filter(|_| variable != "CONFIGURATION_DIRECTORY");
            all.push(Directory {
                path: format!("{below}/{name}"),
                mode: Mode::from_raw_mode(directories.mode),
                owner,
                variable,
            });
        }
    }
    all
}

/// As prlimit(1) names it.
const fn resource_word(resource: Resource) -> &'static str {
    match resource {
        Resource::Cpu => "cpu",
        Resource::Fsize => "fsize",
        Resource::Data => "data",
        Resource::Stack => "stack",
        Resource::Core => "core",
        Resource::Rss => "rss",
        Resource::Nofile => "nofile",
        Resource::As => "as",
        Resource::Nproc => "nproc",
        Resource::Memlock => "memlock",
        Resource::Locks => "locks",
        Resource::Sigpending => "sigpending",
        Resource::Msgqueue => "msgqueue",
        Resource::Nice => "nice",
        Resource::Rtprio => "rtprio",
        Resource::Rttime => "rttime",
    }
}
