//! What is mounted, as the kernel tells it: proc_pid_mountinfo(5), with the options that mount(8) keeps for itself.

use super::mounts::options;
use std::collections::BTreeMap;

/// Where the kernel tells it.
pub const MOUNT_TABLE: &str = "/proc/self/mountinfo";

/// Where mount(8) writes down what options it was given that mean nothing to the kernel.
pub const OWN_OPTIONS: &str = "/run/mount/utab";

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Mounted {
    pub what: String,
    pub place: String,
    pub kind: String,
    pub options: String,
}

/// What can be seen of each place that something is mounted on: of what lies upon each other, the last. A place is bytes,
/// which is what its unit is named after; what is shown of it is text. Lines that say too little are left out.
pub fn read(table: &[u8], own_options: &[u8]) -> BTreeMap<Vec<u8>, Mounted> {
    let own: BTreeMap<Mark, String> = lines(own_options).filter_map(own_line).collect();
    lines(table).filter_map(|text| line(text, &own)).collect()
}

fn lines(text: &[u8]) -> impl Iterator<Item = &[u8]> {
    text.split(|byte| *byte == b'\n')
}

fn words(line: &[u8]) -> impl Iterator<Item = &[u8]> {
    line.split(|byte| *byte == b' ')
}

fn line(line: &[u8], own: &BTreeMap<Mark, String>) -> Option<(Vec<u8>, Mounted)> {
    let mut words = words(line);
    let place = unescape(words.nth(4)?);
    let here = text(words.next()?);
    // Between the options and this sign there are as many words as the kernel likes.
    words.find(|word| *word == b"-")?;
    let (kind, what) = (text(words.next()?), unescape(words.next()?));
    let everywhere = text(words.next().unwrap_or_default());
    let mut options = merged(&here, &everywhere);
    let shown = Mounted { what: text(&what), place: text(&place), kind, options: String::new() };
    if !place.starts_with(b"/") {
        return None;
    }
    let key = (place, what);
    if let Some(own) = own.get(&key) {
        options = format!("{options},{own}");
    }
    Some((key.0, Mounted { options, ..shown }))
}

/// A place, and what is there.
type Mark = (Vec<u8>, Vec<u8>);

/// What is mounted where, and the options.
fn own_line(line: &[u8]) -> Option<(Mark, String)> {
    let value =
        |key: &[u8]| words(line).find_map(|word| word.strip_prefix(key)?.strip_prefix(b"=")).map(unescape);
    Some(((value(b"TARGET")?, value(b"SRC")?), text(&value(b"OPTS")?)))
}

/// As it can be shown.
fn text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}

/// The options of the mount and those of its file system as one list, as libmount has them: read-only by either is read-only.
fn merged(here: &str, everywhere: &str) -> String {
    if here == everywhere {
        return here.to_owned();
    }
    let all = || options(here).chain(options(everywhere));
    let access = if all().any(|option| option == "ro") { "ro" } else { "rw" };
    let rest = all().filter(|option| !matches!(*option, "ro" | "rw" | ""));
    [access].into_iter().chain(rest).collect::<Vec<_>>().join(",")
}

