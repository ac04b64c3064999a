//! Draws a case: a few units with relations of all kinds, and steps that start, stop, reload, isolate, kill and contradict
//! each other while processes of the units still wait.

use super::case::{Case, UNHELD, UnitText};
use super::random::Random;

const GATE: &str = "/usr/local/bin/gate";

/// Relations, by how often each is drawn.
const RELATIONS: [(usize, &str); 17] = [
    (14, "Requires"),
    (12, "Wants"),
    (10, "BindsTo"),
    (10, "PartOf"),
    (6, "Requisite"),
    (5, "Upholds"),
    (9, "Conflicts"),
    (12, "After"),
    (8, "Before"),
    (7, "OnFailure"),
    (5, "OnSuccess"),
    (4, "PropagatesReloadTo"),
    (3, "ReloadPropagatedFrom"),
    (4, "PropagatesStopTo"),
    (3, "StopPropagatedFrom"),
    (2, "Requires=missing.service\nAfter"),
    (1, "Wants=missing.service\nAfter"),
];

const VERBS: [(usize, &str); 12] = [
    (38, "start"),
    (20, "stop"),
    (12, "restart"),
    (5, "try-restart"),
    (6, "reload"),
    (4, "reload-or-restart"),
    (3, "reload-or-try-restart"),
    (6, "isolate"),
    (6, "kill"),
    (3, "reset-failed"),
    (5, "cancel"),
    (3, "daemon-reload"),
];

const MODES: [(usize, &str); 9] = [
    (70, "replace"),
    (8, "fail"),
    (6, "replace-irreversibly"),
    (6, "ignore-dependencies"),
    (4, "ignore-requirements"),
    (2, "isolate"),
    (3, "flush"),
    (2, "triggering"),
    (1, "no-such-mode"),
];

pub fn case(seed: u64) -> Case {
    let random = &mut Random::new(seed);
    let count = 2 + random.below(4);
    let names: Vec<String> = (0..count).map(|number| name(number, random)).collect();
    let mut units: Vec<UnitText> = names.iter().map(|name| unit(name, random)).collect();
    for _ in 0..count + random.below(count + 1) {
        relate(&mut units, random);
    }
    let mut steps: Vec<Vec<String>> = (0..6 + random.below(10)).map(|_| step(&names, random)).collect();
    if random.percent(40) {
        steps.insert(0, vec![UNHELD.to_owned()]);
    }
    Case { units, steps }
}

fn name(number: usize, random: &mut Random) -> String {
    let letter = char::from(b'a' + number as u8);
    let kind = random.weighted(&[(78, "service"), (22, "target")]);
    format!("{letter}.{kind}")
}

fn unit(name: &str, random: &mut Random) -> UnitText {
    let mut lines = vec!["[Unit]".to_owned(), "DefaultDependencies=no".to_owned()];
    for (chance, line) in [
        (5, "ConditionPathExists=/nonexistent"),
        (3, "ConditionPathExists=!/nonexistent"),
        (2, "AssertPathExists=/nonexistent"),
        (3, "RefuseManualStart=yes"),
        (3, "RefuseManualStop=yes"),
        (10, "StopWhenUnneeded=yes"),
        (8, "IgnoreOnIsolate=yes"),
        (25, "AllowIsolate=yes"),
        (4, "CollectMode=inactive-or-failed"),
    ] {
        if random.percent(chance) {
            lines.push(line.to_owned());
        }
    }
    if name.ends_with(".service") {
        service(name, &mut lines, random);
    }
    UnitText { name: name.to_owned(), lines }
}

