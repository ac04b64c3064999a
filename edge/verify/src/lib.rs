#![forbid(unsafe_code)]
//! `eudaemon verify`: unit files read with all they lead to, and what is wrong with them, line by line.
//!
//! It reads with the manager's own reader and plans with its planner; it asks no manager and changes no file.
//! `eudaemon help DIRECTIVE` prints what the reader's table says of one key.
//!
//! Modules stand in the order the facts flow: the line, what was asked, where it is looked for, the checks, the words.

mod options;

mod asked;
mod ground;
mod limits;
mod source;
mod surroundings;

mod check;
mod finding;

mod directive;
mod json;
mod render;

pub use asked::clean;
pub use check::{Dropped, dropped, nearest_unit};
pub use directive::help;
pub use finding::{Finding, Place, Suggestion};
pub use ground::{Disk, Ground, Programs, environment, specifiers};
pub use render::Colours;
pub use surroundings::{Meant, Named, Surroundings};

use asked::Asked;
use eudaemon_unit::diagnostic::Severity;
use eudaemon_unit::files::{Scope, join};
use options::{Format, Line};
use std::collections::BTreeSet;
use std::ffi::OsString;
use std::io::{IsTerminal, Write};
use std::process::ExitCode;

/// What is to be verified, and how.
#[derive(Clone, Debug)]
pub struct Request {
    /// Paths of unit files or of folders of them, and names of units.
    pub arguments: Vec<String>,
    pub scope: Scope,
    /// Empty for the machine itself.
    pub root: String,
    pub meant: Meant,
    pub manuals: Manuals,
    pub recursion: Recursion,
    pub notes: Notes,
}

/// Whether the man pages of `Documentation=` are looked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Manuals {
    PassedOver,
    Checked,
}

/// Of which units the files are told: systemd-analyze(1), `--recursive-errors=`. What is wrong with the others is counted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Recursion {
    /// Those asked for, and of what they require that for which they could not be started.
    Named,
    /// And those they name.
    Direct,
    /// And all they lead to.
    All,
}

