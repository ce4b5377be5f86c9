//! What of a request is in the cache key, and what the origin sees of it.
//! Source: CloudFront guide, controlling-the-cache-key, controlling-origin-requests, `RequestAndResponseBehaviorCustomOrigin`.

use http::request::Parts;
use http::{HeaderMap, HeaderName, HeaderValue, Method, header};

use crate::rehearsal::state::{Behavior, Which};

/// What CloudFront says it is, where the viewer's name is not passed on.
const AGENT: &str = "Amazon CloudFront";

/// Headers that never go on, whatever a policy says.
const NEVER: &[&str] = &[
    "connection",
    "expect",
    "keep-alive",
    "proxy-authorization",
    "proxy-connection",
    "te",
    "trailer",
    "transfer-encoding",
    "upgrade",
    "x-amz-cf-id",
    "x-forwarded-for",
    "x-forwarded-proto",
    "x-real-ip",
    "via",
    "cookie",
];

/// A request on its way on.
pub struct Passed {
    /// What it is cached under.
    pub key: String,
    /// The path and query an invalidation names it by.
    pub invalidated_by: String,
    /// The query the origin sees.
    pub query: Option<String>,
    /// The headers the origin sees; the host only if a policy says so.
    pub headers: HeaderMap,
}

/// Takes of a request for `path` what a behaviour lets through.
pub fn pass(distribution: &str, behavior: &Behavior, parts: &Parts, path: &str) -> Passed {
    let (cache, request) = (&behavior.cache, &behavior.request);
    let query = parts.uri.query().unwrap_or_default();
    let in_key = filter(query, '&', &cache.queries, None);
    let seen = filter(query, '&', &cache.queries, Some(&request.queries));
    let cookies: Vec<_> = parts.headers.get_all(header::COOKIE).iter().filter_map(|v| v.to_str().ok()).collect();
    let cookies = cookies.join("; ");
    let cookies_in_key = filter(&cookies, ';', &cache.cookies, None);
    let cookies_seen = filter(&cookies, ';', &cache.cookies, Some(&request.cookies));

    let mut headers = HeaderMap::new();
    let reads = matches!(parts.method, Method::GET | Method::HEAD | Method::OPTIONS);
    for (name, value) in &parts.headers {
        let own = matches!(name.as_str(), "content-type" | "content-length" | "content-encoding")
            || (*name == header::AUTHORIZATION && !reads)
            // Where nothing is cached, the origin itself answers these.
            || (cache.max_ttl == 0 && (*name == header::RANGE || name.as_str().starts_with("if-")));
        let wanted = own || cache.headers.has(name.as_str()) || request.headers.has(name.as_str());
        if wanted && !NEVER.contains(&name.as_str()) {
            headers.append(name, value.clone());
        }
    }
    let encoding = encoding(&parts.headers, &cache.encodings);
    if !cache.encodings.is_empty() {
        put(&mut headers, header::ACCEPT_ENCODING, encoding);
    }
    if !headers.contains_key(header::USER_AGENT) {
        headers.insert(header::USER_AGENT, HeaderValue::from_static(AGENT));
    }
    put(&mut headers, header::COOKIE, &cookies_seen);

    let question = if in_key.is_empty() { "" } else { "?" };
    let invalidated_by = format!("{path}{question}{in_key}");
    let mut key = format!("{distribution}\n{invalidated_by}\n{encoding}\n{cookies_in_key}");
    if let Which::Only(names) = &cache.headers {
        for name in names {
            key.push('\n');
            for value in parts.headers.get_all(name) {
                key.push_str(&String::from_utf8_lossy(value.as_bytes()));
                key.push(',');
            }
        }
    }
    Passed { key, invalidated_by, query: Some(seen).filter(|q| !q.is_empty()), headers }
}

/// The named parts of a query or a cookie header that one of the two lets through, in order.
fn filter(text: &str, by: char, first: &Which, second: Option<&Which>) -> String {
    let through = |name: &str| first.has(name) || second.is_some_and(|s| s.has(name));
    let parts = text.split(by).map(str::trim).filter(|p| !p.is_empty());
    let kept: Vec<_> = parts.filter(|p| through(p.split_once('=').map_or(*p, |(name, _)| name))).collect();
    kept.join(if by == ';' { "; " } else { "&" })
}

/// `Accept-Encoding`, brought down to the one encoding that is looked for first.
fn encoding<'a>(headers: &HeaderMap, known: &'a [String]) -> &'a str {
    let accepted = headers.get(header::ACCEPT_ENCODING).and_then(|v| v.to_str().ok()).unwrap_or_default();
    let accepts = |name: &str| accepted.split(',').any(|part| part.split(';').next().is_some_and(|p| p.trim() == name));
    known.iter().find(|name| accepts(name)).map_or("", String::as_str)
}

fn put(headers: &mut HeaderMap, name: HeaderName, value: &str) {
    headers.remove(&name);
    if !value.is_empty()
        && let Ok(value) = HeaderValue::try_from(value)
    {
        headers.insert(name, value);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::rehearsal::state::{CacheRules, RequestRules};

    fn passed(cache: CacheRules, request: RequestRules, method: &str) -> Passed {
        let sent = http::Request::builder()
            .method(method)
            .uri("/a?b=1&c=2")
            .header("host", "www.shop.test")
            .header("authorization", "Bearer x")
            .header("cookie", "sid=1; theme=dark")
            .header("accept-encoding", "gzip, br;q=0.9")
            .header("x-own", "1")
            .header("x-forwarded-proto", "http");
        let parts = sent.body(()).unwrap().into_parts().0;
        pass("E1", &Behavior { cache, request, ..Behavior::default() }, &parts, "/a")
    }

    #[test]
    fn nothing_goes_on_that_no_policy_names() {
        let passed = passed(CacheRules::default(), RequestRules::default(), "GET");
        assert_eq!(passed.key, "E1\n/a\n\n");
        assert_eq!((passed.query, passed.headers.len()), (None, 1));
        assert_eq!(passed.headers["user-agent"], AGENT);
    }

    #[test]
    fn what_is_in_the_key_goes_on_and_so_does_what_a_request_policy_names() {
        let cache = CacheRules {
            queries: Which::Only(vec!["b".into()]),
            cookies: Which::AllBut(vec!["sid".into()]),
            headers: Which::Only(vec!["x-own".into()]),
            encodings: vec!["br".into(), "gzip".into()],
            ..CacheRules::default()
        };
        let request = RequestRules {
            headers: Which::AllBut(vec!["host".into()]),
            cookies: Which::Only(vec!["sid".into()]),
            queries: Which::All,
        };
        let passed = passed(cache, request, "POST");
        assert_eq!(passed.key, "E1\n/a?b=1\nbr\ntheme=dark\n1,");
        assert_eq!(passed.query.as_deref(), Some("b=1&c=2"));
        let headers = &passed.headers;
        assert_eq!(
            (&headers["cookie"], &headers["accept-encoding"]),
            (&"sid=1; theme=dark".parse().unwrap(), &"br".parse().unwrap())
        );
        assert!(headers.contains_key("authorization") && headers.contains_key("x-own"));
        assert!(!headers.contains_key("host") && !headers.contains_key("x-forwarded-proto"));
    }
}
