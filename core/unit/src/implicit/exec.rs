//! What running a process brings with it: systemd.exec(5), "Implicit Dependencies".

use super::{Adding, is_yes, kept};
use crate::config::exec::{Directories, Exec, Failure, Place};
use crate::config::unit::Dependency as D;
use crate::config::{Body, Config};
use crate::files::Scope;
use crate::specifier::Context;

pub(super) fn add(config: &Config, adding: &mut Adding, cx: &Context) {
    let section = match &config.body {
        Body::Service(_) => "Service",
        Body::Socket(socket) if runs_commands(socket) => "Socket",
        Body::Mount(_) => "Mount",
        Body::Swap(_) => "Swap",
        Body::Socket(_)
        | Body::Target
        | Body::Slice
        | Body::Scope
        | Body::Device
        | Body::Automount
        | Body::Timer
        | Body::Path => return,
    };
    let Some(exec) = config.exec() else { return };
    paths(config, section, exec, adding, cx);
    if adding.scope == Scope::User {
        return;
    }
    if ![&exec.state_directory, &exec.cache_directory, &exec.logs_directory]
        .iter()
        .all(|one| one.names.is_empty())
    {
        adding.to(&[D::After], "systemd-remount-fs.service");
    }
    if exec.dynamic_user || kept(config, section, "PrivateTmp").any(is_yes) {
        // What is on /tmp need not be a mount unit that has to be there.
        adding.to(&[D::After, D::Wants], "tmp.mount");
        adding.mount("/var/tmp");
        adding.to(&[D::After], "systemd-tmpfiles-setup.service");
    }
    if let Some(namespace) = kept(config, section, "LogNamespace").next() {
        for ending in ["", "-varlink"] {
            adding.to(&[D::After, D::Requires], &format!("systemd-journald{ending}@{namespace}.socket"));
        }
    } else if exec.standard_output.is_logged() || exec.standard_error.is_logged() {
        adding.to(&[D::After], JOURNAL);
    }
}

const JOURNAL: &str = "systemd-journald.socket";

fn runs_commands(socket: &crate::config::Socket) -> bool {
    let phases = [&socket.start_pre, &socket.start_post, &socket.stop_pre, &socket.stop_post];
    phases.iter().any(|commands| !commands.is_empty())
}

fn paths(config: &Config, section: &str, exec: &Exec, adding: &mut Adding, cx: &Context) {
    if let (Place::Path(path), Failure::Counts) =
        (&exec.working_directory.place, exec.working_directory.missing)
    {
        adding.mount(path);
    }
    if let Some(root) = &exec.root_directory {
        adding.mount(root);
    }
    for image in kept(config, section, "RootImage") {
        adding.mount(image);
        adding.to(&[D::After], "systemd-udevd.service");
    }
    let said = |key| kept(config, section, key);
    let has_images = ["RootImage", "MountImages"].into_iter().any(|key| said(key).next().is_some());
    let is_confined = said("DeviceAllow").next().is_some()
        || said("DevicePolicy").any(|policy| policy != "auto")
        || said("PrivateDevices").any(is_yes);
    // Only devices that the kernel knows by then can be allowed.
    if has_images && is_confined {
        for module in ["loop", "dm_mod", "dm_verity"] {
            adding.to(&[D::After, D::Wants], &format!("modprobe@{module}.service"));
        }
    }
    let at = &cx.directories;
    let kinds: [(&str, &Directories); 5] = [
        (&at.runtime, &exec.runtime_directory),
        (&at.state, &exec.state_directory),
        (&at.cache, &exec.cache_directory),
        (&at.logs, &exec.logs_directory),
        (&at.configuration, &exec.configuration_directory),
    ];
    for (place, directories) in kinds {
        for (name, _) in &directories.names {
            adding.mount(&crate::files::join(place, name));
        }
    }
}
