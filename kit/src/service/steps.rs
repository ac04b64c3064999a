//! What each manager is told for each act: one table, a match for each act.

use super::description::Service;
use super::plan::{Links, Step, boots, run};
use super::systemd;
use super::target::{File, Level, Target};
use super::word::Failure;
use crate::limits::{FOR_EVER, RUNIT_LOOKS};

/// Where runsvdir(8) looks for services, as Debian and Void link it.
const RUNIT_SERVICES: &str = "/etc/service";
/// The exit codes of a status: 3 is down, 4 is not known.
const RUNIT_STATUS: &str =
    "told=$(sv status \"$1\") || exit 4; echo \"$told\"; case $told in run:*) ;; *) exit 3 ;; esac";
/// The unit of this file is up. Nothing is said where no manager runs; a unit of that name may be another's.
const UNIT_RUNS: &str = "file=$1; shift; case $(\"$@\" --property=ActiveState) in ''|inactive|failed) exit 1 ;; esac; \
     [ \"$(\"$@\" --property=FragmentPath)\" = \"$file\" ]";
/// What runsv makes beside our files: runsv(8).
const OF_RUNSV: [&str; 9] =
    ["lock", "ok", "control", "pid", "stat", "status", "pid.new", "stat.new", "status.new"];
/// Where systemd finds units that are not installed by hand: systemd.unit(5), "Unit File Load Path".
const UNITS_OF_OTHERS: [&str; 5] = [
    "/run/systemd/transient",
    "/run/systemd/system",
    "/usr/local/lib/systemd/system",
    "/lib/systemd/system",
    "/usr/lib/systemd/system",
];
/// The same of users.
const USER_UNITS_OF_OTHERS: [&str; 4] =
    ["/etc/systemd/user", "/run/systemd/user", "/usr/local/lib/systemd/user", "/usr/lib/systemd/user"];
/// Where supervisord reads its sections, as Debian has it.
const SECTIONS: [&str; 2] = ["/etc/supervisor/supervisord.conf", "/etc/supervisor/conf.d/*.conf"];
/// The run levels of SysV scripts.
const LEVELS: [char; 8] = ['0', '1', '2', '3', '4', '5', '6', 'S'];
/// 4 is a program that it does not know, or no supervisord.
const SUPERVISOR_KNOWS: &str = "supervisorctl status \"$1\"; [ $? -lt 4 ]";

/// The looks whether a package has units of these names, which ours would stand before.
pub(super) fn elsewhere(service: &Service, target: Target, level: Level) -> Vec<Step> {
    match target {
        Target::Systemd | Target::Eudaemon => {
            let folders = match level {
                Level::System => &UNITS_OF_OTHERS[..],
                Level::User => &USER_UNITS_OF_OTHERS[..],
            };
            let looks = units(service).into_iter().map(|unit| Step::LookElsewhere {
                path: format!("{}/{unit}", systemd::folder(level)),
                others: folders.iter().map(|folder| format!("{folder}/{unit}")).collect(),
            });
            looks.collect()
        }
        // The name is that of the file.
        Target::Runit
        | Target::Supervisord
        | Target::Openrc
        | Target::Sysv
        | Target::Launchd
        | Target::Windows => Vec::new(),
    }
}

/// The looks whether somebody else has a service of this name, beside those at our own files.
pub(super) fn looking(service: &Service, target: Target, files: &[File]) -> Vec<Step> {
    match target {
        Target::Runit => links(service, target, files).into_iter().map(Step::LookLink).collect(),
        Target::Supervisord => vec![Step::LookSections {
            name: service.name.clone(),
            patterns: SECTIONS.map(str::to_owned).to_vec(),
            kept: files.iter().map(|file| file.path.clone()).collect(),
        }],
        Target::Systemd
        | Target::Eudaemon
        | Target::Openrc
        | Target::Sysv
        | Target::Launchd
        | Target::Windows => Vec::new(),
    }
}

