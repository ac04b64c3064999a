//! What services are given: systemctl(1), "Environment Commands". What clients set outlives every reading of the files, and what
//! they unset is what clients had set.

/// `NAME=VALUE` each.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Environment {
    /// The locale and the path, or what a user's manager was given itself; and the manager's own settings.
    own: Vec<String>,
    clients: Vec<String>,
}

impl Environment {
    pub fn new(own: &[String]) -> Environment {
        Environment { own: own.to_vec(), clients: Vec::new() }
    }

    /// What holds without clients: `base`, and upon it what the settings say.
    pub fn set_own(&mut self, base: &[String], settings: &[String]) {
        self.own = base.to_vec();
        merge(&mut self.own, settings);
        self.own.sort();
    }

    /// Forgets names and assignments, then takes assignments.
    pub fn change(&mut self, unset: &[String], set: &[String]) {
        self.clients.retain(|entry| !unset.iter().any(|gone| gone == entry || gone == name(entry)));
        merge(&mut self.clients, set);
    }

    pub fn clients(&self) -> &[String] {
        &self.clients
    }

    /// What a predecessor's clients had set.
    pub fn set_clients(&mut self, clients: Vec<String>) {
        self.clients = clients;
    }

    pub fn all(&self) -> Vec<String> {
        let mut all = self.own.clone();
        merge(&mut all, &self.clients);
        all
    }
}

fn name(entry: &str) -> &str {
    entry.split('=').next().unwrap_or(entry)
}

/// A name that is there keeps its place.
fn merge(list: &mut Vec<String>, more: &[String]) {
    for entry in more {
        match list.iter_mut().find(|known| name(known) == name(entry)) {
            Some(known) => known.clone_from(entry),
            None => list.push(entry.clone()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn words(text: &str) -> Vec<String> {
        text.split_whitespace().map(str::to_owned).collect()
    }

    /// As systemd 252 showed it after the same commands.
    #[test]
    fn clients_take_back_what_clients_set() {
        let mut environment = Environment::new(&[]);
        environment.set_own(&words("LANG=C.UTF-8 PATH=/bin"), &words("A=1 B=2 FOO=bar"));
        environment.change(&words("LANG A"), &[]);
        environment.change(&[], &words("B=9 C=3"));
        assert_eq!(environment.all().join(" "), "A=1 B=9 FOO=bar LANG=C.UTF-8 PATH=/bin C=3");
        environment.change(&words("B"), &[]);
        assert_eq!(environment.all().join(" "), "A=1 B=2 FOO=bar LANG=C.UTF-8 PATH=/bin C=3");
        environment.set_own(&words("LANG=C.UTF-8 PATH=/bin"), &words("D=4"));
        assert_eq!(environment.all().join(" "), "D=4 LANG=C.UTF-8 PATH=/bin C=3");
    }
}
