//! `list-dependencies`: what a unit pulls in, or is pulled in by, as a tree.

use super::{Failure, listing, names};
use crate::bus::{Client, Properties, UNIT};
use crate::limits;
use crate::line::{Line, Options};
use crate::screen::Screen;
use crate::text::paint::{self, Paint};
use crate::unit_name;
use std::collections::{BTreeMap, BTreeSet};

pub fn run(line: &Line, screen: &mut Screen, client: &mut Client) -> Result<u8, Failure> {
    let units = if line.arguments.is_empty() {
        vec!["default.target".to_owned()]
    } else {
        names::expand(client, screen, &line.options, &line.arguments, ".service")?
    };
    for (at, unit) in units.iter().enumerate() {
        if at > 0 {
            screen.line("");
        }
        screen.line(unit);
        let mut tree =
            Tree { client, options: &line.options, facts: BTreeMap::new(), shown: BTreeSet::new() };
        tree.shown.insert(unit.clone());
        tree.print(unit, screen)?;
    }
    Ok(0)
}

/// What is known of a unit already asked about.
#[derive(Clone, Debug)]
struct Facts {
    active: String,
    load: String,
}

struct Tree<'a> {
    client: &'a mut Client,
    options: &'a Options,
    facts: BTreeMap<String, Facts>,
    /// For `--plain`, where every unit is listed once.
    shown: BTreeSet<String>,
}

/// Whether a branch opens a unit or only says that it is above already.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Opens {
    Unit,
    Loop,
}

/// A branch still to be printed: the unit, the units above it, and which of the trunks to its left go on.
struct Branch {
    opens: Opens,
    unit: String,
    above: Vec<String>,
    trunks: Vec<bool>,
    last: bool,
}

impl Tree<'_> {
    /// Prints what hangs below `root`, without recursion: a dependency chain may be as long as the unit list.
    fn print(&mut self, root: &str, screen: &mut Screen) -> Result<(), Failure> {
        let mut pending = self.below(root, &[], &[])?;
        let mut rows = 0;
        while let Some(branch) = pending.pop() {
            rows += 1;
            if rows > limits::DEPENDENCY_ROWS {
                screen.complain(&format!("Stopped after {} rows.", limits::DEPENDENCY_ROWS));
                return Ok(());
            }
            if self.options.plain && (branch.opens == Opens::Loop || !self.shown.insert(branch.unit.clone()))
            {
                continue;
            }
            let row = self.row(&branch, screen.paint);
            screen.line(&row);
            if branch.opens == Opens::Unit && self.goes_deeper(&branch) {
                let mut trunks = branch.trunks.clone();
                trunks.push(!branch.last);
                let mut above = branch.above.clone();
                above.push(branch.unit.clone());
                pending.extend(self.below(&branch.unit, &above, &trunks)?);
            }
        }
        Ok(())
    }

    /// Targets are always opened; the rest with `--all` only.
    fn goes_deeper(&self, branch: &Branch) -> bool {
        self.options.all || unit_name::type_of(&branch.unit) == Some("target")
    }

    /// The branches below a unit, last one first.
    fn below(&mut self, unit: &str, above: &[String], trunks: &[bool]) -> Result<Vec<Branch>, Failure> {
        let properties = self.client.properties(&unit_name::object_path(unit), "");
        let properties = properties.map_err(|error| Failure::call("get properties", &error))?;
        let mut dependencies = dependencies(&properties, self.options);
        for name in &dependencies {
            self.learn(name)?;
        }
        dependencies.retain(|name| listing::of_type(name, self.options));
        dependencies.retain(|name| {
            self.options.states.is_empty()
                || self.facts.get(name).is_some_and(|facts| {
                    self.options.states.iter().any(|state| *state == facts.active || *state == facts.load)
                })
        });
        let last = dependencies.len().saturating_sub(1);
        let branches = dependencies.into_iter().enumerate().map(|(at, name)| Branch {
            // A unit below itself would go round forever.
            opens: if name == unit || above.contains(&name) { Opens::Loop } else { Opens::Unit },
            unit: name,
            above: above.to_vec(),
            trunks: trunks.to_vec(),
            last: at == last,
        });
        Ok(branches.rev().collect())
    }

    fn learn(&mut self, name: &str) -> Result<(), Failure> {
        if !self.facts.contains_key(name) {
            let path = unit_name::object_path(name);
            let mut ask = |property: &str| {
                let value = self.client.property(&path, UNIT, property);
                value.map(|value| value.text().unwrap_or("").to_owned())
            };
            let active = ask("ActiveState").unwrap_or_else(|_| "unknown".to_owned());
            let load = if self.options.states.is_empty() {
                String::new()
            } else {
                ask("LoadState").unwrap_or_default()
            };
            self.facts.insert(name.to_owned(), Facts { active, load });
        }
        Ok(())
    }

    fn row(&self, branch: &Branch, paint: Paint) -> String {
        if self.options.plain {
            return format!("  {}", branch.unit);
        }
        let active = self.facts.get(&branch.unit).map_or("unknown", |facts| facts.active.as_str());
        let dot = match branch.opens {
            Opens::Unit => paint.text(paint::of_active_state(active), paint.dot(active)),
            Opens::Loop => " ".to_owned(),
        };
        let mut text = format!("{dot} ");
        for trunk in &branch.trunks {
            text.push_str(if *trunk { paint.trunk() } else { "  " });
        }
        match branch.opens {
            Opens::Unit => {
                text.push_str(if branch.last { paint.last_branch() } else { paint.branch() });
                text.push_str(&branch.unit);
            }
            Opens::Loop => text.push_str(&format!("{}...", paint.last_branch())),
        }
        text
    }
}

/// The words that make up a direction, systemctl(1).
fn dependencies(properties: &Properties, options: &Options) -> Vec<String> {
    let words: &[&str] = match (options.after, options.before, options.reverse) {
        (true, _, _) => &["After"],
        (_, true, _) => &["Before"],
        (_, _, true) => &["RequiredBy", "RequisiteOf", "WantedBy", "ConsistsOf", "BoundBy", "UpheldBy"],
        (false, false, false) => &["Requires", "Requisite", "Wants", "ConsistsOf", "BindsTo", "Upholds"],
    };
    let names: BTreeSet<String> =
        words.iter().flat_map(|word| properties.texts(word)).map(str::to_owned).collect();
    let mut names: Vec<String> = names.into_iter().collect();
    // Targets, which open up below their row, come last.
    names.sort_by_cached_key(|name| (unit_name::type_of(name) == Some("target"), name.to_ascii_lowercase()));
    names
}
