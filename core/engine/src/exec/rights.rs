//! Whose process it is and what it may: user, groups, capabilities, root and working directory.

use super::{Draft, Outcome, Scope, Verdict};
use crate::api::Phase;
use eudaemon_plan::step::{Blocking, FindUser, Made, Missing, Place, Step};
use eudaemon_unit::config::exec::{self, Capabilities, Failure, Privileges, Stdio};
use eudaemon_unit::directives::rights;

/// The range of systemd's own dynamic users: systemd.exec(5), `DynamicUser=`.
const DYNAMIC_FIRST: u32 = 61184;
const DYNAMIC_COUNT: u32 = 65519 - DYNAMIC_FIRST + 1;

impl Draft<'_> {
    pub(super) fn find_user(&mut self) {
        let exec = self.exec;
        if exec.dynamic_user {
            return self.find_dynamic_user();
        }
        let supplementary = exec.supplementary_groups.clone();
        if exec.user.is_none() && exec.group.is_none() && supplementary.is_empty() {
            return;
        }
        if self.lacks(&["User", "Group", "SupplementaryGroups"]) {
            return;
        }
        self.add(Step::FindUser(FindUser {
            user: exec.user.clone(),
            group: exec.group.clone(),
            supplementary,
            made: Vec::new(),
        }));
    }

    fn find_dynamic_user(&mut self) {
        if self.lacks(&["DynamicUser"]) {
            return;
        }
        let user = self.dynamic_name();
        let group = self.exec.group.clone().filter(|group| *group != user);
        let number = |name: &String| DYNAMIC_FIRST + fold(name) % DYNAMIC_COUNT;
        let made = [Some(&user), group.as_ref()].into_iter().flatten();
        let made = made.map(|name| Made { name: name.clone(), number: number(name) }).collect();
        self.verdicts.push(Verdict {
            directive: "DynamicUser",
            outcome: Outcome::Substituted("a number of the dynamic range told by the name, not reserved"),
        });
        let supplementary = self.exec.supplementary_groups.clone();
        self.add(Step::FindUser(FindUser { user: Some(user), group, supplementary, made }));
    }

    /// The name a dynamic user goes by.
    pub(super) fn dynamic_name(&self) -> String {
        self.exec.user.clone().unwrap_or_else(|| self.config.name.prefix().to_owned())
    }

    /// `+`, and `PermissionsStartOnly=` for all but the main process: no change of user, no limits, no sandbox.
    pub(super) fn has_full_rights(&self) -> bool {
        let start_only = self.service().is_some_and(|service| service.permissions_start_only);
        self.spawn.command.privileges == Privileges::Full || (start_only && self.spawn.phase != Phase::Start)
    }

    /// `!` leaves the change itself to the program; `!!` is plain where ambient capabilities exist, which is
    /// everywhere by now.
    pub(super) fn changes_user(&self) -> bool {
        let found = self.steps.iter().any(|step| matches!(step, Step::FindUser(_)));
        found && !self.has_full_rights() && self.spawn.command.privileges != Privileges::NoSetuid
    }

    /// Whether this manager may not act on one of these directives of the unit; the verdict is noted.
    fn lacks(&mut self, keys: &[&str]) -> bool {
        let lacking = rights::lacking(self.config, self.facts.capabilities);
        let lacking: Vec<_> = lacking.filter(|(key, _)| keys.contains(key)).collect();
        for (key, why) in &lacking {
            self.skip(key, why);
        }
        !lacking.is_empty()
    }

    /// With `Delegate=`, the cgroup goes to whom its processes belong.
    pub(super) fn delegation(&mut self) {
        let is_users =
            self.steps.iter().any(|step| matches!(step, Step::FindUser(user) if user.user.is_some()));
        match &self.facts.cgroup {
            _ if !self.exec.delegate || !is_users => {}
            Some(cgroup) => self.add(Step::GiveCgroup(cgroup.clone())),
            None => self.skip("Delegate", "there are no cgroups"),
        }
    }

    pub(super) fn groups(&mut self) {
        if self.changes_user() {
            self.add(Step::SetGroups);
        }
    }

    pub(super) fn root(&mut self) {
        let start_only = self.service().is_some_and(|service| service.root_directory_start_only);
        if let Some(root) = &self.exec.root_directory
            && (!start_only || self.spawn.phase == Phase::Start)
        {
            self.add(Step::RootDirectory(root.clone()));
        }
    }

    pub(super) fn descriptors(&mut self) {
        let passes = self.exec.standard_input != Stdio::Socket;
        let count = if passes { u16::try_from(self.facts.listen.len()).unwrap_or(u16::MAX) } else { 0 };
        let non_blocking = self.service().is_some_and(|service| service.non_blocking);
        let blocking = if non_blocking { Blocking::NonBlocking } else { Blocking::Blocking };
        self.add(Step::Fds { indices: (0..count).collect(), blocking });
    }

    pub(super) fn capabilities_and_user(&mut self) {
        let ambient = if self.has_full_rights() { 0 } else { self.ambient() };
        if !self.has_full_rights() {
            self.bounding_set();
        }
        if self.changes_user() {
            if ambient != 0 {
                self.add(Step::KeepCapabilities);
            }
            self.add(Step::SetUser);
        }
        if ambient != 0 {
            self.add(Step::Ambient(ambient));
        }
    }

    fn bounding_set(&mut self) {
        let wanted = self.exec.capability_bounding_set;
        if wanted == Capabilities::ALL {
            return;
        }
        if !self.lacks(&["CapabilityBoundingSet"]) {
            self.add(Step::BoundingSet(wanted.0));
        }
    }

    /// What can be given of the ambient capabilities asked for.
    fn ambient(&mut self) -> u64 {
        let wanted = self.exec.ambient_capabilities.0;
        self.lacks(&["AmbientCapabilities"]);
        wanted & self.facts.capabilities.0
    }

    pub(super) fn working_directory(&mut self) {
        let exec::WorkingDirectory { place, missing } = &self.exec.working_directory;
        let missing = if *missing == Failure::Ignored { Missing::Ignored } else { Missing::Fails };
        let (place, missing) = match (place, self.facts.scope) {
            (exec::Place::Unset, Scope::System) => (Place::Path("/".to_owned()), Missing::Fails),
            // A user without a home still has services.
            (exec::Place::Unset, Scope::User) => (Place::Home, Missing::Ignored),
            (exec::Place::Home, _) => (Place::Home, missing),
            (exec::Place::Path(path), _) => (Place::Path(path.clone()), missing),
        };
        self.add(Step::WorkingDirectory { place, missing });
    }

    pub(super) fn no_new_privileges(&mut self) {
        let wanted = self.exec.no_new_privileges || self.exec.dynamic_user;
        if wanted && !self.has_full_rights() {
            self.add(Step::NoNewPrivileges);
        }
    }

    fn skip(&mut self, directive: &'static str, reason: &'static str) {
        self.verdicts.push(Verdict { directive, outcome: Outcome::Skipped(reason) });
    }
}

/// A number told by a name: FNV-1a.
fn fold(name: &str) -> u32 {
    name.bytes().fold(0x811c_9dc5, |sum: u32, byte| (sum ^ u32::from(byte)).wrapping_mul(0x0100_0193))
}
