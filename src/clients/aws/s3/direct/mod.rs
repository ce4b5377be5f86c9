//! The short way for uploads: requests signed here and sent over connections of our own. The SDK's general machinery costs
//! four times the CPU of the rest of an upload; it goes on doing everything else, says where a bucket is ([`place`]), and
//! does the uploads too where only it knows the way.

mod connection;
mod gate;
mod place;
mod sign;

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, SystemTime};

use aws_credential_types::Credentials;
use aws_credential_types::provider::{ProvideCredentials, SharedCredentialsProvider};
use aws_sdk_s3::Client;
use bytes::Bytes;
use http_body_util::Full;
use hyper::{Request, Response, StatusCode};
use percent_encoding::utf8_percent_encode;

use super::SOURCE;
use crate::clients::aws::error::answered;
use crate::clients::objects::Headers;
use crate::clients::{ClientError, ClientResult, Kind};
use connection::Broken;
use gate::Gate;
use place::Place;
use sign::{Signable, Signer, UNSIGNED};

/// How often a request is tried.
const TRIES: u32 = 9;
/// The first wait before another try, at most; it doubles, up to [`LONGEST`].
const FIRST: Duration = Duration::from_millis(100);
/// The longest wait, at most.
const LONGEST: Duration = Duration::from_secs(15);
/// How long one try may take. A part of 8 MiB passes a line of 0.3 Mbit/s in this time.
const ATTEMPT: Duration = Duration::from_mins(4);
/// Credentials are asked for again so long before they expire.
const EARLY: Duration = Duration::from_mins(5);

/// What S3 said of an upload.
pub(super) struct Stored {
    /// The CRC64NVME it confirmed.
    pub crc64: Option<String>,
    /// The entity tag, as it was sent.
    pub etag: Option<String>,
}

/// One upload of some bytes.
pub(super) struct Upload<'a> {
    pub bucket: &'a str,
    pub key: &'a str,
    /// The part it is of a longer upload: its query, sorted and encoded.
    pub query: String,
    /// What the object is stored with; nothing for a part.
    pub headers: Option<&'a Headers>,
    pub body: Bytes,
    /// The body's CRC64NVME.
    pub crc64: &'a str,
    /// What is tried, for messages.
    pub what: &'a str,
}

/// Sends uploads. Shared by all of a process.
pub(super) struct Direct {
    credentials: Option<SharedCredentialsProvider>,
    known: Mutex<Option<Credentials>>,
    places: Mutex<HashMap<String, Option<Arc<Place>>>>,
    signer: Signer,
    gate: Gate,
}

impl Direct {
    pub(super) fn new(credentials: Option<SharedCredentialsProvider>) -> Self {
        Self {
            credentials,
            known: Mutex::default(),
            places: Mutex::default(),
            signer: Signer::default(),
            gate: Gate::default(),
        }
    }

    /// Sends an upload, again and again while that may help; `None` where it has to go through the SDK.
    pub(super) async fn put(&self, client: &Client, upload: &Upload<'_>) -> ClientResult<Option<Stored>> {
        let Some(place) = self.place(client, upload.bucket).await? else { return Ok(None) };
        let mut tries = 0;
        loop {
            let pass = self.gate.enter().await;
            let error = match self.once(&place, upload).await {
                Ok(stored) => {
                    self.gate.good();
                    return Ok(Some(stored));
                }
                Err(error) => error,
            };
            drop(pass);
            tries += 1;
            if error.kind == Kind::Throttled {
                self.gate.slow_down();
            }
            let expired = error.kind == Kind::Denied && error.why.contains("ExpiredToken");
            if expired {
                *self.known.lock().unwrap_or_else(PoisonError::into_inner) = None;
            }
            let may_help = matches!(error.kind, Kind::Throttled | Kind::Unanswered) || expired && tries == 1;
            if !may_help || tries >= TRIES {
                return Err(error);
            }
            let most = FIRST.saturating_mul(1 << tries.min(16)).min(LONGEST);
            tokio::time::sleep(most.mul_f64(rand::random_range(0.5..1.0))).await;
        }
    }

    async fn place(&self, client: &Client, bucket: &str) -> ClientResult<Option<Arc<Place>>> {
        let known = self.places.lock().unwrap_or_else(PoisonError::into_inner).get(bucket).cloned();
        if let Some(place) = known {
            return Ok(place);
        }
        let place = if self.credentials.is_some() { Place::of(client, bucket).await?.map(Arc::new) } else { None };
        let mut places = self.places.lock().unwrap_or_else(PoisonError::into_inner);
        // Whoever came first has made the connections that are kept.
        Ok(places.entry(bucket.to_owned()).or_insert(place).clone())
    }

