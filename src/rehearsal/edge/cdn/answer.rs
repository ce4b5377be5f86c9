//! An answer: from the cache or the origin, and what becomes of an error.

use std::sync::Arc;
use std::time::{Duration, SystemTime};

use bytes::Bytes;
use http::{HeaderMap, Method, Request, StatusCode};
use http_body_util::{BodyExt, StreamBody};
use hyper::body::{Frame, Incoming};

use super::Common;
use super::cache::{LARGEST, Stored};
use super::config::Config;
use super::content::{Content, Fetched, Tee};
use super::freshness::{error_lifetime, lifetime};
use super::origin::{Ask, Got, fetch};
use super::pass::{Passed, pass};
use crate::rehearsal::edge::body::{Body, BoxError};

/// Where an answer came from, as `X-Cache` says it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Source {
    /// The cache.
    Hit,
    /// The cache, after the origin was asked whether it is still right.
    RefreshHit,
    /// The origin.
    Miss,
    /// An error, wherever it came from.
    Error,
}

/// What is shown to the viewer.
pub struct Answer {
    /// What it is.
    pub fetched: Fetched,
    /// Where it came from.
    pub source: Source,
    /// When the origin gave it, for one out of the cache.
    pub stored: Option<SystemTime>,
}

impl Answer {
    fn of(stored: &Stored, source: Source) -> Self {
        let status = StatusCode::from_u16(stored.status).unwrap_or(StatusCode::OK);
        let fetched = Fetched { status, headers: stored.headers.clone(), content: Content::Here(stored.body.clone()) };
        let source = if stored.error { Source::Error } else { source };
        Self { fetched, source, stored: Some(stored.since) }
    }
}

/// Answers a request, with the distribution's own page where the origin has an error and there is one for it.
pub async fn answer(common: &Arc<Common>, config: &Config, ask: &Ask<'_>, body: Option<Incoming>) -> Answer {
    let passed = pass(&ask.plan.id, ask.behavior, ask.parts, ask.path);
    let first = plain(common, config, ask, &passed, body).await;
    let status = first.fetched.status.as_u16();
    if status < 400 || first.stored.is_some() {
        return first;
    }
    let page = ask.plan.error_page(status);
    let now = common.clock.now();
    let kept_for = error_lifetime(status, &first.fetched.headers, page.map(|p| p.min_ttl), now);
    let own = match page.and_then(|p| p.page.as_ref()) {
        Some((path, code)) => own_page(common, config, ask, path, *code).await,
        None => None,
    };
    let mut fetched = own.unwrap_or(first.fetched);
    if ask.parts.method == Method::GET && !kept_for.is_zero() {
        let body = fetched.content.gather().await.unwrap_or_default();
        let stored =
            Stored { error: true, ..stored(&passed, fetched.status, &fetched.headers, body.clone(), (now, kept_for)) };
        common.cache.put(&passed.key, stored);
        fetched.content = Content::Here(body);
    }
    Answer { fetched, source: Source::Error, stored: None }
}

/// The page the distribution shows in place of an error; nothing if that cannot be had either.
async fn own_page(common: &Arc<Common>, config: &Config, ask: &Ask<'_>, path: &str, code: u16) -> Option<Fetched> {
    let request = Request::get(path).body(()).ok()?;
    let parts = request.into_parts().0;
    let (behavior, _) = ask.plan.behavior(path);
    let ask = Ask { behavior, parts: &parts, path, ..*ask };
    let passed = pass(&ask.plan.id, behavior, &parts, path);
    let found = plain(common, config, &ask, &passed, None).await.fetched;
    if found.status != StatusCode::OK {
        return None;
    }
    Some(Fetched { status: StatusCode::from_u16(code).ok()?, ..found })
}

