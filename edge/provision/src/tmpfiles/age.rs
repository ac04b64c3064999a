//! The age column: which timestamps count, how old is too old, and whether the first level is spared.

use eudaemon_unit::span::Span;
use eudaemon_unit::values::parse_timespan;

/// Timestamps that keep an entry when they are young.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct By {
    pub accessed: bool,
    pub born: bool,
    pub changed: bool,
    pub modified: bool,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Age {
    pub span: Span,
    pub files: By,
    pub directories: By,
    /// `~`: what lies directly in the directory stays.
    pub keep_first_level: bool,
}

const ALL: By = By { accessed: true, born: true, changed: true, modified: true };
const NONE: By = By { accessed: false, born: false, changed: false, modified: false };

impl Age {
    pub fn parse(text: &str) -> Result<Age, String> {
        let bare = text.trim_start_matches('~');
        let (by, span) = bare.rsplit_once(':').unwrap_or(("", bare));
        // Removing a file changes its directory: that must not keep the directory young.
        let (mut files, mut directories) = (ALL, By { changed: false, ..ALL });
        if !by.is_empty() {
            (files, directories) = (NONE, NONE);
        }
        for letter in by.chars() {
            let side = if letter.is_ascii_lowercase() { &mut files } else { &mut directories };
            match letter.to_ascii_lowercase() {
                'a' => side.accessed = true,
                'b' => side.born = true,
                'c' => side.changed = true,
                'm' => side.modified = true,
                _ => return Err(format!("'{text}' is no age")),
            }
        }
        let span = parse_timespan(span).map_err(|_| format!("'{text}' is no age"))?;
        Ok(Age { span, files, directories, keep_first_level: text.starts_with('~') })
    }
}
