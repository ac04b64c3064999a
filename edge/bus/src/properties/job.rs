//! org.freedesktop.systemd1.Job.

use super::{Access, Emits, JobRow, Parts, Property, none, num, text};
use crate::model::{Job, JobState};
use zbus::Variant;

/// What a job's properties are read from.
pub struct JobCx<'m> {
    pub job: &'m Job,
}

const fn row(
    name: &'static str,
    signature: &'static str,
    emits: Emits,
    read: for<'a> fn(&'a JobCx<'_>) -> Variant<'a>,
) -> JobRow {
    Property { name, signature, emits, access: Access::Read, read }
}

pub const JOB: Parts<for<'a> fn(&'a JobCx<'_>) -> Variant<'a>> = &[&[
    row("Id", "u", Emits::Const, |cx| num(cx.job.id.0)),
    row("Unit", "(so)", Emits::Const, |cx| {
        Variant::from((cx.job.unit.as_str().to_owned(), crate::path::unit(&cx.job.unit)))
    }),
    row("JobType", "s", Emits::Const, |cx| text(cx.job.kind.word())),
    row("State", "s", Emits::Value, |cx| text(job_state_word(cx.job.running))),
    row("ActivationDetails", "a(ss)", Emits::Const, |_| none::<(String, String)>()),
]];

pub fn job_state_word(state: JobState) -> &'static str {
    match state {
        JobState::Waiting => "waiting",
        JobState::Running => "running",
    }
}
