//! The front door: one address for every service, told apart by the credential scope.

use std::convert::Infallible;
use std::future::Future;

use bytes::Bytes;
use http::{Request, Response};
use http_body_util::{BodyExt, Limited};
use hyper::body::Incoming;
use hyper_util::rt::{TokioIo, TokioTimer};
use s3s::Body;
use tokio::net::TcpListener;
use tokio::task::JoinSet;

use super::fault::Kind;
use super::wire::operation::{Operation, Output, Run, Service, matches};
use super::wire::{ApiError, Node, query, refuse, scope::Scope, xml};
use super::{Cloud, elb, rds, route53, s3, sts};

/// The largest request body of the services beside S3.
const LARGEST: usize = 1 << 20;

/// A connection that is to close without an answer.
#[derive(Debug, thiserror::Error)]
#[error("the connection is closed without an answer")]
pub(super) struct Cut;

const SERVICES: &[&Service] = &[&sts::SERVICE, &route53::SERVICE, &elb::SERVICE, &rds::SERVICE];

impl Cloud {
    /// Answers requests until `stop` is there; open connections are closed then.
    ///
    /// # Errors
    /// When the listener fails for good.
    pub async fn serve(&self, listener: TcpListener, stop: impl Future<Output = ()>) -> std::io::Result<()> {
        let mut connections = JoinSet::new();
        tokio::pin!(stop);
        loop {
            tokio::select! {
                () = &mut stop => return Ok(()),
                Some(_) = connections.join_next() => {}
                accepted = listener.accept() => {
                    let (stream, from) = match accepted {
                        Ok(accepted) => accepted,
                        // A connection that died in the queue, or no file left for it: the next may do.
                        Err(error) => {
                            tracing::warn!(%error, "a connection could not be accepted");
                            tokio::time::sleep(std::time::Duration::from_millis(20)).await;
                            continue;
                        }
                    };
                    let cloud = self.clone();
                    connections.spawn(async move {
                        let service = hyper::service::service_fn(move |mut request: Request<Incoming>| {
                            let cloud = cloud.clone();
                            request.extensions_mut().insert(from);
                            async move { cloud.answer(request).await }
                        });
                        let mut http = hyper::server::conn::http1::Builder::new();
                        let served = http.timer(TokioTimer::new()).serve_connection(TokioIo::new(stream), service).await;
                        if let Err(error) = served {
                            tracing::debug!(%error, "a connection to the cloud ended");
                        }
                        Ok::<_, Infallible>(())
                    });
                }
            }
        }
    }

    async fn answer(&self, request: Request<Incoming>) -> Result<Response<Body>, Cut> {
        let scope = Scope::of(request.headers(), request.uri().query());
        let service = match &scope {
            // Unsigned requests are S3's to judge: that is where anonymous ones exist.
            None => return s3::answer(&self.inner.s3, &self.inner.objects, request).await,
            Some(scope) if scope.service == "s3" => {
                return s3::answer(&self.inner.s3, &self.inner.objects, request).await;
            }
            Some(scope) => SERVICES.iter().find(|s| s.name == scope.service),
        };
        let id = super::fresh();
        let Some(service) = service else {
            let name = scope.map(|s| s.service).unwrap_or_default();
            let error = refuse("UnknownService", format!("the rehearsal cloud has no service '{name}'")).status(404);
            return Ok(document(error.status, query::error(&error, "", &id), None));
        };
        let known = scope.is_some_and(|s| s.key == self.settings().access_key);
        match self.call(service, known, request, &id).await? {
            Ok((operation, output)) => {
                let text = match operation.rest {
                    Some(_) => xml::write(&output.node, service.namespace),
                    None => query::answer(operation.name, service.namespace, output.node, &id),
                };
                Ok(document(output.status, text, output.location))
            }
            Err(error) => Ok(document(error.status, query::error(&error, service.namespace, &id), None)),
        }
    }

