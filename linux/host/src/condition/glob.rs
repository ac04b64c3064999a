//! glob(7) patterns over names and over the file system.

use std::fs;

/// fnmatch(3) without flags over a whole text: `*`, `?`, `[a-z]`, `[!x]`, `\x`. Linear in pattern times text.
pub fn matches(pattern: &str, text: &str) -> bool {
    let pattern: Vec<char> = pattern.chars().collect();
    let text: Vec<char> = text.chars().collect();
    let (mut p, mut t) = (0, 0);
    // After a `*`: where to go on when what follows it did not fit.
    let mut retry: Option<(usize, usize)> = None;
    loop {
        if p < pattern.len() && pattern[p] == '*' {
            retry = Some((p + 1, t));
            p += 1;
            continue;
        }
        if t == text.len() {
            return p == pattern.len();
        }
        match one(&pattern, p, text[t]) {
            Some(next) => {
                p = next;
                t += 1;
            }
            None => {
                let Some((after_star, from)) = retry else { return false };
                retry = Some((after_star, from + 1));
                p = after_star;
                t = from + 1;
            }
        }
    }
}

/// How many patterns one with braces may stand for.
const ALTERNATIVES_MAX: usize = 4096;

/// The patterns that one with `{a,b}` in it stands for. `{}`, and a brace that nothing closes, are plain characters.
pub fn braces(pattern: &str) -> Vec<String> {
    let mut plain = Vec::new();
    // With how much of each is looked through already.
    let mut ahead = vec![(0, pattern.to_owned())];
    while let Some((from, pattern)) = ahead.pop() {
        let group = pattern[from..].find('{').and_then(|at| alternatives(&pattern, from + at));
        match group {
            Some((start, end, _)) if end == start + 2 => ahead.push((end, pattern)),
            Some((start, end, commas)) if plain.len() + ahead.len() + commas.len() < ALTERNATIVES_MAX => {
                let ends = commas.iter().copied().chain([end - 1]);
                let starts = std::iter::once(start + 1).chain(commas.iter().map(|comma| comma + 1));
                let put = |(a, b): (usize, usize)| {
                    (start, format!("{}{}{}", &pattern[..start], &pattern[a..b], &pattern[end..]))
                };
                ahead.extend(starts.zip(ends).map(put));
            }
            Some(_) | None => plain.push(pattern),
        }
    }
    plain
}

/// Where the group that begins at `start` begins and ends, and the commas that part it.
fn alternatives(pattern: &str, start: usize) -> Option<(usize, usize, Vec<usize>)> {
    let (mut depth, mut commas) = (0, Vec::new());
    for (at, byte) in pattern.bytes().enumerate().skip(start) {
        match byte {
            b'{' => depth += 1,
            b',' if depth == 1 => commas.push(at),
            b'}' if depth == 1 => return Some((start, at + 1, commas)),
            b'}' => depth -= 1,
            _ => {}
        }
    }
    None
}

/// Does the element at `p` take this character? Where the next element begins.
fn one(pattern: &[char], p: usize, c: char) -> Option<usize> {
    match *pattern.get(p)? {
        '?' => Some(p + 1),
        '[' => match class(pattern, p, c) {
            Some((true, next)) => Some(next),
            Some((false, _)) => None,
            None => (c == '[').then_some(p + 1),
        },
        '\\' if p + 1 < pattern.len() => (pattern[p + 1] == c).then_some(p + 2),
        literal => (literal == c).then_some(p + 1),
    }
}

/// A bracket expression: whether it takes `c`, and where it ends; `None` if it never closes.
fn class(pattern: &[char], start: usize, c: char) -> Option<(bool, usize)> {
    let mut p = start + 1;
    let negated = matches!(pattern.get(p), Some('!' | '^'));
    if negated {
        p += 1;
    }
    let first = p;
    let mut taken = false;
    while p < pattern.len() && (pattern[p] != ']' || p == first) {
        if pattern.get(p + 1) == Some(&'-') && pattern.get(p + 2).is_some_and(|end| *end != ']') {
            taken |= pattern[p] <= c && c <= pattern[p + 2];
            p += 3;
        } else {
            taken |= pattern[p] == c;
            p += 1;
        }
    }
    (p < pattern.len()).then_some((taken != negated, p + 1))
}

/// Is there any path the pattern names? Each component is matched against its directory's entries;
/// a leading dot must be written.
pub fn any_path(pattern: &str) -> bool {
    let mut level: Vec<String> = vec![String::new()];
    for component in pattern.split('/').filter(|part| !part.is_empty()) {
        let mut next = Vec::new();
        for directory in &level {
            if !component.contains(['*', '?', '[', '\\']) {
                let path = format!("{directory}/{component}");
                if fs::symlink_metadata(&path).is_ok() {
                    next.push(path);
                }
                continue;
            }
            let Ok(entries) = fs::read_dir(format!("{directory}/")) else { continue };
            for entry in entries.flatten() {
                let name = entry.file_name().to_string_lossy().into_owned();
                if name.starts_with('.') == component.starts_with('.') && matches(component, &name) {
                    next.push(format!("{directory}/{name}"));
                }
            }
        }
        if next.is_empty() {
            return false;
        }
        level = next;
    }
    true
}

#[cfg(test)]
mod tests {
    use super::matches;

    #[test]
    fn patterns() {
        for (pattern, text, expected) in [
            ("*", "", true),
            ("a*b*c", "aXXbYYc", true),
            ("a*b*c", "aXXbYY", false),
            ("[a-c]?", "bz", true),
            ("[!a-c]?", "bz", false),
            ("[]]", "]", true),
            ("[", "[", true),
            (r"\*", "*", true),
            (r"\*", "x", false),
            ("", "x", false),
            ("ssh*.service", "ssh@1.service", true),
        ] {
            assert_eq!(matches(pattern, text), expected, "{pattern} {text}");
        }
        let stars = "*a".repeat(200);
        assert!(!matches(&stars, &"a".repeat(199)), "many stars must not take for ever");
    }
}
