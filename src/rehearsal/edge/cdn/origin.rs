//! To an origin and back: a bucket by the distribution's own identity (law C2), or a web server.

use std::net::SocketAddr;
use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::Duration;

use bytes::Bytes;
use http::request::Parts;
use http::{HeaderMap, HeaderName, HeaderValue, Method, Request, StatusCode, Uri, header};
use http_body_util::BodyExt;
use hyper::body::{Body as HttpBody, Frame, Incoming, SizeHint};
use percent_encoding::percent_decode_str;
use tokio::sync::oneshot;

use super::Common;
use super::cache::Stored;
use super::config::Plan;
use super::content::{Content, Fetched};
use super::pass::Passed;
use super::servers::{NoAnswer, Place};
use crate::rehearsal::edge::body::{BoxError, empty};
use crate::rehearsal::edge::{edge_port, is_edge};
use crate::rehearsal::state::{Behavior, Origin, OriginKind};

/// A request as the edge has taken it in.
pub struct Ask<'a> {
    /// What the edge does.
    pub plan: &'a Plan,
    /// The behaviour of the path.
    pub behavior: &'a Behavior,
    /// The viewer's head.
    pub parts: &'a Parts,
    /// The path, after the function and the default root object.
    pub path: &'a str,
    /// The viewer.
    pub from: SocketAddr,
    /// Whether the viewer speaks TLS.
    pub https: bool,
}

/// What an origin says.
pub enum Got {
    /// What is at hand is still right.
    NotModified(HeaderMap),
    /// An answer.
    Answer(Fetched),
}

/// Fetches what is asked for; `known` is what is at hand of it, but too old.
pub async fn fetch(
    common: &Common,
    ask: &Ask<'_>,
    passed: &Passed,
    body: Option<Incoming>,
    known: Option<&Stored>,
) -> Got {
    let Some(origin) = ask.plan.origin(&ask.behavior.origin) else { return Got::Answer(bad_gateway("no such origin")) };
    match &origin.kind {
        OriginKind::Bucket { bucket, .. } => from_bucket(common, ask, origin, bucket, known).await,
        OriginKind::Custom { http_port, https_port, protocol, patience } => {
            let tls = match protocol.as_str() {
                "http-only" => false,
                "https-only" => true,
                _ => ask.https,
            };
            let port = if tls { *https_port } else { *http_port };
            from_server(common, ask, (origin, tls, port, *patience), passed, body, known).await
        }
    }
}

async fn from_bucket(common: &Common, ask: &Ask<'_>, origin: &Origin, bucket: &str, known: Option<&Stored>) -> Got {
    let reads = matches!(ask.parts.method, Method::GET | Method::HEAD);
    let key = percent_decode_str(ask.path).decode_utf8().ok();
    let (Some(key), Some(policy), true) = (key, ask.plan.policy(&ask.behavior.origin), reads) else {
        return Got::Answer(refused(StatusCode::FORBIDDEN, "AccessDenied", "Access Denied"));
    };
    let key = format!("{}{key}", origin.path);
    let key = key.strip_prefix('/').unwrap_or(&key);
    if !policy.lets_read(bucket, key) {
        return Got::Answer(refused(StatusCode::FORBIDDEN, "AccessDenied", "Access Denied"));
    }
    match common.objects.open(bucket, key).await {
        Ok(None) if policy.lets_list(bucket) => {
            Got::Answer(refused(StatusCode::NOT_FOUND, "NoSuchKey", "The specified key does not exist."))
        }
        // law C3: without s3:ListBucket, missing is denied
        Ok(None) => Got::Answer(refused(StatusCode::FORBIDDEN, "AccessDenied", "Access Denied")),
        Ok(Some((meta, bytes))) => {
            let headers = meta.headers();
            if known.is_some_and(|k| k.headers.get(header::ETAG) == headers.get(header::ETAG)) {
                return Got::NotModified(headers);
            }
            Got::Answer(Fetched { status: StatusCode::OK, headers, content: Content::Object(bytes, meta.size) })
        }
        Err(error) => {
            tracing::warn!(bucket, key, %error, "the CDN could not read an object");
            Got::Answer(refused(
                StatusCode::INTERNAL_SERVER_ERROR,
                "InternalError",
                "We encountered an internal error.",
            ))
        }
    }
}

