//! The wide draw: a case of `draw`, and with it mounts on memory, slices, times that run out, and files that are changed, masked
//! or taken away between the steps.

use super::case::{Case, UnitText};
use super::draw;
use super::random::Random;

/// What has one of these lines is not still before its time has run out: `inside::sample` waits for it.
pub const TIMES: [&str; 5] = [
    "JobTimeoutSec=300ms",
    "JobRunningTimeoutSec=300ms",
    "TimeoutStartSec=300ms",
    "TimeoutStopSec=300ms",
    "RuntimeMaxSec=300ms",
];

/// Keeps the numbers drawn here apart from those of the plain draw of the same seed.
const SALT: u64 = 0x7769_6465;

/// How a unit may lean on a mount.
const LEANS: [(usize, &str); 6] = [
    (5, "RequiresMountsFor=@PATH"),
    (3, "BindsTo=@NAME\nAfter=@NAME"),
    (2, "Requires=@NAME\nAfter=@NAME"),
    (2, "Wants=@NAME"),
    (1, "Conflicts=@NAME"),
    (1, "Requisite=@NAME\nAfter=@NAME"),
];

/// How a mount may lean on a unit.
const HOLDS: [(usize, &str); 5] =
    [(3, "Requires"), (3, "BindsTo"), (2, "PartOf"), (2, "PropagatesStopTo"), (2, "OnFailure")];

/// What a drop-in may say: the section, and a line. `@` is another unit.
const EDITS: [(usize, &str); 14] = [
    (3, "Unit Requires=@"),
    (3, "Unit Wants=@"),
    (3, "Unit BindsTo=@"),
    (3, "Unit PartOf=@"),
    (2, "Unit Conflicts=@"),
    (3, "Unit After=@"),
    (3, "Unit Before=@"),
    (2, "Unit Upholds=@"),
    (2, "Unit PropagatesStopTo=@"),
    (2, "Unit OnFailure=@"),
    (2, "Unit OnSuccess=@"),
    (1, "Unit StopWhenUnneeded=yes"),
    (1, "Unit RefuseManualStop=yes"),
    (1, "Unit ConditionPathExists=/nonexistent"),
];

const MODES: [(usize, &str); 5] =
    [(6, "replace"), (1, "fail"), (1, "ignore-dependencies"), (1, "isolate"), (1, "flush")];

pub fn case(seed: u64) -> Case {
    let mut case = draw::case(seed);
    let random = &mut Random::new(seed ^ SALT);
    if random.percent(45) {
        mounts(&mut case, random);
    }
    if random.percent(25) {
        slice(&mut case, random);
    }
    if random.percent(20) {
        times(&mut case, random);
    }
    if random.percent(30) {
        job_modes(&mut case, random);
    }
    if random.percent(50) {
        edits(&mut case, random);
    }
    case
}

/// One mount or two, the second within the first, who leans on them, and steps about them.
fn mounts(case: &mut Case, random: &mut Random) {
    let mut names = vec!["m.mount"];
    if random.percent(35) {
        names.push("m-n.mount");
    }
    let others: Vec<String> = case.names().map(str::to_owned).collect();
    for name in &names {
        let mut lines = vec!["[Unit]".to_owned()];
        if random.percent(50) {
            let key = random.weighted(&HOLDS);
            let other = &others[random.below(others.len())];
            lines.push(format!("{key}={other}"));
            if random.percent(50) {
                lines.push(format!("After={other}"));
            }
        }
        for (chance, line) in [(15, "StopWhenUnneeded=yes"), (8, "IgnoreOnIsolate=yes")] {
            if random.percent(chance) {
                lines.push(line.to_owned());
            }
        }
        let kind = random.weighted(&[(88, "tmpfs"), (12, "nosuchfs")]);
        let rest = format!(
            "DefaultDependencies=no\nStartLimitIntervalSec=0\n[Mount]\nWhat=tmpfs\nWhere={}\nType={kind}\nOptions=size=1m",
            path(name)
        );
        lines.extend(rest.lines().map(str::to_owned));
        case.units.push(UnitText { name: (*name).to_owned(), lines });
    }
    for _ in 0..1 + random.below(3) {
        let name = names[random.below(names.len())];
        let lean = random.weighted(&LEANS).replace("@PATH", &path(name)).replace("@NAME", name);
        let unit = &mut case.units[random.below(others.len())];
        lean.lines().for_each(|line| unit.lines.insert(1, line.to_owned()));
    }
    for _ in 0..2 + random.below(4) {
        let name = names[random.below(names.len())];
        let verb =
            random.weighted(&[(5, "start"), (4, "stop"), (2, "restart"), (1, "reload"), (2, "umount")]);
        let step = match verb {
            "umount" => vec![verb.to_owned(), name.to_owned()],
            verb => vec![verb.to_owned(), name.to_owned(), "replace".to_owned()],
        };
        insert(case, step, random);
    }
}

