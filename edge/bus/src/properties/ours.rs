//! What we say of a unit and systemd has no word for: `org.eudaemon1.Unit`. It is asked for by name alone: a
//! client that wants all properties of all interfaces gets systemd's.

use super::{Emits, UnitCx, UnitRow, row};
use eudaemon_unit::directives;
use zbus::Variant;

pub const OURS: &[UnitRow] = &[row("Verdicts", "a(ss)", Emits::Const, verdicts)];

/// Which of its directives are not acted on in full: `PrivateTmp`, and how far.
fn verdicts<'a>(cx: &'a UnitCx<'_>) -> Variant<'a> {
    let verdicts = directives::verdicts(&cx.unit.config);
    let said: Vec<(String, String)> =
        verdicts.into_iter().map(|(key, support)| (key.to_owned(), support.words())).collect();
    Variant::from(said)
}
