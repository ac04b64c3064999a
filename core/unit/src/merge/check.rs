//! What systemd checks once a unit is whole: settings that are missing, or that exclude each other.

use crate::config::KillMode;
use crate::config::service::{ExitType, Restart, ServiceType};
use crate::config::socket::{Accept, Address, Listen};
use crate::config::unit::EmergencyAction;
use crate::diagnostic::{Diagnostic, Report, Severity};
use crate::directives::{Draft, PATHS, TIMES};
use crate::escape::{name_of_path, unescape_path};
use crate::name::{UnitKind, UnitName};
use crate::specifier::path_of;
use crate::values::mounts;

/// An error is the reason why the unit has a bad setting.
pub(super) fn verify(draft: &Draft, name: &UnitName, diagnostics: &mut Report) -> Result<(), &'static str> {
    let is_kept = |keys: &[&str]| keys.iter().any(|key| draft.kept.has(key));
    match name.kind() {
        UnitKind::Service => {
            service(draft)?;
            pam(
                draft,
                "Service has PAM enabled. Kill mode must be set to 'control-group' or 'mixed'. Refusing.",
            )?;
            service_remarks(draft, name, diagnostics);
            Ok(())
        }
        UnitKind::Socket => {
            socket(draft)?;
            pam(draft, "Unit has PAM enabled. Kill mode must be set to 'control-group'. Refusing.")?;
            linked_once(draft)
        }
        UnitKind::Timer if !is_kept(TIMES) && !is_kept(CHANGES) => {
            Err("Timer unit lacks value setting. Refusing.")
        }
        UnitKind::Path if !is_kept(PATHS) => Err("Path unit lacks path setting. Refusing."),
        UnitKind::Mount if !stands_for(name, &draft.mount.place) => Err(ELSEWHERE),
        UnitKind::Mount if mounts::is_api(&path_of(name)) => {
            Err("Cannot create mount unit for an API file system. Refusing.")
        }
        UnitKind::Mount if draft.mount.what.is_empty() => Err("What= setting is missing. Refusing."),
        UnitKind::Mount if is_left_to_pam(draft) => {
            Err("Unit has PAM enabled. Kill mode must be set to control-group'. Refusing.")
        }
        UnitKind::Automount if !all_stand_for(name, draft, "Where") => Err(ELSEWHERE),
        UnitKind::Swap if !all_stand_for(name, draft, "What") => {
            Err("Value of What= and unit name do not match, not loading.")
        }
        UnitKind::Swap if is_left_to_pam(draft) => {
            Err("Unit has PAM enabled. Kill mode must be set to 'control-group'. Refusing to load.")
        }
        UnitKind::Timer
        | UnitKind::Path
        | UnitKind::Mount
        | UnitKind::Swap
        | UnitKind::Target
        | UnitKind::Device
        | UnitKind::Automount
        | UnitKind::Slice
        | UnitKind::Scope => Ok(()),
    }
}

fn all_stand_for(name: &UnitName, draft: &Draft, key: &str) -> bool {
    let mut said = draft.kept.values(key).peekable();
    match said.peek() {
        Some(_) => said.all(|path| stands_for(name, path)),
        None => stands_for(name, &path_of(name)),
    }
}

/// A path has but one name, so that there is no template of it, and no other way to write it. Of a path that is no text
/// the name alone tells.
fn stands_for(name: &UnitName, path: &str) -> bool {
    let is_named = |path: &[u8]| name_of_path(path, name.kind()).as_ref() == Some(name);
    let own = || unescape_path(name.stem().as_bytes()).is_some_and(|own| is_named(&own));
    is_named(path.as_bytes()) || path == path_of(name) && own()
}

const ELSEWHERE: &str = "Where= setting doesn't match unit name. Refusing.";
const CHANGES: &[&str] = &["OnClockChange", "OnTimezoneChange"];

