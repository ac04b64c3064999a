//! Giving up rights, in the one order that works, and looking afterwards that they are gone.

use crate::error::{Error, Result};
use crate::sys::{process, user};
use rustix::io::Errno;
use rustix::thread::{CapabilitySet, CapabilitySets};
use std::path::PathBuf;

/// What a daemon keeps of the rights it was started with. The steps are done in this order: root directory,
/// supplementary groups, group, user, capabilities, no new privileges.
#[derive(Clone, Debug)]
pub struct Privileges {
    user: Option<String>,
    group: Option<String>,
    groups: Option<Vec<String>>,
    root: Option<PathBuf>,
    capabilities: CapabilitySet,
    new: New,
}

/// Whether programs that the daemon executes may gain rights it has not: by set-uid bits and file capabilities.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum New {
    Allowed,
    Refused,
}

impl Default for Privileges {
    fn default() -> Privileges {
        Privileges {
            user: None,
            group: None,
            groups: None,
            root: None,
            capabilities: CapabilitySet::empty(),
            new: New::Allowed,
        }
    }
}

/// Numbers in place of names.
#[derive(Debug, PartialEq, Eq)]
struct Identity {
    uid: u32,
    gid: u32,
    groups: Vec<u32>,
}

impl Privileges {
    /// All that the daemon was started with.
    #[must_use]
    pub fn keep() -> Privileges {
        Privileges::default()
    }

    /// Becomes this user, by name or number, with its group and groups. A number that nobody is known by needs
    /// [`Privileges::group`] beside it, as systemd.exec(5), `User=`, wants it; it has no other groups.
    #[must_use]
    pub fn user(mut self, user: impl Into<String>) -> Privileges {
        self.user = Some(user.into());
        self
    }

    /// Has this group, by name or number, instead of the user's.
    #[must_use]
    pub fn group(mut self, group: impl Into<String>) -> Privileges {
        self.group = Some(group.into());
        self
    }

    /// Has these supplementary groups instead of the user's.
    #[must_use]
    pub fn groups<Name: Into<String>>(mut self, groups: impl IntoIterator<Item = Name>) -> Privileges {
        self.groups = Some(groups.into_iter().map(Into::into).collect());
        self
    }

    /// Sees this directory as `/`: chroot(2).
    #[must_use]
    pub fn root_directory(mut self, path: impl Into<PathBuf>) -> Privileges {
        self.root = Some(path.into());
        self
    }

    /// Keeps these capabilities over the change of user, and no others: capabilities(7).
    #[must_use]
    pub fn keep_capabilities(mut self, kept: CapabilitySet) -> Privileges {
        self.capabilities = kept;
        self
    }

    /// Nothing that the daemon executes gains rights that the daemon has not: `PR_SET_NO_NEW_PRIVS` of prctl(2).
    #[must_use]
    pub fn no_new_privileges(mut self) -> Privileges {
        self.new = New::Refused;
        self
    }

    pub(crate) fn user_name(&self) -> Option<&str> {
        self.user.as_deref()
    }

    pub(crate) fn group_name(&self) -> Option<&str> {
        self.group.as_deref()
    }

    pub(crate) fn group_names(&self) -> Option<&[String]> {
        self.groups.as_deref()
    }

    pub(crate) fn changes_root(&self) -> bool {
        self.root.is_some()
    }

    #[cfg(feature = "service")]
    pub(crate) fn root(&self) -> Option<&std::path::Path> {
        self.root.as_deref()
    }

    pub(crate) fn kept(&self) -> CapabilitySet {
        self.capabilities
    }

    /// Whether anything is to be done.
    pub(crate) fn change_anything(&self) -> bool {
        self.user.is_some()
            || self.group.is_some()
            || self.groups.is_some()
            || self.root.is_some()
            || !self.capabilities.is_empty()
            || self.new == New::Refused
    }

