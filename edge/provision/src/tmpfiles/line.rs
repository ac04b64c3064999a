//! Lines of tmpfiles.d(5): type, path, mode, user, group, age, argument.

use super::age::Age;
use crate::accounts::Accounts;
use crate::conf::Conf;
use crate::specifiers::Specifiers;
use eudaemon_unit::values::words::{self, Escaped, Escapes, Quotes, Words};

/// What a line does; the letter with its `+`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Kind {
    /// `f`
    CreateFile,
    /// `f+`, `F`
    TruncateFile,
    /// `d`, and `v q Q`, whose subvolumes we make as directories.
    CreateDirectory,
    /// `D`
    EmptiedDirectory,
    /// `p`, `p+`
    Fifo,
    /// `L`, `L+`
    Symlink,
    /// `L?`: only if the target is there.
    SymlinkIfTarget,
    /// `c`
    CharacterDevice,
    /// `b`
    BlockDevice,
    /// `C`
    Copy,
    /// `w`
    Write,
    /// `w+`
    Append,
    /// `e`
    AdjustDirectory,
    /// `x`
    Ignore,
    /// `X`
    IgnoreDirectory,
    /// `r`
    Remove,
    /// `R`
    RemoveTree,
    /// `z`, `m`
    Adjust,
    /// `Z`
    AdjustTree,
    /// `t`, `T`
    Attributes,
    AttributesTree,
    /// `h`, `H`
    Flags,
    FlagsTree,
    /// `a`, `A`, with `+` for adding
    Acl,
    AclTree,
}

impl Kind {
    /// Lines whose path is a pattern.
    pub fn is_glob(self) -> bool {
        match self {
            Kind::Write
            | Kind::Append
            | Kind::AdjustDirectory
            | Kind::Ignore
            | Kind::IgnoreDirectory
            | Kind::Remove
            | Kind::RemoveTree
            | Kind::Adjust
            | Kind::AdjustTree
            | Kind::Attributes
            | Kind::AttributesTree
            | Kind::Flags
            | Kind::FlagsTree
            | Kind::Acl
            | Kind::AclTree => true,
            Kind::CreateFile
            | Kind::TruncateFile
            | Kind::CreateDirectory
            | Kind::EmptiedDirectory
            | Kind::Fifo
            | Kind::Symlink
            | Kind::SymlinkIfTarget
            | Kind::CharacterDevice
            | Kind::BlockDevice
            | Kind::Copy => false,
        }
    }

    /// Lines of which there can be one for a path.
    pub fn owns(self) -> bool {
        match self {
            Kind::Adjust
            | Kind::AdjustTree
            | Kind::Attributes
            | Kind::AttributesTree
            | Kind::Flags
            | Kind::FlagsTree
            | Kind::Acl
            | Kind::AclTree => false,
            Kind::CreateFile
            | Kind::TruncateFile
            | Kind::CreateDirectory
            | Kind::EmptiedDirectory
            | Kind::Fifo
            | Kind::Symlink
            | Kind::SymlinkIfTarget
            | Kind::CharacterDevice
            | Kind::BlockDevice
            | Kind::Copy
            | Kind::Write
            | Kind::Append
            | Kind::AdjustDirectory
            | Kind::Ignore
            | Kind::IgnoreDirectory
            | Kind::Remove
            | Kind::RemoveTree => true,
        }
    }
}

/// What became of an argument column.
enum Argument {
    None,
    Is(Vec<u8>),
    /// It names a credential that is not set, or bytes that are no base64: the line is passed over.
    Missing,
}

