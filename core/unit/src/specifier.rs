//! Specifiers: `%i`, `%t`, `%H` … in values, systemd.unit(5) "Specifiers". What the machine is comes in
//! as [`Context`]; nothing is asked here.

use crate::limits::EXPANDED_MAX;
use crate::manager::Defaults;
use crate::name::UnitName;
use crate::values::path;
use crate::values::zones::{KnownZones, OnTrust};
use serde::{Deserialize, Serialize};
use std::borrow::Cow;

/// What specifiers say about the machine and the manager; the same for all units of one manager.
#[derive(Clone, Debug)]
pub struct Context {
    /// `%H`; `%l` is what stands before its first dot.
    pub hostname: String,
    /// `%q`; empty: as the hostname.
    pub pretty_hostname: String,
    /// `%m`, 32 hexadecimal digits.
    pub machine_id: String,
    /// `%b`, 32 hexadecimal digits.
    pub boot_id: String,
    /// `%v`: `uname -r`.
    pub kernel: String,
    /// `%a` in systemd's words: `x86-64`, `arm64`, …
    pub architecture: String,
    pub os: OsRelease,
    /// Who the manager runs as: `%u %U %g %G %h %s`.
    pub user: String,
    pub uid: u32,
    pub group: String,
    pub gid: u32,
    pub home: String,
    pub shell: String,
    pub directories: Directories,
    /// `%R`: the manager's own control group, empty at the root.
    pub cgroup_root: String,
    /// No specifier, but the machine's too: what a calendar expression may name.
    pub zones: KnownZones,
    /// No specifiers either, but the manager's word on units that say nothing themselves.
    pub defaults: Defaults,
}

/// `/etc/os-release`; a field that is missing is empty.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct OsRelease {
    pub id: String,
    pub version_id: String,
    pub build_id: String,
    pub variant_id: String,
    pub image_id: String,
    pub image_version: String,
}

/// Where things of their kind live: `%t %S %C %L %E %T %V`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Directories {
    pub runtime: String,
    pub state: String,
    pub cache: String,
    pub logs: String,
    pub configuration: String,
    pub temporary: String,
    pub temporary_large: String,
}

impl Directories {
    /// Those of the machine's own manager.
    pub fn of_system() -> Directories {
        Directories {
            runtime: "/run".into(),
            state: "/var/lib".into(),
            cache: "/var/cache".into(),
            logs: "/var/log".into(),
            configuration: "/etc".into(),
            temporary: "/tmp".into(),
            temporary_large: "/var/tmp".into(),
        }
    }

    /// Those of a user's manager, from `$HOME` and `$XDG_RUNTIME_DIR` where the other XDG variables are unset.
    pub fn of_user(home: &str, runtime: &str) -> Directories {
        Directories {
            runtime: runtime.to_owned(),
            state: format!("{home}/.config"),
            cache: format!("{home}/.cache"),
            logs: format!("{home}/.config/log"),
            configuration: format!("{home}/.config"),
            ..Directories::of_system()
        }
    }
}

impl Default for Context {
    /// A machine of which nothing is known, run by root.
    fn default() -> Context {
        Context {
            hostname: "localhost".into(),
            pretty_hostname: String::new(),
            machine_id: "00000000000000000000000000000000".into(),
            boot_id: "00000000000000000000000000000000".into(),
            kernel: String::new(),
            architecture: "x86-64".into(),
            os: OsRelease::default(),
            user: "root".into(),
            uid: 0,
            group: "root".into(),
            gid: 0,
            home: "/root".into(),
            shell: "/bin/sh".into(),
            directories: Directories::of_system(),
            cgroup_root: String::new(),
            zones: KnownZones(&OnTrust),
            defaults: Defaults::default(),
        }
    }
}

