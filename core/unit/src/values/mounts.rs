//! What a mount's place, type and options tell of it.

/// What is mounted before there are units, and never by one.
const API_FILE_SYSTEMS: &[&str] = &[
    "/dev",
    "/dev/pts",
    "/dev/shm",
    "/proc",
    "/run",
    "/sys",
    "/sys/firmware/efi/efivars",
    "/sys/fs/bpf",
    "/sys/fs/cgroup",
    "/sys/fs/cgroup/systemd",
    "/sys/fs/cgroup/unified",
    "/sys/fs/pstore",
    "/sys/fs/smackfs",
    "/sys/kernel/security",
];

/// Mounts that are the kernel's or a container's business.
const LEFT_OUT: &[&str] =
    &["/dev/console", "/proc/kmsg", "/proc/sys", "/proc/sys/kernel/random/boot_id", "/sys/fs/selinux"];

/// File systems that need the network, by themselves or through FUSE.
const NETWORK_KINDS: &[&str] = &[
    "afs",
    "ceph",
    "cifs",
    "davfs",
    "gfs",
    "gfs2",
    "glusterfs",
    "lustre",
    "ncp",
    "ncpfs",
    "nfs",
    "nfs4",
    "ocfs2",
    "orangefs",
    "pvfs2",
    "smb3",
    "smbfs",
    "sshfs",
];

/// A unit for this place is refused.
pub fn is_api(place: &str) -> bool {
    API_FILE_SYSTEMS.contains(&place)
}

/// No unit is made for a mount that is found here, or asked for here by /etc/fstab.
pub fn is_left_out(place: &str) -> bool {
    is_api(place)
        || LEFT_OUT.contains(&place)
        || place == "/run/host"
        || ["/sys/fs/cgroup/", "/run/host/"].iter().any(|above| place.starts_with(above))
}

/// Mounts that are there from before the first unit until after the last.
pub fn is_always_mounted(place: &str, given: &str) -> bool {
    let below =
        |root: &str| place.strip_prefix(root).is_some_and(|rest| rest.is_empty() || rest.starts_with('/'));
    ["/", "/usr", "/etc"].contains(&place)
        || ["/proc", "/sys", "/dev", "/run/host", "/run/initramfs"].into_iter().any(below)
        || options(given).any(|option| option == "x-initrd.mount")
}

pub fn needs_network(kind: &str, given: &str) -> bool {
    NETWORK_KINDS.contains(&kind.strip_prefix("fuse.").unwrap_or(kind))
        || options(given).any(|option| option == "_netdev")
}

/// Whether what is mounted is a file or directory of this machine.
pub fn is_of_a_path(given: &str) -> bool {
    is_bind(given) || options(given).any(|option| option == "loop")
}

pub fn is_bind(given: &str) -> bool {
    options(given).any(|option| option == "bind" || option == "rbind")
}

/// The options of a mount, one by one; blanks are part of them.
pub fn options(given: &str) -> impl DoubleEndedIterator<Item = &str> {
    given.split(',')
}

#[cfg(test)]
mod tests {
    use super::needs_network;

    #[test]
    fn the_network_is_needed_by_type_or_option() {
        for (kind, options, needed) in [
            ("nfs4", "", true),
            ("fuse.sshfs", "", true),
            ("fuse.nfs", "ro", true),
            ("9p", "trans=virtio", false),
            ("ext4", "ro,_netdev", true),
            ("ext4", "ro, _netdev", false),
            ("ext4", "x_netdev", false),
        ] {
            assert_eq!(needs_network(kind, options), needed, "{kind} {options}");
        }
    }
}
