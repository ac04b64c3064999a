//! The time zones of this machine, with a local one of choice.

use eudaemon_unit::values::zones::{Zones, is_well_formed};
use jiff::tz::TimeZone;

pub struct Zoneinfo {
    local: TimeZone,
}

impl Zoneinfo {
    /// With what `TZ=` says; what it says wrong is UTC.
    pub fn with_local(text: &str) -> Zoneinfo {
        let local = named(text).or_else(|| TimeZone::posix(text).ok());
        Zoneinfo { local: local.unwrap_or(TimeZone::UTC) }
    }

    /// The tables know zones by name, and no machine has to.
    pub fn is_here() -> bool {
        let here = std::path::Path::new("/usr/share/zoneinfo/Europe/Berlin").exists();
        if !here {
            println!("SKIPPED: no /usr/share/zoneinfo here (install tzdata)");
        }
        here
    }
}

impl Zones for Zoneinfo {
    fn named(&self, name: &str) -> Option<TimeZone> {
        named(name)
    }

    fn local(&self) -> TimeZone {
        self.local.clone()
    }
}

fn named(name: &str) -> Option<TimeZone> {
    let bytes = std::fs::read(format!("/usr/share/zoneinfo/{name}")).ok().filter(|_| is_well_formed(name))?;
    TimeZone::tzif(name, &bytes).ok()
}