    async fn credentials(&self, what: &str) -> ClientResult<Credentials> {
        let fresh = |one: &Credentials| one.expiry().is_none_or(|at| at > SystemTime::now() + EARLY);
        let known = self.known.lock().unwrap_or_else(PoisonError::into_inner).clone();
        if let Some(known) = known.filter(fresh) {
            return Ok(known);
        }
        let denied = |why: String| ClientError::new(Kind::Denied, what, why);
        let provider = self.credentials.as_ref().ok_or_else(|| denied("there are no credentials".to_owned()))?;
        let got = provider.provide_credentials().await.map_err(|error| denied(error.to_string()))?;
        *self.known.lock().unwrap_or_else(PoisonError::into_inner) = Some(got.clone());
        Ok(got)
    }

    async fn once(&self, place: &Place, upload: &Upload<'_>) -> ClientResult<Stored> {
        let credentials = self.credentials(upload.what).await?;
        let unanswered = |why: String| ClientError::new(Kind::Unanswered, upload.what, why);
        loop {
            let request = self.request(place, upload, &credentials)?;
            let answer = match tokio::time::timeout(ATTEMPT, place.connections.send(request)).await {
                Ok(Ok(answer)) => answer,
                Ok(Err(Broken::Stale)) => continue,
                Ok(Err(Broken::Failed(why))) => return Err(unanswered(why)),
                Err(_) => return Err(unanswered(format!("no answer within {} s", ATTEMPT.as_secs()))),
            };
            return if answer.status() == StatusCode::OK { Ok(stored(&answer)) } else { Err(refused(upload, &answer)) };
        }
    }

    fn request(
        &self,
        place: &Place,
        upload: &Upload<'_>,
        credentials: &Credentials,
    ) -> ClientResult<Request<Full<Bytes>>> {
        let path = format!("{}{}", place.before, utf8_percent_encode(upload.key, SOURCE));
        let moment = jiff::Timestamp::now().strftime("%Y%m%dT%H%M%SZ").to_string();
        let hash =
            (!place.is_safe).then(|| hex::encode(aws_lc_rs::digest::digest(&aws_lc_rs::digest::SHA256, &upload.body)));
        let payload = hash.as_deref().unwrap_or(UNSIGNED);
        let mut signed: Vec<(&'static str, String)> =
            vec![("host", place.host.clone()), ("x-amz-checksum-crc64nvme", upload.crc64.to_owned())];
        let mut metadata: Vec<(String, &String)> = Vec::new();
        if let Some(headers) = upload.headers {
            let named = [("content-type", &headers.content_type), ("cache-control", &headers.cache_control)];
            signed.extend(named.into_iter().filter(|(_, v)| !v.is_empty()).map(|(name, value)| (name, value.clone())));
            metadata.extend(headers.metadata.iter().map(|(name, value)| (format!("x-amz-meta-{name}"), value)));
        }
        if let Some(token) = credentials.session_token() {
            signed.push(("x-amz-security-token", token.to_owned()));
        }
        let signable = Signable {
            method: "PUT",
            path: &path,
            query: &upload.query,
            headers: &signed,
            metadata: &metadata,
            payload,
            region: &place.region,
            moment: &moment,
        };
        let authorization = self.signer.authorization(&signable, credentials);
        let target = if upload.query.is_empty() { path } else { format!("{path}?{}", upload.query) };
        let mut request = Request::builder()
            .method("PUT")
            .uri(target)
            .header("authorization", authorization)
            .header("x-amz-date", moment)
            .header("x-amz-content-sha256", payload)
            .header("user-agent", concat!("outgrow/", env!("CARGO_PKG_VERSION")));
        for (name, value) in signed {
            request = request.header(name, value);
        }
        for (name, value) in metadata {
            request = request.header(name, value);
        }
        let request = request.body(Full::new(upload.body.clone()));
        request.map_err(|error| ClientError::new(Kind::Refused, upload.what, error.to_string()))
    }
}

fn stored(answer: &Response<Bytes>) -> Stored {
    let header = |name: &str| answer.headers().get(name).and_then(|value| value.to_str().ok()).map(str::to_owned);
    Stored { crc64: header("x-amz-checksum-crc64nvme"), etag: header("etag") }
}

/// What S3 said no with.
fn refused(upload: &Upload<'_>, answer: &Response<Bytes>) -> ClientError {
    let body = String::from_utf8_lossy(answer.body());
    let field = |name: &str| {
        let rest = body.split_once(&format!("<{name}>"))?.1;
        Some(rest.split_once(&format!("</{name}>"))?.0)
    };
    let id = answer.headers().get("x-amz-request-id").and_then(|id| id.to_str().ok()).or_else(|| field("RequestId"));
    let error =
        answered(upload.what.to_owned(), "s3:PutObject", answer.status().as_u16(), field("Code"), field("Message"), id);
    // A payload that was changed or cut off on its way is sent again.
    match field("Code") {
        Some("BadDigest" | "RequestTimeout" | "IncompleteBody") => ClientError { kind: Kind::Unanswered, ..error },
        _ => error,
    }
}

/// The query of a part.
pub(super) fn part_query(number: i32, upload_id: &str) -> String {
    // An id may hold what a path may, but for the slash.
    let id = utf8_percent_encode(upload_id, SOURCE).to_string().replace('/', "%2F");
    format!("partNumber={number}&uploadId={id}")
}