/// Programs of which one is needed to make a service known to its manager.
pub(super) fn tools(target: Target) -> Vec<String> {
    let tools: &[&str] = match target {
        Target::Systemd => &["systemctl"],
        Target::Eudaemon => &["eudaemon"],
        Target::Openrc => &["rc-update"],
        Target::Sysv => &["update-rc.d", "chkconfig", "insserv"],
        Target::Runit => &["sv"],
        Target::Launchd => &["launchctl"],
        Target::Supervisord => &["supervisorctl"],
        Target::Windows => &["sc.exe"],
    };
    tools.iter().map(|tool| (*tool).to_owned()).collect()
}

/// The looks whose service a manager that runs takes for it.
pub(super) fn asking_whose(service: &Service, target: Target, level: Level) -> Vec<Step> {
    match target {
        Target::Systemd | Target::Eudaemon => {
            let looks = units(service).into_iter().map(|unit| Step::LookUnit {
                path: format!("{}/{unit}", systemd::folder(level)),
                command: client_words(target, level, ["show", "--value", "--property=FragmentPath", &unit]),
            });
            looks.collect()
        }
        Target::Openrc
        | Target::Sysv
        | Target::Runit
        | Target::Launchd
        | Target::Supervisord
        | Target::Windows => Vec::new(),
    }
}

/// The links by which it starts with the machine.
pub(super) fn links(service: &Service, target: Target, files: &[File]) -> Vec<Links> {
    let name = &service.name;
    match target {
        Target::Systemd | Target::Eudaemon => files.iter().filter_map(wanted).collect(),
        Target::Openrc => {
            vec![Links {
                paths: vec![format!("/etc/runlevels/default/{name}")],
                to: format!("/etc/init.d/{name}"),
            }]
        }
        Target::Sysv => {
            let paths = LEVELS.map(|level| format!("/etc/rc{level}.d/*{name}"));
            vec![Links { paths: paths.to_vec(), to: format!("/etc/init.d/{name}") }]
        }
        Target::Runit => {
            let (path, to) = runit(service);
            vec![Links { paths: vec![path], to }]
        }
        Target::Launchd | Target::Supervisord | Target::Windows => Vec::new(),
    }
}

/// What `enable` makes of a unit's `WantedBy=`.
pub(super) fn wanted(unit: &File) -> Option<Links> {
    let (folder, name) = unit.path.rsplit_once('/')?;
    let links = unit.text.lines().filter_map(|line| line.strip_prefix("WantedBy="));
    let paths = links.map(|target| format!("{folder}/{target}.wants/{name}")).collect();
    Some(Links { paths, to: unit.path.clone() })
}

/// Folders that are its own.
pub(super) fn folders(service: &Service, target: Target) -> Vec<String> {
    match target {
        Target::Runit => vec![runit(service).1],
        Target::Systemd
        | Target::Eudaemon
        | Target::Openrc
        | Target::Sysv
        | Target::Launchd
        | Target::Supervisord
        | Target::Windows => Vec::new(),
    }
}

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
            // It takes none a second time.
            let known = ["sh", "-c", SUPERVISOR_KNOWS, "is-known", name].map(str::to_owned).to_vec();
            let add = ["supervisorctl", "add", name].map(str::to_owned).to_vec();
            vec![command(&["supervisorctl", "reread"]), Step::RunUnless { test: known, command: add }]
        }
        Target::Windows => Vec::new(),
    }
}

