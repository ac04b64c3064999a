//! What the manager has not heard yet, told as its socket has room.

use super::{Init, MANAGER, Unsent, report_trouble};
use crate::limits;
use crate::manager::{Manager, Running, Speech};
use crate::packet;
use crate::vault::{Name, Vault};
use crate::wire::Report;
use rustix::event::epoll;
use rustix::io::Errno;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};

/// Why the manager's socket takes no more for now.
struct Full;

impl Init {
    /// Say what the manager has not heard, as far as its socket takes it.
    pub(super) fn tell(&mut self) {
        let interest = match self.tell_all() {
            Ok(()) => epoll::EventFlags::IN,
            Err(Full) if self.unsent.is_some() => epoll::EventFlags::OUT,
            Err(Full) => epoll::EventFlags::IN | epoll::EventFlags::OUT,
        };
        if interest == self.interest {
            return;
        }
        if let Some(socket) = self.socket() {
            let data = epoll::EventData::new_u64(MANAGER);
            report_trouble(epoll::modify(&self.epoll, socket, data, interest));
            self.interest = interest;
        }
    }

    fn tell_all(&mut self) -> Result<(), Full> {
        let Manager::Runs(Running { socket: Some(socket), speech, .. }) = &mut self.manager else {
            return Ok(());
        };
        if *speech == Speech::Silent {
            return Ok(());
        }
        let socket = socket.as_fd();
        if let Some(Unsent { head, tail }) = &self.unsent {
            said(packet::send(socket, head, tail.as_str().as_bytes(), &[]))?;
            self.unsent = None;
        }
        for child in self.children.iter_mut() {
            while let Some((report, fact)) = child.next_report() {
                say(socket, report)?;
                child.told(fact);
            }
        }
        if *speech == Speech::Telling {
            tell_vault(socket, &mut self.vault)?;
            say(socket, Report::SnapshotEnd { highest: self.children.highest() })?;
            *speech = Speech::Told;
        }
        while let Some(report) = self.orphans.next_report() {
            say(socket, report)?;
            self.orphans.told();
        }
        while let Some(signal) = self.untold_signals.first_outside(self.unheard_signals) {
            say(socket, Report::Signalled { signal })?;
            self.untold_signals.remove(signal);
            self.unheard_signals.add(signal);
        }
        Ok(())
    }

    /// Answer the order in hand; if there is no room, no other order is read before there is.
    pub(super) fn answer(&mut self, report: Report<'_>) {
        let (head, tail) = report.encode();
        let Some(socket) = self.socket() else { return };
        if packet::send(socket, &head, tail, &[]) == Err(Errno::AGAIN) {
            self.unsent = Some(Unsent { head, tail: Name::new(std::str::from_utf8(tail).unwrap_or("")) });
        }
    }

    pub(super) fn socket(&self) -> Option<&OwnedFd> {
        match &self.manager {
            Manager::Runs(running) => running.socket.as_ref(),
            Manager::Pauses { .. } => None,
        }
    }
}

fn tell_vault(socket: BorrowedFd<'_>, vault: &mut Vault) -> Result<(), Full> {
    while let Some(name) = vault.next_untold() {
        let mut list = [socket; limits::FDS_PER_MESSAGE];
        let count = list.iter_mut().zip(vault.fds(&name)).map(|(place, fd)| *place = fd).count();
        let (head, tail) = Report::Kept { name: name.as_str() }.encode();
        said(packet::send(socket, &head, tail, &list[..count]))?;
        vault.told(&name);
    }
    Ok(())
}

fn say(socket: BorrowedFd<'_>, report: Report<'_>) -> Result<(), Full> {
    let (head, tail) = report.encode();
    said(packet::send(socket, &head, tail, &[]))
}

/// A manager that died hears nothing; its successor is told everything again.
fn said(outcome: Result<(), Errno>) -> Result<(), Full> {
    match outcome {
        Err(Errno::AGAIN | Errno::NOBUFS | Errno::NOMEM | Errno::TOOMANYREFS) => Err(Full),
        Ok(()) | Err(_) => Ok(()),
    }
}
