//! Reading units again comes to what reading them for the first time comes to, whatever was written meanwhile; and a unit
//! about which nothing was written is not put together again.

#![allow(clippy::unwrap_used)]

use eudaemon_unit::config::Config;
use eudaemon_unit::files::{Environment, Index, MemoryTree, Scope, SearchPath};
use eudaemon_unit::load::{Again, Loader, Print, Surroundings};
use eudaemon_unit::name::UnitName;
use eudaemon_unit::specifier::Context;
use std::collections::BTreeMap;

/// A linear congruential generator: the same draws for the same seed.
struct Draw(u64);

impl Draw {
    fn below(&mut self, limit: usize) -> usize {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 33) as usize % limit
    }

    fn one<'t>(&mut self, of: &[&'t str]) -> &'t str {
        of[self.below(of.len())]
    }
}

const UNITS: [&str; 8] =
    ["a.target", "b.target", "c.service", "d.service", "e.service", "f.socket", "srv.mount", "srv-x.mount"];
const LINES: [&str; 8] = [
    "Wants=",
    "Requires=",
    "After=",
    "Before=",
    "Conflicts=",
    "RequiresMountsFor=/srv/x/y ",
    "DefaultDependencies=no\n#",
    "Description=",
];

/// Files by path: what is written last counts.
fn write(draw: &mut Draw, files: &mut BTreeMap<String, Option<String>>) {
    let unit = draw.one(&UNITS);
    let lines: Vec<String> =
        (0..draw.below(4)).map(|_| format!("{}{}\n", draw.one(&LINES), draw.one(&UNITS))).collect();
    let body = match unit.rsplit_once('.').unwrap().1 {
        "service" => "[Service]\nExecStart=/bin/true\n",
        "socket" => "[Socket]\nListenStream=/run/f\n",
        "mount" if unit == "srv.mount" => "[Mount]\nWhere=/srv\nWhat=/dev/a\n",
        "mount" => "[Mount]\nWhere=/srv/x\nWhat=/dev/b\n",
        _ => "",
    };
    let text = format!("[Unit]\n{}{body}", lines.concat());
    let (path, text) = match draw.below(6) {
        0 => (format!("{unit}.d/more.conf"), format!("[Unit]\n{}", lines.concat())),
        1 => (unit.to_owned(), String::new()),
        2 => ("g.service".to_owned(), "-> c.service".to_owned()),
        _ => (unit.to_owned(), text),
    };
    let gone = draw.below(8) == 0;
    files.insert(path, (!gone).then_some(text));
}

fn tree(files: &BTreeMap<String, Option<String>>) -> MemoryTree {
    let mut tree = MemoryTree::new();
    for (path, text) in files {
        let path = format!("/etc/systemd/system/{path}");
        match text.as_deref().map(|text| text.strip_prefix("-> ").ok_or(text)) {
            Some(Ok(target)) => tree.link(&path, target),
            Some(Err(text)) => tree.file(&path, text),
            None => {}
        }
    }
    tree
}

#[test]
fn what_is_kept_is_what_would_be_read() {
    let (mut kept, mut changed) = (0, 0);
    for seed in 0..300 {
        let mut draw = Draw(seed);
        let mut files = BTreeMap::new();
        let mut known: BTreeMap<UnitName, (Config, Print)> = BTreeMap::new();
        let names: Vec<UnitName> = UNITS.iter().map(|name| UnitName::parse(name).unwrap()).collect();
        for _ in 0..6 {
            (0..=draw.below(5)).for_each(|_| write(&mut draw, &mut files));
            let tree = tree(&files);
            let index = Index::read(&tree, &SearchPath::new(Scope::System, &Environment::default()));
            let (cx, scope, surroundings) = (Context::default(), Scope::System, Surroundings::Machine);
            let loader = Loader { tree: &tree, index: &index, cx: &cx, scope, surroundings };
            let again =
                loader.closure_again(&names, &|name| known.get(name).map(|(config, print)| (config, *print)));
            let mut now = BTreeMap::new();
            for one in again {
                match one {
                    Again::Fresh(fresh) => {
                        now.insert(fresh.merged.config.name.clone(), (fresh.merged.config, fresh.print));
                        changed += 1;
                    }
                    Again::Kept { name, own, between } => {
                        let (mut config, print) = known[&name].clone();
                        config.unit.dependencies.truncate(own);
                        config.unit.dependencies.extend(between);
                        now.insert(name, (config, print));
                        kept += 1;
                    }
                }
            }
            for merged in loader.closure(&names) {
                let (config, _) = &now[&merged.config.name];
                assert_eq!(*config, merged.config, "seed {seed}");
            }
            known = now;
        }
    }
    assert!(kept > changed, "{kept} kept, {changed} read");
}
