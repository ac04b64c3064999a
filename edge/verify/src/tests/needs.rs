//! What a unit needs of the machine.

use super::*;

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
          | ^^^^^^^^ User= is not honoured without privileges: changing to other users or groups needs CAP_SETUID and CAP_SETGID
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
fn each_program_where_it_stands() {
    let service = b"[Service]\nType=oneshot\nExecStart=/bin/true /bin/gone\nExecStart=/bin/gone a\nExecStart=/bin/true ; @/bin/gone b\n\
        ExecStartPre=/bin/lost\nExecStartPre=\nExecStop=/bin/gone\n";
    check(
        &[("a.service", service)],
        &["a.service"],
        expect![[r#"
        error[missing-program]: a.service: Command /bin/gone is not executable: No such file or directory
         --> /u/a.service:4:11
          |
        4 | ExecStart=/bin/gone a
          |           ^^^^^^^^^ expected a program that is there and may be run

        error[missing-program]: a.service: Command /bin/gone is not executable: No such file or directory
         --> /u/a.service:5:24
          |
        5 | ExecStart=/bin/true ; @/bin/gone b
          |                        ^^^^^^^^^ expected a program that is there and may be run

        error[missing-program]: a.service: Command /bin/gone is not executable: No such file or directory
         --> /u/a.service:8:10
          |
        8 | ExecStop=/bin/gone
          |          ^^^^^^^^^ expected a program that is there and may be run

        verify: 3 errors
    "#]],
    );
}

#[test]
fn a_line_after_one_that_is_fatal() {
    check_text(
        b"[Service]\nExecStart=/bin/true \"\nExecStart=/bin/a/\nRestrat=no\nExecStop=/bin/gone\nType=forkin\n",
        expect![[r#"
            error[bad-value]: Unbalanced quoting, ignoring: "/bin/true ""
             --> /u/a.service:2:21
              |
            2 | ExecStart=/bin/true "
              |                     ^ expected a closing quote
              |
              = note: Unit configuration has fatal error, unit will not be started.

            error[bad-value]: Executable path specifies a directory: /bin/a/
             --> /u/a.service:3:11
              |
            3 | ExecStart=/bin/a/
              |           ^^^^^^^ expected an absolute path or a bare program name, and its arguments

            warning[unknown-key]: Unknown key 'Restrat' in section [Service], ignoring.
             --> /u/a.service:4:1
              |
            4 | Restrat=no
              | ^^^^^^^ expected a key of that section
              |
            help: did you mean `Restart`?
              |
            4 - Restrat=no
            4 + Restart=no
              |

            warning[bad-value]: Failed to parse service type, ignoring: forkin
             --> /u/a.service:6:6
              |
            6 | Type=forkin
              |      ^^^^^^ expected one of simple, exec, forking, oneshot, dbus, notify, notify-reload, idle
              |
            help: did you mean `forking`?
              |
            6 | Type=forking
              |            +

            error[missing-program]: a.service: Command /bin/gone is not executable: No such file or directory
             --> /u/a.service:5:10
              |
            5 | ExecStop=/bin/gone
              |          ^^^^^^^^^ expected a program that is there and may be run

            verify: 3 errors, 2 warnings
        "#]],
    );
}

#[test]
fn accounts() {
    let files: &[(&str, &[u8])] = &[
        ("/etc/passwd", b"root:x:0:0::/root:/bin/sh\nwww-data:x:33:33::/:/bin/sh\n"),
        ("/etc/group", b"root:x:0:\nwww-data:x:33:\nadm:x:4:\n"),
        ("/usr/lib/sysusers.d/web.conf", b"u web - \"The web\" /var/web\nm web cluster\n"),
        (
            "a.service",
            b"[Service]\nExecStart=/bin/true\nUser=ww-data\nGroup=cluster\nSupplementaryGroups=adm staff\n",
        ),
        ("b.service", b"[Service]\nExecStart=/bin/true\nUser=web\nGroup=7\n"),
        ("c.service", b"[Service]\nExecStart=/bin/true\nUser=made\nDynamicUser=yes\n"),
    ];
    let names = ["a.service", "b.service", "c.service"];
    check(
        files,
        &names,
        expect![[r#"
            warning[unknown-account]: a.service: User=ww-data: no such user is known, and sysusers.d makes none
             --> /u/a.service:3:6
              |
            3 | User=ww-data
              |      ^^^^^^^ expected a user of this system
              |
            help: did you mean `www-data`?
              |
            3 | User=www-data
              |      +

            warning[unknown-account]: a.service: SupplementaryGroups=staff: no such group is known, and sysusers.d makes none
             --> /u/a.service:5:25
              |
            5 | SupplementaryGroups=adm staff
              |                         ^^^^^ expected a group of this system

            note[not-honoured]: DynamicUser= is acted on in part: the service runs as a user made for it only where one can be made
             --> /u/c.service:4:1
              |
            4 | DynamicUser=yes
              | ^^^^^^^^^^^^^^^

            verify: 2 warnings, 1 note
        "#]],
    );
    let meant = Meant { kind: Surroundings::Machine, named: Named::Yes };
    let report = said(files, &Request { meant, notes: Notes::Dropped, ..asking(&names) });
    assert!(
        report.findings.iter().any(|finding| finding.code == "unknown-account"),
        "a warning where it was asked for"
    );
}

#[test]
fn files_and_directories() {
    let service =
        b"[Service]\nExecStart=/bin/true\nEnvironmentFile=/etc/default/a\nEnvironmentFile=-/etc/default/b\n\
        EnvironmentFile=/run/c\nWorkingDirectory=/srv/a\n";
    let made = b"[Service]\nExecStart=/bin/true\nStateDirectory=b/c\nWorkingDirectory=/var/lib/b\n";
    let promised = b"[Service]\nExecStart=/bin/true\nWorkingDirectory=/srv/made\n";
    check(
        &[
            ("a.service", service),
            ("b.service", made),
            ("c.service", promised),
            ("/usr/lib/tmpfiles.d/c.conf", b"d /srv/made 0755 root root -\n"),
        ],
        &["a.service", "b.service", "c.service"],
        expect![[r#"
            warning[missing-file]: a.service: EnvironmentFile=/etc/default/a is not there: the unit does not start without it
             --> /u/a.service:3:17
              |
            3 | EnvironmentFile=/etc/default/a
              |                 ^^^^^^^^^^^^^^ expected a file, or `-` before the path

            warning[missing-directory]: a.service: WorkingDirectory=/srv/a is not there: the unit does not start without it
             --> /u/a.service:6:18
              |
            6 | WorkingDirectory=/srv/a
              |                  ^^^^^^ expected a directory, or `-` before the path

            verify: 2 warnings
        "#]],
    );
}

#[test]
fn files_of_a_package_that_is_not_here() {
    let service = b"[Service]\nExecStart=/usr/sbin/gone\nEnvironmentFile=/etc/default/gone\n";
    let findings = said(&[("a.service", service)], &asking(&["a.service"])).findings;
    let told: Vec<_> = findings.iter().map(|finding| (finding.code, finding.severity)).collect();
    assert_eq!(told, [("missing-program", Severity::Error), ("missing-file", Severity::Note)]);
}

#[test]
fn streams() {
    let service = b"[Service]\nExecStart=/bin/true\nStandardInput=file:/srv/in\nStandardOutput=append:/var/log/web/a.log\n\
        StandardError=file:/var/log/made/a.log\nLogsDirectory=made\n";
    let fine = b"[Service]\nExecStart=/bin/true\nStandardInput=file:/srv/io\nStandardOutput=file:/srv/io\n\
        StandardError=truncate:/run/b/err\n";
    let promised = b"[Service]\nExecStart=/bin/true\nStandardError=append:/var/log/web/%N.log\n";
    check(
        &[
            ("/srv/something", b""),
            ("/var/log/something", b""),
            ("a.service", service),
            ("b.service", fine),
            ("c.service", promised),
        ],
        &["a.service", "b.service", "c.service"],
        expect![[r#"
            warning[missing-directory]: a.service: StandardOutput=: the directory /var/log/web is not there: the unit does not start without it
             --> /u/a.service:4:1
              |
            4 | StandardOutput=append:/var/log/web/a.log
              | ^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^ expected a file in a directory that is there

            warning[missing-directory]: a.service: StandardError=: the directory /var/log/made is not there: the unit does not start without it
             --> /u/a.service:5:1
              |
            5 | StandardError=file:/var/log/made/a.log
              | ^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^ expected a file in a directory that is there

            warning[missing-file]: a.service: StandardInput=: /srv/in is not there: the unit does not start without it
             --> /u/a.service:3:1
              |
            3 | StandardInput=file:/srv/in
              | ^^^^^^^^^^^^^^^^^^^^^^^^^^ expected a file that is there

            warning[missing-file]: b.service: StandardInput=: /srv/io is not there: the unit does not start without it
             --> /u/b.service:3:1
              |
            3 | StandardInput=file:/srv/io
              | ^^^^^^^^^^^^^^^^^^^^^^^^^^ expected a file that is there

            warning[missing-directory]: c.service: StandardError=: the directory /var/log/web is not there: the unit does not start without it
             --> /u/c.service:3:1
              |
            3 | StandardError=append:/var/log/web/%N.log
              | ^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^ expected a file in a directory that is there

            verify: 5 warnings
        "#]],
    );
}

#[test]
fn scripts() {
    check_text(
        b"[Service]\nExecStartPre=/opt/good\nExecStart=/opt/crlf a\nExecStartPost=/opt/crlf-x\nExecStop=/opt/odd\nExecStopPost=-/opt/crlf\n",
        expect![[r#"
            error[bad-script]: a.service: Command /opt/crlf is not executable: its first line ends with a carriage return (CRLF), and the program `/bin/sh\r` is looked for
             --> /u/a.service:3:11
              |
            3 | ExecStart=/opt/crlf a
              |           ^^^^^^^^^ expected lines that end with a line feed alone, as `sed -i 's/\r$//'` makes them

            error[bad-script]: a.service: Command /opt/odd is not executable: its first line names /usr/bin/pyhton3: No such file or directory
             --> /u/a.service:5:10
              |
            5 | ExecStop=/opt/odd
              |          ^^^^^^^^ expected an interpreter that is there and may be run

            verify: 2 errors
        "#]],
    );
}
