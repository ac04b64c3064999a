//! Which slice a unit lives in: systemd.slice(5), systemd.resource-control(5) `Slice=`.

use super::Adding;
use crate::config::unit::Dependency as D;
use crate::config::{Body, Config, LoadState};
use crate::escape::unescape_path;
use crate::files::Scope;
use crate::name::UnitName;
use crate::values::mounts::is_always_mounted;

pub(super) fn add(config: &mut Config, adding: &mut Adding) {
    let Some(slice) = slice_of(config, adding.scope) else { return };
    if slice == config.name.as_str() {
        return;
    }
    adding.to(&[D::InSlice], &slice);
    if config.load == LoadState::Loaded {
        adding.to(&[D::Requires, D::After], &slice);
    }
    match &mut config.body {
        Body::Service(service) => service.exec.slice = Some(slice),
        Body::Socket(socket) => socket.exec.slice = Some(slice),
        Body::Mount(mount) => mount.processes.exec.slice = Some(slice),
        Body::Swap(swap) => swap.exec.slice = Some(slice),
        Body::Slice if config.unit.description.is_empty() => {
            config.unit.description = format!("Slice {}", path(config.name.stem()));
        }
        Body::Target
        | Body::Slice
        | Body::Scope
        | Body::Device
        | Body::Automount
        | Body::Timer
        | Body::Path => {}
    }
}

/// `None`: units of this kind hold no processes.
fn slice_of(config: &Config, scope: Scope) -> Option<String> {
    let said = match &config.body {
        Body::Service(service) => service.exec.slice.clone(),
        Body::Socket(socket) => socket.exec.slice.clone(),
        Body::Mount(mount) => {
            let always = is_always_mounted(&mount.place, &mount.options);
            let of_nobody = always || scope == Scope::User;
            mount.processes.exec.slice.clone().or_else(|| of_nobody.then(|| "-.slice".to_owned()))
        }
        Body::Swap(swap) => {
            let of_nobody = scope == Scope::User;
            swap.exec.slice.clone().or_else(|| of_nobody.then(|| "-.slice".to_owned()))
        }
        // init.scope; other scopes are made at run time, by whoever says where.
        Body::Scope => return Some("-.slice".to_owned()),
        Body::Slice => return parent(&config.name),
        Body::Target | Body::Device | Body::Automount | Body::Timer | Body::Path => return None,
    };
    said.or_else(|| Some(default_slice(&config.name, scope)))
}

/// Instances of one template share a slice of their own; the rest lives in one.
fn default_slice(name: &UnitName, scope: Scope) -> String {
    let root = match scope {
        Scope::System => "system",
        Scope::User => "app",
    };
    if name.is_instance() {
        // A dash would mean a slice below a slice.
        format!("{root}-{}.slice", name.prefix().replace('\\', "\\x5c").replace('-', "\\x2d"))
    } else {
        format!("{root}.slice")
    }
}

/// `a-b.slice` lies in `a.slice`, and that in `-.slice`.
fn parent(name: &UnitName) -> Option<String> {
    match name.stem() {
        "-" => None,
        stem => {
            Some(stem.rsplit_once('-').map_or("-.slice".to_owned(), |(above, _)| format!("{above}.slice")))
        }
    }
}

/// As people read it; a name that is no escaped path stays as it is written.
fn path(stem: &str) -> String {
    let path = unescape_path(stem.as_bytes()).and_then(|path| String::from_utf8(path).ok());
    path.unwrap_or_else(|| format!("/{}", stem.replace('-', "/")))
}

#[cfg(test)]
mod tests {
    use super::path;

    #[test]
    fn slices_are_told_by_their_paths() {
        let told = [
            ("system", "/system"),
            ("system-getty", "/system/getty"),
            ("system-openvpn\\x2dserver", "/system/openvpn-server"),
            // No path that was escaped.
            ("a--b", "/a//b"),
        ];
        for (stem, wanted) in told {
            assert_eq!(path(stem), wanted);
        }
    }
}
