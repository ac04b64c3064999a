//! Which ids new users and groups get: sysusers.d(5), and the order systemd 252 goes in, so that both give the
//! same ids to the same lines.

use super::database::Database;
use super::line::{Group, Lines, Primary, User, Wanted};
use std::os::unix::fs::MetadataExt;

/// Ids given out where nobody says which (`SYS_UID_MAX` of login.defs(5) and downwards), unless an `r` line does.
const RANGE: (u32, u32) = (1, 999);

pub fn fill(lines: &Lines, database: &mut Database, root: &str, say: &mut dyn FnMut(String)) {
    let mut groups = lines.groups.clone();
    let mut users = lines.users.clone();
    implied(lines, &mut users, &mut groups);
    let ranges = if lines.ranges.is_empty() { vec![RANGE] } else { lines.ranges.clone() };
    let mut ids = Ids { next: ranges.iter().map(|(_, high)| *high).max().unwrap_or(0), ranges };
    let old: Vec<&Group> = groups.iter().filter(|group| database.gid_of(&group.name).is_some()).collect();
    let new = |name: &str| {
        groups.iter().any(|group| group.name == name) && !old.iter().any(|group| group.name == name)
    };
    for group in &groups {
        if let Err(text) = add_group(group, &Wanted::Any, database, &mut ids, root) {
            say(text);
        }
    }
    for user in &users {
        // Whoever names a group, by number, by name or by a line of its own, means the user's number strictly.
        let strict = user.primary != Primary::Own || new(&user.name);
        if let Err(text) = add_user(user, strict, database, &mut ids, root) {
            say(text);
        }
    }
    for (user, group) in &lines.members {
        database.add_member(group, user);
    }
}

/// Members and their groups are asked for by being named.
fn implied(lines: &Lines, users: &mut Vec<User>, groups: &mut Vec<Group>) {
    for (user, group) in &lines.members {
        if !users.iter().any(|one| one.name == *user) {
            users.push(User { name: user.clone(), ..User::default() });
        }
        let known = users.iter().any(|one| one.name == *group) || groups.iter().any(|one| one.name == *group);
        if !known {
            groups.push(Group { name: group.clone(), id: Wanted::Any });
        }
    }
}

/// Ids are given out from the top, each looked at once.
struct Ids {
    ranges: Vec<(u32, u32)>,
    next: u32,
}

impl Ids {
    fn take(&mut self, fits: impl Fn(u32) -> bool) -> Result<u32, String> {
        while self.next > 0 {
            let id = self.next;
            let inside = self.ranges.iter().any(|(low, high)| (*low..=*high).contains(&id));
            if !inside {
                // Down to the top of the next range below.
                self.next =
                    self.ranges.iter().map(|(_, high)| *high).filter(|high| *high < id).max().unwrap_or(0);
                continue;
            }
            if fits(id) {
                return Ok(id);
            }
            self.next -= 1;
        }
        Err("no free id is left in the ranges for system users".to_owned())
    }
}

/// A group, unless it is there. `like` is the id a user of the name asked for.
fn add_group(
    group: &Group,
    like: &Wanted,
    database: &mut Database,
    ids: &mut Ids,
    root: &str,
) -> Result<u32, String> {
    if let Some(gid) = database.gid_of(&group.name) {
        return Ok(gid);
    }
    let by_owner = |wanted: &Wanted, pick: fn(&std::fs::Metadata) -> u32| match wanted {
        Wanted::OwnerOf(path) => std::fs::metadata(format!("{root}{path}")).ok().map(|found| pick(&found)),
        Wanted::Any | Wanted::Id(_) => None,
    };
    let strict = match group.id {
        Wanted::Id(gid) => Some(gid).filter(|gid| database.gid_is_free(*gid)),
        Wanted::Any | Wanted::OwnerOf(_) => None,
    };
    let given = strict
        .or_else(|| {
            by_owner(&group.id, MetadataExt::gid).filter(|gid| database.gid_is_free_for(*gid, &group.name))
        })
        .or_else(|| match like {
            Wanted::Id(uid) => Some(*uid).filter(|uid| database.gid_is_free_for(*uid, &group.name)),
            Wanted::OwnerOf(_) => {
                by_owner(like, MetadataExt::gid).filter(|gid| database.gid_is_free_for(*gid, &group.name))
            }
            Wanted::Any => None,
        });
    let gid = match given {
        Some(gid) => gid,
        None => ids.take(|id| database.gid_is_free_for(id, &group.name))?,
    };
    database.add_group(&group.name, gid);
    Ok(gid)
}

fn add_user(
    user: &User,
    strict: bool,
    database: &mut Database,
    ids: &mut Ids,
    root: &str,
) -> Result<(), String> {
    let gid = match &user.primary {
        Primary::Own => {
            let own = Group { name: user.name.clone(), id: Wanted::Any };
            add_group(&own, &user.id, database, ids, root)?
        }
        Primary::Id(gid) if database.has_gid(*gid) => *gid,
        Primary::Id(gid) => return Err(format!("cannot make user {}: there is no group {gid}", user.name)),
        Primary::Named(group) => match database.gid_of(group) {
            Some(gid) => gid,
            None => return Err(format!("cannot make user {}: there is no group {group}", user.name)),
        },
    };
    if database.uid_of(&user.name).is_some() {
        return Ok(());
    }
    let fits =
        |uid: u32| if strict { database.uid_is_free(uid) } else { database.uid_is_free_for(uid, &user.name) };
    let asked = match &user.id {
        Wanted::Id(uid) => Some(*uid),
        Wanted::OwnerOf(path) => std::fs::metadata(format!("{root}{path}")).ok().map(|found| found.uid()),
        Wanted::Any => None,
    };
    let given = asked
        .filter(|uid| fits(*uid))
        .or_else(|| Some(gid).filter(|gid| database.uid_is_free_for(*gid, &user.name)));
    let uid = match given {
        Some(uid) => uid,
        None => ids.take(|id| database.uid_is_free_for(id, &user.name))?,
    };
    let home = match (user.home.as_str(), uid) {
        ("", 0) => "/root",
        ("", _) => "/",
        (home, _) => home,
    };
    let shell = match (user.shell.as_str(), uid) {
        ("", 0) => "/bin/sh",
        ("", _) => "/usr/sbin/nologin",
        (shell, _) => shell,
    };
    database.add_user(&user.name, uid, gid, &user.description, home, shell);
    Ok(())
}
