//! Whether the users and groups a unit runs as are known: in the user database, or made by a file of sysusers.d(5).
//!
//! Packages make theirs when they are installed, and a directory service may know more: so this is a note, unless
//! the surroundings a unit is meant for were named.

use super::Looking;
use crate::finding::{Finding, Suggestion};
use crate::ground::Ground;
use crate::surroundings::Meant;
use eudaemon_unit::config::Config;
use eudaemon_unit::files::join;
use eudaemon_unit::limits::UNIT_FILE_MAX;
use eudaemon_unit::spelling::slip;
use eudaemon_unit::values::words::Words;
use std::collections::BTreeSet;

/// The names that are known; of neither kind any, where there is no user database to look into.
#[derive(Default)]
pub(super) struct Accounts {
    users: BTreeSet<String>,
    groups: BTreeSet<String>,
}

/// Known to systemd without a look into the database.
const ALWAYS: [&str; 2] = ["root", "nobody"];

const SYSUSERS: [&str; 4] =
    ["/etc/sysusers.d", "/run/sysusers.d", "/usr/local/lib/sysusers.d", "/usr/lib/sysusers.d"];

impl Accounts {
    pub fn read(ground: &Ground<'_>) -> Accounts {
        let text = |path: &str| {
            let bytes = ground.tree.read(path, UNIT_FILE_MAX).unwrap_or_default();
            String::from_utf8_lossy(&bytes).into_owned()
        };
        let names = |path: &str| -> BTreeSet<String> {
            let first = |line: &str| line.split_once(':').map(|(name, _)| name.to_owned());
            text(path).lines().filter_map(first).collect()
        };
        let mut accounts = Accounts { users: names("/etc/passwd"), groups: names("/etc/group") };
        if accounts.users.is_empty() {
            return Accounts::default();
        }
        for directory in SYSUSERS {
            for (name, _) in ground.tree.list(directory).unwrap_or_default() {
                if name.ends_with(".conf") {
                    text(&join(directory, &name)).lines().for_each(|line| accounts.promise(line));
                }
            }
        }
        accounts
    }

    /// What a line of sysusers.d will make.
    fn promise(&mut self, line: &str) {
        let mut words = Words::quoted(line).map_while(Result::ok).map(|word| word.text);
        let (Some(kind), Some(name)) = (words.next(), words.next()) else { return };
        match kind.trim_end_matches('!') {
            // A user has a group of its name.
            "u" => {
                self.users.insert(name.clone());
                self.groups.insert(name);
            }
            "g" => drop(self.groups.insert(name)),
            "m" => {
                self.users.insert(name);
                self.groups.extend(words.next());
            }
            _ => {}
        }
    }

    fn missing<'a>(known: &'a BTreeSet<String>, name: &str) -> Option<Option<&'a str>> {
        let number = name.bytes().all(|byte| byte.is_ascii_digit());
        let is_known = number || ALWAYS.contains(&name) || name.contains('%') || known.contains(name);
        (!is_known && !known.is_empty()).then(|| slip(name, known.iter().map(String::as_str)))
    }
}

pub(super) fn add(
    looking: &Looking<'_>,
    accounts: &Accounts,
    config: &Config,
    meant: Meant,
    findings: &mut Vec<Finding>,
) {
    // An ordinary user's manager does not change users, and dynamic ones are made.
    let Some(exec) = config.exec().filter(|exec| !exec.dynamic_user) else { return };
    if !meant.kind.changes_users() {
        return;
    }
    // Of a package that is not installed neither the programs are there nor its users.
    let severity = super::file::severity(looking, config, meant);
    let (users, groups) = (&accounts.users, &accounts.groups);
    let user = exec.user.iter().map(|name| ("User", "user", users, name));
    let group = exec.group.iter().map(|name| ("Group", "group", groups, name));
    let more = exec.supplementary_groups.iter().map(|name| ("SupplementaryGroups", "group", groups, name));
    for (key, what, known, name) in user.chain(group).chain(more) {
        // `User=%i` of a template, which is looked at with an instance of our own.
        if config.name.instance() == Some(name) {
            continue;
        }
        let Some(near) = Accounts::missing(known, name) else { continue };
        let text =
            format!("{}: {key}={name}: no such {what} is known, and sysusers.d makes none", config.name);
        let spot = looking.sources.assignment(config, &[key], Some(name));
        let spot = spot.or_else(|| looking.sources.assignment(config, &[key], None));
        let finding = Finding::of_file(looking.file(config), severity, "unknown-account", text);
        let finding = finding.expecting(format!("a {what} of this system")).at(spot);
        findings.push(Finding { suggestion: near.map(Suggestion::word), ..finding });
    }
}
