//! Properties that have a look of their own.

use super::Shown;
use crate::bus::{Property, Value};
use crate::text::time::{self, Clock};
use crate::text::{quote, signal};
use std::net::{Ipv4Addr, Ipv6Addr};

/// How such a property looks; `None` where it is like all others.
pub fn show(property: &Property, clock: &Clock) -> Option<Shown> {
    let items = property.value.list();
    let name = property.name.as_str();
    Some(match (property.signature.as_str(), name) {
        ("(uo)", "Job") => {
            let id = items.first().and_then(Value::unsigned).unwrap_or(0);
            Shown::Line(if id == 0 { String::new() } else { id.to_string() })
        }
        ("(so)", "Unit") => Shown::Line(text(items, 0)),
        ("(ss)", "LoadError") => {
            let (name, message) = (text(items, 0), text(items, 1));
            Shown::Line(if name.is_empty() { String::new() } else { format!("{name} \"{message}\"") })
        }
        ("(bs)", "SELinuxContext" | "AppArmorProfile" | "SmackProcessLabel") => {
            let prefix = if yes(items, 0) { "-" } else { "" };
            Shown::Line(format!("{prefix}{}", quote::one_line(&text(items, 1))))
        }
        ("(bas)", _) => {
            let prefix = if yes(items, 0) { "" } else { "~" };
            let listed = items.get(1).map(Value::texts).unwrap_or_default();
            let text = format!("{prefix}{}", listed.join(" "));
            if listed.is_empty() { Shown::Default(text) } else { Shown::Line(text) }
        }
        ("(aiai)", _) => Shown::Line(exit_statuses(items)),
        ("a(sasbttttuii)" | "a(sasasttttuii)", _) => {
            Shown::Lines(items.iter().map(|item| command(item, clock)).collect())
        }
        ("a(sb)", "EnvironmentFiles") => each(items, |fields| {
            format!("{} (ignore_errors={})", text(fields, 0), if yes(fields, 1) { "yes" } else { "no" })
        }),
        ("a(ss)", "Listen") => each(items, |fields| format!("{} ({})", text(fields, 1), text(fields, 0))),
        ("a(ss)", "Paths") => each(items, |fields| format!("{} ({})", text(fields, 1), text(fields, 0))),
        ("a(ss)", "DeviceAllow") => each(items, |fields| format!("{} {}", text(fields, 0), text(fields, 1))),
        ("a(ss)", "TemporaryFileSystem") => joined(items, |fields| {
            let (target, mode) = (text(fields, 0), text(fields, 1));
            if mode.is_empty() { target } else { format!("{target}:{mode}") }
        }),
        ("a(stt)", "TimersMonotonic") => each(items, |fields| {
            let [base, next] = [1, 2].map(|at| time::span(number(fields, at), 0));
            format!("{{ {}={base} ; next_elapse={next} }}", text(fields, 0))
        }),
        ("a(sst)", "TimersCalendar") => each(items, |fields| {
            let next = clock.point(number(fields, 2)).unwrap_or_else(|| "(null)".to_owned());
            format!("{{ {}={} ; next_elapse={next} }}", text(fields, 0), text(fields, 1))
        }),
        ("a(st)", name) if name.contains("USec") => {
            each(items, |fields| format!("{} {}", text(fields, 0), time::span(number(fields, 1), 0)))
        }
        ("a(st)", _) => each(items, |fields| format!("{} {}", text(fields, 0), number(fields, 1))),
        ("a(iayu)", "IPAddressAllow" | "IPAddressDeny") => joined(items, address),
        ("a(ssbt)", "BindPaths" | "BindReadOnlyPaths") => joined(items, bind),
        ("aay", "LogExtraFields") => {
            let texts: Vec<String> = items
                .iter()
                .filter_map(|item| if let Value::Bytes(bytes) = item { Some(bytes) } else { None })
                .map(|bytes| String::from_utf8_lossy(bytes).into_owned())
                .collect();
            Shown::Line(texts.join(" "))
        }
        ("ay", "StandardInputData") => Shown::Line(base64(&property.value)),
        (
            "ay",
            "CPUAffinity"
            | "NUMAMask"
            | "AllowedCPUs"
            | "StartupAllowedCPUs"
            | "AllowedMemoryNodes"
            | "StartupAllowedMemoryNodes"
            | "EffectiveCPUs"
            | "EffectiveMemoryNodes",
        ) => Shown::Line(ranges(&property.value)),
        ("a(ssba(ss))", "MountImages" | "ExtensionImages") => joined(items, |fields| {
            let prefix = if yes(fields, 2) { "-" } else { "" };
            format!("{prefix}{}:{}{}", text(fields, 0), text(fields, 1), mount_options(fields))
        }),
        ("a(sba(ss))", "ExtensionImages") => joined(items, |fields| {
            let prefix = if yes(fields, 1) { "-" } else { "" };
            format!("{prefix}{}{}", text(fields, 0), mount_options(fields))
        }),
        ("a(ss)", "RootImageOptions" | "BPFProgram") => {
            each(items, |fields| format!("{}:{}", text(fields, 0), text(fields, 1)))
        }
        ("a(sst)", name) if name.ends_with("DirectorySymlink") => {
            each(items, |fields| format!("{}:{}", text(fields, 0), text(fields, 1)))
        }
        ("a(iiqq)", _) => each(items, socket_bind),
        _ => return None,
    })
}

