//! The options of a line that speak to the manager.

use crate::values::mounts;

#[derive(Clone, Debug)]
pub(super) struct Options<'a> {
    text: &'a str,
}

impl<'a> Options<'a> {
    pub fn new(text: &'a str) -> Options<'a> {
        Options { text }
    }

    pub fn text(&self) -> &'a str {
        self.text
    }

    pub fn has(&self, name: &str) -> bool {
        mounts::options(self.text).any(|option| option == name)
    }

    /// Of a word and its opposite the last counts.
    pub fn is_set(&self, yes: &str, no: &str) -> bool {
        mounts::options(self.text).rfind(|option| *option == yes || *option == no) == Some(yes)
    }

    /// The last value given to a name.
    pub fn value(&self, name: &str) -> Option<&'a str> {
        self.values(name).last().copied()
    }

    /// Every value given to a name.
    pub fn values(&self, name: &str) -> Vec<&'a str> {
        let value = |option: &'a str| option.strip_prefix(name)?.strip_prefix('=');
        mounts::options(self.text).filter_map(value).collect()
    }

    pub fn is_automount(&self) -> bool {
        self.has("x-systemd.automount") || self.has("comment=systemd.automount")
    }

    /// What the file system is to be told: all but what is said elsewhere, and nothing for `defaults` alone.
    pub fn kept(&self) -> Option<String> {
        let elsewhere = |option: &&str| {
            ["x-systemd.device-timeout=", "comment=systemd.device-timeout="]
                .iter()
                .any(|name| option.starts_with(name))
        };
        let kept: Vec<&str> =
            self.text.split(',').filter(|option| !option.is_empty() && !elsewhere(option)).collect();
        let kept = kept.join(",");
        (!kept.is_empty() && kept != "defaults").then_some(kept)
    }
}
