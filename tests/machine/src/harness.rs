//! Runs the cases one after the other, names each check, and ends with one line that counts them.

use crate::machine::last_console;
use anyhow::Result;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::time::Instant;

/// One case: a story on one or a few machines.
#[derive(Debug, Clone, Copy)]
pub struct Case {
    pub name: &'static str,
    pub run: fn(&mut Report) -> Result<()>,
}

/// What was seen, check by check.
#[derive(Debug, Default)]
pub struct Report {
    case: &'static str,
    passed: u32,
    failed: u32,
    skipped: u32,
}

impl Report {
    /// One thing that must hold. The story goes on when it does not.
    pub fn check(&mut self, what: &str, seen: Result<()>) {
        match seen {
            Ok(()) => {
                self.passed += 1;
                println!("ok      {}: {what}", self.case);
            }
            Err(error) => {
                self.failed += 1;
                println!("FAILED  {}: {what}: {error:#}", self.case);
            }
        }
    }

    /// Two texts that must be the same.
    pub fn same(&mut self, what: &str, seen: &str, wanted: &str) {
        let (seen, wanted) = (seen.trim_end(), wanted.trim_end());
        let equal = seen == wanted;
        self.check(what, if equal { Ok(()) } else { Err(anyhow::anyhow!("want {wanted:?}, got {seen:?}")) });
    }

    /// One thing that must be true.
    pub fn holds(&mut self, what: &str, holds: bool, otherwise: &str) {
        self.check(what, if holds { Ok(()) } else { Err(anyhow::anyhow!("{otherwise}")) });
    }

    /// Something that cannot be checked here, and why.
    pub fn skip(&mut self, what: &str, why: &str) {
        self.skipped += 1;
        println!("SKIPPED: {what}: {why}");
    }
}

/// Runs those cases whose name contains the filter; answers whether none failed.
pub fn run(cases: &[Case], filter: &str) -> bool {
    let mut report = Report::default();
    for case in cases.iter().filter(|case| case.name.contains(filter)) {
        report.case = case.name;
        let (start, failed) = (Instant::now(), report.failed);
        let outcome = catch_unwind(AssertUnwindSafe(|| (case.run)(&mut report)));
        match outcome {
            Ok(Ok(())) => {}
            Ok(Err(error)) => report.check("runs to its end", Err(error)),
            Err(_) => report.check("runs to its end", Err(anyhow::anyhow!("panicked"))),
        }
        println!("        {}: {:.1} s", case.name, start.elapsed().as_secs_f32());
        if report.failed > failed {
            let console = last_console();
            let lines: Vec<&str> = console.lines().collect();
            println!("        the console's last lines:");
            for line in lines.iter().skip(lines.len().saturating_sub(40)) {
                println!("        | {line}");
            }
        }
    }
    println!("{} passed, {} failed, {} skipped", report.passed, report.failed, report.skipped);
    report.failed == 0
}
