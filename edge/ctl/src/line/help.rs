//! The texts of `help`, written from the two tables: the reference of the command line.

use super::options::FLAGS;
use super::verbs::{Needs, VERBS, VerbRow};
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
    for row in FLAGS.iter().filter(|row| !row.summary.is_empty()) {
        let short = row.short.map_or("   ".to_owned(), |short| format!("-{short} "));
        let value = row.value.map_or(String::new(), |value| format!("={value}"));
        writeln!(text, "  {:<44} {}", format!("{short} --{}{value}", row.long), row.summary).ok();
    }
    text
}

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
    Some(format!("{} {}\n\n{}. {without}\n", called_as.word(), spelled(row), row.summary))
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
                                               ('eudaemon init --help' and the like say more;
                                               'eudaemon help DIRECTIVE' tells of a key of unit files)
";

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
        "#]]
        .assert_eq(&describe("start", CalledAs::Eudaemon).unwrap());
        assert_eq!(describe("frobnicate", CalledAs::Eudaemon), None);
    }
}
