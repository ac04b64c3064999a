//! What was meant by a word that is none of those known.

/// Bytes of a misspelt word up to which a nearest one is looked for: the search is quadratic.
const LONGEST_COMPARED: usize = 64;

/// The nearest of the words known, where at most a third of the letters differ. A letter in the other case is half
/// a difference.
pub fn nearest<'a>(word: &str, known: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    if word.len() > LONGEST_COMPARED {
        return None;
    }
    let near = known.into_iter().map(|candidate| (distance(word, candidate), candidate)).min();
    near.filter(|(distance, _)| distance * 3 <= word.len() * EDIT).map(|(_, candidate)| candidate)
}

/// The word known that one slip of the pen makes this one, two in a long word; for words of which many are alike.
/// Of fewer letters than four nothing can be told.
pub fn slip<'a>(word: &str, known: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    let allowed = match word.chars().count() {
        0..4 => return None,
        4..10 => 1,
        10..=LONGEST_COMPARED => 2,
        _ => return None,
    };
    let alike = known.into_iter().filter(|other| other.len().abs_diff(word.len()) <= allowed);
    let near = alike.map(|candidate| (distance(word, candidate), candidate)).min();
    near.filter(|(distance, _)| (1..=allowed * EDIT).contains(distance)).map(|(_, candidate)| candidate)
}

/// The cost of an edit.
const EDIT: usize = 2;
/// The cost of a letter in the other case.
const CASE: usize = 1;

/// Edits (insert, remove, replace, swap of neighbours) between two words.
fn distance(left: &str, right: &str) -> usize {
    let (left, right): (Vec<char>, Vec<char>) = (left.chars().collect(), right.chars().collect());
    let mut rows: Vec<Vec<usize>> = vec![(0..=right.len()).map(|length| length * EDIT).collect()];
    for (i, l) in left.iter().enumerate() {
        let mut row = vec![(i + 1) * EDIT];
        for (j, r) in right.iter().enumerate() {
            let differs = match (l == r, l.eq_ignore_ascii_case(r)) {
                (true, _) => 0,
                (false, true) => CASE,
                (false, false) => EDIT,
            };
            let mut least = (rows[i][j] + differs).min(rows[i][j + 1] + EDIT).min(row[j] + EDIT);
            if i > 0 && j > 0 && left[i - 1] == *r && *l == right[j - 1] {
                least = least.min(rows[i - 1][j - 1] + EDIT);
            }
            row.push(least);
        }
        rows.push(row);
    }
    rows[left.len()][right.len()]
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(word: &str, expected: Option<&str>) {
        assert_eq!(nearest(word, ["ExecStart", "ExecStop", "Restart", "User"]), expected, "{word}");
    }

    #[test]
    fn slips() {
        let check = |word, expected| assert_eq!(slip(word, ["network", "systemd-networkd", "ssh"]), expected);
        check("netwrok", Some("network"));
        check("network", None);
        check("networks", Some("network"));
        check("nettork1", None);
        check("system-networkd", Some("systemd-networkd"));
        check("sshh", Some("ssh"));
        check("sss", None);
    }

    #[test]
    fn meant() {
        check("ExecStrat", Some("ExecStart"));
        check("execstart", Some("ExecStart"));
        check("Users", Some("User"));
        check("Restrt", Some("Restart"));
        check("Frobnicate", None);
        check("", None);
        check(&"x".repeat(10_000), None);
    }
}
