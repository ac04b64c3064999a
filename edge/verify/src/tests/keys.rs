//! Sections and keys that are none.

use super::*;

#[test]
fn unknown_sections_and_keys() {
    check_text(
        b"[Unti]\nA=b\n[Timer]\nA=b\n[X-Mine]\nA=b\n[Service]\nExecStart=/bin/true\nAfter=b.service\nX-Mine=1\n",
        expect![[r#"
            warning[unknown-section]: Unknown section 'Unti'. Ignoring.
             --> /u/a.service:1:2
              |
            1 | [Unti]
              |  ^^^^ expected [Unit], [Install], [Service], [X-Container], [X-Health]
              |
            help: did you mean `Unit`?
              |
            1 - [Unti]
            1 + [Unit]
              |

            warning[unknown-section]: Unknown section 'Timer'. Ignoring.
             --> /u/a.service:3:2
              |
            3 | [Timer]
              |  ^^^^^ expected [Unit], [Install], [Service], [X-Container], [X-Health]
              |
            help: [Timer] belongs in a unit whose name ends with .timer

            warning[unknown-key]: Unknown key 'After' in section [Service], ignoring.
             --> /u/a.service:9:1
              |
            9 | After=b.service
              | ^^^^^ expected a key of that section
              |
            help: `After` is a key of the section [Unit]

            verify: 3 warnings
        "#]],
    );
    check_text(
        b"[Unit]\nExecStrt=/bin/true\n[Service]\nExecStart=/bin/true\nFrobnicate=1\n",
        expect![[r#"
            warning[unknown-key]: Unknown key 'ExecStrt' in section [Unit], ignoring.
             --> /u/a.service:2:1
              |
            2 | ExecStrt=/bin/true
              | ^^^^^^^^ expected a key of that section
              |
            help: did you mean `ExecStart` in the section [Service]?

            warning[unknown-key]: Unknown key 'Frobnicate' in section [Service], ignoring.
             --> /u/a.service:5:1
              |
            5 | Frobnicate=1
              | ^^^^^^^^^^ expected a key of that section

            verify: 2 warnings
        "#]],
    );
}

#[test]
fn assignments_outside_a_section() {
    check_text(
        b"A=b\n[Service]\nExecStart=/bin/true\n=x\nno\n",
        expect![[r#"
            warning[outside-section]: Assignment outside of section. Ignoring.
             --> /u/a.service:1:1
              |
            1 | A=b
              | ^^^ expected a section header such as [Unit] before it

            warning[missing-key]: Missing key name before '=', ignoring line.
             --> /u/a.service:4:1
              |
            4 | =x
              | ^^ expected Key=Value

            warning[missing-equals]: Missing '=', ignoring line.
             --> /u/a.service:5:1
              |
            5 | no
              | ^^ expected Key=Value

            verify: 3 warnings
        "#]],
    );
}

#[test]
fn a_broken_header() {
    check_text(
        b"[Service\nExecStart=/bin/true\n",
        expect![[r#"
        error[bad-header]: Invalid section header '[Service'
         --> /u/a.service:1:1
          |
        1 | [Service
          | ^^^^^^^^ expected [Section]
          |
          = note: Unit a.service failed to load properly, please adjust/correct and reload service manager: Bad message

        verify: 1 error
    "#]],
    );
}

#[test]
fn health() {
    check(
        &[
            (
                "a.service",
                b"[Service]\nExecStart=/bin/true\n[X-Health]\nHttp=https://localhost/\nTcp=web:80\nExec=ask\nIntervalSec=0\n\
                TimeoutSec=infinity\nRetries=0\nOnUnhealthy=reboot\nGate=yes\nStartPeriodSec=soon\nInterval=5\n",
            ),
            ("b.target", b"[X-Health]\nTcp=80\n"),
            ("c.service", b"[Service]\nExecStart=/bin/true\n[X-Health]\nRetries=2\n"),
            ("d.service", b"[Service]\nType=oneshot\nExecStart=/bin/true\n[X-Health]\nTcp=80\n"),
            ("e.service", b"[Service]\nExecStart=/bin/true\n[X-Health]\nExec=/bin/nowhere\n"),
            ("f.service", b"[Service]\nExecStart=/bin/true\n[X-Health]\nTcp=80\nGate=start\nX-Note=ours\n"),
        ],
        &["a.service", "b.target", "c.service", "d.service", "e.service", "f.service"],
        expect![[r#"
            warning[bad-value]: Invalid URL, ignoring: https://localhost/: https is not spoken, ask with Exec= or over http://
             --> /u/a.service:4:6
              |
            4 | Http=https://localhost/
              |      ^^^^^^^^^^^^^^^^^^

            warning[bad-value]: Invalid address, ignoring: web:80: the host has to be an address or localhost, names are not looked up
             --> /u/a.service:5:5
              |
            5 | Tcp=web:80
              |     ^^^^^^

            warning[bad-value]: IntervalSec= has to be at least 10ms and to have an end, ignoring: 0
             --> /u/a.service:7:13
              |
            7 | IntervalSec=0
              |             ^ expected a length of time such as 5s or 1min 30s, at least 10ms

            warning[bad-value]: TimeoutSec= has to be at least 10ms and to have an end, ignoring: infinity
             --> /u/a.service:8:12
              |
            8 | TimeoutSec=infinity
              |            ^^^^^^^^ expected a length of time such as 5s or 1min 30s, at least 10ms

            warning[bad-value]: Retries= has to be at least 1, ignoring: 0
             --> /u/a.service:9:9
              |
            9 | Retries=0
              |         ^ expected a number from 1 to 4294967295

            warning[bad-value]: Failed to parse action for the unhealthy, ignoring: reboot
              --> /u/a.service:10:13
               |
            10 | OnUnhealthy=reboot
               |             ^^^^^^ expected one of none, stop, restart

            warning[bad-value]: Failed to parse health gate, ignoring: yes
              --> /u/a.service:11:6
               |
            11 | Gate=yes
               |      ^^^ expected one of none, start

            warning[bad-value]: Failed to parse sec value, ignoring: soon
              --> /u/a.service:12:16
               |
            12 | StartPeriodSec=soon
               |                ^^^^ expected a length of time such as 5s, 1min 30s or infinity

            warning[unknown-key]: Unknown key 'Interval' in section [X-Health], ignoring.
              --> /u/a.service:13:1
               |
            13 | Interval=5
               | ^^^^^^^^ expected a key of that section
               |
            help: did you mean `IntervalSec`?
               |
            13 | IntervalSec=5
               |         +++

            error[missing-program]: a.service: Command ask is not executable: No such file or directory
             --> /u/a.service:6:6
              |
            6 | Exec=ask
              |      ^^^ expected a program that is there and may be run

            warning[unknown-section]: [X-Health] means something in services only. Ignoring.
             --> /u/b.target:1:2
              |
            1 | [X-Health]
              |  ^^^^^^^^ expected [Unit], [Install], [X-Container]
              |
            help: [X-Health] belongs in a unit whose name ends with .service

            note[bad-unit]: c.service: Service has [X-Health], but no Tcp=, Http= or Exec= in it that counts: it is not asked, and no gate waits.
            --> /u/c.service

            note[bad-unit]: d.service: [X-Health] has no effect in combination with Type=oneshot. Ignoring.
            --> /u/d.service

            error[missing-program]: e.service: Command /bin/nowhere is not executable: No such file or directory
             --> /u/e.service:4:6
              |
            4 | Exec=/bin/nowhere
              |      ^^^^^^^^^^^^ expected a program that is there and may be run

            verify: 2 errors, 10 warnings, 2 notes
        "#]],
    );
}

#[test]
fn what_systemd_passes_over_and_we_read() {
    check(
        &[
            (
                "a.service",
                b"[Service]\nExecStart=/bin/true\nX-RestartResetSec=often\n[X-Container]\nExitCodeForm=a.service\nExitCodeFrom=web\n",
            ),
            ("b.target", b"[X-Container]\nExitCodeFrom=wbe.service\n"),
            ("web.service", b"[Service]\nExecStart=/bin/true\n[X-Container]\nExitCodeFrom=%n\n"),
        ],
        &["a.service", "b.target", "web.service"],
        expect![[r#"
            warning[bad-value]: Failed to parse sec value, ignoring: often
             --> /u/a.service:3:19
              |
            3 | X-RestartResetSec=often
              |                   ^^^^^ expected a length of time such as 5s, 1min 30s or infinity

            warning[unknown-key]: Unknown key 'ExitCodeForm' in section [X-Container], ignoring.
             --> /u/a.service:5:1
              |
            5 | ExitCodeForm=a.service
              | ^^^^^^^^^^^^ expected a key of that section
              |
            help: did you mean `ExitCodeFrom`?
              |
            5 - ExitCodeForm=a.service
            5 + ExitCodeFrom=a.service
              |

            warning[bad-value]: Invalid unit name, ignoring: web
             --> /u/a.service:6:14
              |
            6 | ExitCodeFrom=web
              |              ^^^

            warning[unknown-unit]: b.target: ExitCodeFrom= names wbe.service, and there is no such unit
             --> /u/b.target:2:14
              |
            2 | ExitCodeFrom=wbe.service
              |              ^^^^^^^^^^^

            note[not-honoured]: ExitCodeFrom= is not honoured on a machine: there is nobody to exit to
             --> /u/b.target:2:1
              |
            2 | ExitCodeFrom=wbe.service
              | ^^^^^^^^^^^^^^^^^^^^^^^^

            note[not-honoured]: ExitCodeFrom= is not honoured on a machine: there is nobody to exit to
             --> /u/web.service:4:1
              |
            4 | ExitCodeFrom=%n
              | ^^^^^^^^^^^^^^^

            verify: 4 warnings, 2 notes
        "#]],
    );
}

#[test]
fn keys_without_their_unit() {
    check_text(
        b"[Service]\nExecStart=/bin/true\n[X-Health]\nTcp=80\nInterval=5s\nTimeout=1s\n",
        expect![[r#"
            warning[unknown-key]: Unknown key 'Interval' in section [X-Health], ignoring.
             --> /u/a.service:5:1
              |
            5 | Interval=5s
              | ^^^^^^^^ expected a key of that section
              |
            help: did you mean `IntervalSec`?
              |
            5 | IntervalSec=5s
              |         +++

            warning[unknown-key]: Unknown key 'Timeout' in section [X-Health], ignoring.
             --> /u/a.service:6:1
              |
            6 | Timeout=1s
              | ^^^^^^^ expected a key of that section
              |
            help: did you mean `TimeoutSec`?
              |
            6 | TimeoutSec=1s
              |        +++

            verify: 2 warnings
        "#]],
    );
}

#[test]
fn a_gate_that_may_never_open() {
    check_text(
        b"[Service]\nExecStart=/bin/true\nTimeoutStartSec=infinity\n[X-Health]\nTcp=80\nGate=start\n",
        expect![[r#"
            note[endless-gate]: a.service: Gate=start with TimeoutStartSec=infinity: if it never gets healthy, it and what waits for it stay activating for ever
             --> /u/a.service:3:1
              |
            3 | TimeoutStartSec=infinity
              | ^^^^^^^^^^^^^^^^^^^^^^^^ expected a TimeoutStartSec= that ends

            verify: 1 note
        "#]],
    );
    for text in [
        "[Service]\nExecStart=/bin/true\nTimeoutStartSec=1min\n[X-Health]\nTcp=80\nGate=start\n",
        "[Service]\nExecStart=/bin/true\nTimeoutStartSec=infinity\n[X-Health]\nTcp=80\n",
    ] {
        check_text(text.as_bytes(), expect![""]);
    }
}

#[test]
fn lines_that_are_dropped() {
    let mut tree = MemoryTree::new();
    let text = "[Service]\nExecStart=/bin/true\nType=forkin\nRestrat=no\nMemoryLimit=1G\n[X-Health]\nHttp=htp://127.0.0.1/\nGate=start\n";
    tree.file("/u/a.service", text);
    tree.file("/u/a.service.d/1.conf", "[X-Helth]\nTcp=80\n[Unti]\nNice=5\n[Service]\nNice=99 \\\n  \n");
    let name = eudaemon_unit::name::UnitName::parse("a.service").unwrap();
    let dropins = ["/u/a.service.d/1.conf", "/u/a.service.d/gone.conf"];
    let told = crate::check::of_files(&tree, &name, Some("/u/a.service"), &dropins, &Context::default());
    let told: String =
        told.iter().map(|one| format!("{}:{} {}: {}\n", one.file, one.line, one.said, one.why)).collect();
    expect![[r#"
        /u/a.service.d/1.conf:1 [X-Helth]: passed over, as every section is that begins with X- and means nothing: did you mean `X-Health`?
        /u/a.service:3 Type=forkin: Failed to parse service type: did you mean `forking`?
        /u/a.service:7 Http=htp://127.0.0.1/: Invalid URL: expected http:// and an address
        /u/a.service.d/1.conf:7 Nice=99: Nice priority out of range
        /u/a.service:4 Restrat=no: Unknown key 'Restrat' in section [Service]: did you mean `Restart`?
        /u/a.service.d/1.conf:3 [Unti]: Unknown section 'Unti': did you mean `Unit`?
    "#]]
    .assert_eq(&told);
}

#[test]
fn sections_that_are_nearly_ours() {
    let service = "[Service]\nExecStart=/bin/true\nExecStop=/bin/true \\\n[X-Healh]\n[X-Healht]\nTcp=80\n[X-Vendor]\nA=b\n";
    check(
        &[
            ("a.service", service.as_bytes()),
            ("a.socket", b"[Socket]\nListenStream=80\n[X-Health]\nTcp=80\n"),
        ],
        &["a.service", "a.socket"],
        expect![[r#"
            warning[unknown-section]: [X-Healht] is passed over, as every section is that begins with X- and means nothing
             --> /u/a.service:5:2
              |
            5 | [X-Healht]
              |  ^^^^^^^^
              |
            help: did you mean `X-Health`?
              |
            5 - [X-Healht]
            5 + [X-Health]
              |

            warning[unknown-section]: [X-Health] means something in services only. Ignoring.
             --> /u/a.socket:3:2
              |
            3 | [X-Health]
              |  ^^^^^^^^ expected [Unit], [Install], [Socket], [X-Container]
              |
            help: [X-Health] belongs in a unit whose name ends with .service

            verify: 2 warnings
        "#]],
    );
}
