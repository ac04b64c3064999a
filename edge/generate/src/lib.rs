#![forbid(unsafe_code)]
//! `eudaemon generate sysv|fstab`: units made of `/etc/init.d` and `/etc/fstab`, written as generators write them
//! (systemd.generator(7)). `core/unit` decides what they are; here is what reads the machine and writes the files.
//!
//! The manager runs these where the machine has no generator of systemd's of that name. What was wrong with a
//! source is said, one line each, on standard error; it ends with 1 only when something could not be written.

mod machine;
mod write;

use anyhow::{anyhow, bail};
use eudaemon_host::tree::{HostTree, JOURNAL};
use eudaemon_unit::files::{self, Index, Scope, SearchPath};
use eudaemon_unit::generate::{Generated, fstab, sysv};
use eudaemon_unit::vendor::WithVendor;
use std::ffi::OsString;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

const USAGE: &str = "usage: eudaemon generate sysv|fstab NORMAL [EARLY LATE]

Writes units made of the scripts in /etc/init.d (sysv, into LATE) or of /etc/fstab (fstab, into NORMAL).
A folder that is not given is NORMAL.";

/// The arguments begin with the program's own word.
pub fn main(arguments: Vec<OsString>) -> ExitCode {
    match run(&arguments[1..]) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("eudaemon generate: {error:#}");
            ExitCode::FAILURE
        }
    }
}

fn run(arguments: &[OsString]) -> anyhow::Result<()> {
    let words: Vec<&str> = arguments
        .iter()
        .map(|word| word.to_str().ok_or_else(|| anyhow!("{} is no UTF-8", word.display())))
        .collect::<Result<_, _>>()?;
    let (source, folders) = match words[..] {
        ["-h" | "--help"] => {
            println!("{USAGE}");
            return Ok(());
        }
        [source, normal] => (source, [normal, normal]),
        [source, normal, _, late] => (source, [normal, late]),
        _ => bail!("{USAGE}"),
    };
    let (generated, folder) = match source {
        "sysv" => (of_scripts()?, folders[1]),
        "fstab" => (of_fstab()?, folders[0]),
        other => bail!("there is no generator '{other}'\n{USAGE}"),
    };
    for line in &generated.warnings {
        eprintln!("{line}");
    }
    write::all(Path::new(folder), &generated)
}

fn of_scripts() -> anyhow::Result<Generated> {
    let mut places = sysv::Places::default();
    if let Some(given) = paths("SYSTEMD_SYSVINIT_PATH") {
        places.scripts = given;
    }
    if let Some(given) = paths("SYSTEMD_SYSVRCND_PATH") {
        places.runlevels = given;
    }
    let (tree, native) = ground();
    Ok(sysv::generate(&tree, &native, &places, &machine::is_executable))
}

fn of_fstab() -> anyhow::Result<Generated> {
    let command_line = machine::command_line();
    if machine::is_refused(&command_line, "fstab") {
        return Ok(Generated::default());
    }
    let (tree, native) = ground();
    let path = std::env::var("SYSTEMD_FSTAB").unwrap_or_else(|_| "/etc/fstab".to_owned());
    Ok(fstab::generate(&tree, &native, &path, machine::look(&command_line)))
}

/// The machine's files, and which units there are before any is generated.
fn ground() -> (WithVendor<HostTree>, Index) {
    let tree = HostTree::machine().with_vendor(JOURNAL);
    let environment =
        files::Environment { unit_path: std::env::var("SYSTEMD_UNIT_PATH").ok(), ..Default::default() };
    let mut search = SearchPath::new(Scope::System, &environment);
    search.directories.retain(|directory| !search.generators.contains(directory));
    let native = Index::read(&tree, &search);
    (tree, native)
}

fn paths(variable: &str) -> Option<Vec<String>> {
    let given = std::env::var_os(variable)?;
    let path = |path: PathBuf| path.is_absolute().then(|| path.to_string_lossy().into_owned());
    Some(std::env::split_paths(&given).filter_map(path).collect())
}