/// What was found.
#[derive(Clone, Debug, Default)]
pub struct Report {
    /// In the units that were asked about, in the order of the arguments.
    pub findings: Vec<Finding>,
    /// In others that they lead to: this is no more than counted.
    pub elsewhere: Vec<Finding>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Notes {
    Kept,
    Dropped,
}

impl Default for Request {
    fn default() -> Request {
        Request {
            arguments: Vec::new(),
            scope: Scope::System,
            root: String::new(),
            meant: Meant { kind: Surroundings::Machine, named: Named::No },
            manuals: Manuals::PassedOver,
            recursion: Recursion::Named,
            notes: Notes::Kept,
        }
    }
}

/// The arguments begin with the word `verify`.
pub fn main(arguments: Vec<OsString>) -> ExitCode {
    let container = eudaemon_host::abilities::container().is_some();
    let here = if container { Surroundings::Container } else { Surroundings::Machine };
    match options::read(arguments, here) {
        Ok(Line::Help) => write(std::io::stdout(), options::HELP, ExitCode::SUCCESS),
        Ok(Line::Verify(request, format)) => {
            let report = verify(&request);
            let code = if is_clean(&report.findings) { ExitCode::SUCCESS } else { ExitCode::FAILURE };
            match format {
                Format::Json => write(std::io::stdout(), &json::array(&report.findings), code),
                Format::Text => write(std::io::stderr(), &text(&report, colours()), code),
            }
        }
        Err(text) => write(std::io::stderr(), &format!("verify: {text}\n"), ExitCode::FAILURE),
    }
}

/// All that was found.
pub fn verify(request: &Request) -> Report {
    let here = std::env::current_dir().map(|path| path.to_string_lossy().into_owned()).unwrap_or_default();
    let root = match request.root.as_str() {
        "" | "/" => String::new(),
        root => asked::clean(&join(&here, root)),
    };
    let (folder, arguments) = match root.is_empty() {
        true => (here.as_str(), request.arguments.clone()),
        false => ("/", request.arguments.iter().map(|one| inside(&root, &here, one)).collect()),
    };
    let disk = Disk::of(&root);
    let environment = ground::environment(&root);
    let cx = ground::specifiers(request.scope, &environment);
    let asked = Asked::read(&disk.tree, &arguments, folder);
    let ground_of =
        |folders: &[String]| Ground::new(&disk.tree, &disk, folders, &environment, request.scope, cx.clone());
    let mut report = look(&asked, request, &ground_of);
    let all = report.findings.iter_mut().chain(&mut report.elsewhere);
    for finding in all.filter(|finding| finding.file.starts_with('/')) {
        finding.file.insert_str(0, &root);
    }
    report
}

/// A path as one below the root, if that is where it leads; others, and names, are of the root already.
fn inside(root: &str, here: &str, argument: &str) -> String {
    let path = asked::clean(&join(here, argument));
    match path.strip_prefix(root) {
        Some(rest) if argument.contains('/') && (rest.is_empty() || rest.starts_with('/')) => join("/", rest),
        Some(_) | None => argument.to_owned(),
    }
}

fn look<'a>(asked: &Asked, request: &Request, ground_of: &dyn Fn(&[String]) -> Ground<'a>) -> Report {
    let Report { mut findings, mut elsewhere } =
        Report { findings: asked.findings.clone(), ..Report::default() };
    for round in &asked.rounds {
        let found = check::round(&ground_of(&round.folders), round, request);
        findings.extend(found.findings);
        elsewhere.extend(found.elsewhere);
    }
    if !asked.settings.is_empty() {
        let ground = ground_of(&[]);
        let of = |path: &String| check::settings(ground.tree, path, &ground.cx);
        findings.extend(asked.settings.iter().flat_map(of));
    }
    if !asked.whole.is_empty() {
        check::folders(&ground_of(&asked.whole), asked, &mut findings);
    }
    // Units that share a file or a drop-in share what is wrong with it.
    let mut seen = BTreeSet::new();
    for list in [&mut findings, &mut elsewhere] {
        list.retain(|finding| {
            let range = finding.place.as_ref().map(|place| (place.range.start, place.range.end));
            seen.insert((finding.file.clone(), range, finding.message.clone()))
        });
        list.retain(|finding| request.notes == Notes::Kept || finding.severity > Severity::Note);
    }
    Report { findings, elsewhere }
}

/// Whether nothing is worse than a note.
pub fn is_clean(findings: &[Finding]) -> bool {
    findings.iter().all(|finding| finding.severity == Severity::Note)
}

/// Findings for people, with a line that counts them, and one for those that are not shown.
pub fn text(report: &Report, colours: Colours) -> String {
    let Report { findings, elsewhere } = report;
    let mut text = render::render(findings, colours);
    if !findings.is_empty() {
        text.push_str(&format!("verify: {}\n", render::count(findings)));
    }
    if !elsewhere.is_empty() {
        let count = render::count(elsewhere);
        text.push_str(&format!("verify: {count} in other units (--recursive-errors=yes shows them)\n"));
    }
    text
}

fn colours() -> Colours {
    let off = std::env::var_os("NO_COLOR").is_some_and(|value| !value.is_empty());
    if std::io::stderr().is_terminal() && !off { Colours::On } else { Colours::Off }
}

/// A reader that went away takes nothing from the answer.
fn write(mut out: impl Write, text: &str, code: ExitCode) -> ExitCode {
    match out.write_all(text.as_bytes()).and_then(|()| out.flush()) {
        Ok(()) => code,
        Err(error) if error.kind() == std::io::ErrorKind::BrokenPipe => code,
        Err(_) => ExitCode::FAILURE,
    }
}

#[cfg(test)]
mod tests;
