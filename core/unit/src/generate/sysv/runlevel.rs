//! `/etc/rc1.d` to `/etc/rc5.d`: links `S20name` start a script with a runlevel, and number it.
//!
//! `rcS.d`, `rc0.d`, `rc6.d` and links `K…` say nothing: boot and shutdown are the manager's own.

use super::script::Header;
use super::{Places, Service, is_left_behind, service_name};
use crate::files::{Tree, join};
use crate::name::UnitName;
use std::collections::BTreeMap;

const TARGETS: &[(&str, &str)] = &[
    ("rc1.d", "rescue.target"),
    ("rc2.d", "multi-user.target"),
    ("rc3.d", "multi-user.target"),
    ("rc4.d", "multi-user.target"),
    ("rc5.d", "graphical.target"),
];

pub(super) fn read<T: Tree + ?Sized>(tree: &T, places: &Places, services: &mut BTreeMap<UnitName, Service>) {
    for (folder, target) in TARGETS {
        let mut wanted: Vec<UnitName> = Vec::new();
        for place in &places.runlevels {
            for (link, _) in tree.list(&join(place, folder)).unwrap_or_default() {
                let Some((priority, name)) = start_link(&link) else { continue };
                let Some(service) = services.get_mut(&name) else { continue };
                service.priority = service.priority.max(Some(priority));
                if !wanted.contains(&name) {
                    wanted.push(name);
                }
            }
        }
        for name in &wanted {
            if let Some(service) = services.get_mut(name) {
                service.before.push((*target).to_owned());
                service.wanted_by.push(target);
            }
        }
    }
}

/// `S20name`: 20, and the script's service.
fn start_link(link: &str) -> Option<(u8, UnitName)> {
    let rest = link.strip_prefix('S')?;
    let number = rest.get(..2).filter(|number| number.bytes().all(|byte| byte.is_ascii_digit()))?;
    let name = rest.get(2..).filter(|name| !name.is_empty() && !is_left_behind(name))?;
    Some((number.parse().ok()?, service_name(name)?))
}

/// Numbers order two scripts unless both have a header: then the headers do.
pub(super) fn order(services: &mut BTreeMap<UnitName, Service>) {
    let numbered: Vec<(UnitName, u8, Header)> = services
        .iter()
        .filter_map(|(name, service)| Some((name.clone(), service.priority?, service.header)))
        .collect();
    for (name, priority, header) in &numbered {
        let Some(service) = services.get_mut(name) else { continue };
        for (other, others, header_of_other) in &numbered {
            if *header == Header::Lsb && *header_of_other == Header::Lsb {
                continue;
            }
            match others.cmp(priority) {
                std::cmp::Ordering::Less => service.after.push(other.to_string()),
                std::cmp::Ordering::Greater => service.before.push(other.to_string()),
                std::cmp::Ordering::Equal => {}
            }
        }
    }
}
