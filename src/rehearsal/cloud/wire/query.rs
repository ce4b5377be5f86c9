//! The query protocol of `ELBv2`, RDS and STS: a form goes in, XML comes out.

use std::collections::BTreeMap;

use super::leaf::Kind;
use super::{ApiError, Node};

/// Reads a form body (`Actions.member.1.Type=forward&…`) into a tree; numbered parameters become lists in order.
pub fn read(body: &[u8]) -> Node {
    let mut root = Branch::default();
    for (name, value) in form_urlencoded::parse(body) {
        let mut at = &mut root;
        for part in name.split('.') {
            at = at.below.entry(Part::from(part)).or_default();
        }
        at.text = value.into_owned();
    }
    root.into_node("")
}

/// The answer of an operation: `<XResponse><XResult>…</XResult><ResponseMetadata/></XResponse>`.
pub fn answer(operation: &str, namespace: &str, result: Node, request: &str) -> String {
    let root = Node::new(&format!("{operation}Response"))
        .with(Node { name: format!("{operation}Result"), ..result })
        .with(Node::new("ResponseMetadata").put("RequestId", request));
    super::xml::write(&root, namespace)
}

/// An error as the query protocol and Route 53 say it.
pub fn error(error: &ApiError, namespace: &str, request: &str) -> String {
    let kind = if error.status < 500 { "Sender" } else { "Receiver" };
    let detail = Node::new("Error").put("Type", kind).put("Code", error.code).put("Message", error.text());
    super::xml::write(&Node::new("ErrorResponse").with(detail).put("RequestId", request), namespace)
}

/// A part of a parameter's name; numbers sort as numbers.
#[derive(PartialEq, Eq, PartialOrd, Ord)]
enum Part {
    Index(u32),
    Name(String),
}

impl From<&str> for Part {
    fn from(text: &str) -> Self {
        text.parse().map_or_else(|_| Self::Name(text.into()), Self::Index)
    }
}

#[derive(Default)]
struct Branch {
    text: String,
    below: BTreeMap<Part, Branch>,
}

impl Branch {
    fn into_node(self, name: &str) -> Node {
        let kind = if self.below.is_empty() { Kind::Text } else { Kind::Structure };
        let mut node = Node { name: name.into(), text: self.text, children: Vec::new(), kind };
        for (part, branch) in self.below {
            match part {
                Part::Name(below) => {
                    let is_list = branch.below.keys().any(|k| matches!(k, Part::Index(_)));
                    if is_list {
                        // `member.1`, `member.2`: the items take the place of the word between.
                        node.children.extend(branch.below.into_values().map(|item| item.into_node(&below)));
                    } else {
                        node.children.push(branch.into_node(&below));
                    }
                }
                Part::Index(n) => node.children.push(branch.into_node(&n.to_string())),
            }
        }
        node
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbered_parameters_become_lists_in_number_order() {
        let body = b"Action=CreateRule&Actions.member.1.ForwardConfig.TargetGroups.member.10.Weight=10\
            &Actions.member.1.ForwardConfig.TargetGroups.member.2.Weight=2&Actions.member.1.Type=forward&Priority=5";
        let node = read(body);
        assert_eq!(node.get("Priority"), Some("5"));
        let action = node.items("Actions").next().unwrap();
        assert_eq!(action.get("Type"), Some("forward"));
        let weights: Vec<_> =
            action.child("ForwardConfig").unwrap().items("TargetGroups").map(|g| g.get("Weight").unwrap()).collect();
        assert_eq!(weights, ["2", "10"]);
    }

    #[test]
    fn the_law_stands_at_the_end_of_the_message() {
        let refused =
            super::super::refuse("InvalidTarget", "no <public> targets").by(super::super::super::law::Law::L1);
        assert!(error(&refused, "", "r").contains("<Message>no &lt;public&gt; targets [law L1]</Message>"));
    }
}
