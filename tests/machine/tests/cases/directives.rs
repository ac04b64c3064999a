//! What directives come to, as `systemctl show` prints it under us and under real systemd: a unit for each line of
//! `directives.txt`, judged by how it differs from a unit without that line.

use crate::nine::candidate_for;
use anyhow::{Context, Result};
use eudaemon_machine_tests::candidate::Candidate;
use eudaemon_machine_tests::harness::{Case, Report};
use eudaemon_machine_tests::machine::{Confinement, Machine};
use std::collections::BTreeMap;
use std::time::Duration;

pub const CASES: &[Case] = &[Case { name: "directives-as-systemd", run: directives }];

const LINES: &str = include_str!("directives.txt");
pub const REAL: &str = "/lib/systemd/systemd";

/// Properties that tell of the moment, not of the unit file.
pub const MOMENTARY: &[&str] = &[
    "ConditionTimestamp",
    "ConditionTimestampMonotonic",
    "ControlGroupId",
    "EffectiveCPUs",
    "EffectiveMemoryNodes",
    "InvocationID",
    "NextElapseUSecMonotonic",
    "NextElapseUSecRealtime",
    "StateChangeTimestamp",
    "StateChangeTimestampMonotonic",
];

/// The kind, what every unit of it has, and the ending of its name.
const KINDS: [(&str, &str, &str); 7] = [
    ("service", "[Service]\nType=oneshot\nExecStart=/bin/true\n", "service"),
    ("unit", "[Service]\nType=oneshot\nExecStart=/bin/true\n[Unit]\n", "service"),
    ("socket", "[Socket]\nListenFIFO=/run/v.fifo\n", "socket"),
    ("timer", "[Timer]\nOnActiveSec=1h\n", "timer"),
    ("path", "[Path]\nPathExists=/nonexistent-v\n", "path"),
    ("mount", "[Mount]\nWhat=tmpfs\nType=tmpfs\nWhere=/NAME\n", "mount"),
    ("slice", "[Slice]\n", "slice"),
];

type Properties = BTreeMap<String, String>;

/// A unit of a line, and the plain one it is held against.
struct Sample {
    line: &'static str,
    name: String,
    plain: String,
    text: String,
}

fn samples() -> Result<Vec<Sample>> {
    let plain = |kind: &str, ending: &str| format!("plain{kind}.{ending}");
    let mut samples = Vec::new();
    for (kind, base, ending) in KINDS {
        let name = plain(kind, ending);
        let text = base.replace("NAME", &format!("plain{kind}"));
        samples.push(Sample { line: "", plain: name.clone(), name, text });
    }
    for (number, line) in LINES.lines().filter(|line| !line.starts_with('#')).enumerate() {
        let (kind, lines) = line.split_once(' ').with_context(|| format!("no kind: {line}"))?;
        let known =
            KINDS.iter().find(|(known, ..)| *known == kind).with_context(|| format!("kind {kind}?"))?;
        let stem = format!("v{number:03}");
        let text = format!("{}{}\n", known.1.replace("NAME", &stem), lines.replace("\\n", "\n"));
        samples.push(Sample { line, name: format!("{stem}.{}", known.2), plain: plain(kind, known.2), text });
    }
    Ok(samples)
}

fn directives(report: &mut Report) -> Result<()> {
    let Some(candidate) = candidate_for(report, Confinement::Privileged)? else { return Ok(()) };
    let samples = samples()?;
    let wanted = shown(&Candidate::Theirs(REAL.to_owned()), &samples).context("real systemd")?;
    let found = shown(&candidate, &samples).context("the candidate")?;
    let judged: Vec<&Sample> = samples.iter().filter(|sample| !sample.line.is_empty()).collect();
    let mut agreed = 0;
    for sample in &judged {
        let (want, got) = (effect(&wanted, sample), effect(&found, sample));
        match want == got {
            true => agreed += 1,
            false => report.check(sample.line, Err(difference(&want, &got))),
        }
    }
    let what = format!("{} lines are shown as under real systemd", judged.len());
    report.holds(&what, agreed == judged.len(), &format!("{agreed} are"));
    Ok(())
}

fn shown(candidate: &Candidate, samples: &[Sample]) -> Result<BTreeMap<String, Properties>> {
    let mut setup = candidate.setup(Confinement::Privileged)?;
    for Sample { name, text, .. } in samples {
        setup = setup.file(&format!("/etc/systemd/system/{name}"), text)?;
    }
    let names: Vec<&str> = samples.iter().map(|sample| sample.name.as_str()).collect();
    let machine = setup.boot(&candidate.init())?;
    let answers = || machine.run(&["systemctl", "list-jobs"]).is_ok_and(|ran| ran.out.contains("No jobs"));
    machine.wait_until("the boot is over", Duration::from_secs(60), answers)?;
    names.iter().map(|name| Ok(((*name).to_owned(), properties(&machine, name)?))).collect()
}

fn properties(machine: &Machine, name: &str) -> Result<Properties> {
    let text = machine.run(&["systemctl", "show", "--all", name])?.success()?;
    let mut properties = Properties::new();
    for line in text.lines() {
        if let Some((key, value)) = line.split_once('=')
            && key.chars().all(|c| c.is_ascii_alphanumeric())
        {
            properties
                .entry(key.to_owned())
                .and_modify(|all| *all += &format!("\n{value}"))
                .or_insert(value.to_owned());
        }
    }
    Ok(properties)
}

/// The properties in which the unit differs from the plain one. Lists come in no order; a unit that was refused has none.
fn effect(shown: &BTreeMap<String, Properties>, sample: &Sample) -> Properties {
    let of = |name: &str| {
        let stem = name.split('.').next().unwrap_or(name);
        let value = |(key, value): (&String, &String)| {
            let mut words: Vec<String> =
                value.split_whitespace().map(|word| word.replace(stem, "NAME")).collect();
            words.sort();
            (key.clone(), words.join(" "))
        };
        let properties = shown.get(name).into_iter().flatten();
        properties.filter(|(key, _)| !MOMENTARY.contains(&key.as_str())).map(value).collect::<Properties>()
    };
    let (mut own, plain) = (of(&sample.name), of(&sample.plain));
    own.retain(|key, value| plain.get(key) != Some(value));
    match own.get("LoadState").cloned() {
        Some(state) => Properties::from([("LoadState".to_owned(), state)]),
        None => own,
    }
}

fn difference(want: &Properties, got: &Properties) -> anyhow::Error {
    let mut words = Vec::new();
    for key in want.keys().chain(got.keys().filter(|key| !want.contains_key(*key))) {
        let value =
            |of: &Properties| of.get(key).map_or("as without".to_owned(), |value| format!("{value:?}"));
        if want.get(key) != got.get(key) {
            words.push(format!("{key}: want {}, got {}", value(want), value(got)));
        }
    }
    anyhow::anyhow!("{}", words.join("; "))
}
