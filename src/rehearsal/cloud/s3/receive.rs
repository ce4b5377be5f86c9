//! A body comes in: into a file, hashed on the way, checked against what the sender said of it.

use std::collections::BTreeMap;
use std::path::PathBuf;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use futures::StreamExt;
use http::HeaderMap;
use s3s::dto::StreamingBlob;
use s3s::{S3Result, TrailingHeaders, s3_error};
use tokio::io::AsyncWriteExt;

use super::broken;
use super::hash::{ALGORITHMS, Hashed, Hasher, well_formed};

/// The most bytes that one request brings. Source: S3 API, `PutObject`.
const LARGEST: u64 = 5 << 30;

/// What the sender says of a body.
pub(super) struct Said<'a> {
    /// Checksums in the request's head, by algorithm.
    pub checksums: BTreeMap<String, String>,
    /// `Content-MD5`.
    pub md5: Option<String>,
    /// All headers: they name a checksum that comes behind the body.
    pub headers: &'a HeaderMap,
    /// The headers behind the body.
    pub trailers: Option<TrailingHeaders>,
    /// The algorithm to use if nothing else is said.
    pub algorithm: Option<&'a str>,
}

/// A file that is removed unless it was taken over.
pub(super) struct Received {
    pub hashed: Hashed,
    path: Option<PathBuf>,
}

impl Received {
    /// The file, which is the caller's from now on.
    pub(super) fn keep(&mut self) -> PathBuf {
        self.path.take().unwrap_or_default()
    }
}

impl Drop for Received {
    fn drop(&mut self) {
        if let Some(path) = &self.path {
            let _ = std::fs::remove_file(path);
        }
    }
}

/// The sender went away, or its body is not what its signature says.
fn early(source: s3s::StdError) -> s3s::S3Error {
    // `s3s` keeps these errors to itself; their texts are all that tells them apart.
    let why = source.to_string();
    let mut error = if why.contains("Sha256Mismatch") {
        let message = "The provided 'x-amz-content-sha256' header does not match what was computed.";
        super::bucket::custom("XAmzContentSHA256Mismatch", message, http::StatusCode::BAD_REQUEST)
    } else if why.contains("SignatureMismatch") {
        s3_error!(
            SignatureDoesNotMatch,
            "The request signature we calculated does not match the signature you provided. Check your key and signing method."
        )
    } else {
        s3_error!(IncompleteBody, "You did not provide the number of bytes specified by the Content-Length HTTP header")
    };
    error.set_source(source);
    error
}

/// Holds what is said of a body to its form, before the body comes.
fn check(said: &Said<'_>, announced: &[String]) -> S3Result<()> {
    let named: std::collections::BTreeSet<&str> = said.checksums.keys().chain(announced).map(String::as_str).collect();
    if named.len() > 1 {
        return Err(s3_error!(
            InvalidRequest,
            "Expecting a single x-amz-checksum- header. Multiple checksum Types are not allowed."
        ));
    }
    for (name, value) in &said.checksums {
        if !well_formed(name, value) {
            return Err(s3_error!(
                InvalidRequest,
                "Value for x-amz-checksum-{} header is invalid.",
                name.to_ascii_lowercase()
            ));
        }
    }
    if said.md5.as_ref().is_some_and(|md5| STANDARD.decode(md5).is_ok_and(|b| b.len() == 16).eq(&false)) {
        return Err(s3_error!(InvalidDigest, "The Content-MD5 you specified was invalid."));
    }
    if said.headers.get(http::header::CONTENT_LENGTH).and_then(|v| v.to_str().ok()?.parse().ok()) > Some(LARGEST) {
        return Err(s3_error!(EntityTooLarge, "Your proposed upload exceeds the maximum allowed object size."));
    }
    Ok(())
}

/// Writes a body to `path` and checks it.
pub(super) async fn receive(body: Option<StreamingBlob>, path: PathBuf, said: Said<'_>) -> S3Result<Received> {
    let announced = said.headers.get_all("x-amz-trailer").iter().filter_map(|v| v.to_str().ok());
    let announced: Vec<_> = announced
        .flat_map(|v| v.split(','))
        .filter_map(|name| name.trim().to_ascii_lowercase().strip_prefix("x-amz-checksum-").map(str::to_uppercase))
        .collect();
    check(&said, &announced)?;
    let mut algorithms: Vec<&str> = said.checksums.keys().chain(&announced).map(String::as_str).collect();
    if algorithms.is_empty() {
        algorithms.extend(said.algorithm);
    }
    let mut hasher = Hasher::new(algorithms);
    // Made before the file is, so that whatever goes wrong from here on leaves nothing behind.
    let mut received = Received { hashed: Hasher::new([]).finish(), path: Some(path.clone()) };
    let mut file = tokio::io::BufWriter::with_capacity(1 << 18, tokio::fs::File::create(&path).await.map_err(broken)?);
    if let Some(mut body) = body {
        while let Some(chunk) = body.next().await {
            let chunk = chunk.map_err(early)?;
            hasher.update(&chunk);
            file.write_all(&chunk).await.map_err(broken)?;
        }
    }
    // No fsync: a killed process loses nothing the kernel has, and a rehearsal need not outlive its machine.
    file.flush().await.map_err(broken)?;
    received.hashed = hasher.finish();
    let trailing = said.trailers.and_then(|t| t.take()).unwrap_or_default();
    let behind = ALGORITHMS.iter().filter_map(|name| {
        let value = trailing.get(format!("x-amz-checksum-{}", name.to_ascii_lowercase()))?;
        Some(((*name).to_owned(), value.to_str().ok()?.to_owned()))
    });
    for (name, value) in said.checksums.into_iter().chain(behind) {
        if received.hashed.checksums.get(&name) != Some(&value) {
            return Err(s3_error!(BadDigest, "The {} you specified did not match the calculated checksum.", name));
        }
    }
    match said.md5 {
        Some(md5) if md5 != STANDARD.encode(received.hashed.md5) => {
            Err(s3_error!(BadDigest, "The Content-MD5 you specified did not match what we received."))
        }
        _ => Ok(received),
    }
}
