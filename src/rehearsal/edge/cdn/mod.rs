//! The CDN: one [`Front`] for each distribution, on HTTP (redirects to HTTPS) and HTTPS (reads the private bucket).
//!
//! There is no cache: every request reads the bucket, so an invalidation has nothing to do here and a test of stale
//! edges (law C6) is left to AWS.

mod object;
mod policy;
mod range;
#[cfg(test)]
mod tests;

use std::sync::{Arc, PoisonError, RwLock};
use std::time::Duration;

use futures::TryStreamExt;
use http::request::Parts;
use http::{HeaderMap, HeaderValue, Method, Request, Response, StatusCode, header};
use http_body_util::{BodyExt, StreamBody};
use hyper::body::{Frame, Incoming};
use percent_encoding::percent_decode_str;
use tokio::io::AsyncReadExt;
use tokio_util::io::ReaderStream;

pub use object::{Bytes as ObjectBytes, Meta, ObjectSource};

use super::body::{Body, answer, empty};
use super::listen::{Peer, Serve};
use crate::rehearsal::state::{ACCOUNT, Distribution, State};
use policy::Policy;
use range::Asked;

/// How much is read from an object at a time.
const CHUNK: usize = 64 << 10;

/// A distribution at one moment.
pub struct Config {
    domain: String,
    distribution: Distribution,
    policy: Policy,
}

impl Config {
    /// The distribution of `domain` as `state` has it.
    pub fn of(domain: &str, distribution: &Distribution, state: &State) -> Self {
        let arn = format!("arn:aws:cloudfront::{ACCOUNT}:distribution/{}", distribution.id);
        let policy = state.buckets.get(&distribution.bucket).and_then(|b| b.policy.as_deref());
        Self {
            domain: domain.to_owned(),
            distribution: distribution.clone(),
            policy: policy.map(|p| Policy::parse(p, &arn)).unwrap_or_default(),
        }
    }

    fn is_for(&self, host: &str) -> bool {
        let host = host.to_ascii_lowercase();
        host == self.domain
            || self.distribution.aliases.iter().any(|alias| match alias.strip_prefix("*.") {
                Some(parent) => host.split_once('.').is_some_and(|(_, rest)| rest == parent),
                None => host == *alias,
            })
    }

    /// The key of a path: percent-decoded, under the origin path; `/` is the default root object (law C3: `/` only).
    fn key(&self, path: &str) -> Option<String> {
        let decoded = percent_decode_str(path).decode_utf8().ok()?;
        let name = if decoded == "/" { &*self.distribution.default_root } else { decoded.trim_start_matches('/') };
        let under = self.distribution.origin_path.trim_matches('/');
        Some(if under.is_empty() { name.to_owned() } else { format!("{under}/{name}") })
    }
}

/// What answers a distribution's requests.
pub struct Front {
    config: RwLock<Arc<Config>>,
    objects: Arc<dyn ObjectSource>,
    https: bool,
}

impl Front {
    /// A front of the distribution `config` that reads from `objects`.
    pub fn new(config: Config, objects: Arc<dyn ObjectSource>, https: bool) -> Self {
        Self { config: RwLock::new(Arc::new(config)), objects, https }
    }

    /// Serves by `config` from the next request on.
    pub fn swap(&self, config: Config) {
        *self.config.write().unwrap_or_else(PoisonError::into_inner) = Arc::new(config);
    }
}

impl Serve for Front {
    async fn serve(self: Arc<Self>, request: Request<Incoming>, _peer: Arc<Peer>) -> Response<Body> {
        let config = self.config.read().unwrap_or_else(PoisonError::into_inner).clone();
        let parts = request.into_parts().0;
        let host = host(&parts);
        if !host.is_some_and(|host| config.is_for(host)) {
            return denied();
        }
        if !self.https {
            return to_https(host.unwrap_or_default(), &parts);
        }
        if parts.method != Method::GET && parts.method != Method::HEAD {
            return answer(StatusCode::FORBIDDEN, "text/plain", "this distribution answers GET and HEAD only\n");
        }
        let Some(key) = config.key(parts.uri.path()) else { return denied() };
        let bucket = &config.distribution.bucket;
        if !config.policy.lets_read(bucket, &key) {
            return denied();
        }
        match self.objects.open(bucket, &key).await {
            // law C3: without s3:ListBucket, missing is denied
            Ok(None) => denied(),
            Ok(Some((meta, bytes))) => serve_object(&parts, &meta, bytes).await,
            Err(error) => {
                tracing::warn!(bucket, key, %error, "the CDN could not read an object");
                answer(StatusCode::BAD_GATEWAY, "text/plain", "the origin could not be read\n")
            }
        }
    }

