//! `eudaemon escape`, also as `systemd-escape`.

use eudaemon_unit::escape::{escape, escape_path, mangle, unescape, unescape_path};
use eudaemon_unit::name::{UnitKind, UnitName};
use lexopt::prelude::*;
use std::ffi::OsString;
use std::io::Write;
use std::os::unix::ffi::OsStrExt;
use std::process::ExitCode;

const HELP: &str = "\
eudaemon escape [OPTION…] TEXT…

Makes texts fit for unit names, and the other way round.

      --suffix=KIND       a unit of that kind: service, mount …
      --template=NAME@.KIND
                          an instance of that template
      --instance          with --unescape: of the names given, the instance
  -u, --unescape          the other way round
  -m, --mangle            the unit name that a text stands for
  -p, --path              the texts are paths
";

#[derive(Default)]
struct Line {
    texts: Vec<OsString>,
    suffix: Option<String>,
    template: Option<String>,
    instance: bool,
    unescape: bool,
    mangle: bool,
    path: bool,
}

/// `arguments` open with the word `escape`.
pub fn main(arguments: Vec<OsString>) -> ExitCode {
    let line = match read(arguments) {
        Ok(Some(line)) => line,
        Ok(None) => {
            print!("{HELP}");
            return ExitCode::SUCCESS;
        }
        Err(complaint) => {
            eprintln!("{complaint}");
            return ExitCode::FAILURE;
        }
    };
    let mut out = Vec::new();
    for (at, text) in line.texts.iter().enumerate() {
        match line.turn(text.as_bytes()) {
            Ok(turned) => {
                if at > 0 {
                    out.push(b' ');
                }
                out.extend(turned);
            }
            Err(complaint) => {
                eprintln!("{complaint}");
                return ExitCode::FAILURE;
            }
        }
    }
    out.push(b'\n');
    match std::io::stdout().write_all(&out) {
        Ok(()) => ExitCode::SUCCESS,
        Err(_) => ExitCode::FAILURE,
    }
}

fn read(arguments: Vec<OsString>) -> Result<Option<Line>, String> {
    let mut line = Line::default();
    let mut parser = lexopt::Parser::from_args(arguments.into_iter().skip(1));
    let text = |error: lexopt::Error| error.to_string();
    while let Some(argument) = parser.next().map_err(text)? {
        match argument {
            Long("suffix") => {
                line.suffix = Some(parser.value().and_then(|value| value.string()).map_err(text)?)
            }
            Long("template") => {
                line.template = Some(parser.value().and_then(|value| value.string()).map_err(text)?)
            }
            Long("instance") => line.instance = true,
            Short('u') | Long("unescape") => line.unescape = true,
            Short('m') | Long("mangle") => line.mangle = true,
            Short('p') | Long("path") => line.path = true,
            Short('h') | Long("help") => return Ok(None),
            Value(word) => line.texts.push(word),
            other @ (Short(_) | Long(_)) => return Err(other.unexpected().to_string()),
        }
    }
    line.check()?;
    Ok(Some(line))
}

impl Line {
    fn check(&self) -> Result<(), String> {
        if self.texts.is_empty() {
            return Err("Not enough arguments.".into());
        }
        if let Some(suffix) = self.suffix.as_ref().filter(|suffix| UnitKind::from_suffix(suffix).is_none()) {
            return Err(format!("Invalid unit suffix type \"{suffix}\"."));
        }
        if let Some(template) = &self.template
            && !UnitName::parse(template).is_ok_and(|name| name.is_template())
        {
            return Err(format!("Template name {template} is not valid."));
        }
        let clash = |what: &str| Err(format!("{what} may not be combined."));
        match self {
            Line { template: Some(_), suffix: Some(_), .. } => clash("--suffix= and --template="),
            Line { mangle: true, unescape: true, .. } => clash("--mangle and --unescape"),
            Line { suffix: Some(_), unescape: true, .. } => clash("--suffix and --unescape"),
            Line { suffix: Some(_), mangle: true, .. } | Line { template: Some(_), mangle: true, .. } => {
                clash("Options --suffix and --template with --mangle")
            }
            Line { mangle: true, path: true, .. } => clash("--path and --mangle"),
            Line { instance: true, unescape: false, .. } => {
                Err("--instance must be used in conjunction with --unescape.".into())
            }
            Line { instance: true, template: Some(_), .. } => clash("--instance and --template"),
            _ => Ok(()),
        }
    }

    fn turn(&self, text: &[u8]) -> Result<Vec<u8>, String> {
        let shown = String::from_utf8_lossy(text);
        if self.mangle {
            let name = mangle(text).ok_or("Failed to mangle name: Invalid argument")?;
            return Ok(name.into_bytes());
        }
        if self.unescape {
            let instance;
            let text = if self.instance || self.template.is_some() {
                instance = self.instance_of(&shown)?;
                instance.as_bytes()
            } else {
                text
            };
            let plain = if self.path { unescape_path(text) } else { unescape(text) };
            return plain.ok_or_else(|| "Failed to unescape string: Invalid argument".to_owned());
        }
        let escaped = match self.path {
            true => escape_path(text).ok_or("Failed to escape string: Invalid argument")?,
            false => escape(text),
        };
        let name = match (&self.template, &self.suffix) {
            (Some(template), _) => UnitName::parse(template)
                .and_then(|template| template.with_instance(&escaped))
                .map_err(|_| "Failed to replace instance: Invalid argument".to_owned())?
                .to_string(),
            (None, Some(suffix)) => format!("{escaped}.{suffix}"),
            (None, None) => escaped,
        };
        Ok(name.into_bytes())
    }

    /// The instance of a unit name; with `--template=` of that template only.
    fn instance_of(&self, name: &str) -> Result<String, String> {
        let parsed =
            UnitName::parse(name).map_err(|_| "Failed to extract instance: Invalid argument".to_owned())?;
        if let Some(template) = &self.template
            && parsed.template().is_none_or(|own| own.as_str() != template)
        {
            return Err(format!("Unit {name} template {template} does not match."));
        }
        let instance = parsed.instance().filter(|instance| !instance.is_empty());
        instance.map(str::to_owned).ok_or_else(|| format!("Unit {name} is missing the instance name."))
    }
}
