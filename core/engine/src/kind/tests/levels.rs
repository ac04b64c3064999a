//! How loud what is said is said.

use super::driver::Stage;
use expect_test::{Expect, expect};

fn check(unit: &str, script: &str, expected: Expect) {
    let mut stage = Stage::new("web.service", unit);
    stage.play(script);
    let lines: String = stage.said.iter().map(|(level, text)| format!("{level:?} {text}\n")).collect();
    expected.assert_eq(&lines);
}

#[test]
fn an_end_that_is_as_it_should_be_is_no_news() {
    check(
        "[Service]\nExecStart=/bin/web\n",
        "start\nexit p1 0",
        expect![[r#"
        Debug web.service: main process exited with code 0 (SUCCESS)
    "#]],
    );
    check(
        "[Service]\nExecStart=/bin/web\n",
        "start\nexit p1 3\nempty",
        expect![[r#"
        Notice web.service: main process exited with code 3 (NOTIMPLEMENTED)
        Warning web.service: failed with result 'exit-code'
    "#]],
    );
}

#[test]
fn a_pid_file_that_is_only_looked_into_need_not_be_there() {
    let unit = "[Service]\nType=forking\nPIDFile=/run/web.pid\nExecStart=/bin/web\n";
    check(
        unit,
        "start\nexit p1 0\nmissing p2 absent",
        expect![[r#"
        Warning web.service: main process not told: absent
    "#]],
    );
    check(
        &format!("{unit}ExecStartPost=/bin/post\n"),
        "start\nexit p1 0\nmissing p2 absent",
        expect![[r#"
        Debug web.service: main process not told: absent
    "#]],
    );
}

#[test]
fn a_program_that_need_not_be_there() {
    check(
        "[Service]\nExecStart=-/bin/web\n",
        "start\nsetup p1 203",
        expect![[r#"
        Info web.service: cannot start /bin/web: step EXEC: no such file or directory
    "#]],
    );
    check(
        "[Service]\nExecStart=/bin/web\n",
        "start\nsetup p1 203",
        expect![[r#"
        Error web.service: cannot start /bin/web: step EXEC: no such file or directory
    "#]],
    );
}

#[test]
fn to_be_well_again_is_news() {
    check(
        "[Service]\nExecStart=/bin/web\n[X-Health]\nTcp=80\nIntervalSec=10s\nRetries=1\n",
        "start\n+10s\nwell p2\n+10s\nunwell p3 refused\n+10s\nwell p4\n+10s\nwell p5",
        expect![[r#"
            Info web.service: healthy
            Warning web.service: unhealthy: refused
            Notice web.service: healthy again
        "#]],
    );
}
