//! The verbs: one row each, from which the dispatch, the help and the checks come.

use crate::CalledAs;
use eudaemon_unit::spelling::nearest;

/// What a verb needs of a manager.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Needs {
    /// Brings something up: where no manager runs, one is started first.
    Started,
    /// Changes what runs: without a manager there is nothing to change, and that is said.
    Present,
    /// Only reads: never starts a manager, answers for one that is absent where systemctl would.
    Asked,
    /// Works on files: asks the manager where one runs, does it directly where none does.
    Files,
    /// Needs nobody.
    Nobody,
}

macro_rules! verbs {
    ($($verb:ident $word:literal $arguments:literal $least:literal..$most:tt $needs:ident $summary:literal;)*) => {
        #[derive(Clone, Copy, Debug, PartialEq, Eq)]
        pub enum Verb { $($verb),* }

        pub const VERBS: &[VerbRow] = &[$(VerbRow {
            verb: Verb::$verb,
            word: $word,
            arguments: $arguments,
            least: $least,
            most: verbs!(@most $most),
            needs: Needs::$needs,
            summary: $summary,
        }),*];
    };
    (@most any) => { None };
    (@most $most:literal) => { Some($most) };
}

#[derive(Debug)]
pub struct VerbRow {
    pub verb: Verb,
    pub word: &'static str,
    pub arguments: &'static str,
    pub least: usize,
    pub most: Option<usize>,
    pub needs: Needs,
    pub summary: &'static str,
}

impl VerbRow {
    /// What may stand behind the verb, for who left it out.
    pub fn example(&self) -> String {
        let words = self.arguments.split(' ').map(|word| match word.trim_matches(['[', ']']) {
            "start|stop|restart|isolate" => "start",
            "save" => "save",
            "FILE" => "bug.flight",
            "PATH…" => "/srv/web.service",
            "TARGET" => "multi-user.target",
            "NAME=VALUE…" => "TZ=UTC",
            "NAME…" => "TZ",
            "JOB…" => "17",
            "CODE" => "1",
            // UNIT…, PATTERN… and what begins with them.
            _ => "web.service",
        });
        words.collect::<Vec<_>>().join(" ")
    }
}

verbs! {
    Start "start" "UNIT…" 1..any Started "Bring units up, and wait until they are";
    Stop "stop" "UNIT…" 1..any Present "Take units down";
    Restart "restart" "UNIT…" 1..any Started "Stop and start units, or start those that are down";
    Reload "reload" "UNIT…" 1..any Present "Make units read their own configuration again";
    TryRestart "try-restart" "UNIT…" 1..any Present "Restart units that are up, leave the others alone";
    ReloadOrRestart "reload-or-restart" "UNIT…" 1..any Started "Reload units that can, restart the others";
    TryReloadOrRestart "try-reload-or-restart" "UNIT…" 1..any Present "The same, for units that are up only";
    Isolate "isolate" "UNIT" 1..1 Started "Start a unit with what it needs and stop all else";
    Default "default" "" 0..0 Started "Isolate the default target";
    Rescue "rescue" "" 0..0 Started "Isolate rescue.target";
    Emergency "emergency" "" 0..0 Started "Isolate emergency.target";
    Freeze "freeze" "UNIT…" 1..any Present "Suspend the processes of units";
    Thaw "thaw" "UNIT…" 1..any Present "Let suspended processes go on";
    Clean "clean" "UNIT…" 1..any Present "Remove what units that are down keep on disk";
    Kill "kill" "UNIT…" 1..any Present "Send a signal to the processes of units";
    ResetFailed "reset-failed" "[PATTERN…]" 0..any Present "Forget failures, and the start counters with them";
    Plan "plan" "start|stop|restart|isolate UNIT…" 2..any Files "What a request would come to, and why; nothing is done";
    Why "why" "UNIT…" 1..any Asked "Why units are what they are: each cause and what lies behind it, the root last";
    Flight "flight" "save FILE" 2..2 Asked "Save what the manager heard last, for 'eudaemon replay': a bug report";
    Status "status" "[PATTERN…|PID…]" 0..any Asked "What units are doing, and their last log lines";
    Show "show" "[PATTERN…|JOB…]" 0..any Asked "Every property of units, jobs or the manager";
    Cat "cat" "PATTERN…" 1..any Files "Unit files and drop-ins, as they are on disk";
    Help "help" "[VERB|UNIT…]" 0..any Nobody "This text, the text of a verb, or a unit's manual";
    IsActive "is-active" "PATTERN…" 1..any Asked "Whether units are up: exit 0, else 3";
    IsFailed "is-failed" "PATTERN…" 1..any Asked "Whether units have failed: exit 0, else 1";
    IsEnabled "is-enabled" "UNIT…" 1..any Files "Whether unit files are enabled: exit 0, else 1";
    IsSystemRunning "is-system-running" "" 0..0 Asked "The state of the whole: exit 0 when `running`";
    ListUnits "list-units" "[PATTERN…]" 0..any Asked "Units in memory";
    ListUnitFiles "list-unit-files" "[PATTERN…]" 0..any Files "Unit files, and whether they are enabled";
    ListSockets "list-sockets" "[PATTERN…]" 0..any Asked "Socket units by address";
    ListTimers "list-timers" "[PATTERN…]" 0..any Asked "Timer units by their next elapse";
    ListJobs "list-jobs" "[PATTERN…]" 0..any Asked "Jobs waiting or under way";
    ListDependencies "list-dependencies" "[UNIT…]" 0..any Asked "What units pull in, as a tree";
    Cancel "cancel" "[JOB…]" 0..any Present "Drop jobs, or all of them";
    Enable "enable" "UNIT…" 1..any Files "Link units into the targets that want them";
    Disable "disable" "UNIT…" 1..any Files "Remove those links";
    Reenable "reenable" "UNIT…" 1..any Files "Disable, then enable";
    Preset "preset" "UNIT…" 1..any Files "Enable or disable as the preset files say";
    PresetAll "preset-all" "" 0..0 Files "The same for every unit file";
    Mask "mask" "UNIT…" 1..any Files "Link units to /dev/null: nothing can start them";
    Unmask "unmask" "UNIT…" 1..any Files "Undo mask";
    Link "link" "PATH…" 1..any Files "Link unit files from elsewhere into the search path";
    Revert "revert" "UNIT…" 1..any Files "Remove drop-ins and masks: back to the vendor's unit";
    AddWants "add-wants" "TARGET UNIT…" 2..any Files "Let a target want units";
    AddRequires "add-requires" "TARGET UNIT…" 2..any Files "Let a target require units";
    GetDefault "get-default" "" 0..0 Files "The name of the default target";
    SetDefault "set-default" "TARGET" 1..1 Files "Choose the default target";
    ShowEnvironment "show-environment" "" 0..0 Asked "The environment given to every service";
    SetEnvironment "set-environment" "NAME=VALUE…" 1..any Present "Set variables of it";
    UnsetEnvironment "unset-environment" "NAME…" 1..any Present "Remove variables from it";
    ImportEnvironment "import-environment" "[NAME…]" 0..any Present "Copy variables of the caller into it";
    DaemonReload "daemon-reload" "" 0..0 Present "Read all unit files again";
    DaemonReexec "daemon-reexec" "" 0..0 Present "Replace the manager by a new one; services do not notice";
    Poweroff "poweroff" "" 0..0 Present "Stop everything and power off";
    Reboot "reboot" "" 0..0 Present "Stop everything and reboot";
    Halt "halt" "" 0..0 Present "Stop everything and halt";
    Exit "exit" "[CODE]" 0..1 Present "Stop everything and end with CODE";
}

