//! What `stamp` wrote in a machine: who ran when.

use anyhow::{Result, bail};
use eudaemon_machine_tests::machine::Machine;
use std::collections::BTreeSet;

/// One line of `/var/stamps`.
#[derive(Debug)]
pub struct Stamp {
    pub name: String,
    pub nanoseconds: u64,
    pub pid: String,
}

pub fn stamps(machine: &Machine) -> Vec<Stamp> {
    parse(&machine.read("/var/stamps").unwrap_or_default())
}

/// How long a boot took, in nanoseconds: from `then`, the runner's exec, to the first act of the last service.
pub fn boot_time(stamps: &[Stamp], count: usize) -> Result<u64> {
    let [first, services @ ..] = stamps else { bail!("no stamps") };
    if first.name != "then" {
        bail!("the first stamp is not PID 1's but {}'s", first.name);
    }
    let names: BTreeSet<&str> = services.iter().map(|stamp| stamp.name.as_str()).collect();
    let wanted = (0..count).map(|number| format!("bench-{number}"));
    let missing: Vec<String> = wanted.filter(|name| !names.contains(name.as_str())).collect();
    if let [one, ..] = &missing[..] {
        bail!("{} services have not stamped, {one} among them", missing.len());
    }
    if services.len() != count {
        bail!("{} stamps of {count} services: some were started twice", services.len());
    }
    let last = services.iter().map(|stamp| stamp.nanoseconds).max().unwrap_or_default();
    Ok(last.saturating_sub(first.nanoseconds))
}

/// The complete lines: the last one may still be written.
fn parse(text: &str) -> Vec<Stamp> {
    let complete = text.rfind('\n').map(|end| &text[..end]).unwrap_or_default();
    let stamp = |line: &str| {
        let mut words = line.split(' ');
        Some(Stamp {
            name: words.next()?.to_owned(),
            nanoseconds: words.next()?.parse().ok()?,
            pid: words.next()?.to_owned(),
        })
    };
    complete.lines().filter_map(stamp).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(text: &str, wanted: &str) {
        let seen = match boot_time(&parse(text), 2) {
            Ok(time) => time.to_string(),
            Err(error) => error.to_string(),
        };
        assert_eq!(seen, wanted);
    }

    #[test]
    fn a_boot_ends_with_its_last_service() {
        check("then 5 1\nbench-1 9 3\nbench-0 7 2\n", "4");
        check("then 5 1\nbench-1 9 3\nbench-0 7", "1 services have not stamped, bench-0 among them");
        check(
            "then 5 1\nbench-1 9 3\nbench-0 7 2\nbench-1 11 4\n",
            "3 stamps of 2 services: some were started twice",
        );
        check("bench-1 9 3\n", "the first stamp is not PID 1's but bench-1's");
        check("", "no stamps");
    }
}
