//! From an answer to what the viewer gets: conditions, ranges, and the headers of an edge.

use std::time::SystemTime;

use futures::TryStreamExt;
use http::request::Parts;
use http::{HeaderMap, HeaderName, HeaderValue, Method, Response, StatusCode, header};
use http_body_util::{BodyExt, StreamBody};
use hyper::body::Frame;
use tokio::io::AsyncReadExt;
use tokio_util::io::ReaderStream;

use super::answer::{Answer, Source};
use super::content::Content;
use super::dates;
use super::range::{self, Asked};
use crate::rehearsal::edge::body::{Body, BoxError, empty, full};

/// How much is read from an object at a time.
const CHUNK: usize = 64 << 10;

const X_CACHE: HeaderName = HeaderName::from_static("x-cache");
const POP: HeaderName = HeaderName::from_static("x-amz-cf-pop");
const ID: HeaderName = HeaderName::from_static("x-amz-cf-id");

/// The viewer's response.
pub async fn deliver(parts: &Parts, answer: Answer, via: &str, now: SystemTime) -> Response<Body> {
    let Answer { fetched, source, stored } = answer;
    let (mut status, mut headers, content) = (fetched.status, fetched.headers, fetched.content);
    if let Some(stored) = stored {
        let age = now.duration_since(stored).unwrap_or_default().as_secs();
        headers.insert(header::AGE, HeaderValue::from(age));
    }
    let reads = matches!(parts.method, Method::GET | Method::HEAD);
    let head = parts.method == Method::HEAD;
    let size = match &content {
        Content::Here(bytes) => Some(bytes.len() as u64),
        Content::Object(_, size) => Some(*size),
        Content::Coming(_) => None,
    };
    let mut part = None;
    if reads && status == StatusCode::OK && source != Source::Error {
        if not_modified(&parts.headers, &headers) {
            (status, part) = (StatusCode::NOT_MODIFIED, Some((0, 0)));
            headers.remove(header::CONTENT_LENGTH);
        } else if let Some(size) = size {
            match asked(&parts.headers, &headers, size) {
                Asked::Whole => {}
                Asked::Part(first, last) => {
                    (status, part) = (StatusCode::PARTIAL_CONTENT, Some((first, last - first + 1)));
                    insert(&mut headers, header::CONTENT_RANGE, &format!("bytes {first}-{last}/{size}"));
                }
                Asked::Beyond => {
                    (status, part) = (StatusCode::RANGE_NOT_SATISFIABLE, Some((0, 0)));
                    insert(&mut headers, header::CONTENT_RANGE, &format!("bytes */{size}"));
                }
            }
        }
    }
    let length = part.map(|(_, length)| length).or(size);
    // Of an answer to HEAD that came from a server, the length is the server's word.
    let from_server = matches!(content, Content::Coming(_));
    if let Some(length) = length.filter(|_| status != StatusCode::NOT_MODIFIED && !from_server) {
        headers.insert(header::CONTENT_LENGTH, HeaderValue::from(length));
    }
    let nothing = head || matches!(status, StatusCode::NOT_MODIFIED | StatusCode::RANGE_NOT_SATISFIABLE);
    if status == StatusCode::RANGE_NOT_SATISFIABLE {
        headers.insert(header::CONTENT_LENGTH, HeaderValue::from(0));
    }
    let body = if nothing { empty() } else { cut(content, part).await };
    let mut response = Response::new(body);
    *response.status_mut() = status;
    sign(&mut headers, source, via);
    *response.headers_mut() = headers;
    response
}

/// Puts on the headers an edge puts on every answer.
fn sign(headers: &mut HeaderMap, source: Source, via: &str) {
    let said = match source {
        Source::Hit => "Hit from cloudfront",
        Source::RefreshHit => "RefreshHit from cloudfront",
        Source::Miss => "Miss from cloudfront",
        Source::Error => "Error from cloudfront",
    };
    insert_edge(headers, said, via);
}

/// The same for an answer of the edge's own.
pub fn insert_edge(headers: &mut HeaderMap, x_cache: &str, via: &str) {
    insert(headers, X_CACHE, x_cache);
    insert(headers, header::VIA, via);
    headers.insert(POP, HeaderValue::from_static("REH50-C1"));
    insert(headers, ID, &format!("{:016x}{:016x}==", rand::random::<u64>(), rand::random::<u64>()));
}

async fn cut(content: Content, part: Option<(u64, u64)>) -> Body {
    match content {
        Content::Coming(body) => body,
        Content::Here(bytes) => match part {
            None => full(bytes),
            Some((first, length)) => {
                let first = usize::try_from(first).unwrap_or(usize::MAX).min(bytes.len());
                let end = first.saturating_add(usize::try_from(length).unwrap_or(usize::MAX)).min(bytes.len());
                full(bytes.slice(first..end))
            }
        },
        Content::Object(mut object, size) => {
            let (first, length) = part.unwrap_or((0, size));
            // The source reads forward only: what comes before the range is read and dropped. A read that fails here
            // shows as a torn body, for the head is on its way.
            let _ = tokio::io::copy(&mut (&mut object).take(first), &mut tokio::io::sink()).await;
            let chunks = ReaderStream::with_capacity(object.take(length), CHUNK);
            StreamBody::new(chunks.map_ok(Frame::data).map_err(BoxError::from)).boxed_unsync()
        }
    }
}

/// `If-None-Match` counts before `If-Modified-Since` (RFC 9110, 13.2.2).
fn not_modified(asked: &HeaderMap, have: &HeaderMap) -> bool {
    if let Some(wanted) = asked.get(header::IF_NONE_MATCH) {
        let etag = have.get(header::ETAG).and_then(|e| e.to_str().ok()).unwrap_or_default();
        return !etag.is_empty() && wanted.to_str().is_ok_and(|list| names_tag(list, etag));
    }
    let date = |headers: &HeaderMap, name| headers.get(name).and_then(|v| v.to_str().ok()).and_then(dates::read);
    match (date(asked, header::IF_MODIFIED_SINCE), date(have, header::LAST_MODIFIED)) {
        (Some(since), Some(modified)) => modified <= since,
        _ => false,
    }
}

fn names_tag(list: &str, etag: &str) -> bool {
    let bare = |tag: &str| tag.trim().strip_prefix("W/").unwrap_or(tag.trim()).to_owned();
    list.split(',').any(|tag| tag.trim() == "*" || bare(tag) == bare(etag))
}

/// `If-Range` with another tag asks for the whole.
fn asked(asked: &HeaderMap, have: &HeaderMap, size: u64) -> Asked {
    let same = |tag: &HeaderValue| Some(tag) == have.get(header::ETAG) || Some(tag) == have.get(header::LAST_MODIFIED);
    if asked.get(header::IF_RANGE).is_some_and(|tag| !same(tag)) {
        return Asked::Whole;
    }
    range::parse(asked.get(header::RANGE).and_then(|v| v.to_str().ok()), size)
}

/// A value that cannot stand in a header is left out.
fn insert(headers: &mut HeaderMap, name: HeaderName, value: &str) {
    if let Ok(value) = HeaderValue::try_from(value) {
        headers.insert(name, value);
    }
}