/// Answers a request out of the cache or from the origin.
async fn plain(
    common: &Arc<Common>,
    config: &Config,
    ask: &Ask<'_>,
    passed: &Passed,
    body: Option<Incoming>,
) -> Answer {
    let now = common.clock.now();
    let reads = matches!(ask.parts.method, Method::GET | Method::HEAD);
    let known = common.cache.get(&passed.key).filter(|s| reads && !config.dropped(&s.path, s.since, now));
    if let Some(known) = known.as_ref().filter(|known| now < known.fresh_until) {
        return Answer::of(known, Source::Hit);
    }
    let known = known.filter(|known| !known.error);
    let mut fetched = match fetch(common, ask, passed, body, known.as_deref()).await {
        Got::NotModified(headers) => {
            let Some(known) = known else {
                return Answer {
                    fetched: empty(StatusCode::NOT_MODIFIED, headers),
                    source: Source::Miss,
                    stored: None,
                };
            };
            return Answer::of(&refreshed(common, ask, passed, &known, &headers, now), Source::RefreshHit);
        }
        Got::Answer(fetched) => fetched,
    };
    if fetched.status.is_server_error()
        && let Some(known) = known
    {
        // An origin that fails does not take away what is at hand.
        return Answer::of(&known, Source::Hit);
    }
    let cached = ask.parts.method == Method::GET
        && fetched.status.as_u16() < 400
        && fetched.status != StatusCode::PARTIAL_CONTENT;
    if cached {
        let kept_for = lifetime(&fetched.headers, &ask.behavior.cache, now);
        if kept_for.is_zero() {
            common.cache.forget(&passed.key);
        } else {
            fetched.content =
                keep(common, passed, &fetched.headers, fetched.status, fetched.content, (now, kept_for)).await;
        }
    }
    Answer { fetched, source: Source::Miss, stored: None }
}

fn empty(status: StatusCode, headers: HeaderMap) -> Fetched {
    Fetched { status, headers, content: Content::Here(Bytes::new()) }
}

/// What is at hand, with the headers the origin has confirmed it with.
fn refreshed(
    common: &Common,
    ask: &Ask<'_>,
    passed: &Passed,
    known: &Stored,
    headers: &HeaderMap,
    now: SystemTime,
) -> Stored {
    let mut fresh = known.clone();
    for (name, value) in headers {
        if *name != http::header::CONTENT_LENGTH {
            fresh.headers.insert(name.clone(), value.clone());
        }
    }
    fresh.since = now;
    fresh.fresh_until = now + lifetime(&fresh.headers, &ask.behavior.cache, now);
    common.cache.put(&passed.key, fresh.clone());
    fresh
}

fn stored(
    passed: &Passed,
    status: StatusCode,
    headers: &HeaderMap,
    body: Bytes,
    (now, kept_for): (SystemTime, Duration),
) -> Stored {
    let mut headers = headers.clone();
    headers.remove(http::header::CONTENT_LENGTH);
    Stored {
        status: status.as_u16(),
        headers,
        body,
        since: now,
        fresh_until: now + kept_for,
        path: passed.invalidated_by.clone(),
        error: false,
    }
}

/// Keeps a body that is small enough: at once if it is at hand, else as it passes. Large ones stream through.
async fn keep(
    common: &Arc<Common>,
    passed: &Passed,
    headers: &HeaderMap,
    status: StatusCode,
    content: Content,
    times: (SystemTime, Duration),
) -> Content {
    let small = |size: u64| usize::try_from(size).is_ok_and(|size| size <= LARGEST);
    match content {
        Content::Object(_, size) if !small(size) => content,
        Content::Coming(body) => {
            let blank = stored(passed, status, headers, Bytes::new(), times);
            let (common, key) = (common.clone(), passed.key.clone());
            let kept = move |bytes: Bytes| common.cache.put(&key, Stored { body: bytes, ..blank });
            Content::Coming(Tee::new(body, kept).boxed_unsync())
        }
        content => match content.gather().await {
            Some(bytes) => {
                common.cache.put(&passed.key, stored(passed, status, headers, bytes.clone(), times));
                Content::Here(bytes)
            }
            // The object changed under the read: the viewer sees what S3's own readers see, a torn answer.
            None => Content::Coming(torn()),
        },
    }
}

fn torn() -> Body {
    let broken: Result<Frame<Bytes>, BoxError> = Err("the origin could not be read".into());
    StreamBody::new(futures::stream::iter([broken])).boxed_unsync()
}
