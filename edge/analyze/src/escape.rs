//! `escape`, also as `systemd-escape`: texts and paths as names of units, and back.

use crate::options::{Given, Long, Stop, getopt};
use crate::{flag, value, version};
use eudaemon_unit::escape as names;
use eudaemon_unit::name::{UnitKind, UnitName};
use std::ffi::OsString;
use std::io::Write;
use std::os::unix::ffi::OsStrExt;
use std::process::ExitCode;

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
enum Action {
    #[default]
    Escape,
    Unescape,
    Mangle,
}

#[derive(Default)]
struct Options {
    action: Action,
    suffix: Option<String>,
    template: Option<UnitName>,
    instance: bool,
    path: bool,
    texts: Vec<OsString>,
}

/// The arguments begin with the program's own word.
pub fn main(arguments: Vec<OsString>) -> ExitCode {
    let mut out = Vec::new();
    let outcome = options(arguments).and_then(|options| run(&options, &mut out));
    let written = std::io::stdout().write_all(&out);
    match (outcome, written) {
        (Ok(()), Ok(())) => ExitCode::SUCCESS,
        (Err(Stop::Show(text)), _) => {
            out!("{text}");
            ExitCode::SUCCESS
        }
        (Err(Stop::Refuse(text)), _) => {
            eprintln!("{text}");
            ExitCode::FAILURE
        }
        (Ok(()), Err(error)) => {
            eprintln!("cannot write: {error}");
            ExitCode::FAILURE
        }
    }
}

const LONG: &[Long] = &[
    flag("help"),
    flag("instance"),
    flag("mangle"),
    flag("path"),
    value("suffix"),
    value("template"),
    flag("unescape"),
    flag("version"),
];

fn options(arguments: Vec<OsString>) -> Result<Options, Stop> {
    let mut options = Options::default();
    for given in getopt("systemd-escape", LONG, "hump", arguments)? {
        match given {
            Given::Long("suffix", suffix) => {
                if UnitKind::from_suffix(&suffix).is_none() {
                    return Err(Stop::Refuse(format!("Invalid unit suffix type \"{suffix}\".")));
                }
                options.suffix = Some(suffix);
            }
            Given::Long("template", text) => {
                let name = UnitName::parse(&text).ok().filter(UnitName::is_template);
                let bad = || Stop::Refuse(format!("Template name {text} is not valid."));
                options.template = Some(name.ok_or_else(bad)?);
            }
            Given::Long("instance", _) => options.instance = true,
            Given::Long("unescape", _) | Given::Short('u') => options.action = Action::Unescape,
            Given::Long("mangle", _) | Given::Short('m') => options.action = Action::Mangle,
            Given::Long("path", _) | Given::Short('p') => options.path = true,
            Given::Long("version", _) => return Err(Stop::Show(version())),
            Given::Long(_, _) | Given::Short(_) => return Err(Stop::Show(HELP.to_owned())),
            Given::Word(text) => options.texts.push(text),
        }
    }
    match contradiction(&options) {
        Some(text) => Err(Stop::Refuse(text.to_owned())),
        None => Ok(options),
    }
}

/// What was asked for and cannot be had together.
fn contradiction(options: &Options) -> Option<&'static str> {
    let (unescapes, mangles) = (options.action == Action::Unescape, options.action == Action::Mangle);
    let (suffix, template) = (options.suffix.is_some(), options.template.is_some());
    let rules = [
        (options.texts.is_empty(), "Not enough arguments."),
        (template && suffix, "--suffix= and --template= may not be combined."),
        ((template || suffix) && mangles, "--suffix= and --template= are not compatible with --mangle."),
        (suffix && unescapes, "--suffix is not compatible with --unescape."),
        (options.path && mangles, "--path may not be combined with --mangle."),
        (options.instance && !unescapes, "--instance must be used in conjunction with --unescape."),
        (options.instance && template, "--instance may not be combined with --template."),
    ];
    rules.into_iter().find(|(broken, _)| *broken).map(|(_, text)| text)
}

/// All results on one line; what was done before something failed stands there too.
fn run(options: &Options, out: &mut Vec<u8>) -> Result<(), Stop> {
    for (at, text) in options.texts.iter().enumerate() {
        let result = match options.action {
            Action::Escape => escape(options, text.as_bytes())?.into_bytes(),
            Action::Unescape => unescape(options, text.as_bytes())?,
            Action::Mangle => match names::mangle(text.as_bytes(), ".service") {
                Some(name) => name.into_bytes(),
                None => return failed("mangle name"),
            },
        };
        if at > 0 {
            out.push(b' ');
        }
        out.extend(result);
    }
    out.push(b'\n');
    Ok(())
}

fn failed<T>(what: &str) -> Result<T, Stop> {
    Err(Stop::Refuse(format!("Failed to {what}: Invalid argument")))
}

fn escape(options: &Options, text: &[u8]) -> Result<String, Stop> {
    let escaped = if options.path { escape_path(text)? } else { names::escape(text) };
    match (&options.template, &options.suffix) {
        (Some(template), _) => match template.with_instance(&escaped) {
            Ok(name) if name.is_instance() => Ok(name.to_string()),
            Ok(_) | Err(_) => failed("replace instance"),
        },
        (None, Some(suffix)) => Ok(format!("{escaped}.{suffix}")),
        (None, None) => Ok(escaped),
    }
}

