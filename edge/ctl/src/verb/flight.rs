//! `flight save`: what the manager heard last, as a file that can be replayed anywhere.

use super::{Failure, words};
use crate::bus::{MANAGER_PATH, OURS_OF_MANAGER};
use crate::line::Line;
use crate::running;
use crate::screen::Screen;
use std::fs::OpenOptions;
use std::io::Write;
use std::os::unix::fs::OpenOptionsExt;

pub fn run(line: &Line, screen: &mut Screen) -> Result<u8, Failure> {
    let [verb, path] = line.arguments.as_slice() else { return Err(Failure::new("Too few arguments.")) };
    if verb != "save" {
        return Err(Failure::new(format!("Cannot {verb} a flight: expected 'flight save FILE'.")));
    }
    let mut client = running::reach(line)?;
    let asked = client.call::<Vec<u8>>(MANAGER_PATH, OURS_OF_MANAGER, "Flight", &());
    let bytes = asked.map_err(|error| match error.kind() {
        "UnknownMethod" => Failure::new("The manager that runs keeps no flight."),
        _ => Failure::call("get the flight", &error),
    })?;
    // Units' environments are in it.
    let file = OpenOptions::new()
        .write(true)
        .create_new(true)
        .mode(0o600)
        .custom_flags(rustix::fs::OFlags::NOFOLLOW.bits().cast_signed())
        .open(path);
    file.and_then(|mut file| file.write_all(&bytes))
        .map_err(|error| Failure::new(format!("Failed to write {path}: {}", words(&error))))?;
    if !line.options.quiet {
        screen.complain(&format!(
            "{path}: {} bytes. It holds the units as they are loaded, their environments too: look at it with 'eudaemon replay' before you pass it on.",
            bytes.len()
        ));
    }
    Ok(0)
}
