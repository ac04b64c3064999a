//! How jobs for one unit combine. Two kinds either merge into one that serves both, or conflict; what a kind
//! comes to depends on whether the unit is up. Pure tables: the laws are tested over all kinds and states.

use crate::api::{ActiveState, JobKind};

/// One job that serves both, or `None`: they contradict each other. Commutative and associative.
pub fn merge(a: JobKind, b: JobKind) -> Option<JobKind> {
    use JobKind::{Nop, Reload, ReloadOrStart, Restart, Start, Stop, TryReload, TryRestart, VerifyActive};
    match (a, b) {
        (a, b) if a == b => Some(a),
        (Nop, other) | (other, Nop) => Some(other),
        (Stop, Start | VerifyActive | Reload | ReloadOrStart | Restart | TryRestart | TryReload)
        | (Start | VerifyActive | Reload | ReloadOrStart | Restart | TryRestart | TryReload, Stop) => None,
        (Restart, Start | VerifyActive | Reload | ReloadOrStart | TryRestart | TryReload)
        | (Start | VerifyActive | Reload | ReloadOrStart | TryRestart | TryReload, Restart) => Some(Restart),
        // A conditional kind is collapsed before it is ever queued; beside others it counts as the plain kind.
        (TryRestart, Start | VerifyActive | Reload | ReloadOrStart | TryReload)
        | (Start | VerifyActive | Reload | ReloadOrStart | TryReload, TryRestart) => Some(Restart),
        (TryReload, other) | (other, TryReload) => merge_plain(Reload, other),
        (a, b) => merge_plain(a, b),
    }
}

/// Among Start, VerifyActive, Reload and ReloadOrStart.
fn merge_plain(a: JobKind, b: JobKind) -> Option<JobKind> {
    use JobKind::{Reload, ReloadOrStart, Start, VerifyActive};
    let has = |kind| a == kind || b == kind;
    if a == b {
        Some(a)
    } else if has(ReloadOrStart) || (has(Reload) && has(Start)) {
        Some(ReloadOrStart)
    } else if has(Reload) {
        Some(Reload)
    } else {
        debug_assert!(has(Start) && has(VerifyActive), "all other pairs are dealt with");
        Some(Start)
    }
}

/// What a kind comes to for a unit in this state.
pub fn collapse(kind: JobKind, state: ActiveState) -> JobKind {
    match kind {
        JobKind::TryRestart if is_down_or_going(state) => JobKind::Nop,
        JobKind::TryRestart => JobKind::Restart,
        // What is still coming up has nothing to reload yet.
        JobKind::TryReload if is_up(state) => JobKind::Reload,
        JobKind::TryReload => JobKind::Nop,
        JobKind::ReloadOrStart if is_up(state) => JobKind::Reload,
        JobKind::ReloadOrStart => JobKind::Start,
        JobKind::Start
        | JobKind::VerifyActive
        | JobKind::Stop
        | JobKind::Reload
        | JobKind::Restart
        | JobKind::Nop => kind,
    }
}

pub fn merge_and_collapse(a: JobKind, b: JobKind, state: ActiveState) -> Option<JobKind> {
    merge(a, b).map(|kind| collapse(kind, state))
}

pub fn conflict(a: JobKind, b: JobKind) -> bool {
    merge(a, b).is_none()
}

/// `a` already does what `b` asks.
pub fn includes(a: JobKind, b: JobKind) -> bool {
    merge(a, b) == Some(a)
}

/// Nothing would happen: the unit is where the job leads.
pub fn is_redundant(kind: JobKind, state: ActiveState) -> bool {
    match kind {
        JobKind::Start | JobKind::VerifyActive => is_up(state),
        JobKind::Stop => is_down(state),
        JobKind::Reload => state == ActiveState::Reloading,
        JobKind::Restart | JobKind::TryRestart | JobKind::TryReload | JobKind::ReloadOrStart => false,
        JobKind::Nop => true,
    }
}

