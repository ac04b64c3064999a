//! What init promises, one sentence a case.

mod child;

use crate::driver::{Init, exec, shell, shell_after};
use eudaemon_init::wire::{Finish, Order, WatchExec};
use eudaemon_plan::step::{Output, Step};
use rustix::process::Signal;
use std::io::Read;
use std::os::fd::AsFd;

use child::*;

macro_rules! cases {
    ($($name:ident)*) => { pub const ALL: &[(&str, fn())] = &[$((stringify!($name), $name)),*]; };
}

cases! {
    exits_are_told_with_code_and_signal
    a_step_that_fails_ends_the_child_with_its_code
    the_program_is_found_before_descriptors_are_passed
    a_repeated_id_is_answered_and_not_done_twice
    a_new_manager_hears_what_is_unacknowledged
    the_vault_outlives_the_manager
    exec_is_told_only_when_it_happened
    orphans_come_to_init_and_can_be_tracked
    signals_to_init_are_told
    a_signal_is_told_again_until_it_was_heard
    a_signal_goes_to_living_children_only
    orders_of_a_manager_that_died_are_obeyed
    descriptors_are_handed_over_as_listed
    descriptors_are_handed_over_below_a_low_limit
    nothing_leaks_into_a_child
    the_environment_is_in_order
    output_finds_the_journal_or_the_console
    a_large_plan_travels_in_a_memfd
    a_thousand_children_at_once
    rights_are_changed_as_listed
    directories_are_the_users_own
    limits_are_set_or_clamped
    a_child_is_born_in_its_cgroup
    finish_stops_what_is_left
    as_pid_1_everything_ends_with_it
    as_pid_1_power_off_ends_the_namespace
    a_manager_that_never_served_ends_init_with_its_code
    two_terms_end_init_without_a_manager
    a_wrong_argument_is_one_line
    background_returns_when_ready
    background_fails_with_the_reason
}

fn exits_are_told_with_code_and_signal() {
    let init = Init::start();
    let mut manager = init.manager();
    manager.order(Order::Hello);
    assert_eq!(manager.hear_until("snapshot-end"), ["kept reports 1", "kept console 1", "snapshot-end 0"]);
    manager.spawn(1, shell("exit 7"));
    assert_eq!(manager.hear_until("exited"), ["spawned 1", "exited 1 Code(7)"]);
    manager.spawn(2, shell("kill -KILL $$"));
    assert_eq!(manager.hear_until("exited"), ["spawned 2", "exited 2 Signal(9)"]);
}

fn a_repeated_id_is_answered_and_not_done_twice() {
    let init = Init::start();
    let mut manager = init.greeted();
    manager.spawn(5, shell("read line"));
    manager.spawn(5, shell("exit 1"));
    let mut heard = manager.hear_until("exited");
    heard.dedup();
    assert_eq!(heard, ["spawned 5", "exited 5 Code(1)"]);
    manager.spawn(5, shell("exit 2"));
    manager.order(Order::List);
    assert_eq!(manager.hear(), "spawned 5");
    assert!(manager.hear_until("snapshot-end").contains(&"exited 5 Code(1)".to_owned()));
    manager.order(Order::Ack { id: 5 });
    manager.spawn(5, shell("exit 3"));
    manager.spawn(4, shell("exit 3"));
    assert_eq!([manager.hear(), manager.hear()], ["done 5", "done 4"].map(str::to_owned));
}

fn a_new_manager_hears_what_is_unacknowledged() {
    let init = Init::start();
    let mut first = init.greeted();
    first.spawn(1, shell("exit 4"));
    first.hear_until("exited");
    first.spawn(2, shell("exit 5"));
    first.hear_until("exited");
    first.order(Order::Ack { id: 2 });
    first.spawn_with(3, WatchExec::Yes, shell("exec sleep 1000"), &[]);
    first.hear_until("executed");
    let pid = first.pids[&3];
    first.die();
    let mut second = init.manager();
    second.order(Order::Hello);
    assert_eq!(
        second.hear_until("snapshot-end"),
        ["exited 1 Code(4)", "alive 3", "executed 3", "kept reports 1", "kept console 1", "snapshot-end 3"]
    );
    assert_eq!(second.pids[&3], pid);
    second.order(Order::Signal { id: 3, signal: 15 });
    assert_eq!(second.hear(), "exited 3 Signal(15)");
}

