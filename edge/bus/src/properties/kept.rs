//! Directives that are read and not acted on yet: a unit's configuration keeps their checked values as text, here they get
//! the types that their properties have.

use super::{UnitCx, num, text, words};
use eudaemon_unit::name::UnitKind;
use eudaemon_unit::values::cpuset::parse_cpuset;
use eudaemon_unit::values::number::permyriad;
use eudaemon_unit::values::{parse_timespan, syscalls};
use std::net::IpAddr;
use std::str::FromStr;
use zbus::Variant;

/// `MS_REC`, as `rbind` means it.
const RECURSIVE: u64 = 16384;

impl UnitCx<'_> {
    /// Each value of a directive, in the order written.
    pub(super) fn every<'a>(&'a self, key: &'a str) -> impl DoubleEndedIterator<Item = &'a str> {
        self.unit.config.kept.iter().filter(move |kept| kept.key == key).map(|kept| kept.value.as_str())
    }

    pub(super) fn kept(&self, key: &str) -> Option<&str> {
        self.unit.config.kept.iter().rev().find(|kept| kept.key == key).map(|kept| kept.value.as_str())
    }

    pub(super) fn switch(&self, key: &str, unset: bool) -> Variant<'static> {
        let value = self.kept(key).map(str::to_ascii_lowercase);
        num(match value.as_deref() {
            Some("1" | "yes" | "y" | "true" | "t" | "on") => true,
            Some("0" | "no" | "n" | "false" | "f" | "off") => false,
            Some(_) | None => unset,
        })
    }

    pub(super) fn flag(&self, key: &str) -> Variant<'static> {
        self.switch(key, false)
    }

    /// A word; what systemd takes for a boolean is shown as the word it stands for.
    pub(super) fn word(&self, key: &str, unset: &'static str) -> Variant<'_> {
        match self.kept(key) {
            None | Some("") => text(unset),
            Some("1" | "true" | "on" | "y" | "t") => text("yes"),
            Some("0" | "false" | "off" | "n" | "f") => text("no"),
            Some(value) => text(value),
        }
    }

    /// Of what may be a path or bytes in hexadecimal, the path.
    pub(super) fn path(&self, key: &str) -> Variant<'_> {
        text(self.kept(key).filter(|value| value.starts_with('/')).unwrap_or_default())
    }

    /// And the bytes.
    pub(super) fn bytes(&self, key: &str) -> Variant<'static> {
        let value = self.kept(key).filter(|value| !value.starts_with('/')).unwrap_or_default();
        let byte = |at| u8::from_str_radix(value.get(at..at + 2).unwrap_or_default(), 16).unwrap_or(0);
        Variant::from((0..value.len()).step_by(2).map(byte).collect::<Vec<u8>>())
    }

    /// Text as it is, nothing where nothing is said.
    pub(super) fn free(&self, key: &str) -> Variant<'_> {
        text(self.kept(key).unwrap_or_default())
    }

    pub(super) fn strings(&self, key: &str) -> Variant<'static> {
        words(&self.every(key).map(str::to_owned).collect::<Vec<_>>())
    }

    /// Values under a name and under the one it had before.
    pub(super) fn strings_of(&self, key: &str, old: &str) -> Variant<'static> {
        let kept = self.unit.config.kept.iter().filter(|kept| kept.key == key || kept.key == old);
        words(&kept.map(|kept| kept.value.clone()).collect::<Vec<_>>())
    }

    pub(super) fn number<T: FromStr + Into<Variant<'static>>>(
        &self,
        key: &str,
        unset: T,
    ) -> Variant<'static> {
        num(self.kept(key).and_then(|value| value.parse::<T>().ok()).unwrap_or(unset))
    }

    /// Octal permissions.
    pub(super) fn mode(&self, key: &str, unset: u32) -> Variant<'static> {
        num(self.kept(key).and_then(|value| u32::from_str_radix(value, 8).ok()).unwrap_or(unset))
    }

    pub(super) fn hexadecimal(&self, key: &str, unset: u64) -> Variant<'static> {
        let digits = self.kept(key).and_then(|value| value.strip_prefix("0x"));
        num(digits.and_then(|digits| u64::from_str_radix(digits, 16).ok()).unwrap_or(unset))
    }

    /// A length of time in microseconds.
    pub(super) fn span(&self, key: &str, unset: u64) -> Variant<'static> {
        num(self.kept(key).and_then(|value| parse_timespan(value).ok()).map_or(unset, |span| span.0))
    }

    /// Bytes, `infinity`, or a share of the machine's memory in pages of it.
    pub(super) fn amount(&self, key: &str, unset: u64) -> Variant<'static> {
        const PAGE: u64 = 4096;
        let pages = self.model.capacity().memory_bytes / PAGE;
        num(self.kept(key).and_then(|value| limit(value, pages)).map_or(unset, |limit| match limit {
            Limit::Share(pages) => pages * PAGE,
            Limit::Number(bytes) => bytes,
        }))
    }

    pub(super) fn weight(&self, key: &str) -> Variant<'static> {
        self.number(key, u64::MAX)
    }

    /// Whether something is counted, which the manager's settings say of units that do not.
    pub(super) fn counted(&self, key: &str) -> Variant<'static> {
        self.switch(key, self.defaults().counts(key))
    }

    /// The manager's settings say it of units that do not, slices excepted.
    pub(super) fn tasks_max(&self) -> Variant<'static> {
        let most = self.model.capacity().tasks;
        let unset = match self.unit.config.name.kind() {
            UnitKind::Slice => u64::MAX,
            UnitKind::Service
            | UnitKind::Socket
            | UnitKind::Target
            | UnitKind::Device
            | UnitKind::Mount
            | UnitKind::Automount
            | UnitKind::Swap
            | UnitKind::Timer
            | UnitKind::Path
            | UnitKind::Scope => self.defaults().tasks_max.of(most),
        };
        num(self.kept("TasksMax").and_then(|value| limit(value, most)).map_or(unset, |limit| match limit {
            Limit::Share(number) | Limit::Number(number) => number,
        }))
    }

    /// A set of CPUs or memory nodes: one bit each, lowest first, in words of eight bytes.
    pub(super) fn bits(&self, key: &str) -> Variant<'static> {
        let ranges = self.kept(key).and_then(|value| parse_cpuset(value).ok()).unwrap_or_default();
        let mut bytes = vec![0_u8; ranges.last().map_or(0, |(_, last)| (*last as usize / 64 + 1) * 8)];
        for bit in ranges.iter().flat_map(|(first, last)| *first..=*last) {
            bytes[bit as usize / 8] |= 1 << (bit % 8);
        }
        Variant::from(bytes)
    }

    /// The number of a word among those of a directive.
    pub(super) fn place(&self, key: &str, among: &[(&str, u64)], unset: u64) -> Variant<'static> {
        let found = self.kept(key).and_then(|value| among.iter().find(|(word, _)| *word == value));
        num(found.map_or(unset, |(_, number)| *number))
    }

    /// `NAME VALUE` lines, their value a number.
    pub(super) fn numbered(&self, key: &str) -> Variant<'static> {
        let pair = |line: &str| {
            let (name, value) = line.rsplit_once(' ')?;
            Some((name.to_owned(), value.parse::<u64>().ok()?))
        };
        Variant::from(self.every(key).filter_map(pair).collect::<Vec<_>>())
    }

    /// `NAME VALUE` lines, their value a length of time.
    pub(super) fn timed(&self, key: &str) -> Variant<'static> {
        let pair = |line: &str| {
            let (name, value) = line.split_once(' ')?;
            Some((name.to_owned(), parse_timespan(value).ok()?.0))
        };
        Variant::from(self.every(key).filter_map(pair).collect::<Vec<_>>())
    }

    /// Two words a value.
    pub(super) fn pairs(&self, key: &str, between: char) -> Variant<'static> {
        let pair = |line: &str| {
            let (first, second) = line.split_once(between).unwrap_or((line, ""));
            (first.to_owned(), second.to_owned())
        };
        Variant::from(self.every(key).map(pair).collect::<Vec<_>>())
    }

    /// A text that after `-` need not be to the point.
    pub(super) fn lenient(&self, key: &str) -> Variant<'static> {
        let value = self.kept(key).unwrap_or_default();
        let (ignored, value) = value.strip_prefix('-').map_or((false, value), |value| (true, value));
        Variant::from((ignored, value.to_owned()))
    }

    /// A list of what is allowed, or after `~` of what is not; the other way round it is unset.
    pub(super) fn allowed(&self, key: &str) -> Variant<'static> {
        let Some(value) = self.kept(key) else { return Variant::from((false, Vec::<String>::new())) };
        let (allows, list) = value.strip_prefix('~').map_or((true, value), |list| (false, list));
        Variant::from((allows, list.split_ascii_whitespace().map(str::to_owned).collect::<Vec<_>>()))
    }

    /// `always` is what an allowed list holds anyway.
    pub(super) fn system_calls(&self, key: &str, always: &str) -> Variant<'static> {
        Variant::from(syscalls::evaluate(self.every(key), always))
    }

    pub(super) fn bind_paths(&self, key: &str) -> Variant<'static> {
        let bind = |line: &str| {
            let mut parts = split_unescaped(line).into_iter();
            let (source, destination, options) = (parts.next()?, parts.next()?, parts.next()?);
            let (optional, source) = optional(&source);
            Some((source.to_owned(), destination, optional, if options == "rbind" { RECURSIVE } else { 0 }))
        };
        Variant::from(self.every(key).filter_map(bind).collect::<Vec<_>>())
    }

    /// `[-]IMAGE:PLACE`, then mount options.
    pub(super) fn mount_images(&self) -> Variant<'static> {
        let image = |line: &str| {
            let (source, place) = line.split_once(':')?;
            let (optional, source) = optional(source);
            let (place, options) = place.split_once(':').unwrap_or((place, ""));
            Some((source.to_owned(), place.to_owned(), optional, mount_options(options)))
        };
        Variant::from(self.every("MountImages").filter_map(image).collect::<Vec<_>>())
    }

    pub(super) fn extension_images(&self) -> Variant<'static> {
        let image = |line: &str| {
            let (source, options) = line.split_once(':').unwrap_or((line, ""));
            let (optional, source) = optional(source);
            (source.to_owned(), optional, mount_options(options))
        };
        Variant::from(self.every("ExtensionImages").map(image).collect::<Vec<_>>())
    }

    /// Family, address, length of the prefix.
    pub(super) fn prefixes(&self, key: &str) -> Variant<'static> {
        let prefix = |value: &str| {
            let (address, length) = value.split_once('/')?;
            let (family, bytes) = match address.parse().ok()? {
                IpAddr::V4(address) => (2, address.octets().to_vec()),
                IpAddr::V6(address) => (10, address.octets().to_vec()),
            };
            Some((family, bytes, length.parse::<u32>().ok()?))
        };
        Variant::from(self.every(key).filter_map(prefix).collect::<Vec<(i32, Vec<u8>, u32)>>())
    }

    /// Family, protocol, number of ports, first port.
    pub(super) fn bind_rules(&self, key: &str) -> Variant<'static> {
        Variant::from(self.every(key).map(bind_rule).collect::<Vec<_>>())
    }
}

