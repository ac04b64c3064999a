//! org.freedesktop.systemd1.Manager: its methods and signals, in real systemd's order.

use super::{
    Method, Served, Signal, anyone, dump, environment, files, jobs, listing, owner, privileged, unit,
    unserved,
};
use crate::call::{Outcome, Peer};
use crate::fault::Fault;

pub const MANAGER: &[Method] = &[
    anyone("GetUnit", &[("name", "s")], &[("unit", "o")], listing::get_unit),
    anyone("GetUnitByPID", &[("pid", "u")], &[("unit", "o")], listing::get_unit_by_pid),
    anyone(
        "GetUnitByInvocationID",
        &[("invocation_id", "ay")],
        &[("unit", "o")],
        listing::get_unit_by_invocation,
    ),
    anyone("GetUnitByControlGroup", &[("cgroup", "s")], &[("unit", "o")], listing::get_unit_by_cgroup),
    anyone("LoadUnit", &[("name", "s")], &[("unit", "o")], listing::load_unit),
    owner("StartUnit", &[("name", "s"), ("mode", "s")], &[("job", "o")], jobs::start),
    owner(
        "StartUnitWithFlags",
        &[("name", "s"), ("mode", "s"), ("flags", "t")],
        &[("job", "o")],
        jobs::start_with_flags,
    ),
    owner(
        "StartUnitReplace",
        &[("old_unit", "s"), ("new_unit", "s"), ("mode", "s")],
        &[("job", "o")],
        unserved::start_instead,
    ),
    owner("StopUnit", &[("name", "s"), ("mode", "s")], &[("job", "o")], jobs::stop),
    owner("ReloadUnit", &[("name", "s"), ("mode", "s")], &[("job", "o")], jobs::reload),
    owner("RestartUnit", &[("name", "s"), ("mode", "s")], &[("job", "o")], jobs::restart),
    owner("TryRestartUnit", &[("name", "s"), ("mode", "s")], &[("job", "o")], jobs::try_restart),
    owner("ReloadOrRestartUnit", &[("name", "s"), ("mode", "s")], &[("job", "o")], jobs::reload_or_restart),
    owner(
        "ReloadOrTryRestartUnit",
        &[("name", "s"), ("mode", "s")],
        &[("job", "o")],
        jobs::reload_or_try_restart,
    ),
    owner(
        "EnqueueUnitJob",
        &[("name", "s"), ("job_type", "s"), ("job_mode", "s")],
        &[
            ("job_id", "u"),
            ("job_path", "o"),
            ("unit_id", "s"),
            ("unit_path", "o"),
            ("job_type", "s"),
            ("affected_jobs", "a(uosos)"),
        ],
        jobs::enqueue,
    ),
    owner("KillUnit", &[("name", "s"), ("whom", "s"), ("signal", "i")], &[], jobs::kill),
    owner("CleanUnit", &[("name", "s"), ("mask", "as")], &[], jobs::clean),
    owner("FreezeUnit", &[("name", "s")], &[], jobs::freeze),
    owner("ThawUnit", &[("name", "s")], &[], jobs::thaw),
    owner("ResetFailedUnit", &[("name", "s")], &[], jobs::reset_failed_unit),
    owner(
        "SetUnitProperties",
        &[("name", "s"), ("runtime", "b"), ("properties", "a(sv)")],
        &[],
        unit::set_properties,
    ),
    owner(
        "BindMountUnit",
        &[("name", "s"), ("source", "s"), ("destination", "s"), ("read_only", "b"), ("mkdir", "b")],
        &[],
        unserved::bind_mount,
    ),
    owner(
        "MountImageUnit",
        &[
            ("name", "s"),
            ("source", "s"),
            ("destination", "s"),
            ("read_only", "b"),
            ("mkdir", "b"),
            ("options", "a(ss)"),
        ],
        &[],
        unserved::mount_image,
    ),
    anyone("RefUnit", &[("name", "s")], &[], unit::hold),
    anyone("UnrefUnit", &[("name", "s")], &[], unit::release),
    owner(
        "StartTransientUnit",
        &[("name", "s"), ("mode", "s"), ("properties", "a(sv)"), ("aux", "a(sa(sv))")],
        &[("job", "o")],
        unserved::start_transient,
    ),
    anyone("GetUnitProcesses", &[("name", "s")], &[("processes", "a(sus)")], listing::processes),
    owner(
        "AttachProcessesToUnit",
        &[("unit_name", "s"), ("subcgroup", "s"), ("pids", "au")],
        &[],
        unserved::attach,
    ),
    owner("AbandonScope", &[("name", "s")], &[], unserved::abandon),
    anyone("GetJob", &[("id", "u")], &[("job", "o")], listing::get_job),
    anyone("GetJobAfter", &[("id", "u")], &[("jobs", "a(usssoo)")], unserved::job_order),
    anyone("GetJobBefore", &[("id", "u")], &[("jobs", "a(usssoo)")], unserved::job_order),
    owner("CancelJob", &[("id", "u")], &[], jobs::cancel_job),
    owner("ClearJobs", &[], &[], jobs::clear_jobs),
    owner("ResetFailed", &[], &[], jobs::reset_failed),
    owner("SetShowStatus", &[("mode", "s")], &[], environment::set_show_status),
    anyone("ListUnits", &[], &[("units", "a(ssssssouso)")], listing::list_units),
    anyone(
        "ListUnitsFiltered",
        &[("states", "as")],
        &[("units", "a(ssssssouso)")],
        listing::list_units_filtered,
    ),
    anyone(
        "ListUnitsByPatterns",
        &[("states", "as"), ("patterns", "as")],
        &[("units", "a(ssssssouso)")],
        listing::list_units_by_patterns,
    ),
    anyone(
        "ListUnitsByNames",
        &[("names", "as")],
        &[("units", "a(ssssssouso)")],
        listing::list_units_by_names,
    ),
    anyone("ListJobs", &[], &[("jobs", "a(usssoo)")], listing::list_jobs),
    anyone("Subscribe", &[], &[], subscribe),
    anyone("Unsubscribe", &[], &[], unsubscribe),
    anyone("Dump", &[], &[("output", "s")], dump::dump),
    anyone("DumpUnitsMatchingPatterns", &[("patterns", "as")], &[("output", "s")], dump::dump_matching),
    anyone("DumpByFileDescriptor", &[], &[("fd", "h")], dump::dump_into),
    anyone(
        "DumpUnitsMatchingPatternsByFileDescriptor",
        &[("patterns", "as")],
        &[("fd", "h")],
        dump::dump_matching_into,
    ),
    owner("Reload", &[], &[], jobs::daemon_reload),
    owner("Reexecute", &[], &[], jobs::daemon_reexec),
    privileged("Exit", &[], &[], jobs::exit),
    privileged("Reboot", &[], &[], jobs::reboot),
    privileged("PowerOff", &[], &[], jobs::power_off),
    privileged("Halt", &[], &[], jobs::halt),
    privileged("KExec", &[], &[], jobs::kexec),
    privileged("SwitchRoot", &[("new_root", "s"), ("init", "s")], &[], unserved::unsupported),
    owner("SetEnvironment", &[("assignments", "as")], &[], environment::set),
    owner("UnsetEnvironment", &[("names", "as")], &[], environment::unset),
    owner(
        "UnsetAndSetEnvironment",
        &[("names", "as"), ("assignments", "as")],
        &[],
        environment::unset_and_set,
    ),
    owner("EnqueueMarkedJobs", &[], &[("jobs", "ao")], listing::no_marked_jobs),
    anyone("ListUnitFiles", &[], &[("unit_files", "a(ss)")], files::list),
    anyone(
        "ListUnitFilesByPatterns",
        &[("states", "as"), ("patterns", "as")],
        &[("unit_files", "a(ss)")],
        files::list_by_patterns,
    ),
    anyone("GetUnitFileState", &[("file", "s")], &[("state", "s")], files::state),
    owner(
        "EnableUnitFiles",
        &[("files", "as"), ("runtime", "b"), ("force", "b")],
        &[("carries_install_info", "b"), ("changes", "a(sss)")],
        files::enable,
    ),
    owner("DisableUnitFiles", &[("files", "as"), ("runtime", "b")], &[("changes", "a(sss)")], files::disable),
    owner(
        "EnableUnitFilesWithFlags",
        &[("files", "as"), ("flags", "t")],
        &[("carries_install_info", "b"), ("changes", "a(sss)")],
        files::enable_with_flags,
    ),
    owner(
        "DisableUnitFilesWithFlags",
        &[("files", "as"), ("flags", "t")],
        &[("changes", "a(sss)")],
        files::disable_with_flags,
    ),
    owner(
        "ReenableUnitFiles",
        &[("files", "as"), ("runtime", "b"), ("force", "b")],
        &[("carries_install_info", "b"), ("changes", "a(sss)")],
        files::reenable,
    ),
    owner(
        "LinkUnitFiles",
        &[("files", "as"), ("runtime", "b"), ("force", "b")],
        &[("changes", "a(sss)")],
        files::link,
    ),
    owner(
        "PresetUnitFiles",
        &[("files", "as"), ("runtime", "b"), ("force", "b")],
        &[("carries_install_info", "b"), ("changes", "a(sss)")],
        files::preset,
    ),
    owner(
        "PresetUnitFilesWithMode",
        &[("files", "as"), ("mode", "s"), ("runtime", "b"), ("force", "b")],
        &[("carries_install_info", "b"), ("changes", "a(sss)")],
        files::preset_with_mode,
    ),
    owner(
        "MaskUnitFiles",
        &[("files", "as"), ("runtime", "b"), ("force", "b")],
        &[("changes", "a(sss)")],
        files::mask,
    ),
    owner("UnmaskUnitFiles", &[("files", "as"), ("runtime", "b")], &[("changes", "a(sss)")], files::unmask),
    owner("RevertUnitFiles", &[("files", "as")], &[("changes", "a(sss)")], files::revert),
    owner("SetDefaultTarget", &[("name", "s"), ("force", "b")], &[("changes", "a(sss)")], files::set_default),
    anyone("GetDefaultTarget", &[], &[("name", "s")], files::get_default),
    owner(
        "PresetAllUnitFiles",
        &[("mode", "s"), ("runtime", "b"), ("force", "b")],
        &[("changes", "a(sss)")],
        files::preset_all,
    ),
    owner(
        "AddDependencyUnitFiles",
        &[("files", "as"), ("target", "s"), ("type", "s"), ("runtime", "b"), ("force", "b")],
        &[("changes", "a(sss)")],
        files::add_dependency,
    ),
    anyone("GetUnitFileLinks", &[("name", "s"), ("runtime", "b")], &[("links", "as")], files::links),
    owner("SetExitCode", &[("number", "y")], &[], jobs::set_exit_code),
    anyone("LookupDynamicUserByName", &[("name", "s")], &[("uid", "u")], unserved::dynamic_user_by_name),
    anyone("LookupDynamicUserByUID", &[("uid", "u")], &[("name", "s")], unserved::dynamic_user_by_uid),
    anyone("GetDynamicUsers", &[], &[("users", "a(us)")], listing::no_dynamic_users),
];