/// Blanks are written in octal.
fn unescape(text: &[u8]) -> Vec<u8> {
    let mut out = Vec::new();
    let mut bytes = text.iter().copied();
    while let Some(byte) = bytes.next() {
        let digits: Vec<u8> = if byte == b'\\' { bytes.clone().take(3).collect() } else { Vec::new() };
        let octal = std::str::from_utf8(&digits).ok().and_then(|digits| u8::from_str_radix(digits, 8).ok());
        match octal.filter(|_| digits.len() == 3) {
            Some(value) => {
                out.push(value);
                bytes.nth(2);
            }
            None => out.push(byte),
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::read;

    fn shown(table: &[u8], own: &[u8]) -> Vec<String> {
        let all = read(table, own).into_iter();
        let show = |(place, one): (Vec<u8>, super::Mounted)| {
            assert_eq!(String::from_utf8_lossy(&place), one.place, "the place is shown as far as it can be");
            format!("{} on {} type {} ({})", one.what, place.escape_ascii(), one.kind, one.options)
        };
        all.map(show).collect()
    }

    /// As findmnt(8) shows the same lines.
    #[test]
    fn lines() {
        let table = r"36 35 98:0 /mnt1 /a\040b rw,noatime master:1 - ext3 /dev/root rw,errors=continue
37 35 0:76 / /srv rw,relatime shared:208 - tmpfs one rw,size=1024k
38 37 0:77 / /srv rw,relatime shared:209 - tmpfs two\134x rw
39 35 0:20 / /sys ro,nosuid - sysfs sysfs rw
40 35 98:0 / / rw,relatime - overlay overlay rw,relatime
no line at all
41 35 98:0 / /cut rw";
        let own = b"SRC=/dev/root TARGET=/a\\040b ROOT=/mnt1 OPTS=x-a,_netdev\nSRC=other TARGET=/srv OPTS=x-b\nTARGET=/cut\n";
        assert_eq!(
            shown(table.as_bytes(), own),
            [
                "overlay on / type overlay (rw,relatime)",
                "/dev/root on /a b type ext3 (rw,noatime,errors=continue,x-a,_netdev)",
                r"two\x on /srv type tmpfs (rw,relatime)",
                "sysfs on /sys type sysfs (ro,nosuid)",
            ]
        );
        assert!(shown(b"", b"").is_empty());
    }

    /// One line after the other, each beside one that is well: whatever it is, the other stays.
    #[test]
    fn odd_lines() {
        let long = "x".repeat(4000);
        let cases: &[(&[u8], Option<String>)] = &[
            (b"1 2 0:1 / /o\xff rw - tmpfs s rw", Some(r"s on /o\xff type tmpfs (rw)".into())),
            (
                b"1 2 0:1 / /o rw - tmpfs s\xff rw,a=\xfe",
                Some("s\u{fffd} on /o type tmpfs (rw,a=\u{fffd})".into()),
            ),
            (br"1 2 0:1 / /o\012\011\134040 rw - t \043s rw", Some(r"#s on /o\n\t\\040 type t (rw)".into())),
            (br"1 2 0:1 / /o\9\400 rw - t s rw", Some(r"s on /o\\9\\400 type t (rw)".into())),
            (br"1 2 0:1 / /o\04 rw - t s rw", Some(r"s on /o\\04 type t (rw)".into())),
            (b"1 2 0:1 /a - /o rw a:1 b:2 c - t s rw", None),
            (b"1 2 0:1 / /o rw a:1 b:2 c - t s rw", Some("s on /o type t (rw)".into())),
            (b"1 2 0:1 / /o rw - t s", Some("s on /o type t (rw)".into())),
            (b"1 2 0:1 / /o rw - t  rw", Some(" on /o type t (rw)".into())),
            (b"1 2 0:1 / /o rw - t", None),
            (b"1 2 0:1 / /o rw", None),
            (b"1 2 0:1 / o rw - t s rw", None),
            (b"1 2 0:1 / ", None),
            (b"\xff\xfe", None),
        ];
        let well = b"9 2 0:9 / /w rw - tmpfs w rw";
        for (line, expected) in cases {
            let table = [line, well.as_slice()].join(&b'\n');
            let mut found = shown(&table, b"");
            assert_eq!(found.pop().as_deref(), Some("w on /w type tmpfs (rw)"), "{}", line.escape_ascii());
            assert_eq!(found.pop(), *expected, "{}", line.escape_ascii());
        }
        let line = format!("1 2 0:1 / /{long} rw - tmpfs s rw");
        assert_eq!(shown(line.as_bytes(), b""), [format!("s on /{long} type tmpfs (rw)")]);
        let own = b"SRC=s\xff TARGET=/o\xff OPTS=x-\xff\n\xff\xff";
        let line = b"1 2 0:1 / /o\xff rw - t s\xff rw";
        assert_eq!(shown(line, own), ["s\u{fffd} on /o\\xff type t (rw,x-\u{fffd})"]);
    }
}