/// The steps before the files of an uninstall go. What does not run need not be stopped; a stop that fails of what does
/// keeps the files, which are all that can stop it.
pub(super) fn disabling(service: &Service, target: Target, level: Level) -> Vec<Step> {
    let name = &service.name;
    let stop = stopping(service, target, level).into_iter();
    match target {
        Target::Systemd | Target::Eudaemon => {
            // A socket that is left would start it again. Where no manager runs, none knows of them.
            let file = |unit: &String| format!("{}/{unit}", systemd::folder(level));
            let stops = units(service).into_iter().rev().map(|unit| {
                let asked = client_words(target, level, ["show", "--value", &unit]);
                let test = ["sh", "-c", UNIT_RUNS, "runs-from", &file(&unit)].map(str::to_owned);
                let test = test.into_iter().chain(asked).collect();
                Step::RunIf { test, command: client_words(target, level, ["stop", &unit]) }
            });
            let disables = units(service).into_iter().map(|unit| {
                let test = ["test", "-e", &file(&unit)].map(str::to_owned).to_vec();
                Step::RunIf { test, command: client_words(target, level, ["disable", &unit]) }
            });
            stops.chain(disables).collect()
        }
        Target::Openrc => vec![
            if_succeeds(&["rc-service", "--exists", name], &["rc-service", "--ifstarted", name, "stop"]),
            may_fail(command(&["rc-update", "del", name, "default"])),
        ],
        // Its links are taken away when it is.
        Target::Sysv => {
            let path = format!("/etc/init.d/{name}");
            vec![if_succeeds(&["test", "-x", &path], &[&path, "stop"])]
        }
        Target::Runit => {
            let (path, to) = runit(service);
            let exit = may_fail(command(&["sv", "exit", &to]));
            // What has not stopped is found here; and the next install would find the old runsv on its way out.
            let words = ["sh", "-c", "! sv status \"$1\"", "is-gone", &to];
            let gone = Step::Await { command: words.map(str::to_owned).to_vec(), within: RUNIT_LOOKS };
            let unlink = Step::Unlink(Links { paths: vec![path], to });
            stop.map(may_fail).chain([unlink, exit, gone]).collect()
        }
        Target::Launchd => stop.collect(),
        Target::Supervisord => {
            // It removes nothing that still runs.
            let known = ["sh", "-c", SUPERVISOR_KNOWS, "is-known", name];
            stop.map(may_fail).chain([if_succeeds(&known, &["supervisorctl", "remove", name])]).collect()
        }
        Target::Windows => stop.map(may_fail).chain([command(&["sc.exe", "delete", name])]).collect(),
    }
}

/// The step that removes what an older version of the program wrote: it would stay in force.
pub(super) fn clearing(service: &Service, target: Target, level: Level, files: &[File]) -> Option<Step> {
    let name = &service.name;
    let (patterns, before) = match target {
        Target::Systemd | Target::Eudaemon => {
            let folder = systemd::folder(level);
            let patterns = [format!("{folder}/{name}.socket"), format!("{folder}/{name}-*.socket")];
            let words = ["stop", "disable"].map(|verb| client_words(target, level, [verb]));
            (patterns.to_vec(), words.to_vec())
        }
        Target::Runit => {
            let (_, folder) = runit(service);
            let parts = ["control/*", "check", "finish", "down"];
            (parts.map(|part| format!("{folder}/{part}")).to_vec(), Vec::new())
        }
        Target::Supervisord => (vec![format!("/etc/supervisor/{name}.run")], Vec::new()),
        // All is in one file, which is written over.
        Target::Openrc | Target::Sysv | Target::Launchd | Target::Windows => return None,
    };
    let kept: Vec<String> = files.iter().map(|file| file.path.clone()).collect();
    let patterns: Vec<String> = patterns.into_iter().filter(|pattern| !kept.contains(pattern)).collect();
    if patterns.is_empty() {
        return None;
    }
    Some(Step::Clear { name: name.clone(), patterns, kept, before })
}

