//! `dot`: which units need and follow which, as a graph for graphviz.

use super::{end, id, list_units, others, reach};
use crate::Options;
use crate::times::Judge;
use eudaemon_ctl::bus::Client;
use eudaemon_host::condition::matches;
use std::io::IsTerminal;
use std::process::ExitCode;

/// Which edges are drawn.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Edges {
    #[default]
    All,
    Order,
    Require,
}

const ORDER: &[(&str, &str)] = &[("After", "green")];
const REQUIRE: &[(&str, &str)] =
    &[("Requires", "black"), ("Requisite", "darkblue"), ("Wants", "grey66"), ("Conflicts", "red")];

const LEGEND: &str = "   Color legend: black     = Requires
                 dark blue = Requisite
                 dark grey = Wants
                 red       = Conflicts
                 green     = After
";

pub fn dot(options: &Options, patterns: &[String], _: &Judge) -> ExitCode {
    end(reach(options).and_then(|mut client| draw(options, patterns, &mut client)))
}

fn draw(options: &Options, patterns: &[String], client: &mut Client) -> Result<(), String> {
    let any = expanded(client, patterns)?;
    let from = expanded(client, &options.from_patterns)?;
    let to = expanded(client, &options.to_patterns)?;
    let is_in = |patterns: &[String], name: &str| patterns.iter().any(|pattern| matches(pattern, name));
    let (order, require) = match options.edges {
        Edges::All => (ORDER, REQUIRE),
        Edges::Order => (ORDER, &[][..]),
        Edges::Require => (&[][..], REQUIRE),
    };
    let units = list_units(client)?;
    outln!("digraph systemd {{");
    for unit in units {
        let is_asked = is_in(&any, &unit.name);
        if !from.is_empty() && !is_asked && !is_in(&from, &unit.name) {
            continue;
        }
        for (list, colour) in order.iter().chain(require) {
            for other in others(client, &unit.path, list)? {
                let other_is_asked = is_in(&any, &other);
                let is_far = !to.is_empty() && !other_is_asked && !is_in(&to, &other);
                if is_far || (!any.is_empty() && !is_asked && !other_is_asked) {
                    continue;
                }
                outln!("\t\"{}\"->\"{other}\" [color=\"{colour}\"];", unit.name);
            }
        }
    }
    outln!("}}");
    eprint!("{LEGEND}");
    if std::io::stdout().is_terminal() && !options.quiet {
        eprintln!("-- This is for graphviz: systemd-analyze dot | dot -Tsvg > systemd.svg");
    }
    Ok(())
}

/// What is a name stands for the unit's own name too.
fn expanded(client: &mut Client, patterns: &[String]) -> Result<Vec<String>, String> {
    let mut expanded = Vec::new();
    for pattern in patterns {
        expanded.push(pattern.clone());
        if pattern.contains(['*', '?', '[']) {
            continue;
        }
        let id = id(client, pattern)?;
        if id != *pattern {
            expanded.push(id);
        }
    }
    Ok(expanded)
}
