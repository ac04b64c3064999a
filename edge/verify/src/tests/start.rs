//! What stands in the way of a start.

use super::*;

#[test]
fn what_is_required_and_missing() {
    check(
        &[
            ("a.service", b"[Unit]\nRequires=b.service\nWants=w.service\n[Service]\nExecStart=/bin/true\n"),
            ("b.service", b"[Unit]\nBindsTo=c.service \\\n  d.service\n[Service]\nExecStart=/bin/true\n"),
            ("c.service", GOOD),
        ],
        &["a.service"],
        expect![[r#"
            error[missing-requirement]: a.service: Failed to create a.service/start: Unit d.service not found.
             --> /u/b.service:3:3
              |
            3 |   d.service
              |   ^^^^^^^^^ expected a unit that is there
              |
              = note: required by a.service → b.service

            verify: 1 error
        "#]],
    );
}

#[test]
fn cycles() {
    let a = b"[Unit]\nRequires=b.service\nAfter=b.service\n[Service]\nExecStart=/bin/true\n";
    let b = b"[Unit]\nRequires=c.service\nAfter=c.service\n[Service]\nExecStart=/bin/true\n";
    let c = b"[Unit]\nBefore=c.service\nAfter=a.service\n[Service]\nExecStart=/bin/true\n";
    check(
        &[("a.service", a), ("b.service", b), ("c.service", c)],
        &["a.service", "b.service"],
        expect![[r#"
            error[ordering-cycle]: a.service: Failed to create a.service/start: Transaction order is cyclic: a.service → b.service → c.service → a.service
             --> /u/a.service:3:7
              |
            3 | After=b.service
              |       ^^^^^^^^^ expected an order without a circle
              |
              = note: a.service starts after b.service: /u/a.service:3
              = note: b.service starts after c.service: /u/b.service:3
              = note: c.service starts after a.service: /u/c.service:3

            verify: 1 error
            verify: 1 note in other units (--recursive-errors=yes shows them)
        "#]],
    );
    // What is only wanted is dropped.
    let a = b"[Unit]\nWants=b.service\nAfter=b.service\n[Service]\nExecStart=/bin/true\n";
    let b = b"[Unit]\nAfter=a.service\n[Service]\nExecStart=/bin/true\n";
    check(
        &[("a.service", a), ("b.service", b)],
        &["a.service"],
        expect![[r#"
            warning[ordering-cycle]: a.service: Found ordering cycle: a.service → b.service → a.service
             --> /u/a.service:3:7
              |
            3 | After=b.service
              |       ^^^^^^^^^ expected an order without a circle
              |
              = note: a.service starts after b.service: /u/a.service:3
              = note: b.service starts after a.service: /u/b.service:2
              = note: the job of b.service is dropped to break it

            verify: 1 warning
        "#]],
    );
}

#[test]
fn what_is_required_and_to_be_stopped() {
    let a = b"[Unit]\nRequires=b.service\nConflicts=c.service\n[Service]\nExecStart=/bin/true\n";
    let b = b"[Unit]\nRequires=c.service\n[Service]\nExecStart=/bin/true\n";
    check(
        &[("a.service", a), ("b.service", b), ("c.service", GOOD)],
        &["a.service", "b.service"],
        expect![[r#"
            error[contradiction]: a.service: Failed to create a.service/start: Transaction contains conflicting jobs 'stop' and 'start' for c.service. Probably contradicting requirement dependencies configured.
             --> /u/a.service:3:11
              |
            3 | Conflicts=c.service
              |           ^^^^^^^^^ expected no unit that is required
              |
              = note: stop of a.service: Conflicts=c.service of a.service, Requires=b.service of a.service
              = note: start of c.service: Requires=c.service of b.service
              = note: start of b.service: Requires=b.service of a.service

            verify: 1 error
        "#]],
    );
}

#[test]
fn what_is_triggered_and_missing() {
    let files: &[(&str, &[u8])] = &[
        ("a.socket", b"[Socket]\nListenStream=/run/a\n"),
        ("b.socket", b"[Socket]\nListenStream=/run/b\nAccept=yes\n"),
        ("c.socket", b"[Socket]\nListenStream=/run/c\nService=d.service\n"),
        ("e.timer", b"[Timer]\nOnCalendar=daily\nUnit=gone.target\n"),
    ];
    let request =
        Request { notes: Notes::Dropped, ..asking(&["a.socket", "b.socket", "c.socket", "e.timer"]) };
    expect![[r#"
        error[missing-service]: a.socket: service a.service not loaded, socket cannot be started.
         --> /u/a.socket:1:1
          |
        1 | [Socket]
          | ^^^^^^^^ expected a unit a.service

        error[missing-service]: b.socket: service b@internal.service not loaded, socket cannot be started.
         --> /u/b.socket:1:1
          |
        1 | [Socket]
          | ^^^^^^^^ expected a unit b@internal.service

        error[missing-service]: c.socket: service d.service not loaded, socket cannot be started.
         --> /u/c.socket:3:9
          |
        3 | Service=d.service
          |         ^^^^^^^^^ expected a unit d.service

        warning[missing-trigger]: e.timer: Refusing to start, unit gone.target to trigger not loaded.
         --> /u/e.timer:3:6
          |
        3 | Unit=gone.target
          |      ^^^^^^^^^^^ expected a unit gone.target

        verify: 3 errors, 1 warning
    "#]]
    .assert_eq(&text(&said(files, &request), Colours::Off));
}

#[test]
fn a_template_for_a_socket() {
    let socket = b"[Socket]\nListenStream=/run/a\nService=a@%i.service\n";
    check(
        &[("a.socket", socket), ("a@.service", GOOD)],
        &["a.socket"],
        expect![[r#"
        warning[bad-value]: Failed to load unit a@%i.service, ignoring: Unit name a@.service is missing the instance name.
         --> /u/a.socket:3:9
          |
        3 | Service=a@%i.service
          |         ^^^^^^^^^^^^ expected unit names

        error[missing-service]: a.socket: service a.service not loaded, socket cannot be started.
         --> /u/a.socket:1:1
          |
        1 | [Socket]
          | ^^^^^^^^ expected a unit a.service

        verify: 1 error, 1 warning
    "#]],
    );
}

#[test]
fn one_name_on_the_bus() {
    let service = b"[Service]\nExecStart=/bin/true\nBusName=org.example.A\n";
    check(
        &[("a.service", service), ("b.service", service)],
        &["a.service", "b.service"],
        expect![[r#"
            error[missing-requirement]: a.service: Failed to create a.service/start: Unit dbus.socket not found.
            --> /u/a.service
             = note: expected a unit that is there

            error[bus-name-taken]: b.service: Two services allocated for the same bus name org.example.A, refusing operation.
             --> /u/b.service:3:1
              |
            3 | BusName=org.example.A
              | ^^^^^^^^^^^^^^^^^^^^^
              |
              = note: a.service has it

            verify: 2 errors
        "#]],
    );
}

#[test]
fn what_is_wrong_with_others_is_counted() {
    let a = b"[Unit]\nRequires=b.service\nWants=w.service\n[Service]\nExecStart=/bin/true\n";
    let b = b"[Unit]\nRequires=c.service\n[Service]\nExecStart=/bin/true\nRestrat=no\n";
    let c = b"[Service]\nExecStart=c/c\nRestrat=no\n";
    let w = b"[Unit]\nAfter=v.service\n[Service]\nExecStart=w/w\nNice=x\n";
    let v = b"[Service]\nExecStart=/bin/true\nNice=x\n";
    let files: [(&str, &[u8]); 5] =
        [("a.service", a), ("b.service", b), ("c.service", c), ("w.service", w), ("v.service", v)];
    check(
        &files,
        &["a.service"],
        expect![[r#"
        error[missing-requirement]: a.service: Failed to create a.service/start: Unit c.service has a bad unit file setting.
         --> /u/b.service:2:10
          |
        2 | Requires=c.service
          |          ^^^^^^^^^ expected a unit that is there
          |
          = note: required by a.service → b.service

        error[bad-value]: Neither a valid executable name nor an absolute path: c/c
         --> /u/c.service:2:11
          |
        2 | ExecStart=c/c
          |           ^^^ expected an absolute path or a bare program name, and its arguments
          |
          = note: Unit configuration has fatal error, unit will not be started.
          = note: c.service is required by a.service → b.service

        verify: 2 errors
        verify: 1 error, 4 warnings in other units (--recursive-errors=yes shows them)
    "#]],
    );
    let told = |recursion| {
        let report = said(&files, &Request { recursion, ..asking(&["a.service"]) });
        (report.findings.len(), report.elsewhere.len())
    };
    assert_eq!([Recursion::Named, Recursion::Direct, Recursion::All].map(told), [(2, 5), (5, 2), (7, 0)]);
}

#[test]
fn what_is_wrong_only_with_others() {
    let w = b"[Service]\nExecStart=/bin/true\nNice=x\n";
    let a = b"[Unit]\nWants=w.service\n[Service]\nExecStart=/bin/true\n";
    check(
        &[("a.service", a), ("w.service", w)],
        &["a.service"],
        expect![[r#"
        verify: 1 warning in other units (--recursive-errors=yes shows them)
    "#]],
    );
    // Asked for, it is told, whoever else names it.
    check(
        &[("a.service", a), ("w.service", w)],
        &["a.service", "w.service"],
        expect![[r#"
        warning[bad-value]: Failed to parse nice priority 'x', ignoring: Invalid argument
         --> /u/w.service:3:6
          |
        3 | Nice=x
          |      ^ expected a whole number

        verify: 1 warning
    "#]],
    );
}
