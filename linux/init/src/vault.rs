//! Descriptors kept for whoever comes next: each entry is a name and up to
//! [`limits::FDS_PER_MESSAGE`] descriptors in the order given.

use crate::limits;
use rustix::io::Errno;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};

/// One descriptor; those of an entry stand side by side under the same name.
#[derive(Debug)]
struct Slot {
    name: Name,
    fd: OwnedFd,
    told: Told,
}

/// Whether the present manager has been given it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Told {
    No,
    Yes,
}

/// A short text without a home of its own on the heap.
#[derive(Clone, Copy)]
pub struct Name {
    bytes: [u8; limits::NAME],
    length: u8,
}

impl Name {
    /// The wire has refused what is longer than [`limits::NAME`].
    pub fn new(text: &str) -> Name {
        assert!(text.len() <= limits::NAME, "a name's length is checked where it comes in");
        let mut bytes = [0; limits::NAME];
        bytes[..text.len()].copy_from_slice(text.as_bytes());
        Name { bytes, length: text.len() as u8 }
    }

    pub fn as_str(&self) -> &str {
        std::str::from_utf8(&self.bytes[..usize::from(self.length)]).unwrap_or("")
    }
}

impl std::fmt::Debug for Name {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(self.as_str())
    }
}

#[derive(Debug)]
pub struct Vault {
    slots: Vec<Slot>,
}

impl Vault {
    pub fn new() -> Vault {
        Vault { slots: Vec::with_capacity(limits::VAULT) }
    }

    /// Keep these under the name instead of what was there. An entry from init itself is told to each new
    /// manager; one the manager gave it knows already.
    pub fn put(&mut self, name: &str, fds: impl ExactSizeIterator<Item = OwnedFd>) -> Result<(), Errno> {
        self.remove(name);
        if self.slots.len() + fds.len() > limits::VAULT {
            return Err(Errno::NFILE);
        }
        let name = Name::new(name);
        self.slots.extend(fds.map(|fd| Slot { name, fd, told: Told::Yes }));
        Ok(())
    }

    pub fn remove(&mut self, name: &str) {
        self.slots.retain(|slot| slot.name.as_str() != name);
    }

    pub fn retell(&mut self) {
        self.slots.iter_mut().for_each(|slot| slot.told = Told::No);
    }

    /// The next entry to tell.
    pub fn next_untold(&self) -> Option<Name> {
        self.slots.iter().find(|slot| slot.told == Told::No).map(|slot| slot.name)
    }

    pub fn fds(&self, name: &Name) -> impl Iterator<Item = BorrowedFd<'_>> {
        self.slots.iter().filter(|slot| slot.name.as_str() == name.as_str()).map(|slot| slot.fd.as_fd())
    }

    pub fn told(&mut self, name: &Name) {
        let same = self.slots.iter_mut().filter(|slot| slot.name.as_str() == name.as_str());
        same.for_each(|slot| slot.told = Told::Yes);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn fds(count: usize) -> impl ExactSizeIterator<Item = OwnedFd> {
        (0..count).map(|_| std::fs::File::open("/dev/null").unwrap().into())
    }

    fn tell_all(vault: &mut Vault) -> Vec<(String, usize)> {
        let mut all = Vec::new();
        while let Some(name) = vault.next_untold() {
            all.push((name.as_str().to_owned(), vault.fds(&name).count()));
            vault.told(&name);
        }
        all
    }

    #[test]
    fn entries_are_replaced_told_and_dropped_by_name() {
        let mut vault = Vault::new();
        vault.put("a", fds(2)).unwrap();
        vault.put("b", fds(1)).unwrap();
        vault.put("a", fds(3)).unwrap();
        assert_eq!(tell_all(&mut vault), []);
        vault.retell();
        assert_eq!(tell_all(&mut vault), [("b".to_owned(), 1), ("a".to_owned(), 3)]);
        vault.remove("a");
        vault.retell();
        assert_eq!(tell_all(&mut vault), [("b".to_owned(), 1)]);
    }
}
