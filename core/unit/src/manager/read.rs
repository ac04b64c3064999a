//! The files: which there are, in which order they count, and what a line does.

use super::settings::Settings;
use super::table::{Row, find};
use crate::diagnostic::{Code, Diagnostic, Report, Severity};
use crate::directives::{Line, Outcome, Support};
use crate::files::{Environment, Kind, Scope, Tree, TreeError, join};
use crate::limits;
use crate::name::UnitName;
use crate::specifier::{Allowed, Context, Scope as Place};
use crate::syntax::{Assignment, Event, Lexer};
use std::collections::BTreeMap;

/// Where the settings of a manager are looked for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Places {
    /// The first that is there is read.
    pub main: Vec<String>,
    /// Of two drop-ins of one name that in the earlier folder counts.
    pub folders: Vec<String>,
}

impl Places {
    pub fn new(scope: Scope, environment: &Environment) -> Places {
        const ROOTS: [&str; 5] = ["/etc", "/run", "/usr/local/lib", "/usr/lib", "/lib"];
        let folders = |name: &str| ROOTS.map(|root| format!("{root}/systemd/{name}.conf.d"));
        match scope {
            Scope::System => {
                Places { main: vec!["/etc/systemd/system.conf".into()], folders: folders("system").to_vec() }
            }
            Scope::User => {
                let home = environment.home.as_ref().map(|home| format!("{home}/.config"));
                let own = environment.config_home.clone().or(home).map(|config| format!("{config}/systemd"));
                let main = own.iter().map(|own| format!("{own}/user.conf"));
                let dropins = own.iter().map(|own| format!("{own}/user.conf.d"));
                Places {
                    main: main.chain(["/etc/systemd/user.conf".to_owned()]).collect(),
                    folders: dropins.chain(folders("user")).collect(),
                }
            }
        }
    }

    /// The texts that are there, in the order they count; what cannot be read is said.
    pub fn texts<T: Tree + ?Sized>(&self, tree: &T) -> (Vec<Text>, Vec<Diagnostic>) {
        let (mut texts, mut odd) = (Vec::new(), Vec::new());
        for path in &self.main {
            match tree.read(path, limits::UNIT_FILE_MAX) {
                Ok(text) => {
                    texts.push(Text { path: path.clone(), text });
                    break;
                }
                Err(TreeError::NotFound | TreeError::NotADirectory) => {}
                Err(error) => odd.push(unreadable(path, &error)),
            }
        }
        for path in self.dropins(tree) {
            match tree.read(&path, limits::UNIT_FILE_MAX) {
                Ok(text) => texts.push(Text { path, text }),
                Err(error) => odd.push(unreadable(&path, &error)),
            }
        }
        (texts, odd)
    }

    /// By name, wherever they lie; one that leads to /dev/null hides those of its name.
    fn dropins<T: Tree + ?Sized>(&self, tree: &T) -> Vec<String> {
        let mut found: BTreeMap<String, Option<String>> = BTreeMap::new();
        for folder in &self.folders {
            let Ok(entries) = tree.list(folder) else { continue };
            for (name, kind) in entries.into_iter().take(limits::FOLDER_ENTRIES) {
                if !name.ends_with(".conf") || name.starts_with('.') || kind == Kind::Directory {
                    continue;
                }
                let path = join(folder, &name);
                let shown = if tree.is_void(&path) { None } else { Some(path) };
                found.entry(name).or_insert(shown);
            }
        }
        found.into_values().flatten().collect()
    }
}

fn unreadable(path: &str, error: &TreeError) -> Diagnostic {
    Diagnostic::of_unit(path, Severity::Warning, format!("cannot read: {error}")).coded(Code::Unreadable)
}

/// The text of one file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Text {
    pub path: String,
    pub text: Vec<u8>,
}

/// What files say, in the order they count, upon what holds without them.
pub fn read(settings: &mut Settings, texts: &[Text], cx: &Context) -> Vec<Diagnostic> {
    let mut report = Report::default();
    // The manager is the one process of this unit.
    let Ok(own) = UnitName::parse("init.scope") else { return Vec::new() };
    'files: for Text { path, text } in texts {
        for event in Lexer::new(path, text, &["Manager"]) {
            match event {
                Event::Assignment(assignment) => assign(settings, &assignment, &own, cx, &mut report),
                Event::Odd(odd) => report.push(odd),
                // What cannot be read on ends the reading, of the files behind it too.
                Event::Broken(broken, _) => {
                    report.push(broken);
                    break 'files;
                }
            }
        }
    }
    report.finish("the manager's settings")
}

/// What is asked for and not given is said.
fn unheard(row: &Row, line: &mut Line<'_>) {
    match row.support {
        Support::Full => {}
        Support::Partial(missing) => line.note(format!("{}= is acted on in part: {missing}", row.key)),
        Support::NotYet => line.note(format!("{}= is not acted on yet", row.key)),
        Support::Ignored(why) => line.note(format!("{}= is not acted on: {why}", row.key)),
    }
}

fn assign(
    settings: &mut Settings,
    assignment: &Assignment<'_>,
    own: &UnitName,
    cx: &Context,
    diagnostics: &mut Report,
) {
    let Assignment { section: _, key, value, at } = assignment;
    let Some(row) = find(key) else {
        if !key.starts_with("X-") {
            let text = format!("Unknown key '{key}' in section [Manager], ignoring.");
            let unknown = at.diagnostic(Severity::Warning, text, "a key of that section".into());
            diagnostics.push(unknown.coded(Code::UnknownKey));
        }
        return;
    };
    let mut line = Line {
        kind: row.kind,
        specifiers: Allowed::OfManager,
        section: "Manager",
        key: row.key,
        value,
        at,
        scope: Place { name: own, fragment: "", cx },
        diagnostics,
        outcome: Outcome::Fine,
    };
    let before = line.diagnostics.count();
    (row.set)(settings, &mut line);
    if !value.is_empty() && line.diagnostics.count() == before {
        unheard(row, &mut line);
    }
}
