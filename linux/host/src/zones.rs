//! The machine's time zones: `/usr/share/zoneinfo`, `/etc/localtime`, `TZ=`.

use crate::limits;
use eudaemon_unit::values::zones::{Zones, is_well_formed};
use jiff::tz::TimeZone;
use std::fs::File;
use std::io::Read;
use std::path::Path;

const ZONEINFO: &str = "/usr/share/zoneinfo";

/// Those that are installed.
#[derive(Clone, Copy, Debug)]
pub struct Installed;

impl Zones for Installed {
    fn named(&self, name: &str) -> Option<TimeZone> {
        if !is_well_formed(name) {
            return None;
        }
        read(&Path::new(ZONEINFO).join(name), name)
    }

    /// As the C library reads `TZ=`: a file, a rule such as `CET-1CEST`, and UTC where it is neither.
    fn local(&self) -> TimeZone {
        let Some(text) = std::env::var_os("TZ") else {
            return read(Path::new("/etc/localtime"), "localtime").unwrap_or(TimeZone::UTC);
        };
        let text = text.to_string_lossy();
        let text = text.strip_prefix(':').unwrap_or(&text);
        // An absolute path stands for itself.
        let file = (!text.is_empty()).then(|| Path::new(ZONEINFO).join(text));
        // A rule that names a summer time and no dates has those of the C library.
        let dated = || format!("{text},M3.2.0,M11.1.0");
        let rule = || TimeZone::posix(text).or_else(|_| TimeZone::posix(&dated())).ok();
        let zone = file.and_then(|file| read(&file, text)).or_else(rule);
        zone.unwrap_or(TimeZone::UTC)
    }
}

fn read(path: &Path, name: &str) -> Option<TimeZone> {
    let mut bytes = Vec::new();
    File::open(path).ok()?.take(limits::ZONE_FILE).read_to_end(&mut bytes).ok()?;
    TimeZone::tzif(name, &bytes).ok()
}
