//! The texts of `help`, written from the two tables: the reference of the command line.

use super::options::{FLAGS, Flag, FlagRow};
use super::verbs::{Needs, VERBS, Verb, VerbRow};
use crate::CalledAs;
use std::fmt::Write;

/// systemd's version whose behaviour is followed: scripts read it out of `systemctl --version`.
pub const FOLLOWED: &str = "252";

pub fn version(called_as: CalledAs) -> String {
    let own = env!("CARGO_PKG_VERSION");
    match called_as {
        CalledAs::Eudaemon => format!("eudaemon {own}\nfollows systemd {FOLLOWED}\n"),
        CalledAs::Systemctl => format!("systemd {FOLLOWED} (eudaemon {own})\n"),
    }
}

/// The whole reference on one page.
pub fn overview(called_as: CalledAs) -> String {
    let word = called_as.word();
    let mut text = String::new();
    text.push_str(&format!(
        "{word} [OPTIONS…] VERB [ARGUMENTS…]\n\nRuns systemd units where systemd cannot.\n"
    ));
    if called_as == CalledAs::Eudaemon {
        text.push_str(PROGRAMS);
    }
    for (needs, title) in [
        (Needs::Started, "Bring up (starts a manager where none runs)"),
        (Needs::Present, "Change what runs"),
        (Needs::Asked, "Ask"),
        (Needs::Files, "Unit files (with or without a manager)"),
        (Needs::Nobody, "Help"),
    ] {
        writeln!(text, "\n{title}:").ok();
        for row in VERBS.iter().filter(|row| row.needs == needs) {
            writeln!(text, "  {:<44} {}", spelled(row), row.summary).ok();
        }
    }
    text.push_str("\nOptions:\n");
    options(FLAGS.iter().filter(|row| !row.summary.is_empty()), &mut text);
    text
}

fn options<'a>(rows: impl Iterator<Item = &'a FlagRow>, text: &mut String) {
    for row in rows {
        let short = row.short.map_or("   ".to_owned(), |short| format!("-{short} "));
        let value = row.value.map_or(String::new(), |value| format!("={value}"));
        // Writing to a string cannot fail.
        writeln!(text, "  {:<44} {}", format!("{short} --{}{value}", row.long), row.summary).ok();
    }
}

/// The options that mean something to a verb, besides those that all have.
const fn own_options(verb: Verb) -> &'static [Flag] {
    use Flag::{
        After, All, Before, DryRun, Force, Full, JobMode, Json, KillWhom, Lines, NoBlock, NoLegend, NoReload,
        NoWarn, Now, Output, Plain, PresetMode, Property, PropertyValue, Reverse, Root, Runtime,
        ShowTransaction, Signal, State, Timestamp, Type, Value, Wait, What,
    };
    match verb {
        Verb::Start | Verb::Restart => &[JobMode, ShowTransaction, NoBlock, Wait, NoWarn, DryRun],
        Verb::Stop | Verb::Reload | Verb::TryRestart | Verb::ReloadOrRestart | Verb::TryReloadOrRestart => {
            &[JobMode, ShowTransaction, NoBlock, NoWarn, DryRun]
        }
        Verb::Isolate | Verb::Default | Verb::Rescue | Verb::Emergency => &[ShowTransaction, NoBlock, DryRun],
        Verb::Clean => &[What, NoBlock],
        Verb::Kill => &[Signal, KillWhom],
        Verb::Plan => &[JobMode, All, Root, Output, Json],
        Verb::Why => &[Output, Json, Timestamp],
        Verb::Status => &[Type, State, All, Full, Lines, Output, Json, Timestamp],
        Verb::Show => &[Type, State, All, Property, PropertyValue, Value, Timestamp],
        Verb::Cat => &[Root],
        Verb::IsSystemRunning => &[Wait],
        Verb::IsEnabled => &[Full, Runtime, Root],
        Verb::ListUnits => &[Type, State, All, Full, Plain, NoLegend, Output, Json],
        Verb::ListUnitFiles => &[Type, State, Full, Root, NoLegend, Output, Json],
        Verb::ListSockets | Verb::ListTimers => &[Type, State, All, Full, NoLegend, Output, Json, Timestamp],
        Verb::ListJobs => &[After, Before, NoLegend, Output, Json],
        Verb::ListDependencies => &[Type, State, All, Plain, Reverse, After, Before],
        Verb::Enable | Verb::Reenable => &[Now, Runtime, Force, Root, NoReload, NoWarn],
        Verb::Disable => &[Now, Runtime, Root, NoReload],
        Verb::Mask => &[Now, Runtime, Force, Root, NoReload],
        Verb::Unmask => &[Runtime, Root, NoReload],
        Verb::Preset | Verb::PresetAll => &[PresetMode, Runtime, Force, Root, NoReload],
        Verb::Link | Verb::AddWants | Verb::AddRequires => &[Runtime, Force, Root, NoReload],
        Verb::Revert | Verb::GetDefault | Verb::SetDefault => &[Root, NoReload],
        Verb::Poweroff | Verb::Reboot | Verb::Halt => &[Force, NoBlock, DryRun],
        Verb::ShowEnvironment => &[Output, Json],
        Verb::Exit
        | Verb::IsActive
        | Verb::IsFailed
        | Verb::Freeze
        | Verb::Thaw
        | Verb::ResetFailed
        | Verb::Cancel
        | Verb::Flight
        | Verb::Help
        | Verb::SetEnvironment
        | Verb::UnsetEnvironment
        | Verb::ImportEnvironment
        | Verb::DaemonReload
        | Verb::DaemonReexec => &[],
    }
}

