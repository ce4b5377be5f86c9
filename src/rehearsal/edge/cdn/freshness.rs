//! How long a thing stays in the cache (law C5).
//! Source: CloudFront guide, Expiration: the table of `Cache-Control` and `Expires` against the TTLs.

use std::time::{Duration, SystemTime};

use http::{HeaderMap, header};

use super::dates;
use crate::rehearsal::state::CacheRules;

/// What an origin says about caching.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct Said {
    /// `no-cache`, `no-store` or `private`.
    pub never: bool,
    /// `s-maxage`, `max-age`, or what is left until `Expires`.
    pub age: Option<Duration>,
}

/// Reads an origin's headers.
pub fn said(headers: &HeaderMap, now: SystemTime) -> Said {
    let (mut said, mut shared, mut own) = (Said::default(), None, None);
    let values = headers.get_all(header::CACHE_CONTROL).iter().filter_map(|v| v.to_str().ok());
    for directive in values.flat_map(|v| v.split(',')).map(|d| d.trim().to_ascii_lowercase()) {
        let (name, value) = directive.split_once('=').unwrap_or((&directive, ""));
        let seconds = || value.trim_matches('"').parse().ok().map(Duration::from_secs);
        match name {
            "no-cache" | "no-store" | "private" => said.never = true,
            "s-maxage" => shared = seconds(),
            "max-age" => own = seconds(),
            _ => {}
        }
    }
    let expires = headers.get(header::EXPIRES).map(|e| e.to_str().ok().and_then(dates::read));
    // A date that is none has passed already.
    let expires = expires.map(|at| at.and_then(|at| at.duration_since(now).ok()).unwrap_or_default());
    said.age = shared.or(own).or(expires);
    said
}

/// How long an answer is kept.
pub fn lifetime(headers: &HeaderMap, rules: &CacheRules, now: SystemTime) -> Duration {
    let (min, max) = (Duration::from_secs(rules.min_ttl), Duration::from_secs(rules.max_ttl));
    match said(headers, now) {
        Said { never: true, .. } => min,
        Said { age: Some(age), .. } => age.clamp(min, max.max(min)),
        Said { age: None, .. } => Duration::from_secs(rules.default_ttl).max(min),
    }
}

/// How long an error is kept: not at all where CloudFront keeps one of its kind only on the origin's word.
/// Source: CloudFront guide, `HTTPStatusCodes` and custom-error-pages-expiration.
pub fn error_lifetime(status: u16, headers: &HeaderMap, configured: Option<u64>, now: SystemTime) -> Duration {
    let said = said(headers, now);
    let heeds = matches!(status, 404 | 410 | 414 | 501);
    let always = heeds || matches!(status, 500 | 502 | 503 | 504);
    if status == 416 || (heeds && said.never) || (!always && configured.is_none() && said.age.is_none()) {
        return Duration::ZERO;
    }
    Duration::from_secs(configured.unwrap_or(10)).max(said.age.unwrap_or_default())
}

#[cfg(test)]
mod tests {
    use super::*;

    const OPTIMIZED: (u64, u64, u64) = (1, 86_400, 31_536_000);

    fn kept(cache_control: &str, (min, default, max): (u64, u64, u64)) -> u64 {
        let mut headers = HeaderMap::new();
        if !cache_control.is_empty() {
            headers.insert(header::CACHE_CONTROL, cache_control.parse().unwrap());
        }
        let rules = CacheRules { min_ttl: min, default_ttl: default, max_ttl: max, ..CacheRules::default() };
        lifetime(&headers, &rules, SystemTime::UNIX_EPOCH).as_secs()
    }

    #[test]
    fn law_c5_a_day_unless_the_origin_says_otherwise() {
        for (said, ttls, seconds) in [
            ("", OPTIMIZED, 86_400),
            ("no-cache", OPTIMIZED, 1),
            ("no-cache", (0, 0, 31_536_000), 0),
            ("public, max-age=31536000, immutable", OPTIMIZED, 31_536_000),
            ("max-age=60, s-maxage=600", OPTIMIZED, 600),
            ("max-age=0", OPTIMIZED, 1),
            ("max-age=99999999", OPTIMIZED, 31_536_000),
            ("max-age=60", (0, 0, 0), 0),
        ] {
            assert_eq!(kept(said, ttls), seconds, "{said} under {ttls:?}");
        }
    }

    #[test]
    fn expires_counts_where_no_age_is_said() {
        let now = dates::read("Sun, 06 Nov 1994 08:49:37 GMT").unwrap();
        let mut headers = HeaderMap::new();
        headers.insert(header::EXPIRES, "Sun, 06 Nov 1994 08:50:37 GMT".parse().unwrap());
        assert_eq!(said(&headers, now).age, Some(Duration::from_mins(1)));
        headers.insert(header::EXPIRES, "0".parse().unwrap());
        assert_eq!(said(&headers, now).age, Some(Duration::ZERO));
    }

    #[test]
    fn errors_are_kept_for_ten_seconds_and_403_only_on_somebodys_word() {
        let none = HeaderMap::new();
        let kept = |status, configured| error_lifetime(status, &none, configured, SystemTime::UNIX_EPOCH).as_secs();
        assert_eq!((kept(404, None), kept(503, None), kept(403, None), kept(416, Some(9))), (10, 10, 0, 0));
        assert_eq!((kept(403, Some(300)), kept(404, Some(0))), (300, 0));
    }
}
