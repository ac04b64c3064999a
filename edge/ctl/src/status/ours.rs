//! What eudaemon alone tells of a unit: why it is not up, whether it is well, which of its directives are not acted on.

use super::block::{Block, Facts};
use crate::bus::Value;
use crate::limits::IGNORED_SHOWN;
use crate::line::Scope;
use crate::text::paint::Style;
use crate::verb::Cause;
use eudaemon_engine::why::Tells;
use eudaemon_verify::Dropped;

/// What went wrong with a unit's last start or run, from the causes of its last change, and what it was started without;
/// nothing where nothing did, or where the row of its conditions says it.
pub fn faults(unit: &str, causes: &[Cause]) -> Vec<String> {
    let mut lines = Vec::new();
    for (place, Cause { unit: of, tells, text, .. }) in causes.iter().enumerate() {
        match tells {
            Some(Tells::Failed | Tells::NotStarted) if place == 0 => lines.push(text.clone()),
            Some(Tells::Lacking) if of == unit => lines.push(text.clone()),
            Some(Tells::Failed | Tells::NotStarted) if of != unit && !lines.is_empty() => {
                lines.push(format!("because {of} {text}"));
            }
            Some(Tells::Up | Tells::Down) if place == 0 => {}
            // Who asked for it is no fault.
            Some(
                Tells::Up
                | Tells::Down
                | Tells::Failed
                | Tells::NotStarted
                | Tells::Unmet
                | Tells::Lacking
                | Tells::Asked,
            )
            | None => break,
        }
    }
    lines
}

/// Lines of a unit's files that are passed over: the first in full, the others counted; nothing where there is none. `named`
/// is what `verify` knows the unit by.
pub fn ignored(dropped: &[Dropped], named: &str, scope: Scope) -> Option<String> {
    let Dropped { file, line, said, why } = dropped.first()?;
    let said = match said.char_indices().nth(IGNORED_SHOWN) {
        Some((at, _)) => format!("{}…", &said[..at]),
        None => said.clone(),
    };
    let user = if scope == Scope::User { " --user" } else { "" };
    let more = match dropped.len() - 1 {
        0 => format!("see: eudaemon verify{user} {named}"),
        more => format!("+{more} more, see: eudaemon verify{user} {named}"),
    };
    Some(format!("{file}:{line} {said}: {why} ({more})"))
}

/// The condition that kept a unit down and that it does not know of itself any more.
pub fn skipped(causes: &[Cause]) -> Option<&Cause> {
    causes.first().filter(|cause| cause.tells == Some(Tells::Unmet))
}

/// Whether it is well, by what it was asked (`[X-Health]`), and what the last probe came to if that failed.
pub(super) fn health(facts: &Facts, block: &mut Block) {
    let told = facts.ours.list("Health");
    let text = |at: usize| told.get(at).and_then(Value::text).unwrap_or("");
    let number = |at: usize| told.get(at).and_then(Value::unsigned).unwrap_or(0);
    let (word, trouble) = (text(0), text(3));
    if word.is_empty() {
        return;
    }
    let style = match word {
        "healthy" => Style::Good,
        "unhealthy" => Style::Bad,
        _ => Style::Plain,
    };
    let since = facts.clock.point(number(1)).zip(facts.clock.distance(number(1)));
    let since = since.map_or(String::new(), |(point, distance)| format!(" since {point}; {distance}"));
    block.row("Health", &format!("{}{since}", facts.paint.text(style, word)));
    if !trouble.is_empty() {
        let failures = match number(2) {
            0 | 1 => "last probe".to_owned(),
            failures => format!("{failures} probes in a row failed, the last"),
        };
        block.below(&format!("{failures}: {trouble}"));
    }
}

/// Directives that do not do here what they say, one line for each reason.
pub(super) fn verdicts(facts: &Facts, block: &mut Block) {
    let mut reasons: Vec<(&str, Vec<&str>)> = Vec::new();
    for verdict in facts.ours.list("Verdicts") {
        let text = |at: usize| verdict.list().get(at).and_then(Value::text).unwrap_or("");
        match reasons.iter_mut().find(|(reason, _)| *reason == text(1)) {
            Some((_, keys)) => keys.push(text(0)),
            None => reasons.push((text(1), vec![text(0)])),
        }
    }
    let line = |(reason, keys): &(&str, Vec<&str>)| match *reason {
        "not yet" => format!("not acted on yet: {}=", keys.join("= ")),
        reason => match reason.strip_prefix("no: ") {
            Some(why) => format!("never acted on, for {why}: {}=", keys.join("= ")),
            None => format!("acted on {reason}: {}=", keys.join("= ")),
        },
    };
    let lines: Vec<String> = reasons.iter().map(line).collect();
    block.rows("Verdict", &lines);
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(causes: &[(&str, Tells, &str)], expected: &[&str]) {
        let cause = |(unit, tells, text): &(&str, Tells, &str)| Cause {
            unit: unit.to_string(),
            realtime: 0,
            monotonic: 0,
            tells: Some(*tells),
            text: text.to_string(),
        };
        let causes: Vec<Cause> = causes.iter().map(cause).collect();
        assert_eq!(faults("web.service", &causes), expected);
    }

    #[test]
    fn a_fault_is_told_down_to_its_root() {
        check(
            &[
                ("web.service", Tells::NotStarted, "was not started: it needs data.swap"),
                ("data.swap", Tells::NotStarted, "was not started: this kind of unit is not supported yet"),
                ("data.swap", Tells::Asked, "was part of a transaction"),
            ],
            &[
                "was not started: it needs data.swap",
                "because data.swap was not started: this kind of unit is not supported yet",
            ],
        );
        check(&[("web.service", Tells::Failed, "failed: no READY=1")], &["failed: no READY=1"]);
        check(&[("web.service", Tells::Down, "went down: its stop was asked for by systemctl")], &[]);
        check(&[("web.service", Tells::Unmet, "was not started: ConditionPathExists=/x does not hold")], &[]);
    }

    #[test]
    fn lines_that_count_for_nothing() {
        let dropped = |said: &str| Dropped {
            file: "/etc/systemd/system/a.service".to_owned(),
            line: 4,
            said: said.to_owned(),
            why: "Invalid URL".to_owned(),
        };
        let told = |said: &[&str], scope| {
            let all: Vec<Dropped> = said.iter().map(|said| dropped(said)).collect();
            ignored(&all, "a.service", scope)
        };
        assert_eq!(told(&[], Scope::System), None);
        assert_eq!(
            told(&["Http=htp://x"], Scope::System).unwrap(),
            "/etc/systemd/system/a.service:4 Http=htp://x: Invalid URL (see: eudaemon verify a.service)"
        );
        assert_eq!(
            told(&[&format!("Http={}", "x".repeat(100)), "a", "b"], Scope::User).unwrap(),
            format!(
                "/etc/systemd/system/a.service:4 Http={}…: Invalid URL (+2 more, see: eudaemon verify --user a.service)",
                "x".repeat(IGNORED_SHOWN - 5)
            )
        );
    }

    #[test]
    fn what_it_lacks_is_told_of_what_is_up() {
        check(
            &[
                ("web.service", Tells::Up, "came up"),
                ("web.service", Tells::Lacking, "was started without db.service"),
                ("top.target", Tells::Up, "came up"),
            ],
            &["was started without db.service"],
        );
        check(
            &[
                ("web.service", Tells::Up, "came up"),
                ("top.target", Tells::Up, "came up"),
                ("top.target", Tells::Lacking, "was started without db.service"),
            ],
            &[],
        );
    }
}