pub const MANAGER_SIGNALS: &[Signal] = &[
    Signal { name: "UnitNew", gives: &[("id", "s"), ("unit", "o")] },
    Signal { name: "UnitRemoved", gives: &[("id", "s"), ("unit", "o")] },
    Signal { name: "JobNew", gives: &[("id", "u"), ("job", "o"), ("unit", "s")] },
    Signal { name: "JobRemoved", gives: &[("id", "u"), ("job", "o"), ("unit", "s"), ("result", "s")] },
    Signal {
        name: "StartupFinished",
        gives: &[
            ("firmware", "t"),
            ("loader", "t"),
            ("kernel", "t"),
            ("initrd", "t"),
            ("userspace", "t"),
            ("total", "t"),
        ],
    },
    Signal { name: "UnitFilesChanged", gives: &[] },
    Signal { name: "Reloading", gives: &[("active", "b")] },
];

/// Signals come to a private connection anyway; on the bus, only to it if somebody asked.
fn subscribe(served: &mut Served<'_>) -> Result<Outcome, Fault> {
    match &served.call.peer {
        Peer::Private(_) => {}
        Peer::Bus(name) => served.clients.subscribe(name)?,
    }
    served.done()
}

fn unsubscribe(served: &mut Served<'_>) -> Result<Outcome, Fault> {
    match &served.call.peer {
        Peer::Private(_) => {}
        Peer::Bus(name) => served.clients.unsubscribe(name)?,
    }
    served.done()
}
