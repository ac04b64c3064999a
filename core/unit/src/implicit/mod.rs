//! Dependencies that nobody wrote: those that follow from what a unit is (implicit) and those that
//! `DefaultDependencies=` brings, as the man page of each kind lists them.
//!
//! [`complete`] adds what a unit says of itself; [`between`] what depends on other units too: a target's order
//! after what it wants, and the mounts below the paths a unit needs.

mod between;
mod exec;
mod slice;

use crate::config::service::ServiceType;
use crate::config::unit::Dependency as D;
use crate::config::{Bad, Body, Config, LoadState, Mount, Service, Socket};
use crate::files::Scope;
use crate::load::Surroundings;
use crate::name::{UnitKind, UnitName};
use crate::specifier::{Context, path_of};
use crate::values::mounts;
pub use between::{Edge, Said, after_mounted, between, mounts_above, orders_after_mounted};
use std::collections::BTreeSet;

/// Adds to a unit that was read to its end what follows from itself alone. One that is refused then has that too, but for what
/// its slice means; one that was not has of all this the slice and the sockets it named.
pub fn complete(config: &mut Config, scope: Scope, surroundings: Surroundings, cx: &Context) {
    let mut adding = Adding { edges: Vec::new(), mounts: Vec::new(), scope, surroundings };
    match config.load {
        LoadState::NotFound | LoadState::Masked => return,
        LoadState::BadSetting(Bad::Line) | LoadState::Inconsistent(_) | LoadState::Unreadable(_) => {
            let named = config.exec().and_then(|exec| exec.slice.as_deref());
            named.into_iter().for_each(|slice| adding.to(&[D::InSlice], slice));
            if let Body::Service(service) = &config.body {
                adding.named_sockets(service);
            }
        }
        LoadState::Loaded | LoadState::BadSetting(Bad::Whole) => {
            exec::add(config, &mut adding, cx);
            slice::add(config, &mut adding);
            adding.of_kind(config);
            if config.unit.default_dependencies {
                adding.defaults_of_kind(config);
            }
        }
    }
    let unit = &mut config.unit;
    let mut seen: BTreeSet<(D, UnitName)> = unit.dependencies.iter().cloned().collect();
    unit.dependencies.extend(adding.edges.into_iter().filter(|edge| seen.insert(edge.clone())));
    unit.dependencies.retain(|(_, other)| *other != config.name);
    for path in adding.mounts {
        if !unit.requires_mounts_for.contains(&path) {
            unit.requires_mounts_for.push(path);
        }
    }
}

/// What is to be added to a unit, as it is found.
struct Adding {
    edges: Vec<(D, UnitName)>,
    mounts: Vec<String>,
    scope: Scope,
    surroundings: Surroundings,
}

impl Adding {
    fn to(&mut self, dependencies: &[D], name: &str) {
        if let Ok(name) = UnitName::parse(name) {
            self.edges.extend(dependencies.iter().map(|dependency| (*dependency, name.clone())));
        }
    }

    fn mount(&mut self, path: &str) {
        if path.starts_with('/') {
            self.mounts.push(crate::values::path::simplify(path).into_owned());
        }
    }

    /// Whatever `DefaultDependencies=` says.
    fn of_kind(&mut self, config: &Config) {
        match &config.body {
            Body::Service(service) => {
                if service.kind == ServiceType::Dbus && service.bus_name.is_some() {
                    self.to(&[D::Requires, D::After], "dbus.socket");
                }
                self.named_sockets(service);
            }
            Body::Socket(socket) => self.of_socket(config, socket),
            Body::Timer => {
                self.to(&[D::Before, D::Triggers], &triggered(config, "Timer"));
                if kept(config, "Timer", "Persistent").any(is_yes) {
                    self.mount("/var/lib/systemd/timers");
                }
            }
            Body::Path => {
                self.to(&[D::Before, D::Triggers], &triggered(config, "Path"));
                for key in
                    ["PathExists", "PathExistsGlob", "PathChanged", "PathModified", "DirectoryNotEmpty"]
                {
                    kept(config, "Path", key).for_each(|path| self.mount(path));
                }
            }
            Body::Mount(mount) => self.of_mount(config, mount),
            Body::Automount => {
                self.to(&[D::Before, D::Triggers], &format!("{}.mount", config.name.stem()));
                self.mount(crate::files::parent(&path_of(&config.name)));
            }
            Body::Swap(_) => {
                let what = swapped(config);
                if !what.starts_with("/dev/") {
                    self.mount(&what);
                }
                // Where it lies has to be writable.
                if kept(config, "Swap", "What").any(|what| !what.starts_with("/dev/")) {
                    self.to(&[D::After], "systemd-remount-fs.service");
                }
            }
            Body::Target | Body::Slice | Body::Scope | Body::Device => {}
        }
    }

    fn named_sockets(&mut self, service: &Service) {
        for socket in &service.sockets {
            self.to(&[D::Wants, D::After], socket.as_str());
        }
    }