    fn idle(&self) -> Duration {
        Duration::from_mins(1)
    }
}

fn host(parts: &Parts) -> Option<&str> {
    let host = match parts.uri.host() {
        Some(host) => host,
        None => parts.headers.get(header::HOST)?.to_str().ok()?,
    };
    Some(host.split_once(':').map_or(host, |(name, _)| name))
}

fn to_https(host: &str, parts: &Parts) -> Response<Body> {
    let path = parts.uri.path_and_query().map_or("/", |p| p.as_str());
    let Ok(location) = HeaderValue::try_from(format!("https://{host}{path}")) else { return denied() };
    let mut response = Response::new(empty());
    *response.status_mut() = StatusCode::MOVED_PERMANENTLY;
    response.headers_mut().insert(header::LOCATION, location);
    response
}

/// The answer S3 gives through CloudFront to what may not be read or is not there.
fn denied() -> Response<Body> {
    let xml = "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<Error><Code>AccessDenied</Code><Message>Access Denied</Message></Error>";
    answer(StatusCode::FORBIDDEN, "application/xml", xml)
}

async fn serve_object(parts: &Parts, meta: &Meta, mut bytes: ObjectBytes) -> Response<Body> {
    let mut response = Response::new(empty());
    describe(response.headers_mut(), meta);
    if parts.headers.get(header::IF_NONE_MATCH).is_some_and(|wanted| names_tag(wanted, &meta.etag)) {
        *response.status_mut() = StatusCode::NOT_MODIFIED;
        return response;
    }
    let (first, length) = match asked(&parts.headers, meta) {
        Asked::Whole => (0, meta.size),
        Asked::Part(first, last) => {
            *response.status_mut() = StatusCode::PARTIAL_CONTENT;
            insert(response.headers_mut(), header::CONTENT_RANGE, &format!("bytes {first}-{last}/{}", meta.size));
            (first, last - first + 1)
        }
        Asked::Beyond => {
            *response.status_mut() = StatusCode::RANGE_NOT_SATISFIABLE;
            insert(response.headers_mut(), header::CONTENT_RANGE, &format!("bytes */{}", meta.size));
            return response;
        }
    };
    response.headers_mut().insert(header::CONTENT_LENGTH, HeaderValue::from(length));
    if parts.method == Method::HEAD {
        return response;
    }
    // The source reads forward only: what comes before the range is read and dropped.
    if first > 0 {
        let skipped = tokio::io::copy(&mut (&mut bytes).take(first), &mut tokio::io::sink()).await;
        if !matches!(skipped, Ok(skipped) if skipped == first) {
            return answer(StatusCode::BAD_GATEWAY, "text/plain", "the origin could not be read\n");
        }
    }
    let chunks = ReaderStream::with_capacity(bytes.take(length), CHUNK).map_ok(Frame::data).map_err(Into::into);
    *response.body_mut() = StreamBody::new(chunks).boxed_unsync();
    response
}

/// `If-Range` with another tag asks for the whole.
fn asked(headers: &HeaderMap, meta: &Meta) -> Asked {
    if headers.get(header::IF_RANGE).is_some_and(|tag| tag.as_bytes() != meta.etag.as_bytes()) {
        return Asked::Whole;
    }
    range::parse(headers.get(header::RANGE).and_then(|v| v.to_str().ok()), meta.size)
}

fn names_tag(wanted: &HeaderValue, etag: &str) -> bool {
    wanted.to_str().is_ok_and(|list| {
        list.split(',').map(str::trim).any(|tag| tag == "*" || tag.strip_prefix("W/").unwrap_or(tag) == etag)
    })
}

fn describe(headers: &mut HeaderMap, meta: &Meta) {
    insert(headers, header::ETAG, &meta.etag);
    insert(headers, header::CONTENT_TYPE, meta.content_type.as_deref().unwrap_or("binary/octet-stream"));
    headers.insert(header::ACCEPT_RANGES, HeaderValue::from_static("bytes"));
    for (name, value) in
        [(header::CACHE_CONTROL, &meta.cache_control), (header::CONTENT_ENCODING, &meta.content_encoding)]
    {
        if let Some(value) = value {
            insert(headers, name, value);
        }
    }
}

/// A value that cannot stand in a header is left out.
fn insert(headers: &mut HeaderMap, name: header::HeaderName, value: &str) {
    if let Ok(value) = HeaderValue::try_from(value) {
        headers.insert(name, value);
    }
}
