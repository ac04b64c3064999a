//! Ten thousand units on a real file system: found, loaded and listed in time that grows with their number alone.

#![allow(clippy::unwrap_used)]

use eudaemon_host::tree::HostTree;
use eudaemon_unit::files::{Environment, Index, Scope, SearchPath};
use eudaemon_unit::install::{self, Ground, Whose};
use eudaemon_unit::load::{Loader, Surroundings};
use eudaemon_unit::name::UnitName;
use eudaemon_unit::specifier::Context;
use std::fs;
use std::time::Instant;

#[test]
fn ten_thousand() {
    let (few, many) = (work(1_000), work(10_000));
    // Ten times the units take about ten times as long; twice that is the machine's affair, not ours.
    for ((what, few), (_, many)) in few.into_iter().zip(many) {
        eprintln!("{what}: {few:.1} ms for 1,000, {many:.1} ms for 10,000");
        assert!(many < 40.0 * few.max(1.0), "{what} is not linear: {few:.1} ms, then {many:.1} ms");
    }
}

fn work(count: usize) -> Vec<(&'static str, f64)> {
    let root = format!("{}/eudaemon-many-{}-{count}", std::env::temp_dir().display(), std::process::id());
    let units = format!("{root}/etc/systemd/system");
    fs::create_dir_all(format!("{units}/all.target.wants")).unwrap();
    fs::write(format!("{units}/all.target"), "[Unit]\n").unwrap();
    for at in 0..count {
        let text = "[Unit]\nDescription=one of many\n[Service]\nExecStart=/bin/true\n[Install]\nWantedBy=all.target\n";
        fs::write(format!("{units}/s{at}.service"), text).unwrap();
        std::os::unix::fs::symlink("../x", format!("{units}/all.target.wants/s{at}.service")).unwrap();
    }
    let mut times = Vec::new();
    let mut last = Instant::now();
    let mut lap = |what| {
        times.push((what, last.elapsed().as_secs_f64() * 1_000.0));
        last = Instant::now();
    };
    let tree = HostTree::under(&root);
    let search = SearchPath::new(Scope::System, &Environment::default());
    let index = Index::read(&tree, &search);
    lap("index");
    let cx = Context::default();
    let (scope, surroundings) = (Scope::System, Surroundings::Machine);
    let loader = Loader { tree: &tree, index: &index, cx: &cx, scope, surroundings };
    let loaded = loader.closure(&[UnitName::parse("all.target").unwrap()]);
    assert!(loaded.len() > count);
    lap("load");
    let listed =
        install::list(&tree, Ground { search: &search, index: &index, cx: &cx, whose: Whose::Machine });
    assert_eq!(listed.len(), count + 1);
    lap("list");
    fs::remove_dir_all(&root).unwrap();
    times
}
