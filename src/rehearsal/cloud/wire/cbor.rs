//! RPC v2 CBOR, which CloudWatch is spoken to in.
//! Source: Smithy specification, Smithy RPC v2 CBOR protocol.

use ciborium::Value;

use super::leaf::Kind;
use super::{ApiError, Node, json, refuse};

/// The tag of a moment: seconds since 1970 (RFC 8949, section 3.4.2).
const MOMENT: u64 = 1;

/// Reads a request's body; no body at all is an empty structure.
pub fn read(body: &[u8]) -> Result<Node, ApiError> {
    if body.is_empty() {
        return Ok(Node::default());
    }
    let value: Value = ciborium::from_reader(body)
        .map_err(|error| refuse("SerializationException", format!("the body is not well-formed CBOR: {error}")))?;
    Ok(node("", value))
}

fn node(name: &str, value: Value) -> Node {
    let leaf = |text: String, kind| Node { name: name.into(), text, children: Vec::new(), kind };
    match value {
        Value::Integer(number) => leaf(i128::from(number).to_string(), Kind::Number),
        Value::Float(number) => leaf(number.to_string(), Kind::Number),
        Value::Bool(truth) => leaf(truth.to_string(), Kind::Truth),
        Value::Text(text) => leaf(text, Kind::Text),
        Value::Tag(MOMENT, seconds) => Node { kind: Kind::Moment, ..node(name, *seconds) },
        Value::Tag(_, inner) => node(name, *inner),
        Value::Array(items) => Node {
            children: items.into_iter().map(|item| node("member", item)).collect(),
            ..leaf(String::new(), Kind::List)
        },
        Value::Map(members) => Node {
            children: members.into_iter().filter_map(|(k, v)| Some(node(k.as_text()?, v))).collect(),
            ..leaf(String::new(), Kind::Structure)
        },
        _ => leaf(String::new(), Kind::Text),
    }
}

fn value(node: &Node) -> Value {
    match node.kind {
        Kind::Structure => Value::Map(node.children.iter().map(|c| (Value::Text(c.name.clone()), value(c))).collect()),
        Kind::List => Value::Array(node.children.iter().map(value).collect()),
        Kind::Text => Value::Text(node.text.clone()),
        Kind::Truth => Value::Bool(node.text == "true"),
        Kind::Number => match node.text.parse::<i64>() {
            Ok(whole) => Value::Integer(whole.into()),
            Err(_) => Value::Float(node.text.parse().unwrap_or_default()),
        },
        Kind::Moment => Value::Tag(MOMENT, Box::new(Value::Float(json::epoch(&node.text).unwrap_or_default()))),
    }
}

/// The answer of an operation.
pub fn answer(node: &Node) -> Vec<u8> {
    write(&value(node))
}

/// An error as RPC v2 says it; the code of the query protocol it had before goes into a header beside.
pub fn error(error: &ApiError) -> Vec<u8> {
    let shape = SHAPES.iter().find(|(code, _)| *code == error.code).map_or(error.code, |(_, shape)| shape);
    let tree = Node::default().put("__type", shape).put("message", error.text()).put("Message", error.text());
    write(&value(&tree))
}

/// The codes of the query protocol that are not the names of their shapes.
/// Source: the service model of CloudWatch, `httpError` and `awsQueryError` of its errors.
const SHAPES: [(&str, &str); 6] = [
    ("InvalidParameterValue", "InvalidParameterValueException"),
    ("MissingParameter", "MissingRequiredParameterException"),
    ("InvalidParameterCombination", "InvalidParameterCombinationException"),
    ("InternalServiceError", "InternalServiceFault"),
    ("InvalidFormat", "InvalidFormatFault"),
    ("LimitExceeded", "LimitExceededFault"),
];

fn write(value: &Value) -> Vec<u8> {
    let mut out = Vec::new();
    // into memory: it cannot fail
    let _ = ciborium::into_writer(value, &mut out);
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn kinds_survive_the_way_out_and_in() {
        let at = std::time::UNIX_EPOCH + std::time::Duration::from_millis(1500);
        let values = Node::leaf("member", 0.25);
        let tree = Node::default().put("Id", "q1").put("Period", 60_u32).put("Whole", 2.0).put("At", at).list(
            "Values",
            "member",
            [values],
        );
        let back = read(&answer(&tree)).unwrap();
        assert_eq!((back.get("Id"), back.get("Period"), back.get("Whole")), (Some("q1"), Some("60"), Some("2")));
        let Value::Map(members) = ciborium::from_reader::<Value, _>(answer(&tree).as_slice()).unwrap() else {
            panic!()
        };
        let whole = members.iter().find(|(name, _)| name.as_text() == Some("Whole")).unwrap();
        assert!(whole.1.is_float(), "a client's decoder takes no integer for a double");
        let moment = back.child("At").unwrap();
        assert_eq!((moment.kind, moment.text.as_str()), (Kind::Moment, "1.5"));
        assert_eq!(back.texts("Values"), ["0.25"]);
    }

    #[test]
    fn a_torn_body_is_refused() {
        assert_eq!(read(&[0xa1, 0x61]).unwrap_err().code, "SerializationException");
    }
}