async fn from_server(
    common: &Common,
    ask: &Ask<'_>,
    (origin, tls, port, patience): (&Origin, bool, u16, Duration),
    passed: &Passed,
    body: Option<Incoming>,
    known: Option<&Stored>,
) -> Got {
    let Some(address) = ask.plan.server(&ask.behavior.origin) else {
        let why = format!("CloudFront wasn't able to resolve the origin domain name {}.", origin.domain);
        return Got::Answer(bad_gateway(&why));
    };
    let port = if is_edge(address) { edge_port(port) } else { port };
    let mut headers = passed.headers.clone();
    let host = headers.get(header::HOST).and_then(|h| h.to_str().ok()).map(bare).filter(|h| !h.is_empty());
    let name = host.unwrap_or(&origin.domain).to_owned();
    let place = Place { address: SocketAddr::new(address, port), tls: tls.then_some(name) };
    if !headers.contains_key(header::HOST) {
        put(&mut headers, header::HOST, &origin.domain);
    }
    for (name, value) in &origin.headers {
        if let Ok(name) = HeaderName::try_from(name.as_str()) {
            put(&mut headers, name, value);
        }
    }
    let forwarded = ask.parts.headers.get_all("x-forwarded-for").iter().filter_map(|v| v.to_str().ok());
    let client = ask.from.ip().to_string();
    let forwarded: Vec<_> = forwarded.chain([client.as_str()]).collect();
    put(&mut headers, HeaderName::from_static("x-forwarded-for"), &forwarded.join(", "));
    put(&mut headers, header::VIA, &common.via(&ask.plan.domain));
    if ask.behavior.cache.max_ttl > 0 {
        // The cache answers these for the viewer; the origin is asked for itself.
        for name in [
            header::IF_NONE_MATCH,
            header::IF_MODIFIED_SINCE,
            header::IF_MATCH,
            header::IF_UNMODIFIED_SINCE,
            header::IF_RANGE,
            header::RANGE,
        ] {
            headers.remove(name);
        }
    }
    if let Some(known) = known {
        for (from, to) in [(header::ETAG, header::IF_NONE_MATCH), (header::LAST_MODIFIED, header::IF_MODIFIED_SINCE)] {
            if let Some(value) = known.headers.get(from) {
                headers.insert(to, value.clone());
            }
        }
    }
    let question = passed.query.as_deref().map(|q| format!("?{q}")).unwrap_or_default();
    let Ok(uri) = format!("{}{}{question}", origin.path, ask.path).parse::<Uri>() else {
        return Got::Answer(own(StatusCode::BAD_REQUEST, "Bad request."));
    };
    let (sent, mut whole) = oneshot::channel::<()>();
    let body = if let Some(body) = body.filter(|b| !b.is_end_stream()) {
        Upload { inner: body, _sent: sent }.boxed_unsync()
    } else {
        drop(sent);
        empty()
    };
    let mut request = Request::new(body);
    *request.method_mut() = ask.parts.method.clone();
    *request.uri_mut() = uri;
    *request.headers_mut() = headers;
    let late = async {
        // Patience begins once the request has been sent whole; an error only says that it has.
        let _ = (&mut whole).await;
        tokio::time::sleep(patience).await;
    };
    let answered = tokio::select! {
        answered = common.servers.send(&place, request) => answered,
        () = late => Err(NoAnswer::Late),
    };
    match answered {
        Ok(response) => {
            let (head, body) = response.into_parts();
            let mut headers = head.headers;
            without_hops(&mut headers);
            if head.status == StatusCode::NOT_MODIFIED && known.is_some() {
                return Got::NotModified(headers);
            }
            Got::Answer(Fetched { status: head.status, headers, content: Content::Coming(body) })
        }
        Err(NoAnswer::Late) => Got::Answer(own(
            StatusCode::GATEWAY_TIMEOUT,
            "CloudFront attempted to establish a connection with the origin, but either the attempt failed or the origin closed the connection.",
        )),
        Err(why) => {
            tracing::debug!(origin = origin.domain, %why, "the CDN answers for an origin");
            Got::Answer(bad_gateway("CloudFront wasn't able to connect to the origin."))
        }
    }
}

/// A host without its port.
fn bare(host: &str) -> &str {
    host.rsplit_once(':').filter(|(_, port)| port.chars().all(|c| c.is_ascii_digit())).map_or(host, |(name, _)| name)
}

fn put(headers: &mut HeaderMap, name: HeaderName, value: &str) {
    if let Ok(value) = HeaderValue::try_from(value) {
        headers.insert(name, value);
    }
}

/// Takes away what belongs to one connection (RFC 9110, 7.6.1).
fn without_hops(headers: &mut HeaderMap) {
    if let Some(connection) = headers.remove(header::CONNECTION)
        && let Ok(named) = connection.to_str()
    {
        for name in named.split(',') {
            headers.remove(name.trim());
        }
    }
    for name in ["keep-alive", "proxy-connection", "te", "trailer", "transfer-encoding", "upgrade"] {
        headers.remove(name);
    }
}

/// An error as S3 writes it.
fn refused(status: StatusCode, code: &str, message: &str) -> Fetched {
    let xml = format!(
        "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<Error><Code>{code}</Code><Message>{message}</Message></Error>"
    );
    let mut headers = HeaderMap::new();
    put(&mut headers, header::CONTENT_TYPE, "application/xml");
    put(&mut headers, header::SERVER, "AmazonS3");
    Fetched { status, headers, content: Content::Here(xml.into()) }
}

fn bad_gateway(why: &str) -> Fetched {
    own(StatusCode::BAD_GATEWAY, why)
}

/// An error as CloudFront writes it.
pub fn own(status: StatusCode, why: &str) -> Fetched {
    let page = format!(
        "<!DOCTYPE HTML PUBLIC \"-//W3C//DTD HTML 4.01 Transitional//EN\" \"http://www.w3.org/TR/html4/loose.dtd\">\n<HTML><HEAD><TITLE>ERROR: The request could not be satisfied</TITLE></HEAD><BODY>\n<H1>{} ERROR</H1>\n<H2>The request could not be satisfied.</H2>\n{why}\n<PRE>Generated by cloudfront (CloudFront)</PRE>\n</BODY></HTML>\n",
        status.as_u16()
    );
    let mut headers = HeaderMap::new();
    put(&mut headers, header::CONTENT_TYPE, "text/html");
    put(&mut headers, header::SERVER, "CloudFront");
    Fetched { status, headers, content: Content::Here(page.into()) }
}

/// A viewer's body on its way; dropped, it has been sent, or never will be.
struct Upload {
    inner: Incoming,
    _sent: oneshot::Sender<()>,
}

impl HttpBody for Upload {
    type Data = Bytes;
    type Error = BoxError;

    fn poll_frame(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>, BoxError>>> {
        Pin::new(&mut self.inner).poll_frame(cx).map(|frame| frame.map(|frame| frame.map_err(Into::into)))
    }

    fn is_end_stream(&self) -> bool {
        self.inner.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.inner.size_hint()
    }
}