/// May join a job of its unit that already runs. A reload may not: the configuration may have changed since.
pub fn joins_running(kind: JobKind) -> bool {
    kind != JobKind::Reload
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum First {
    This,
    Other,
    Neither,
}

/// Of two jobs whose units are ordered, `this` unit before the `other`: which runs first. What brings a unit
/// down always goes first, and of two of those the later unit's.
pub fn first(this: JobKind, other: JobKind) -> First {
    match (this, other) {
        (JobKind::Nop, _) | (_, JobKind::Nop) => First::Neither,
        (_, JobKind::Stop | JobKind::Restart | JobKind::TryRestart) => First::Other,
        (
            _,
            JobKind::Start
            | JobKind::VerifyActive
            | JobKind::Reload
            | JobKind::ReloadOrStart
            | JobKind::TryReload,
        ) => First::This,
    }
}

pub fn is_up(state: ActiveState) -> bool {
    match state {
        ActiveState::Active | ActiveState::Reloading => true,
        ActiveState::Inactive
        | ActiveState::Failed
        | ActiveState::Activating
        | ActiveState::Deactivating
        | ActiveState::Maintenance => false,
    }
}

pub fn is_up_or_coming(state: ActiveState) -> bool {
    is_up(state) || state == ActiveState::Activating
}

pub fn is_down(state: ActiveState) -> bool {
    match state {
        ActiveState::Inactive | ActiveState::Failed => true,
        ActiveState::Active
        | ActiveState::Reloading
        | ActiveState::Activating
        | ActiveState::Deactivating
        | ActiveState::Maintenance => false,
    }
}

pub fn is_down_or_going(state: ActiveState) -> bool {
    is_down(state) || state == ActiveState::Deactivating
}

#[cfg(test)]
mod tests {
    use super::*;
    use expect_test::expect;

    const KINDS: [JobKind; 9] = [
        JobKind::Start,
        JobKind::VerifyActive,
        JobKind::Stop,
        JobKind::Reload,
        JobKind::ReloadOrStart,
        JobKind::Restart,
        JobKind::TryRestart,
        JobKind::TryReload,
        JobKind::Nop,
    ];
    const STATES: [ActiveState; 7] = [
        ActiveState::Active,
        ActiveState::Reloading,
        ActiveState::Inactive,
        ActiveState::Failed,
        ActiveState::Activating,
        ActiveState::Deactivating,
        ActiveState::Maintenance,
    ];

    #[test]
    fn merging_is_commutative() {
        for a in KINDS {
            for b in KINDS {
                assert_eq!(merge(a, b), merge(b, a), "{a:?} {b:?}");
            }
        }
    }

    #[test]
    fn merging_is_associative_for_all_triples() {
        for a in KINDS {
            for b in KINDS {
                for c in KINDS {
                    let left = merge(a, b).and_then(|ab| merge(ab, c));
                    let right = merge(b, c).and_then(|bc| merge(a, bc));
                    assert_eq!(left, right, "{a:?} {b:?} {c:?}");
                }
            }
        }
    }

    #[test]
    fn collapsed_merging_is_associative_in_every_state() {
        for state in STATES {
            let collapsed = |a, b| merge_and_collapse(a, b, state);
            for a in KINDS.map(|kind| collapse(kind, state)) {
                for b in KINDS.map(|kind| collapse(kind, state)) {
                    for c in KINDS.map(|kind| collapse(kind, state)) {
                        let left = collapsed(a, b).and_then(|ab| collapsed(ab, c));
                        let right = collapsed(b, c).and_then(|bc| collapsed(a, bc));
                        let start_or_reload = |kind| matches!(kind, Some(JobKind::Start | JobKind::Reload));
                        // Start and reload collapse into each other by state; which is left is the state's word.
                        if !(start_or_reload(left) && start_or_reload(right)) {
                            assert_eq!(left, right, "{a:?} {b:?} {c:?} {state:?}");
                        }
                    }
                }
            }
        }
    }

    #[test]
    fn a_merged_job_includes_both() {
        for a in KINDS {
            for b in KINDS {
                if let Some(both) = merge(a, b) {
                    assert!(includes(both, a) && includes(both, b), "{a:?} {b:?} {both:?}");
                }
            }
        }
    }

    #[test]
    fn kinds_merge_as_the_table_says() {
        let word = |kind: Option<JobKind>| kind.map_or("-", JobKind::word);
        let row = |(place, a): (usize, JobKind)| {
            let merged: Vec<&str> = KINDS[..place].iter().map(|b| word(merge(a, *b))).collect();
            format!("{}: {}\n", a.word(), merged.join(" "))
        };
        let table: String = KINDS.into_iter().enumerate().skip(1).map(row).collect();
        expect![[r#"
            verify-active: start
            stop: - -
            reload: reload-or-start reload -
            reload-or-start: reload-or-start reload-or-start - reload-or-start
            restart: restart restart - restart restart
            try-restart: restart restart - restart restart restart
            try-reload: reload-or-start reload - reload reload-or-start restart restart
            nop: start verify-active stop reload reload-or-start restart try-restart try-reload
        "#]]
        .assert_eq(&table);
    }

    #[test]
    fn collapsing_twice_changes_nothing() {
        for state in STATES {
            for kind in KINDS {
                let once = collapse(kind, state);
                assert_eq!(collapse(once, state), once);
            }
        }
    }

    #[test]
    fn stops_run_in_reverse() {
        assert_eq!(first(JobKind::Start, JobKind::Start), First::This);
        assert_eq!(first(JobKind::Stop, JobKind::Stop), First::Other);
        assert_eq!(first(JobKind::Stop, JobKind::Start), First::This);
        assert_eq!(first(JobKind::Start, JobKind::Stop), First::Other);
    }

    #[test]
    fn what_does_nothing_waits_for_nobody() {
        for kind in KINDS {
            assert_eq!(
                (first(JobKind::Nop, kind), first(kind, JobKind::Nop)),
                (First::Neither, First::Neither)
            );
        }
    }
}
