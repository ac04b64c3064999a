//! Users and groups from /etc/passwd and /etc/group: passwd(5), group(5). A number always works; whom only a
//! name service knows is not found here.

use super::{Failure, read_text_file};
use crate::limits;
use eudaemon_plan::ExitCode;
use eudaemon_plan::step::FindUser;
use rustix::io::Errno;
use rustix::process::{Gid, Uid};
use std::os::unix::fs::MetadataExt;

/// Who the process is to become.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct User {
    /// `None`: it stays who it is.
    pub uid: Option<u32>,
    pub gid: Option<u32>,
    groups: Vec<u32>,
    /// For LOGNAME and USER: as the unit names them.
    name: Option<String>,
    home: Option<String>,
    shell: Option<String>,
}

/// The files, read once.
struct Accounts {
    passwd: String,
    group: String,
}

/// A line of /etc/passwd.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Entry {
    name: String,
    uid: u32,
    gid: u32,
    home: String,
    shell: String,
}

impl User {
    pub fn find(wanted: &FindUser) -> Result<User, Failure> {
        if wanted.user.is_none() && wanted.group.is_none() && wanted.supplementary.is_empty() {
            return Ok(User::default());
        }
        let text = |path: &str| match read_text_file(path) {
            Ok(bytes) => Ok(String::from_utf8_lossy(&bytes).into_owned()),
            // An image without the file has numbers only.
            Err(Failure::Errno(Errno::NOENT)) => Ok(String::new()),
            Err(failure) => Err(failure),
        };
        Accounts { passwd: text("/etc/passwd")?, group: text("/etc/group")? }.find(wanted)
    }

    pub fn set_groups(&self) -> Result<(), Errno> {
        let groups: Vec<Gid> = self.groups.iter().copied().map(Gid::from_raw).collect();
        if self.gid.is_some() || !groups.is_empty() {
            match rustix::thread::set_thread_groups(&groups) {
                // A user namespace without setgroups has no groups to drop.
                Err(Errno::PERM) if groups.is_empty() && setgroups_denied() => {}
                other => other?,
            }
        }
        match self.gid.map(Gid::from_raw) {
            Some(gid) => rustix::thread::set_thread_res_gid(gid, gid, gid),
            None => Ok(()),
        }
    }

    pub fn set_user(&self) -> Result<(), Errno> {
        match self.uid.map(Uid::from_raw) {
            Some(uid) => rustix::thread::set_thread_res_uid(uid, uid, uid),
            None => Ok(()),
        }
    }

    /// The user's home; that of who we are where no user is wanted.
    pub fn home(&self) -> Option<String> {
        if self.uid.is_some() {
            return self.home.clone();
        }
        let user = Some(rustix::process::geteuid().as_raw().to_string());
        User::find(&FindUser { user, group: None, supplementary: Vec::new(), made: Vec::new() }).ok()?.home
    }

    /// What logind makes for a user who is there: pam_systemd(8). Another's directory of that name is none.
    pub fn runtime_directory(&self) -> Option<String> {
        let uid = self.uid?;
        let path = format!("/run/user/{uid}");
        let found = std::fs::symlink_metadata(&path).ok()?;
        (found.is_dir() && found.uid() == uid).then_some(path)
    }

    /// What systemd 252 gives away of a cgroup: all that it takes to move processes and to hand controllers on. Files that a
    /// kernel does not have are left out.
    pub fn own_cgroup(&self, path: &str) -> Result<(), Errno> {
        let (uid, gid) = (self.uid.map(Uid::from_raw), self.gid.map(Gid::from_raw));
        let own = |path: &str| match rustix::fs::chown(path, uid, gid) {
            Err(Errno::NOENT) => Ok(()),
            other => other,
        };
        rustix::fs::chown(path, uid, gid)?;
        let files = ["cgroup.procs", "cgroup.subtree_control", "cgroup.threads"];
        files.iter().try_for_each(|file| own(&format!("{path}/{file}")))
    }

    /// HOME, LOGNAME, USER, SHELL, as far as they mean something.
    pub fn variables(&self) -> Vec<String> {
        let User { name, home, shell, .. } = self;
        [("HOME", home), ("LOGNAME", name), ("USER", name), ("SHELL", shell)]
            .into_iter()
            .filter_map(|(variable, value)| Some(format!("{variable}={}", value.as_ref()?)))
            .collect()
    }
}

fn setgroups_denied() -> bool {
    std::fs::read_to_string("/proc/self/setgroups").is_ok_and(|word| word.trim() == "deny")
}

