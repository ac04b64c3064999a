//! A unit as the assessments see it.

use eudaemon_unit::config::{Body, Config, Exec};
use eudaemon_unit::values::syscalls;

pub struct Unit<'a> {
    pub config: &'a Config,
    pub exec: &'a Exec,
    /// Whether `calls` are allowed or denied.
    pub calls: (bool, Vec<String>),
}

impl<'a> Unit<'a> {
    /// `nothing` stands in where a unit runs no processes.
    pub fn of(config: &'a Config, nothing: &'a Exec) -> Unit<'a> {
        let lines = config.kept("SystemCallFilter");
        let calls = syscalls::evaluate(lines, "@default");
        Unit { config, exec: config.exec().unwrap_or(nothing), calls }
    }

    /// The last that is kept of a directive.
    pub fn kept(&self, key: &str) -> Option<&'a str> {
        self.config.kept(key).next_back()
    }

    pub fn every(&self, key: &'static str) -> impl Iterator<Item = &'a str> {
        self.config.kept(key)
    }

    pub fn is_yes(&self, key: &str) -> bool {
        self.kept(key) == Some("yes")
    }

    pub fn is_service(&self) -> bool {
        matches!(self.config.body, Body::Service(_))
    }

    pub fn is_root(&self) -> bool {
        let named = |user: &str| user == "root" || user == "0";
        match &self.exec.user {
            Some(user) => named(user),
            None => !self.exec.dynamic_user,
        }
    }

    /// `DynamicUser=` brings some protection along, also for a user that is there anyway.
    pub fn is_dynamic(&self) -> bool {
        self.exec.dynamic_user
    }
}
