//! S3: `s3s` speaks the protocol and verifies signatures; the objects lie in files ([`Objects`]).
//!
//! A request passes `authorize` (may its `caller` do that?) and the faults of `access`, then `api` hands it to the file
//! that does it. `store` and `versions` keep what it does.

mod access;
mod acl;
mod api;
mod attributes;
mod authorize;
mod bucket;
mod caller;
mod copy;
mod hash;
mod host;
mod kept;
mod list;
mod list_versions;
mod meta;
mod multipart;
mod multipart_list;
mod only;
mod read;
mod receive;
mod seed;
mod statement;
mod store;
mod tags;
mod upload;
mod versions;
mod website;
mod write;

use http::{Request, Response};
use hyper::body::Incoming;
use s3s::Body;
use s3s::service::{S3Service, S3ServiceBuilder};

use super::super::state::Shared;
use super::answer::Cut;
use super::law::Law;
use super::{Faults, Settings};

pub use meta::ObjectMeta;
pub use store::Objects;

/// The service over these objects.
pub(super) fn service(shared: &Shared, objects: &Objects, faults: &Faults, settings: &Settings) -> S3Service {
    let api = api::Api { objects: objects.clone(), clock: shared.clock.clone() };
    let mut builder = S3ServiceBuilder::new(api);
    builder.set_auth(access::Keys { id: settings.access_key.clone(), secret: settings.secret_key.as_str().into() });
    builder.set_access(access::Gate { faults: faults.clone(), objects: objects.clone() });
    builder.set_host(host::Hosts);
    builder.set_validation(authorize::AnyName);
    builder.build()
}

/// Answers a request; an error closes the connection, as a fault may ask.
pub(super) async fn answer(
    service: &S3Service,
    objects: &Objects,
    request: Request<Incoming>,
) -> Result<Response<Body>, Cut> {
    if let Some(bucket) = website::asked(&request) {
        return Ok(identified(website::answer(objects, &bucket, &request).await));
    }
    let mark = access::Mark::default();
    let mut request = request.map(Body::from);
    request.extensions_mut().insert(mark.clone());
    let response = service.call(request).await;
    if mark.cuts() {
        return Err(Cut);
    }
    if let Some(held) = mark.held() {
        held.over().await;
    }
    response.map(identified).map_err(|error| {
        tracing::warn!(?error, "S3 could not answer");
        Cut
    })
}

/// Adds the two headers by which AWS's support finds a request again.
fn identified(mut response: Response<Body>) -> Response<Body> {
    // `s3s` forgets the status of a part's head.
    if response.status() == http::StatusCode::OK && response.headers().contains_key(http::header::CONTENT_RANGE) {
        *response.status_mut() = http::StatusCode::PARTIAL_CONTENT;
    }
    for name in ["x-amz-request-id", "x-amz-id-2"] {
        if let Ok(id) = http::HeaderValue::try_from(super::fresh()) {
            response.headers_mut().entry(name).or_insert(id);
        }
    }
    response
}

/// An S3 error whose message names the law behind it.
fn by(law: Law, code: s3s::S3ErrorCode, message: &str) -> s3s::S3Error {
    s3s::S3Error::with_message(code, format!("{message} [{law}]"))
}

/// An input or output failure of our own files.
fn broken(error: impl std::error::Error + Send + Sync + 'static) -> s3s::S3Error {
    tracing::error!(%error, "the rehearsal's object store failed");
    let mut answer = s3s::s3_error!(InternalError, "We encountered an internal error. Please try again. ({error})");
    answer.set_source(Box::new(error));
    answer
}