fn the_vault_outlives_the_manager() {
    let init = Init::start();
    let mut first = init.greeted();
    let (read, write) = rustix::pipe::pipe().expect("pipe");
    first.order_with(Order::Put { name: "store/web" }, &[read.as_fd(), write.as_fd()]);
    first.order_with(Order::Put { name: "gone" }, &[read.as_fd()]);
    first.order(Order::Drop { name: "gone" });
    drop((read, write));
    first.die();
    let mut second = init.manager();
    second.order(Order::Hello);
    let heard = second.hear_until("snapshot-end");
    assert_eq!(heard, ["kept reports 1", "kept console 1", "kept store/web 2", "snapshot-end 0"]);
    let kept = &second.fds["store/web"];
    rustix::io::write(&kept[1], b"still here").expect("the pipe lives");
    let mut bytes = [0; 16];
    let count = rustix::io::read(&kept[0], &mut bytes).expect("the pipe lives");
    assert_eq!(&bytes[..count], b"still here");
}

fn exec_is_told_only_when_it_happened() {
    let init = Init::start();
    let mut manager = init.greeted();
    manager.spawn_with(1, WatchExec::Yes, shell("exit 0"), &[]);
    assert_eq!(manager.hear_until("exited"), ["spawned 1", "executed 1", "exited 1 Code(0)"]);
    manager.spawn_with(2, WatchExec::Yes, exec(&["/nonexistent"]), &[]);
    assert_eq!(manager.hear_until("exited"), ["spawned 2", "exited 2 Code(203)"]);
    manager.spawn_with(3, WatchExec::Yes, vec![Step::Session], &[]);
    assert_eq!(manager.hear_until("exited"), ["spawned 3", "exited 3 Code(203)"]);
}

fn orphans_come_to_init_and_can_be_tracked() {
    let init = Init::start();
    let mut manager = init.greeted();
    let path = init.directory.join("pid");
    let fork =
        format!("setsid sh -c 'echo $$ > {0}.new; mv {0}.new {0}; exec sleep 1000' & exit 0", path.display());
    manager.spawn(1, shell(&fork));
    manager.hear_until("exited 1 Code(0)");
    let pid = wait_for_pid(&path);
    manager.order(Order::Track { id: 2, pid });
    assert_eq!(manager.hear(), "tracked 2");
    manager.order(Order::Track { id: 2, pid });
    assert_eq!(manager.hear(), "tracked 2");
    manager.order(Order::Signal { id: 2, signal: 9 });
    assert_eq!(manager.hear(), "exited 2 Signal(9)");

    let fork = format!("sh -c 'echo $$ > {0}.new; mv {0}.new {0}2; exit 9' & exit 0", path.display());
    manager.spawn(3, shell(&fork));
    manager.hear_until("orphan Code(9)");
    let pid = wait_for_pid(&path.with_file_name("pid2"));
    manager.order(Order::Track { id: 4, pid });
    manager.hear_until("exited 4 Code(9)");
    manager.order(Order::Track { id: 5, pid });
    manager.hear_until("not-a-child 5");
    manager.order(Order::Track { id: 6, pid: std::process::id() });
    manager.hear_until("not-a-child 6");
}

fn wait_for_pid(path: &std::path::Path) -> u32 {
    for _ in 0..5000 {
        if let Ok(text) = std::fs::read_to_string(path) {
            return text.trim().parse().expect("a pid");
        }
        std::thread::sleep(std::time::Duration::from_millis(2));
    }
    panic!("no pid appeared in {}", path.display())
}

