//! What is loaded, named and forgotten, and what then stands at both ends.

use super::*;
use eudaemon_unit::config::Dependency;

fn name(text: &str) -> UnitName {
    UnitName::parse(text).unwrap()
}

fn config(unit: &str, dependencies: &[(Dependency, &str)]) -> Arc<Config> {
    let mut config = Config::bare(name(unit), LoadState::Loaded);
    config.unit.dependencies = dependencies.iter().map(|(word, other)| (*word, name(other))).collect();
    Arc::new(config)
}

fn show(graph: &Graph) -> String {
    let mut lines: Vec<String> = Vec::new();
    for id in graph.ids() {
        for (word, other) in graph.dependencies(id) {
            lines.push(format!("{} {} {}", graph.name(id), word.property(), graph.name(other)));
        }
    }
    lines.sort();
    lines.join("; ")
}

#[test]
fn each_dependency_stands_at_both_ends() {
    let mut graph = Graph::default();
    graph.load(config("a.service", &[(Dependency::Requires, "b.service")])).unwrap();
    assert_eq!(show(&graph), "a.service Requires b.service; b.service RequiredBy a.service");
    assert_eq!(graph.knowledge(graph.id(&name("b.service")).unwrap()), Knowledge::Mentioned);
}

/// An alias becomes a unit of its own: what was said of it is said of that unit, whoever is loaded first, and whether
/// the unit that says it is loaded again or not.
#[test]
fn a_name_that_was_an_alias() {
    for order in [["a.service", "b.service", "u.target"], ["b.service", "a.service", "u.target"]] {
        for again in [2, 3] {
            let mut graph = Graph::default();
            let mut owner = Config::bare(name("a.service"), LoadState::Loaded);
            owner.aliases = vec![name("b.service")];
            graph.load(Arc::new(owner)).unwrap();
            let wants = [(Dependency::Wants, "b.service"), (Dependency::After, "b.service")];
            graph.load(config("u.target", &wants)).unwrap();
            assert!(show(&graph).contains("u.target Wants a.service"), "{}", show(&graph));
            for unit in order.into_iter().take(again) {
                let dependencies: &[_] = if unit == "u.target" { &wants } else { &[] };
                graph.load(config(unit, dependencies)).unwrap();
            }
            assert_eq!(
                show(&graph),
                "b.service Before u.target; b.service WantedBy u.target; u.target After b.service; u.target Wants b.service"
            );
            assert_ne!(graph.id(&name("a.service")), graph.id(&name("b.service")));
        }
    }
}

#[test]
fn what_both_say_stays_while_one_says_it() {
    let mut graph = Graph::default();
    graph.load(config("a.service", &[(Dependency::Before, "b.service")])).unwrap();
    graph.load(config("b.service", &[(Dependency::After, "a.service")])).unwrap();
    assert_eq!(show(&graph), "a.service Before b.service; b.service After a.service");
    assert_eq!(graph.load(config("a.service", &[])).unwrap().1, Change::Changed);
    assert_eq!(show(&graph), "a.service Before b.service; b.service After a.service");
    graph.load(config("b.service", &[])).unwrap();
    assert_eq!(show(&graph), "");
    assert_eq!(graph.edges, 0);
}

#[test]
fn an_alias_inherits_what_was_said_of_it() {
    let mut graph = Graph::default();
    graph.load(config("a.service", &[(Dependency::After, "syslog.service")])).unwrap();
    let mut rsyslog = Config::bare(name("rsyslog.service"), LoadState::Loaded);
    rsyslog.aliases = vec![name("syslog.service")];
    graph.load(Arc::new(rsyslog)).unwrap();
    assert_eq!(show(&graph), "a.service After rsyslog.service; rsyslog.service Before a.service");
}

#[test]
fn the_same_text_again_changes_nothing() {
    let mut graph = Graph::default();
    let a = config("a.service", &[(Dependency::Wants, "b.service")]);
    assert_eq!(graph.load(a.clone()).unwrap().1, Change::New);
    assert_eq!(graph.load(a).unwrap().1, Change::Same);
}
