//! The kinds without processes.

use super::driver::check_named;
use expect_test::expect;

#[test]
fn target() {
    check_named(
        "web.target",
        "[Unit]\nDescription=Web\n",
        "start\nstart\nreload\nstop",
        expect![[r#"
            start
                begin
              = active/active
            start
            reload
            stop
              = inactive/dead
        "#]],
    );
}

#[test]
fn slice() {
    check_named(
        "web.slice",
        "[Slice]\n",
        "start\nstop",
        expect![[r#"
        start
            begin
          = active/active
        stop
            release, directories Remove
          = inactive/dead
    "#]],
    );
    check_named(
        "-.slice",
        "[Slice]\n",
        "start\nstop",
        expect![[r#"
        start
        stop
    "#]],
    );
}

#[test]
fn scope() {
    check_named(
        "init.scope",
        "[Scope]\n",
        "start\nstop",
        expect![[r#"
        start
        stop
    "#]],
    );
    check_named(
        "web.scope",
        "[Scope]\n",
        "start",
        expect![[r#"
        start
            say web.scope: a scope can't be started from a unit file
            reply Unsupported("a scope can't be started from a unit file")
    "#]],
    );
}

#[test]
fn device_timer_path() {
    check_named(
        "dev-sda.device",
        "[Unit]\nDescription=Disk\n",
        "start\nstop",
        expect![[r#"
        start
            say dev-sda.device: device units are not supported: nobody reports devices here
            reply Unsupported("device units are not supported: nobody reports devices here")
        stop
    "#]],
    );
    check_named(
        "web.timer",
        "[Timer]\nOnBootSec=1h\n",
        "start",
        expect![[r#"
        start
            say web.timer: this kind of unit is not supported yet
            reply Unsupported("this kind of unit is not supported yet")
    "#]],
    );
    check_named(
        "web.path",
        "[Path]\nPathExists=/run/web\n",
        "start",
        expect![[r#"
        start
            say web.path: this kind of unit is not supported yet
            reply Unsupported("this kind of unit is not supported yet")
    "#]],
    );
}
