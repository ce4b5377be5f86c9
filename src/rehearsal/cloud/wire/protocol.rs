//! The protocols AWS's services are spoken to in: how an operation is found in a request, and how answers go out.

use bytes::Bytes;
use http::request::Parts;

use super::operation::{Operation, Output, Service, matches};
use super::{ApiError, Node, cbor, ec2, json, query, refuse, xml};

/// A protocol, with what tells a service's own messages from another's.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Protocol {
    /// A form in, XML of this namespace out: `ELBv2`, RDS, STS.
    Query(&'static str),
    /// The query protocol as EC2 has it.
    Ec2(&'static str),
    /// Methods and paths, XML of this namespace in and out: Route 53, CloudFront.
    RestXml(&'static str),
    /// JSON, the operation in a header after this prefix: ACM, Secrets Manager.
    Json(&'static str),
    /// CBOR, the operation in the path after this service's name: CloudWatch.
    Cbor(&'static str),
}

/// What goes out: content type, body, and headers beside.
pub struct Document {
    /// HTTP status.
    pub status: u16,
    /// The `Content-Type`.
    pub content_type: &'static str,
    /// The body.
    pub body: Bytes,
    /// Headers beside.
    pub headers: Vec<(&'static str, String)>,
}

/// Headers that are parameters of REST operations, and the names they go by.
const PARAMETERS: &[(&str, &str)] = &[("if-match", "IfMatch")];

impl Service {
    /// Whether a request may be in its protocol, for a service that is spoken to in two: JSON has a target, CBOR none.
    pub fn is_spoken(&self, headers: &http::HeaderMap) -> bool {
        !(matches!(self.protocol, Protocol::Cbor(_)) && headers.contains_key("x-amz-target"))
    }

    /// The operation a request is for, and its parameters from path, query, headers and body.
    pub fn find(&'static self, head: &Parts, body: &[u8]) -> Result<(&'static Operation, Node), ApiError> {
        let by_name = |name: &str| self.operations.iter().find(|o| o.rest.is_none() && o.name == name);
        let (found, asked, input) = match self.protocol {
            Protocol::Query(_) | Protocol::Ec2(_) => {
                let mut input = query::read(body);
                if input.children.is_empty() {
                    input = query::read(head.uri.query().unwrap_or_default().as_bytes());
                }
                let action = input.get("Action").unwrap_or_default().to_owned();
                (by_name(&action), action, Ok(input))
            }
            Protocol::Json(prefix) => {
                let target = head.headers.get("x-amz-target").and_then(|t| t.to_str().ok()).unwrap_or_default();
                let name = target.strip_prefix(prefix).and_then(|t| t.strip_prefix('.')).unwrap_or_default();
                (by_name(name), target.to_owned(), json::read(body))
            }
            Protocol::Cbor(name) => {
                let pattern = format!("/service/{name}/operation/");
                let action = head.uri.path().strip_prefix(&pattern).unwrap_or_default();
                (by_name(action), action.to_owned(), cbor::read(body))
            }
            Protocol::RestXml(_) => return self.find_rest(head, body),
        };
        let operation = found.ok_or_else(|| self.unknown(&asked))?;
        Ok((operation, input?))
    }

    fn find_rest(&'static self, head: &Parts, body: &[u8]) -> Result<(&'static Operation, Node), ApiError> {
        let asked = head.uri.query();
        let found = self.operations.iter().filter_map(|operation| {
            let (method, path) = operation.rest.as_ref()?;
            let named = (*method == head.method).then(|| matches(path, head.uri.path(), asked)).flatten()?;
            Some((operation, *path, named))
        });
        // Of two that match, the one that says more of the query is meant.
        let Some((operation, _, named)) =
            found.max_by_key(|(_, path, _)| path.split_once('?').map_or(0, |p| p.1.len()))
        else {
            return Err(self.unknown(&format!("{} {}", head.method, head.uri.path())));
        };
        let mut input = xml::read(body)?;
        let asked = form_urlencoded::parse(asked.unwrap_or_default().as_bytes());
        input.children.extend(asked.map(|(name, value)| Node::leaf(&name, value)));
        for (header, name) in PARAMETERS {
            let given = head.headers.get(*header).and_then(|v| v.to_str().ok());
            input.children.extend(given.map(|value| Node::leaf(name, value)));
        }
        input.children.extend(named);
        Ok((operation, input))
    }

    fn unknown(&self, asked: &str) -> ApiError {
        let code = match self.protocol {
            Protocol::Json(_) | Protocol::Cbor(_) => "UnknownOperationException",
            _ => "InvalidAction",
        };
        refuse(code, format!("the rehearsal cloud does not know {} {asked}", self.name))
    }

    /// An operation's answer as it goes out.
    pub fn answer(&self, operation: &Operation, output: Output, request: &str) -> Document {
        let Output { node, status, headers, raw } = output;
        if let Some((content_type, body)) = raw {
            return self.framed(Document { status, content_type, body: body.into(), headers });
        }
        let (content_type, body) = match self.protocol {
            Protocol::Query(namespace) => ("text/xml", query::answer(operation.name, namespace, node, request).into()),
            Protocol::Ec2(namespace) => {
                ("text/xml;charset=UTF-8", ec2::answer(operation.name, namespace, node, request).into())
            }
            Protocol::RestXml(_) if node.name.is_empty() => ("text/xml", Bytes::new()),
            Protocol::RestXml(namespace) => ("text/xml", xml::write(&node, namespace).into()),
            Protocol::Json(_) => ("application/x-amz-json-1.1", json::answer(&node).into()),
            Protocol::Cbor(_) => ("application/cbor", cbor::answer(&node).into()),
        };
        self.framed(Document { status, content_type, body, headers })
    }

    /// A refusal as it goes out.
    pub fn refusal(&self, error: &ApiError, request: &str) -> Document {
        let mut headers: Vec<_> = error.retry_after.map(|s| ("retry-after", s.to_string())).into_iter().collect();
        let (content_type, body) = match self.protocol {
            Protocol::Query(namespace) | Protocol::RestXml(namespace) => {
                ("text/xml", query::error(error, namespace, request).into())
            }
            Protocol::Ec2(_) => ("text/xml;charset=UTF-8", ec2::error(error, request).into()),
            Protocol::Json(_) => ("application/x-amz-json-1.1", json::error(error).into()),
            Protocol::Cbor(_) => {
                let fault = if error.status < 500 { "Sender" } else { "Receiver" };
                headers.push(("x-amzn-query-error", format!("{};{fault}", error.code)));
                ("application/cbor", cbor::error(error).into())
            }
        };
        self.framed(Document { status: error.status, content_type, body, headers })
    }

    /// RPC v2 says in a header that it is spoken, in answers and errors alike.
    fn framed(&self, mut document: Document) -> Document {
        if matches!(self.protocol, Protocol::Cbor(_)) {
            document.headers.push(("smithy-protocol", "rpc-v2-cbor".into()));
        }
        document
    }
}