/// Which specifiers a place takes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Allowed {
    /// All of them.
    All,
    /// In names of units: those that are safe there.
    InNames,
    /// In the manager's own settings: those that tell of no unit, systemd-system.conf(5).
    OfManager,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum BadSpecifier {
    /// `%` with a letter that means nothing (here).
    Unknown(char),
    /// It stands for something that is no value: `%f` of an instance that is no path.
    NoValue(char),
    TooLong,
}

impl std::fmt::Display for BadSpecifier {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            BadSpecifier::Unknown(_) => "Invalid slot",
            BadSpecifier::NoValue(_) => "Invalid argument",
            BadSpecifier::TooLong => "File name too long",
        })
    }
}

/// The unit whose text is read.
#[derive(Clone, Copy, Debug)]
pub struct Scope<'a> {
    pub name: &'a UnitName,
    /// Its unit file, for `%y` and `%Y`; empty if it has none.
    pub fragment: &'a str,
    pub cx: &'a Context,
}

/// The text with its specifiers replaced.
pub fn expand<'t>(text: &'t str, scope: Scope<'_>, allowed: Allowed) -> Result<Cow<'t, str>, BadSpecifier> {
    let Some(first) = text.find('%') else {
        return Ok(Cow::Borrowed(text));
    };
    let mut out = text[..first].to_owned();
    let mut rest = &text[first..];
    while let Some(at) = rest.find('%') {
        out.push_str(&rest[..at]);
        let letter = rest[at + 1..].chars().next();
        match letter {
            Some('%') => out.push('%'),
            Some(letter) if letter.is_ascii_alphanumeric() => {
                out.push_str(&value(letter, scope, allowed)?);
            }
            Some(other) => out.extend(['%', other]),
            None => out.push('%'),
        }
        if out.len() > EXPANDED_MAX {
            return Err(BadSpecifier::TooLong);
        }
        rest = &rest[at + 1 + letter.map_or(0, char::len_utf8)..];
    }
    out.push_str(rest);
    Ok(Cow::Owned(out))
}

fn value<'a>(letter: char, scope: Scope<'a>, allowed: Allowed) -> Result<Cow<'a, str>, BadSpecifier> {
    let Scope { name, fragment, cx } = scope;
    let is_allowed = match allowed {
        Allowed::All => true,
        Allowed::InNames => "nNpijaAbBHlqmMovwWgGuU".contains(letter),
        Allowed::OfManager => "aAbBHlmMovwWTV".contains(letter),
    };
    if !is_allowed {
        return Err(BadSpecifier::Unknown(letter));
    }
    let last_part = |prefix: &'a str| prefix.rsplit_once('-').map_or(prefix, |(_, last)| last);
    let borrowed = |text: &'a str| Ok(Cow::Borrowed(text));
    match letter {
        'n' => borrowed(name.as_str()),
        'N' => borrowed(name.stem()),
        'p' => borrowed(name.prefix()),
        'P' => Ok(unescape(name.prefix())),
        'j' => borrowed(last_part(name.prefix())),
        'J' => Ok(unescape(last_part(name.prefix()))),
        'i' => borrowed(name.instance().unwrap_or("")),
        'I' => Ok(name.instance().map_or(Cow::Borrowed(""), unescape)),
        'f' => as_path(name).map(Cow::Owned).ok_or(BadSpecifier::NoValue(letter)),
        'y' => borrowed(fragment),
        'Y' => borrowed(fragment.rsplit_once('/').map_or("", |(folder, _)| folder)),
        'c' => Ok(Cow::Owned(format!("{}/{name}", cx.cgroup_root))),
        'r' | 'R' => borrowed(&cx.cgroup_root),
        'd' => Ok(Cow::Owned(format!("{}/credentials/{name}", cx.directories.runtime))),
        't' => borrowed(&cx.directories.runtime),
        'S' => borrowed(&cx.directories.state),
        'C' => borrowed(&cx.directories.cache),
        'L' => borrowed(&cx.directories.logs),
        'E' => borrowed(&cx.directories.configuration),
        'T' => borrowed(&cx.directories.temporary),
        'V' => borrowed(&cx.directories.temporary_large),
        'H' => borrowed(&cx.hostname),
        'l' => borrowed(cx.hostname.split('.').next().unwrap_or("")),
        'q' if cx.pretty_hostname.is_empty() => borrowed(&cx.hostname),
        'q' => borrowed(&cx.pretty_hostname),
        'm' => borrowed(&cx.machine_id),
        'b' => borrowed(&cx.boot_id),
        'v' => borrowed(&cx.kernel),
        'a' => borrowed(&cx.architecture),
        'o' => borrowed(&cx.os.id),
        'w' => borrowed(&cx.os.version_id),
        'B' => borrowed(&cx.os.build_id),
        'W' => borrowed(&cx.os.variant_id),
        'M' => borrowed(&cx.os.image_id),
        'A' => borrowed(&cx.os.image_version),
        'u' => borrowed(&cx.user),
        'U' => Ok(Cow::Owned(cx.uid.to_string())),
        'g' => borrowed(&cx.group),
        'G' => Ok(Cow::Owned(cx.gid.to_string())),
        'h' => borrowed(&cx.home),
        's' => borrowed(&cx.shell),
        other => Err(BadSpecifier::Unknown(other)),
    }
}

