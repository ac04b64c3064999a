//! Steps done: what each changes, what is told of it, and what it leaves as it is.

use super::tests::greeter;
use super::*;
use crate::Mode;
use std::path::Path;

#[test]
fn a_step_that_fails_is_named_with_what_was_done() {
    let folder = tempfile::tempdir().expect("a directory");
    let path = |name: &str| folder.path().join(name).display().to_string();
    let run = |words: &[&str]| Step::Run {
        choice: vec![
            vec!["/nowhere/program".to_owned()],
            words.iter().map(|word| (*word).to_owned()).collect(),
        ],
        failure: Failure::Counts,
    };
    let file = File { path: path("made"), mode: Mode::from_raw_mode(0o600), text: "text".to_owned() };
    let link = Step::Link { path: path("link"), to: path("made") };
    let steps = vec![Step::Write(file), link, run(&["true"]), run(&["sh", "-c", "exit 3"]), run(&["true"])];
    let mut told = 0;
    let plan = Plan { act: Act::Start, steps, losses: Vec::new() };
    let error = plan.carry_out(|_| told += 1).expect_err("the fourth fails").to_string();
    let wanted = format!(
        "cannot run /nowhere/program (or sh -c 'exit 3'): exit status: 3; done before, and left so: write {0} (0600); \
         link {1} to {0}; run /nowhere/program (or true)",
        path("made"),
        path("link")
    );
    assert_eq!((error, told), (wanted, 4));
    assert_eq!(std::fs::read_to_string(path("link")).expect("it leads there"), "text");
    let asked = Plan { act: Act::Status, steps: vec![run(&["sh", "-c", "exit 3"])], losses: Vec::new() };
    assert_eq!(asked.carry_out(|_| {}).expect("an answer"), Outcome::Said(3));
}

/// Steps alone, as those of an uninstall.
fn carried_out(steps: Vec<Step>) -> Result<Outcome, String> {
    let plan = Plan { act: Act::Uninstall, steps, losses: Vec::new() };
    plan.carry_out(|_| {}).map_err(|error| error.to_string())
}

fn owned(words: &[&str]) -> Vec<String> {
    words.iter().map(|word| (*word).to_owned()).collect()
}

#[test]
fn somebody_else_s_script_is_not_run_by_an_uninstall() {
    let folder = tempfile::tempdir().expect("a directory");
    let path = |name: &str| folder.path().join(name).display().to_string();
    for (_, target) in Target::ALL {
        let steps = Act::Uninstall.plan(&greeter(), target, Level::System).expect("it can be said").steps;
        let files = written(&greeter(), target, Level::System).expect("it can be said").files;
        let looks = Step::Look(files.clone());
        assert_eq!(steps[0] == looks, !files.is_empty(), "{}", target.word());
    }
    std::fs::write(path("theirs"), "#!/bin/sh\n").expect("it is written");
    let theirs = File { path: path("theirs"), mode: Mode::from_raw_mode(0o755), text: "ours".to_owned() };
    let stop = Step::RunIf { test: owned(&["true"]), command: owned(&["touch", &path("run")]) };
    let refused = carried_out(vec![Step::Look(vec![theirs]), stop]).expect_err("it is not ours");
    assert!(refused.ends_with("not ours: it is left as it is; nothing was changed"), "{refused}");
    assert!(!Path::new(&path("run")).exists());
}

#[test]
fn a_stop_that_fails_keeps_the_files_that_can_stop_it() {
    let stop = |test: &str| Step::RunIf { test: owned(&[test]), command: owned(&["sh", "-c", "exit 1"]) };
    assert_eq!(carried_out(vec![stop("false")]), Ok(Outcome::Done), "it is not there");
    assert_eq!(carried_out(vec![stop("/nowhere/program")]), Ok(Outcome::Done), "nor who knows of it");
    let failed = carried_out(vec![stop("true")]).expect_err("it is there");
    assert_eq!(
        failed,
        "cannot run sh -c 'exit 1' if true succeeds: exit status: 1; no step before it changed anything"
    );
}

#[test]
fn what_an_older_version_wrote_goes() {
    let folder = tempfile::tempdir().expect("a directory");
    let path = |name: &str| folder.path().join(name).display().to_string();
    for name in ["x.socket", "x-old.socket", "x-new.socket"] {
        std::fs::write(
            path(name),
            format!("{}[Socket]\n", script::mark(&Service::new("x", Command::of(["x"])))),
        )
        .expect("it is written");
    }
    std::fs::write(path("x-theirs.socket"), "[Socket]\n").expect("it is written");
    let told = path("told");
    let clear = Step::Clear {
        name: "x".to_owned(),
        patterns: vec![path("x.socket"), path("x-*.socket")],
        kept: vec![path("x-new.socket")],
        before: vec![owned(&["sh", "-c", "echo \"$1\" >>\"$0\"", &told])],
    };
    assert_eq!(carried_out(vec![clear.clone(), clear]), Ok(Outcome::Done));
    assert_eq!(std::fs::read_to_string(&told).expect("it was told"), "x.socket\nx-old.socket\n");
    let left = |name: &str| Path::new(&path(name)).exists();
    let left = ["x.socket", "x-old.socket", "x-new.socket", "x-theirs.socket"].map(left);
    assert_eq!(left, [false, false, true, true]);
}

