//! Zones as this machine's database has them.

use eudaemon_unit::values::calendar::{Where, Zone};
use jiff::Timestamp;
use jiff::tz::TimeZone;
use std::path::Path;

pub struct Zoneinfo(pub TimeZone);

impl Zone for Zoneinfo {
    fn offset(&self, utc: i64) -> i64 {
        Timestamp::from_second(utc).map_or(0, |at| i64::from(self.0.to_offset(at).seconds()))
    }
}

impl Zoneinfo {
    pub fn local() -> Zoneinfo {
        Zoneinfo(TimeZone::try_system().unwrap_or(TimeZone::UTC))
    }

    pub fn of(place: &Where) -> Zoneinfo {
        match place {
            Where::Local => Zoneinfo::local(),
            Where::Utc => Zoneinfo(TimeZone::UTC),
            Where::Named(name) => Zoneinfo(TimeZone::get(name).unwrap_or(TimeZone::UTC)),
        }
    }

    /// What its clocks call themselves then.
    pub fn name_at(&self, micros: u64) -> String {
        let at = i64::try_from(micros).ok().and_then(|micros| Timestamp::from_microsecond(micros).ok());
        at.map_or_else(String::new, |at| self.0.to_offset_info(at).abbreviation().to_owned())
    }

    pub fn is_utc(&self) -> bool {
        self.0 == TimeZone::UTC || self.0.iana_name() == Some("UTC") || self.0.iana_name() == Some("Etc/UTC")
    }
}

/// The database's own spelling counts.
pub fn is_known(name: &str) -> bool {
    let is_plain = name.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"_-+/".contains(&byte));
    is_plain && !name.starts_with('/') && Path::new("/usr/share/zoneinfo").join(name).is_file()
}
