//! Names, links and folders.

use super::*;

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
fn misspelt_names() {
    check(
        &[
            ("a.service", b"[Unit]\nAfter=netwrok.target gone.service\nWants=bb@1.service postgrseql.service cc1.service\n[Service]\nExecStart=/bin/true\n"),
            ("postgresql.service", GOOD),
            ("bbb@.service", GOOD),
            ("cc2.service", GOOD),
            ("r.service", b"[Unit]\nRequires=postgresq.service\n[Service]\nExecStart=/bin/true\n"),
        ],
        &["a.service", "r.service"],
        expect![[r#"
            warning[unknown-unit]: a.service: After= names netwrok.target, and there is no such unit
             --> /u/a.service:2:7
              |
            2 | After=netwrok.target gone.service
              |       ^^^^^^^^^^^^^^
              |
            help: did you mean `network.target`?
              |
            2 - After=netwrok.target gone.service
            2 + After=network.target gone.service
              |

            warning[unknown-unit]: a.service: Wants= names postgrseql.service, and there is no such unit
             --> /u/a.service:3:20
              |
            3 | Wants=bb@1.service postgrseql.service cc1.service
              |                    ^^^^^^^^^^^^^^^^^^
              |
            help: did you mean `postgresql.service`?
              |
            3 - Wants=bb@1.service postgrseql.service cc1.service
            3 + Wants=bb@1.service postgresql.service cc1.service
              |

            error[missing-requirement]: r.service: Failed to create r.service/start: Unit postgresq.service not found.
             --> /u/r.service:2:10
              |
            2 | Requires=postgresq.service
              |          ^^^^^^^^^^^^^^^^^ expected a unit that is there
              |
            help: did you mean `postgresql.service`?
              |
            2 | Requires=postgresql.service
              |                   +

            verify: 1 error, 2 warnings
        "#]],
    );
}
