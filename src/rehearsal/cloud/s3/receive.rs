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
use super::hash::{ALGORITHMS, Hashed, Hasher};

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
    let mut error =
        s3s::S3Error::with_message(s3s::S3ErrorCode::IncompleteBody, format!("the body ended early: {source}"));
    error.set_source(source);
    error
}

/// Writes a body to `path` and checks it.
pub(super) async fn receive(body: Option<StreamingBlob>, path: PathBuf, said: Said<'_>) -> S3Result<Received> {
    let announced = said.headers.get_all("x-amz-trailer").iter().filter_map(|v| v.to_str().ok());
    let announced: Vec<_> = announced
        .flat_map(|v| v.split(','))
        .filter_map(|name| name.trim().to_ascii_lowercase().strip_prefix("x-amz-checksum-").map(str::to_uppercase))
        .collect();
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
