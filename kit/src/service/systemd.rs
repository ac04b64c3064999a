//! Unit files, as [`Daemon::unit_files`](crate::Daemon::unit_files) has them: nothing is lost.

use super::description::Service;
use super::script;
use super::target::{File, Level, Refusal, Written, refused};

pub(super) fn write(service: &Service, level: Level) -> Result<Written, Refusal> {
    if service.units.is_empty() {
        return Err(refused("[Service]", "is a unit file already: link it as it is".to_owned()));
    }
    let folder = match level {
        Level::System => "/etc/systemd/system",
        Level::User => "~/.config/systemd/user",
    };
    let files = service.units.iter().map(|unit| File {
        path: format!("{folder}/{}", unit.name),
        mode: 0o644,
        text: script::mark(service) + &unit.text,
    });
    Ok(Written { files: files.collect(), commands: Vec::new(), losses: Vec::new() })
}
