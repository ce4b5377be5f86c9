//! Requests that nobody signed. S3 knows anonymous ones; every other service refuses them, in its own protocol.
//!
//! Source: AWS API references, "Common Errors": `MissingAuthenticationToken`, `IncompleteSignature`.

use http::request::Parts;
use http::{HeaderMap, header};

use super::wire::operation::Service;
use super::wire::protocol::Protocol;
use super::wire::{ApiError, query};

/// Whether the body is a form, which S3's requests never are.
pub(super) fn is_form(headers: &HeaderMap) -> bool {
    let kind = headers.get(header::CONTENT_TYPE).and_then(|v| v.to_str().ok());
    kind.is_some_and(|kind| kind.starts_with("application/x-www-form-urlencoded"))
}

/// The service, other than S3, that an unsigned request is for. `body` is looked at for forms only.
pub(super) fn service(services: &[&'static Service], head: &Parts, body: &[u8]) -> Option<&'static Service> {
    let find = |wanted: &dyn Fn(&Service) -> bool| services.iter().find(|service| wanted(service)).copied();
    if let Some(target) = head.headers.get("x-amz-target").and_then(|v| v.to_str().ok()) {
        let prefix = target.split('.').next().unwrap_or_default();
        let speaks_json = |s: &Service| matches!(s.protocol, Protocol::Json(_));
        let known = find(&|s| matches!(s.protocol, Protocol::Json(own) if own == prefix));
        return known.or_else(|| find(&speaks_json));
    }
    if head.uri.path().starts_with("/service/") && head.uri.path().contains("/operation/") {
        return find(&|s| matches!(s.protocol, Protocol::Cbor(_)));
    }
    let asked = head.uri.query().unwrap_or_default();
    let form = if is_form(&head.headers) { query::read(body) } else { query::read(asked.as_bytes()) };
    if form.get("Action").is_some() || is_form(&head.headers) {
        let action = form.get("Action").unwrap_or_default();
        let speaks_query = |s: &Service| matches!(s.protocol, Protocol::Query(_) | Protocol::Ec2(_));
        let knows = |s: &Service| s.operations.iter().any(|o| o.name == action);
        return find(&|s| speaks_query(s) && knows(s)).or_else(|| find(&speaks_query));
    }
    let speaks_rest = |s: &&&'static Service| matches!(s.protocol, Protocol::RestXml(_));
    services.iter().filter(speaks_rest).find(|s| s.find(head, &[]).is_ok()).copied()
}

/// The refusal: no signature at all, or one that cannot be read.
pub(super) fn refusal(service: &Service, headers: &HeaderMap) -> ApiError {
    match headers.get(header::AUTHORIZATION) {
        None => service.unsigned(),
        Some(_) => service.incomplete(),
    }
}

#[cfg(test)]
mod tests {
    use super::super::answer::SERVICES;
    use super::*;

    fn of(request: http::request::Builder, body: &str) -> Option<&'static str> {
        let head = request.body(()).unwrap().into_parts().0;
        service(SERVICES, &head, body.as_bytes()).map(|s| s.name)
    }

    #[test]
    fn an_unsigned_request_is_told_by_its_protocol() {
        let post = || http::Request::post("http://127.0.0.1/");
        let form = || post().header("content-type", "application/x-www-form-urlencoded; charset=utf-8");
        let get = |uri: &str| http::Request::get(uri);
        for (request, body, name) in [
            (post().header("x-amz-target", "CertificateManager.ListCertificates"), "{}", Some("acm")),
            (form(), "Action=DescribeListeners&Version=2015-12-01", Some("elasticloadbalancing")),
            (form(), "Action=GetCallerIdentity", Some("sts")),
            (get("http://127.0.0.1/?Action=DescribeDBInstances&Version=2014-10-31"), "", Some("rds")),
            (get("http://127.0.0.1/2013-04-01/hostedzone"), "", Some("route53")),
            // S3 judges these
            (get("http://127.0.0.1/bucket/key?list-type=2"), "", None),
            (post().header("content-type", "multipart/form-data; boundary=x"), "", None),
        ] {
            assert_eq!(of(request, body), name, "{body}");
        }
    }
}