    /// Looks the names up, while the files that hold them can still be seen.
    fn identity(&self) -> Result<Option<Identity>> {
        let ([_, uid, _], [_, gid, _]) = user::identity();
        let account = self.user.as_deref().map(find_user).transpose()?;
        let group = self.group.as_deref().map(find_group).transpose()?;
        let groups = match (&self.groups, &account) {
            (Some(names), _) => {
                Some(names.iter().map(|name| find_group(name)).collect::<Result<Vec<u32>>>()?)
            }
            (None, Some(Found::Account(account))) => Some(user::groups_of(account)),
            (None, Some(Found::Number(_))) => Some(Vec::new()),
            (None, None) => None,
        };
        if account.is_none() && group.is_none() && groups.is_none() {
            return Ok(None);
        }
        let (uid, its_gid) = match &account {
            Some(Found::Account(account)) => (account.uid, account.gid),
            // A number without a record has no group of its own: some other user's may have that number.
            Some(Found::Number(number)) if group.is_some() => (*number, gid),
            Some(Found::Number(number)) => {
                return Err(Error::Unknown { kind: "user", name: number.to_string() });
            }
            None => (uid, gid),
        };
        let gid = group.unwrap_or(its_gid);
        let mut groups = match groups {
            Some(groups) => groups,
            None => present_groups()?,
        };
        groups.sort_unstable();
        groups.dedup();
        Ok(Some(Identity { uid, gid, groups }))
    }

    /// Whether who it names is there.
    #[cfg(feature = "service")]
    pub(crate) fn are_known(&self) -> Result<()> {
        self.identity().map(drop)
    }

    /// Does all of it, or fails.
    pub(crate) fn give_up(&self) -> Result<()> {
        let identity = self.identity()?;
        if !self.capabilities.is_empty() && identity.as_ref().is_none_or(|identity| identity.uid == 0) {
            // Root has the others again with the next program it executes.
            return Err(refused(
                "keep some capabilities alone as root: name a user".to_owned(),
                Errno::INVAL,
            ));
        }
        if let Some(root) = &self.root {
            let step = || format!("change the root directory to {}", root.display());
            user::chroot(root).map_err(|errno| refused(step(), errno))?;
            rustix::process::chdir("/").map_err(|errno| refused(step(), errno))?;
        }
        let changed = match &identity {
            Some(identity) => become_identity(identity, self.capabilities, self.user.as_deref())?,
            None => Changed::Nothing,
        };
        if self.new == New::Refused {
            process::no_new_privileges()
                .map_err(|errno| refused("refuse new privileges".to_owned(), errno))?;
        }
        match identity {
            Some(identity) => {
                let groups = if self.groups.is_some() { Groups::Named } else { Groups::OfUser };
                verify(&identity, changed, groups, self.capabilities)
            }
            None => Ok(()),
        }
    }
}

enum Found {
    Account(user::Account),
    Number(u32),
}

fn find_user(name: &str) -> Result<Found> {
    let number = name.parse().ok().filter(|number| *number != u32::MAX);
    let found = match number {
        Some(number) => match user::account_by_uid(number) {
            // Whoever says a number and a group needs no list of users.
            Err(_) | Ok(None) => return Ok(Found::Number(number)),
            found => found,
        },
        None => user::account_by_name(name),
    };
    let found = found.map_err(|errno| Error::io(format!("look up user {name:?}"), errno))?;
    found.map(Found::Account).ok_or_else(|| Error::Unknown { kind: "user", name: name.to_owned() })
}

fn find_group(name: &str) -> Result<u32> {
    if let Some(number) = name.parse().ok().filter(|number| *number != u32::MAX) {
        return Ok(number);
    }
    let found =
        user::group_by_name(name).map_err(|errno| Error::io(format!("look up group {name:?}"), errno))?;
    found.ok_or_else(|| Error::Unknown { kind: "group", name: name.to_owned() })
}

fn present_groups() -> Result<Vec<u32>> {
    let groups = rustix::process::getgroups().map_err(|errno| Error::io("ask for the groups", errno))?;
    Ok(groups.into_iter().map(rustix::process::Gid::as_raw).collect())
}

/// Where the groups come from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Groups {
    Named,
    /// The user's: whoever started us as that user may have given others.
    OfUser,
}

