//! Folders in, timelines out.

use super::*;
use eudaemon_unit::files::{Index, MemoryTree, SearchPath};
use eudaemon_unit::specifier::Context;
use expect_test::{Expect, expect};

fn story(files: &[(&str, &str)], failing: &str, seed: Option<u64>) -> Result<Story, String> {
    let mut tree = MemoryTree::new();
    for (name, text) in files {
        tree.file(&format!("/etc/systemd/system/{name}"), format!("[Unit]\nDefaultDependencies=no\n{text}"));
    }
    let index = Index::read(&tree, &SearchPath::new(Scope::System, &Environment::default()));
    let (cx, scope, surroundings) = (Context::default(), Scope::System, Surroundings::Machine);
    let loader = Loader { tree: &tree, index: &index, cx: &cx, scope, surroundings };
    let closure = |names: &[UnitName]| -> Vec<Arc<Config>> {
        loader.closure(names).into_iter().map(|merged| Arc::new(merged.config)).collect()
    };
    let own = files.iter().map(|(name, _)| UnitName::parse(name).unwrap()).collect();
    let failing = failing.split_whitespace().map(|name| UnitName::parse(name).unwrap()).collect();
    let request = Request { folder: "/".into(), failing, seed, format: Format::Text };
    script(&own, None, closure, &request).map(boot)
}

fn check(files: &[(&str, &str)], failing: &str, expected: Expect) {
    let told = match story(files, failing, None) {
        Ok(story) => text(&story),
        Err(why) => format!("refused: {why}\n"),
    };
    expected.assert_eq(&told);
}

const WEB: [(&str, &str); 4] = [
    ("web.service", "Requires=db.service\nAfter=db.service\n[Service]\nExecStart=/bin/web\n"),
    ("db.service", "[Service]\nType=notify\nExecStart=/bin/db\n"),
    ("watch.service", "BindsTo=web.service\nAfter=web.service\n[Service]\nExecStart=/bin/watch\n"),
    ("setup.service", "Before=db.service\n[Service]\nType=oneshot\nExecStart=/bin/setup\n"),
];

