//! The files of a case's units, which its steps may change.

use crate::oracle::case::Case;
use anyhow::{Context, Result, bail};
use std::collections::BTreeMap;
use std::fs;
use std::io::ErrorKind;

const UNITS: &str = "/run/systemd/system";

pub struct Files {
    /// What each unit's file says at first.
    texts: BTreeMap<String, String>,
    /// How many drop-ins there were: each has a name of its own.
    edits: usize,
}

impl Files {
    /// The units' files, and a target that names all of them, which holds them in memory. It never fails.
    pub fn write(case: &Case, prefix: &str) -> Result<Files> {
        let names: Vec<&str> = case.names().collect();
        let keep =
            format!("[Unit]\nDefaultDependencies=no\nIgnoreOnIsolate=yes\nOnFailure={}\n", names.join(" "));
        let texts = case.units.iter().map(|unit| (unit.name.clone(), unit.lines.join("\n") + "\n"));
        let texts = texts.chain([(format!("{prefix}keep.target"), keep)]).collect();
        let files = Files { texts, edits: 0 };
        fs::create_dir_all(UNITS)?;
        for name in files.texts.keys() {
            files.restore(name)?;
        }
        Ok(files)
    }

    /// A drop-in with one line (`[section, line]`), a mask, no file at all, or all as it was.
    pub fn change(&mut self, how: &str, unit: &str, words: &[&str]) -> Result<()> {
        match (how, words) {
            ("edit", [section, line @ ..]) => {
                self.edits += 1;
                let folder = format!("{UNITS}/{unit}.d");
                fs::create_dir_all(&folder)?;
                let text = format!("[{section}]\n{}\n", line.join(" "));
                fs::write(format!("{folder}/{:03}.conf", self.edits), text).context(folder)
            }
            ("mask", []) => {
                take_away(unit)?;
                std::os::unix::fs::symlink("/dev/null", file(unit)).context("a mask")
            }
            ("remove", []) => take_away(unit),
            ("restore", []) => self.restore(unit),
            _ => bail!("no such change: {how} {unit} {}", words.join(" ")),
        }
    }

    pub fn remove(&self) -> Result<()> {
        self.texts.keys().try_for_each(|unit| take_away(unit))
    }

    fn restore(&self, unit: &str) -> Result<()> {
        take_away(unit)?;
        let text = self.texts.get(unit).with_context(|| format!("no unit {unit}"))?;
        fs::write(file(unit), text).with_context(|| unit.to_owned())
    }
}

fn file(unit: &str) -> String {
    format!("{UNITS}/{unit}")
}

/// The unit's file and its drop-ins, where they are.
fn take_away(unit: &str) -> Result<()> {
    let missing = |error: &std::io::Error| error.kind() == ErrorKind::NotFound;
    for done in [fs::remove_file(file(unit)), fs::remove_dir_all(format!("{}.d", file(unit)))] {
        match done {
            Err(error) if !missing(&error) => return Err(error).context(unit.to_owned()),
            Ok(()) | Err(_) => {}
        }
    }
    Ok(())
}
