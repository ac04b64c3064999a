//! The paths a pattern matches: glob(7), for `EnvironmentFile=`.

/// More matches than this are cut: a directory of that size holds no configuration.
const MATCHES: usize = 4096;

/// Sorted; a path without wildcards matches itself if it exists.
pub fn matches(pattern: &str) -> Vec<String> {
    let mut found = vec![String::new()];
    for part in pattern.split('/').filter(|part| !part.is_empty()) {
        found = found.into_iter().flat_map(|directory| step(&directory, part)).take(MATCHES).collect();
    }
    found
}

fn step(directory: &str, part: &str) -> Vec<String> {
    if !part.contains(['*', '?', '[']) {
        let path = format!("{directory}/{}", unescaped(part));
        return if std::fs::metadata(&path).is_ok() { vec![path] } else { Vec::new() };
    }
    let Ok(entries) = std::fs::read_dir(format!("{directory}/")) else { return Vec::new() };
    let names = entries.filter_map(|entry| entry.ok()?.file_name().into_string().ok());
    let shown = |name: &String| part.starts_with('.') || !name.starts_with('.');
    let mut names: Vec<String> = names.filter(shown).filter(|name| fits(part, name)).collect();
    names.sort();
    names.into_iter().map(|name| format!("{directory}/{name}")).collect()
}

/// A backslash takes the next character as it is.
fn unescaped(part: &str) -> String {
    let mut out = String::new();
    let mut characters = part.chars();
    while let Some(c) = characters.next() {
        out.push(if c == '\\' { characters.next().unwrap_or(c) } else { c });
    }
    out
}

/// Whether a name fits `*`, `?`, `[a-z]`, `[!x]`. When something does not fit, the last `*` takes one more
/// character, so there is nothing to recurse into.
fn fits(pattern: &str, name: &str) -> bool {
    let (pattern, name): (Vec<char>, Vec<char>) = (pattern.chars().collect(), name.chars().collect());
    let (mut p, mut n) = (0, 0);
    let mut star: Option<(usize, usize)> = None;
    while n < name.len() {
        if pattern.get(p) == Some(&'*') {
            star = Some((p, n));
            p += 1;
        } else if let Some(width) = one(&pattern[p..], name[n]) {
            p += width;
            n += 1;
        } else if let Some((star_p, star_n)) = star {
            star = Some((star_p, star_n + 1));
            (p, n) = (star_p + 1, star_n + 1);
        } else {
            return false;
        }
    }
    pattern[p..].iter().all(|c| *c == '*')
}

/// How many characters of the pattern stand for this one, if they do.
fn one(pattern: &[char], c: char) -> Option<usize> {
    match pattern.first()? {
        '?' => Some(1),
        '[' => {
            let inverted = matches!(pattern.get(1), Some('!' | '^'));
            let start = if inverted { 2 } else { 1 };
            // A `]` right at the start is meant.
            let Some(end) = (start + 1..pattern.len()).find(|at| pattern[*at] == ']') else {
                return (c == '[').then_some(1);
            };
            let inside = contains(&pattern[start..end], c);
            (inside != inverted).then_some(end + 1)
        }
        '\\' if pattern.len() > 1 => (pattern.get(1) == Some(&c)).then_some(2),
        other => (*other == c).then_some(1),
    }
}

/// Whether the inside of a bracket names the character.
fn contains(set: &[char], c: char) -> bool {
    let mut rest = set;
    loop {
        let (first, last, next) = match rest {
            [] => return false,
            [first, '-', last, next @ ..] => (first, last, next),
            [only, next @ ..] => (only, only, next),
        };
        if (first..=last).contains(&&c) {
            return true;
        }
        rest = next;
    }
}

#[cfg(test)]
mod tests {
    use super::fits;

    #[test]
    fn patterns() {
        for (pattern, name) in [
            ("*", "a"),
            ("*.conf", "a.conf"),
            ("a*b*c", "a-b-b-c"),
            ("?", "ä"),
            ("[a-c]x", "bx"),
            ("[!a-c]x", "dx"),
            ("[]]", "]"),
            ("[", "["),
            ("\\**", "*b"),
        ] {
            assert!(fits(pattern, name), "{pattern} {name}");
        }
        for (pattern, name) in [("*.conf", "a.con"), ("?", ""), ("[a-c]", "d"), ("a", "ab"), ("a*b", "ac")] {
            assert!(!fits(pattern, name), "{pattern} {name}");
        }
    }
}
