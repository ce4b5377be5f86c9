//! A request on its way to a target: which group, which target, the headers, the one retry that is safe, the errors.

use std::fmt::Write;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Instant;

use http::request::Parts;
use http::uri::PathAndQuery;
use http::{HeaderMap, HeaderName, HeaderValue, Request, Response, StatusCode, Uri, Version, header};
use http_body_util::BodyExt;
use hyper::body::Body as _;
use hyper::body::Incoming;

use super::reply::{Progress, Reply, Upload};
use super::table::{Forward, Table};
use super::upstream::{NoAnswer, Upstream};
use super::{own, sticky};
use crate::rehearsal::edge::body::{Body, empty};

const FORWARDED_FOR: HeaderName = HeaderName::from_static("x-forwarded-for");
const FORWARDED_PROTO: HeaderName = HeaderName::from_static("x-forwarded-proto");
const FORWARDED_PORT: HeaderName = HeaderName::from_static("x-forwarded-port");

/// Headers that belong to one connection. Source: RFC 9110, 7.6.1.
const HOP_BY_HOP: [HeaderName; 6] = [
    HeaderName::from_static("keep-alive"),
    HeaderName::from_static("proxy-connection"),
    header::TE,
    header::TRAILER,
    header::TRANSFER_ENCODING,
    header::UPGRADE,
];

/// Sends a request to a target of one of the route's groups and streams the answer back.
pub async fn forward(
    route: &Forward,
    mut parts: Parts,
    body: Incoming,
    from: SocketAddr,
    table: &Table,
) -> Response<Body> {
    let Some(group) = sticky::group(route, &parts.headers).or_else(|| route.pick()) else {
        return own::error(StatusCode::SERVICE_UNAVAILABLE);
    };
    let Some(target) = group.next() else {
        group.counters.unanswered();
        return own::error(StatusCode::SERVICE_UNAVAILABLE);
    };
    let began = Instant::now();
    prepare(&mut parts, from, table, target);
    match exchange(target, parts, body, table).await {
        Ok(mut response) => {
            group.counters.answered(response.status().as_u16(), began.elapsed());
            without_hops(response.headers_mut());
            sticky::remember(route, group, response.headers_mut());
            response
        }
        Err(why) => {
            group.counters.unanswered();
            tracing::debug!(target = %target.address, %why, "the balancer answers for a target");
            own::error(match why {
                NoAnswer::Timeout => StatusCode::GATEWAY_TIMEOUT,
                NoAnswer::Bad(_) => StatusCode::BAD_GATEWAY,
            })
        }
    }
}

/// Sends the request, and once more on a new connection where that cannot do it twice: either not a byte of it was
/// written, or a used connection closed on an idempotent request without a body.
async fn exchange(
    target: &Arc<Upstream>,
    parts: Parts,
    body: Incoming,
    table: &Table,
) -> Result<Response<Body>, NoAnswer> {
    let progress = Arc::new(Progress::default());
    let bodyless = body.is_end_stream();
    let replay = (bodyless && parts.method.is_idempotent()).then(|| parts.clone());
    let body = if bodyless { empty() } else { Upload::new(body, progress.clone()).boxed_unsync() };
    let sending = async {
        match target.send(Request::from_parts(parts, body), false, table.idle).await {
            Ok(sent) => Ok(sent),
            Err(failed) => {
                let again = match (failed.request, replay) {
                    (Some(request), _) if failed.reused => request,
                    (None, Some(parts)) if failed.reused => Request::from_parts(parts, empty()),
                    _ => return Err(failed.why),
                };
                target.send(again, true, table.idle).await.map_err(|failed| failed.why)
            }
        }
    };
    let (response, sender) = tokio::select! {
        sent = sending => sent?,
        () = progress.standstill(table.idle) => return Err(NoAnswer::Timeout),
    };
    Ok(response.map(|body| Reply::new(body, sender, target.clone(), table.idle).boxed_unsync()))
}

/// Makes the client's head the balancer's: the host kept, where it came from added.
fn prepare(parts: &mut Parts, from: SocketAddr, table: &Table, target: &Upstream) {
    without_hops(&mut parts.headers);
    // a proxy-style request names the host in its target only
    if let Some(authority) = parts.uri.authority()
        && let Ok(host) = HeaderValue::try_from(authority.as_str())
    {
        parts.headers.insert(header::HOST, host);
    }
    if !parts.headers.contains_key(header::HOST)
        && let Ok(host) = HeaderValue::try_from(target.address.to_string())
    {
        parts.headers.insert(header::HOST, host);
    }
    if parts.uri.scheme().is_some() || parts.uri.authority().is_some() {
        let path = parts.uri.path_and_query().cloned();
        parts.uri = Uri::from(path.unwrap_or_else(|| PathAndQuery::from_static("/")));
    }
    parts.version = Version::HTTP_11;
    if let Some(seen) = forwarded_for(&parts.headers, from) {
        parts.headers.insert(FORWARDED_FOR, seen);
    }
    let proto = if table.https { "https" } else { "http" };
    parts.headers.insert(FORWARDED_PROTO, HeaderValue::from_static(proto));
    parts.headers.insert(FORWARDED_PORT, HeaderValue::from(table.port));
}

/// What came in, with the client's address appended (the balancer's default mode).
fn forwarded_for(headers: &HeaderMap, from: SocketAddr) -> Option<HeaderValue> {
    let mut seen = String::with_capacity(40);
    for value in headers.get_all(FORWARDED_FOR) {
        seen.push_str(value.to_str().ok()?);
        seen.push_str(", ");
    }
    write!(seen, "{}", from.ip()).ok()?;
    HeaderValue::try_from(seen).ok()
}

fn without_hops(headers: &mut HeaderMap) {
    // headers the peer itself named as its connection's own
    if let Some(connection) = headers.remove(header::CONNECTION)
        && let Ok(named) = connection.to_str()
    {
        for name in named.split(',') {
            headers.remove(name.trim());
        }
    }
    for name in &HOP_BY_HOP {
        headers.remove(name);
    }
}
