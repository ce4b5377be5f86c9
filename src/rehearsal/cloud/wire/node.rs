//! A named tree: what parameters come in as and answers go out as.

use std::str::FromStr;

use super::leaf::{Kind, Leaf};
use super::{ApiError, refuse};

/// A name with a text or with children.
#[derive(Debug, Clone, Default)]
pub struct Node {
    /// Element or parameter name.
    pub name: String,
    /// The text of a leaf.
    pub text: String,
    /// What is below it, in order.
    pub children: Vec<Node>,
    /// What it is, for the protocols that tell a number from a text and a list from a structure.
    pub kind: Kind,
}

/// Kinds do not count: XML, where everything is a text, cannot tell them.
impl PartialEq for Node {
    fn eq(&self, other: &Self) -> bool {
        (&self.name, &self.text, &self.children) == (&other.name, &other.text, &other.children)
    }
}

impl Node {
    /// A node without anything in it.
    pub fn new(name: &str) -> Self {
        Self { name: name.into(), ..Self::default() }
    }

    /// A leaf.
    pub fn leaf(name: &str, value: impl Leaf) -> Self {
        Self { name: name.into(), text: value.text(), children: Vec::new(), kind: value.kind() }
    }

    /// Adds a child.
    #[must_use]
    pub fn with(mut self, child: Node) -> Self {
        self.children.push(child);
        self
    }

    /// Adds a leaf.
    #[must_use]
    pub fn put(self, name: &str, text: impl Leaf) -> Self {
        self.with(Node::leaf(name, text))
    }

    /// Adds a leaf if there is something to say.
    #[must_use]
    pub fn put_some(self, name: &str, text: Option<impl Leaf>) -> Self {
        match text {
            Some(text) => self.put(name, text),
            None => self,
        }
    }

    /// Adds a list, each of its items renamed to `item`.
    #[must_use]
    pub fn list(self, name: &str, item: &str, items: impl IntoIterator<Item = Node>) -> Self {
        let children = items.into_iter().map(|n| Node { name: item.into(), ..n }).collect();
        self.with(Node { name: name.into(), text: String::new(), children, kind: Kind::List })
    }

    /// Adds a list of texts.
    #[must_use]
    pub fn texts_list<T: Leaf>(self, name: &str, item: &str, items: impl IntoIterator<Item = T>) -> Self {
        self.list(name, item, items.into_iter().map(|t| Node::leaf(item, t)))
    }

    /// The first child of that name.
    pub fn child(&self, name: &str) -> Option<&Node> {
        self.children.iter().find(|c| c.name == name)
    }

    /// Every child of that name, as the lists of the EC2 protocol and flattened ones come.
    pub fn all<'a>(&'a self, name: &'a str) -> impl Iterator<Item = &'a Node> {
        self.children.iter().filter(move |c| c.name == name)
    }

    /// The text of a child; an empty one counts as absent.
    pub fn get(&self, name: &str) -> Option<&str> {
        self.child(name).map(|c| c.text.as_str()).filter(|t| !t.is_empty())
    }

    /// The text of a child that must be there.
    pub fn need(&self, name: &str) -> Result<&str, ApiError> {
        self.get(name).ok_or_else(|| refuse("ValidationError", format!("'{name}' is required and was not given")))
    }

    /// The items of a list.
    pub fn items<'a>(&'a self, name: &str) -> impl Iterator<Item = &'a Node> + use<'a> {
        self.child(name).into_iter().flat_map(|c| c.children.iter())
    }

    /// The texts of a list.
    pub fn texts(&self, name: &str) -> Vec<String> {
        self.items(name).map(|n| n.text.clone()).collect()
    }

    /// The truth a child holds, if it is there.
    pub fn flag(&self, name: &str) -> Result<Option<bool>, ApiError> {
        let wrong = |text: &str| refuse("ValidationError", format!("Value '{text}' at '{name}' must be true or false"));
        self.get(name).map(|text| text.to_ascii_lowercase().parse().map_err(|_| wrong(text))).transpose()
    }

    /// The number a child holds, if it is there.
    pub fn number<T: FromStr>(&self, name: &str) -> Result<Option<T>, ApiError> {
        self.get(name)
            .map(|text| {
                text.parse().map_err(|_| {
                    refuse(
                        "ValidationError",
                        format!("Value '{text}' at '{name}' failed to satisfy constraint: out of range"),
                    )
                })
            })
            .transpose()
    }
}
