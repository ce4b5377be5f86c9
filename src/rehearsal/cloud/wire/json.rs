//! The JSON protocol of ACM and Secrets Manager, and the way between [`Node`]s and JSON values.
//! Source: Smithy specification, AWS JSON 1.1 protocol.

use serde_json::{Map, Number, Value, json};

use super::leaf::Kind;
use super::{ApiError, Node, refuse};

/// Reads a request's body; no body at all is an empty structure.
pub fn read(body: &[u8]) -> Result<Node, ApiError> {
    if body.is_empty() {
        return Ok(Node::default());
    }
    let value: Value = serde_json::from_slice(body)
        .map_err(|error| refuse("SerializationException", format!("the body is not well-formed JSON: {error}")))?;
    Ok(node("", &value))
}

/// A value as a tree; `null` is a leaf without text, which counts as absent.
pub(super) fn node(name: &str, value: &Value) -> Node {
    let (text, kind) = match value {
        Value::Null => (String::new(), Kind::Text),
        Value::Bool(truth) => (truth.to_string(), Kind::Truth),
        Value::Number(number) => (number.to_string(), Kind::Number),
        Value::String(text) => (text.clone(), Kind::Text),
        Value::Array(_) => (String::new(), Kind::List),
        Value::Object(_) => (String::new(), Kind::Structure),
    };
    let children = match value {
        Value::Array(items) => items.iter().map(|item| node("member", item)).collect(),
        Value::Object(members) => members.iter().map(|(name, member)| node(name, member)).collect(),
        _ => Vec::new(),
    };
    Node { name: name.into(), text, children, kind }
}

/// A tree as a value.
pub(super) fn value(node: &Node) -> Value {
    match node.kind {
        Kind::Structure => {
            Value::Object(node.children.iter().map(|c| (c.name.clone(), value(c))).collect::<Map<_, _>>())
        }
        Kind::List => Value::Array(node.children.iter().map(value).collect()),
        Kind::Text => Value::String(node.text.clone()),
        Kind::Number => number(&node.text).map_or(Value::Null, Value::Number),
        Kind::Truth => Value::Bool(node.text == "true"),
        Kind::Moment => epoch(&node.text).and_then(Number::from_f64).map_or(Value::Null, Value::Number),
    }
}

fn number(text: &str) -> Option<Number> {
    text.parse::<i64>().map(Number::from).ok().or_else(|| text.parse().ok().and_then(Number::from_f64))
}

/// Seconds since 1970 of an ISO 8601 moment, milliseconds after the point.
pub(super) fn epoch(iso: &str) -> Option<f64> {
    let moment: jiff::Timestamp = iso.parse().ok()?;
    #[allow(clippy::cast_precision_loss)] // milliseconds of this millennium fit a double
    let ms = moment.as_millisecond() as f64;
    Some(ms / 1000.0)
}

/// The answer of an operation.
pub fn answer(node: &Node) -> String {
    value(node).to_string()
}

/// An error as the JSON protocol says it.
pub fn error(error: &ApiError) -> String {
    json!({"__type": error.code, "message": error.text(), "Message": error.text()}).to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn kinds_survive_the_way_out_and_in() {
        let tree = Node::default()
            .put("Name", "가게")
            .put("Size", 3_u32)
            .put("Ready", true)
            .put("At", std::time::UNIX_EPOCH + std::time::Duration::from_millis(1500))
            .texts_list("Names", "member", ["a", "b"])
            .list("None", "member", []);
        let out = answer(&tree);
        assert_eq!(out, r#"{"Name":"가게","Size":3,"Ready":true,"At":1.5,"Names":["a","b"],"None":[]}"#);
        let back = read(out.as_bytes()).unwrap();
        assert_eq!((back.get("Size"), back.texts("Names")), (Some("3"), vec!["a".to_owned(), "b".to_owned()]));
    }

    #[test]
    fn what_is_no_json_is_refused() {
        assert_eq!(read(b"{\"a\":").unwrap_err().code, "SerializationException");
        assert_eq!(read(b"").unwrap(), Node::default());
    }
}
