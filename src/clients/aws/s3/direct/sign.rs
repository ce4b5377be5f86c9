//! Signature Version 4 for uploads. Source: IAM guide, "Create a signed AWS API request"; S3 API reference,
//! "Authenticating Requests: Using the Authorization Header".

use std::fmt::Write as _;
use std::sync::{Mutex, PoisonError};

use aws_credential_types::Credentials;
use aws_lc_rs::{digest, hmac};

/// The payload's hash where TLS, or nobody in between, keeps it from being changed; its checksum is signed all the same.
pub(super) const UNSIGNED: &str = "UNSIGNED-PAYLOAD";

/// A request as far as it is signed.
pub(super) struct Signable<'a> {
    pub method: &'a str,
    /// The path, encoded.
    pub path: &'a str,
    /// The query, encoded and sorted; empty for none.
    pub query: &'a str,
    /// All headers but the date's and the payload's, names in lower case.
    pub headers: &'a [(&'static str, String)],
    /// User metadata, with whole names.
    pub metadata: &'a [(String, &'a String)],
    /// The payload's SHA-256 in hexadecimal, or [`UNSIGNED`].
    pub payload: &'a str,
    pub region: &'a str,
    /// `20260301T214000Z`
    pub moment: &'a str,
}

/// A day's key, which all requests of the day share.
struct DayKey {
    key_id: String,
    secret: String,
    day: String,
    region: String,
    key: hmac::Key,
}

/// Signs. The day's key is made once.
#[derive(Default)]
pub(super) struct Signer(Mutex<Option<DayKey>>);

impl Signer {
    /// The `Authorization` header. The caller sends `x-amz-date` and `x-amz-content-sha256` as they were signed.
    pub(super) fn authorization(&self, request: &Signable<'_>, credentials: &Credentials) -> String {
        let day = &request.moment[..8];
        let scope = format!("{day}/{}/s3/aws4_request", request.region);
        let mut canonical = format!("{}\n{}\n{}\n", request.method, request.path, request.query);
        let mut names = String::new();
        let own = [("x-amz-content-sha256", request.payload), ("x-amz-date", request.moment)];
        let mut all: Vec<(&str, &str)> = request.headers.iter().map(|(name, value)| (*name, value.as_str())).collect();
        all.extend(request.metadata.iter().map(|(name, value)| (name.as_str(), value.as_str())));
        all.extend(own);
        all.sort_unstable();
        for (name, value) in all {
            canonical.extend([name, ":"]);
            // Runs of spaces count as one.
            for (n, word) in value.split_ascii_whitespace().enumerate() {
                canonical.extend([if n > 0 { " " } else { "" }, word]);
            }
            canonical.push('\n');
            names.extend([if names.is_empty() { "" } else { ";" }, name]);
        }
        // Writing to a string cannot fail.
        let _ = write!(canonical, "\n{names}\n{}", request.payload);
        let hash = hex::encode(digest::digest(&digest::SHA256, canonical.as_bytes()));
        let to_sign = format!("AWS4-HMAC-SHA256\n{}\n{scope}\n{hash}", request.moment);
        let signature = self.sign(credentials, day, request.region, to_sign.as_bytes());
        format!(
            "AWS4-HMAC-SHA256 Credential={}/{scope}, SignedHeaders={names}, Signature={}",
            credentials.access_key_id(),
            hex::encode(signature)
        )
    }

    fn sign(&self, credentials: &Credentials, day: &str, region: &str, text: &[u8]) -> hmac::Tag {
        let mut slot = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let fits = slot.as_ref().is_some_and(|one| {
            one.day == day
                && one.region == region
                && one.key_id == credentials.access_key_id()
                && one.secret == credentials.secret_access_key()
        });
        if !fits {
            *slot = None;
        }
        let made = slot.get_or_insert_with(|| DayKey {
            key_id: credentials.access_key_id().to_owned(),
            secret: credentials.secret_access_key().to_owned(),
            day: day.to_owned(),
            region: region.to_owned(),
            key: day_key(credentials.secret_access_key(), day, region),
        });
        hmac::sign(&made.key, text)
    }
}

fn day_key(secret: &str, day: &str, region: &str) -> hmac::Key {
    let first = hmac::Key::new(hmac::HMAC_SHA256, format!("AWS4{secret}").as_bytes());
    [day, region, "s3", "aws4_request"]
        .iter()
        .fold(first, |key, part| hmac::Key::new(hmac::HMAC_SHA256, hmac::sign(&key, part.as_bytes()).as_ref()))
}

#[cfg(test)]
mod tests {
    use std::time::{Duration, SystemTime};

    use aws_sigv4::http_request::{SignableBody, SignableRequest, SigningSettings, UriPathNormalizationMode, sign};
    use aws_sigv4::sign::v4;

    use super::*;

    /// What AWS's own signer makes of it.
    fn reference(request: &Signable<'_>, credentials: &Credentials) -> String {
        let mut settings = SigningSettings::default();
        settings.percent_encoding_mode = aws_sigv4::http_request::PercentEncodingMode::Single;
        settings.uri_path_normalization_mode = UriPathNormalizationMode::Disabled;
        settings.payload_checksum_kind = aws_sigv4::http_request::PayloadChecksumKind::XAmzSha256;
        let identity = credentials.clone().into();
        let params = v4::SigningParams::builder()
            .identity(&identity)
            .region(request.region)
            .name("s3")
            .time(SystemTime::UNIX_EPOCH + Duration::from_mins(29_540_020))
            .settings(settings)
            .build()
            .unwrap()
            .into();
        let query = if request.query.is_empty() { String::new() } else { format!("?{}", request.query) };
        let uri = format!("https://b.s3.test{}{query}", request.path);
        let headers = request.headers.iter().map(|(name, value)| (*name, value.as_str()));
        let headers = headers.chain(request.metadata.iter().map(|(name, value)| (name.as_str(), value.as_str())));
        let body = SignableBody::Precomputed(request.payload.to_owned());
        let request = SignableRequest::new(request.method, uri, headers, body).unwrap();
        let signed = sign(request, &params).unwrap();
        let headers: Vec<(String, String)> =
            signed.output().headers().map(|(name, value)| (name.to_owned(), value.to_owned())).collect();
        headers.into_iter().find(|(name, _)| name == "authorization").unwrap().1
    }

    #[test]
    fn it_signs_as_awss_own_signer_does() {
        let signer = Signer::default();
        let credentials = Credentials::new("AKID", "secret", None, None, "test");
        let run = "shop-1".to_owned();
        for (path, query) in [("/a%20b/%ED%95%9C%2B.js", ""), ("/x", "partNumber=2&uploadId=a%2Fb")] {
            let headers = [
                ("cache-control", "public,  max-age=1 ".to_owned()),
                ("content-type", "text/html; charset=utf-8".to_owned()),
                ("host", "b.s3.test".to_owned()),
                ("x-amz-checksum-crc64nvme", "rosUhgp5mIg=".to_owned()),
            ];
            let request = Signable {
                method: "PUT",
                path,
                query,
                headers: &headers,
                metadata: &[("x-amz-meta-outgrow-run".to_owned(), &run)],
                payload: UNSIGNED,
                region: "eu-west-1",
                moment: "20260301T214000Z",
            };
            for _ in 0..2 {
                assert_eq!(signer.authorization(&request, &credentials), reference(&request, &credentials));
            }
            let other = Credentials::new("AKID", "other", None, None, "test");
            assert_eq!(signer.authorization(&request, &other), reference(&request, &other), "not the former key");
        }
    }
}
