//! Mounts: what mount(8) and umount(8) are told, and what follows from what the kernel says then.

use super::driver::check_named;
use expect_test::{Expect, expect};

pub(super) fn check(more: &str, script: &str, expect: Expect) {
    let unit = format!("[Mount]\nWhat=tmpfs\nWhere=/srv/web\nType=tmpfs\n{more}");
    check_named("srv-web.mount", &unit, script, expect);
}

#[test]
fn up_changed_and_down() {
    check(
        "",
        "start\nmounted\nexit p1 0\nmounted\nstart\nreload\nexit p2 0\nmounted\nstop\nexit p3 0\nunmounted",
        expect![[r#"
            start
                begin
                spawn p1 Start /bin/mount tmpfs /srv/web -t tmpfs
              = activating/mounting until 90s
            mounted
              = activating/mounting-done until 90s
            exit p1 0
                look at mounts
            mounted
              = active/mounted
            start
            reload
                spawn p2 Reload /bin/mount tmpfs /srv/web -o remount -t tmpfs
              = reloading/remounting until 90s
            exit p2 0
                look at mounts
            mounted
                reload Done
              = active/mounted
            stop
                spawn p3 Stop /bin/umount /srv/web -c
              = deactivating/unmounting until 90s
            exit p3 0
                look at mounts
            unmounted
                release, directories Remove
              = inactive/dead
        "#]],
    );
}

#[test]
fn every_setting_has_its_word() {
    let all = "Options=size=1m,nofail,mode=750\nSloppyOptions=yes\nReadWriteOnly=yes\nLazyUnmount=yes\nForceUnmount=yes\n";
    check(
        all,
        "start\nexit p1 0\nmounted\nreload\nexit p2 0\nmounted\nstop",
        expect![[r#"
        start
            begin
            spawn p1 Start /bin/mount tmpfs /srv/web -s -w -t tmpfs -o size=1m,mode=750
          = activating/mounting until 90s
        exit p1 0
            look at mounts
        mounted
          = active/mounted
        reload
            spawn p2 Reload /bin/mount tmpfs /srv/web -o remount,size=1m,nofail,mode=750 -s -w -t tmpfs
          = reloading/remounting until 90s
        exit p2 0
            look at mounts
        mounted
            reload Done
          = active/mounted
        stop
            spawn p3 Stop /bin/umount /srv/web -c -l -f
          = deactivating/unmounting until 90s
    "#]],
    );
}

#[test]
fn of_options_that_are_ours_alone_nothing_is_left() {
    check(
        "Options=noauto,nofail\n",
        "start",
        expect![[r#"
        start
            begin
            spawn p1 Start /bin/mount tmpfs /srv/web -t tmpfs
          = activating/mounting until 90s
    "#]],
    );
}

#[test]
fn blanks_are_part_of_an_option() {
    check(
        "Options=size=1m, nofail,nofail, mode=750 ,noauto,x\n",
        "start\nexit p1 0\nmounted\nreload",
        expect![[r#"
            start
                begin
                spawn p1 Start /bin/mount tmpfs /srv/web -t tmpfs -o size=1m, nofail, mode=750 ,x
              = activating/mounting until 90s
            exit p1 0
                look at mounts
            mounted
              = active/mounted
            reload
                spawn p2 Reload /bin/mount tmpfs /srv/web -o remount,size=1m, nofail,nofail, mode=750 ,noauto,x -t tmpfs
              = reloading/remounting until 90s
        "#]],
    );
}

#[test]
fn a_command_that_fails() {
    check(
        "",
        "start\nexit p1 32\nunmounted\nreset-failed\nstart\nkill p2 SEGV\nunmounted",
        expect![[r#"
        start
            begin
            spawn p1 Start /bin/mount tmpfs /srv/web -t tmpfs
          = activating/mounting until 90s
        exit p1 32
            say srv-web.mount: /bin/mount exited with code 32
            look at mounts
        unmounted
            say srv-web.mount: failed with result 'exit-code'
            release, directories Remove
          = failed/failed (exit-code)
        reset-failed
          = inactive/dead
        start
            begin
            spawn p2 Start /bin/mount tmpfs /srv/web -t tmpfs
          = activating/mounting until 90s
        kill p2 SEGV
            say srv-web.mount: /bin/mount was killed by SIGSEGV
            look at mounts
        unmounted
            say srv-web.mount: failed with result 'signal'
            release, directories Remove
          = failed/failed (signal)
    "#]],
    );
}

#[test]
fn a_command_that_fails_and_mounts_all_the_same() {
    check(
        "",
        "start\nmounted\nexit p1 1\nmounted\nreset-failed",
        expect![[r#"
        start
            begin
            spawn p1 Start /bin/mount tmpfs /srv/web -t tmpfs
          = activating/mounting until 90s
        mounted
          = activating/mounting-done until 90s
        exit p1 1
            say srv-web.mount: /bin/mount exited with code 1 (FAILURE)
            look at mounts
        mounted
          = active/mounted (exit-code)
        reset-failed
          = active/mounted
    "#]],
    );
}

#[test]
fn a_command_that_went_well_and_did_nothing() {
    check(
        "",
        "start\nexit p1 0\nunmounted",
        expect![[r#"
        start
            begin
            spawn p1 Start /bin/mount tmpfs /srv/web -t tmpfs
          = activating/mounting until 90s
        exit p1 0
            look at mounts
        unmounted
            say srv-web.mount: /bin/mount went well, but nothing is mounted
            say srv-web.mount: failed with result 'protocol'
            release, directories Remove
          = failed/failed (protocol)
    "#]],
    );
}

#[test]
fn a_mount_that_was_undone_before_its_command_ended() {
    check(
        "",
        "start\nmounted\nexit p1 0\nunmounted",
        expect![[r#"
        start
            begin
            spawn p1 Start /bin/mount tmpfs /srv/web -t tmpfs
          = activating/mounting until 90s
        mounted
          = activating/mounting-done until 90s
        exit p1 0
            look at mounts
        unmounted
            say srv-web.mount: /bin/mount went well, but nothing is mounted
            say srv-web.mount: failed with result 'protocol'
            release, directories Remove
          = failed/failed (protocol)
    "#]],
    );
}

#[test]
fn no_process() {
    check(
        "",
        "start\nfork-failed p1\nunmounted\nstart\nsetup p2 1 40\nexit p2 1\nunmounted\nstart\nsetup p3 217 3\nexit p3 217\nunmounted",
        expect![[r#"
            start
                begin
                spawn p1 Start /bin/mount tmpfs /srv/web -t tmpfs
              = activating/mounting until 90s
            fork-failed p1
                say srv-web.mount: cannot start /bin/mount: resource temporarily unavailable
                look at mounts
            unmounted
                say srv-web.mount: failed with result 'resources'
                release, directories Remove
              = failed/failed (resources)
            start
                begin
                spawn p2 Start /bin/mount tmpfs /srv/web -t tmpfs
              = activating/mounting until 90s
            setup p2 1 40
                say srv-web.mount: cannot start /bin/mount: Where=/srv/web: too many levels of symbolic links
                look at mounts
            exit p2 1
            unmounted
                say srv-web.mount: failed with result 'resources'
                release, directories Remove
              = failed/failed (resources)
            start
                begin
                spawn p3 Start /bin/mount tmpfs /srv/web -t tmpfs
              = activating/mounting until 90s
            setup p3 217 3
                say srv-web.mount: cannot start /bin/mount: step USER: error 3
            exit p3 217
                say srv-web.mount: /bin/mount exited with code 217 (USER)
                look at mounts
            unmounted
                say srv-web.mount: failed with result 'exit-code'
                release, directories Remove
              = failed/failed (exit-code)
        "#]],
    );
}

#[test]
fn others_mount_and_unmount() {
    check(
        "",
        "mounted\nunmounted\nstart\nexit p1 32\nunmounted\nmounted",
        expect![[r#"
        mounted
            begin
          = active/mounted
        unmounted
            release, directories Remove
          = inactive/dead
        start
            begin
            spawn p1 Start /bin/mount tmpfs /srv/web -t tmpfs
          = activating/mounting until 90s
        exit p1 32
            say srv-web.mount: /bin/mount exited with code 32
            look at mounts
        unmounted
            say srv-web.mount: failed with result 'exit-code'
            release, directories Remove
          = failed/failed (exit-code)
        mounted
            begin
          = active/mounted
    "#]],
    );
}

#[test]
fn a_place_in_use_stays_mounted() {
    check(
        "",
        "mounted\nstop\nexit p1 32\nmounted\nstop\nkill p2 KILL\nmounted",
        expect![[r#"
        mounted
            begin
          = active/mounted
        stop
            spawn p1 Stop /bin/umount /srv/web -c
          = deactivating/unmounting until 90s
        exit p1 32
            say srv-web.mount: /bin/umount exited with code 32
            look at mounts
        mounted
          = active/mounted (exit-code)
        stop
            spawn p2 Stop /bin/umount /srv/web -c
          = deactivating/unmounting (exit-code) until 90s
        kill p2 KILL
            say srv-web.mount: /bin/umount was killed by SIGKILL
            look at mounts
        mounted
          = active/mounted (exit-code)
    "#]],
    );
}

#[test]
fn somebody_else_was_faster() {
    check(
        "",
        "mounted\nstop\nexit p1 32\nunmounted",
        expect![[r#"
        mounted
            begin
          = active/mounted
        stop
            spawn p1 Stop /bin/umount /srv/web -c
          = deactivating/unmounting until 90s
        exit p1 32
            say srv-web.mount: /bin/umount exited with code 32
            look at mounts
        unmounted
            say srv-web.mount: /bin/umount failed, but nothing is mounted any more
            release, directories Remove
          = inactive/dead
    "#]],
    );
}

#[test]
fn what_is_stacked_is_undone_one_by_one() {
    check(
        "",
        "mounted\nstop\nexit p1 0\nmounted\nexit p2 0\nmounted\nexit p3 0\nunmounted",
        expect![[r#"
        mounted
            begin
          = active/mounted
        stop
            spawn p1 Stop /bin/umount /srv/web -c
          = deactivating/unmounting until 90s
        exit p1 0
            look at mounts
        mounted
            spawn p2 Stop /bin/umount /srv/web -c
        exit p2 0
            look at mounts
        mounted
            spawn p3 Stop /bin/umount /srv/web -c
        exit p3 0
            look at mounts
        unmounted
            release, directories Remove
          = inactive/dead
    "#]],
    );
}

#[test]
fn too_much_is_stacked() {
    let script: String = (1..=33).map(|n| format!("exit p{n} 0\nmounted\n")).collect();
    let mut stage = super::driver::Stage::new("srv-web.mount", "[Mount]\nWhat=a\nWhere=/srv/web\n");
    stage.play("mounted\nstop");
    stage.play(&script);
    assert!(stage.transcript.ends_with("given up\n  = active/mounted\n"), "{}", stage.transcript);
}

#[test]
fn started_too_often() {
    check(
        "",
        "start-limit\nmounted\nstart-limit",
        expect![[r#"
        start-limit
          = failed/failed (start-limit-hit)
        mounted
            begin
          = active/mounted
        start-limit
    "#]],
    );
}

#[test]
fn the_root_is_always_there() {
    check_named(
        "-.mount",
        "[Mount]\nWhat=/dev/sda\nWhere=/\nOptions=ro\n",
        "start\nstop\nunmounted\nreload\nexit p1 0\nunmounted",
        expect![[r#"
            start
            stop
            unmounted
            reload
                spawn p1 Reload /bin/mount /dev/sda / -o remount,ro
              = reloading/remounting until 90s
            exit p1 0
                look at mounts
            unmounted
                reload Done
              = active/mounted
        "#]],
    );
}

#[test]
fn a_reload_makes_no_sense() {
    check(
        "",
        "reload\nstart\nreload",
        expect![[r#"
        reload
            reply Invalid
        start
            begin
            spawn p1 Start /bin/mount tmpfs /srv/web -t tmpfs
          = activating/mounting until 90s
        reload
            reply Invalid
    "#]],
    );
}

#[test]
fn orders_are_given_again() {
    check(
        "",
        "hold\nstart\nthaw\nspawned p1\nthaw\nexit p1 0\nthaw\nmounted\nthaw",
        expect![[r#"
        hold
        start
            begin
            spawn p1 Start /bin/mount tmpfs /srv/web -t tmpfs
          = activating/mounting until 90s
        thaw
            again: spawn p1 Start /bin/mount tmpfs /srv/web -t tmpfs
        spawned p1
        thaw
        exit p1 0
            look at mounts
        thaw
            again: look at mounts
        mounted
          = active/mounted
        thaw
    "#]],
    );
}
