//! What each manager is told for each act: one table, a match for each act.

use super::description::Service;
use super::plan::{Step, boots, run};
use super::target::{Level, Target};
use super::word::Failure;
use crate::limits::{FOR_EVER, RUNIT_LOOKS};

/// Where runsvdir(8) looks for services, as Debian and Void link it.
const RUNIT_SERVICES: &str = "/etc/service";
/// The exit codes of a status: 3 is down, 4 is not known.
const RUNIT_STATUS: &str =
    "told=$(sv status \"$1\") || exit 4; echo \"$told\"; case $told in run:*) ;; *) exit 3 ;; esac";

/// The steps behind the files of an install.
pub(super) fn enabling(service: &Service, target: Target, level: Level) -> Vec<Step> {
    let name = &service.name;
    match target {
        Target::Systemd | Target::Eudaemon => {
            let mut words = vec!["enable".to_owned()];
            words.extend(units(service));
            vec![client(target, level, words)]
        }
        Target::Openrc if boots(service) => vec![command(&["rc-update", "add", name, "default"])],
        Target::Openrc => Vec::new(),
        Target::Sysv => vec![choice(&[
            &["update-rc.d", name, "defaults"],
            &["chkconfig", "--add", name],
            &["insserv", name],
        ])],
        Target::Runit => {
            let (path, to) = runit(service);
            let seen = ["sv", "status", &path].map(str::to_owned).to_vec();
            let ready = Step::Await { command: seen, within: RUNIT_LOOKS };
            vec![Step::Link { path, to }, ready]
        }
        Target::Launchd => {
            let path = launchd_path(service, level);
            vec![command(&["launchctl", "bootstrap", &launchd(level), &path])]
        }
        Target::Supervisord => {
            vec![command(&["supervisorctl", "reread"]), command(&["supervisorctl", "add", name])]
        }
        Target::Windows => Vec::new(),
    }
}

/// The steps before the files of an uninstall go. What does not run need not be stopped.
pub(super) fn disabling(service: &Service, target: Target, level: Level) -> Vec<Step> {
    let name = &service.name;
    let mut steps: Vec<Step> = match target {
        // `--now` would not be known where no manager runs.
        Target::Systemd | Target::Eudaemon => {
            let mut words = vec!["disable".to_owned()];
            words.extend(units(service));
            let stop = stopping(service, target, level).into_iter();
            return stop.map(may_fail).chain([client(target, level, words)]).collect();
        }
        Target::Openrc => vec![
            may_fail(command(&["rc-service", "--ifstarted", name, "stop"])),
            may_fail(command(&["rc-update", "del", name, "default"])),
        ],
        // Its links are taken away when it is.
        Target::Sysv => stopping(service, target, level),
        Target::Runit => {
            let (path, to) = runit(service);
            let steps = stopping(service, target, level).into_iter().map(may_fail);
            let exit = may_fail(command(&["sv", "exit", &to]));
            // Else the next install would find the old runsv on its way out.
            let words = ["sh", "-c", "! sv status \"$1\"", "gone", &to];
            let gone = Step::Await { command: words.map(str::to_owned).to_vec(), within: RUNIT_LOOKS };
            return steps.chain([Step::Unlink { path, to }, exit, gone]).collect();
        }
        Target::Launchd => {
            vec![may_fail(command(&["launchctl", "bootout", &format!("{}/{name}", launchd(level))]))]
        }
        Target::Supervisord => {
            let stop = stopping(service, target, level).into_iter().map(may_fail);
            return stop.chain([may_fail(command(&["supervisorctl", "remove", name]))]).collect();
        }
        Target::Windows => {
            let stop = stopping(service, target, level).into_iter().map(may_fail);
            return stop.chain([command(&["sc.exe", "delete", name])]).collect();
        }
    };
    if target == Target::Sysv {
        // What is there of it may be half an install.
        steps = steps.into_iter().map(may_fail).collect();
    }
    steps
}

/// The steps behind the files of an uninstall.
pub(super) fn forgetting(service: &Service, target: Target, level: Level) -> Vec<Step> {
    let name = &service.name;
    match target {
        // Where no manager runs there is nothing to forget.
        Target::Systemd | Target::Eudaemon => {
            vec![may_fail(client(target, level, vec!["daemon-reload".to_owned()]))]
        }
        Target::Sysv => vec![choice(&[
            &["update-rc.d", "-f", name, "remove"],
            &["chkconfig", "--del", name],
            &["insserv", "-r", name],
        ])],
        Target::Runit => {
            let (_, folder) = runit(service);
            let folders = ["/log", "/control", ""].map(|part| Step::RemoveEmpty(format!("{folder}{part}")));
            folders.to_vec()
        }
        Target::Supervisord => vec![may_fail(command(&["supervisorctl", "reread"]))],
        Target::Openrc | Target::Launchd | Target::Windows => Vec::new(),
    }
}

