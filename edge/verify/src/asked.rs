//! The arguments as units: which names to look at, and which folders to look for them in first.

use crate::finding::Finding;
use crate::limits::FOLDER_ENTRIES;
use eudaemon_unit::diagnostic::Severity;
use eudaemon_unit::files::{Kind, Tree, base_name, join, parent, resolve};
use eudaemon_unit::name::{UnitKind, UnitName};

/// One round: names that do not stand in each other's way.
#[derive(Debug, Default)]
pub struct Round {
    /// First along the search path, in the order they were named.
    pub folders: Vec<String>,
    pub names: Vec<UnitName>,
}

#[derive(Debug, Default)]
pub struct Asked {
    pub rounds: Vec<Round>,
    /// Folders that were named whole.
    pub whole: Vec<String>,
    /// Files of the manager's own settings.
    pub settings: Vec<String>,
    pub findings: Vec<Finding>,
}

/// The instance a template is looked at with, as systemd-analyze(1) has it.
const INSTANCE: &str = "i";

impl Asked {
    /// Reads arguments: paths of unit files, of folders of them, or names. `folder` is where relative paths begin.
    pub fn read<T: Tree + ?Sized>(tree: &T, arguments: &[String], folder: &str) -> Asked {
        let mut asked = Asked::default();
        for argument in arguments {
            let path = clean(&join(folder, argument));
            let kind = resolve(tree, &path).ok().and_then(|found| found.kind);
            let there = tree.look_at(&path).is_ok();
            match kind {
                Some(Kind::Directory) if is_dropin_folder(&path) => asked.file(argument, &path),
                Some(Kind::Directory) if argument.contains('/') || UnitName::parse(argument).is_err() => {
                    asked.folder(tree, &path);
                }
                _ if argument.contains('/') || there => asked.file(argument, &path),
                _ => asked.name(argument),
            }
        }
        asked
    }

    fn folder<T: Tree + ?Sized>(&mut self, tree: &T, path: &str) {
        let entries = match tree.list(path) {
            Ok(entries) => entries,
            Err(error) => {
                let text = format!("cannot read: {error}");
                return self.findings.push(Finding::of_file(path, Severity::Error, "unreadable", text));
            }
        };
        if crate::check::is_settings(&join(path, "any.conf")) {
            let files = entries.into_iter().take(FOLDER_ENTRIES).map(|(name, _)| join(path, &name));
            return self.settings.extend(files.filter(|file| crate::check::is_settings(file)));
        }
        self.whole.push(path.to_owned());
        let mut units = entries.into_iter().take(FOLDER_ENTRIES).filter(|(name, kind)| {
            let suffix = name.rsplit_once('.').map_or("", |(_, suffix)| suffix);
            UnitKind::from_suffix(suffix).is_some() && *kind != Kind::Directory
        });
        let Some(first) = units.next() else {
            let text = "no unit files in this folder";
            return self.findings.push(Finding::of_file(path, Severity::Warning, "empty-folder", text));
        };
        for (name, _) in std::iter::once(first).chain(units) {
            let path = join(path, &name);
            self.file(&path, &path);
        }
    }

    fn file(&mut self, argument: &str, path: &str) {
        if crate::check::is_settings(path) {
            return self.settings.push(path.to_owned());
        }
        // A drop-in, or a folder of them, is looked at with the unit it belongs to.
        let dropins = if path.ends_with(".conf") { parent(path) } else { path };
        if is_dropin_folder(dropins) {
            let name = base_name(dropins).trim_end_matches(".d");
            return self.file(name, &join(parent(dropins), name));
        }
        match instanced(base_name(path)) {
            Ok(name) => self.put(name, Some(parent(path))),
            Err(text) => self.refuse(argument, text),
        }
    }