    fn of_socket(&mut self, config: &Config, socket: &Socket) {
        use crate::config::socket::{Accept, Address, Listen};
        for listen in &socket.listen {
            match listen {
                Listen::Stream(Address::Unix(path))
                | Listen::Datagram(Address::Unix(path))
                | Listen::SequentialPacket(Address::Unix(path))
                | Listen::Fifo(path) => self.mount(path),
                Listen::Stream(_) | Listen::Datagram(_) | Listen::SequentialPacket(_) => {}
                Listen::Other { key, value } if key == "ListenSpecial" || key == "ListenUSBFunction" => {
                    self.mount(value)
                }
                Listen::Netlink { .. } | Listen::Other { .. } => {}
            }
        }
        // With Accept=yes each connection brings its own instance; no unit is known before. What brings none has it be.
        if socket.accept == Accept::No || socket.listen.iter().any(|listen| !listen.is_a_socket()) {
            let same = format!("{}.service", config.name.stem());
            let service = socket.service.as_ref().map_or(same.as_str(), |name| name.as_str());
            self.to(&[D::Before, D::Triggers], service);
        }
    }

    fn of_mount(&mut self, config: &Config, mount: &Mount) {
        // What the kernel says was mounted need not be there any more. Over the network it is on another machine.
        let network = mounts::needs_network(&mount.kind, &mount.options);
        if config.fragment.is_some() && (!network || mounts::is_of_a_path(&mount.options)) {
            self.mount(&mount.what);
        }
        if mount.place != "/" {
            self.mount(crate::files::parent(&mount.place));
        }
    }

    fn defaults_of_kind(&mut self, config: &Config) {
        match &config.body {
            Body::Service(_) => {
                self.sysinit();
                // The user's manager knows no sysinit.target: there basic.target is the ground to stand on.
                if self.scope == Scope::User {
                    self.to(&[D::Requires], "basic.target");
                }
                self.to(&[D::After], "basic.target");
                self.shutdown();
            }
            Body::Socket(_) => {
                self.to(&[D::Before], "sockets.target");
                self.sysinit();
                self.shutdown();
            }
            Body::Timer => {
                self.to(&[D::Before], "timers.target");
                self.sysinit();
                if self.scope == Scope::System && kept(config, "Timer", "OnCalendar").next().is_some() {
                    self.to(&[D::After], "time-sync.target");
                    self.to(&[D::After], "time-set.target");
                }
                self.shutdown();
            }
            Body::Path => {
                self.to(&[D::Before], "paths.target");
                self.sysinit();
                self.shutdown();
            }
            Body::Mount(mount) => self.mount_defaults(mount),
            Body::Automount => {
                self.to(&[D::After], "local-fs-pre.target");
                self.to(&[D::Before], "local-fs.target");
                self.to(&[D::Before, D::Conflicts], "umount.target");
            }
            // In a container the swap is the host's, as all of a user's is the machine's.
            Body::Swap(_) if self.surroundings == Surroundings::Container || self.scope == Scope::User => {}
            Body::Swap(_) => self.to(&[D::Before, D::Conflicts], "umount.target"),
            Body::Target | Body::Slice | Body::Scope => self.shutdown(),
            Body::Device => {}
        }
    }

    fn mount_defaults(&mut self, mount: &Mount) {
        // A user's manager looks after no mounts by itself.
        if self.scope == Scope::User || mounts::is_always_mounted(&mount.place, &mount.options) {
            return;
        }
        let network = mounts::needs_network(&mount.kind, &mount.options);
        let (after, before) = match network {
            true => ("remote-fs-pre.target", "remote-fs.target"),
            false => ("local-fs-pre.target", "local-fs.target"),
        };
        if !mounts::options(&mount.options).any(|option| option == "nofail") {
            self.to(&[D::Before], before);
        }
        self.to(&[D::After], after);
        if network {
            self.to(&[D::After], "network.target");
            self.to(&[D::After, D::Wants], "network-online.target");
        }
        // What a tmpfs holds may be in swap.
        if mount.kind == "tmpfs" {
            self.to(&[D::After], "swap.target");
        }
        self.to(&[D::Before, D::Conflicts], "umount.target");
    }

    fn sysinit(&mut self) {
        if self.scope == Scope::System {
            self.to(&[D::After, D::Requires], "sysinit.target");
        }
    }

    fn shutdown(&mut self) {
        self.to(&[D::Before, D::Conflicts], "shutdown.target");
    }
}

/// The unit a timer or path unit starts: `Unit=`, or the service of the same name.
fn triggered(config: &Config, section: &str) -> String {
    let named = kept(config, section, "Unit").next();
    named.map_or_else(|| format!("{}.{}", config.name.stem(), UnitKind::Service.suffix()), str::to_owned)
}

/// What a swap unit is about: `What=`, or the path that its name says.
pub fn swapped(config: &Config) -> String {
    let said = kept(config, "Swap", "What").next();
    said.map_or_else(|| path_of(&config.name), str::to_owned)
}

/// Values of a directive that is kept as text.
fn kept<'c>(config: &'c Config, section: &'c str, key: &'c str) -> impl Iterator<Item = &'c str> {
    let wanted = move |kept: &&crate::config::Kept| kept.section == section && kept.key == key;
    config.kept.iter().filter(wanted).map(|kept| kept.value.as_str())
}

fn is_yes(value: &str) -> bool {
    ["1", "yes", "y", "true", "t", "on"].contains(&value.to_ascii_lowercase().as_str())
}
