//! What is said of bad input: one clear diagnostic each, drawn without colours.

#![allow(clippy::unwrap_used)]

use crate::asked::Asked;
use crate::ground::{Ground, Programs};
use crate::render::Colours;
use crate::{Manuals, Meant, Named, Notes, Request, Surroundings, json, look, text};
use eudaemon_unit::files::{Environment, Kind, MemoryTree, Scope, Tree, TreeError};
use eudaemon_unit::limits::LINE_MAX;
use eudaemon_unit::specifier::Context;
use eudaemon_unit::vendor::{Own, WithVendor};
use expect_test::{Expect, expect};

/// A tree in which some files may not be read.
struct Guarded(MemoryTree);

const UNREADABLE: &str = "/u/secret.service";

impl Tree for Guarded {
    fn look(&self, path: &str) -> Result<Kind, TreeError> {
        self.0.look(path)
    }
    fn list(&self, directory: &str) -> Result<Vec<(String, Kind)>, TreeError> {
        self.0.list(directory)
    }
    fn read(&self, path: &str, limit: u64) -> Result<Vec<u8>, TreeError> {
        if path == UNREADABLE { Err(TreeError::Denied) } else { self.0.read(path, limit) }
    }
    fn size(&self, path: &str) -> Result<u64, TreeError> {
        self.0.size(path)
    }
    fn stamp(&self, directory: &str) -> Option<u64> {
        self.0.stamp(directory)
    }
}

struct Installed;

impl Programs for Installed {
    fn may_run(&self, path: &str) -> Result<(), &'static str> {
        match path {
            "/bin/true" => Ok(()),
            "/bin/denied" => Err("Permission denied"),
            _ => Err("No such file or directory"),
        }
    }
}

/// Files in /u as `name` and text, or `name -> target`; what is said of `arguments`.
fn said(files: &[(&str, &[u8])], request: &Request) -> Vec<crate::Finding> {
    let mut tree = MemoryTree::new();
    for (name, text) in files {
        match name.split_once(" -> ") {
            Some((name, target)) => tree.link(&format!("/u/{name}"), target),
            None => tree.file(&format!("/u/{name}"), *text),
        }
    }
    tree.special("/dev/null");
    tree.file("/usr/share/man/man8/there.8.gz", "");
    let own = Own { program: "/usr/bin/eudaemon", journal: "/run/systemd/journal" };
    let tree = WithVendor::new(Guarded(tree), own);
    let asked = Asked::read(&tree, &request.arguments, "/u");
    let environment = Environment { unit_path: Some("/u:".to_owned()), ..Environment::default() };
    look(&asked, request, &|folders| {
        Ground::new(&tree, &Installed, folders, &environment, Scope::System, Context::default())
    })
}

fn asking(arguments: &[&str]) -> Request {
    let arguments = arguments.iter().map(|argument| (*argument).to_owned()).collect();
    Request { arguments, ..Request::default() }
}

fn check(files: &[(&str, &[u8])], arguments: &[&str], expected: Expect) {
    expected.assert_eq(&text(&said(files, &asking(arguments)), Colours::Off));
}

/// One service.
fn check_text(bytes: &[u8], expected: Expect) {
    check(&[("a.service", bytes)], &["a.service"], expected);
}

const GOOD: &[u8] = b"[Service]\nExecStart=/bin/true\n";

#[test]
fn a_good_unit_is_passed_over_in_silence() {
    check_text(GOOD, expect![""]);
}