/// Those of every verb.
const SHARED: [Flag; 3] = [Flag::System, Flag::User, Flag::Quiet];

/// The text of one verb, or `None` where the word is no verb.
pub fn describe(word: &str, called_as: CalledAs) -> Option<String> {
    let row = super::verbs::find(word)?;
    let without = match row.needs {
        Needs::Started => "Where no manager runs, one is started in the background first.",
        Needs::Present => "Fails where no manager runs.",
        Needs::Asked => "Never starts a manager; says so where none runs.",
        Needs::Files => "Works on the files themselves where no manager runs, and with --root=DIR.",
        Needs::Nobody => "Needs no manager.",
    };
    let mut text =
        format!("{} {}\n\n{}. {without}\n\nOptions:\n", called_as.word(), spelled(row), row.summary);
    let own = own_options(row.verb);
    let is_meant = |flag: &&FlagRow| own.contains(&flag.flag) || SHARED.contains(&flag.flag);
    options(FLAGS.iter().filter(is_meant).filter(|flag| !flag.summary.is_empty()), &mut text);
    Some(text)
}

fn spelled(row: &VerbRow) -> String {
    format!("{} {}", row.word, row.arguments).trim_end().to_owned()
}

const PROGRAMS: &str = "
Programs:
  init                                         PID 1 of a container or VM, or a manager beside another PID 1
  up [DIR|FILE]                                The units of a folder in the foreground; Ctrl-C stops them
  logd                                         The relay from services' output to the console
  analyze, escape                              What times and names mean, as systemd-analyze and systemd-escape say it
  tmpfiles, sysusers                           Create files and users as tmpfiles.d and sysusers.d say
  generate sysv|fstab                          Units of init scripts or of /etc/fstab, written as generators do
  simulate DIR                                 Boot a folder's units on a pretend machine, and see what happens when
  replay FILE                                  What a manager heard and decided, from a file of 'flight save'
  verify FILE|FOLDER|UNIT…                     What is wrong with unit files, line by line; no manager is needed
  export UNIT --to MANAGER                     A service for launchd, OpenRC, SysV, runit or supervisord, and what is lost
                                               ('eudaemon init --help' and the like say more;
                                               'eudaemon help DIRECTIVE' tells of a key of unit files)
";

/// The words of programs that people type, for who misspells one.
pub const PROGRAM_WORDS: &[&str] = &[
    "init", "up", "logd", "analyze", "escape", "tmpfiles", "sysusers", "generate", "simulate", "replay",
    "verify", "export",
];

#[cfg(test)]
mod tests {
    use super::*;
    use expect_test::expect;

    #[test]
    fn scripts_find_a_version_where_systemctl_has_it() {
        let first = version(CalledAs::Systemctl);
        assert!(first.starts_with("systemd 252 ("), "debian's scripts match `systemd ([0-9]+) \\(.*`");
    }

    #[test]
    fn a_verb_is_described_from_its_row() {
        expect![[r#"
            eudaemon start UNIT…

            Bring units up, and wait until they are. Where no manager runs, one is started in the background first.

            Options:
                  --system                                 The system's manager
                  --user                                   The caller's own manager
                  --job-mode=MODE                          How a new job meets those under way
              -T  --show-transaction                       Show every job that a job brings with it
                  --no-block                               Do not wait for jobs to end
                  --wait                                   Wait until units are down again, or the system is up
              -q  --quiet                                  No text, exit code only
                  --dry-run                                Say what would be done, for verbs that start and stop
        "#]]
        .assert_eq(&describe("start", CalledAs::Eudaemon).unwrap());
        assert_eq!(describe("frobnicate", CalledAs::Eudaemon), None);
    }
}