#[test]
fn only_what_was_done_is_told_as_done() {
    let folder = tempfile::tempdir().expect("a directory");
    std::fs::write(folder.path().join("there"), "# Written by eudaemon-kit for x: X\n").expect("written");
    let remove = |name: &str| {
        Step::Remove(File { path: format!("/{name}"), mode: Mode::from_raw_mode(0o644), text: String::new() })
    };
    std::fs::create_dir(folder.path().join("folder")).expect("made");
    let steps = vec![remove("gone"), remove("there"), remove("folder")];
    let plan = Plan { act: Act::Uninstall, steps, losses: Vec::new() };
    let mut told = Vec::new();
    let error = plan.carry_out_below(folder.path(), |step| told.push(step.to_string()));
    let at = |name: &str| format!("remove {}", folder.path().join(name).display());
    let wanted = format!(
        "cannot {}: {} is there, and not ours: it is left as it is; done before, and left so: {}",
        at("folder"),
        folder.path().join("folder").display(),
        at("there")
    );
    assert_eq!(error.expect_err("it is a folder").to_string(), wanted);
    assert_eq!(told, ["gone", "there", "folder"].map(at));
}

/// Also below the root that this machine has.
#[test]
fn below_a_root_nothing_is_run() {
    let folder = tempfile::tempdir().expect("a directory");
    let path = |name: &str| folder.path().join(name).display().to_string();
    let clear = |before: &[&str]| Step::Clear {
        name: "x".to_owned(),
        patterns: vec![path("x.socket")],
        kept: Vec::new(),
        before: vec![owned(before)],
    };
    let ran = path("ran");
    let steps = vec![
        clear(&["touch", &ran]),
        Step::RunIf { test: owned(&["true"]), command: owned(&["touch", &ran]) },
    ];
    let plan = Plan { act: Act::Uninstall, steps, losses: Vec::new() };
    std::fs::write(path("x.socket"), "# Written by eudaemon-kit for x: X\n").expect("written");
    let (outcome, left) = plan.carry_out_below(Path::new("/"), |_| {}).expect("files alone");
    assert_eq!((outcome, left), (Outcome::Done, vec![&plan.steps[1]]));
    assert!(!Path::new(&path("x.socket")).exists() && !Path::new(&ran).exists());
}

#[test]
fn a_unit_that_the_manager_has_from_elsewhere_is_refused() {
    let folder = tempfile::tempdir().expect("a directory");
    let ours = folder.path().join("x.service").display().to_string();
    std::fs::write(&ours, "").expect("written");
    std::os::unix::fs::symlink(&ours, folder.path().join("linked")).expect("a link");
    let look = |told: &str| {
        let command = owned(&["echo", told]);
        carried_out(vec![Step::LookUnit { path: ours.clone(), command }])
    };
    assert_eq!(look(&ours), Ok(Outcome::Done));
    assert_eq!(look(&folder.path().join("linked").display().to_string()), Ok(Outcome::Done));
    assert_eq!(look(""), Ok(Outcome::Done), "it is not there, or the manager is not");
    let refused = look("/lib/systemd/system/x.service").expect_err("it is not ours");
    let wanted =
        "the manager has it from /lib/systemd/system/x.service, which is not ours: it is left as it is";
    assert!(refused.contains(wanted), "{refused}");
    let missing = Step::LookUnit { path: ours.clone(), command: owned(&["/nowhere/systemctl"]) };
    assert_eq!(carried_out(vec![missing]), Ok(Outcome::Done));
}

/// Who is asked, started or stopped is looked at before.
#[test]
fn nothing_is_run_before_it_is_known_to_be_ours() {
    for (word, target) in Target::ALL.into_iter().filter(|(_, target)| *target != Target::Windows) {
        for act in [Act::Start, Act::Stop, Act::Status] {
            let steps = act.plan(&greeter(), target, Level::System).expect("it can be said").steps;
            let at = |is: fn(&Step) -> bool| steps.iter().position(is).expect("one");
            let sought = at(|step| matches!(step, Step::Seek { .. }));
            let asked = at(|step| step.is_told() || matches!(step, Step::LookUnit { .. }));
            assert!(sought < asked, "{word} {act:?}: {steps:?}");
            let Step::Seek { files, .. } = &steps[sought] else { unreachable!() };
            let main = ["greeter.service", "/etc/init.d/greeter", "greeter.conf", "/run", "greeter.plist"];
            assert!(main.iter().any(|end| files[0].ends_with(end)), "{word}: {files:?}");
        }
    }
}

#[test]
fn without_its_tools_nothing_is_begun_and_all_can_be_removed() {
    let missing = owned(&["/nowhere/tool", "/nowhere/other"]);
    let refused = carried_out(vec![Step::LookTools(missing.clone())]).expect_err("neither is there");
    let wanted =
        "/nowhere/tool or /nowhere/other is not here: its manager could not be told; nothing was changed";
    assert_eq!(refused, wanted);
    assert_eq!(carried_out(vec![Step::LookTools(owned(&["nowhere", "sh"]))]), Ok(Outcome::Done));
    let mut tried = 0;
    for (word, target) in Target::ALL.into_iter().filter(|(_, target)| *target != Target::Windows) {
        let plan = |act: Act| act.plan(&greeter(), target, Level::System).expect("it can be said").steps;
        let install = plan(Act::Install);
        let looks = install.iter().position(|step| matches!(step, Step::LookTools(_))).expect("one");
        assert!(install[..looks].iter().all(|step| !step.is_told()), "{word}: {install:?}");
        if carried_out(vec![install[looks].clone()]).is_ok() {
            continue;
        }
        for step in plan(Act::Uninstall) {
            let is_run = matches!(step, Step::Run { .. } | Step::RunIf { .. } | Step::Await { .. });
            if is_run {
                tried += 1;
                assert_eq!(carried_out(vec![step.clone()]), Ok(Outcome::Done), "{word}: {step}");
            }
        }
    }
    assert!(tried > 0, "launchctl is on no Linux");
}
