//! Mounts whose commands take too long, fail to change anything, or are stopped at work.

use super::mount::check;
use expect_test::expect;

#[test]
fn mounting_takes_too_long() {
    check(
        "TimeoutSec=2\n",
        "start\n+2s\n+2s\nkill p1 KILL\nunmounted",
        expect![[r#"
        start
            begin
            spawn p1 Start /bin/mount tmpfs /srv/web -t tmpfs
          = activating/mounting until 2s
        +2s
            say srv-web.mount: mounting took longer than TimeoutSec=2s, terminating it
            signal p1 TERM
            signal p1 CONT
            signal-set TERM but p1
          = deactivating/unmounting-sigterm (timeout) until 2s
        +2s
            say srv-web.mount: the end of its command took longer than TimeoutSec=2s, terminating it
            signal p1 KILL
            signal-set KILL but p1
          = deactivating/unmounting-sigkill (timeout) until 2s
        kill p1 KILL
            say srv-web.mount: /bin/mount was killed by SIGKILL
            look at mounts
        unmounted
            say srv-web.mount: failed with result 'timeout'
            release, directories Remove
          = failed/failed (timeout)
    "#]],
    );
    check(
        "TimeoutSec=2\nSendSIGKILL=no\n",
        "start\n+2s\n+2s\nunmounted",
        expect![[r#"
        start
            begin
            spawn p1 Start /bin/mount tmpfs /srv/web -t tmpfs
          = activating/mounting until 2s
        +2s
            say srv-web.mount: mounting took longer than TimeoutSec=2s, terminating it
            signal p1 TERM
            signal p1 CONT
            signal-set TERM but p1
          = deactivating/unmounting-sigterm (timeout) until 2s
        +2s
            say srv-web.mount: the end of its command took longer than TimeoutSec=2s, terminating it
            look at mounts
        unmounted
            say srv-web.mount: failed with result 'timeout'
            release, directories Remove
          = failed/failed (timeout)
    "#]],
    );
    check(
        "TimeoutSec=2\nKillMode=none\n",
        "start\n+2s\nunmounted",
        expect![[r#"
        start
            begin
            spawn p1 Start /bin/mount tmpfs /srv/web -t tmpfs
          = activating/mounting until 2s
        +2s
            say srv-web.mount: mounting took longer than TimeoutSec=2s, terminating it
            look at mounts
          = deactivating/unmounting-sigkill (timeout)
        unmounted
            say srv-web.mount: failed with result 'timeout'
            release, directories Remove
          = failed/failed (timeout)
    "#]],
    );
    check(
        "TimeoutSec=2\nSendSIGHUP=yes\nKillMode=process\nKillSignal=INT\n",
        "start\nmounted\n+2s\nexit p1 0\nmounted",
        expect![[r#"
            start
                begin
                spawn p1 Start /bin/mount tmpfs /srv/web -t tmpfs
              = activating/mounting until 2s
            mounted
              = activating/mounting-done until 2s
            +2s
                say srv-web.mount: mounting took longer than TimeoutSec=2s, terminating it
                signal p1 INT
                signal p1 HUP
                signal p1 CONT
              = deactivating/unmounting-sigterm (timeout) until 2s
            exit p1 0
                look at mounts
            mounted
              = active/mounted (timeout)
        "#]],
    );
    check(
        "TimeoutSec=0\n",
        "start",
        expect![[r#"
        start
            begin
            spawn p1 Start /bin/mount tmpfs /srv/web -t tmpfs
          = activating/mounting
    "#]],
    );
}

#[test]
fn remounting_takes_too_long() {
    check(
        "TimeoutSec=2\n",
        "mounted\nreload\n+2s\n+2s\n+2s\nmounted",
        expect![[r#"
        mounted
            begin
          = active/mounted
        reload
            spawn p1 Reload /bin/mount tmpfs /srv/web -o remount -t tmpfs
          = reloading/remounting until 2s
        +2s
            say srv-web.mount: remounting took longer than TimeoutSec=2s, terminating it
            signal p1 TERM
            signal p1 CONT
            signal-set TERM but p1
          = reloading/remounting-sigterm until 2s
        +2s
            say srv-web.mount: the end of its command took longer than TimeoutSec=2s, terminating it
            signal p1 KILL
            signal-set KILL but p1
          = reloading/remounting-sigkill until 2s
        +2s
            say srv-web.mount: the end of its command took longer than TimeoutSec=2s, terminating it
            look at mounts
        mounted
            reload Failed
          = active/mounted
    "#]],
    );
    check(
        "TimeoutSec=2\n",
        "mounted\nreload\n+2s\nstop\nkill p1 TERM\nmounted",
        expect![[r#"
        mounted
            begin
          = active/mounted
        reload
            spawn p1 Reload /bin/mount tmpfs /srv/web -o remount -t tmpfs
          = reloading/remounting until 2s
        +2s
            say srv-web.mount: remounting took longer than TimeoutSec=2s, terminating it
            signal p1 TERM
            signal p1 CONT
            signal-set TERM but p1
          = reloading/remounting-sigterm until 2s
        stop
          = deactivating/unmounting-sigterm until 2s
        kill p1 TERM
            say srv-web.mount: /bin/mount was killed by SIGTERM
            look at mounts
        mounted
          = active/mounted (signal)
    "#]],
    );
}

#[test]
fn remounting_fails() {
    check(
        "",
        "mounted\nreload\nexit p1 32\nmounted\nreload\nfork-failed p2\nmounted\nreload\nexit p3 0\nunmounted",
        expect![[r#"
            mounted
                begin
              = active/mounted
            reload
                spawn p1 Reload /bin/mount tmpfs /srv/web -o remount -t tmpfs
              = reloading/remounting until 90s
            exit p1 32
                say srv-web.mount: /bin/mount exited with code 32
                look at mounts
            mounted
                reload Failed
              = active/mounted
            reload
                spawn p2 Reload /bin/mount tmpfs /srv/web -o remount -t tmpfs
              = reloading/remounting until 90s
            fork-failed p2
                say srv-web.mount: cannot start /bin/mount: resource temporarily unavailable
                look at mounts
            mounted
                reload Failed
              = active/mounted
            reload
                spawn p3 Reload /bin/mount tmpfs /srv/web -o remount -t tmpfs
              = reloading/remounting until 90s
            exit p3 0
                look at mounts
            unmounted
                release, directories Remove
                reload Done
              = inactive/dead
        "#]],
    );
}

#[test]
fn unmounting_takes_too_long() {
    check(
        "TimeoutSec=2\n",
        "mounted\nstop\nstart\n+2s\n+2s\n+2s\nmounted",
        expect![[r#"
        mounted
            begin
          = active/mounted
        stop
            spawn p1 Stop /bin/umount /srv/web -c
          = deactivating/unmounting until 2s
        start
            reply Later
        +2s
            say srv-web.mount: unmounting took longer than TimeoutSec=2s, terminating it
            signal p1 TERM
            signal p1 CONT
            signal-set TERM but p1
          = deactivating/unmounting-sigterm (timeout) until 2s
        +2s
            say srv-web.mount: the end of its command took longer than TimeoutSec=2s, terminating it
            signal p1 KILL
            signal-set KILL but p1
          = deactivating/unmounting-sigkill (timeout) until 2s
        +2s
            say srv-web.mount: the end of its command took longer than TimeoutSec=2s, terminating it
            look at mounts
        mounted
          = active/mounted (timeout)
    "#]],
    );
    check(
        "TimeoutSec=2\n",
        "mounted\nstop\n+2s\nkill p1 TERM\nunmounted",
        expect![[r#"
        mounted
            begin
          = active/mounted
        stop
            spawn p1 Stop /bin/umount /srv/web -c
          = deactivating/unmounting until 2s
        +2s
            say srv-web.mount: unmounting took longer than TimeoutSec=2s, terminating it
            signal p1 TERM
            signal p1 CONT
            signal-set TERM but p1
          = deactivating/unmounting-sigterm (timeout) until 2s
        kill p1 TERM
            say srv-web.mount: /bin/umount was killed by SIGTERM
            look at mounts
        unmounted
            say srv-web.mount: failed with result 'timeout'
            release, directories Remove
          = failed/failed (timeout)
    "#]],
    );
}

#[test]
fn stopped_while_it_mounts() {
    check(
        "",
        "start\nstop\nstop\nkill p1 TERM\nunmounted",
        expect![[r#"
        start
            begin
            spawn p1 Start /bin/mount tmpfs /srv/web -t tmpfs
          = activating/mounting until 90s
        stop
            signal p1 TERM
            signal p1 CONT
            signal-set TERM but p1
          = deactivating/unmounting-sigterm until 90s
        stop
        kill p1 TERM
            say srv-web.mount: /bin/mount was killed by SIGTERM
            look at mounts
        unmounted
            say srv-web.mount: failed with result 'signal'
            release, directories Remove
          = failed/failed (signal)
    "#]],
    );
    check(
        "",
        "start\nexit p1 0\nstop\nmounted",
        expect![[r#"
            start
                begin
                spawn p1 Start /bin/mount tmpfs /srv/web -t tmpfs
              = activating/mounting until 90s
            exit p1 0
                look at mounts
            stop
                reply Later
            mounted
              = active/mounted
        "#]],
    );
    check(
        "",
        "mounted\nreload\nstop\nkill p1 TERM\nmounted",
        expect![[r#"
        mounted
            begin
          = active/mounted
        reload
            spawn p1 Reload /bin/mount tmpfs /srv/web -o remount -t tmpfs
          = reloading/remounting until 90s
        stop
            signal p1 TERM
            signal p1 CONT
            signal-set TERM but p1
          = deactivating/unmounting-sigterm until 90s
        kill p1 TERM
            say srv-web.mount: /bin/mount was killed by SIGTERM
            look at mounts
        mounted
          = active/mounted (signal)
    "#]],
    );
}
