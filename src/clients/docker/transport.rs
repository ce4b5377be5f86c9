//! HTTP over a [`Place`]: a stream for every request, so that a hijacked or broken one concerns no other.

use std::sync::Arc;

use bollard::BollardRequest;
use bollard::errors::Error;
use hyper::Response;
use hyper::body::Incoming;
use hyper::client::conn::http1;
use hyper::header::{HOST, HeaderValue};
use hyper_util::rt::TokioIo;

use super::place::Place;

/// Sends one request over a stream of its own.
pub(super) async fn send(place: Arc<Place>, request: BollardRequest) -> Result<Response<Incoming>, Error> {
    let stream = place.open().await?;
    let (mut sender, connection) = http1::Builder::new().max_buf_size(1 << 20).handshake(TokioIo::new(stream)).await?;
    // Ends when the answer's body was read or dropped, or the upgraded stream was taken.
    tokio::spawn(connection.with_upgrades());
    Ok(sender.send_request(own_form(request)).await?)
}

/// A request line with the path alone, and a `Host`, as servers expect it.
fn own_form(mut request: BollardRequest) -> BollardRequest {
    if let Some(path) = request.uri().path_and_query()
        && let Ok(uri) = path.as_str().parse()
    {
        *request.uri_mut() = uri;
    }
    request.headers_mut().insert(HOST, HeaderValue::from_static("docker"));
    request
}
