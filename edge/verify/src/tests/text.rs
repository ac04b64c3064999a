//! What the text of a file may be.

use super::*;

#[test]
fn a_good_unit_is_passed_over_in_silence() {
    check_text(GOOD, expect![""]);
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
        let report = said(&[("a.service", &text), ("b.service", GOOD)], &asking(&["a.service"]));
        crate::text(&report, Colours::Off);
        json::array(&report.findings);
    }
}
