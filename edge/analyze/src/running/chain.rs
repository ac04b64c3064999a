//! `critical-chain`: which units a unit waited for, and of those always the last, down to the first of all.

use super::boot::{Boot, DEFAULT_TARGET, Unit, span, units};
use super::{end, id, others, reach, scope};
use crate::Options;
use crate::limits;
use crate::times::Judge;
use eudaemon_ctl::bus::Client;
use eudaemon_ctl::text::paint::{Paint, Style};
use eudaemon_ctl::unit_name::object_path;
use std::cmp::Reverse;
use std::collections::{BTreeMap, BTreeSet};
use std::io::IsTerminal;
use std::process::ExitCode;

pub fn critical_chain(options: &Options, names: &[String], _: &Judge) -> ExitCode {
    end(reach(options).and_then(|mut client| {
        let boot = Boot::ask(&mut client, scope(options) == eudaemon_ctl::Scope::User)?;
        let units = units(&mut client, &boot)?.into_iter().map(|unit| (unit.name.clone(), unit)).collect();
        outln!("The time when unit became active or started is printed after the \"@\" character.");
        outln!("The time the unit took to start is printed after the \"+\" character.\n");
        let mut tree = Tree {
            client,
            boot,
            units,
            fuzz: options.fuzz,
            paint: Paint::for_terminal(std::io::stdout().is_terminal()),
            shown: BTreeSet::new(),
            rows: 0,
        };
        let default = [DEFAULT_TARGET.to_owned()];
        // What is wrong with one name keeps no other from being told, and is no failure to systemd.
        for name in if names.is_empty() { &default } else { names } {
            tree.grow(name).unwrap_or_else(|text| eprintln!("{text}"));
        }
        Ok(())
    }))
}

struct Tree {
    client: Client,
    boot: Boot,
    units: BTreeMap<String, Unit>,
    /// By how much a unit may have been earlier than the last one and still be told.
    fuzz: u64,
    paint: Paint,
    /// Units whose own branches stand somewhere above.
    shown: BTreeSet<String>,
    rows: usize,
}

/// The units below one, those still to be told.
struct Branch {
    left: std::vec::IntoIter<String>,
}

impl Tree {
    fn grow(&mut self, name: &str) -> Result<(), String> {
        let id = id(&mut self.client, name)?;
        if self.units.contains_key(&id) {
            outln!("{}", self.root(&id));
        }
        self.shown.clear();
        let mut branches = vec![self.below(name)?];
        while let Some(branch) = branches.last_mut() {
            let Some(unit) = branch.left.next() else {
                branches.pop();
                continue;
            };
            self.rows += 1;
            if self.rows > limits::CHAIN_ROWS {
                return Err(format!("more than {} units: the rest is left out", limits::CHAIN_ROWS));
            }
            let more: Vec<bool> = branches.iter().map(|branch| !branch.left.as_slice().is_empty()).collect();
            outln!("{}{}", self.stem(&more), self.words(&unit));
            if self.shown.contains(&unit) {
                outln!("{}...", self.stem(&[more, vec![false]].concat()));
                continue;
            }
            branches.push(self.below(&unit)?);
        }
        Ok(())
    }

    /// What a unit waited for: the one that came up last, and those not much earlier.
    fn below(&mut self, name: &str) -> Result<Branch, String> {
        self.shown.insert(name.to_owned());
        let mut before = others(&mut self.client, &object_path(name), "After")?;
        let up = |name: &String| {
            let unit = self.units.get(name)?;
            (unit.activated > 0 && unit.activated <= self.boot.finish).then_some(unit.activated)
        };
        before.retain(|name| up(name).is_some());
        before.sort_by_key(|name| Reverse(up(name)));
        let last = before.first().and_then(&up).unwrap_or(0);
        before.retain(|name| up(name).is_some_and(|at| last - at <= self.fuzz));
        Ok(Branch { left: before.into_iter() })
    }

    /// A line's beginning: for each level whether more comes there, the unit's own last.
    fn stem(&self, more: &[bool]) -> String {
        let Some((own, above)) = more.split_last() else { return String::new() };
        let trunks = above.iter().map(|more| if *more { self.paint.trunk() } else { "  " });
        let branch = if *own { self.paint.branch() } else { self.paint.last_branch() };
        trunks.chain([branch]).collect()
    }

    /// Nobody waited for the first one, so of what took time only that is said.
    fn root(&self, name: &str) -> String {
        match self.units.get(name).map_or(0, Unit::time) {
            0 => self.words(name),
            time => self.paint.text(Style::Bad, &format!("{name} +{}", span(time))),
        }
    }

    fn words(&self, name: &str) -> String {
        let Some(unit) = self.units.get(name) else { return name.to_owned() };
        let since = |point: u64| span(point.saturating_sub(self.boot.userspace));
        match unit.time() {
            0 if unit.activated > self.boot.userspace => format!("{name} @{}", since(unit.activated)),
            0 => name.to_owned(),
            time => {
                self.paint.text(Style::Bad, &format!("{name} @{} +{}", since(unit.activating), span(time)))
            }
        }
    }
}
