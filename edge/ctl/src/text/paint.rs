//! Colours and glyphs: what the terminal can show.

/// Whether colours are written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Colours {
    Off,
    On,
}

/// Whether characters beyond ASCII are written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Glyphs {
    Ascii,
    Unicode,
}

#[derive(Clone, Copy, Debug)]
pub struct Paint {
    colours: Colours,
    glyphs: Glyphs,
}

/// How a piece of text stands out.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Style {
    Plain,
    Good,
    Bad,
    Odd,
    Faint,
    Bold,
    Title,
    Underlined,
}

impl Style {
    const fn code(self) -> &'static str {
        match self {
            Style::Plain => "",
            Style::Good => "\x1b[0;1;32m",
            Style::Bad => "\x1b[0;1;31m",
            Style::Odd => "\x1b[0;1;38;5;185m",
            Style::Faint => "\x1b[0;38;5;245m",
            Style::Bold => "\x1b[0;1;39m",
            Style::Title => "\x1b[0;1;34m",
            Style::Underlined => "\x1b[0;4m",
        }
    }
}

impl Paint {
    /// For a pipe in a UTF-8 locale, and for tests.
    #[cfg(test)]
    pub const PLAIN: Paint = Paint { colours: Colours::Off, glyphs: Glyphs::Unicode };

    pub fn for_terminal(terminal: bool) -> Paint {
        let set = |name: &str| std::env::var(name).ok().filter(|value| !value.is_empty());
        let wanted = match set("SYSTEMD_COLORS").as_deref() {
            Some("0" | "no" | "false" | "off") => false,
            Some(_) => true,
            None => terminal && set("NO_COLOR").is_none() && set("TERM").as_deref() != Some("dumb"),
        };
        let utf8 = match set("SYSTEMD_UTF8").as_deref() {
            Some(word) => !matches!(word, "0" | "no" | "false" | "off"),
            None => set("LC_ALL").or_else(|| set("LC_CTYPE")).or_else(|| set("LANG")).is_none_or(|locale| {
                let locale = locale.to_ascii_lowercase();
                locale.contains("utf-8") || locale.contains("utf8")
            }),
        };
        Paint {
            colours: if wanted { Colours::On } else { Colours::Off },
            glyphs: if utf8 { Glyphs::Unicode } else { Glyphs::Ascii },
        }
    }

    pub fn is_coloured(self) -> bool {
        self.colours == Colours::On
    }

    pub fn text(self, style: Style, text: &str) -> String {
        match (self.colours, style) {
            (Colours::Off, _) | (Colours::On, Style::Plain) => text.to_owned(),
            (Colours::On, _) => format!("{}{text}\x1b[0m", style.code()),
        }
    }

    fn glyph(self, unicode: &'static str, ascii: &'static str) -> &'static str {
        match self.glyphs {
            Glyphs::Unicode => unicode,
            Glyphs::Ascii => ascii,
        }
    }

    /// The dot before a unit, by its active state.
    pub fn dot(self, active_state: &str) -> &'static str {
        match active_state {
            "inactive" | "maintenance" => self.glyph("○", "*"),
            "failed" => self.glyph("×", "*"),
            "reloading" => self.glyph("↻", "*"),
            _ => self.glyph("●", "*"),
        }
    }

    pub fn filled_dot(self) -> &'static str {
        self.glyph("●", "*")
    }

    pub fn branch(self) -> &'static str {
        self.glyph("├─", "|-")
    }

    pub fn last_branch(self) -> &'static str {
        self.glyph("└─", "`-")
    }

    pub fn trunk(self) -> &'static str {
        self.glyph("│ ", "| ")
    }

    pub fn arrow(self) -> &'static str {
        self.glyph("→", "->")
    }

    pub fn ellipsis(self) -> &'static str {
        self.glyph("…", "...")
    }
}

/// The style of an active state.
pub fn of_active_state(state: &str) -> Style {
    match state {
        "active" | "reloading" => Style::Good,
        "failed" => Style::Bad,
        _ => Style::Plain,
    }
}
