//! Signature Version 4, checked by signing a request again with the caller's secret.
//! Source: IAM guide, "Create a signed AWS API request". S3 checks its own, with its streamed bodies.

use std::time::{Duration, SystemTime};

use aws_credential_types::Credentials;
use aws_sigv4::http_request::{SignableBody, SignableRequest, SignatureLocation, SigningSettings, sign};
use aws_sigv4::sign::v4;
use http::request::Parts;

use super::scope::Scope;

/// How far a request's own time may be from ours.
const SKEW: Duration = Duration::from_mins(5);

/// Says why a request's signature is none of `secret`'s, or nothing if it is.
pub fn verify(head: &Parts, body: &[u8], scope: &Scope, secret: &str, now: SystemTime) -> Result<(), String> {
    let header = |name: &str| head.headers.get(name).and_then(|v| v.to_str().ok());
    let authorization = header("authorization").ok_or("The request has no Authorization header")?;
    let part = |name: &str| authorization.split([',', ' ']).find_map(|p| p.trim().strip_prefix(name));
    let signed = part("SignedHeaders=").ok_or("Authorization header requires 'SignedHeaders' parameter.")?;
    let given = part("Signature=").ok_or("Authorization header requires 'Signature' parameter.")?;
    let date = header("x-amz-date")
        .ok_or("Authorization header requires existence of either a 'X-Amz-Date' or a 'Date' header.")?;
    let at = moment(date).ok_or_else(|| format!("Date must be in ISO-8601 'basic format'. Got '{date}'."))?;
    if at + SKEW < now {
        return Err(format!("Signature expired: {date} is more than 5 min. behind"));
    }
    if now + SKEW < at {
        return Err(format!("Signature not yet current: {date} is more than 5 min. ahead"));
    }
    // The signer adds the date itself; a header that was named twice counts twice.
    let names = signed.split(';').filter(|name| *name != "x-amz-date");
    let headers: Vec<(&str, &str)> = names
        .flat_map(|name| head.headers.get_all(name).iter().filter_map(move |v| Some((name, v.to_str().ok()?))))
        .collect();
    let host = header("host").ok_or("The request has no Host header")?;
    let path = head.uri.path_and_query().map_or("/", http::uri::PathAndQuery::as_str);
    let identity = Credentials::new(&scope.key, secret, None, None, "rehearsal").into();
    let mut settings = SigningSettings::default();
    settings.signature_location = SignatureLocation::Headers;
    settings.excluded_headers = None;
    let params = v4::SigningParams::builder()
        .identity(&identity)
        .region(&scope.region)
        .name(&scope.service)
        .time(at)
        .settings(settings)
        .build()
        .map_err(|error| error.to_string())?
        .into();
    let request = SignableRequest::new(
        head.method.as_str(),
        format!("http://{host}{path}"),
        headers.into_iter(),
        SignableBody::Bytes(body),
    )
    .map_err(|error| error.to_string())?;
    let own = sign(request, &params).map_err(|error| error.to_string())?;
    let same = own.signature().len() == given.len() && own.signature() == given;
    same.then_some(()).ok_or_else(|| {
        "The request signature we calculated does not match the signature you provided. Check your AWS Secret Access \
         Key and signing method."
            .to_owned()
    })
}

/// `20261128T163200Z` as a moment.
fn moment(text: &str) -> Option<SystemTime> {
    let at = jiff::fmt::strtime::parse("%Y%m%dT%H%M%SZ", text).ok()?.to_datetime().ok()?;
    at.to_zoned(jiff::tz::TimeZone::UTC).ok().map(|zoned| zoned.timestamp().into())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_date_is_read_to_the_second() {
        assert_eq!(moment("19700101T000001Z"), Some(SystemTime::UNIX_EPOCH + Duration::from_secs(1)));
        assert_eq!(moment("yesterday"), None);
    }
}
