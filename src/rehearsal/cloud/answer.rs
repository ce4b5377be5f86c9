//! From a request to its answer: the credential scope tells the services of one address apart, the signature who asks.

use std::time::SystemTime;

use bytes::Bytes;
use http::request::Parts;
use http::{Request, Response};
use http_body_util::{BodyExt, Limited};
use hyper::body::Incoming;
use s3s::Body;

use super::fault::Kind;
use super::law::Law;
use super::wire::operation::{Operation, Output, Run, Service};
use super::wire::protocol::Document;
use super::wire::{ApiError, Node, query, refuse, scope::Scope, signature};
use super::{Cloud, acm, cloudfront, cloudwatch, ec2, elb, rds, route53, s3, secrets, sts, unsigned};

/// The largest request body of the services beside S3.
const LARGEST: usize = 1 << 20;

/// A connection that is to close without an answer.
#[derive(Debug, thiserror::Error)]
#[error("the connection is closed without an answer")]
pub(super) struct Cut;

/// Every service but S3, which has a protocol and a table of its own.
pub(super) const SERVICES: &[&Service] = &[
    &acm::SERVICE,
    &sts::SERVICE,
    &route53::SERVICE,
    &cloudfront::SERVICE,
    &elb::SERVICE,
    &rds::SERVICE,
    &secrets::SERVICE,
    &cloudwatch::SERVICE,
    &cloudwatch::IN_JSON,
    &ec2::SERVICE,
];

/// The operations that hold their callers to a law, as `route53 ChangeResourceRecordSets`.
pub fn holders(law: Law) -> Vec<String> {
    let all = SERVICES.iter().flat_map(|service| service.operations.iter().map(move |operation| (service, operation)));
    let holding = all.filter(|(_, operation)| operation.laws.contains(&law));
    holding.map(|(service, operation)| format!("{} {}", service.name, operation.name)).collect()
}

/// Whether there is such an operation; S3's are the protocol library's, and not counted here.
pub(super) fn knows(service: &str, operation: &str) -> bool {
    let of = |s: &&&Service| s.name == service || service == "*";
    service == "s3"
        || SERVICES.iter().filter(of).any(|s| operation == "*" || s.operations.iter().any(|o| o.name == operation))
}

impl Cloud {
    /// Answers a request; an error closes the connection, as a fault may ask.
    pub(super) async fn answer(&self, request: Request<Incoming>) -> Result<Response<Body>, Cut> {
        let scope = Scope::of(request.headers(), request.uri().query());
        let service = match &scope {
            None => return self.answer_unsigned(request).await,
            Some(scope) if scope.service == "s3" => {
                return s3::answer(&self.inner.s3, &self.inner.objects, request).await;
            }
            Some(scope) => {
                let meant = |s: &&&Service| s.name == scope.service && s.is_spoken(request.headers());
                SERVICES.iter().find(meant).ok_or(&scope.service)
            }
        };
        let id = super::fresh();
        let (service, scope) = match (service, &scope) {
            (Ok(service), Some(scope)) => (*service, scope),
            (unknown, _) => {
                let name = unknown.err().map(String::as_str).unwrap_or_default();
                let error =
                    refuse("UnknownService", format!("the rehearsal cloud has no service '{name}'")).status(404);
                let body = query::error(&error, "", &id).into();
                return Ok(response(
                    Document { status: 404, content_type: "text/xml", body, headers: Vec::new() },
                    &id,
                ));
            }
        };
        let document = match self.within(&scope.region).call(service, scope, request, &id).await? {
            Ok((operation, output)) => service.answer(operation, output, &id),
            Err(error) => service.refusal(&error, &id),
        };
        Ok(response(document, &id))
    }

