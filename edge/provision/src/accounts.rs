//! /etc/passwd and /etc/group, read as files: a lookup through NSS could wait for a service not started yet.

use std::collections::BTreeMap;
use std::fs;

#[derive(Clone, Debug, Default)]
pub struct Accounts {
    pub users: BTreeMap<String, u32>,
    pub groups: BTreeMap<String, u32>,
    /// The primary group of each user.
    pub primary: BTreeMap<String, u32>,
    pub homes: BTreeMap<String, String>,
}

impl Accounts {
    pub fn read(root: &str) -> Accounts {
        let mut accounts = Accounts::default();
        for line in lines(&format!("{root}/etc/passwd")) {
            let fields: Vec<&str> = line.split(':').collect();
            let (Some(name), Some(uid)) = (fields.first(), fields.get(2).and_then(|id| id.parse().ok()))
            else {
                continue;
            };
            let name = (*name).to_owned();
            if let Some(gid) = fields.get(3).and_then(|id| id.parse().ok()) {
                accounts.primary.entry(name.clone()).or_insert(gid);
            }
            if let Some(home) = fields.get(5) {
                accounts.homes.entry(name.clone()).or_insert((*home).to_owned());
            }
            accounts.users.entry(name).or_insert(uid);
        }
        for line in lines(&format!("{root}/etc/group")) {
            let fields: Vec<&str> = line.split(':').collect();
            if let (Some(name), Some(gid)) = (fields.first(), fields.get(2).and_then(|id| id.parse().ok())) {
                accounts.groups.entry((*name).to_owned()).or_insert(gid);
            }
        }
        // root is root, whatever is there.
        accounts.users.entry("root".to_owned()).or_insert(0);
        accounts.groups.entry("root".to_owned()).or_insert(0);
        accounts
    }

    pub fn user(&self, name_or_id: &str) -> Option<u32> {
        id(name_or_id).or_else(|| self.users.get(name_or_id).copied())
    }

    pub fn group(&self, name_or_id: &str) -> Option<u32> {
        id(name_or_id).or_else(|| self.groups.get(name_or_id).copied())
    }
}

/// A number that may be an id: 65535 and 4294967295 mean "none" in places.
pub fn id(text: &str) -> Option<u32> {
    let digits = !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
    let number = digits.then(|| text.parse().ok()).flatten()?;
    (number != u32::from(u16::MAX) && number != u32::MAX).then_some(number)
}

pub fn lines(path: &str) -> Vec<String> {
    let bytes = fs::read(path).unwrap_or_default();
    String::from_utf8_lossy(&bytes).lines().map(str::to_owned).collect()
}
