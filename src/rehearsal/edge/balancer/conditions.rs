//! Whether a request meets the conditions of a listener rule.
//!
//! Source: ALB user guide, "Condition types for listener rules": paths and methods are matched with case, hosts, header
//! values and query strings without.

use http::request::Parts;

use crate::rehearsal::edge::glob;
use crate::rehearsal::state::Condition;

/// Whether `request` meets all of `conditions`.
pub fn all_met(conditions: &[Condition], request: &Parts) -> bool {
    conditions.iter().all(|condition| met(condition, request))
}

fn met(condition: &Condition, request: &Parts) -> bool {
    match condition {
        Condition::Path(patterns) => patterns.iter().any(|p| glob::matches(p, request.uri.path(), false)),
        Condition::Host(patterns) => {
            host(request).is_some_and(|host| patterns.iter().any(|p| glob::matches(p, host, true)))
        }
        Condition::Header(name, patterns) => request
            .headers
            .get_all(name)
            .iter()
            .filter_map(|value| value.to_str().ok())
            .any(|value| patterns.iter().any(|p| glob::matches(p, value, true))),
        Condition::Method(methods) => methods.iter().any(|m| m == request.method.as_str()),
        Condition::Query(wanted) => {
            let query = request.uri.query().unwrap_or_default();
            form_urlencoded::parse(query.as_bytes()).any(|(key, value)| {
                wanted.iter().any(|(wanted_key, wanted_value)| {
                    wanted_key.as_ref().is_none_or(|k| glob::matches(k, &key, true))
                        && glob::matches(wanted_value, &value, true)
                })
            })
        }
    }
}

/// The host a request is for, without its port.
pub fn host(request: &Parts) -> Option<&str> {
    let named = match request.uri.host() {
        Some(host) => host,
        None => request.headers.get(http::header::HOST)?.to_str().ok()?,
    };
    match named.rsplit_once(':') {
        Some((host, port)) if port.bytes().all(|b| b.is_ascii_digit()) && !named.ends_with(']') => Some(host),
        _ => Some(named),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn request(uri: &str, host: &str) -> Parts {
        http::Request::builder()
            .method("POST")
            .uri(uri)
            .header("host", host)
            .header("user-agent", "Shop/2.1 (iOS)")
            .body(())
            .unwrap()
            .into_parts()
            .0
    }

    #[test]
    fn every_kind_of_condition_matches_what_aws_says_it_matches() {
        let parts = request("/api/orders?Version=V1&q=a%20b", "API.shop.test:8443");
        let s = |text: &str| text.to_owned();
        for (condition, expected) in [
            (Condition::Path(vec![s("/img/*"), s("/api/*")]), true),
            (Condition::Path(vec![s("/API/*")]), false),
            (Condition::Host(vec![s("api.shop.test")]), true),
            (Condition::Host(vec![s("*.shop.test")]), true),
            (Condition::Host(vec![s("www.shop.test")]), false),
            (Condition::Header(s("User-Agent"), vec![s("*ios*")]), true),
            (Condition::Header(s("X-None"), vec![s("*")]), false),
            (Condition::Method(vec![s("POST")]), true),
            (Condition::Method(vec![s("post")]), false),
            (Condition::Query(vec![(Some(s("version")), s("v1"))]), true),
            (Condition::Query(vec![(None, s("a b"))]), true),
            (Condition::Query(vec![(Some(s("version")), s("v2"))]), false),
        ] {
            assert_eq!(all_met(std::slice::from_ref(&condition), &parts), expected, "{condition:?}");
        }
        let both = [Condition::Method(vec![s("POST")]), Condition::Path(vec![s("/")])];
        assert!(!all_met(&both, &parts), "all conditions must be met");
    }
}