impl Accounts {
    fn find(&self, FindUser { user, group, supplementary, made }: &FindUser) -> Result<User, Failure> {
        let mut found = User::default();
        let no_such_group = || Failure::As(ExitCode::Group, Errno::SRCH);
        let made = |name: &String| made.iter().find(|one| one.name == *name).map(|one| one.number);
        if let Some(wanted) = user {
            let entry = match made(wanted) {
                Some(number) => self.dynamic_user(wanted, number)?,
                None => self.user(wanted).ok_or(Failure::As(ExitCode::User, Errno::SRCH))?,
            };
            found.uid = Some(entry.uid);
            found.gid = Some(entry.gid);
            found.home = Some(entry.home).filter(|home| home.starts_with('/') && home.len() > 1);
            found.shell = Some(entry.shell).filter(|shell| is_login_shell(shell));
            found.name = Some(if is_number(wanted) { entry.name } else { wanted.clone() });
        }
        if let Some(wanted) = group {
            found.gid = Some(match made(wanted) {
                Some(number) => self.dynamic_group(wanted, number)?,
                None => self.group(wanted).ok_or_else(no_such_group)?,
            });
        }
        // As initgroups(3): the user's own groups, unless the primary one is root's.
        if let (Some(name), Some(gid @ 1..)) = (&found.name, found.gid) {
            found.groups.push(gid);
            found.groups.extend(self.memberships(name).filter(|other| *other != gid));
        }
        for wanted in supplementary {
            let gid = self.group(wanted).ok_or_else(no_such_group)?;
            if !found.groups.contains(&gid) {
                found.groups.push(gid);
            }
        }
        found.groups.truncate(limits::GROUPS);
        Ok(found)
    }

    fn user(&self, wanted: &str) -> Option<Entry> {
        let made = |name: &str, uid, home: &str, shell: &str| {
            let (name, home, shell) = (name.to_owned(), home.to_owned(), shell.to_owned());
            Entry { name, uid, gid: uid, home, shell }
        };
        let numbered = is_number(wanted);
        let is_wanted =
            |entry: &Entry| if numbered { entry.uid.to_string() == wanted } else { entry.name == wanted };
        let listed = self.passwd.lines().filter_map(entry).find(is_wanted);
        match wanted {
            // This one means the same everywhere, whatever a file says.
            "nobody" | "65534" => Some(made("nobody", 65534, "/", "/usr/sbin/nologin")),
            "root" | "0" => listed.or_else(|| Some(made("root", 0, "/root", "/bin/sh"))),
            _ => listed.or_else(|| Some(made(wanted, number(wanted)?, "", ""))),
        }
    }

    /// A user of that name, were there one, is not made; one beside a group of that name would take it for their own. A
    /// dynamic user has neither home nor shell.
    fn dynamic_user(&self, name: &str, number: u32) -> Result<Entry, Failure> {
        match (self.user(name), self.group(name)) {
            (Some(entry), _) => Ok(Entry { home: String::new(), shell: String::new(), ..entry }),
            (None, Some(_)) => Err(Failure::As(ExitCode::User, Errno::ILSEQ)),
            (None, None) => Ok(Entry {
                name: name.to_owned(),
                uid: number,
                gid: number,
                home: String::new(),
                shell: String::new(),
            }),
        }
    }

    /// The same the other way about.
    fn dynamic_group(&self, name: &str, number: u32) -> Result<u32, Failure> {
        match (self.group(name), self.user(name)) {
            (Some(gid), _) => Ok(gid),
            (None, Some(_)) => Err(Failure::As(ExitCode::User, Errno::ILSEQ)),
            (None, None) => Ok(number),
        }
    }

    fn group(&self, wanted: &str) -> Option<u32> {
        let listed = |line: &str| {
            let mut fields = line.split(':');
            if fields.next()? == wanted { number(fields.nth(1)?) } else { None }
        };
        number(wanted).or_else(|| self.group.lines().find_map(listed)).or(match wanted {
            "root" => Some(0),
            "nogroup" => Some(65534),
            _ => None,
        })
    }

    /// The groups whose member lists hold the name.
    fn memberships(&self, name: &str) -> impl Iterator<Item = u32> {
        self.group.lines().filter_map(move |line| {
            let mut fields = line.split(':');
            let gid = number(fields.nth(2)?)?;
            fields.next()?.split(',').any(|member| member == name).then_some(gid)
        })
    }
}

fn entry(line: &str) -> Option<Entry> {
    let mut fields = line.split(':');
    let name = fields.next()?.to_owned();
    let uid = number(fields.nth(1)?)?;
    let gid = number(fields.next()?)?;
    let home = fields.nth(1)?.to_owned();
    let shell = fields.next().unwrap_or("").to_owned();
    Some(Entry { name, uid, gid, home, shell })
}

fn is_login_shell(shell: &str) -> bool {
    let refuses = ["nologin", "false", "true"];
    let program = shell.rsplit('/').next().unwrap_or("");
    shell.starts_with('/') && !refuses.contains(&program)
}