/// What need not be there has a `-` before it.
fn optional(path: &str) -> (bool, &str) {
    path.strip_prefix('-').map_or((false, path), |path| (true, path))
}

enum Limit {
    Number(u64),
    /// Of the whole.
    Share(u64),
}

/// `infinity`, a number, or a percentage with up to two decimals.
fn limit(value: &str, whole: u64) -> Option<Limit> {
    if value == "infinity" {
        return Some(Limit::Number(u64::MAX));
    }
    match permyriad(value) {
        Some(parts) => u64::try_from(u128::from(whole) * u128::from(parts) / 10_000).ok().map(Limit::Share),
        None => value.parse().ok().map(Limit::Number),
    }
}

/// `PARTITION:OPTIONS` in pairs.
fn mount_options(text: &str) -> Vec<(String, String)> {
    let parts: Vec<&str> = text.split(':').collect();
    match parts[..] {
        [_] => Vec::new(),
        _ => parts
            .chunks(2)
            .map(|pair| (pair[0].to_owned(), pair.get(1).copied().unwrap_or("").to_owned()))
            .collect(),
    }
}

/// The parts between colons that no backslash stands before.
fn split_unescaped(line: &str) -> Vec<String> {
    let mut parts = vec![String::new()];
    let mut chars = line.chars();
    while let Some(c) = chars.next() {
        match (c, parts.last_mut()) {
            (':', _) => parts.push(String::new()),
            ('\\', Some(part)) => part.extend(chars.next()),
            (c, Some(part)) => part.push(c),
            (_, None) => {}
        }
    }
    parts
}

