//! The command line.

use crate::surroundings::{Meant, Named, Surroundings};
use crate::{Manuals, Recursion, Request};
use eudaemon_unit::files::Scope;
use lexopt::ValueExt;
use std::ffi::OsString;

pub const HELP: &str = "\
eudaemon verify [OPTIONS…] FILE|FOLDER|UNIT…

Reads unit files with all they lead to and says what is wrong with them, line by line. No manager is needed, and
nothing is changed.

  --system, --user          Along whose search path units are looked for
  --root=DIR                The file system of an image
  --for=SURROUNDINGS        Warn of what is not honoured in a container, rootless, in a vm or on a machine
  --man=yes                 Check that the man pages of Documentation= are installed
  --recursive-errors=MODE   Of which units is told beside those named: yes (all that are led to), one (those named
                            directly), no (the default: what cannot be started without is told, the rest counted)
  --json                    An array of objects on standard output
  -q, --quiet               No notes
  -h, --help                This text

An error: the unit cannot be loaded or started. A warning: a line is ignored, or something is missing that the unit
can be started without. A note: a directive that is not honoured here. Exit code 0 where there is no error and no
warning in what is told, else 1.
";

/// How findings are written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Format {
    Text,
    Json,
}

#[derive(Debug)]
pub enum Line {
    Help,
    Verify(Request, Format),
}

/// The arguments begin with the word `verify`.
pub fn read(arguments: Vec<OsString>, here: Surroundings) -> Result<Line, String> {
    use lexopt::prelude::*;
    let say = |error: lexopt::Error| error.to_string();
    let mut request = Request::default();
    request.meant.kind = here;
    let mut format = Format::Text;
    let mut parser = lexopt::Parser::from_iter(arguments);
    while let Some(argument) = parser.next().map_err(say)? {
        match argument {
            Long("system") => request.scope = Scope::System,
            Long("user") => {
                request.scope = Scope::User;
                if request.meant.named == Named::No {
                    request.meant.kind = Surroundings::Rootless;
                }
            }
            Long("root") => request.root = text(parser.value().map_err(say)?)?,
            Long("for") => {
                request.meant = Meant { kind: surroundings(parser.value().map_err(say)?)?, named: Named::Yes }
            }
            Long("man") => {
                let value = parser.optional_value();
                request.manuals = match value.map(text).transpose()?.as_deref() {
                    None | Some("yes" | "true" | "1" | "on") => Manuals::Checked,
                    Some("no" | "false" | "0" | "off") => Manuals::PassedOver,
                    Some(other) => return Err(format!("--man={other}: expected yes or no")),
                };
            }
            Long("recursive-errors") => {
                request.recursion = match text(parser.value().map_err(say)?)?.as_str() {
                    "yes" => Recursion::All,
                    "one" => Recursion::Direct,
                    "no" => Recursion::Named,
                    other => return Err(format!("--recursive-errors={other}: expected yes, one or no")),
                };
            }
            Long("json") => format = Format::Json,
            Short('q') | Long("quiet") => request.notes = crate::Notes::Dropped,
            Short('h') | Long("help") => return Ok(Line::Help),
            // Scripts pass it to systemd-analyze.
            Long("no-pager") => {}
            Value(value) => request.arguments.push(text(value)?),
            odd @ (Short(_) | Long(_)) => return Err(odd.unexpected().to_string()),
        }
    }
    if request.arguments.is_empty() {
        return Err(
            "nothing to verify: name a unit, a file or a folder, as in 'eudaemon verify web.service'"
                .to_owned(),
        );
    }
    Ok(Line::Verify(request, format))
}

fn text(value: OsString) -> Result<String, String> {
    value.string().map_err(|_| "an argument is not UTF-8".to_owned())
}

fn surroundings(value: OsString) -> Result<Surroundings, String> {
    let value = text(value)?;
    let found = Surroundings::ALL.iter().find(|(word, _)| *word == value);
    found
        .map(|(_, surroundings)| *surroundings)
        .ok_or_else(|| format!("--for={value}: expected container, rootless, vm or machine"))
}