/// What `Listen` holds: address, then type.
pub fn pairs(value: &Value) -> Vec<(String, String)> {
    value.list().iter().map(|item| (text(item.list(), 1), text(item.list(), 0))).collect()
}

/// The last field of an image: `:PARTITION:OPTIONS` for each.
fn mount_options(fields: &[Value]) -> String {
    let options = fields.last().map(Value::list).unwrap_or_default();
    options.iter().map(|one| format!(":{}:{}", text(one.list(), 0), text(one.list(), 1))).collect()
}

fn each(items: &[Value], show: impl Fn(&[Value]) -> String) -> Shown {
    Shown::Lines(items.iter().map(|item| show(item.list())).collect())
}

fn joined(items: &[Value], show: impl Fn(&[Value]) -> String) -> Shown {
    Shown::Line(items.iter().map(|item| show(item.list())).collect::<Vec<_>>().join(" "))
}

fn text(fields: &[Value], at: usize) -> String {
    fields.get(at).and_then(Value::text).unwrap_or("").to_owned()
}

fn yes(fields: &[Value], at: usize) -> bool {
    fields.get(at).and_then(Value::bool).unwrap_or(false)
}

fn number(fields: &[Value], at: usize) -> u64 {
    fields.get(at).and_then(Value::unsigned).unwrap_or(0)
}

/// `{ path=/bin/sleep ; argv[]=/bin/sleep 1 ; ignore_errors=no ; … }`
fn command(item: &Value, clock: &Clock) -> String {
    let fields = item.list();
    let argv = fields.get(1).map(Value::texts).unwrap_or_default().join(" ");
    let flags = match fields.get(2) {
        Some(Value::Bool(ignored)) => format!("ignore_errors={}", if *ignored { "yes" } else { "no" }),
        Some(list) => format!("flags={}", list.texts().join(" ")),
        None => String::new(),
    };
    let point = |at: usize| clock.point(number(fields, at)).unwrap_or_else(|| "n/a".to_owned());
    let code = fields.get(8).and_then(Value::signed).unwrap_or(0);
    let status = i32::try_from(fields.get(9).and_then(Value::signed).unwrap_or(0)).unwrap_or(0);
    let status = match (code, CodeWord::of(code)) {
        (_, Some(CodeWord::Exited)) | (0, _) => format!("{status}{}", if code == 0 { "/0" } else { "" }),
        _ => format!("{status}/{}", signal::name(status)),
    };
    format!(
        "{{ path={} ; argv[]={argv} ; {flags} ; start_time=[{}] ; stop_time=[{}] ; pid={} ; code={} ; status={status} }}",
        text(fields, 0),
        point(3),
        point(5),
        number(fields, 7),
        CodeWord::of(code).map_or("(null)", CodeWord::word),
    )
}

/// `si_code` of a child that ended, waitid(2).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum CodeWord {
    Exited,
    Killed,
    Dumped,
}

impl CodeWord {
    pub fn of(code: i64) -> Option<CodeWord> {
        match code {
            1 => Some(CodeWord::Exited),
            2 => Some(CodeWord::Killed),
            3 => Some(CodeWord::Dumped),
            _ => None,
        }
    }

