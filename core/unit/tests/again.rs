//! Reading units again comes to what reading them for the first time comes to, whatever was written meanwhile; and a unit
//! about which nothing was written is neither read nor put together again.

#![allow(clippy::unwrap_used)]

use eudaemon_unit::config::Config;
use eudaemon_unit::files::{
    Environment, Index, Kind, MemoryTree, Scope, SearchPath, Sight, Tree, TreeError, resolve,
};
use eudaemon_unit::load::{Again, Loader, Print, Surroundings};
use eudaemon_unit::name::UnitName;
use eudaemon_unit::specifier::Context;
use std::cell::Cell;
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

/// What is written last counts: `None` for a file that was removed.
struct Written {
    text: Option<String>,
    /// When, by a clock that ticks seldom.
    tick: i64,
}

type Files = BTreeMap<String, Written>;

/// Files that look the same however often they are written within a tick.
struct Disk<'f> {
    tree: MemoryTree,
    files: &'f Files,
    now: i64,
    read: Cell<usize>,
}

impl Disk<'_> {
    fn changed(&self, path: &str) -> Option<i64> {
        let path = resolve(&self.tree, path).ok()?.path;
        Some(self.files.get(path.strip_prefix(FOLDER)?)?.tick)
    }
}

impl Tree for Disk<'_> {
    fn look(&self, path: &str) -> Result<Kind, TreeError> {
        self.tree.look(path)
    }

    fn list(&self, directory: &str) -> Result<Vec<(String, Kind)>, TreeError> {
        self.tree.list(directory)
    }

    fn read(&self, path: &str, limit: u64) -> Result<Vec<u8>, TreeError> {
        self.read.set(self.read.get() + 1);
        self.tree.read(path, limit)
    }

    fn read_seen(&self, path: &str, limit: u64) -> Result<(Vec<u8>, Option<Sight>), TreeError> {
        let text = self.read(path, limit)?;
        let is_settled = self.changed(path).is_some_and(|tick| tick < self.now);
        Ok((text, if is_settled { self.sight(path) } else { None }))
    }

    fn sight(&self, path: &str) -> Option<Sight> {
        self.changed(path).map(|tick| Sight { changed: (tick, 0), ..Sight::default() })
    }

    fn size(&self, path: &str) -> Result<u64, TreeError> {
        self.tree.size(path)
    }

    fn stamp(&self, directory: &str) -> Option<u64> {
        self.tree.stamp(directory)
    }
}

fn write(draw: &mut Draw, files: &mut Files, tick: i64) {
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
    let (path, text) = match draw.below(7) {
        0 => (format!("{unit}.d/more.conf"), format!("[Unit]\n{}", lines.concat())),
        1 => (unit.to_owned(), String::new()),
        2 => ("g.service".to_owned(), "-> c.service".to_owned()),
        3 => (format!("a.target.wants/{unit}"), format!("-> {}", draw.one(&["../c.service", "/dev/null"]))),
        _ => (unit.to_owned(), text),
    };
    let gone = draw.below(8) == 0;
    files.insert(path, Written { text: (!gone).then_some(text), tick });
}

const FOLDER: &str = "/etc/systemd/system/";

fn disk(files: &Files, now: i64) -> Disk<'_> {
    let mut tree = MemoryTree::new();
    tree.special("/dev/null");
    for (path, written) in files {
        let path = format!("{FOLDER}{path}");
        match written.text.as_deref().map(|text| text.strip_prefix("-> ").ok_or(text)) {
            Some(Ok(target)) => tree.link(&path, target),
            Some(Err(text)) => tree.file(&path, text),
            None => {}
        }
    }
    Disk { tree, files, now, read: Cell::new(0) }
}

/// What is known of units, and how it came to be.
#[derive(Default)]
struct Manager {
    known: BTreeMap<UnitName, (Config, Print)>,
    kept: usize,
    changed: usize,
    texts: usize,
}

impl Manager {
    /// Reads all units again, and as if for the first time: that must come to the same.
    fn reload(&mut self, disk: &Disk<'_>, names: &[UnitName], told: &str) {
        let index = Index::read(disk, &SearchPath::new(Scope::System, &Environment::default()));
        let (cx, scope, surroundings) = (Context::default(), Scope::System, Surroundings::Machine);
        let loader = Loader { tree: disk, index: &index, cx: &cx, scope, surroundings };
        let again =
            loader.closure_again(names, &|name| self.known.get(name).map(|(config, print)| (config, *print)));
        self.texts = disk.read.get();
        let mut now = BTreeMap::new();
        for one in again {
            match one {
                Again::Fresh(fresh) => {
                    now.insert(fresh.merged.config.name.clone(), (fresh.merged.config, fresh.print));
                    self.changed += 1;
                }
                Again::Kept { name, own, between, print } => {
                    let (mut config, _) = self.known[&name].clone();
                    config.unit.dependencies.truncate(own);
                    config.unit.dependencies.extend(between);
                    now.insert(name, (config, print));
                    self.kept += 1;
                }
            }
        }
        for merged in loader.closure(names) {
            let (config, _) = &now[&merged.config.name];
            assert_eq!(*config, merged.config, "{told}");
        }
        self.known = now;
    }
}

#[test]
fn what_is_kept_is_what_would_be_read() {
    let (mut kept, mut changed) = (0, 0);
    for seed in 0..300 {
        let mut draw = Draw(seed);
        let mut files = Files::new();
        let mut manager = Manager::default();
        let names: Vec<UnitName> = UNITS.iter().map(|name| UnitName::parse(name).unwrap()).collect();
        // Sometimes within the tick of what was written before.
        let mut tick = 0;
        for _ in 0..10 {
            tick += draw.below(2) as i64;
            (0..draw.below(5)).for_each(|_| write(&mut draw, &mut files, tick));
            tick += draw.below(2) as i64;
            manager.reload(&disk(&files, tick), &names, &format!("seed {seed}"));
        }
        kept += manager.kept;
        changed += manager.changed;
    }
    assert!(kept > changed, "{kept} kept, {changed} read");
}

#[test]
fn what_looks_as_before_is_read_once() {
    let mut files = Files::new();
    let mut put = |path: &str, text: &str, tick| {
        files.insert(path.to_owned(), Written { text: Some(text.to_owned()), tick });
    };
    put("a.service", "[Service]\nExecStart=/bin/true\n", 1);
    put("a.service.d/x.conf", "[Unit]\nDescription=one\n", 1);
    let names = [UnitName::parse("a.service").unwrap()];
    let mut manager = Manager::default();
    let mut check = |files: &Files, now: i64, texts: usize, description: &str| {
        manager.reload(&disk(files, now), &names, "");
        assert_eq!(manager.texts, texts);
        assert_eq!(manager.known[&names[0]].0.unit.description, description);
    };
    // Within the tick they were written in they may yet become others.
    check(&files, 1, 2, "one");
    check(&files, 1, 2, "one");
    check(&files, 2, 2, "one");
    check(&files, 2, 0, "one");
    files.insert(
        "a.service.d/x.conf".to_owned(),
        Written { text: Some("[Unit]\nDescription=two\n".to_owned()), tick: 2 },
    );
    check(&files, 2, 2, "two");
    check(&files, 3, 2, "two");
    check(&files, 3, 0, "two");
    files.remove("a.service.d/x.conf");
    check(&files, 3, 1, "");
    check(&files, 3, 0, "");
}
