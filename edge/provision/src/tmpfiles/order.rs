//! In which order lines apply, and which are passed over: tmpfiles.d(5), "Configuration directories and precedence".

use super::line::Item;
use std::collections::BTreeMap;

/// All lines for one path. A pattern is another path than the same text meant literally.
struct Path {
    items: Vec<Item>,
    /// The nearest path above that has lines, and those right below.
    parent: Option<usize>,
    children: Vec<usize>,
}

/// Paths meant literally first, then patterns: what is made by name is there for them to alter.
pub struct Order {
    paths: Vec<Path>,
}

impl Order {
    pub fn of(items: Vec<Item>) -> Order {
        let (globs, named): (Vec<Item>, Vec<Item>) = items.into_iter().partition(|item| item.kind.is_glob());
        let mut paths = Vec::new();
        let named = gather(named, &mut paths);
        let globs = gather(globs, &mut paths);
        for at in 0..paths.len() {
            let path = paths[at].items.first().map_or_else(String::new, |item| item.path.clone());
            let mut above = path.as_str();
            while let Some((directory, _)) = above.rsplit_once('/') {
                above = if directory.is_empty() { "/" } else { directory };
                if let Some(parent) =
                    named.get(above).or_else(|| globs.get(above)).filter(|parent| **parent != at)
                {
                    paths[at].parent = Some(*parent);
                    paths[*parent].children.push(at);
                    break;
                }
                if above == "/" {
                    break;
                }
            }
        }
        Order { paths }
    }

    pub fn items(&self) -> impl Iterator<Item = &Item> {
        self.paths.iter().flat_map(|path| &path.items)
    }

    /// For making: what lies above another path comes before it.
    pub fn outside_first(&self) -> Vec<&Item> {
        let mut done = vec![false; self.paths.len()];
        let mut items = Vec::new();
        for start in 0..self.paths.len() {
            let mut chain = vec![start];
            let mut at = start;
            while let Some(parent) = self.paths[at].parent.filter(|parent| !done[*parent]) {
                chain.push(parent);
                at = parent;
            }
            while let Some(at) = chain.pop() {
                if !std::mem::replace(&mut done[at], true) {
                    items.extend(&self.paths[at].items);
                }
            }
        }
        items
    }

    /// For removing: what lies below another path comes before it.
    pub fn inside_first(&self) -> Vec<&Item> {
        let mut done = vec![false; self.paths.len()];
        let mut entered = vec![false; self.paths.len()];
        let mut items = Vec::new();
        for start in 0..self.paths.len() {
            let mut ahead = vec![start];
            while let Some(at) = ahead.pop() {
                if done[at] {
                    continue;
                }
                if std::mem::replace(&mut entered[at], true) {
                    done[at] = true;
                    items.extend(&self.paths[at].items);
                } else {
                    ahead.push(at);
                    ahead.extend(self.paths[at].children.iter().copied().filter(|child| !entered[*child]));
                }
            }
        }
        items
    }
}

/// Lines by path, in the order of their first line; where the index of each path is.
fn gather(items: Vec<Item>, paths: &mut Vec<Path>) -> BTreeMap<String, usize> {
    let mut places: BTreeMap<String, usize> = BTreeMap::new();
    for item in items {
        let at = *places.entry(item.path.clone()).or_insert_with(|| {
            paths.push(Path { items: Vec::new(), parent: None, children: Vec::new() });
            paths.len() - 1
        });
        let path = &mut paths[at];
        if !item.plus && path.items.iter().any(|first| !agree(first, &item)) {
            eprintln!("{}: there is a line for {} already, ignoring", item.place, item.path);
            continue;
        }
        path.items.push(item);
        // Whatever makes the file comes first, then the rest in a fixed order.
        path.items.sort_by_key(|item| (!item.kind.owns(), item.kind));
    }
    places
}

/// Two lines that make a file are fine as long as they want the same of it.
fn agree(one: &Item, other: &Item) -> bool {
    let same = one.argument == other.argument
        && one.mode == other.mode
        && one.user == other.user
        && one.group == other.group
        && one.age == other.age;
    same || !(one.kind.owns() && other.kind.owns())
}
