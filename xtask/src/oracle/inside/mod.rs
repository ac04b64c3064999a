//! The driver, inside a machine: plays the cases that come on standard input and tells what became of each step.
//!
//! It goes in lockstep: a step is over when nothing happens any more unless a process ends, and every process of a case ends
//! only when a later step says so. So two managers that decide alike say the same, however fast each of them is.
//!
//! In: a line `case PREFIX`, the case's text, a line `.`. Out: the lines of the transcript, a line `.`.

mod bus;
mod files;
mod gates;
mod marshal;
mod play;
mod sample;

use super::case::Case;
use anyhow::{Result, bail};
use bus::Bus;
use gates::Gates;
use std::io::{BufRead, Write};

/// Plays until standard input ends.
pub fn drive() -> Result<bool> {
    let mut gates = Gates::open()?;
    let mut bus = Bus::connect()?;
    let mut lines = std::io::stdin().lock().lines();
    while let Some(line) = lines.next() {
        let line = line?;
        let Some(prefix) = line.strip_prefix("case ") else { bail!("not a case: {line:?}") };
        let mut text = String::new();
        for line in lines.by_ref() {
            let line = line?;
            if line == "." {
                break;
            }
            text += &format!("{line}\n");
        }
        let case = Case::parse(&text)?.renamed(prefix);
        let transcript = play::play(&case, prefix, &mut bus, &mut gates)?;
        let mut out = std::io::stdout().lock();
        writeln!(out, "{}.", transcript.replace(prefix, ""))?;
        out.flush()?;
    }
    Ok(true)
}
