//! `eudaemon tmpfiles`: volatile and temporary files and directories, tmpfiles.d(5).
//!
//! Lines are read whole, then removals and clean-up run, then what is to be created. Every path is walked by
//! [`walk`], which does not let an unprivileged user lead it elsewhere.

mod acl;
mod age;
mod attributes;
mod clean;
mod create;
mod line;
mod order;
mod remove;
mod walk;

use crate::accounts::Accounts;
use crate::specifiers::{For, Specifiers};
use crate::{CANNOT_CREATE, DATA_ERROR, conf};
use line::{Item, Kind};
use order::Order;
use std::ffi::OsString;
use std::process::ExitCode;
use walk::Root;

const HELP: &str = "\
eudaemon tmpfiles --create|--remove|--clean [OPTIONS…] [FILE…]

Creates, empties and removes files and directories as tmpfiles.d(5) says: all of its files, or those named.

  --create                 Create what is missing
  --remove                 Remove what is to be gone at boot
  --clean                  Remove what is older than its age
  --boot                   Act also on lines marked with !
  --root=DIR               The file system of an image
  --prefix=PATH            Only what is below PATH
  --exclude-prefix=PATH    Not what is below PATH; -E leaves out /dev, /proc, /run and /sys
  --replace=PATH           Read the files named in the place of the one at PATH
  -h, --help               This text
";

#[derive(Default)]
struct Options {
    create: bool,
    remove: bool,
    clean: bool,
    boot: bool,
    root: String,
    prefixes: Vec<String>,
    excluded: Vec<String>,
    replace: Option<String>,
    named: Vec<String>,
}

/// The arguments begin with the word `tmpfiles`.
pub fn main(arguments: Vec<OsString>) -> ExitCode {
    if crate::shows_help(&arguments, HELP) {
        return ExitCode::SUCCESS;
    }
    match options(arguments).and_then(|options| run(&options)) {
        Ok(code) => code,
        Err(text) => {
            eprintln!("tmpfiles: {text}");
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
            Long("create") => options.create = true,
            Long("remove") => options.remove = true,
            Long("clean") => options.clean = true,
            Long("boot") => options.boot = true,
            Long("root") => {
                options.root = text(parser.value().map_err(say)?)?.trim_end_matches('/').to_owned()
            }
            Long("prefix") => options.prefixes.push(text(parser.value().map_err(say)?)?),
            Long("exclude-prefix") => options.excluded.push(text(parser.value().map_err(say)?)?),
            Short('E') => options.excluded.extend(["/dev", "/proc", "/run", "/sys"].map(str::to_owned)),
            Long("replace") => options.replace = Some(text(parser.value().map_err(say)?)?),
            Long("no-pager") => {}
            Value(value) => options.named.push(text(value)?),
            odd @ (Short(_) | Long(_)) => return Err(odd.unexpected().to_string()),
        }
    }
    if !(options.create || options.remove || options.clean) {
        return Err("nothing to do: one of --create, --remove and --clean is needed".to_owned());
    }
    Ok(options)
}

/// What happened, for the exit status.
#[derive(Default)]
struct Outcome {
    bad_lines: bool,
    failures: bool,
}

fn run(options: &Options) -> Result<ExitCode, String> {
    // Modes are given in full everywhere.
    rustix::process::umask(rustix::fs::Mode::empty());
    let confs = conf::read(&options.root, "tmpfiles.d", &options.named, options.replace.as_deref())?;
    let specifiers = Specifiers::of(&options.root, For::Tmpfiles);
    let accounts = Accounts::read(&options.root);
    let mut outcome = Outcome::default();
    let mut items = line::parse(&confs, &specifiers, &accounts, &mut |text| {
        eprintln!("{text}");
        outcome.bad_lines = true;
    });
    items.retain(|item| options.wants(item));
    let order = Order::of(items);
    let root = Root::open(&options.root)?;
    let mut failed = |item: &Item, error: walk::Trouble| {
        eprintln!("{}: {}: {error}", item.place, item.path);
        outcome.failures |= !item.may_fail;
    };
    if options.remove || options.clean {
        let ignored = clean::Ignored::of(order.items());
        for item in order.inside_first() {
            if options.remove {
                remove::remove(&root, item).unwrap_or_else(|error| failed(item, error));
            }
            if options.clean {
                clean::clean(&root, item, &ignored).unwrap_or_else(|error| failed(item, error));
            }
        }
    }
    if options.create {
        for item in order.outside_first() {
            create::create(&root, item).unwrap_or_else(|error| failed(item, error));
        }
    }
    Ok(match outcome {
        Outcome { bad_lines: true, .. } => ExitCode::from(DATA_ERROR),
        Outcome { failures: true, .. } => ExitCode::from(CANNOT_CREATE),
        Outcome { bad_lines: false, failures: false } => ExitCode::SUCCESS,
    })
}

impl Options {
    fn wants(&self, item: &Item) -> bool {
        let below = |prefix: &String| {
            let prefix = prefix.trim_end_matches('/');
            item.path.strip_prefix(prefix).is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
        };
        let included = self.prefixes.is_empty() || self.prefixes.iter().any(below);
        // What is not to be cleaned is to be known whatever the prefix.
        let ignores = matches!(item.kind, Kind::Ignore | Kind::IgnoreDirectory);
        (self.boot || !item.only_at_boot) && (ignores || included && !self.excluded.iter().any(below))
    }
}