    /// Unsigned requests that no other service knows for its own are S3's to judge: there are anonymous ones.
    async fn answer_unsigned(&self, request: Request<Incoming>) -> Result<Response<Body>, Cut> {
        let (head, body) = request.into_parts();
        let (form, body) = if unsigned::is_form(&head.headers) {
            // a body too large or torn names no operation, and is refused the same
            let form = Limited::new(body, LARGEST).collect().await.map(http_body_util::Collected::to_bytes);
            (form.unwrap_or_default(), None)
        } else {
            (Bytes::new(), Some(body))
        };
        match (unsigned::service(SERVICES, &head, &form), body) {
            (None, Some(body)) => {
                s3::answer(&self.inner.s3, &self.inner.objects, Request::from_parts(head, body)).await
            }
            (service, _) => {
                let service = service.unwrap_or(&sts::SERVICE);
                let id = super::fresh();
                Ok(response(service.refusal(&unsigned::refusal(service, &head.headers), &id), &id))
            }
        }
    }

    /// Finds the operation and runs it, faults and all; the outer error closes the connection.
    async fn call(
        &self,
        service: &'static Service,
        scope: &Scope,
        request: Request<Incoming>,
        id: &str,
    ) -> Result<Result<(&'static Operation, Output), ApiError>, Cut> {
        let (head, body) = request.into_parts();
        let body = match Limited::new(body, LARGEST).collect().await {
            Ok(body) => body.to_bytes(),
            Err(error) => return Ok(Err(refuse("MalformedInput", format!("the body could not be read: {error}")))),
        };
        let (operation, input) = match self.admit(service, scope, &head, &body) {
            Ok(found) => found,
            Err(error) => return Ok(Err(error)),
        };
        let fault = self.faults().strike(service.name, operation.name, operation.reads());
        if let Some(kind) = fault {
            tracing::debug!(service = service.name, operation = operation.name, ?kind, request = id, "a fault strikes");
        }
        let mut waiting = None;
        let mut cloud = self.clone();
        match fault {
            Some(Kind::Refused) => return Ok(Err(service.access_denied("refused, as a fault asks"))),
            Some(Kind::Throttled(wait)) => return Ok(Err(service.throttled().retry_after(wait))),
            Some(Kind::FailedBefore) => return Ok(Err(service.failure("failed, as a fault asks"))),
            Some(Kind::Reset) => return Err(Cut),
            Some(Kind::Slow(by)) => tokio::time::sleep(by).await,
            Some(Kind::Held(at_most)) => waiting = Some(self.faults().held(at_most)),
            Some(Kind::Stale(by)) => cloud = self.as_of(by),
            Some(Kind::LostAnswer) | None => {}
        }
        let output = run(&cloud, operation, input).await;
        if let Some(held) = waiting {
            held.over().await;
        }
        match fault {
            Some(Kind::LostAnswer) => Err(Cut),
            _ => Ok(output.map(|output| (operation, output))),
        }
    }

    /// Lets a request in that its key has signed, and finds its operation.
    fn admit(
        &self,
        service: &'static Service,
        scope: &Scope,
        head: &Parts,
        body: &Bytes,
    ) -> Result<(&'static Operation, Node), ApiError> {
        let settings = self.settings();
        if scope.key != settings.access_key {
            return Err(service.stranger());
        }
        signature::verify(head, body, scope, &settings.secret_key, SystemTime::now())
            .map_err(|why| service.forged(&why))?;
        service.find(head, body)
    }
}

async fn run(cloud: &Cloud, operation: &Operation, input: Node) -> Result<Output, ApiError> {
    // What is due by now is so before anybody looks.
    cloud.settle();
    match operation.run {
        Run::Now(run) => run(cloud, &input),
        Run::Later(run) => run(cloud.clone(), input).await,
    }
}

fn response(document: Document, id: &str) -> Response<Body> {
    let mut response = Response::new(Body::from(document.body));
    *response.status_mut() =
        http::StatusCode::from_u16(document.status).unwrap_or(http::StatusCode::INTERNAL_SERVER_ERROR);
    let headers = response.headers_mut();
    headers.insert(http::header::CONTENT_TYPE, http::HeaderValue::from_static(document.content_type));
    let beside = document.headers.into_iter().chain([("x-amzn-requestid", id.to_owned())]);
    for (name, value) in beside {
        if let Ok(value) = http::HeaderValue::try_from(value) {
            headers.insert(name, value);
        }
    }
    response
}

#[cfg(test)]
mod tests {
    use super::super::law::Enforced;
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