#[test]
fn who_loses_a_conflict_was_not_started() {
    let units = [
        ("day.service", "Conflicts=night.service\n[Service]\nExecStart=/bin/day\n"),
        ("night.service", "[Service]\nExecStart=/bin/night\n"),
    ];
    check(
        &units,
        "",
        expect![[r#"
                 0.000 s  day.service    inactive (dead) -> activating (start)
                 0.000 s  day.service    activating (start) -> deactivating (stop-sigterm)
                 0.000 s  night.service  inactive (dead) -> activating (start)
                 0.000 s  day.service    not started: its start was given up for another's
                 0.000 s  night.service  activating (start) -> active (running)
                 0.001 s  day.service    deactivating (stop-sigterm) -> deactivating (final-sigterm)
                 0.001 s  day.service    deactivating (final-sigterm) -> inactive (dead)
                 0.001 s                 every job of the start is done
            Not started: day.service (its start was given up for another's)
            Stopped with them: day.service
            Why: day.service went down: its stop was pulled in by night.service, by its own Conflicts=night.service,
                 because night.service came up: its start was asked for by the manager itself.
            Not all went well after 0.001 s of pretend time.
        "#]],
    );
}

#[test]
fn all_comes_up() {
    check(
        &WEB,
        "",
        expect![[r#"
                 0.000 s  db.service     inactive (dead) -> activating (start)
                 0.000 s  setup.service  inactive (dead) -> activating (start)
                 0.001 s  db.service     activating (start) -> active (running)
                 0.001 s  web.service    inactive (dead) -> activating (start)
                 0.001 s  setup.service  activating (start) -> deactivating (stop-sigterm)
                 0.001 s  watch.service  inactive (dead) -> activating (start)
                 0.001 s  web.service    activating (start) -> active (running)
                 0.001 s  watch.service  activating (start) -> active (running)
                 0.001 s  setup.service  deactivating (stop-sigterm) -> inactive (dead)
                 0.001 s                 every job of the start is done
            All is up after 0.001 s of pretend time.
        "#]],
    );
}

#[test]
fn what_fails_pulls_others_down() {
    check(
        &WEB,
        "db.service",
        expect![[r#"
                 0.000 s  db.service     inactive (dead) -> activating (start)
                 0.000 s  setup.service  inactive (dead) -> activating (start)
                 0.001 s  db.service     activating (start) -> deactivating (stop-sigterm)
                 0.001 s  setup.service  activating (start) -> deactivating (stop-sigterm)
                 0.001 s  setup.service  deactivating (stop-sigterm) -> inactive (dead)
                 0.001 s  db.service     deactivating (stop-sigterm) -> failed (failed)
                 0.001 s  db.service     failed with result 'exit-code'
                 0.001 s  db.service     Failed to start db.service.
                 0.001 s  web.service    Dependency failed for web.service.
                 0.001 s  web.service    not started: a unit it depends on did not start
                 0.001 s  watch.service  Dependency failed for watch.service.
                 0.001 s  watch.service  not started: a unit it depends on did not start
                 0.001 s                 every job of the start is done
            Failed: db.service
            Not started: watch.service (a unit it depends on did not start), web.service (a unit it depends on did not start)
            Why: db.service failed: its main process ended with status 1.
            Why: watch.service was not started: BindsTo= names web.service, which did not come up,
                 because web.service was not started: Requires= names db.service, which did not come up,
                 because db.service failed: its main process ended with status 1.
            Why: web.service was not started: Requires= names db.service, which did not come up,
                 because db.service failed: its main process ended with status 1.
            Not all went well after 0.001 s of pretend time.
        "#]],
    );
    check(
        &WEB,
        "web.service",
        expect![[r#"
                 0.000 s  db.service     inactive (dead) -> activating (start)
                 0.000 s  setup.service  inactive (dead) -> activating (start)
                 0.001 s  db.service     activating (start) -> active (running)
                 0.001 s  web.service    inactive (dead) -> activating (start)
                 0.001 s  setup.service  activating (start) -> deactivating (stop-sigterm)
                 0.001 s  watch.service  inactive (dead) -> activating (start)
                 0.001 s  web.service    activating (start) -> active (running)
                 0.001 s  watch.service  activating (start) -> active (running)
                 0.001 s  setup.service  deactivating (stop-sigterm) -> inactive (dead)
                 0.001 s                 every job of the start is done
                 0.002 s  web.service    active (running) -> deactivating (stop-sigterm)
                 0.002 s  watch.service  active (running) -> deactivating (stop-sigterm)
                 0.002 s  web.service    deactivating (stop-sigterm) -> failed (failed)
                 0.002 s  web.service    failed with result 'exit-code'
                 0.003 s  watch.service  deactivating (stop-sigterm) -> deactivating (final-sigterm)
                 0.003 s  watch.service  deactivating (final-sigterm) -> inactive (dead)
            Failed: web.service
            Stopped with them: watch.service
            Why: watch.service went down: its stop was following web.service, by its own BindsTo=web.service,
                 because web.service failed: its main process ended with status 1.
            Why: web.service failed: its main process ended with status 1.
            Not all went well after 0.003 s of pretend time.
        "#]],
    );
}

#[test]
fn a_service_that_is_restarted_for_ever_is_no_rest() {
    let files = [(
        "a.service",
        "StartLimitIntervalSec=0\n[Service]\nExecStart=/bin/a\nRestart=always\nRestartSec=100\n",
    )];
    let story = story(&files, "a.service", None).unwrap();
    assert_eq!(story.restless, ["a.service"]);
    assert!(!story.went_well());
}

#[test]
fn every_type_of_service_starts() {
    for kind in ["simple", "exec", "oneshot", "forking", "notify", "idle", "dbus"] {
        let text = format!("[Service]\nType={kind}\nBusName=org.example\nExecStart=/bin/a\nWatchdogSec=1\n");
        let bus = "[Socket]\nListenStream=/run/bus\n";
        let files = [
            ("a.service", &*text),
            ("dbus.socket", bus),
            ("dbus.service", "[Service]\nExecStart=/bin/bus\n"),
        ];
        let story = story(&files, "", None).unwrap();
        assert!(story.went_well(), "{kind}: {story:?}");
    }
}

#[test]
fn a_unit_that_nothing_starts_is_left_out_also_if_it_cannot_be_read() {
    check(
        &[
            ("default.target", "Wants=a.service\n"),
            ("a.service", "[Service]\nExecStart=/bin/a\n"),
            ("b.service", "[Service]\nExecStart=b/b\n"),
        ],
        "",
        expect![[r#"
                 0.000 s  a.service       inactive (dead) -> activating (start)
                 0.000 s  default.target  inactive (dead) -> active (active)
                 0.000 s  a.service       activating (start) -> active (running)
                 0.000 s                  every job of the start is done
            Left out, for nothing here starts them: b.service
            All is up after 0.000 s of pretend time.
        "#]],
    );
}

#[test]
fn everything_ends_with_the_unit_that_exit_code_from_names() {
    let text = "[Service]\nType=oneshot\nExecStart=/bin/a\n[X-Container]\nExitCodeFrom=a.service\n";
    let files = [("a.service", text), ("b.service", "[Service]\nExecStart=/bin/b\n")];
    check(
        &files,
        "",
        expect![[r#"
             0.000 s  a.service  inactive (dead) -> activating (start)
             0.000 s  b.service  inactive (dead) -> activating (start)
             0.000 s  b.service  activating (start) -> active (running)
             0.001 s  a.service  activating (start) -> deactivating (stop-sigterm)
             0.001 s  a.service  deactivating (stop-sigterm) -> inactive (dead)
             0.001 s             every job of the start is done
        All ends with exit code 0, by ExitCodeFrom= or an exit action.
        All went well after 0.001 s of pretend time.
    "#]],
    );
    check(
        &files,
        "a.service",
        expect![[r#"
             0.000 s  a.service  inactive (dead) -> activating (start)
             0.000 s  b.service  inactive (dead) -> activating (start)
             0.000 s  b.service  activating (start) -> active (running)
             0.001 s  a.service  activating (start) -> deactivating (stop-sigterm)
             0.001 s  a.service  deactivating (stop-sigterm) -> failed (failed)
             0.001 s  a.service  failed with result 'exit-code'
             0.001 s  a.service  Failed to start a.service.
             0.001 s             every job of the start is done
        Failed: a.service
        Why: a.service failed: its main process ended with status 1.
        All ends with exit code 1, by ExitCodeFrom= or an exit action.
        Not all went well after 0.001 s of pretend time.
    "#]],
    );
}

#[test]
fn a_seed_gives_the_same_boot() {
    let told = |seed| text(&story(&WEB, "", Some(seed)).unwrap());
    assert_eq!(told(7), told(7));
    assert_ne!(told(7), told(8));
}

#[test]
fn what_cannot_be_simulated_is_refused() {
    check(
        &[("a.service", "[Service]\nExecStart=/bin/a\n")],
        "b.service",
        expect![[r#"
            refused: --fail=b.service: nothing here starts that unit
        "#]],
    );
    check(
        &[("web.service", "[Service]\nExecStart=/bin/a\n")],
        "wbe.service",
        expect![[r#"
            refused: --fail=wbe.service: nothing here starts that unit; did you mean 'web.service'?
        "#]],
    );
    check(
        &[("a.socket", "[Socket]\nListenStream=1\n")],
        "",
        expect![[r#"
        refused: no unit to run here: expected default.target, or service files such as web.service
    "#]],
    );
    check(
        &[("a.service", "Requires=gone.service\n[Service]\nExecStart=/bin/a\n")],
        "",
        expect![[r#"
            Not started: a.service (unit gone.service not found)
            Why: a.service was not started: its start was asked for by the manager itself, but refused: unit gone.service not found, which it names in Requires=.
            Not all went well after 0.000 s of pretend time.
        "#]],
    );
}

#[test]
fn who_is_to_fail_is_not_well() {
    // Whoever waits for the gate does not meet a unit that is up for a moment.
    let db = "[Service]\nExecStart=/bin/db\n[X-Health]\nTcp=5432\nGate=start\n";
    let by_command = "[Service]\nType=notify\nExecStart=/bin/db\n[X-Health]\nExec=/bin/ask\nGate=start\n";
    let web = "Requires=db.service\nAfter=db.service\n[Service]\nExecStart=/bin/web\n";
    check(
        &[("db.service", db), ("web.service", web)],
        "db.service",
        expect![[r#"
             0.000 s  db.service   inactive (dead) -> activating (start)
             0.000 s  db.service   activating (start) -> activating (start-post)
             0.001 s  db.service   activating (start-post) -> deactivating (stop-sigterm)
             0.001 s  db.service   deactivating (stop-sigterm) -> failed (failed)
             0.001 s  db.service   failed with result 'exit-code'
             0.001 s  db.service   Failed to start db.service.
             0.001 s  web.service  Dependency failed for web.service.
             0.001 s  web.service  not started: a unit it depends on did not start
             0.001 s               every job of the start is done
        Failed: db.service
        Not started: web.service (a unit it depends on did not start)
        Why: db.service failed: its main process ended with status 1.
        Why: web.service was not started: Requires= names db.service, which did not come up,
             because db.service failed: its main process ended with status 1.
        Not all went well after 0.001 s of pretend time.
    "#]],
    );
    for text in [db, by_command] {
        let files = [("db.service", text), ("web.service", web)];
        assert!(story(&files, "", None).unwrap().went_well(), "{text}");
        let failed = story(&files, "db.service", None).unwrap();
        assert!(!failed.timeline.iter().any(|moment| moment.what.contains("-> active")), "{failed:?}");
    }
}