fn escape_path(path: &[u8]) -> Result<String, Stop> {
    let shown = String::from_utf8_lossy(path);
    let fault = match () {
        () if !names::is_path(path) => Some("not a valid file system path"),
        () if !path.starts_with(b"/") => Some("not an absolute file system path"),
        () => None,
    };
    let Some(escaped) = names::escape_path(path) else {
        let fault = fault.unwrap_or("not a normalized file system path");
        return Err(Stop::Refuse(format!("Input '{shown}' is {fault}, failed to escape.")));
    };
    if let Some(fault) = fault {
        // systemd's words, with its slip in the one for what is no path at all.
        let to_be = if path.is_empty() { "going be" } else { "going to be" };
        eprintln!("Input '{shown}' is {fault}, escaping is likely not {to_be} reversible.");
    }
    Ok(escaped)
}

fn unescape(options: &Options, text: &[u8]) -> Result<Vec<u8>, Stop> {
    let escaped = match options.instance || options.template.is_some() {
        true => instance(options.template.as_ref(), text)?.into_bytes(),
        false => text.to_vec(),
    };
    let plain = if options.path { names::unescape_path(&escaped) } else { names::unescape(&escaped) };
    plain.map_or_else(|| failed("unescape string"), Ok)
}

/// What stands for the instance in a name, which is one of the template if there is one.
fn instance(template: Option<&UnitName>, text: &[u8]) -> Result<String, Stop> {
    let name = String::from_utf8_lossy(text);
    let Ok(name) = UnitName::parse(&name) else { return failed("extract instance") };
    let (Some(instance), Some(own)) = (name.instance(), name.template()) else {
        return Err(Stop::Refuse(format!("Unit {name} is missing the instance name.")));
    };
    match template {
        Some(template) if *template != own => Err(Stop::Refuse(format!(
            "Unit {name} template {own} does not match specified template {template}."
        ))),
        Some(_) | None => Ok(instance.to_owned()),
    }
}

const HELP: &str = "systemd-escape [OPTIONS...] [NAME...]

Escape strings for usage in systemd unit names.

  -h --help               Show this help
     --version            Show package version
     --suffix=SUFFIX      Unit suffix to append to escaped strings
     --template=TEMPLATE  Insert strings as instance into template
     --instance           With --unescape, show just the instance part
  -u --unescape           Unescape strings
  -m --mangle             Mangle strings
  -p --path               When escaping/unescaping assume the string is a path

See the systemd-escape(1) man page for details.
";

#[cfg(test)]
mod tests {
    use super::*;
    use crate::table::{Score, rows, text};
    use std::os::unix::ffi::OsStringExt;

    /// What is on standard output, or the complaint.
    fn output(words: Vec<OsString>) -> Result<Vec<u8>, Stop> {
        let arguments = std::iter::once(OsString::from("escape")).chain(words).collect();
        let mut out = Vec::new();
        options(arguments).and_then(|options| run(&options, &mut out)).map(|()| out)
    }

    #[test]
    fn as_systemd() {
        let Some(rows) = rows("unit-escape") else { return };
        let mut score = Score::new("unit-escape");
        for row in rows {
            let mode = text(&row[0]);
            let mut words: Vec<OsString> = mode.split(' ').skip(1).map(OsString::from).collect();
            words.extend(match mode.split(' ').next() {
                Some("unescape") => Some("--unescape".into()),
                Some("mangle") => Some("--mangle".into()),
                Some(_) | None => None,
            });
            words.extend(["--".into(), OsString::from_vec(row[1].clone())]);
            let found = match output(words) {
                Ok(out) => format!("ok {}", text(&out).trim_end_matches('\n')),
                Err(_) => "error ".to_owned(),
            };
            let expected = format!("{} {}", text(&row[2]), text(&row[3]).trim_end_matches('\n'));
            score.row(&format!("{mode} {}", text(&row[1])), &expected, &found);
        }
        score.done(450);
    }

    #[test]
    fn complaints_name_what_is_wrong() {
        let complaint = |words: &str| match output(words.split(' ').map(OsString::from).collect()) {
            Ok(out) => text(&out),
            Err(Stop::Refuse(text) | Stop::Show(text)) => text,
        };
        for (words, expected) in [
            ("-p /a/../b", "Input '/a/../b' is not a normalized file system path, failed to escape."),
            ("--suffix=foo a", "Invalid unit suffix type \"foo\"."),
            ("--template=foo.service a", "Template name foo.service is not valid."),
            ("-u --instance a.service", "Unit a.service is missing the instance name."),
            (
                "-u --template=b@.service a@x.service",
                "Unit a@x.service template a@.service does not match specified template b@.service.",
            ),
            ("--instance a", "--instance must be used in conjunction with --unescape."),
            ("-m -p a", "--path may not be combined with --mangle."),
            ("-u \\x", "Failed to unescape string: Invalid argument"),
            ("--suf=mount a/b c", "a-b.mount c.mount\n"),
        ] {
            assert_eq!(complaint(words), expected, "{words}");
        }
    }
}
