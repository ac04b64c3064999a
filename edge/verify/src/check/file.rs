//! Whether the files and directories without which a unit does not start are there.
//!
//! Where the unit's programs are not there either, they may all come with a package: then this is a note, unless the
//! surroundings a unit is meant for were named. What is made at boot or by the unit itself is passed over.

use super::Looking;
use crate::finding::Finding;
use crate::ground::Ground;
use crate::surroundings::Meant;
use eudaemon_unit::config::Config;
use eudaemon_unit::config::exec::{Exec, Failure, Place};
use eudaemon_unit::diagnostic::Severity;
use eudaemon_unit::files::{Kind, join, resolve};
use eudaemon_unit::limits::UNIT_FILE_MAX;
use std::collections::BTreeSet;

/// Paths that tmpfiles.d(5) makes at boot.
#[derive(Default)]
pub(super) struct Promised(BTreeSet<String>);

const TMPFILES: [&str; 4] =
    ["/etc/tmpfiles.d", "/run/tmpfiles.d", "/usr/local/lib/tmpfiles.d", "/usr/lib/tmpfiles.d"];

/// What is below these is not there before a boot.
const AT_BOOT: [&str; 6] = ["/run/", "/var/run/", "/tmp/", "/dev/", "/proc/", "/sys/"];

/// The path that a line of tmpfiles.d(5) makes, if it makes one: not what it removes, ignores or only changes.
fn made(line: &str) -> Option<&str> {
    const MAKES: &str = "fFdDvqQpLcbC";
    let mut words = line.split_ascii_whitespace();
    let kind = words.next()?.chars().next()?;
    MAKES.contains(kind).then(|| words.next()).flatten()
}

impl Promised {
    pub fn read(ground: &Ground<'_>) -> Promised {
        let mut promised = Promised::default();
        for directory in TMPFILES {
            for (name, _) in ground.tree.list(directory).unwrap_or_default() {
                if !name.ends_with(".conf") {
                    continue;
                }
                let path = join(directory, &name);
                let bytes = ground.tree.read(&path, UNIT_FILE_MAX).unwrap_or_default();
                let text = String::from_utf8_lossy(&bytes);
                let paths = text.lines().filter_map(made);
                promised.0.extend(paths.map(|path| path.trim_end_matches('/').to_owned()));
            }
        }
        promised
    }

    pub fn has(&self, path: &str) -> bool {
        AT_BOOT.iter().any(|folder| path.starts_with(folder)) || self.0.contains(path.trim_end_matches('/'))
    }
}

pub(super) fn add(
    looking: &Looking<'_>,
    promised: &Promised,
    config: &Config,
    meant: Meant,
    findings: &mut Vec<Finding>,
) {
    // Below another root nothing can be told.
    let Some(exec) = config.exec().filter(|exec| exec.root_directory.is_none()) else { return };
    let severity = severity(looking, config, meant);
    let mut say = |key: &str, path: &str, code, text: &str, expected: &str| {
        let spot = looking.sources.assignment(config, &[key], Some(path));
        let spot = spot.or_else(|| looking.sources.assignment(config, &[key], None));
        let text = format!("{}: {key}={path} {text}", config.name);
        let finding = Finding::of_file(looking.file(config), severity, code, text);
        findings.push(finding.expecting(expected).at(spot));
    };
    for file in &exec.environment_files {
        let is_pattern = file.path.contains(['*', '?', '[']);
        if file.missing == Failure::Ignored || is_pattern || promised.has(&file.path) {
            continue;
        }
        if kind(looking, &file.path).is_none() {
            let text = "is not there: the unit does not start without it";
            say("EnvironmentFile", &file.path, "missing-file", text, "a file, or `-` before the path");
        }
    }
    let directory = &exec.working_directory;
    let Place::Path(path) = &directory.place else { return };
    if directory.missing == Failure::Ignored || promised.has(path) || makes(exec, looking, path) {
        return;
    }
    let expected = "a directory, or `-` before the path";
    match kind(looking, path) {
        Some(Kind::Directory) => {}
        Some(Kind::File | Kind::Special | Kind::Symlink(_)) => {
            say("WorkingDirectory", path, "missing-directory", "is no directory", expected);
        }
        None => {
            let text = "is not there: the unit does not start without it";
            say("WorkingDirectory", path, "missing-directory", text, expected);
        }
    }
}

/// How bad it is that something is not there.
pub(super) fn severity(looking: &Looking<'_>, config: &Config, meant: Meant) -> Severity {
    match super::program::are_there(looking, config) {
        true => Severity::Warning,
        false => meant.severity(),
    }
}

pub(super) fn kind(looking: &Looking<'_>, path: &str) -> Option<Kind> {
    resolve(looking.ground.tree, path).ok()?.kind
}

/// Whether the unit makes the directory itself.
pub(super) fn makes(exec: &Exec, looking: &Looking<'_>, path: &str) -> bool {
    let directories = &looking.ground.cx.directories;
    let kinds = [
        (&directories.runtime, &exec.runtime_directory),
        (&directories.state, &exec.state_directory),
        (&directories.cache, &exec.cache_directory),
        (&directories.logs, &exec.logs_directory),
        (&directories.configuration, &exec.configuration_directory),
    ];
    let mut made =
        kinds.into_iter().flat_map(|(base, made)| made.names.iter().map(move |(name, _)| join(base, name)));
    made.any(|made| made.strip_prefix(path).is_some_and(|rest| rest.is_empty() || rest.starts_with('/')))
}