/// The steps that bring it up.
pub(super) fn starting(service: &Service, target: Target, level: Level) -> Vec<Step> {
    let name = &service.name;
    vec![match target {
        Target::Systemd | Target::Eudaemon => {
            let mut words = vec!["start".to_owned()];
            words.extend(units(service));
            client(target, level, words)
        }
        Target::Openrc => command(&["rc-service", name, "start"]),
        Target::Sysv => script(service, "start"),
        Target::Runit => command(&["sv", "start", &runit(service).0]),
        Target::Launchd => command(&["launchctl", "kickstart", &format!("{}/{name}", launchd(level))]),
        Target::Supervisord => command(&["supervisorctl", "start", name]),
        Target::Windows => command(&["sc.exe", "start", name]),
    }]
}

/// The steps that bring it down.
pub(super) fn stopping(service: &Service, target: Target, level: Level) -> Vec<Step> {
    let name = &service.name;
    vec![match target {
        Target::Systemd | Target::Eudaemon => {
            // A socket that is left would start it again.
            let mut words = vec!["stop".to_owned()];
            words.extend(units(service).into_iter().rev());
            client(target, level, words)
        }
        Target::Openrc => command(&["rc-service", name, "stop"]),
        Target::Sysv => script(service, "stop"),
        Target::Runit => {
            let within = service.stop.within.map_or(FOR_EVER, |within| within.as_secs().max(1)).to_string();
            command(&["sv", "-w", &within, "force-stop", &runit(service).0])
        }
        Target::Launchd => command(&["launchctl", "kill", "SIGTERM", &format!("{}/{name}", launchd(level))]),
        Target::Supervisord => command(&["supervisorctl", "stop", name]),
        Target::Windows => command(&["sc.exe", "stop", name]),
    }]
}

/// The step that asks whether it is up.
pub(super) fn asking(service: &Service, target: Target, level: Level) -> Vec<Step> {
    let name = &service.name;
    vec![match target {
        Target::Systemd | Target::Eudaemon => {
            client(target, level, vec!["status".to_owned(), format!("{name}.service")])
        }
        Target::Openrc => command(&["rc-service", name, "status"]),
        Target::Sysv => script(service, "status"),
        // It says of what is down that all is well.
        Target::Runit => command(&["sh", "-c", RUNIT_STATUS, "status", &runit(service).0]),
        Target::Launchd => command(&["launchctl", "print", &format!("{}/{name}", launchd(level))]),
        Target::Supervisord => command(&["supervisorctl", "status", name]),
        Target::Windows => command(&["sc.exe", "query", name]),
    }]
}

fn command(words: &[&str]) -> Step {
    run(words.iter().map(|word| (*word).to_owned()).collect())
}

fn choice(commands: &[&[&str]]) -> Step {
    let owned = |words: &&[&str]| words.iter().map(|word| (*word).to_owned()).collect();
    Step::Run { choice: commands.iter().map(owned).collect(), failure: Failure::Counts }
}

fn may_fail(step: Step) -> Step {
    match step {
        Step::Run { choice, failure: _ } => Step::Run { choice, failure: Failure::Ignored },
        other @ (Step::Write(_)
        | Step::Remove(_)
        | Step::RemoveEmpty(_)
        | Step::Link { .. }
        | Step::Unlink { .. }
        | Step::Await { .. }
        | Step::RunUnless { .. }) => other,
    }
}

/// systemctl(1), or eudaemon with the same words.
fn client(target: Target, level: Level, words: Vec<String>) -> Step {
    let program = match target {
        Target::Eudaemon => "eudaemon",
        Target::Systemd
        | Target::Openrc
        | Target::Sysv
        | Target::Runit
        | Target::Launchd
        | Target::Supervisord
        | Target::Windows => "systemctl",
    };
    let level = match level {
        Level::System => None,
        Level::User => Some("--user".to_owned()),
    };
    run(std::iter::once(program.to_owned()).chain(level).chain(words).collect())
}

fn units(service: &Service) -> Vec<String> {
    service.units.iter().map(|unit| unit.name.clone()).collect()
}

fn script(service: &Service, verb: &str) -> Step {
    command(&[&format!("/etc/init.d/{}", service.name), verb])
}

/// The link among runit's services, and the folder it leads to.
fn runit(service: &Service) -> (String, String) {
    (format!("{RUNIT_SERVICES}/{}", service.name), format!("/etc/sv/{}", service.name))
}

/// The domain: launchctl(1).
fn launchd(level: Level) -> String {
    match level {
        Level::System => "system".to_owned(),
        Level::User => format!("gui/{}", rustix::process::getuid().as_raw()),
    }
}

fn launchd_path(service: &Service, level: Level) -> String {
    match level {
        Level::System => format!("/Library/LaunchDaemons/{}.plist", service.name),
        Level::User => format!("~/Library/LaunchAgents/{}.plist", service.name),
    }
}