fn service(draft: &Draft) -> Result<(), &'static str> {
    let service = &draft.service;
    let (start, stop) = (&service.commands.start, &service.commands.stop);
    let ends_machine = draft.unit.success_action != EmergencyAction::None;
    let oneshot = service.kind == ServiceType::Oneshot;
    let forced = &service.restart_force_exit_status;
    let refuse_if = |wrong: bool, text| if wrong { Err(text) } else { Ok(()) };
    refuse_if(
        start.is_empty() && stop.is_empty() && !ends_machine,
        "Service has no ExecStart=, ExecStop=, or SuccessAction=. Refusing.",
    )?;
    refuse_if(
        !oneshot && start.is_empty(),
        "Service has no ExecStart= setting, which is only allowed for Type=oneshot services. Refusing.",
    )?;
    refuse_if(
        !service.remain_after_exit && start.is_empty() && !ends_machine,
        "Service has no ExecStart= and no SuccessAction= settings and does not have RemainAfterExit=yes set. Refusing.",
    )?;
    refuse_if(
        !oneshot && start.len() > 1,
        "Service has more than one ExecStart= setting, which is only allowed for Type=oneshot services. Refusing.",
    )?;
    refuse_if(
        oneshot && (service.restart == Restart::Always || service.restart == Restart::OnSuccess),
        "Service has Restart= set to either always or on-success, which isn't allowed for Type=oneshot services. Refusing.",
    )?;
    refuse_if(
        oneshot && (!forced.codes.is_empty() || !forced.signals.is_empty()),
        "Service has RestartForceExitStatus= set, which isn't allowed for Type=oneshot services. Refusing.",
    )?;
    refuse_if(
        oneshot && service.exit_type == ExitType::Cgroup,
        "Service has ExitType=cgroup set, which isn't allowed for Type=oneshot services. Refusing.",
    )?;
    refuse_if(
        service.kind == ServiceType::Dbus && service.bus_name.is_none(),
        "Service is of type D-Bus but no D-Bus service name has been specified. Refusing.",
    )
}

/// A PAM session ends only when the processes that hold it do.
fn pam(draft: &Draft, text: &'static str) -> Result<(), &'static str> {
    match draft.kill.mode {
        KillMode::ControlGroup | KillMode::Mixed => Ok(()),
        KillMode::Process | KillMode::None if draft.exec.pam_name.is_some() => Err(text),
        KillMode::Process | KillMode::None => Ok(()),
    }
}

/// As `pam`, of units that have no main process which a kill could be told from the others by.
fn is_left_to_pam(draft: &Draft) -> bool {
    draft.exec.pam_name.is_some() && draft.kill.mode != KillMode::ControlGroup
}

/// Settings that do nothing together.
fn service_remarks(draft: &Draft, name: &UnitName, diagnostics: &mut Report) {
    let service = &draft.service;
    let is_kept = |key: &str| draft.kept.has(key);
    let mut note = |text: &str| diagnostics.push(Diagnostic::of_unit(name.as_str(), Severity::Note, text));
    if is_kept("USBFunctionDescriptors") && !is_kept("USBFunctionStrings") {
        note("Service has USBFunctionDescriptors= setting, but no USBFunctionStrings=. Ignoring.");
    }
    if !is_kept("USBFunctionDescriptors") && is_kept("USBFunctionStrings") {
        note("Service has USBFunctionStrings= setting, but no USBFunctionDescriptors=. Ignoring.");
    }
    let (steps, longest) = (service.restart_steps, service.restart_max_delay);
    if steps > 0 && longest.is_infinite() {
        note("RestartSteps= does nothing without RestartMaxDelaySec=");
    } else if steps == 0 && !longest.is_infinite() {
        note("RestartMaxDelaySec= does nothing without RestartSteps=");
    }
    if longest < service.restart_sec {
        note("RestartMaxDelaySec= is shorter than RestartSec=, and holds from the first restart on");
    }
    if service.kind == ServiceType::Oneshot && !service.runtime_max.is_infinite() {
        note("RuntimeMaxSec= has no effect in combination with Type=oneshot. Ignoring.");
    }
    let delay_grows = service.restart_steps > 0 && !service.restart_max_delay.is_infinite();
    if !service.restart_reset.is_infinite() && !delay_grows {
        note(
            "Service has X-RestartResetSec= setting, but no RestartSteps= and RestartMaxDelaySec=. Ignoring.",
        );
    }
    if let Some(health) = &service.health {
        if health.check(0).is_none() {
            note(
                "Service has [X-Health], but no Tcp=, Http= or Exec= in it that counts: it is not asked, and no gate waits.",
            );
        } else if service.kind == ServiceType::Oneshot {
            note("[X-Health] has no effect in combination with Type=oneshot. Ignoring.");
        }
    }
    let extra = draft.kept.values("RuntimeRandomizedExtraSec").any(|value| value != "0");
    if extra && service.runtime_max.is_infinite() {
        note("Service has RuntimeRandomizedExtraSec= setting, but no RuntimeMaxSec=. Ignoring.");
    }
}

fn socket(draft: &Draft) -> Result<(), &'static str> {
    let socket = &draft.socket;
    if socket.listen.is_empty() {
        return Err(
            "Unit has no Listen setting (ListenStream=, ListenDatagram=, ListenFIFO=, ...). Refusing.",
        );
    }
    if socket.accept == Accept::No {
        return Ok(());
    }
    let accepts = |listen: &Listen| match listen {
        Listen::Stream(_) | Listen::SequentialPacket(_) => true,
        Listen::Datagram(_) | Listen::Fifo(_) | Listen::Netlink { .. } | Listen::Other { .. } => false,
    };
    if !socket.listen.iter().all(accepts) {
        return Err("Unit configured for accepting sockets, but sockets are non-accepting. Refusing.");
    }
    if socket.max_connections == 0 {
        return Err("MaxConnection= setting too small with Accept=yes. Refusing.");
    }
    if socket.service.is_some() {
        return Err("Explicit service configuration for accepting socket units not supported. Refusing.");
    }
    Ok(())
}

