//! What a response headers policy does to an answer.
//! Source: CloudFront guide, understanding-response-headers-policies.

use http::{HeaderMap, HeaderName, HeaderValue, Method, header};

use crate::rehearsal::edge::glob;
use crate::rehearsal::state::{Cors, HeadersRules};

/// Every method, where a policy says `ALL`.
const ALL: &str = "DELETE, GET, HEAD, OPTIONS, PATCH, POST, PUT";

/// Applies the rules to the headers of an answer to a request.
pub fn apply(rules: &HeadersRules, method: &Method, asked: &HeaderMap, answer: &mut HeaderMap) {
    for name in &rules.remove {
        answer.remove(name);
    }
    if let Some(cors) = &rules.cors {
        cross_origin(cors, method, asked, answer);
    }
    for own in &rules.set {
        put(answer, &own.name, &own.value, own.overrides);
    }
}

/// Only a request with an `Origin` is a cross-origin one (law O1).
fn cross_origin(cors: &Cors, method: &Method, asked: &HeaderMap, answer: &mut HeaderMap) {
    let Some(origin) = asked.get(header::ORIGIN).and_then(|o| o.to_str().ok()) else { return };
    let anybody = cors.origins.iter().any(|o| o == "*");
    let scheme_less = origin.split_once("://").map_or(origin, |(_, host)| host);
    let names = |o: &String| glob::matches(o, origin, true) || glob::matches(o, scheme_less, true);
    if cors.overrides {
        for name in [
            header::ACCESS_CONTROL_ALLOW_ORIGIN,
            header::ACCESS_CONTROL_ALLOW_METHODS,
            header::ACCESS_CONTROL_ALLOW_HEADERS,
            header::ACCESS_CONTROL_ALLOW_CREDENTIALS,
            header::ACCESS_CONTROL_EXPOSE_HEADERS,
            header::ACCESS_CONTROL_MAX_AGE,
        ] {
            answer.remove(name);
        }
    } else if answer.contains_key(header::ACCESS_CONTROL_ALLOW_ORIGIN) {
        return;
    }
    if !anybody && !cors.origins.iter().any(names) {
        return;
    }
    put(answer, "access-control-allow-origin", if anybody { "*" } else { origin }, true);
    if !anybody {
        answer.append(header::VARY, HeaderValue::from_static("Origin"));
    }
    if cors.credentials {
        put(answer, "access-control-allow-credentials", "true", true);
    }
    if !cors.expose.is_empty() {
        put(answer, "access-control-expose-headers", &cors.expose.join(", "), true);
    }
    let preflight = *method == Method::OPTIONS && asked.contains_key(header::ACCESS_CONTROL_REQUEST_METHOD);
    if preflight {
        let methods = cors.methods.join(", ");
        put(answer, "access-control-allow-methods", if methods == "ALL" { ALL } else { &methods }, true);
        put(answer, "access-control-allow-headers", &cors.headers.join(", "), true);
        if let Some(seconds) = cors.max_age {
            put(answer, "access-control-max-age", &seconds.to_string(), true);
        }
    }
}

fn put(headers: &mut HeaderMap, name: &str, value: &str, overrides: bool) {
    let (Ok(name), Ok(value)) = (HeaderName::try_from(name), HeaderValue::try_from(value)) else { return };
    if overrides || !headers.contains_key(&name) {
        headers.insert(name, value);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::rehearsal::state::SetHeader;

    fn asked(origin: &str) -> HeaderMap {
        let mut headers = HeaderMap::new();
        headers.insert(header::ORIGIN, origin.parse().unwrap());
        headers.insert(header::ACCESS_CONTROL_REQUEST_METHOD, "PUT".parse().unwrap());
        headers
    }

    #[test]
    fn law_o1_only_the_allowed_origins_are_answered() {
        let cors = Cors {
            origins: vec!["https://www.shop.test".into(), "*.staging.shop.test".into()],
            headers: vec!["content-type".into()],
            methods: vec!["ALL".into()],
            credentials: true,
            max_age: Some(600),
            ..Cors::default()
        };
        let rules = HeadersRules { cors: Some(cors), ..HeadersRules::default() };
        let answered = |origin: &str, method: &Method| {
            let mut answer = HeaderMap::new();
            apply(&rules, method, &asked(origin), &mut answer);
            answer
        };
        let allowed = answered("https://www.shop.test", &Method::OPTIONS);
        assert_eq!(allowed["access-control-allow-origin"], "https://www.shop.test");
        assert_eq!(
            (&allowed["vary"], &allowed["access-control-max-age"]),
            (&"Origin".parse().unwrap(), &"600".parse().unwrap())
        );
        assert_eq!(allowed["access-control-allow-methods"], ALL);
        assert!(answered("https://a.staging.shop.test", &Method::GET).contains_key("access-control-allow-origin"));
        assert!(answered("https://evil.test", &Method::GET).is_empty());
    }

    #[test]
    fn the_origins_headers_stay_unless_the_policy_overrides_them() {
        let set = |name: &str, overrides| SetHeader { name: name.into(), value: "ours".into(), overrides };
        let rules = HeadersRules {
            set: vec![set("x-mild", false), set("x-firm", true)],
            remove: vec!["x-powered-by".into()],
            cors: None,
        };
        let mut answer = HeaderMap::new();
        for name in ["x-mild", "x-firm", "x-powered-by"] {
            answer.insert(name, "theirs".parse().unwrap());
        }
        apply(&rules, &Method::GET, &HeaderMap::new(), &mut answer);
        assert_eq!(
            (answer["x-mild"].as_bytes(), answer["x-firm"].as_bytes(), answer.len()),
            (&b"theirs"[..], &b"ours"[..], 2)
        );
    }
}