/// Words of older scripts, each standing for a verb above.
const OLDER_WORDS: &[(&str, Verb)] = &[
    ("condstop", Verb::Stop),
    ("condrestart", Verb::TryRestart),
    ("force-reload", Verb::TryReloadOrRestart),
    ("reload-or-try-restart", Verb::TryReloadOrRestart),
    ("condreload", Verb::TryReloadOrRestart),
    ("shutdown", Verb::Poweroff),
];

/// Verbs of systemctl that are not there yet.
const ABSENT: &[&str] = &[
    "bind",
    "edit",
    "hibernate",
    "hybrid-sleep",
    "kexec",
    "list-automounts",
    "list-machines",
    "log-level",
    "log-target",
    "mount-image",
    "service-log-level",
    "service-log-target",
    "service-watchdogs",
    "set-property",
    "suspend",
    "suspend-then-hibernate",
    "switch-root",
];

pub fn find(word: &str) -> Option<&'static VerbRow> {
    let older = OLDER_WORDS.iter().find(|(older, _)| *older == word).map(|(_, verb)| *verb);
    VERBS.iter().find(|row| row.word == word || Some(row.verb) == older)
}

/// The one line for a word that is no verb, with the nearest verb where one is near.
pub fn unknown(word: &str, called_as: CalledAs) -> String {
    if ABSENT.contains(&word) {
        let instead = match word {
            "edit" => {
                " Write a drop-in, UNIT.d/NAME.conf beside the unit's file or in /etc/systemd/system, and run daemon-reload."
            }
            _ => "",
        };
        return format!("Command verb {word} is not supported by this version of eudaemon.{instead}");
    }
    let text = format!("Unknown command verb {word}.");
    let programs = match called_as {
        CalledAs::Eudaemon => super::help::PROGRAM_WORDS,
        CalledAs::Systemctl => &[],
    };
    let known = VERBS.iter().map(|row| row.word).chain(programs.iter().copied());
    match (nearest(word, known), called_as) {
        (Some(near), CalledAs::Eudaemon | CalledAs::Systemctl) => format!("{text} Did you mean '{near}'?"),
        (None, CalledAs::Eudaemon) => format!("{text} 'eudaemon help' lists them all."),
        (None, CalledAs::Systemctl) => text,
    }
}