    pub fn word(self) -> &'static str {
        match self {
            CodeWord::Exited => "exited",
            CodeWord::Killed => "killed",
            CodeWord::Dumped => "dumped",
        }
    }
}

/// Exit codes, then signals by name.
fn exit_statuses(items: &[Value]) -> String {
    let numbers =
        |at: usize| items.get(at).map(Value::list).unwrap_or_default().iter().filter_map(Value::signed);
    let codes = numbers(0).map(|code| code.to_string());
    let signals = numbers(1).map(|number| signal::name(i32::try_from(number).unwrap_or(0)));
    codes.chain(signals).collect::<Vec<_>>().join(" ")
}

fn address(fields: &[Value]) -> String {
    let prefix = number(fields, 2);
    let Some(Value::Bytes(bytes)) = fields.get(1) else { return String::new() };
    if let Ok(octets) = <[u8; 4]>::try_from(bytes.as_slice()) {
        return format!("{}/{prefix}", Ipv4Addr::from(octets));
    }
    match <[u8; 16]>::try_from(bytes.as_slice()) {
        Ok(octets) => format!("{}/{prefix}", Ipv6Addr::from(octets)),
        Err(_) => String::new(),
    }
}

/// Address family, protocol, number of ports, first port: `ipv4:tcp:80-81`, `any`.
fn socket_bind(fields: &[Value]) -> String {
    let signed = |at: usize| fields.get(at).and_then(Value::signed).unwrap_or(0);
    let family = match signed(0) {
        2 => Some("ipv4"),
        10 => Some("ipv6"),
        _ => None,
    };
    let protocol = match signed(1) {
        6 => Some("tcp"),
        17 => Some("udp"),
        _ => None,
    };
    let ports = match (number(fields, 2), number(fields, 3)) {
        (0, _) => None,
        (1, first) => Some(first.to_string()),
        (count, first) => Some(format!("{first}-{}", first + count - 1)),
    };
    let words: Vec<String> =
        [family.map(str::to_owned), protocol.map(str::to_owned), ports].into_iter().flatten().collect();
    if words.is_empty() { "any".to_owned() } else { words.join(":") }
}

/// MS_REC of mount(2).
const RECURSIVE: u64 = 16384;

fn bind(fields: &[Value]) -> String {
    let (source, target) = (text(fields, 0), text(fields, 1));
    let prefix = if yes(fields, 2) { "-" } else { "" };
    let options = if number(fields, 3) & RECURSIVE != 0 { ":rbind" } else { "" };
    format!("{prefix}{source}:{target}{options}")
}

/// A bit mask as `0-3 5`.
fn ranges(value: &Value) -> String {
    let Value::Bytes(bytes) = value else { return String::new() };
    let set: Vec<usize> = (0..bytes.len() * 8).filter(|bit| bytes[bit / 8] & (1 << (bit % 8)) != 0).collect();
    let mut ranges: Vec<(usize, usize)> = Vec::new();
    for bit in set {
        match ranges.last_mut() {
            Some((_, last)) if *last + 1 == bit => *last = bit,
            Some(_) | None => ranges.push((bit, bit)),
        }
    }
    let words: Vec<String> = ranges
        .iter()
        .map(|(first, last)| if first == last { first.to_string() } else { format!("{first}-{last}") })
        .collect();
    words.join(" ")
}

fn base64(value: &Value) -> String {
    const DIGITS: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let Value::Bytes(bytes) = value else { return String::new() };
    let mut text = String::new();
    for chunk in bytes.chunks(3) {
        let word = chunk.iter().fold(0_usize, |word, byte| word << 8 | usize::from(*byte))
            << (8 * (3 - chunk.len()));
        for place in 0..4 {
            let digit = word >> (18 - 6 * place) & 63;
            text.push(if place <= chunk.len() { char::from(DIGITS[digit]) } else { '=' });
        }
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn masks_and_bytes() {
        assert_eq!(ranges(&Value::Bytes(vec![0b0010_1111, 1])), "0-3 5 8");
        assert_eq!(base64(&Value::Bytes(b"hello".to_vec())), "aGVsbG8=");
        assert_eq!(base64(&Value::Bytes(b"hell".to_vec())), "aGVsbA==");
    }
}