fn signals_to_init_are_told() {
    let init = Init::start();
    let mut manager = init.greeted();
    init.signal(Signal::HUP);
    assert_eq!(manager.hear(), "signalled 1");
    init.signal(Signal::TERM);
    assert_eq!(manager.hear(), "signalled 15");
    let number = format!("-{}", 34 + 3);
    let pid = init.process.id().to_string();
    let status = std::process::Command::new("/bin/kill").args([&number, &pid]).status();
    assert!(status.is_ok_and(|status| status.success()));
    assert_eq!(manager.hear(), "signalled 37");
}

fn a_signal_is_told_again_until_it_was_heard() {
    let init = Init::start();
    let mut first = init.greeted();
    init.signal(Signal::HUP);
    assert_eq!(first.hear(), "signalled 1");
    first.order(Order::Heard { signal: 1 });
    init.signal(Signal::TERM);
    assert_eq!(first.hear(), "signalled 15");
    // One of its kind is not told twice: a manager could not say which it means by `Heard`.
    init.signal(Signal::TERM);
    init.signal(Signal::USR1);
    assert_eq!(first.hear(), "signalled 10");
    first.die();
    let mut second = init.greeted();
    assert_eq!([second.hear(), second.hear()], ["signalled 10", "signalled 15"]);
    init.signal(Signal::TERM);
    second.order(Order::Heard { signal: 15 });
    assert_eq!(second.hear(), "signalled 15");
}

fn a_signal_goes_to_living_children_only() {
    let init = Init::start();
    let mut manager = init.greeted();
    manager.spawn(1, shell("exit 0"));
    manager.hear_until("exited");
    manager.order(Order::Signal { id: 1, signal: 9 });
    manager.order(Order::Signal { id: 99, signal: 9 });
    manager.spawn(2, shell("trap 'exit 5' USR1; kill -STOP $$; sleep 1000 & wait"));
    manager.hear_until("spawned");
    manager.order(Order::Signal { id: 2, signal: Signal::USR1.as_raw() });
    manager.order(Order::Signal { id: 2, signal: Signal::CONT.as_raw() });
    manager.order(Order::Signal { id: 2, signal: Signal::KILL.as_raw() });
    let end = manager.hear_until("exited");
    assert!(
        ["exited 2 Code(5)", "exited 2 Signal(9)", "exited 2 Signal(10)"].contains(&end[0].as_str()),
        "{end:?}"
    );
}

fn orders_of_a_manager_that_died_are_obeyed() {
    let init = Init::start();
    let mut first = init.greeted();
    init.signal(Signal::STOP);
    first.spawn(1, shell("exit 6"));
    first.order_with(Order::Put { name: "late" }, &[std::io::stdin().as_fd()]);
    first.die();
    init.signal(Signal::CONT);
    let mut second = init.manager();
    second.order(Order::Hello);
    let mut heard = second.hear_until("snapshot-end 1");
    if !heard.contains(&"exited 1 Code(6)".to_owned()) {
        heard.push(second.hear());
    }
    assert!(heard.contains(&"exited 1 Code(6)".to_owned()), "{heard:?}");
    assert!(heard.contains(&"kept late 1".to_owned()), "{heard:?}");
}

fn a_thousand_children_at_once() {
    let init = Init::start();
    let mut manager = init.greeted();
    for id in 1..=1000 {
        manager.spawn_with(id, WatchExec::Yes, exec(&["/bin/true"]), &[]);
    }
    let (mut spawned, mut executed, mut exited) = (0, 0, 0);
    while exited < 1000 {
        match manager.hear().split(' ').next().unwrap_or("") {
            "spawned" => spawned += 1,
            "executed" => executed += 1,
            "exited" => exited += 1,
            other => panic!("{other}"),
        }
    }
    assert_eq!((spawned, executed), (1000, 1000));
}

/// Some cases change users, which only root may.
pub fn is_root(case: &str) -> bool {
    let root = rustix::process::geteuid().is_root();
    if !root {
        println!("SKIPPED: {case}: needs root");
    }
    root
}

