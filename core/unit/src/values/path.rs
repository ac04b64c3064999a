//! Paths as text: simplifying and judging, without looking at any disk.

use crate::limits::PATH_MAX;
use std::borrow::Cow;

/// Doubled slashes, `/./` and a closing slash go; `..` stays.
pub fn simplify(path: &str) -> Cow<'_, str> {
    let plain = |part: &&str| !part.is_empty() && *part != ".";
    let absolute = path.starts_with('/');
    let is_simple = !path.is_empty()
        && (path == "/" || !path.ends_with('/'))
        && path.split('/').skip(usize::from(absolute)).all(|part| plain(&part) || path == "/");
    if is_simple {
        return Cow::Borrowed(path);
    }
    let joined = path.split('/').filter(plain).collect::<Vec<_>>().join("/");
    Cow::Owned(match (absolute, joined.is_empty()) {
        (true, _) => format!("/{joined}"),
        (false, true) if !path.is_empty() => ".".to_owned(),
        (false, _) => joined,
    })
}

/// Where a path leads that was written when `/run` lay in `/var`.
pub fn out_of_var(path: String) -> String {
    match path.strip_prefix("/var/run/") {
        Some(rest) => format!("/run/{rest}"),
        None => path,
    }
}

/// No `..` (and, in what was simplified, no `.`) between its slashes.
pub fn is_normalized(path: &str) -> bool {
    path.split('/').all(|part| part != ".." && part != ".")
}

/// Short enough for the kernel, in whole and in each part.
pub fn is_valid(path: &str) -> bool {
    !path.is_empty() && path.len() < PATH_MAX && path.split('/').all(|part| part.len() <= 255)
}

/// A name of one file: no slash, neither `.` nor `..`.
pub fn is_file_name(name: &str) -> bool {
    !name.is_empty() && name != "." && name != ".." && !name.contains('/') && name.len() <= 255
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn simplified() {
        let cases = [
            ("/", "/"),
            ("//", "/"),
            ("/a//b/", "/a/b"),
            ("a/./b", "a/b"),
            ("./", "."),
            ("/a/../b", "/a/../b"),
        ];
        for (path, expected) in cases.into_iter().chain([("", ""), ("/.", "/"), ("/a/b", "/a/b"), (".", ".")])
        {
            assert_eq!(simplify(path), expected, "{path}");
        }
    }
}
