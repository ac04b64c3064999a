//! What is wrong with a description, looked for before anything is done by it.

use crate::daemon::Daemon;
use crate::error::{Error, Result};
use crate::handed_over::is_descriptor_name;
use crate::sys::fd::is_open;

impl Daemon {
    /// What the description alone tells: of this no start makes anything, wherever it is.
    pub(crate) fn check_description(&self) -> Result<()> {
        if !can_be_a_name(self.name()) {
            return Err(Error::Name { name: self.name().to_owned() });
        }
        let mut names: Vec<&str> = Vec::new();
        for name in self.sockets().iter().map(|socket| socket.name()) {
            if names.contains(&name) {
                let reason = "is declared twice: the second could not be told from the first".to_owned();
                return Err(Error::Socket { name: name.to_owned(), reason });
            }
            if !is_descriptor_name(name) {
                let reason = "no name for a socket: 1 to 255 printable characters, no colon".to_owned();
                return Err(Error::Socket { name: name.to_owned(), reason });
            }
            names.push(name);
        }
        // What is stdio's is nobody's to close.
        let (_, notification) = self.its_descriptors();
        if let Some(number) = notification.filter(|number| *number < 3) {
            let reason = format!("notification fd {number}: expected a descriptor above 2");
            return Err(Error::Handed { reason });
        }
        #[cfg(feature = "announce")]
        self.its_announcements().iter().try_for_each(|(registry, one)| one.check(*registry))?;
        Ok(())
    }

    /// And what depends on who starts the program. Whether s6's descriptor is open is seen when it is taken over.
    pub(crate) fn check(&self) -> Result<()> {
        self.check_description()?;
        let (kept, _) = self.its_descriptors();
        match kept.iter().find(|number| !is_open(**number)) {
            Some(number) => {
                Err(Error::Handed { reason: format!("descriptor {number} is to be kept and is not open") })
            }
            None => Ok(()),
        }
    }
}

/// Whether it can stand before lines, and in files that name the daemon.
pub(crate) fn can_be_a_name(name: &str) -> bool {
    !name.is_empty() && !name.chars().any(char::is_control)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::daemon::FdNumber;
    use crate::sockets::Socket;

    #[test]
    fn what_cannot_be_meant_is_refused_before_anything_is_done() {
        let wrong = |daemon: Daemon| daemon.check().map_err(|error| error.to_string());
        let one = || Daemon::new("x").socket(Socket::tcp("a", "127.0.0.1:0"));
        assert_eq!(
            wrong(one().socket(Socket::unix("b", "/x")).keep(&0).notification_fd(FdNumber(3))),
            Ok(())
        );
        let name = "daemon's name \"a\\nb\": expected one of one line, without control characters";
        assert_eq!(wrong(Daemon::new("a\nb")), Err(name.to_owned()));
        let empty = "daemon's name \"\": expected one of one line, without control characters";
        assert_eq!(wrong(Daemon::new("")), Err(empty.to_owned()));
        let twice = "socket a: is declared twice: the second could not be told from the first";
        assert_eq!(wrong(one().socket(Socket::unix("a", "/x"))), Err(twice.to_owned()));
        let named = |name: &str| wrong(Daemon::new("x").socket(Socket::unix(name, "/x")));
        let colon = "socket a:b: no name for a socket: 1 to 255 printable characters, no colon";
        assert_eq!(named("a:b"), Err(colon.to_owned()));
        assert!(["", "a\nb", "ü"].into_iter().all(|name| named(name).is_err()));
        let closed = "descriptor 4000 is to be kept and is not open";
        assert_eq!(wrong(one().keep(&4000)), Err(closed.to_owned()));
        let standard = "notification fd 1: expected a descriptor above 2";
        assert_eq!(wrong(one().notification_fd(FdNumber(1))), Err(standard.to_owned()));
    }

    /// Else a service would be installed that never starts.
    #[test]
    fn no_unit_is_printed_of_what_no_start_takes() {
        let printed = |daemon: Daemon| {
            let files = daemon.unit_files("", std::path::Path::new("/usr/bin/x"), [""; 0]);
            files.map(|files| files.len()).map_err(|error| error.to_string())
        };
        let twice = Daemon::new("x").socket(Socket::unix("a", "/x")).socket(Socket::unix("a", "/y"));
        assert!(printed(twice).is_err_and(|why| why.contains("is declared twice")));
        assert!(printed(Daemon::new("x").notification_fd(FdNumber(1))).is_err());
        // The one who starts it may have it open.
        assert_eq!(printed(Daemon::new("x").keep(&4000)), Ok(1));
    }
}
