//! The one way to declare an operation, whatever its protocol: a name, where it is found, its laws, and what it does.

use futures::future::BoxFuture;
use http::Method;

use super::super::Cloud;
use super::super::law::Law;
use super::protocol::Protocol;
use super::{ApiError, Node};

/// A service of the cloud.
pub struct Service {
    /// The signing name in the credential scope.
    pub name: &'static str,
    /// How it is spoken to.
    pub protocol: Protocol,
    /// What it can do.
    pub operations: &'static [Operation],
}

/// An operation of a service.
pub struct Operation {
    /// AWS's name.
    pub name: &'static str,
    /// Method and path of a REST operation; the other protocols find it by its name.
    pub rest: Option<(Method, &'static str)>,
    /// The laws it holds its callers to.
    pub laws: &'static [Law],
    /// What it does.
    pub run: Run,
}

/// What an operation does: parameters in, answer out.
pub enum Run {
    /// At once, on the state.
    Now(fn(&Cloud, &Node) -> Result<Output, ApiError>),
    /// In its own time, as making a database server is.
    Later(fn(Cloud, Node) -> BoxFuture<'static, Result<Output, ApiError>>),
}

/// An answer: the result's children for the query protocol, the whole root for REST.
pub struct Output {
    /// The tree.
    pub node: Node,
    /// HTTP status.
    pub status: u16,
    /// Headers beside the content type: `location` of something created, `etag`, …
    pub headers: Vec<(&'static str, String)>,
    /// A body that is no tree, and its content type: it goes out in place of one.
    pub raw: Option<(&'static str, Vec<u8>)>,
}

impl Output {
    /// A body that is no tree.
    pub fn raw(content_type: &'static str, body: Vec<u8>) -> Self {
        Self { raw: Some((content_type, body)), ..Self::from(Node::default()) }
    }

    /// Another HTTP status than 200.
    #[must_use]
    pub fn status(self, status: u16) -> Self {
        Self { status, ..self }
    }

    /// With a header.
    #[must_use]
    pub fn header(mut self, name: &'static str, value: impl Into<String>) -> Self {
        self.headers.push((name, value.into()));
        self
    }
}

impl Operation {
    /// Whether it only looks: what a stale read may answer.
    pub fn reads(&self) -> bool {
        ["Describe", "Get", "List", "Head", "Test"].iter().any(|verb| self.name.starts_with(verb))
    }
}

impl From<Node> for Output {
    fn from(node: Node) -> Self {
        Self { node, status: 200, headers: Vec::new(), raw: None }
    }
}

/// An operation found by its name that works on the state.
pub const fn query(
    name: &'static str,
    run: fn(&Cloud, &Node) -> Result<Output, ApiError>,
    laws: &'static [Law],
) -> Operation {
    Operation { name, rest: None, laws, run: Run::Now(run) }
}

/// A REST operation that works on the state.
pub const fn rest(
    name: &'static str,
    method: Method,
    path: &'static str,
    run: fn(&Cloud, &Node) -> Result<Output, ApiError>,
    laws: &'static [Law],
) -> Operation {
    Operation { name, rest: Some((method, path)), laws, run: Run::Now(run) }
}

/// Matches a path against a pattern such as `/2013-04-01/hostedzone/{Id}/rrset` and gives the named parts. A pattern may
/// end with what the query has to hold, as in `/2020-05-31/tagging?Operation=Tag`.
pub fn matches(pattern: &str, path: &str, asked: Option<&str>) -> Option<Vec<Node>> {
    let (pattern, needed) = pattern.split_once('?').unwrap_or((pattern, ""));
    if !needed.is_empty() && !asked.unwrap_or_default().split('&').any(|part| part == needed) {
        return None;
    }
    let mut parts = path.trim_end_matches('/').split('/');
    let mut named = Vec::new();
    for wanted in pattern.split('/') {
        let part = parts.next()?;
        match wanted.strip_prefix('{').and_then(|w| w.strip_suffix('}')) {
            Some(name) if !part.is_empty() => {
                let text = percent_encoding::percent_decode_str(part).decode_utf8_lossy();
                named.push(Node::leaf(name, text));
            }
            None if part == wanted => {}
            _ => return None,
        }
    }
    parts.next().is_none().then_some(named)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths_match_part_by_part() {
        let named = matches("/2013-04-01/hostedzone/{Id}/rrset", "/2013-04-01/hostedzone/Z1/rrset/", None).unwrap();
        assert_eq!(named, [Node::leaf("Id", "Z1")]);
        assert!(matches("/2013-04-01/hostedzone/{Id}", "/2013-04-01/hostedzone", None).is_none());
        assert!(matches("/2013-04-01/hostedzone", "/2013-04-01/hostedzone/Z1", None).is_none());
        assert!(matches("/tagging?Operation=Tag", "/tagging", Some("Resource=x&Operation=Tag")).is_some());
        assert!(matches("/tagging?Operation=Tag", "/tagging", Some("Operation=Untag")).is_none());
    }
}