/// How an identity was come by.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Changed {
    /// It was there already.
    Nothing,
    AsRoot,
}

fn become_identity(identity: &Identity, kept: CapabilitySet, name: Option<&str>) -> Result<Changed> {
    let (users, groups) = user::identity();
    let as_root = users[1] == 0;
    // A daemon that was started as the user it wants to be need not become it, and could not.
    if !as_root && users == [identity.uid; 3] && groups == [identity.gid; 3] {
        return Ok(Changed::Nothing);
    }
    let whom = || name.map_or(format!("user {}", identity.uid), |name| format!("user {name}"));
    let failed = |errno| refused(format!("become {} (as user {})", whom(), users[1]), errno);
    if !as_root {
        return Err(failed(Errno::PERM));
    }
    user::set_groups(&identity.groups)
        .map_err(|errno| refused(format!("set the groups of {}", whom()), errno))?;
    user::set_gid(identity.gid).map_err(|errno| refused(format!("have group {}", identity.gid), errno))?;
    if !kept.is_empty() {
        process::keep_capabilities().map_err(|errno| refused("keep capabilities".to_owned(), errno))?;
    }
    user::set_uid(identity.uid).map_err(failed)?;
    if identity.uid != 0 && as_root {
        let sets = CapabilitySets { effective: kept, permitted: kept, inheritable: CapabilitySet::empty() };
        rustix::thread::set_capabilities(None, sets)
            .map_err(|errno| refused(format!("keep the capabilities {kept:?}"), errno))?;
    }
    Ok(Changed::AsRoot)
}

/// Rights that are gone cannot be had back: this asks for them.
fn verify(identity: &Identity, changed: Changed, groups: Groups, kept: CapabilitySet) -> Result<()> {
    let (users, gids) = user::identity();
    if users != [identity.uid; 3] || gids != [identity.gid; 3] {
        return Err(refused(
            format!("be user {} alone: still {users:?}, {gids:?}", identity.uid),
            Errno::PERM,
        ));
    }
    if changed == Changed::AsRoot || groups == Groups::Named {
        let mut present = present_groups()?;
        present.sort_unstable();
        if present != identity.groups {
            return Err(refused(
                format!("have the groups {:?} alone: still {present:?}", identity.groups),
                Errno::PERM,
            ));
        }
    }
    if identity.uid == 0 {
        return Ok(());
    }
    let have =
        rustix::thread::capabilities(None).map_err(|errno| Error::io("ask for the capabilities", errno))?;
    if !have.permitted.contains(kept) {
        return Err(refused(
            format!("keep the capabilities {kept:?}: have {:?}", have.permitted),
            Errno::PERM,
        ));
    }
    // What a manager gave beyond that is not for us to refuse; what we were to give up is.
    if changed == Changed::Nothing {
        return Ok(());
    }
    if have.permitted != kept {
        return Err(refused(format!("give up capabilities: still {:?}", have.permitted), Errno::PERM));
    }
    if !kept.contains(CapabilitySet::SETUID) && user::set_uid(0).is_ok() {
        return Err(refused("give up root: it can be had back".to_owned(), Errno::PERM));
    }
    Ok(())
}

fn refused(step: String, errno: Errno) -> Error {
    Error::Privileges { step, source: errno.into() }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A number that no system gives to anybody.
    const NOBODY_S: &str = "3999999999";

    #[test]
    fn a_number_without_a_record_has_no_group_by_chance() {
        let refused = Privileges::keep().user(NOBODY_S).identity().expect_err("refused");
        assert_eq!(refused.to_string(), format!("no user \"{NOBODY_S}\" on this system"));
        let with_group = Privileges::keep().user(NOBODY_S).group("5").identity().expect("as it is said");
        assert_eq!(with_group, Some(Identity { uid: 3_999_999_999, gid: 5, groups: Vec::new() }));
        let root = Privileges::keep().user("0").identity().expect("known").expect("somebody");
        assert_eq!((root.uid, root.gid), (0, 0));
    }
}
