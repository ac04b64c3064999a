//! The points in time of a boot, as the manager and its units tell them: microseconds of the monotonic clock. Where the kernel's
//! start is not the manager's to tell, in a container and for a user, all is counted from the manager's own.

use super::{failed, list_units};
use eudaemon_ctl::bus::{Client, MANAGER, MANAGER_PATH, Properties, UNIT};
use eudaemon_ctl::unit_name::object_path;
use eudaemon_unit::span::{MILLISECOND, Span};
use eudaemon_unit::values::format_timespan_to;
use std::fmt::Write;

pub const DEFAULT_TARGET: &str = "default.target";

/// A stretch of time; from 0 to 0 where it was not.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Stretch {
    pub from: u64,
    pub to: u64,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Boot {
    /// Before the kernel: how long ago then.
    pub firmware: u64,
    pub loader: u64,
    /// Where the kernel ends and the initrd or the manager begins; 0 where nobody knows of a kernel.
    pub kernel_done: u64,
    pub initrd: u64,
    pub userspace: u64,
    pub finish: u64,
    pub security: Stretch,
    pub generators: Stretch,
    pub units_load: Stretch,
    /// What was taken off all of these, and is to be taken off what units tell.
    pub offset: u64,
}

impl Boot {
    pub fn ask(client: &mut Client, user: bool) -> Result<Boot, String> {
        let facts = client.properties(MANAGER_PATH, MANAGER).map_err(failed("get timestamp properties"))?;
        let at = |name: &str| facts.number(&format!("{name}TimestampMonotonic"));
        let finish = at("Finish");
        if finish == 0 {
            let user = if user { " --user" } else { "" };
            return Err(format!(
                "Bootup is not yet finished (org.freedesktop.systemd1.Manager.FinishTimestampMonotonic={finish}).\n\
                 Please try again later.\nHint: Use 'systemctl{user} list-jobs' to see active jobs"
            ));
        }
        let stretch =
            |name: &str| Stretch { from: at(&format!("{name}Start")), to: at(&format!("{name}Finish")) };
        let (initrd, userspace) = (at("InitRD"), at("Userspace"));
        let told = Boot {
            firmware: at("Firmware"),
            loader: at("Loader"),
            kernel_done: if initrd > 0 { initrd } else { userspace },
            initrd,
            userspace,
            finish,
            security: stretch("Security"),
            generators: stretch("Generators"),
            units_load: stretch("UnitsLoad"),
            offset: 0,
        };
        // Only who is the first on a machine loads a security policy, or finds that there is none.
        let is_the_machines = !user && told.security.from > 0;
        Ok(if is_the_machines { told } else { told.since_userspace() })
    }

    fn since_userspace(self) -> Boot {
        let offset = self.userspace;
        let less = |point| less(point, offset);
        let stretch = |Stretch { from, to }| Stretch { from: less(from), to: less(to) };
        Boot {
            finish: less(self.finish),
            generators: stretch(self.generators),
            units_load: stretch(self.units_load),
            offset,
            ..Boot::default()
        }
    }

    /// How long the parts of the boot took, and when the target was there.
    pub fn summary(&self, target: &Target) -> String {
        let mut text = "Startup finished in ".to_owned();
        let parts = [
            (self.firmware, self.firmware.saturating_sub(self.loader), "firmware"),
            (self.loader, self.loader, "loader"),
            (self.kernel_done, self.kernel_done, "kernel"),
            (self.initrd, self.userspace.saturating_sub(self.initrd), "initrd"),
        ];
        let mut out = |words: std::fmt::Arguments<'_>| text.write_fmt(words).unwrap_or_default();
        for (_, length, word) in parts.into_iter().filter(|(is_there, ..)| *is_there > 0) {
            out(format_args!("{} ({word}) + ", span(length)));
        }
        out(format_args!("{} (userspace) ", span(self.finish.saturating_sub(self.userspace))));
        if self.kernel_done > 0 {
            out(format_args!("= {} ", span(self.firmware + self.finish)));
        }
        match target {
            Target::Reached { name, at } => {
                let base = if self.userspace > 0 { self.userspace } else { self.offset };
                let since = span(at.saturating_sub(base));
                out(format_args!("\n{name} reached after {since} in userspace."));
            }
            Target::Never(name) => out(format_args!("\n{name} was never reached.")),
            Target::Unknown => out(format_args!("\ncould not find {DEFAULT_TARGET}.")),
        }
        text
    }
}

