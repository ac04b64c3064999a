//! Units that are not there, and which may have been meant.

use crate::CalledAs;
use crate::disk::Disk;
use crate::line::Line;
use crate::screen::Screen;
use crate::unit_name::{self, Globs};
use eudaemon_unit::name::UnitName;

/// Says which unit may have been meant by a word that names none, where one is near. systemctl has no such line.
pub fn complain(line: &Line, screen: &mut Screen, word: &str) {
    if let Some(near) = unit(line, word) {
        screen.complain(&format!("Did you mean '{near}'?"));
    }
}

/// How refusals say that a unit or its file is not there.
const NOT_THERE: [&str; 4] = ["does not exist", "not found", "not loaded", "No such file or directory"];

/// The same of the words of the line that a refusal says are not there.
pub fn explain(line: &Line, screen: &mut Screen, refusal: &str) {
    if !NOT_THERE.iter().any(|clause| refusal.contains(clause)) {
        return;
    }
    let is_told = |word: &&String| !word.contains('/') && refusal.contains(word.as_str());
    line.arguments.iter().filter(is_told).for_each(|word| complain(line, screen, word));
}

/// The same as a clause, to stand behind one that says that the unit is not there.
pub fn clause(line: &Line, word: &str) -> String {
    unit(line, word).map_or(String::new(), |near| format!("; did you mean '{near}'?"))
}

fn unit(line: &Line, word: &str) -> Option<String> {
    if line.called_as != CalledAs::Eudaemon || line.options.quiet {
        return None;
    }
    let named = unit_name::mangle(word, ".service", Globs::Refused)?;
    Disk::read(&line.options).meant(&UnitName::parse(&named.name).ok()?)
}