/// A mode or an owner, and whether it is for new files alone (`:`).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Given<T> {
    pub value: T,
    pub only_new: bool,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Mode {
    pub bits: u32,
    /// `~`: bits that nobody has are not given to anybody.
    pub masked: bool,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Item {
    /// File and line, for complaints.
    pub place: String,
    pub kind: Kind,
    /// `+`: appends, or replaces what is in the way.
    pub plus: bool,
    pub only_at_boot: bool,
    pub may_fail: bool,
    /// `=`: what is of another type goes.
    pub forced: bool,
    pub path: String,
    pub mode: Option<Given<Mode>>,
    pub user: Option<Given<u32>>,
    pub group: Option<Given<u32>>,
    pub age: Option<Age>,
    /// As text for links and attributes, as bytes for files.
    pub argument: Option<Vec<u8>>,
}

impl Item {
    pub fn argument_text(&self) -> Option<String> {
        self.argument.as_ref().map(|bytes| String::from_utf8_lossy(bytes).into_owned())
    }
}

pub fn parse(
    confs: &[Conf],
    specifiers: &Specifiers,
    accounts: &Accounts,
    say: &mut dyn FnMut(String),
) -> Vec<Item> {
    let mut items = Vec::new();
    for conf in confs {
        for (number, line) in conf.text.lines().enumerate() {
            let line = line.trim();
            if line.is_empty() || line.starts_with(['#', ';']) {
                continue;
            }
            let place = format!("{}:{}", conf.path, number + 1);
            match one(line, &place, specifiers, accounts) {
                Ok(item) => items.extend(item),
                Err(text) => say(format!("{place}: {text}")),
            }
        }
    }
    items
}

/// `None`: a credential that is not set.
fn one(
    line: &str,
    place: &str,
    specifiers: &Specifiers,
    accounts: &Accounts,
) -> Result<Option<Item>, String> {
    let (fields, rest) = split(line)?;
    let field =
        |at: usize| fields.get(at).map(String::as_str).filter(|text| !text.is_empty() && *text != "-");
    let action = field(0).ok_or("a type is missing")?;
    let (letter, modifiers) = action.split_at(action.chars().next().map_or(0, char::len_utf8));
    let has = |modifier: char| modifiers.contains(modifier);
    if let Some(odd) = modifiers.chars().find(|c| !"+!-=~^?".contains(*c)) {
        return Err(format!("unknown modifier '{odd}'"));
    }
    let kind = kind(letter, has('+'), has('?'))?;
    let path = specifiers.expand(fields.get(1).map_or("", String::as_str))?;
    if !path.starts_with('/') {
        return Err(format!("'{path}' is no absolute path"));
    }
    let path = of_today(simplify(&path)?);
    let mode = field(2).map(mode).transpose()?;
    let owner = |at: usize, find: &dyn Fn(&str) -> Option<u32>, what: &str| {
        let Some(text) = field(at) else { return Ok(None) };
        let name = specifiers.expand(text.trim_start_matches(':'))?;
        let value = find(&name).ok_or_else(|| format!("there is no {what} '{name}'"))?;
        Ok::<_, String>(Some(Given { value, only_new: text.starts_with(':') }))
    };
    let user = owner(3, &|name| accounts.user(name), "user")?;
    let group = owner(4, &|name| accounts.group(name), "group")?;
    let age = field(5).map(Age::parse).transpose()?;
    let argument = match argument(kind, &path, rest, (has('~'), has('^')), specifiers)? {
        Argument::None => None,
        Argument::Is(content) => Some(content),
        Argument::Missing => return Ok(None),
    };
    Ok(Some(Item {
        place: place.to_owned(),
        kind,
        plus: has('+'),
        only_at_boot: has('!'),
        may_fail: has('-'),
        forced: has('='),
        path,
        mode,
        user,
        group,
        age,
        argument,
    }))
}

/// The first six fields, and the rest of the line as it is.
fn split(line: &str) -> Result<(Vec<String>, &str), String> {
    let mut words = Words::new(line, Quotes::Removed, Escapes::C);
    let mut fields = Vec::new();
    while fields.len() < 6 {
        match words.next() {
            Some(word) => fields.push(word.map_err(|_| "a quote is open".to_owned())?.text),
            None => break,
        }
    }
    Ok((fields, words.rest().trim_start()))
}

fn kind(letter: &str, plus: bool, conditional: bool) -> Result<Kind, String> {
    Ok(match (letter, plus) {
        ("f", false) => Kind::CreateFile,
        ("f", true) | ("F", _) => Kind::TruncateFile,
        ("d" | "v" | "q" | "Q", _) => Kind::CreateDirectory,
        ("D", _) => Kind::EmptiedDirectory,
        ("p", _) => Kind::Fifo,
        ("L", _) if conditional => Kind::SymlinkIfTarget,
        ("L", _) => Kind::Symlink,
        ("c", _) => Kind::CharacterDevice,
        ("b", _) => Kind::BlockDevice,
        ("C", _) => Kind::Copy,
        ("w", false) => Kind::Write,
        ("w", true) => Kind::Append,
        ("e", _) => Kind::AdjustDirectory,
        ("x", _) => Kind::Ignore,
        ("X", _) => Kind::IgnoreDirectory,
        ("r", _) => Kind::Remove,
        ("R", _) => Kind::RemoveTree,
        ("z" | "m", _) => Kind::Adjust,
        ("Z", _) => Kind::AdjustTree,
        ("t", _) => Kind::Attributes,
        ("T", _) => Kind::AttributesTree,
        ("h", _) => Kind::Flags,
        ("H", _) => Kind::FlagsTree,
        ("a", _) => Kind::Acl,
        ("A", _) => Kind::AclTree,
        (other, _) => return Err(format!("'{other}' is no type of line")),
    })
}

/// Without doubled slashes and dots; `..` would leave the place that is named.
fn simplify(path: &str) -> Result<String, String> {
    let parts: Vec<&str> = path.split('/').filter(|part| !part.is_empty() && *part != ".").collect();
    if parts.contains(&"..") {
        return Err(format!("'{path}' leads through '..'"));
    }
    Ok(format!("/{}", parts.join("/")))
}

/// /var/run is an old name of /run.
fn of_today(path: String) -> String {
    match path.strip_prefix("/var/run") {
        Some(rest) if rest.starts_with('/') => format!("/run{rest}"),
        Some(_) | None => path,
    }
}

fn mode(text: &str) -> Result<Given<Mode>, String> {
    let bits = text.trim_start_matches(['~', ':']);
    let prefixes = &text[..text.len() - bits.len()];
    let number = u32::from_str_radix(bits, 8).ok().filter(|number| *number <= 0o7777);
    let bits = number.ok_or_else(|| format!("'{text}' is no mode"))?;
    Ok(Given { value: Mode { bits, masked: prefixes.contains('~') }, only_new: prefixes.contains(':') })
}

fn argument(
    kind: Kind,
    path: &str,
    text: &str,
    (base64, credential): (bool, bool),
    specifiers: &Specifiers,
) -> Result<Argument, String> {
    let given = Some(text).filter(|text| !text.is_empty() && *text != "-");
    if (base64 || credential) && given.is_some() {
        let content = if credential { credential_of(text) } else { Some(text.as_bytes().to_vec()) };
        let content = content.and_then(|content| if base64 { decode(&content) } else { Some(content) });
        return Ok(content.map_or(Argument::Missing, Argument::Is));
    }
    let given = given.map(unescape).transpose()?;
    let needed = || given.clone().ok_or_else(|| "an argument is missing".to_owned());
    let text = match kind {
        Kind::CreateFile | Kind::TruncateFile => given,
        Kind::Symlink | Kind::SymlinkIfTarget | Kind::Copy => {
            Some(given.unwrap_or_else(|| format!("/usr/share/factory{path}")))
        }
        Kind::Write
        | Kind::Append
        | Kind::CharacterDevice
        | Kind::BlockDevice
        | Kind::Attributes
        | Kind::AttributesTree
        | Kind::Flags
        | Kind::FlagsTree
        | Kind::Acl
        | Kind::AclTree => Some(needed()?),
        Kind::CreateDirectory
        | Kind::EmptiedDirectory
        | Kind::Fifo
        | Kind::AdjustDirectory
        | Kind::Ignore
        | Kind::IgnoreDirectory
        | Kind::Remove
        | Kind::RemoveTree
        | Kind::Adjust
        | Kind::AdjustTree => None,
    };
    let Some(text) = text.map(|text| specifiers.expand(&text)).transpose()? else {
        return Ok(Argument::None);
    };
    if kind == Kind::Copy && !text.starts_with('/') {
        return Err(format!("the source '{text}' is no absolute path"));
    }
    Ok(Argument::Is(text.into_bytes()))
}

/// C escapes decoded; blanks and quotes are the argument's own.
fn unescape(text: &str) -> Result<String, String> {
    let mut bytes = Vec::new();
    let mut rest = text;
    while let Some(at) = rest.find('\\') {
        bytes.extend_from_slice(&rest.as_bytes()[..at]);
        rest = &rest[at + 1..];
        match words::unescape(rest) {
            Some((Escaped::Char(c), length)) => {
                bytes.extend_from_slice(c.to_string().as_bytes());
                rest = &rest[length..];
            }
            Some((Escaped::Byte(byte), length)) => {
                bytes.push(byte);
                rest = &rest[length..];
            }
            None => return Err(format!("'{text}' has an escape that means nothing")),
        }
    }
    bytes.extend_from_slice(rest.as_bytes());
    Ok(String::from_utf8_lossy(&bytes).into_owned())
}

fn credential_of(name: &str) -> Option<Vec<u8>> {
    let directory = std::env::var("CREDENTIALS_DIRECTORY").ok()?;
    let plain = !name.contains('/') && name != "..";
    plain.then(|| std::fs::read(format!("{directory}/{name}")).ok()).flatten()
}

fn decode(text: &[u8]) -> Option<Vec<u8>> {
    let value = |byte: u8| match byte {
        b'A'..=b'Z' => Some(u32::from(byte - b'A')),
        b'a'..=b'z' => Some(u32::from(byte - b'a') + 26),
        b'0'..=b'9' => Some(u32::from(byte - b'0') + 52),
        b'+' => Some(62),
        b'/' => Some(63),
        _ => None,
    };
    let text: Vec<u8> = text.iter().copied().filter(|byte| !byte.is_ascii_whitespace()).collect();
    let end = text.iter().position(|byte| *byte == b'=').unwrap_or(text.len());
    let padded = text[end..].iter().all(|byte| *byte == b'=') && text.len() - end <= 2;
    if !text.len().is_multiple_of(4) || !padded {
        return None;
    }
    let (mut bytes, mut bits, mut held) = (Vec::new(), 0u32, 0);
    for byte in &text[..end] {
        bits = bits << 6 | value(*byte)?;
        held += 6;
        if held >= 8 {
            held -= 8;
            bytes.push((bits >> held) as u8);
            bits &= (1 << held) - 1;
        }
    }
    Some(bytes)
}