fn bind_rule(value: &str) -> (i32, i32, u16, u16) {
    let mut rule = (0, 0, 0, 0);
    for word in value.split(':') {
        match word {
            "ipv4" => rule.0 = 2,
            "ipv6" => rule.0 = 10,
            "tcp" => rule.1 = 6,
            "udp" => rule.1 = 17,
            "any" => {}
            ports => {
                let (first, last) = ports.split_once('-').unwrap_or((ports, ports));
                let port = |text: &str| text.parse::<u16>().unwrap_or(0);
                rule.3 = port(first);
                rule.2 = port(last).saturating_sub(rule.3).saturating_add(1);
            }
        }
    }
    rule
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_colon_in_a_path_is_escaped() {
        assert_eq!(split_unescaped(r"-/a\:b:/c:rbind"), ["-/a:b", "/c", "rbind"]);
        assert_eq!(split_unescaped(r"a\\b"), [r"a\b"]);
    }

    #[test]
    fn rules_have_family_protocol_and_ports() {
        assert_eq!(bind_rule("any"), (0, 0, 0, 0));
        assert_eq!(bind_rule("ipv6:udp:1-5"), (10, 17, 5, 1));
        assert_eq!(bind_rule("80"), (0, 0, 1, 80));
        assert_eq!(bind_rule("1-65535"), (0, 0, 65535, 1));
    }

    #[test]
    fn limits_are_numbers_or_shares() {
        let shown = |value: &str| match limit(value, 1000) {
            Some(Limit::Number(number)) => format!("{number}"),
            Some(Limit::Share(number)) => format!("{number} of 1000"),
            None => "nothing".to_owned(),
        };
        assert_eq!(shown("104857600"), "104857600");
        assert_eq!(shown("infinity"), u64::MAX.to_string());
        assert_eq!(shown("12.5%"), "125 of 1000");
        assert_eq!(shown("x"), "nothing");
    }
}