/// `-` to `/`, `\x20` to what it stands for; an escape that is none stays as it is.
pub fn unescape(text: &str) -> Cow<'_, str> {
    if !text.contains(['-', '\\']) {
        return Cow::Borrowed(text);
    }
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.as_bytes();
    while let Some((first, after)) = rest.split_first() {
        let hex = |digit: &u8| char::from(*digit).to_digit(16).map(|value| value as u8);
        match (first, after) {
            (b'-', _) => bytes.push(b'/'),
            (b'\\', [b'x', high, low, tail @ ..]) => match (hex(high), hex(low)) {
                (Some(high), Some(low)) => {
                    bytes.push(high << 4 | low);
                    rest = tail;
                    continue;
                }
                (Some(_) | None, Some(_) | None) => bytes.push(b'\\'),
            },
            (byte, _) => bytes.push(*byte),
        }
        rest = after;
    }
    Cow::Owned(
        String::from_utf8(bytes).unwrap_or_else(|bad| String::from_utf8_lossy(bad.as_bytes()).into_owned()),
    )
}

/// The path that the name of a mount, automount or swap unit stands for: `var-lib.mount` is `/var/lib`.
pub fn path_of(name: &UnitName) -> String {
    match name.stem() {
        "-" => "/".into(),
        stem => format!("/{}", unescape(stem)),
    }
}

/// The instance (or, without one, the prefix) as an absolute path.
fn as_path(name: &UnitName) -> Option<String> {
    let escaped = name.instance().filter(|instance| !instance.is_empty()).unwrap_or(name.prefix());
    if escaped == "-" {
        return Some("/".into());
    }
    let path = path::simplify(&format!("/{}", unescape(escaped))).into_owned();
    (path::is_normalized(&path) && !path.contains('\0')).then_some(path)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(name: &str, text: &str, expected: Result<&str, BadSpecifier>) {
        let name = UnitName::parse(name).unwrap();
        let scope = Scope { name: &name, fragment: "/lib/x@.service", cx: &Context::default() };
        let found = expand(text, scope, Allowed::All);
        assert_eq!(found.as_deref().map_err(|bad| *bad), expected, "{name} {text}");
    }

    #[test]
    fn expanded() {
        check("x-y@a-b.service", "%p %j %i %I %f %N", Ok("x-y y a-b a/b /a/b x-y@a-b"));
        check("a\\x20b.service", "%f|%P|%i", Ok("/a b|a b|"));
        check("a.service", "%y %Y 100% %% %- %", Ok("/lib/x@.service /lib 100% % %- %"));
        check("a.service", "%e", Err(BadSpecifier::Unknown('e')));
        check("x@..-b.service", "%f", Err(BadSpecifier::NoValue('f')));
        check("x@-.service", "%f%t", Ok("//run"));
    }
}