    /// Finds the operation and runs it, faults and all; the outer error closes the connection.
    async fn call(
        &self,
        service: &'static Service,
        known: bool,
        request: Request<Incoming>,
        id: &str,
    ) -> Result<Result<(&'static Operation, Output), ApiError>, Cut> {
        if !known {
            let message = "The security token included in the request is invalid.";
            return Ok(Err(refuse("InvalidClientTokenId", message).status(403)));
        }
        let (operation, input) = match find(service, request).await {
            Ok(found) => found,
            Err(error) => return Ok(Err(error)),
        };
        let fault = self.inner.faults.strike(service.name, operation.name);
        if let Some(kind) = fault {
            tracing::debug!(service = service.name, operation = operation.name, ?kind, request = id, "a fault strikes");
        }
        match fault {
            Some(Kind::Refused) => return Ok(Err(refuse("AccessDenied", "refused, as a fault asks").status(403))),
            Some(Kind::Throttled) => return Ok(Err(refuse("Throttling", "Rate exceeded"))),
            Some(Kind::FailedBefore) => {
                return Ok(Err(refuse("InternalFailure", "failed, as a fault asks").status(500)));
            }
            Some(Kind::Reset) => return Err(Cut),
            Some(Kind::Slow(by)) => tokio::time::sleep(by).await,
            Some(Kind::LostAnswer) | None => {}
        }
        let output = match operation.run {
            Run::Now(run) => run(self, &input),
            Run::Later(run) => run(self.clone(), input).await,
        };
        match fault {
            Some(Kind::LostAnswer) => Err(Cut),
            _ => Ok(output.map(|output| (operation, output))),
        }
    }
}

/// The operation a request is for, and its parameters from path, query and body.
async fn find(service: &'static Service, request: Request<Incoming>) -> Result<(&'static Operation, Node), ApiError> {
    let (head, body) = request.into_parts();
    let body: Bytes = match Limited::new(body, LARGEST).collect().await {
        Ok(body) => body.to_bytes(),
        Err(error) => return Err(refuse("MalformedInput", format!("the body could not be read: {error}"))),
    };
    let by_rest = service.operations.iter().find_map(|operation| {
        let (method, path) = operation.rest.as_ref()?;
        let named = (*method == head.method).then(|| matches(path, head.uri.path())).flatten()?;
        Some((operation, named))
    });
    if let Some((operation, named)) = by_rest {
        let mut input = xml::read(&body)?;
        let asked = form_urlencoded::parse(head.uri.query().unwrap_or_default().as_bytes());
        input.children.extend(asked.map(|(name, value)| Node::leaf(&name, value)));
        input.children.extend(named);
        return Ok((operation, input));
    }
    let input = query::read(&body);
    let action = input.get("Action").unwrap_or_default().to_owned();
    let found = service.operations.iter().find(|o| o.rest.is_none() && o.name == action);
    found.map(|operation| (operation, input)).ok_or_else(|| {
        let what = if action.is_empty() { format!("{} {}", head.method, head.uri.path()) } else { action };
        refuse("InvalidAction", format!("the rehearsal cloud does not know {} {what}", service.name))
    })
}

fn document(status: u16, text: String, location: Option<String>) -> Response<Body> {
    let mut response = Response::new(Body::from(text));
    *response.status_mut() = http::StatusCode::from_u16(status).unwrap_or(http::StatusCode::INTERNAL_SERVER_ERROR);
    let headers = response.headers_mut();
    headers.insert(http::header::CONTENT_TYPE, http::HeaderValue::from_static("text/xml"));
    if let Some(Ok(location)) = location.map(http::HeaderValue::try_from) {
        headers.insert(http::header::LOCATION, location);
    }
    response
}

#[cfg(test)]
mod tests {
    use super::super::law::{Enforced, Law};
    use super::*;

    #[test]
    fn every_law_an_api_holds_is_declared_by_an_operation() {
        let declared: Vec<_> = SERVICES.iter().flat_map(|s| s.operations).flat_map(|o| o.laws).collect();
        // S3 has no table of ours: these two are held in its storage.
        let of_s3 = [Law::C2, Law::C7];
        for law in Law::ALL.iter().filter(|l| l.enforced() == Enforced::Api) {
            assert!(declared.contains(&law) || of_s3.contains(law), "{law} is held by no operation");
        }
    }
}
