//! Where a bucket is, as the SDK would address it: asked once, by letting it sign a request that is never sent.

use std::time::Duration;

use aws_sdk_s3::Client;
use aws_sdk_s3::presigning::PresigningConfig;

use super::connection::{Connections, Endpoint};
use crate::clients::aws::error::explain;
use crate::clients::{ClientError, ClientResult, Kind};

/// A key nothing is ever stored under.
const NOWHERE: &str = "outgrow-asks-where";

/// A bucket's place.
pub(super) struct Place {
    pub connections: Connections,
    /// The `Host` header.
    pub host: String,
    /// What stands before a key in the path: `/`, or `/BUCKET/`.
    pub before: String,
    /// The region requests are signed for.
    pub region: String,
    /// Nobody is between here and there who could change a payload.
    pub is_safe: bool,
}

impl Place {
    /// Asks the SDK. `None` where only the SDK knows the way: behind a proxy, or with a signature of another kind.
    pub(super) async fn of(client: &Client, bucket: &str) -> ClientResult<Option<Self>> {
        let what = || format!("find the bucket {bucket}");
        let wrong = |why: String| ClientError::new(Kind::Refused, what(), why);
        let config = PresigningConfig::expires_in(Duration::from_mins(1)).map_err(|e| wrong(e.to_string()))?;
        let signed = client.put_object().bucket(bucket).key(NOWHERE).presigned(config).await;
        let signed = signed.map_err(|e| explain(what(), "s3:PutObject", e))?;
        let uri: http::Uri = signed.uri().parse().map_err(|e: http::uri::InvalidUri| wrong(e.to_string()))?;
        if goes_through_a_proxy(uri.host().unwrap_or_default()) {
            return Ok(None);
        }
        parsed(&uri).map_err(wrong)
    }
}

fn parsed(uri: &http::Uri) -> Result<Option<Place>, String> {
    let tls = uri.scheme_str() == Some("https");
    let authority = uri.authority().ok_or("the endpoint has no host")?.as_str().to_owned();
    let host = uri.host().unwrap_or_default().trim_matches(['[', ']']).to_owned();
    let query = uri.query().unwrap_or_default();
    let scope = query.split('&').find_map(|pair| pair.strip_prefix("X-Amz-Credential=")).unwrap_or_default();
    let scope: Vec<&str> = scope.split("%2F").collect();
    let [.., region, "s3", "aws4_request"] = scope.as_slice() else { return Ok(None) };
    if query.contains("X-Amz-S3session-Token") || query.contains("X-Amz-Region-Set") {
        return Ok(None);
    }
    let Some(before) = uri.path().strip_suffix(NOWHERE) else { return Ok(None) };
    let port = uri.port_u16().unwrap_or(if tls { 443 } else { 80 });
    let is_safe = tls || host == "localhost" || host.parse::<std::net::IpAddr>().is_ok_and(|ip| ip.is_loopback());
    let connections = Connections::to(Endpoint { tls, host, port }).map_err(|e| e.to_string())?;
    Ok(Some(Place { connections, host: authority, before: before.to_owned(), region: (*region).to_owned(), is_safe }))
}

/// Whether the environment sends requests to this host through a proxy, as far as that can be said without asking it.
fn goes_through_a_proxy(host: &str) -> bool {
    let set = |name: &str| std::env::var(name).ok().filter(|value| !value.is_empty());
    let proxy = ["https_proxy", "HTTPS_PROXY", "http_proxy", "HTTP_PROXY", "all_proxy", "ALL_PROXY"];
    let spared = set("no_proxy").or_else(|| set("NO_PROXY")).unwrap_or_default();
    let is_spared = |one: &str| !one.is_empty() && (one == "*" || host.ends_with(one.trim_start_matches('*')));
    proxy.iter().any(|name| set(name).is_some()) && !spared.split(',').map(str::trim).any(is_spared)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_signed_address_says_where_and_for_which_region() {
        let of = |uri: &str| parsed(&uri.parse().unwrap()).unwrap();
        let scope = "X-Amz-Credential=AKID%2F20260301%2Feu-west-1%2Fs3%2Faws4_request";
        let place = of(&format!("https://b.s3.eu-west-1.amazonaws.com/{NOWHERE}?x-id=PutObject&{scope}")).unwrap();
        assert_eq!((place.host.as_str(), place.before.as_str()), ("b.s3.eu-west-1.amazonaws.com", "/"));
        assert!(place.is_safe && place.region == "eu-west-1");
        let place = of(&format!("http://127.0.0.1:9000/b/{NOWHERE}?{scope}")).unwrap();
        assert_eq!((place.host.as_str(), place.before.as_str(), place.is_safe), ("127.0.0.1:9000", "/b/", true));
        assert!(!of(&format!("http://10.0.0.1:9000/b/{NOWHERE}?{scope}")).unwrap().is_safe);
        for other in [scope.replace("%2Fs3%2F", "%2Fs3express%2F"), format!("{scope}&X-Amz-Region-Set=*")] {
            assert!(of(&format!("https://b.test/{NOWHERE}?{other}")).is_none(), "{other}");
        }
    }
}
