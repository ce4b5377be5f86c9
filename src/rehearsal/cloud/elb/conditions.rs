//! Rule conditions, out of and onto the wire.

use super::super::super::state::Condition;
use super::super::wire::{ApiError, Node, refuse};

/// Reads the conditions of a rule: one to five values in all, each field once but for headers and queries.
pub(super) fn read(input: &Node) -> Result<Vec<Condition>, ApiError> {
    let conditions = input.items("Conditions").map(one).collect::<Result<Vec<_>, _>>()?;
    for field in ["path-pattern", "host-header", "http-request-method"] {
        if input.items("Conditions").filter(|c| c.get("Field") == Some(field)).count() > 1 {
            let why = format!("A rule can only have one '{field}' condition");
            return Err(refuse("ValidationError", why));
        }
    }
    let values: usize = conditions.iter().map(values).sum();
    if conditions.is_empty() {
        return Err(refuse("ValidationError", "A rule needs a condition"));
    }
    if values > 5 {
        return Err(refuse(
            "ValidationError",
            format!("A rule can only have '5' condition values, and this one has {values}"),
        ));
    }
    let single = |c: &Condition| match c {
        Condition::Path(_) => Some("path-pattern"),
        Condition::Host(_) => Some("host-header"),
        Condition::Method(_) => Some("http-request-method"),
        _ => None,
    };
    for field in ["path-pattern", "host-header", "http-request-method"] {
        if conditions.iter().filter(|c| single(c) == Some(field)).count() > 1 {
            return Err(refuse("ValidationError", format!("A rule can only have one '{field}' condition")));
        }
    }
    Ok(conditions)
}

fn values(condition: &Condition) -> usize {
    match condition {
        Condition::Path(v) | Condition::Host(v) | Condition::Method(v) | Condition::Header(_, v) => v.len(),
        Condition::Query(v) => v.len(),
    }
}

fn one(node: &Node) -> Result<Condition, ApiError> {
    let field = node.need("Field")?;
    let regexes = node.children.iter().any(|child| child.items("RegexValues").next().is_some());
    if regexes || node.items("RegexValues").next().is_some() {
        return Err(refuse("ValidationError", "the rehearsal cloud matches no regular expressions"));
    }
    let config = |name: &str| {
        let own = node.child(name).map(|c| c.texts("Values")).unwrap_or_default();
        let values = if own.is_empty() { node.texts("Values") } else { own };
        let fits = |v: &String| !v.is_empty() && v.chars().count() <= 128;
        if values.is_empty() || !values.iter().all(fits) {
            return Err(refuse(
                "ValidationError",
                format!("The condition '{field}' needs values of 1 to 128 characters"),
            ));
        }
        Ok(values)
    };
    match field {
        "path-pattern" => Ok(Condition::Path(config("PathPatternConfig")?)),
        "host-header" => Ok(Condition::Host(config("HostHeaderConfig")?)),
        "http-request-method" => {
            let methods = config("HttpRequestMethodConfig")?;
            let fits = |m: &String| m.len() <= 40 && m.bytes().all(|b| b.is_ascii_uppercase() || b"-_".contains(&b));
            match methods.iter().find(|method| !fits(method)) {
                Some(odd) => {
                    let why = format!("The HTTP request method '{odd}' must be of A-Z, hyphen and underscore only");
                    Err(refuse("ValidationError", why))
                }
                None => Ok(Condition::Method(methods)),
            }
        }
        "source-ip" => Err(refuse(
            "ValidationError",
            "the rehearsal cloud has no source-ip conditions: every visitor comes from loopback",
        )),
        "http-header" => {
            let name = node.child("HttpHeaderConfig").and_then(|c| c.get("HttpHeaderName"));
            let name =
                name.ok_or_else(|| refuse("ValidationError", "The condition 'http-header' needs a header name"))?;
            if name.len() > 40 || name.eq_ignore_ascii_case("host") {
                let why = format!("The header name '{name}' must have at most 40 characters and not be 'host'");
                return Err(refuse("ValidationError", why));
            }
            Ok(Condition::Header(name.to_owned(), config("HttpHeaderConfig")?))
        }
        "query-string" => {
            let pairs = node.child("QueryStringConfig").into_iter().flat_map(|c| c.items("Values"));
            let pairs = pairs.map(|p| Ok((p.get("Key").map(str::to_owned), p.need("Value")?.to_owned())));
            Ok(Condition::Query(pairs.collect::<Result<_, ApiError>>()?))
        }
        other => Err(refuse(
            "ValidationError",
            format!(
                "Condition field '{other}' must be one of '[path-pattern, host-header, http-header, http-request-method, query-string, source-ip]'"
            ),
        )),
    }
}

/// A condition as it is described.
pub(super) fn node(condition: &Condition) -> Node {
    let plain = |field: &str, config: &str, values: &[String]| {
        Node::default()
            .put("Field", field)
            .texts_list("Values", "member", values)
            .with(Node::new(config).texts_list("Values", "member", values))
    };
    match condition {
        Condition::Path(values) => plain("path-pattern", "PathPatternConfig", values),
        Condition::Host(values) => plain("host-header", "HostHeaderConfig", values),
        Condition::Method(values) => Node::default()
            .put("Field", "http-request-method")
            .with(Node::new("HttpRequestMethodConfig").texts_list("Values", "member", values)),
        Condition::Header(name, values) => Node::default()
            .put("Field", "http-header")
            .with(Node::new("HttpHeaderConfig").put("HttpHeaderName", name).texts_list("Values", "member", values)),
        Condition::Query(pairs) => {
            let pairs = pairs.iter().map(|(k, v)| Node::default().put_some("Key", k.as_ref()).put("Value", v));
            let config = Node::new("QueryStringConfig").list("Values", "member", pairs);
            Node::default().put("Field", "query-string").with(config)
        }
    }
}
