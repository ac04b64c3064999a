//! What we say of a unit and systemd has no word for: `org.eudaemon1.Unit`. It is asked for by name alone: a
//! client that wants all properties of all interfaces gets systemd's.

use super::{Emits, UnitCx, UnitRow, row};
use crate::model::Run;
use eudaemon_unit::directives;
use zbus::Variant;

pub const OURS: &[UnitRow] =
    &[row("Health", "(stus)", Emits::No, health), row("Verdicts", "a(ss)", Emits::Const, verdicts)];

/// Whether it is well (`starting`, `healthy`, `unhealthy`), since when, how many probes in a row failed, and what the last came
/// to if it did. An empty word: it is not asked, or not up.
fn health<'a>(cx: &'a UnitCx<'_>) -> Variant<'a> {
    let (word, since, failures, trouble) = match &cx.unit.run {
        Run::Service(run) => match &run.health {
            Some(health) => {
                let trouble = health.trouble.as_deref().unwrap_or("");
                (health.verdict.word(), health.since.realtime, health.failures, trouble)
            }
            None => ("", 0, 0, ""),
        },
        Run::Socket(_) | Run::Mount(_) | Run::Plain => ("", 0, 0, ""),
    };
    Variant::from((word, since, failures, trouble))
}

/// Which of its directives are not acted on in full: `PrivateTmp`, and how far.
fn verdicts<'a>(cx: &'a UnitCx<'_>) -> Variant<'a> {
    let verdicts = directives::verdicts(&cx.unit.config);
    let said: Vec<(String, String)> =
        verdicts.into_iter().map(|(key, support)| (key.to_owned(), support.words())).collect();
    Variant::from(said)
}
