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