    fn name(&mut self, argument: &str) {
        let known =
            argument.rsplit_once('.').is_some_and(|(_, suffix)| UnitKind::from_suffix(suffix).is_some());
        let name = if known { argument.to_owned() } else { format!("{argument}.service") };
        match instanced(&name) {
            Ok(name) => self.put(name, None),
            Err(text) => self.refuse(argument, text),
        }
    }

    fn refuse(&mut self, argument: &str, text: String) {
        self.findings.push(
            Finding::of_file(argument, Severity::Error, "bad-name", text)
                .expecting("a unit name such as web.service, web@.service or web@1.service"),
        );
    }

    /// A second file of a name that was given before has a round of its own: the first would hide it.
    fn put(&mut self, name: UnitName, folder: Option<&str>) {
        let hides = |round: &Round| {
            round.names.contains(&name)
                && folder.is_some_and(|folder| round.folders.first().is_none_or(|first| first != folder))
        };
        let at = self.rounds.iter().position(|round| !hides(round)).unwrap_or(self.rounds.len());
        if at == self.rounds.len() {
            self.rounds.push(Round::default());
        }
        let round = &mut self.rounds[at];
        if let Some(folder) = folder
            && !round.folders.iter().any(|known| known == folder)
        {
            round.folders.push(folder.to_owned());
        }
        if !round.names.contains(&name) {
            round.names.push(name);
        }
    }
}

fn is_dropin_folder(path: &str) -> bool {
    base_name(path).strip_suffix(".d").is_some_and(|name| UnitName::parse(name).is_ok())
}

fn instanced(text: &str) -> Result<UnitName, String> {
    let name = UnitName::parse(text).map_err(|error| error.to_string())?;
    if !name.is_template() {
        return Ok(name);
    }
    name.with_instance(INSTANCE).map_err(|error| error.to_string())
}

/// An absolute path without `.`, `..` and double slashes; as text, so that a link keeps its name.
pub fn clean(path: &str) -> String {
    let mut parts: Vec<&str> = Vec::new();
    for part in path.split('/').filter(|part| !part.is_empty() && *part != ".") {
        match part {
            ".." => drop(parts.pop()),
            part => parts.push(part),
        }
    }
    format!("/{}", parts.join("/"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use eudaemon_unit::files::MemoryTree;
    use expect_test::{Expect, expect};

    fn check(arguments: &[&str], expected: Expect) {
        let mut tree = MemoryTree::new();
        for path in [
            "/b/d.service.d/1.conf",
            "/a/x.service",
            "/a/t@.timer",
            "/a/README",
            "/a/sp ace.service",
            "/b/x.service",
        ] {
            tree.file(path, "[Unit]");
        }
        let arguments: Vec<String> = arguments.iter().map(|argument| (*argument).to_owned()).collect();
        let asked = Asked::read(&tree, &arguments, "/a");
        let mut shown = String::new();
        for round in &asked.rounds {
            shown += &format!("{:?} along {:?}\n", round.names, round.folders);
        }
        for finding in &asked.findings {
            shown += &format!("{}: {}\n", finding.file, finding.message);
        }
        expected.assert_eq(&shown);
    }

    #[test]
    fn files_folders_and_names() {
        check(
            &["x.service", "../b/./y.service", "cron"],
            expect![[r#"
            [x.service, y.service, cron.service] along ["/a", "/b"]
        "#]],
        );
        check(
            &["."],
            expect![[r#"
                [t@i.timer, x.service] along ["/a"]
                /a/sp ace.service: unit name with the character ' '
            "#]],
        );
        check(
            &["/a/README", "/a"],
            expect![[r#"
                [t@i.timer, x.service] along ["/a"]
                /a/README: unit name without a suffix such as .service
                /a/sp ace.service: unit name with the character ' '
            "#]],
        );
    }

    #[test]
    fn two_files_of_one_name_do_not_hide_each_other() {
        check(
            &["/a/x.service", "/b/x.service", "/b/z.service"],
            expect![[r#"
            [x.service, z.service] along ["/a", "/b"]
            [x.service] along ["/b"]
        "#]],
        );
    }
}
