//! S3: `s3s` speaks the protocol and verifies signatures; the objects lie in files ([`Objects`]).

mod access;
mod api;
mod bucket;
mod hash;
mod list;
mod meta;
mod multipart;
mod policy;
mod read;
mod receive;
mod seed;
mod store;
mod upload;
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
    builder.set_access(access::Gate { faults: faults.clone() });
    builder.build()
}

/// Answers a request; an error closes the connection, as a fault may ask.
pub(super) async fn answer(service: &S3Service, request: Request<Incoming>) -> Result<Response<Body>, Cut> {
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
    response.map_err(|error| {
        tracing::warn!(?error, "S3 could not answer");
        Cut
    })
}

/// An S3 error whose message names the law behind it.
fn by(law: Law, code: s3s::S3ErrorCode, message: &str) -> s3s::S3Error {
    s3s::S3Error::with_message(code, format!("{message} [{law}]"))
}

/// An input or output failure of our own files.
fn broken(error: impl std::error::Error + Send + Sync + 'static) -> s3s::S3Error {
    tracing::error!(%error, "the rehearsal's object store failed");
    s3s::S3Error::internal_error(error)
}
