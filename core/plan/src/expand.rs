//! `$VARIABLE`s in command lines, once the environment is whole: systemd.service(5) "Command lines".

/// The arguments after expansion. `environment` holds `NAME=VALUE`s; the last of a name counts.
///
/// `${NAME}` is replaced anywhere in a word, and stays one word. `$NAME` that is a whole word becomes as many
/// words as its value has (quotes are honoured), none if it is unset or empty. `$$` is one dollar.
pub fn expand(argv: &[String], environment: &[String]) -> Vec<String> {
    let mut out = Vec::with_capacity(argv.len());
    for word in argv {
        match word.strip_prefix('$') {
            Some(name) if !name.starts_with(['{', '$']) => {
                out.extend(lookup(environment, name).map(words).unwrap_or_default());
            }
            Some(_) | None => out.push(replaced(word, environment)),
        }
    }
    out
}

fn lookup<'e>(environment: &'e [String], name: &str) -> Option<&'e str> {
    let value = |entry: &'e String| entry.strip_prefix(name)?.strip_prefix('=');
    environment.iter().rev().find_map(value).filter(|_| !name.is_empty())
}

/// A word with its `${NAME}`s replaced. What is unset becomes nothing; what is unclosed stays, and so does what has
/// a colon in it, which would be a shell's further syntax.
fn replaced(word: &str, environment: &[String]) -> String {
    let mut out = String::with_capacity(word.len());
    let mut rest = word;
    while let Some(at) = rest.find('$') {
        out.push_str(&rest[..at]);
        let after = &rest[at + 1..];
        if let Some(tail) = after.strip_prefix('$') {
            out.push('$');
            rest = tail;
            continue;
        }
        let name = after
            .strip_prefix('{')
            .map(|inner| inner.split_at(inner.find(['}', ':']).unwrap_or(inner.len())));
        match name {
            Some((name, tail)) if tail.starts_with('}') => {
                out.push_str(lookup(environment, name).unwrap_or(""));
                rest = &tail[1..];
            }
            // Up to the colon or the end nothing is looked at.
            Some((name, tail)) => {
                out.push_str("${");
                out.push_str(name);
                rest = tail;
            }
            None => {
                out.push('$');
                rest = after;
            }
        }
    }
    out.push_str(rest);
    out
}

/// A value split at white space outside quotes. A backslash takes the next character as it is; an open quote
/// ends with the value.
fn words(value: &str) -> Vec<String> {
    let mut out: Vec<String> = Vec::new();
    let mut word: Option<String> = None;
    let mut quote = None;
    let mut characters = value.chars();
    while let Some(c) = characters.next() {
        match (c, quote) {
            (c, Some(open)) if c == open => quote = None,
            ('\'' | '"', None) => {
                quote = Some(c);
                word.get_or_insert_default();
            }
            ('\\', _) => word.get_or_insert_default().extend(characters.next()),
            (' ' | '\t' | '\n' | '\r', None) => out.extend(word.take()),
            (c, _) => word.get_or_insert_default().push(c),
        }
    }
    out.extend(word);
    out
}

#[cfg(test)]
mod tests {
    use super::expand;

    fn check(word: &str, expected: &[&str]) {
        let environment = ["ONE=one", "TWO='two two' too", "EMPTY=", "ONE=1"].map(String::from);
        assert_eq!(expand(&[word.to_owned()], &environment), expected, "{word}");
    }

    #[test]
    fn whole_words_split_and_parts_do_not() {
        check("$ONE", &["1"]);
        check("${ONE}", &["1"]);
        check("$TWO", &["two two", "too"]);
        check("${TWO}", &["'two two' too"]);
        check("x${TWO}$ONE", &["x'two two' too$ONE"]);
        check("$EMPTY", &[]);
        check("$NONE", &[]);
        check("$", &[]);
        check("${NONE}", &[""]);
        check("$$ONE", &["$ONE"]);
        check("a$$b$", &["a$b$"]);
        check("${ONE", &["${ONE"]);
        check("${}", &[""]);
        check("${ONE:-x}${ONE}", &["${ONE:-x}1"]);
        check("${ONE:+$$}", &["${ONE:+$}"]);
        check("${$$", &["${$$"]);
        check("${a${ONE}", &[""]);
    }
}
