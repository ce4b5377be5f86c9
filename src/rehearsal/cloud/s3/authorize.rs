//! Every request passes here once its signature is verified: bucket name, owner and region, then the permission.

use std::net::SocketAddr;

use http::{HeaderMap, HeaderValue};
use s3s::access::S3AccessContext;
use s3s::path::S3Path;
use s3s::{S3Error, S3ErrorCode, S3Result, s3_error};

use super::super::super::state::ACCOUNT;
use super::super::wire::scope::Scope;
use super::caller::{Caller, Head};
use super::{Objects, statement};

/// Refuses a request that may not be answered; else puts its [`Caller`] beside it.
pub(super) fn request(objects: &Objects, cx: &mut S3AccessContext<'_>) -> S3Result<()> {
    let from = cx.extensions_mut().get::<SocketAddr>().copied();
    let key = cx.credentials().map(|c| c.access_key.clone());
    let query = cx.uri().query().map(str::to_owned);
    expires(query.as_deref())?;
    let head = Head { headers: cx.headers(), query: query.as_deref(), from, secure: is_secure(cx.headers()) };
    let mut caller = Caller::new(key.as_deref(), &head);
    let operation = cx.s3_op().name();
    let (bucket, object) = match cx.s3_path() {
        S3Path::Root => (None, None),
        S3Path::Bucket { bucket } => (Some(&**bucket), None),
        S3Path::Object { bucket, key } => (Some(&**bucket), Some(&**key)),
    };
    let Some(bucket) = bucket else {
        // All that is asked of no bucket is the list of them.
        if caller.is_anonymous() {
            return Err(s3_error!(AccessDenied, "Access Denied"));
        }
        cx.extensions_mut().insert(caller);
        return Ok(());
    };
    if !is_name(bucket) {
        return Err(s3_error!(InvalidBucketName, "The specified bucket is not valid."));
    }
    owner(cx.headers())?;
    if operation == "CreateBucket" {
        if caller.is_anonymous() {
            return Err(s3_error!(AccessDenied, "Access Denied"));
        }
    } else {
        if operation != "GetBucketLocation" {
            let scope = Scope::of(cx.headers(), query.as_deref());
            region(objects, bucket, scope.as_ref().map(|s| s.region.as_str()))?;
        }
        if matches!(operation, "PutObject" | "CopyObject" | "CompleteMultipartUpload") {
            caller = caller.knowing("s3:ObjectCreationOperation", "true");
        }
        // DeleteObjects is judged key by key.
        if operation != "DeleteObjects" {
            let of_version = query.as_deref().is_some_and(|q| q.split('&').any(|p| p.starts_with("versionId=")));
            caller.may(objects, &statement::action(operation, of_version), bucket, object)?;
        }
    }
    cx.extensions_mut().insert(caller);
    Ok(())
}

/// On AWS every SDK speaks TLS; this front door is on loopback and does not. A request counts as secure unless whoever
/// handed it on says that it was not.
fn is_secure(headers: &HeaderMap) -> bool {
    headers.get("x-forwarded-proto").is_none_or(|proto| proto != "http")
}

/// Holds a presigned URL to a week. Source: S3 API, "Authenticating Requests: Using Query Parameters".
fn expires(query: Option<&str>) -> S3Result<()> {
    let mut asked = form_urlencoded::parse(query.unwrap_or_default().as_bytes());
    match asked.find(|(name, _)| name == "X-Amz-Expires").and_then(|(_, value)| value.parse::<u64>().ok()) {
        Some(seconds) if seconds > 604_800 => Err(s3_error!(
            AuthorizationQueryParametersError,
            "X-Amz-Expires must be less than a week (in seconds); that is, the given X-Amz-Expires must be less than 604800 seconds"
        )),
        _ => Ok(()),
    }
}

/// Holds `x-amz-expected-bucket-owner` to the one account there is.
fn owner(headers: &HeaderMap) -> S3Result<()> {
    for name in ["x-amz-expected-bucket-owner", "x-amz-source-expected-bucket-owner"] {
        let Some(expected) = headers.get(name) else { continue };
        if expected.len() != 12 || !expected.as_bytes().iter().all(u8::is_ascii_digit) {
            return Err(super::bucket::custom(
                "InvalidBucketOwnerAWSAccountID",
                "The value of the expected bucket owner parameter must be an AWS account ID",
                http::StatusCode::BAD_REQUEST,
            ));
        }
        if expected != ACCOUNT {
            return Err(s3_error!(AccessDenied, "Access Denied"));
        }
    }
    Ok(())
}

/// Sends a request signed for another region than the bucket's there.
fn region(objects: &Objects, bucket: &str, signed: Option<&str>) -> S3Result<()> {
    let (Some(signed), Ok(config)) = (signed, objects.config(bucket)) else { return Ok(()) };
    if signed == config.region {
        return Ok(());
    }
    let message = "The bucket you are attempting to access must be addressed using the specified endpoint. Please send \
                   all future requests to this endpoint.";
    let mut error = S3Error::with_message(S3ErrorCode::PermanentRedirect, message);
    let mut headers = HeaderMap::new();
    if let Ok(region) = HeaderValue::from_str(&config.region) {
        headers.insert("x-amz-bucket-region", region);
    }
    headers.insert(http::header::CONTENT_TYPE, HeaderValue::from_static("application/xml"));
    error.set_headers(headers);
    Err(error)
}

/// Whether a bucket may be called so. Source: S3 guide, "General purpose bucket naming rules".
pub(super) fn is_name(name: &str) -> bool {
    let alphanumeric = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit();
    (3..=63).contains(&name.len())
        && name.chars().all(|c| alphanumeric(c) || c == '.' || c == '-')
        && name.starts_with(alphanumeric)
        && name.ends_with(alphanumeric)
        && !name.contains("..")
        && name.parse::<std::net::Ipv4Addr>().is_err()
        && !["xn--", "sthree-", "amzn-s3-demo-"].iter().any(|p| name.starts_with(p))
        && !["-s3alias", "--ol-s3", ".mrap", "--x-s3", "--table-s3"].iter().any(|s| name.ends_with(s))
}

/// Any name: [`request`] refuses a wrong one, with its message.
pub(super) struct AnyName;

impl s3s::validation::NameValidation for AnyName {
    fn validate_bucket_name(&self, name: &str) -> bool {
        !name.is_empty()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bucket_names_are_held_to_the_rules() {
        for name in ["shop", "a.b-c.9", "123"] {
            assert!(is_name(name), "{name}");
        }
        for name in
            ["ab", "Shop", "a_b", "-ab", "ab-", "a..b", "192.168.5.4", "xn--a", "sthree-a", "a-s3alias", "..", "가나다"]
        {
            assert!(!is_name(name), "{name}");
        }
        assert!(!is_name(&"a".repeat(64)));
    }
}
