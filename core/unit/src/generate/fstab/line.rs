//! One line of fstab(5): fields, the escapes in them, and devices named by a tag.

/// A line's fields; what is left out is empty, or 0.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Line {
    /// `UUID=…` and the like are paths of devices already.
    pub what: String,
    pub place: String,
    pub kind: String,
    pub options: String,
    /// Whether the file system is to be checked.
    pub pass: u32,
}

impl Line {
    /// None for an empty line and a comment.
    pub fn parse(line: &str) -> Option<Line> {
        let line = line.trim_start_matches([' ', '\t']).trim_end_matches(['\r', '\n']);
        if line.is_empty() || line.starts_with('#') {
            return None;
        }
        let mut fields = line.split([' ', '\t']).filter(|field| !field.is_empty());
        let mut text = || decode(fields.next().unwrap_or_default());
        let (what, place, kind, options) = (text(), text(), text(), text());
        let pass = fields.nth(1).and_then(|pass| pass.parse().ok()).unwrap_or_default();
        Some(Line { what: device_of_tag(&what), place, kind, options, pass })
    }
}

/// `\040` and the like: the bytes that fields could not hold.
fn decode(field: &str) -> String {
    const ESCAPES: &[(&str, &str)] =
        &[("040", " "), ("011", "\t"), ("012", "\n"), ("134", "\\"), ("\\", "\\")];
    let mut text = String::with_capacity(field.len());
    let mut rest = field;
    while let Some((before, after)) = rest.split_once('\\') {
        text.push_str(before);
        match ESCAPES.iter().find(|(code, _)| after.starts_with(code)) {
            Some((code, meant)) => {
                text.push_str(meant);
                rest = &after[code.len()..];
            }
            None => {
                text.push('\\');
                rest = after;
            }
        }
    }
    text + rest
}

/// Where udev puts the device a tag names.
fn device_of_tag(what: &str) -> String {
    const TAGS: &[(&str, &str)] = &[
        ("LABEL=", "by-label"),
        ("UUID=", "by-uuid"),
        ("PARTUUID=", "by-partuuid"),
        ("PARTLABEL=", "by-partlabel"),
    ];
    let found = TAGS.iter().find_map(|(tag, folder)| Some((what.strip_prefix(tag)?, folder)));
    match found {
        Some((value, folder)) => format!("/dev/disk/{folder}/{}", encode(unquote(value))),
        None => what.to_owned(),
    }
}

fn unquote(value: &str) -> &str {
    let inner = |quote: char| value.strip_prefix(quote)?.strip_suffix(quote);
    inner('"').or(inner('\'')).unwrap_or(value)
}

/// As udev writes names of links: what it does not trust becomes `\x20`.
fn encode(value: &str) -> String {
    let mut name = String::with_capacity(value.len());
    for c in value.chars() {
        if c.is_ascii_alphanumeric() || "#+-.:=@_".contains(c) || !c.is_ascii() {
            name.push(c);
        } else {
            name.push_str(&format!("\\x{:02x}", u32::from(c)));
        }
    }
    name
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn fields_escapes_and_tags() {
        assert_eq!(Line::parse("  # comment"), None);
        assert_eq!(Line::parse("\t "), None);
        let line = Line::parse("LABEL=\"a\\040b\"\t/x\\040y\\011\\134z ext4 a=\\054,b 1 2 rest").unwrap();
        assert_eq!(line.what, "/dev/disk/by-label/a\\x20b");
        assert_eq!(line.place, "/x y\t\\z");
        assert_eq!((line.options.as_str(), line.pass), ("a=\\054,b", 2));
        assert_eq!(Line::parse("/dev/sda").unwrap(), Line { what: "/dev/sda".into(), ..Line::default() });
    }
}