/// Where a mount unit is mounted.
pub fn path(name: &str) -> String {
    format!("/{}", name.trim_end_matches(".mount").replace('-', "/"))
}

/// Some services are in a slice, and it is stopped over them.
fn slice(case: &mut Case, random: &mut Random) {
    for unit in case.units.iter_mut().filter(|unit| unit.name.ends_with(".service")) {
        if random.percent(50) {
            unit.lines.push("Slice=s.slice".to_owned());
        }
    }
    let lines = ["[Unit]", "DefaultDependencies=no"].map(str::to_owned).to_vec();
    case.units.push(UnitText { name: "s.slice".to_owned(), lines });
    for _ in 0..1 + random.below(2) {
        let verb = random.weighted(&[(3, "stop"), (1, "start"), (1, "restart")]);
        insert(case, [verb, "s.slice", "replace"].map(str::to_owned).to_vec(), random);
    }
}

/// One unit of a case has a time that runs out: of two, one would be first by luck.
fn times(case: &mut Case, random: &mut Random) {
    let services: Vec<usize> =
        (0..case.units.len()).filter(|place| case.units[*place].name.ends_with(".service")).collect();
    let Some(place) = (!services.is_empty()).then(|| services[random.below(services.len())]) else { return };
    let line = TIMES[random.below(TIMES.len())];
    let lines = &mut case.units[place].lines;
    if !line.starts_with("Job") {
        lines.push(line.to_owned());
        return;
    }
    lines.insert(1, line.to_owned());
    if random.percent(50) {
        lines.insert(1, "JobTimeoutAction=none".to_owned());
    }
}

/// How the units that follow a failure or a good end are started.
fn job_modes(case: &mut Case, random: &mut Random) {
    for unit in &mut case.units {
        for key in ["OnFailure", "OnSuccess"] {
            let has = unit
                .lines
                .iter()
                .any(|line| line.strip_prefix(key).is_some_and(|rest| rest.starts_with('=')));
            let said = unit.lines.iter().any(|line| line.starts_with(&format!("{key}JobMode")));
            if has && !said {
                unit.lines.insert(1, format!("{key}JobMode={}", random.weighted(&MODES)));
            }
        }
    }
}

/// Files change, most often before the manager is told to read them.
fn edits(case: &mut Case, random: &mut Random) {
    let names: Vec<String> = case.names().map(str::to_owned).collect();
    for _ in 0..1 + random.below(3) {
        let (unit, other) = (&names[random.below(names.len())], &names[random.below(names.len())]);
        let edit = random.weighted(&EDITS).replace('@', other);
        let kind = random.weighted(&[(7, "edit"), (1, "mask"), (1, "remove"), (2, "restore")]);
        let text = if kind == "edit" { format!("edit {unit} {edit}") } else { format!("{kind} {unit}") };
        let place = insert(case, text.split(' ').map(str::to_owned).collect(), random);
        if random.percent(80) {
            case.steps.insert(place + 1, vec!["daemon-reload".to_owned()]);
        }
    }
}

/// Puts a step somewhere behind the first, and says where.
fn insert(case: &mut Case, step: Vec<String>, random: &mut Random) -> usize {
    let place = 1 + random.below(case.steps.len());
    case.steps.insert(place, step);
    place
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_seed_is_a_case_that_survives_its_text() {
        for seed in 0..300 {
            let drawn = case(seed);
            assert_eq!(drawn, case(seed));
            assert_eq!(Case::parse(&drawn.to_string()).unwrap(), drawn, "seed {seed}");
        }
    }

    #[test]
    fn all_that_is_new_is_drawn() {
        let text: String = (0..300).map(|seed| case(seed).to_string()).collect();
        let words =
            ["unit m-n.mount", "RequiresMountsFor=/m", "umount m.mount", "Slice=s.slice", "stop s.slice"];
        let steps = ["edit a.service Unit", "mask a.service", "remove a.service", "restore a.service"];
        for word in
            words.iter().chain(&steps).chain(&TIMES).chain(&["OnFailureJobMode=", "JobTimeoutAction=none"])
        {
            assert!(text.contains(word), "{word}");
        }
    }

    #[test]
    fn mounts_are_renamed_with_their_places() {
        let text = "unit a.service\n| RequiresMountsFor=/m/n\nunit m-n.mount\n| Where=/m/n\nedit a.service Unit After=m-n.mount\n";
        let case = Case::parse(text).unwrap().renamed("o1-");
        assert_eq!(case.units[0].lines, ["RequiresMountsFor=/o1/m/n"]);
        assert_eq!(case.units[1].lines, ["Where=/o1/m/n"]);
        assert_eq!(case.steps[0], ["edit", "o1-a.service", "Unit", "After=o1-m-n.mount"]);
    }
}
