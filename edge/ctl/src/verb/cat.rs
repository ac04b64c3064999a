//! `cat`: the files a unit is made of.

use super::{Failure, files, meant, names};
use crate::bus::{Client, UNIT};
use crate::disk::Disk;
use crate::line::Line;
use crate::running;
use crate::screen::Screen;
use crate::text::paint::Style;
use crate::unit_name::{self, Globs};
use eudaemon_unit::files::Fragment;
use eudaemon_unit::name::UnitName;

pub fn run(line: &Line, screen: &mut Screen) -> Result<u8, Failure> {
    let disk = Disk::read(&line.options);
    let mut client = running::reach_if_running(line)?;
    let units = match &mut client {
        Some(client) => names::expand(client, screen, &line.options, &line.arguments, ".service")?,
        None => names_on_disk(line, screen)?,
    };
    let mut code = 0;
    let mut printed = false;
    for unit in units {
        let files = match &mut client {
            Some(client) => files_of(client, &unit)?,
            None => files_on_disk(&disk, &unit),
        };
        if files == Files::None {
            screen.complain(&format!("No files found for {unit}."));
            meant::complain(line, screen, &unit);
            code = 1;
            continue;
        }
        if printed {
            screen.line("");
        }
        printed = true;
        match files {
            Files::None => {}
            Files::Masked => {
                let title = screen.paint.text(Style::Title, &format!("# Unit {unit} is masked."));
                screen.line(&title);
                continue;
            }
            Files::Paths(paths) => print(screen, &disk, &paths)?,
        }
        if let Some(client) = &mut client {
            let changed = client.property(&unit_name::object_path(&unit), UNIT, "NeedDaemonReload");
            if changed.is_ok_and(|changed| changed.bool() == Some(true)) {
                screen.complain(&files::changed_on_disk(line, &unit));
            }
        }
    }
    Ok(code)
}

/// What a unit is made of.
#[derive(Debug, PartialEq, Eq)]
enum Files {
    None,
    Masked,
    /// Fragment first, then drop-ins.
    Paths(Vec<String>),
}

fn files_of(client: &mut Client, unit: &str) -> Result<Files, Failure> {
    let path = unit_name::object_path(unit);
    let failed = |error: &crate::bus::CallError| Failure::call("get unit file paths", error);
    let load = client.property(&path, UNIT, "LoadState").map_err(|error| failed(&error))?;
    match load.text() {
        Some("not-found") => return Ok(Files::None),
        Some("masked") => return Ok(Files::Masked),
        Some(_) | None => {}
    }
    let fragment = client.property(&path, UNIT, "FragmentPath").map_err(|error| failed(&error))?;
    let drop_ins = client.property(&path, UNIT, "DropInPaths").map_err(|error| failed(&error))?;
    let mut paths: Vec<String> =
        fragment.text().filter(|path| !path.is_empty()).map(str::to_owned).into_iter().collect();
    paths.extend(drop_ins.texts().into_iter().map(str::to_owned));
    Ok(if paths.is_empty() { Files::None } else { Files::Paths(paths) })
}

fn names_on_disk(line: &Line, screen: &mut Screen) -> Result<Vec<String>, Failure> {
    line.arguments.iter().map(|word| names::mangled(screen, word, ".service", Globs::Refused)).collect()
}

fn files_on_disk(disk: &Disk, unit: &str) -> Files {
    let Ok(name) = UnitName::parse(unit) else { return Files::None };
    let found = disk.find(&name);
    match found.fragment {
        Fragment::Missing | Fragment::Cycle if found.dropins.is_empty() => Files::None,
        Fragment::Missing | Fragment::Cycle => Files::Paths(found.dropins),
        Fragment::Masked(_) => Files::Masked,
        Fragment::File(path) => Files::Paths([vec![path], found.dropins].concat()),
    }
}

/// Each file under a comment that names it.
fn print(screen: &mut Screen, disk: &Disk, paths: &[String]) -> Result<(), Failure> {
    for (at, path) in paths.iter().enumerate() {
        if at > 0 {
            screen.line("");
        }
        let title = screen.paint.text(Style::Title, &format!("# {path}"));
        screen.line(&title);
        match disk.text(path) {
            Ok(text) => screen.out(&text),
            Err(error) => return Err(Failure::new(format!("Failed to cat {path}: {error}"))),
        }
    }
    Ok(())
}
