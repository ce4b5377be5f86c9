//! XML out of and into [`Node`]s.

use quick_xml::Reader;
use quick_xml::escape::{escape, resolve_predefined_entity};
use quick_xml::events::Event;

use super::leaf::Kind;
use super::{ApiError, Node, refuse};

/// Writes a document whose root carries the namespace, if one is given.
pub fn write(root: &Node, namespace: &str) -> String {
    let mut out = String::from("<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n");
    let xmlns = if namespace.is_empty() { String::new() } else { format!(" xmlns=\"{namespace}\"") };
    element(&mut out, root, &xmlns);
    out
}

fn element(out: &mut String, node: &Node, attributes: &str) {
    out.push('<');
    out.push_str(&node.name);
    out.push_str(attributes);
    if node.text.is_empty() && node.children.is_empty() {
        out.push_str("/>");
        return;
    }
    out.push('>');
    out.push_str(&escape(node.text.as_str()));
    for child in &node.children {
        element(out, child, "");
    }
    out.push_str("</");
    out.push_str(&node.name);
    out.push('>');
}

/// Reads a document; the node given back is its root. No body at all is an empty node.
pub fn read(body: &[u8]) -> Result<Node, ApiError> {
    let malformed = |why: String| refuse("MalformedInput", format!("the body is not well-formed XML: {why}"));
    let mut reader = Reader::from_reader(body);
    let mut open: Vec<Node> = vec![Node::default()];
    let name_of = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    loop {
        let event = reader.read_event().map_err(|e| malformed(e.to_string()))?;
        let text = match event {
            Event::Start(tag) => {
                open.push(Node::new(&name_of(tag.local_name().as_ref())));
                continue;
            }
            Event::Empty(tag) => {
                let node = Node::new(&name_of(tag.local_name().as_ref()));
                if let Some(parent) = open.last_mut() {
                    parent.children.push(node);
                }
                continue;
            }
            Event::End(_) => {
                let mut node = open.pop().unwrap_or_default();
                if node.children.is_empty() {
                    node.kind = Kind::Text;
                } else {
                    node.text.clear();
                }
                if let Some(parent) = open.last_mut() {
                    parent.children.push(node);
                }
                continue;
            }
            Event::Text(text) => text.decode().map_err(|e| malformed(e.to_string()))?.into_owned(),
            Event::CData(text) => text.decode().map_err(|e| malformed(e.to_string()))?.into_owned(),
            Event::GeneralRef(entity) => {
                if let Ok(Some(c)) = entity.resolve_char_ref() {
                    c.to_string()
                } else {
                    let name = entity.decode().map_err(|e| malformed(e.to_string()))?;
                    let known = resolve_predefined_entity(&name).map(str::to_owned);
                    known.ok_or_else(|| malformed(format!("unknown entity &{name};")))?
                }
            }
            Event::Eof => break,
            _ => continue,
        };
        if let Some(node) = open.last_mut() {
            node.text.push_str(&text);
        }
    }
    match open.len() {
        1 => Ok(open.pop().and_then(|mut top| top.children.pop()).unwrap_or_default()),
        _ => Err(malformed("it ends too early".into())),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_written_reads_back() {
        let tree = Node::new("A").put("B", "x & <y> \"q\" 한글").texts_list("Cs", "C", ["1", "2"]).with(Node::new("D"));
        assert_eq!(read(write(&tree, "urn:x").as_bytes()).unwrap(), tree);
    }

    #[test]
    fn a_torn_body_is_refused() {
        assert_eq!(read(b"<A><B>").unwrap_err().code, "MalformedInput");
        assert_eq!(read(b"").unwrap(), Node::default());
    }
}
