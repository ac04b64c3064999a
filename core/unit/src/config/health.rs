//! `[X-Health]`, which systemd passes over: docs/reference/extensions.md.

use super::exec::ExecCommand;
use crate::span::Span;
use crate::values::endpoint::Url;
use serde::{Deserialize, Serialize};
use std::net::SocketAddr;

/// What follows when a service is unhealthy.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub enum OnUnhealthy {
    /// It is said, nothing more.
    #[default]
    Nothing,
    Stop,
    Restart,
}

/// What waits for the first answer that is a good one.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub enum Gate {
    #[default]
    Nothing,
    /// The service is active no earlier.
    Start,
}

/// How a service is asked whether it is well, and what its answers lead to.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Health {
    pub tcp: Option<SocketAddr>,
    pub http: Option<Url>,
    pub exec: Vec<ExecCommand>,
    pub interval: Span,
    /// For all that is asked at one time together.
    pub timeout: Span,
    pub retries: u32,
    pub start_period: Span,
    pub on_unhealthy: OnUnhealthy,
    pub gate: Gate,
}

/// One thing to ask.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Check<'a> {
    Tcp(SocketAddr),
    Http(&'a Url),
    /// The command of this number.
    Exec(u32),
}

impl Health {
    /// What is asked, one after the other; all of it has to go well.
    pub fn check(&self, index: u32) -> Option<Check<'_>> {
        let net = self.tcp.map(Check::Tcp).into_iter().chain(self.http.as_ref().map(Check::Http));
        let commands = (0..).take(self.exec.len()).map(Check::Exec);
        net.chain(commands).nth(index as usize)
    }
}

impl Default for Health {
    fn default() -> Health {
        Health {
            tcp: None,
            http: None,
            exec: Vec::new(),
            interval: Span::seconds(30),
            timeout: Span::seconds(5),
            retries: 3,
            start_period: Span::ZERO,
            on_unhealthy: OnUnhealthy::Nothing,
            gate: Gate::Nothing,
        }
    }
}