/// The default target, by its own name.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Target {
    /// By the clock, nothing taken off.
    Reached {
        name: String,
        at: u64,
    },
    Never(String),
    Unknown,
}

impl Target {
    pub fn ask(client: &mut Client) -> Target {
        let Ok(facts) = client.properties(&object_path(DEFAULT_TARGET), UNIT) else { return Target::Unknown };
        let name = facts.text("Id").to_owned();
        match facts.number("ActiveEnterTimestampMonotonic") {
            0 => Target::Never(name),
            at => Target::Reached { name, at },
        }
    }
}

/// When a unit came and went.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Unit {
    pub name: String,
    pub activating: u64,
    pub activated: u64,
    pub deactivating: u64,
    pub deactivated: u64,
}

impl Unit {
    fn new(name: String, facts: &Properties, offset: u64) -> Unit {
        let at = |name: &str| less(facts.number(&format!("{name}TimestampMonotonic")), offset);
        Unit {
            name,
            activating: at("InactiveExit"),
            activated: at("ActiveEnter"),
            deactivating: at("ActiveExit"),
            deactivated: at("InactiveEnter"),
        }
    }

    /// How long its start took, or its whole life where it never was up.
    pub fn time(&self) -> u64 {
        let ends = [self.activated, self.deactivated];
        ends.into_iter().find(|end| *end >= self.activating).map_or(0, |end| end - self.activating)
    }
}

/// Those that were ever started, in the manager's order.
pub fn units(client: &mut Client, boot: &Boot) -> Result<Vec<Unit>, String> {
    let mut units = Vec::new();
    for listed in list_units(client)? {
        let what = format!("get timestamp properties of unit {}", listed.name);
        let facts = client.properties(&listed.path, UNIT).map_err(failed(&what))?;
        units.push(Unit::new(listed.name, &facts, boot.offset));
    }
    units.retain(|unit| unit.activating > 0);
    Ok(units)
}

/// A point that never was stays so. What was before the manager, as it may be when one took over from another, was at its start.
fn less(point: u64, offset: u64) -> u64 {
    if point == 0 { 0 } else { point.saturating_sub(offset) }
}

/// In milliseconds.
pub fn span(length: u64) -> String {
    format_timespan_to(Span(length), Span(MILLISECOND))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parts_that_are_not_known_are_left_out() {
        let reached = Target::Reached { name: "graphical.target".to_owned(), at: 9_000_000 };
        let machine = Boot {
            firmware: 5_000_000,
            loader: 2_000_000,
            kernel_done: 1_500_000,
            initrd: 1_500_000,
            userspace: 3_000_000,
            finish: 10_000_500,
            ..Boot::default()
        };
        assert_eq!(
            machine.summary(&reached),
            "Startup finished in 3s (firmware) + 2s (loader) + 1.500s (kernel) + 1.500s (initrd) + 7.000s (userspace) = 15.000s \n\
             graphical.target reached after 6s in userspace."
        );
        let container =
            Boot { userspace: 8_000_000, finish: 10_000_000, ..Boot::default() }.since_userspace();
        assert_eq!(
            container.summary(&reached),
            "Startup finished in 2s (userspace) \ngraphical.target reached after 1s in userspace."
        );
        let never = container.summary(&Target::Never("x.target".to_owned()));
        assert_eq!(never, "Startup finished in 2s (userspace) \nx.target was never reached.");
    }

    #[test]
    fn what_never_came_up_took_until_it_was_down() {
        let unit = |activating, activated, deactivated| Unit {
            name: String::new(),
            activating,
            activated,
            deactivating: 0,
            deactivated,
        };
        assert_eq!(unit(5, 8, 0).time(), 3);
        assert_eq!(unit(5, 0, 7).time(), 2);
        assert_eq!(unit(5, 0, 0).time(), 0);
    }
}
