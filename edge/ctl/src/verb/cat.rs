//! `cat`: the files a unit is made of.

use super::{Failure, files, names};
use crate::bus::{Client, UNIT};
use crate::line::Line;
use crate::running;
use crate::screen::Screen;
use crate::text::paint::Style;
use crate::unit_name;

pub fn run(line: &Line, screen: &mut Screen) -> Result<u8, Failure> {
    let mut client = running::reach(line)?;
    let units = names::expand(&mut client, screen, &line.options, &line.arguments, ".service")?;
    let mut code = 0;
    let mut printed = false;
    for unit in units {
        let files = files_of(&mut client, &unit)?;
        if files == Files::None {
            screen.complain(&format!("No files found for {unit}."));
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
            Files::Paths(paths) => print(screen, &paths)?,
        }
        let changed = client.property(&unit_name::object_path(&unit), UNIT, "NeedDaemonReload");
        if changed.is_ok_and(|changed| changed.bool() == Some(true)) {
            screen.complain(&files::changed_on_disk(line, &unit));
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

/// Each file under a comment that names it.
pub fn print(screen: &mut Screen, paths: &[String]) -> Result<(), Failure> {
    for (at, path) in paths.iter().enumerate() {
        if at > 0 {
            screen.line("");
        }
        let title = screen.paint.text(Style::Title, &format!("# {path}"));
        screen.line(&title);
        match std::fs::read(path) {
            Ok(bytes) => {
                let text = String::from_utf8_lossy(&bytes);
                screen.out(&text);
            }
            Err(error) => {
                return Err(Failure::new(format!("Failed to cat {path}: {}", files::words(&error))));
            }
        }
    }
    Ok(())
}