fn service(name: &str, lines: &mut Vec<String>, random: &mut Random) {
    let limits = [(85, "StartLimitIntervalSec=0"), (15, "StartLimitIntervalSec=1h\nStartLimitBurst=2")];
    push(lines, random.weighted(&limits));
    let what = random.weighted(&[(45, "start"), (25, "run"), (8, "exec"), (16, "notify"), (6, "fork")]);
    let kind = match what {
        "start" => "oneshot",
        "run" => "simple",
        "fork" => "forking",
        other => other,
    };
    push(lines, &format!("[Service]\nType={kind}\nStandardOutput=null\nStandardError=null"));
    let mut command = |key: &str, what: &str, random: &mut Random| {
        let mark = if random.percent(8) { "-" } else { "" };
        lines.push(format!("{key}={mark}{GATE} {name} {what}"));
    };
    for (chance, key, word) in [
        (5, "ExecCondition", "condition"),
        (10, "ExecStartPre", "pre"),
        (100, "ExecStart", what),
        (if kind == "oneshot" { 10 } else { 0 }, "ExecStart", "second"),
        (10, "ExecStartPost", "post"),
        (35, "ExecReload", "reload"),
        (25, "ExecStop", "stop"),
        (12, "ExecStopPost", "stoppost"),
    ] {
        if random.percent(chance) {
            command(key, word, random);
        }
    }
    if random.percent(if kind == "oneshot" { 60 } else { 10 }) {
        push(lines, "RemainAfterExit=yes");
    }
    if random.percent(18) {
        let when = [(5, "on-failure"), (2, "always"), (1, "on-success"), (1, "on-abnormal"), (1, "on-abort")];
        let after = [(1, "1h"), (2, "20ms")];
        push(lines, &format!("Restart={}\nRestartSec={}", random.weighted(&when), random.weighted(&after)));
    }
    for (chance, line) in
        [(4, "SuccessExitStatus=1"), (3, "RestartPreventExitStatus=1"), (3, "RestartForceExitStatus=1")]
    {
        if random.percent(chance) {
            push(lines, line);
        }
    }
}

fn push(lines: &mut Vec<String>, text: &str) {
    lines.extend(text.lines().map(str::to_owned));
}

/// One relation from one unit to another, rarely to itself; what pulls in is often ordered too.
fn relate(units: &mut [UnitText], random: &mut Random) {
    let (from, mut to) = (random.below(units.len()), random.below(units.len()));
    if from == to && random.percent(90) {
        to = (to + 1) % units.len();
    }
    let other = units[to].name.clone();
    let key = random.weighted(&RELATIONS);
    let mut wanted: Vec<String> = format!("{key}={other}").lines().map(str::to_owned).collect();
    let pulls = !["After", "Before"].iter().any(|order| key.ends_with(order));
    if pulls && random.percent(55) {
        let order = random.weighted(&[(4, "After"), (1, "Before")]);
        wanted.push(format!("{order}={other}"));
    }
    if key == "OnFailure" && random.percent(25) {
        wanted.push(format!("OnFailureJobMode={}", random.weighted(&MODES[..8])));
    }
    for line in wanted {
        if !units[from].lines.contains(&line) {
            units[from].lines.insert(1, line);
        }
    }
}

fn step(names: &[String], random: &mut Random) -> Vec<String> {
    let unit = &names[random.below(names.len())];
    let text = if random.percent(50) {
        let code = random.weighted(&[(75, 0), (25, 1)]);
        format!("release {} {code}", random.below(4))
    } else {
        match random.weighted(&VERBS) {
            "isolate" => format!("start {unit} isolate"),
            "kill" => {
                let signal = random.weighted(&[(3, 9), (3, 15), (1, 6)]);
                format!(
                    "kill {unit} {} {signal}",
                    random.weighted(&[(3, "main"), (2, "all"), (1, "control")])
                )
            }
            "reset-failed" => format!("reset-failed {unit}"),
            "cancel" => format!("cancel {}", random.below(4)),
            "daemon-reload" => "daemon-reload".to_owned(),
            verb => format!("{verb} {unit} {}", random.weighted(&MODES)),
        }
    };
    text.split(' ').map(str::to_owned).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_seed_is_a_case_that_survives_its_text() {
        for seed in 0..200 {
            let drawn = case(seed);
            assert_eq!(drawn, case(seed));
            assert_eq!(Case::parse(&drawn.to_string()).unwrap(), drawn, "seed {seed}");
        }
    }
}