#[test]
fn the_managers_own_files() {
    let text =
        b"[Manager]\nDefaultTimoutStopSec=5\nDefaultTimeoutStopSec=late\nCPUAffinity=0\n[Service]\nUser=a\n";
    check(
        &[("system.conf.d/a.conf", text), ("a.service", GOOD)],
        &["system.conf.d/a.conf", "a.service"],
        expect![[r#"
            warning[unknown-key]: Unknown key 'DefaultTimoutStopSec' in section [Manager], ignoring.
             --> /u/system.conf.d/a.conf:2:1
              |
            2 | DefaultTimoutStopSec=5
              | ^^^^^^^^^^^^^^^^^^^^ expected a key of that section
              |
            help: did you mean `DefaultTimeoutStopSec`?
              |
            2 | DefaultTimeoutStopSec=5
              |           +

            warning[bad-value]: Failed to parse sec value, ignoring: late
             --> /u/system.conf.d/a.conf:3:23
              |
            3 | DefaultTimeoutStopSec=late
              |                       ^^^^ expected a length of time such as 5s, 1min 30s or infinity

            note[remark]: CPUAffinity= is not acted on yet
             --> /u/system.conf.d/a.conf:4:13
              |
            4 | CPUAffinity=0
              |             ^

            warning[unknown-section]: Unknown section 'Service'. Ignoring.
             --> /u/system.conf.d/a.conf:5:2
              |
            5 | [Service]
              |  ^^^^^^^ expected [Manager]

            verify: 3 warnings, 1 note
        "#]],
    );
    check(
        &[("user.conf", b"[Manager]\nDefaultTasksMax=10%\n")],
        &["user.conf"],
        expect![[r#"
        note[remark]: DefaultTasksMax= is acted on in part: shown as the default of units; control groups are not limited yet
         --> /u/user.conf:2:17
          |
        2 | DefaultTasksMax=10%
          |                 ^^^

        verify: 1 note
    "#]],
    );
}

#[test]
fn no_final_newline() {
    check_text(
        b"[Service]\nExecStart=/bin/true\nRestrat=no",
        expect![[r#"
            warning[unknown-key]: Unknown key 'Restrat' in section [Service], ignoring.
             --> /u/a.service:3:1
              |
            3 | Restrat=no
              | ^^^^^^^ expected a key of that section
              |
            help: did you mean `Restart`?
              |
            3 - Restrat=no
            3 + Restart=no
              |

            verify: 1 warning
        "#]],
    );
}

#[test]
fn carriage_returns() {
    check_text(
        b"[Service]\r\nExecStart=/bin/true\r\nRestart=alway\r\n",
        expect![[r#"
            warning[bad-value]: Failed to parse service restart specifier, ignoring: alway
             --> /u/a.service:3:9
              |
            3 | Restart=alway
              |         ^^^^^ expected one of no, on-success, on-failure, on-abnormal, on-watchdog, on-abort, always
              |
            help: did you mean `always`?
              |
            3 | Restart=always
              |              +

            verify: 1 warning
        "#]],
    );
}

#[test]
fn nul_bytes() {
    check_text(
        b"[Service]\nExecStart=/bin/true\nUser\0Name=x\n",
        expect![[r#"
            warning[missing-equals]: Missing '=', ignoring line.
             --> /u/a.service:3:1
              |
            3 | User␀Name=x
              | ^^^^ expected Key=Value

            warning[unknown-key]: Unknown key 'Name' in section [Service], ignoring.
             --> /u/a.service:3:6
              |
            3 | User␀Name=x
              |      ^^^^ expected a key of that section

            verify: 2 warnings
        "#]],
    );
}

#[test]
fn text_that_is_no_utf8() {
    check_text(
        b"[Service]\nExecStart=/bin/true\n# caf\xc3\xa9\nUser=caf\xe9\n",
        expect![[r#"
        error[not-utf8]: String is not UTF-8 clean, ignoring assignment: User=caf�
         --> /u/a.service:4:9
          |
        4 | User=caf�
          |         ^ expected text in UTF-8
          |
          = note: Unit a.service failed to load properly, please adjust/correct and reload service manager: Invalid argument

        verify: 1 error
    "#]],
    );
}

#[test]
fn a_line_of_a_megabyte() {
    let mut long = b"[Service]\nExecStart=/bin/true ".to_vec();
    long.resize(LINE_MAX + 100, b'x');
    check_text(
        &long,
        expect![[r#"
        error[line-too-long]: Line too long
         --> /u/a.service:2:1
          |
        2 | ExecStart=/bin/true xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx…
          | ^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^ expected at most 1 MiB, continuations included
          |
          = note: Unit a.service failed to load properly, please adjust/correct and reload service manager: No buffer space available

        verify: 1 error
    "#]],
    );
    // Below the limit it is taken; what is wrong in it is shown without all of it.
    let mut long = b"[Service]\nExecStart=/bin/false ".to_vec();
    long.resize(LINE_MAX - 100, b'x');
    check_text(
        &long,
        expect![[r#"
            error[missing-program]: a.service: Command /bin/false is not executable: No such file or directory
             --> /u/a.service:2:11
              |
            2 | ExecStart=/bin/false xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx...
              |           ^^^^^^^^^^ expected a program that is there and may be run

            verify: 1 error
        "#]],
    );
}

#[test]
fn an_open_quote() {
    check_text(
        b"[Service]\nExecStart=/bin/true 'a' \"b c\nUser=x\n",
        expect![[r#"
        error[bad-value]: Unbalanced quoting, ignoring: "/bin/true 'a' "b c"
         --> /u/a.service:2:25
          |
        2 | ExecStart=/bin/true 'a' "b c
          |                         ^^^^ expected a closing quote
          |
          = note: Unit configuration has fatal error, unit will not be started.

        verify: 1 error
    "#]],
    );
}

#[test]
fn a_continuation_at_the_end_of_the_file() {
    check_text(b"[Service]\nExecStart=/bin/true\nRestart=no \\", expect![""]);
    check_text(
        b"[Service]\nExecStart=/bin/true\nRestart=a \\\n# between\n b\n",
        expect![[r#"
            warning[bad-value]: Failed to parse service restart specifier, ignoring: a   b
             --> /u/a.service:3:9
              |
            3 |   Restart=a \
              |  _________^
            4 | | # between
            5 | |  b
              | |__^ expected one of no, on-success, on-failure, on-abnormal, on-watchdog, on-abort, always

            verify: 1 warning
        "#]],
    );
}

#[test]
fn unknown_sections_and_keys() {
    check_text(
        b"[Unti]\nA=b\n[Timer]\nA=b\n[X-Mine]\nA=b\n[Service]\nExecStart=/bin/true\nAfter=b.service\nX-Mine=1\n",
        expect![[r#"
            warning[unknown-section]: Unknown section 'Unti'. Ignoring.
             --> /u/a.service:1:2
              |
            1 | [Unti]
              |  ^^^^ expected [Unit], [Install], [Service]
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
              |  ^^^^^ expected [Unit], [Install], [Service]
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
fn links_in_a_circle() {
    check(
        &[("a.service -> b.service", b""), ("b.service -> a.service", b"")],
        &["a.service"],
        expect![[r#"
        error[alias-cycle]: the names of this unit lead in a circle
        --> /u/a.service
         = note: the links are a.service → b.service → a.service

        verify: 1 error
    "#]],
    );
}

#[test]
fn a_link_to_itself() {
    check(
        &[("a.service -> a.service", b"")],
        &["a.service"],
        expect![[r#"
        error[alias-cycle]: Unit a.service not found: the links lead in a circle
        --> /u/a.service

        verify: 1 error
    "#]],
    );
}

#[test]
fn aliases_to_nowhere() {
    let links: &[(&str, &[u8])] = &[
        ("a.service -> gone.service", b""),
        ("b.service -> b.timer", b""),
        ("b.timer", b""),
        ("x.service -> /opt/x.service", b""),
    ];
    check(
        links,
        &["a.service", "b.service", "x.service"],
        expect![[r#"
        error[dangling-alias]: Unit a.service not found: it links to gone.service, which does not exist
        --> /u/a.service
         = note: expected the path of a unit file

        error[bad-alias]: Unit b.service not found: it links to b.timer, which it cannot be an alias of
        --> /u/b.service
         = note: expected a unit of the same kind, and a template only for a template

        error[dangling-alias]: Unit x.service not found: it links to /opt/x.service, which does not exist
        --> /u/x.service
         = note: expected the path of a unit file

        verify: 3 errors
    "#]],
    );
}

#[test]
fn masked_units() {
    check(
        &[("a.service -> /dev/null", b""), ("b.service", b"")],
        &["a.service", "b.service"],
        expect![[r#"
        error[masked]: Unit a.service is masked.
        --> /u/a.service
         = note: expected a file with text: one that is empty, or leads to /dev/null, masks

        error[masked]: Unit b.service is masked.
        --> /u/b.service
         = note: expected a file with text: one that is empty, or leads to /dev/null, masks

        verify: 2 errors
    "#]],
    );
}

#[test]
fn names_that_are_none() {
    let long = format!("{}.service", "x".repeat(300));
    check(
        &[],
        &["/u/a.srevice", "a b.service", &long, "@.service", "gone"],
        expect![[r#"
            error[bad-name]: unit name with an unknown suffix
            --> /u/a.srevice
             = note: expected a unit name such as web.service, web@.service or web@1.service

            error[bad-name]: unit name with the character ' '
            --> a b.service
             = note: expected a unit name such as web.service, web@.service or web@1.service

            error[bad-name]: unit name longer than 255 characters
            --> xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx.service
             = note: expected a unit name such as web.service, web@.service or web@1.service

            error[bad-name]: unit name with nothing before its suffix
            --> @.service
             = note: expected a unit name such as web.service, web@.service or web@1.service

            error[not-found]: Unit gone.service not found.
            --> gone.service
             = note: looked for in /usr/lib/eudaemon/system

            verify: 5 errors
        "#]],
    );
}

#[test]
fn a_folder_without_units() {
    check(
        &[("README", b"")],
        &["/u"],
        expect![[r#"
        warning[empty-folder]: no unit files in this folder
        --> /u

        verify: 1 warning
    "#]],
    );
}

#[test]
fn a_file_that_may_not_be_read() {
    check(
        &[("secret.service", GOOD)],
        &["secret.service"],
        expect![[r#"
        error[unreadable]: cannot read: permission denied
        --> /u/secret.service

        verify: 1 error
    "#]],
    );
}

#[test]
fn drop_ins() {
    let files: &[(&str, &[u8])] = &[
        ("a.service", GOOD),
        ("a.service.d/1.conf", b"[Service]\nUsr=x\n"),
        ("gone.service.d/1.conf", b"[Service]\nUser=x\n"),
    ];
    check(
        files,
        &["/u"],
        expect![[r#"
            warning[unknown-key]: Unknown key 'Usr' in section [Service], ignoring.
             --> /u/a.service.d/1.conf:2:1
              |
            2 | Usr=x
              | ^^^ expected a key of that section
              |
            help: did you mean `User`?
              |
            2 | User=x
              |   +

            note[orphan-drop-in]: drop-ins of gone.service, which does not exist
            --> /u/gone.service.d
             = note: expected a unit gone.service

            verify: 1 warning, 1 note
        "#]],
    );
    check(
        files,
        &["gone.service.d/1.conf"],
        expect![[r#"
            error[not-found]: Unit gone.service not found.
            --> gone.service
             = note: nothing reads its drop-in /u/gone.service.d/1.conf
             = note: looked for in /u, /usr/lib/eudaemon/system

            verify: 1 error
        "#]],
    );
}

#[test]
fn a_file_among_wants() {
    check(
        &[("a.service", GOOD), ("b.service", GOOD), ("a.service.wants/b.service", GOOD)],
        &["a.service"],
        expect![[r#"
            warning[not-a-link]: Wants dependency dropin /u/a.service.wants/b.service is not a symlink: systemd ignores it
            --> /u/a.service.wants/b.service
             = note: expected a symbolic link to the unit's file

            verify: 1 warning
        "#]],
    );
}

#[test]
fn programs() {
    check_text(
        b"[Service]\nExecStartPre=-/bin/gone\nExecStart=@/bin/denied x\nExecStop=/bin/true ; +gone a\n",
        expect![[r#"
            error[missing-program]: a.service: Command /bin/denied is not executable: Permission denied
             --> /u/a.service:3:12
              |
            3 | ExecStart=@/bin/denied x
              |            ^^^^^^^^^^^ expected a program that is there and may be run

            error[missing-program]: a.service: Command gone is not executable: No such file or directory
             --> /u/a.service:4:23
              |
            4 | ExecStop=/bin/true ; +gone a
              |                       ^^^^ expected a program that is there and may be run

            verify: 2 errors
        "#]],
    );
}

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

            note[bad-unit]: c.service: Dependency Before=c.service is dropped.
            --> /u/c.service

            verify: 1 error, 1 note
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
              = note: the start of b.service is dropped to break it

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
fn man_pages() {
    let files: &[(&str, &[u8])] = &[(
        "a.service",
        b"[Unit]\nDocumentation=man:there(8) man:gone(8) http://x.example\n[Service]\nExecStart=/bin/true\n",
    )];
    let request = Request { manuals: Manuals::Checked, ..asking(&["a.service"]) };
    expect![[r#"
        warning[missing-manual]: a.service: man page gone(8) is not installed
         --> /u/a.service:2:28
          |
        2 | Documentation=man:there(8) man:gone(8) http://x.example
          |                            ^^^^^^^^^^^ expected a page of /usr/share/man

        verify: 1 warning
    "#]]
    .assert_eq(&text(&said(files, &request), Colours::Off));
}

#[test]
fn what_some_surroundings_do_not_honour() {
    let files: &[(&str, &[u8])] = &[
        ("a.service", b"[Unit]\nConditionVirtualization=!container\n[Service]\nExecStart=/bin/true\nUser=web\nNice=-5\n"),
        ("a.socket", b"[Socket]\nListenStream=80\n"),
        ("dev-x.swap", b"[Swap]\nWhat=/dev/x\n"),
    ];
    let meant = |kind| {
        let request =
            Request { meant: Meant { kind, named: Named::Yes }, ..asking(&["a.service", "a.socket"]) };
        text(&said(files, &request), Colours::Off)
    };
    expect![[r#"
        warning[not-honoured]: what is not honoured here
         --> /u/a.service:5:1
          |
        5 | User=web
          | ^^^^^^^^ User= is not honoured without privileges: an ordinary user's manager may not change to other users or groups
        6 | Nice=-5
          | ^^^^^^^ Nice= is not honoured without privileges: a priority above the usual needs CAP_SYS_NICE

        warning[not-honoured]: ListenStream= is not honoured without privileges: ports below 1024 need CAP_NET_BIND_SERVICE
         --> /u/a.socket:2:1
          |
        2 | ListenStream=80
          | ^^^^^^^^^^^^^^^

        verify: 3 warnings
    "#]].assert_eq(&meant(Surroundings::Rootless));
    expect![[r#"
        warning[not-honoured]: Nice= is not honoured in a container: a priority above the usual needs CAP_SYS_NICE
         --> /u/a.service:6:1
          |
        6 | Nice=-5
          | ^^^^^^^

        note[skipped]: a.service: is skipped in a container by ConditionVirtualization=!container
         --> /u/a.service:2:1
          |
        2 | ConditionVirtualization=!container
          | ^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^

        verify: 1 warning, 1 note
    "#]].assert_eq(&meant(Surroundings::Container));
    expect![""].assert_eq(&meant(Surroundings::Machine));
    check(
        files,
        &["dev-x.swap"],
        expect![[r#"
            note[not-honoured]: dev-x.swap: swap units are read and shown, and not started yet
             --> /u/dev-x.swap:1:1
              |
            1 | [Swap]
              | ^^^^^^

            verify: 1 note
        "#]],
    );
}

#[test]
fn a_long_line_between_two_that_are_shown() {
    let text = format!(
        "[Service]\nAppArmorProfile=x\n# {}\nSELinuxContext=y\nExecStart=/bin/true\n",
        "x".repeat(5_000)
    );
    check_text(
        text.as_bytes(),
        expect![[r#"
            note[not-honoured]: what is not honoured here
             --> /u/a.service:2:1
              |
            2 | AppArmorProfile=x
              | ^^^^^^^^^^^^^^^^^ AppArmorProfile= is not acted on yet
            3 | # xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx…
            4 | SELinuxContext=y
              | ^^^^^^^^^^^^^^^^ SELinuxContext= is not acted on yet

            verify: 2 notes
        "#]],
    );
}

#[test]
fn for_tools() {
    let files: &[(&str, &[u8])] = &[("a.service", "[Service]\nExecStart=/bin/true é\nUsr=ä\n".as_bytes())];
    expect![[r#"
        [
          {
            "file": "/u/a.service",
            "line": 3,
            "column": 1,
            "end_column": 4,
            "severity": "warning",
            "code": "unknown-key",
            "message": "Unknown key 'Usr' in section [Service], ignoring.",
            "expected": "a key of that section",
            "suggestion": "User"
          },
          {
            "file": "gone.service",
            "line": null,
            "column": null,
            "end_column": null,
            "severity": "error",
            "code": "not-found",
            "message": "Unit gone.service not found.",
            "expected": null,
            "suggestion": null
          }
        ]
    "#]]
    .assert_eq(&json::array(&said(files, &asking(&["a.service", "gone.service"]))));
}

/// Whatever a file holds, something is said of it and nothing breaks.
#[test]
fn no_text_breaks_it() {
    const PIECES: &[&[u8]] = &[
        b"[Unit]",
        b"[Service]",
        b"[",
        b"]",
        b"\n",
        b"\r",
        b"\0",
        b"\\\n",
        b"=",
        b" ",
        b"\"",
        b"'",
        b"%",
        b"%i",
        b";",
        b"# x",
        b"\xff",
        b"\xe2\x82",
        "ü€".as_bytes(),
        b"ExecStart",
        b"Requires",
        b"After",
        b"a.service",
        b"/bin/gone",
        b"Restart",
        b"\t",
        b"\\",
        b"x",
        b"\x1b[31m",
        b"\xef\xbb\xbf",
    ];
    let mut state = 7_u64;
    let mut draw = |below: usize| {
        state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (state >> 33) as usize % below
    };
    for _ in 0..2_000 {
        let text: Vec<u8> = (0..draw(40)).flat_map(|_| PIECES[draw(PIECES.len())].to_vec()).collect();
        let findings = said(&[("a.service", &text), ("b.service", GOOD)], &asking(&["a.service"]));
        crate::text(&findings, Colours::Off);
        json::array(&findings);
    }
}