fn is_number(text: &str) -> bool {
    !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit())
}

/// A uid or gid; the two numbers that mean "none" are not.
fn number(text: &str) -> Option<u32> {
    let number = if is_number(text) { text.parse().ok()? } else { return None };
    (number != u32::MAX && number != 65535).then_some(number)
}

#[cfg(test)]
mod tests {
    use super::*;
    use eudaemon_plan::step::Made;

    const PASSWD: &str = "root:x:0:0:root:/root:/bin/bash
daemon:x:1:1:daemon:/usr/sbin:/usr/sbin/nologin
broken line
joe:x:1000:1000:Joe:/home/joe:/bin/bash
_apt:x:42:65534::/nonexistent:/usr/sbin/nologin
";
    const GROUP: &str = "root:x:0:\nadm:x:4:joe,ann\njoe:x:1000:\naudio:x:29:ann,joe\n";

    fn check(user: &str, group: &str, supplementary: &str) -> String {
        check_made(user, group, supplementary, Vec::new())
    }

    /// With a number for each name that would be made.
    fn check_dynamic(user: &str, group: &str) -> String {
        let made =
            [(user, 61184), (group, 61185)].map(|(name, number)| Made { name: name.to_owned(), number });
        check_made(user, group, "", made.into_iter().filter(|made| !made.name.is_empty()).collect())
    }

    fn check_made(user: &str, group: &str, supplementary: &str, made: Vec<Made>) -> String {
        let name = |text: &str| (!text.is_empty()).then(|| text.to_owned());
        let wanted = FindUser {
            user: name(user),
            group: name(group),
            supplementary: supplementary.split_whitespace().map(str::to_owned).collect(),
            made,
        };
        match (Accounts { passwd: PASSWD.to_owned(), group: GROUP.to_owned() }).find(&wanted) {
            Ok(found) => {
                let id = |id: Option<u32>| id.map_or("-".to_owned(), |id| id.to_string());
                let variables = found.variables().join(" ");
                format!("{}:{} {:?} {variables}", id(found.uid), id(found.gid), found.groups)
            }
            Err(Failure::As(code, errno)) => format!("{} {}", code.number(), errno.raw_os_error()),
            Err(Failure::Errno(errno)) => errno.to_string(),
        }
    }

    #[test]
    fn names_numbers_and_groups() {
        let joe = "HOME=/home/joe LOGNAME=joe USER=joe SHELL=/bin/bash";
        assert_eq!(check("joe", "", ""), format!("1000:1000 [1000, 4, 29] {joe}"));
        assert_eq!(check("1000", "", ""), format!("1000:1000 [1000, 4, 29] {joe}"));
        assert_eq!(check("joe", "adm", "audio 77"), format!("1000:4 [4, 29, 77] {joe}"));
        assert_eq!(check("", "audio", ""), "-:29 [] ");
        assert_eq!(check("", "", "audio"), "-:- [29] ");
        assert_eq!(check("root", "", ""), "0:0 [] HOME=/root LOGNAME=root USER=root SHELL=/bin/bash");
        assert_eq!(check("daemon", "", ""), "1:1 [1] HOME=/usr/sbin LOGNAME=daemon USER=daemon");
        assert_eq!(check("nobody", "", ""), "65534:65534 [65534] LOGNAME=nobody USER=nobody");
        assert_eq!(check("4711", "", ""), "4711:4711 [4711] LOGNAME=4711 USER=4711");
    }

    #[test]
    fn whom_no_file_knows_is_made() {
        assert_eq!(check_dynamic("web", ""), "61184:61184 [61184] LOGNAME=web USER=web");
        assert_eq!(check_dynamic("web", "other"), "61184:61185 [61185] LOGNAME=web USER=web");
        assert_eq!(check_dynamic("web", "audio"), "61184:29 [29] LOGNAME=web USER=web");
        assert_eq!(check_dynamic("joe", ""), "1000:1000 [1000, 4, 29] LOGNAME=joe USER=joe");
        assert_eq!(check_dynamic("joe", "web"), "1000:61185 [61185, 4, 29] LOGNAME=joe USER=joe");
        assert_eq!(check_dynamic("audio", ""), "217 84", "a group alone has the name");
        assert_eq!(check_dynamic("web", "_apt"), "217 84", "a user alone has the name");
    }

    #[test]
    fn who_is_missing_is_told_apart() {
        assert_eq!(check("ann", "", ""), "217 3");
        assert_eq!(check("joe", "nosuch", ""), "216 3");
        assert_eq!(check("joe", "", "nosuch"), "216 3");
        assert_eq!(check("4294967295", "", ""), "217 3");
        assert_eq!(check("broken line", "", ""), "217 3");
    }
}
