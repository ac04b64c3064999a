//! What a step before exec failed at, in the words of the unit file.

use super::driver::Stage;
use expect_test::{Expect, expect};

fn check(line: &str, setup: &str, expected: Expect) {
    let mut stage = Stage::new("web.service", &format!("[Service]\nExecStart=/bin/web\n{line}\n"));
    stage.play(&format!("start\nsetup p1 {setup}"));
    let said: Vec<&str> = stage.said.iter().map(|(_, text)| text.as_str()).collect();
    expected.assert_eq(&said.join("\n"));
}

#[test]
fn a_stream_that_cannot_be_opened() {
    check(
        "StandardInput=file:/srv/in",
        "208",
        expect!["web.service: cannot start /bin/web: StandardInput=file:/srv/in: no such file or directory"],
    );
    check(
        "StandardOutput=append:/srv/out",
        "209",
        expect![
            "web.service: cannot start /bin/web: StandardOutput=append:/srv/out: no such file or directory"
        ],
    );
    check(
        "StandardError=truncate:/srv/err",
        "210",
        expect![
            "web.service: cannot start /bin/web: StandardError=truncate:/srv/err: no such file or directory"
        ],
    );
    check(
        "StandardInput=tty\nTTYPath=/dev/tty9",
        "208",
        expect!["web.service: cannot start /bin/web: TTYPath=/dev/tty9: no such file or directory"],
    );
    check(
        "StandardInput=tty-force",
        "208",
        expect!["web.service: cannot start /bin/web: TTYPath=/dev/console: no such file or directory"],
    );
    check(
        "StandardOutput=null",
        "209",
        expect!["web.service: cannot start /bin/web: step STDOUT: no such file or directory"],
    );
}

#[test]
fn a_place_that_is_not_there() {
    check(
        "WorkingDirectory=/srv/web",
        "200",
        expect!["web.service: cannot start /bin/web: WorkingDirectory=/srv/web: no such file or directory"],
    );
    check(
        "WorkingDirectory=~",
        "200",
        expect!["web.service: cannot start /bin/web: step CHDIR: no such file or directory"],
    );
}

#[test]
fn an_account_that_is_not_there() {
    check("User=web", "217 3", expect!["web.service: cannot start /bin/web: step USER: no user named web"]);
    check("User=web", "217 13", expect!["web.service: cannot start /bin/web: step USER: permission denied"]);
    check(
        "DynamicUser=yes\nUser=adm",
        "217 84",
        expect![
            "web.service: cannot start /bin/web: step USER: DynamicUser= makes no user whose name a group has, and no group whose name a user has"
        ],
    );
    check(
        "Group=web",
        "216 3",
        expect!["web.service: cannot start /bin/web: step GROUP: no group named web"],
    );
    check(
        "Group=web\nSupplementaryGroups=audio",
        "216 3",
        expect!["web.service: cannot start /bin/web: step GROUP: one of these groups is missing: web, audio"],
    );
    check(
        "Group=web",
        "216 1",
        expect!["web.service: cannot start /bin/web: step GROUP: operation not permitted"],
    );
}
