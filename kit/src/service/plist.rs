//! Property lists, as launchd reads them: plist(5).

/// A value of a property list.
#[derive(Clone, Copy)]
pub(super) enum Flag {
    True,
    False,
}

/// A property list that is being written.
pub(super) struct List {
    pub(super) text: String,
    pub(super) margin: usize,
    /// A text that XML cannot hold.
    pub(super) bad: Option<String>,
}

impl List {
    pub(super) fn line(&mut self, text: &str) {
        self.text += &"\t".repeat(self.margin);
        self.text += text;
        self.text.push('\n');
    }

    pub(super) fn key(&mut self, key: &str) {
        let key = self.escaped(key);
        self.line(&format!("<key>{key}</key>"));
    }

    pub(super) fn open(&mut self, element: &str) {
        self.line(&format!("<{element}>"));
        self.margin += 1;
    }

    pub(super) fn close(&mut self, element: &str) {
        self.margin -= 1;
        self.line(&format!("</{element}>"));
    }

    pub(super) fn text(&mut self, value: &str) {
        let value = self.escaped(value);
        self.line(&format!("<string>{value}</string>"));
    }

    pub(super) fn string(&mut self, key: &str, value: &str) {
        self.key(key);
        self.text(value);
    }

    pub(super) fn number(&mut self, key: &str, value: i64) {
        self.key(key);
        self.line(&format!("<integer>{value}</integer>"));
    }

    pub(super) fn flag(&mut self, key: &str, flag: Flag) {
        self.key(key);
        self.line(match flag {
            Flag::True => "<true/>",
            Flag::False => "<false/>",
        });
    }

    pub(super) fn array(&mut self, key: &str, values: &[String]) {
        self.key(key);
        self.open("array");
        for value in values {
            self.text(value);
        }
        self.close("array");
    }

    pub(super) fn keep_alive(&mut self, key: &str, flag: Flag) {
        self.key("KeepAlive");
        self.open("dict");
        self.flag(key, flag);
        self.close("dict");
    }

    pub(super) fn escaped(&mut self, text: &str) -> String {
        let is_bad = |c: char| {
            (c.is_control() && !"\t\n".contains(c) && c < '\u{80}') || "\u{fffe}\u{ffff}".contains(c)
        };
        if text.contains(is_bad) {
            self.bad = Some(text.to_owned());
        }
        text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;")
    }
}
