//! Lines of sysusers.d(5), and what they leave to be done when all are read.

use crate::accounts;
use crate::conf::Conf;
use crate::specifiers::Specifiers;
use eudaemon_unit::values::words::Words;

/// What an ID column asks for.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum Wanted {
    #[default]
    Any,
    Id(u32),
    /// As the owner of this file.
    OwnerOf(String),
}

/// The group that a user's ID column names after a colon.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum Primary {
    /// Of the user's own name.
    #[default]
    Own,
    Id(u32),
    Named(String),
}

#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct User {
    pub name: String,
    pub id: Wanted,
    pub primary: Primary,
    pub description: String,
    pub home: String,
    pub shell: String,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Group {
    pub name: String,
    pub id: Wanted,
}

/// Everything the files ask for, each name once, in the order read.
#[derive(Clone, Debug, Default)]
pub struct Lines {
    pub users: Vec<User>,
    pub groups: Vec<Group>,
    /// User, then group.
    pub members: Vec<(String, String)>,
    pub ranges: Vec<(u32, u32)>,
}

pub fn parse(confs: &[Conf], specifiers: &Specifiers, say: &mut dyn FnMut(String)) -> Lines {
    let mut lines = Lines::default();
    for conf in confs {
        for (number, line) in conf.text.lines().enumerate() {
            let line = line.trim();
            if line.is_empty() || line.starts_with('#') {
                continue;
            }
            if let Err(text) = parse_line(line, specifiers, &mut lines) {
                say(format!("{}:{}: {text}", conf.path, number + 1));
            }
        }
    }
    lines
}

fn parse_line(line: &str, specifiers: &Specifiers, lines: &mut Lines) -> Result<(), String> {
    let mut fields = Vec::new();
    for word in Words::quoted(line) {
        fields.push(word.map_err(|_| "a quote is open".to_owned())?.text);
    }
    if fields.len() > 6 {
        return Err("more than six fields".to_owned());
    }
    let mut field = |at: usize| -> Result<String, String> {
        let text = fields.get_mut(at).map(std::mem::take).unwrap_or_default();
        if text == "-" { Ok(String::new()) } else { specifiers.expand(&text) }
    };
    let (kind, name, id) = (field(0)?, field(1)?, field(2)?);
    let (description, home, shell) = (field(3)?, field(4)?, field(5)?);
    let plain = description.is_empty() && home.is_empty() && shell.is_empty();
    match kind.as_str() {
        "u" => {
            check_name(&name)?;
            if description.contains([':', '\n']) {
                return Err(format!("'{description}' is no description of a user"));
            }
            for path in [&home, &shell] {
                if !path.is_empty() && (!path.starts_with('/') || path.contains([':', '\n'])) {
                    return Err(format!("'{path}' is no path"));
                }
            }
            let (id, primary) = user_id(&id)?;
            let user = User { name, id, primary, description, home, shell };
            add(&mut lines.users, user, |one, other| one.name == other.name)
        }
        "g" if plain => {
            check_name(&name)?;
            let id = wanted(&id)?;
            add(&mut lines.groups, Group { name, id }, |one, other| one.name == other.name)
        }
        "m" if plain => {
            check_name(&name)?;
            check_name(&id)?;
            lines.members.push((name, id));
            Ok(())
        }
        "r" if plain && name.is_empty() => {
            let (low, high) = id.split_once('-').unwrap_or((&id, &id));
            let number = |text: &str| accounts::id(text).ok_or_else(|| format!("'{id}' is no range of ids"));
            lines.ranges.push((number(low)?, number(high)?));
            Ok(())
        }
        "g" | "m" | "r" => Err(format!("a line of type {kind} takes fewer fields")),
        other => Err(format!("'{other}' is no type of line (u, g, m or r)")),
    }
}

/// The first word on a name stands; another one that says the same is no matter.
fn add<T: PartialEq>(list: &mut Vec<T>, new: T, same: impl Fn(&T, &T) -> bool) -> Result<(), String> {
    match list.iter().find(|old| same(old, &new)) {
        Some(old) if *old == new => Ok(()),
        // Only worth a warning, and systemd's exit status says nothing of it.
        Some(_) => Ok(()),
        None => {
            list.push(new);
            Ok(())
        }
    }
}

fn user_id(text: &str) -> Result<(Wanted, Primary), String> {
    let Some((user, group)) = text.split_once(':').filter(|_| !text.starts_with('/')) else {
        return Ok((wanted(text)?, Primary::Own));
    };
    let id = if user == "-" { Wanted::Any } else { wanted(user)? };
    match accounts::id(group) {
        Some(group) => Ok((id, Primary::Id(group))),
        None => check_name(group).map(|()| (id, Primary::Named(group.to_owned()))),
    }
}

fn wanted(text: &str) -> Result<Wanted, String> {
    match text {
        "" => Ok(Wanted::Any),
        path if path.starts_with('/') => Ok(Wanted::OwnerOf(path.to_owned())),
        number => accounts::id(number).map(Wanted::Id).ok_or_else(|| format!("'{number}' is no id")),
    }
}

/// Letters, digits, `_` and `-`, at most 31 of them, not beginning with a digit or `-`.
fn check_name(name: &str) -> Result<(), String> {
    let rest = |c: char| c.is_ascii_alphanumeric() || c == '_' || c == '-';
    let first = |c: char| c.is_ascii_alphabetic() || c == '_';
    let good = name.len() <= 31 && name.starts_with(first) && name.chars().all(rest);
    if good { Ok(()) } else { Err(format!("'{name}' is no name of a user or group")) }
}
