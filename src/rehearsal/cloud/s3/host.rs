//! Which bucket a host name names: virtual-hosted style, and the website endpoint.
//!
//! Source: S3 guide, "Virtual hosting of general purpose buckets" and "Website endpoints".

use s3s::S3Result;
use s3s::host::{S3Host, VirtualHost};

/// A host without its port.
fn bare(host: &str) -> &str {
    match host.rsplit_once(':') {
        Some((name, port)) if port.bytes().all(|b| b.is_ascii_digit()) => name,
        _ => host,
    }
}

/// The bucket in front of an endpoint: `BUCKET.s3.REGION.amazonaws.com`, `BUCKET.s3.amazonaws.com`,
/// `BUCKET.s3.localhost`, and `BUCKET.localhost`, which is what an SDK makes of the endpoint `http://localhost:PORT`.
fn bucket(host: &str) -> Option<&str> {
    if let Some(front) = host.strip_suffix(".amazonaws.com") {
        let at = front
            .match_indices(".s3")
            .map(|(at, _)| at)
            .filter(|at| {
                let rest = &front[at + ".s3".len()..];
                rest.is_empty() || (rest.starts_with(['.', '-']) && !rest[1..].contains('.'))
            })
            .last()?;
        return Some(&front[..at]);
    }
    let front = host.strip_suffix(".localhost")?;
    if front == "s3" { None } else { Some(front.strip_suffix(".s3").unwrap_or(front)) }
}

/// The bucket of a website endpoint: `BUCKET.s3-website.REGION.amazonaws.com`, the same with a dash before the region,
/// or `BUCKET.s3-website.localhost`.
pub(super) fn website(host: &str) -> Option<&str> {
    let (bucket, rest) = bare(host).split_once(".s3-website")?;
    let ours = rest == ".localhost" || (rest.starts_with(['.', '-']) && rest.ends_with(".amazonaws.com"));
    ours.then_some(bucket)
}

/// Tells virtual-hosted from path-style requests.
pub(super) struct Hosts;

impl S3Host for Hosts {
    fn parse_host_header<'a>(&'a self, host: &'a str) -> S3Result<VirtualHost<'a>> {
        let named = VirtualHost::new(host);
        Ok(match bucket(bare(host)) {
            Some(bucket) => named.with_bucket(bucket),
            None => named,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hosts_name_their_bucket() {
        for (host, expected) in [
            ("shop.s3.ap-northeast-2.amazonaws.com", Some("shop")),
            ("www.shop.test.s3.amazonaws.com", Some("www.shop.test")),
            ("shop.s3-eu-west-1.amazonaws.com", Some("shop")),
            ("s3.ap-northeast-2.amazonaws.com", None),
            ("shop.s3.localhost:4566", Some("shop")),
            ("a.b.localhost:80", Some("a.b")),
            ("s3.localhost", None),
            ("localhost:4566", None),
            ("127.0.0.1:4566", None),
            ("cloud:80", None),
        ] {
            assert_eq!(bucket(bare(host)), expected, "{host}");
        }
        assert_eq!(website("shop.s3-website.ap-northeast-2.amazonaws.com"), Some("shop"));
        assert_eq!(website("shop.s3-website-us-east-1.amazonaws.com:80"), Some("shop"));
        assert_eq!(website("shop.s3.localhost"), None);
    }
}