/// What `Symlinks=` makes leads to the one place in the file system that is listened on.
fn linked_once(draft: &Draft) -> Result<(), &'static str> {
    let is_place = |listen: &&Listen| match listen {
        Listen::Stream(Address::Unix(_))
        | Listen::Datagram(Address::Unix(_))
        | Listen::SequentialPacket(Address::Unix(_))
        | Listen::Fifo(_) => true,
        Listen::Stream(_) | Listen::Datagram(_) | Listen::SequentialPacket(_) => false,
        Listen::Netlink { .. } | Listen::Other { .. } => false,
    };
    let places = draft.socket.listen.iter().filter(is_place).count();
    match draft.socket.symlinks.is_empty() || places == 1 {
        true => Ok(()),
        false => Err("Unit has symlinks set but none or more than one node in the file system. Refusing."),
    }
}

#[cfg(test)]
mod tests {
    use super::stands_for;
    use crate::config::{Bad, LoadState};
    use crate::files::{Found, Fragment};
    use crate::merge::{Source, merge};
    use crate::name::UnitName;
    use crate::specifier::{Context, path_of};

    /// As systemd-analyze(1) judges them.
    #[test]
    fn settings_that_exclude_each_other() {
        let check = |name: &str, text: &str, is_well: bool| {
            let name = UnitName::parse(name).unwrap();
            let (aliases, dropins, dependencies) = (Vec::new(), Vec::new(), Vec::new());
            let fragment = Fragment::File("f".into());
            let found = Found { name: name.clone(), aliases, fragment, dropins, dependencies };
            let source = Source { path: "f", text: text.as_bytes() };
            let load = merge(&name, &[source], &found, &Context::default()).config.load;
            let wanted = if is_well { LoadState::Loaded } else { LoadState::BadSetting(Bad::Whole) };
            assert_eq!(load, wanted, "{name} {text}");
        };
        for (listen, is_well) in [
            ("ListenStream=80", false),
            ("ListenStream=@f", false),
            ("ListenFIFO=/srv/x\nListenFIFO=/srv/y", false),
            ("ListenSpecial=/dev/x", false),
            ("ListenStream=/run/f\nListenStream=80", true),
            ("ListenSpecial=/dev/x\nListenDatagram=/x", true),
        ] {
            check("a.socket", &format!("[Socket]\n{listen}\nSymlinks=/run/a"), is_well);
            check("a.socket", &format!("[Socket]\n{listen}"), true);
        }
        for (mode, is_well) in
            [("control-group", true), ("mixed", false), ("process", false), ("none", false)]
        {
            let rest = format!("What=/a\nPAMName=x\nKillMode={mode}");
            check("a.mount", &format!("[Mount]\n{rest}"), is_well);
            check("a.swap", &format!("[Swap]\n{rest}"), is_well);
        }
    }

    /// As systemd-analyze(1) judges them, with `Where=` and without.
    #[test]
    fn names_of_places() {
        for (name, said, fits) in [
            ("mnt-t.mount", Some("/mnt/t"), true),
            ("mnt-t.mount", None, true),
            ("mnt-t.mount", Some("/mnt/u"), false),
            ("-.mount", Some("/"), true),
            ("mnt-t@x.mount", Some("/mnt/t@x"), false),
            ("mnt-t@x.mount", None, false),
            ("mnt-t@.mount", None, false),
            ("mnt-t@x.automount", Some("/mnt/t@x"), false),
            ("mnt-t@x.swap", None, false),
            (r"mnt-t\x40x.mount", Some("/mnt/t@x"), true),
            (r"mnt-t\x40x.mount", None, true),
            (r"mnt-a\x62.mount", Some("/mnt/ab"), false),
            (r"mnt-a\x62.mount", None, false),
            (r"mnt-\x2e\x2e.mount", None, false),
            ("mnt--d.mount", None, false),
            ("-mnt.mount", None, false),
            ("mnt-h.x.mount", None, true),
            (r"mnt-g\xff.mount", None, true),
        ] {
            let unit = UnitName::parse(name).unwrap();
            let path = said.map_or_else(|| path_of(&unit), str::to_owned);
            assert_eq!(stands_for(&unit, &path), fits, "{name} {said:?}");
        }
        let long = UnitName::parse(&format!("{}_506d9c632ced75cd.mount", "a".repeat(232))).unwrap();
        assert!(stands_for(&long, &format!("/{}", "a".repeat(250))), "the name is a hash");
    }
}
