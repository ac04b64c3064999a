//! A unit while its files are read: every section there may be, and what was said about things whose default
//! depends on the rest.

use crate::config::exec::Stdio;
use crate::config::service::{NotifyAccess, OomPolicy, ServiceType};
use crate::config::{Exec, Install, Kept, Kill, Mount, Service, Socket, UnitSection};
use crate::span::Span;

#[derive(Default)]
pub(crate) struct Draft {
    pub unit: UnitSection,
    pub install: Install,
    pub service: Service,
    pub socket: Socket,
    pub mount: Mount,
    pub exec: Exec,
    pub kill: Kill,
    pub source: Option<String>,
    pub kept: Vec<Kept>,
    pub said: Said,
}

/// What the files said; `None` where they said nothing.
#[derive(Default)]
pub(crate) struct Said {
    pub service_type: Option<ServiceType>,
    pub timeout_start: Option<Span>,
    pub notify_access: Option<NotifyAccess>,
    pub oom_policy: Option<OomPolicy>,
    pub standard_input: Option<Stdio>,
    pub standard_output: Option<Stdio>,
    pub standard_error: Option<Stdio>,
    pub job_running_timeout: Option<Span>,
}