/// The steps behind the files of an uninstall.
pub(super) fn forgetting(service: &Service, target: Target, level: Level, files: &[File]) -> Vec<Step> {
    let name = &service.name;
    let unlinks = links(service, target, files).into_iter().map(Step::Unlink);
    match target {
        // Where no manager runs there is nothing to forget.
        Target::Systemd | Target::Eudaemon => {
            let reload = may_fail(client(target, level, vec!["daemon-reload".to_owned()]));
            unlinks.chain([reload]).collect()
        }
        // Its links are gone: what else these tools keep may be kept by none.
        Target::Sysv => {
            let tools = choice(&[
                &["update-rc.d", "-f", name, "remove"],
                &["chkconfig", "--del", name],
                &["insserv", "-r", name],
            ]);
            unlinks.chain([may_fail(tools)]).collect()
        }
        Target::Runit => {
            let (_, folder) = runit(service);
            let made = ["/log/supervise", "/supervise"].map(|part| Step::RemoveMade {
                path: format!("{folder}{part}"),
                names: OF_RUNSV.map(str::to_owned).to_vec(),
            });
            let folders = ["/log", "/control", ""].map(|part| Step::RemoveEmpty(format!("{folder}{part}")));
            made.into_iter().chain(folders).collect()
        }
        Target::Supervisord => vec![may_fail(command(&["supervisorctl", "reread"]))],
        Target::Openrc => unlinks.collect(),
        Target::Launchd | Target::Windows => Vec::new(),
    }
}

/// The steps that bring it up.
pub(super) fn starting(service: &Service, target: Target, level: Level) -> Vec<Step> {
    let name = &service.name;
    vec![match target {
        Target::Systemd | Target::Eudaemon => {
            // Sockets first, by themselves: if the service fails it is told that they are up.
            let mut units = units(service);
            let sockets = units.split_off(units.len().min(1));
            let start = |units: Vec<String>| {
                let words = std::iter::once("start".to_owned()).chain(units).collect();
                client(target, level, words)
            };
            let sockets = (!sockets.is_empty()).then(|| start(sockets));
            return sockets.into_iter().chain([start(units)]).collect();
        }
        Target::Openrc => command(&["rc-service", name, "start"]),
        Target::Sysv => script(service, "start"),
        Target::Runit => command(&["sv", "start", &runit(service).0]),
        Target::Launchd => {
            // A stop has made launchd forget it.
            let (domain, path) = (launchd(level), launchd_path(service, level));
            let known = ["launchctl", "print", &format!("{domain}/{name}")].map(str::to_owned).to_vec();
            let bootstrap = ["launchctl", "bootstrap", &domain, &path].map(str::to_owned).to_vec();
            let kickstart = command(&["launchctl", "kickstart", &format!("{domain}/{name}")]);
            return vec![Step::RunUnless { test: known, command: bootstrap }, kickstart];
        }
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
        // What is kept alive comes back after a signal: only what launchd does not know stays down.
        Target::Launchd => {
            let place = format!("{}/{name}", launchd(level));
            if_succeeds(&["launchctl", "print", &place], &["launchctl", "bootout", &place])
        }
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
        Target::Runit => command(&["sh", "-c", RUNIT_STATUS, "status-of", &runit(service).0]),
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
        other @ (Step::Look(_)
        | Step::LookLink(_)
        | Step::LookSections { .. }
        | Step::LookElsewhere { .. }
        | Step::LookTools(_)
        | Step::LookUnit { .. }
        | Step::Seek { .. }
        | Step::RemoveMade { .. }
        | Step::Write(_)
        | Step::Clear { .. }
        | Step::RunIf { .. }
        | Step::Remove(_)
        | Step::RemoveEmpty(_)
        | Step::Link { .. }
        | Step::Unlink(_)
        | Step::Await { .. }
        | Step::RunUnless { .. }) => other,
    }
}

fn if_succeeds(test: &[&str], command: &[&str]) -> Step {
    let owned = |words: &[&str]| words.iter().map(|word| (*word).to_owned()).collect();
    Step::RunIf { test: owned(test), command: owned(command) }
}

fn client(target: Target, level: Level, words: Vec<String>) -> Step {
    run(client_words(target, level, words))
}

/// systemctl(1), or eudaemon with the same words.
fn client_words<Word: Into<String>>(
    target: Target,
    level: Level,
    words: impl IntoIterator<Item = Word>,
) -> Vec<String> {
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
    std::iter::once(program.to_owned()).chain(level).chain(words.into_iter().map(Into::into)).collect()
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
