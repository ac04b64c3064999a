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

/// What can be seen of each place that something is mounted on: of what lies upon each other, the last.
pub fn read(table: &str, own_options: &str) -> BTreeMap<String, Mounted> {
    let own: BTreeMap<(String, String), String> = own_options.lines().filter_map(own_line).collect();
    let mounted = table.lines().filter_map(line).map(|mut mounted| {
        let key = (mounted.place.clone(), mounted.what.clone());
        if let Some(own) = own.get(&key) {
            mounted.options = format!("{},{own}", mounted.options);
        }
        (key.0, mounted)
    });
    mounted.collect()
}

fn line(line: &str) -> Option<Mounted> {
    let (left, right) = line.split_once(" - ")?;
    let mut of_place = left.split(' ').skip(4);
    let mut of_file_system = right.split(' ');
    let place = unescape(of_place.next()?);
    let here = of_place.next()?;
    let (kind, what) = (of_file_system.next()?.to_owned(), unescape(of_file_system.next()?));
    let everywhere = of_file_system.next().unwrap_or("");
    Some(Mounted { what, place, kind, options: merged(here, everywhere) })
}

/// Place, what is there, and the options.
fn own_line(line: &str) -> Option<((String, String), String)> {
    let value =
        |key: &str| line.split(' ').find_map(|word| word.strip_prefix(key)?.strip_prefix('=')).map(unescape);
    Some(((value("TARGET")?, value("SRC")?), value("OPTS")?))
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
fn unescape(text: &str) -> String {
    let mut out = Vec::new();
    let mut bytes = text.bytes();
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
    String::from_utf8_lossy(&out).into_owned()
}

#[cfg(test)]
mod tests {
    use super::read;

    fn shown(table: &str, own: &str) -> Vec<String> {
        let all = read(table, own).into_values();
        all.map(|one| format!("{} on {} type {} ({})", one.what, one.place, one.kind, one.options)).collect()
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
        let own = "SRC=/dev/root TARGET=/a\\040b ROOT=/mnt1 OPTS=x-a,_netdev\nSRC=other TARGET=/srv OPTS=x-b\nTARGET=/cut\n";
        assert_eq!(
            shown(table, own),
            [
                "overlay on / type overlay (rw,relatime)",
                "/dev/root on /a b type ext3 (rw,noatime,errors=continue,x-a,_netdev)",
                r"two\x on /srv type tmpfs (rw,relatime)",
                "sysfs on /sys type sysfs (ro,nosuid)",
            ]
        );
        assert!(shown("", "").is_empty());
    }
}
