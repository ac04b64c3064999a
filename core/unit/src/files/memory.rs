//! A tree held in memory: for tests, and for the vendor units that the binary carries.

use super::tree::{Kind, Tree, TreeError, parent, resolve};
use std::collections::BTreeMap;

/// Directories exist by being parents; a path may also be made one by [`MemoryTree::directory`].
#[derive(Clone, Debug, Default)]
pub struct MemoryTree {
    nodes: BTreeMap<String, Node>,
}

#[derive(Clone, Debug)]
enum Node {
    File(Vec<u8>),
    Link(String),
    Directory,
    Special,
}

impl MemoryTree {
    pub fn new() -> MemoryTree {
        MemoryTree::default()
    }

    pub fn file(&mut self, path: &str, content: impl Into<Vec<u8>>) {
        self.put(path, Node::File(content.into()));
    }

    pub fn link(&mut self, path: &str, target: &str) {
        self.put(path, Node::Link(target.to_owned()));
    }

    pub fn directory(&mut self, path: &str) {
        if path != "/" && !self.nodes.contains_key(path) {
            self.put(path, Node::Directory);
        }
    }

    pub fn special(&mut self, path: &str) {
        self.put(path, Node::Special);
    }

    /// Takes away a file, a link, or a directory with everything in it.
    pub fn remove(&mut self, path: &str) {
        let below = format!("{path}/");
        self.nodes.retain(|name, _| name != path && !name.starts_with(&below));
    }

    /// All links and files, as `path -> target` and `path`.
    pub fn listing(&self) -> Vec<String> {
        let line = |(path, node): (&String, &Node)| match node {
            Node::Link(target) => Some(format!("{path} -> {target}")),
            Node::File(_) | Node::Special => Some(path.clone()),
            Node::Directory => None,
        };
        self.nodes.iter().filter_map(line).collect()
    }

    fn put(&mut self, path: &str, node: Node) {
        let mut above = parent(path);
        while above != "/" && !above.is_empty() {
            self.nodes.entry(above.to_owned()).or_insert(Node::Directory);
            above = parent(above);
        }
        self.nodes.insert(path.to_owned(), node);
    }

    /// The node `path` leads to, links followed.
    fn at(&self, path: &str) -> Result<(String, Option<&Node>), TreeError> {
        let resolved = resolve(self, path)?;
        match resolved.kind {
            None => Err(TreeError::NotFound),
            Some(_) => {
                let node = self.nodes.get(&resolved.path);
                Ok((resolved.path, node))
            }
        }
    }
}

impl Tree for MemoryTree {
    fn look(&self, path: &str) -> Result<Kind, TreeError> {
        let path = path.trim_end_matches('/');
        if path.is_empty() {
            return Ok(Kind::Directory);
        }
        self.nodes.get(path).map(Node::kind).ok_or(TreeError::NotFound)
    }

    fn list(&self, directory: &str) -> Result<Vec<(String, Kind)>, TreeError> {
        let (directory, node) = self.at(directory)?;
        if node.is_some_and(|node| node.kind() != Kind::Directory) {
            return Err(TreeError::NotADirectory);
        }
        let prefix = format!("{}/", directory.trim_end_matches('/'));
        let inside = self.nodes.range(prefix.clone()..).take_while(|(path, _)| path.starts_with(&prefix));
        let direct = inside.filter_map(|(path, node)| {
            let name = &path[prefix.len()..];
            (!name.contains('/')).then(|| (name.to_owned(), node.kind()))
        });
        Ok(direct.collect())
    }

    fn read(&self, path: &str, limit: u64) -> Result<Vec<u8>, TreeError> {
        match self.at(path)?.1 {
            Some(Node::File(content)) if content.len() as u64 > limit => Err(TreeError::TooLarge { limit }),
            Some(Node::File(content)) => Ok(content.clone()),
            Some(Node::Special) => Ok(Vec::new()),
            Some(Node::Directory) | None => Err(TreeError::IsADirectory),
            Some(Node::Link(_)) => Err(TreeError::NotFound),
        }
    }

    fn size(&self, path: &str) -> Result<u64, TreeError> {
        match self.at(path)?.1 {
            Some(Node::File(content)) => Ok(content.len() as u64),
            Some(Node::Special | Node::Directory | Node::Link(_)) | None => Ok(0),
        }
    }

    fn stamp(&self, directory: &str) -> Option<u64> {
        self.list(directory).ok().map(|entries| entries.len() as u64)
    }
}

impl Node {
    fn kind(&self) -> Kind {
        match self {
            Node::File(_) => Kind::File,
            Node::Link(target) => Kind::Symlink(target.clone()),
            Node::Directory => Kind::Directory,
            Node::Special => Kind::Special,
        }
    }
}
