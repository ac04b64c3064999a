//! `eudaemon sysusers`: system users and groups that packages ask for, sysusers.d(5).

mod database;
mod line;
mod plan;

use crate::conf::{self, Conf};
use crate::specifiers::{For, Specifiers};
use database::Database;
use std::ffi::OsString;
use std::process::ExitCode;

const HELP: &str = "\
eudaemon sysusers [OPTIONS…] [FILE…]

Makes the system users and groups of sysusers.d(5): of all its files, or those named.

  --root=DIR        The file system of an image
  --replace=PATH    Read the files named in the place of the one at PATH
  --inline          The arguments are lines, not files
  --dry-run         Say what would be made, and make nothing
  -h, --help        This text
";

#[derive(Default)]
struct Options {
    root: String,
    replace: Option<String>,
    dry_run: bool,
    inline: bool,
    named: Vec<String>,
}

/// The arguments begin with the word `sysusers`.
pub fn main(arguments: Vec<OsString>) -> ExitCode {
    if crate::shows_help(&arguments, HELP) {
        return ExitCode::SUCCESS;
    }
    match options(arguments).and_then(|options| run(&options)) {
        Ok(code) => code,
        Err(text) => {
            eprintln!("sysusers: {text}");
            ExitCode::FAILURE
        }
    }
}

fn options(arguments: Vec<OsString>) -> Result<Options, String> {
    use lexopt::prelude::*;
    let mut options = Options::default();
    let mut parser = lexopt::Parser::from_iter(arguments);
    let text = |value: OsString| value.into_string().map_err(|_| "an argument is not UTF-8".to_owned());
    let say = |error: lexopt::Error| error.to_string();
    while let Some(argument) = parser.next().map_err(say)? {
        match argument {
            Long("root") => {
                options.root = text(parser.value().map_err(say)?)?.trim_end_matches('/').to_owned();
            }
            Long("replace") => options.replace = Some(text(parser.value().map_err(say)?)?),
            Long("dry-run") => options.dry_run = true,
            Long("inline") => options.inline = true,
            Long("no-pager") => {}
            Value(value) => options.named.push(text(value)?),
            odd @ (Short(_) | Long(_)) => return Err(odd.unexpected().to_string()),
        }
    }
    Ok(options)
}

fn run(options: &Options) -> Result<ExitCode, String> {
    let confs = if options.inline {
        let text = options.named.join("\n");
        vec![Conf { path: "(inline)".to_owned(), text }]
    } else {
        conf::read(&options.root, "sysusers.d", &options.named, options.replace.as_deref())?
    };
    let specifiers = Specifiers::of(&options.root, For::Sysusers);
    let mut failed = false;
    let mut say = |text: String| {
        eprintln!("{text}");
        failed = true;
    };
    let lines = line::parse(&confs, &specifiers, &mut say);
    let lock = if options.dry_run { None } else { Some(database::lock(&options.root)?) };
    let mut database = Database::read(&options.root)?;
    plan::fill(&lines, &mut database, &options.root, &mut say);
    for made in &database.made {
        println!("{made}");
    }
    if !options.dry_run {
        database.write(&options.root)?;
    }
    drop(lock);
    Ok(if failed { ExitCode::FAILURE } else { ExitCode::SUCCESS })
}
