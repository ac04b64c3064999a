//! `exit-status`, `capability` and `syscall-filter`: what names in unit files stand for.

use crate::Options;
use crate::times::Judge;
use eudaemon_unit::values::{capability, exit_status, syscalls};
use std::process::ExitCode;

/// What each group of system calls is for.
const PURPOSES: &[(&str, &str)] = &[
    ("@default", "System calls that are always permitted"),
    ("@aio", "Asynchronous IO"),
    ("@basic-io", "Basic IO"),
    ("@chown", "Change ownership of files and directories"),
    ("@clock", "Change the system time"),
    ("@cpu-emulation", "System calls for CPU emulation functionality"),
    ("@debug", "Debugging, performance monitoring and tracing functionality"),
    ("@file-system", "File system operations"),
    ("@io-event", "Event loop system calls"),
    ("@ipc", "SysV IPC, POSIX Message Queues or other IPC"),
    ("@keyring", "Kernel keyring access"),
    ("@memlock", "Memory locking control"),
    ("@module", "Loading and unloading of kernel modules"),
    ("@mount", "Mounting and unmounting of file systems"),
    ("@network-io", "Network or Unix socket IO, should not be needed if not network facing"),
    ("@obsolete", "Unusual, obsolete or unimplemented system calls"),
    ("@pkey", "System calls used for memory protection keys"),
    ("@privileged", "All system calls which need super-user capabilities"),
    ("@process", "Process control, execution, namespacing operations"),
    ("@raw-io", "Raw I/O port access"),
    ("@reboot", "Reboot and reboot preparation/kexec"),
    ("@resources", "Alter resource settings"),
    ("@setuid", "Operations for changing user/group credentials"),
    ("@signal", "Process signal handling"),
    ("@swap", "Enable/disable swap devices"),
    ("@sync", "Synchronize files and memory to storage"),
    ("@system-service", "General system service operations"),
    ("@timer", "Schedule operations by time"),
    ("@known", "All known syscalls declared in the kernel"),
];

/// Calls that systemd lists in a group although libseccomp 2.5 has no number for them, so that no filter takes them.
const UNRESOLVED: &[(&str, &str)] = &[
    ("@default", "riscv_hwprobe uretprobe"),
    ("@debug", "sys_debug_setcontext"),
    (
        "@known",
        "arc_gettls arc_settls arc_usr_cmpxchg atomic_barrier atomic_cmpxchg_32 dipc exec_with_loader execv \
        getdomainname getdtablesize gethostname getpagesize getxgid getxpid getxuid kern_features \
        memory_ordering old_adjtimex oldumount or1k_atomic osf_fstat osf_fstatfs osf_fstatfs64 \
        osf_getdirentries osf_getdomainname osf_getitimer osf_getrusage osf_getsysinfo osf_gettimeofday \
        osf_lstat osf_mount osf_proplist_syscall osf_select osf_set_program_attributes osf_setitimer \
        osf_setsysinfo osf_settimeofday osf_shmat osf_sigprocmask osf_sigstack osf_stat osf_statfs \
        osf_statfs64 osf_swapon osf_syscall osf_sysinfo osf_usleep_thread osf_utimes osf_utsname osf_wait4 \
        perfctr riscv_hwprobe sched_get_affinity sched_set_affinity sethae setpgrp sys_debug_setcontext \
        utrap_install",
    ),
];

pub fn exit_status(_: &Options, words: &[String], _: &Judge) -> ExitCode {
    let row = |status: u8| {
        let name = exit_status::exit_status_name(status).unwrap_or("-");
        [name.to_owned(), status.to_string(), class(status).to_owned()]
    };
    let mut rows = Vec::new();
    for word in words {
        match exit_status::parse_exit_status(word) {
            Some(status) => rows.push(row(status)),
            None => return refuse(&format!("Invalid exit status \"{word}\".")),
        }
    }
    if words.is_empty() {
        rows.extend((0..=u8::MAX).filter(|status| exit_status::exit_status_name(*status).is_some()).map(row));
    }
    let width = |column: usize, head: &str| {
        rows.iter().map(|row: &[String; 3]| row[column].len()).chain([head.len()]).max().unwrap_or(0)
    };
    let (name, status) = (width(0, "NAME"), width(1, "STATUS"));
    outln!("{:name$} {:>status$} CLASS", "NAME", "STATUS");
    rows.iter().for_each(|[a, b, c]| outln!("{a:name$} {b:>status$} {c}"));
    ExitCode::SUCCESS
}

/// Who gave a status its meaning: systemd.exec(5), "Process Exit Codes".
fn class(status: u8) -> &'static str {
    match status {
        _ if exit_status::exit_status_name(status).is_none() => "-",
        0 | 1 => "libc",
        2..=7 => "LSB",
        64..=78 => "BSD",
        _ => "systemd",
    }
}

pub fn capability(_: &Options, words: &[String], _: &Judge) -> ExitCode {
    let mut numbers = Vec::new();
    for word in words {
        let number = capability::capability(word).map(|number| number as usize);
        match number.filter(|number| *number < capability::NAMES.len()) {
            Some(number) => numbers.push(number),
            None => return refuse(&format!("Capability \"{word}\" not known.")),
        }
    }
    if words.is_empty() {
        numbers.extend(0..capability::NAMES.len());
    }
    let names = numbers.iter().map(|number| capability::NAMES[*number]);
    let width = names.map(str::len).chain(["NAME".len()]).max().unwrap_or(0);
    outln!("{:width$} NUMBER", "NAME");
    numbers.iter().for_each(|number| outln!("{:width$} {number:>6}", capability::NAMES[*number]));
    ExitCode::SUCCESS
}

pub fn syscall_filter(_: &Options, words: &[String], _: &Judge) -> ExitCode {
    if words.is_empty() {
        return all_groups();
    }
    for (at, word) in words.iter().enumerate() {
        let Some((name, purpose)) = PURPOSES.iter().find(|(name, _)| name == word) else {
            return refuse(&format!("Filter set \"{word}\" not found."));
        };
        if at > 0 {
            outln!();
        }
        group(name, purpose);
    }
    ExitCode::SUCCESS
}

fn all_groups() -> ExitCode {
    for (at, (name, purpose)) in PURPOSES.iter().enumerate() {
        if at > 0 {
            outln!();
        }
        group(name, purpose);
    }
    ExitCode::SUCCESS
}

fn group(name: &str, purpose: &str) {
    outln!("{name}\n    # {purpose}");
    let unresolved = UNRESOLVED.iter().find(|(group, _)| *group == name).map_or("", |(_, calls)| calls);
    let mut members = syscalls::members_of(name);
    members.extend(unresolved.split_ascii_whitespace());
    members.sort_unstable();
    members.iter().for_each(|member| outln!("    {member}"));
}

fn refuse(text: &str) -> ExitCode {
    eprintln!("{text}");
    ExitCode::FAILURE
}
