//! What one plan may hold of anything.

use super::*;
use crate::limits;

fn remarks(units: &str) -> usize {
    let (graph, present) = world(units);
    let unit = graph.id(&name("a")).unwrap();
    let ask = Ask { unit, kind: JobKind::Start, mode: JobMode::Replace, origin: Origin::Client };
    plan(&graph, &present, ask).unwrap().remarks.len()
}

#[test]
fn remarks_end_at_the_limit() {
    let each = |what: fn(usize) -> String| (0..limits::REMARKS + 3).map(what).collect::<String>();
    let wants = each(|n| format!(" Wants=w{n}"));
    let masked = each(|n| format!("w{n}: masked\n"));
    assert_eq!(remarks(&format!("a:{wants}\n{masked}")), limits::REMARKS);
    let rings = each(|n| format!("w{n}: After=a Before=a\n"));
    assert_eq!(remarks(&format!("a:{wants}\n{rings}")), limits::REMARKS);
}