fn finish_stops_what_is_left() {
    let init = Init::start();
    let mut manager = init.greeted();
    let out = init.directory.join("out");
    let print = format!("trap 'echo stopped >> {}; exit 0' TERM; echo; sleep 1000 & wait", out.display());
    let fifo = init.directory.join("fifo");
    let steps = vec![Step::Stdout(Output::Truncate(fifo.display().to_string()))];
    manager.spawn(1, shell_after(steps, &print));
    manager.hear_until("spawned");
    while std::fs::read_to_string(&fifo).is_ok_and(|text| text.is_empty()) || !fifo.exists() {
        std::thread::sleep(std::time::Duration::from_millis(2));
    }
    manager.order(Order::Finish(Finish::Exit(42)));
    let path = out.clone();
    let text = std::thread::spawn(move || {
        loop {
            if let Ok(text) = std::fs::read_to_string(&path)
                && !text.is_empty()
            {
                return text;
            }
            std::thread::sleep(std::time::Duration::from_millis(2));
        }
    });
    assert_eq!(text.join().expect("text"), "stopped\n");
    assert_eq!(init.exit_code(), Some(42));
}

fn as_pid_1_everything_ends_with_it() {
    if !is_root("as_pid_1_everything_ends_with_it") {
        return;
    }
    let init = Init::start_first();
    let mut manager = init.greeted();
    let stray = init.directory.join("stray");
    // Gone from its session and deaf to SIGTERM.
    let fork = format!(
        "setsid sh -c 'trap \"\" TERM; echo $$ > {0}.new; mv {0}.new {0}; sleep 1000' &",
        stray.display()
    );
    manager.spawn(1, shell(&fork));
    manager.hear_until("exited 1");
    wait_for_pid(&stray);
    manager.order(Order::Finish(Finish::Exit(42)));
    assert_eq!(init.exit_code(), Some(42));
}

fn as_pid_1_power_off_ends_the_namespace() {
    if !is_root("as_pid_1_power_off_ends_the_namespace") {
        return;
    }
    let init = Init::start_first();
    let mut manager = init.greeted();
    manager.order(Order::Finish(Finish::PowerOff));
    // reboot(2) in a pid namespace ends its first process with a signal.
    assert_eq!(init.exit_code(), None);
}

fn a_manager_that_never_served_ends_init_with_its_code() {
    let init = Init::start_with(&["up", "/nonexistent"]);
    init.manager().exit(4);
    assert_eq!(init.exit_code(), Some(4));
}

fn two_terms_end_init_without_a_manager() {
    let init = Init::start();
    let _silent = init.manager();
    init.signal(Signal::TERM);
    init.signal(Signal::INT);
    assert_eq!(init.exit_code(), Some(1));
}

fn a_wrong_argument_is_one_line() {
    let mut init = Init::start_with(&["init", "--nonsense"]);
    let mut text = String::new();
    init.process.stderr.as_mut().expect("piped").read_to_string(&mut text).expect("text");
    assert_eq!(init.exit_code(), Some(2));
    assert!(text.starts_with("eudaemon init: unknown argument \"--nonsense\""), "{text}");
    assert_eq!(text.lines().count(), 1);
}

fn background_returns_when_ready() {
    let init = Init::start_with(&["init", "--user", "--background"]);
    let mut manager = init.manager();
    manager.order(Order::Hello);
    manager.hear_until("snapshot-end");
    manager.order(Order::Ready);
    let mut process_is_done = None;
    manager.spawn(1, shell("echo words"));
    manager.hear_until("exited 1 Code(0)");
    let log = std::fs::read_to_string(init.directory.join("eudaemon/console.log")).expect("a log");
    process_is_done.get_or_insert(log.clone());
    assert_eq!(log, "words\n");
    manager.order(Order::Finish(Finish::Exit(0)));
    assert_eq!(manager.hear_until("closed").last().map(String::as_str), Some("closed"));
    assert_eq!(init.exit_code(), Some(0));
}

fn background_fails_with_the_reason() {
    let mut init = Init::start_with(&["init", "--user", "--background"]);
    init.manager().exit(5);
    let mut text = String::new();
    init.process.stderr.as_mut().expect("piped").read_to_string(&mut text).expect("text");
    assert!(text.contains("ended before it was ready"), "{text}");
    assert_eq!(init.exit_code(), Some(5));
}
