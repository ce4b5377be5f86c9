//! The one way to declare what can be described.

use super::{Answer, ApiError, Cloud, Node, State, filter, page, refuse, texts, view};

/// A kind of thing: how its ids look, what it answers, and what its filters look at.
pub(super) struct Kind {
    /// Its name in tag specifications and `DescribeTags`, such as `route-table`.
    pub name: &'static str,
    /// The parameter that names ids, and the element that holds the id.
    pub id: (&'static str, &'static str),
    /// The list in the answer.
    pub set: &'static str,
    /// What its ids begin with.
    pub prefix: &'static str,
    /// The error code of an id that names nothing.
    pub missing: &'static str,
    /// The error code of an id that cannot name anything, where EC2 has one of its own.
    pub malformed: Option<&'static str>,
    /// What it is in a message: `vpc ID`.
    pub words: &'static str,
    /// Everything there is, as it is described; tags are added.
    pub nodes: fn(&State) -> Vec<Node>,
    /// Filter names beside those of tags, and the path of elements each looks at.
    pub filters: &'static [(&'static str, &'static str)],
}

impl Kind {
    /// The refusal of an id.
    pub fn not_found(&self, id: &str) -> ApiError {
        let digits = id.strip_prefix(self.prefix).unwrap_or_default();
        let well_formed = matches!(digits.len(), 8 | 17) && digits.bytes().all(|b| b.is_ascii_hexdigit());
        match self.malformed {
            Some(code) if !well_formed => {
                refuse(code, format!("Invalid id: \"{id}\" (expecting \"{}...\")", self.prefix))
            }
            _ => refuse(self.missing, format!("The {} '{id}' does not exist", self.words)),
        }
    }

    /// Everything there is of it, with its tags.
    pub fn all(&self, state: &State) -> Vec<Node> {
        let tagged = |node: Node| {
            let tags = node.get(self.id.1).and_then(|id| state.tags.get(id));
            let pairs = tags.into_iter().flatten().map(|(k, v)| Node::default().put("key", k).put("value", v));
            let pairs: Vec<_> = pairs.collect();
            // Types and zones have no tags, and no element for them.
            if pairs.is_empty() && self.prefix.is_empty() { node } else { node.list("tagSet", "item", pairs) }
        };
        (self.nodes)(state).into_iter().map(tagged).collect()
    }

    /// One of them as it is described, under another name.
    pub fn one(&self, state: &State, id: &str, name: &str) -> Node {
        let found = self.all(state).into_iter().find(|node| node.get(self.id.1) == Some(id));
        Node { name: name.into(), ..found.unwrap_or_default() }
    }

    /// Whether there is one of this id.
    pub fn holds(&self, state: &State, id: &str) -> bool {
        (self.nodes)(state).iter().any(|node| node.get(self.id.1) == Some(id))
    }

    /// Those that a request asks for, by id and by filter.
    pub fn select(&self, state: &State, input: &Node) -> Result<Vec<Node>, ApiError> {
        let wanted = texts(input, self.id.0);
        let mut nodes = self.all(state);
        if !wanted.is_empty() {
            let has = |id: &String| nodes.iter().any(|node| node.get(self.id.1) == Some(id));
            if let Some(unknown) = wanted.iter().find(|id| !has(id)) {
                return Err(self.not_found(unknown));
            }
            nodes.retain(|node| node.get(self.id.1).is_some_and(|id| wanted.iter().any(|w| w == id)));
        }
        filter::keep(self.filters, input, nodes)
    }

    /// The whole of a describing operation.
    pub fn describe(&self, cloud: &Cloud, input: &Node) -> Answer {
        view(cloud, input, |state| {
            let found = self.select(state, input)?;
            let by_id = input.all(self.id.0).next().is_some();
            Ok(page::of(input, self.set, found, by_id)?.into())
        })
    }
}
