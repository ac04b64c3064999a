//! What others are told of a daemon, and where.

use crate::daemon::eudaemon;
use crate::pointer::text;
use eudaemon_kit::{Announcement, Health, Registry};
use libc::{c_char, c_int};
use std::time::Duration;

/// A Consul agent: the one at `CONSUL_HTTP_ADDR=`, else at 127.0.0.1:8500.
pub const EUDAEMON_CONSUL: c_int = 1;
/// DNS-SD on the local network, by Avahi.
pub const EUDAEMON_AVAHI: c_int = 2;

/// What others are told of a daemon.
///
/// The `eudaemon_announcement_…` never fail by themselves: the first thing that is wrong is an error of `eudaemon_start`.
/// NULL for an announcement is ignored.
pub struct eudaemon_announcement {
    announcement: Result<Announcement, String>,
}

impl eudaemon_announcement {
    fn change(&mut self, change: impl FnOnce(Announcement) -> Result<Announcement, String>) {
        let before = std::mem::replace(&mut self.announcement, Err(String::new()));
        self.announcement = before.and_then(change);
    }
}

/// The announcement at a pointer.
unsafe fn with(
    at: *mut eudaemon_announcement,
    change: impl FnOnce(Announcement) -> Result<Announcement, String>,
) {
    if let Some(announcement) = unsafe { at.as_mut() } {
        announcement.change(change);
    }
}

/// An announcement of a service of this name, which counts as well while the daemon comes back to `eudaemon_wait` within
/// 30 s. It ends by `eudaemon_announce` or `eudaemon_announcement_free`.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn eudaemon_announcement_new(name: *const c_char) -> *mut eudaemon_announcement {
    let announcement = unsafe { text("announcement", name) }.map(Announcement::new);
    Box::into_raw(Box::new(eudaemon_announcement { announcement }))
}

/// Forgets an announcement that was given to no daemon.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn eudaemon_announcement_free(announcement: *mut eudaemon_announcement) {
    if !announcement.is_null() {
        drop(unsafe { Box::from_raw(announcement) });
    }
}

/// The port that the service is found at.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn eudaemon_announcement_set_port(announcement: *mut eudaemon_announcement, port: u16) {
    unsafe { with(announcement, |announcement| Ok(announcement.port(port))) };
}

/// The port, and the address if there is only one, that the daemon's socket of this name turns out to be bound to.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn eudaemon_announcement_set_socket(
    announcement: *mut eudaemon_announcement,
    name: *const c_char,
) {
    unsafe { with(announcement, |announcement| Ok(announcement.socket(text("a socket's name", name)?))) };
}

/// The IP address that it is found at, instead of the registry's own idea of this machine.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn eudaemon_announcement_set_address(
    announcement: *mut eudaemon_announcement,
    address: *const c_char,
) {
    let change = |announcement: Announcement| {
        let address = unsafe { text("address", address) }?;
        let number = address.parse().map_err(|_| format!("address {address}: expected an IP address"))?;
        Ok(announcement.address(number))
    };
    unsafe { with(announcement, change) };
}

/// One more tag.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn eudaemon_announcement_add_tag(
    announcement: *mut eudaemon_announcement,
    tag: *const c_char,
) {
    unsafe { with(announcement, |announcement| Ok(announcement.tag(text("tag", tag)?))) };
}

/// It counts as well while the daemon comes back to `eudaemon_wait`, or says `eudaemon_alive`, within so many milliseconds.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn eudaemon_announcement_set_ttl(
    announcement: *mut eudaemon_announcement,
    milliseconds: u64,
) {
    let health = Health::Ttl(Duration::from_millis(milliseconds));
    unsafe { with(announcement, |announcement| Ok(announcement.health(health))) };
}

/// Consul's agent asks for this path every so many milliseconds by HTTP.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn eudaemon_announcement_set_http(
    announcement: *mut eudaemon_announcement,
    path: *const c_char,
    milliseconds: u64,
) {
    let every = Duration::from_millis(milliseconds);
    let change = |announcement: Announcement| {
        Ok(announcement.health(Health::Http(unsafe { text("path", path) }?, every)))
    };
    unsafe { with(announcement, change) };
}

/// Consul's agent connects every so many milliseconds.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn eudaemon_announcement_set_tcp(
    announcement: *mut eudaemon_announcement,
    milliseconds: u64,
) {
    let health = Health::Tcp(Duration::from_millis(milliseconds));
    unsafe { with(announcement, |announcement| Ok(announcement.health(health))) };
}

/// The type that it has in DNS-SD, `_http._tcp` say; made of the name otherwise.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn eudaemon_announcement_set_type(
    announcement: *mut eudaemon_announcement,
    service_type: *const c_char,
) {
    unsafe { with(announcement, |announcement| Ok(announcement.service_type(text("type", service_type)?))) };
}

/// Enters the daemon in a registry, `EUDAEMON_CONSUL` or `EUDAEMON_AVAHI`, once it is ready, and takes it out again when a
/// stop begins. The announcement is gone afterwards. A registry that is away is no error: the log says so.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn eudaemon_announce(
    daemon: *mut eudaemon,
    registry: c_int,
    announcement: *mut eudaemon_announcement,
) {
    let given = (!announcement.is_null()).then(|| unsafe { Box::from_raw(announcement) });
    let registry = match registry {
        EUDAEMON_CONSUL => Ok(Registry::Consul),
        EUDAEMON_AVAHI => Ok(Registry::Avahi),
        other => Err(format!("registry {other}: expected EUDAEMON_CONSUL or EUDAEMON_AVAHI")),
    };
    let given = given
        .map_or_else(|| Err("NULL where an announcement was expected".to_owned()), |one| one.announcement);
    if let Some(description) = unsafe { daemon.as_mut() } {
        description.change(|daemon| Ok(daemon.announce(registry?, given?)));
    }
}
