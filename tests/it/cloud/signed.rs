//! Requests made by hand, to every protocol of the cloud: who signed them, whether they are what was signed, and what is
//! said of those nobody signed or nobody understands.

use std::time::SystemTime;

use aws_credential_types::Credentials;
use aws_sigv4::http_request::{SignableBody, SignableRequest, SigningSettings, sign};
use aws_sigv4::sign::v4;
use bytes::Bytes;
use http::Request;
use http_body_util::{BodyExt, Full};
use hyper_util::rt::TokioIo;

use super::{Here, REGION};

/// A request of a protocol, and its refusals.
struct Spoken {
    service: &'static str,
    method: &'static str,
    path: &'static str,
    headers: &'static [(&'static str, &'static str)],
    body: &'static [u8],
    /// Where an operation that is not there would be.
    nowhere: (&'static str, &'static [(&'static str, &'static str)], &'static [u8]),
    forged: &'static str,
    stranger: &'static str,
    unsigned: &'static str,
    unknown: &'static str,
    /// What is said of a body that cannot be read, if the protocol has such a thing.
    malformed: Option<&'static str>,
}

const FORM: (&str, &str) = ("content-type", "application/x-www-form-urlencoded");
const JSON: (&str, &str) = ("content-type", "application/x-amz-json-1.1");
const CBOR: (&str, &str) = ("smithy-protocol", "rpc-v2-cbor");

const ALL: &[Spoken] = &[
    Spoken {
        service: "sts",
        method: "POST",
        path: "/",
        headers: &[FORM],
        body: b"Action=GetCallerIdentity&Version=2011-06-15",
        nowhere: ("/", &[FORM], b"Action=GetNothing&Version=2011-06-15"),
        forged: "SignatureDoesNotMatch",
        stranger: "InvalidClientTokenId",
        unsigned: "MissingAuthenticationToken",
        unknown: "InvalidAction",
        malformed: None,
    },
    Spoken {
        service: "route53",
        method: "GET",
        path: "/2013-04-01/hostedzone",
        headers: &[],
        body: b"",
        nowhere: ("/2013-04-01/nothing", &[], b""),
        forged: "SignatureDoesNotMatch",
        stranger: "InvalidClientTokenId",
        unsigned: "MissingAuthenticationToken",
        unknown: "InvalidAction",
        malformed: None,
    },
    Spoken {
        service: "acm",
        method: "POST",
        path: "/",
        headers: &[JSON, ("x-amz-target", "CertificateManager.ListCertificates")],
        body: b"{}",
        nowhere: ("/", &[JSON, ("x-amz-target", "CertificateManager.ListNothing")], b"{}"),
        forged: "InvalidSignatureException",
        stranger: "UnrecognizedClientException",
        unsigned: "MissingAuthenticationTokenException",
        unknown: "UnknownOperationException",
        malformed: Some("SerializationException"),
    },
    Spoken {
        service: "secretsmanager",
        method: "POST",
        path: "/",
        headers: &[JSON, ("x-amz-target", "secretsmanager.ListSecrets")],
        body: b"{}",
        nowhere: ("/", &[JSON, ("x-amz-target", "CertificateManager.ListCertificates")], b"{}"),
        forged: "InvalidSignatureException",
        stranger: "UnrecognizedClientException",
        unsigned: "MissingAuthenticationTokenException",
        unknown: "UnknownOperationException",
        malformed: Some("SerializationException"),
    },
    Spoken {
        service: "monitoring",
        method: "POST",
        path: "/service/GraniteServiceVersion20100801/operation/ListMetrics",
        headers: &[CBOR, ("content-type", "application/cbor")],
        body: b"\xa0",
        nowhere: ("/service/GraniteServiceVersion20100801/operation/ListNothing", &[CBOR], b"\xa0"),
        forged: "InvalidSignatureException",
        stranger: "UnrecognizedClientException",
        unsigned: "MissingAuthenticationTokenException",
        unknown: "UnknownOperationException",
        malformed: Some("SerializationException"),
    },
];

impl Spoken {
    fn request(&self) -> Request<Bytes> {
        self.at(self.path, self.headers, self.body)
    }

    fn at(&self, path: &str, headers: &[(&str, &str)], body: &'static [u8]) -> Request<Bytes> {
        let mut request = Request::builder().method(self.method).uri(path).header("host", "cloud.test");
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        request.body(Bytes::from_static(body)).unwrap()
    }
}

/// Signs a request as an SDK does.
fn signed(mut request: Request<Bytes>, service: &str, (key, secret): (&str, &str)) -> Request<Bytes> {
    let identity = Credentials::new(key, secret, None, None, "test").into();
    let params = v4::SigningParams::builder()
        .identity(&identity)
        .region(REGION)
        .name(service)
        .time(SystemTime::now())
        .settings(SigningSettings::default())
        .build()
        .unwrap()
        .into();
    let headers: Vec<_> = request.headers().iter().map(|(n, v)| (n.as_str(), v.to_str().unwrap())).collect();
    let uri = format!("http://cloud.test{}", request.uri());
    let body = SignableBody::Bytes(request.body());
    let signable = SignableRequest::new(request.method().as_str(), uri, headers.into_iter(), body).unwrap();
    let (instructions, _) = sign(signable, &params).unwrap().into_parts();
    instructions.apply_to_request_http1x(&mut request);
    request
}

async fn send(here: &Here, request: Request<Bytes>) -> (u16, String) {
    let address = here.endpoint.strip_prefix("http://").unwrap();
    let stream = tokio::net::TcpStream::connect(address).await.unwrap();
    let (mut sender, connection) = hyper::client::conn::http1::handshake(TokioIo::new(stream)).await.unwrap();
    tokio::spawn(connection);
    let response = sender.send_request(request.map(Full::new)).await.unwrap();
    let status = response.status().as_u16();
    let body = response.into_body().collect().await.unwrap().to_bytes();
    (status, String::from_utf8_lossy(&body).into_owned())
}

async fn refused(here: &Here, request: Request<Bytes>, code: &str) {
    let (status, body) = send(here, request).await;
    assert!((400..500).contains(&status), "{status} {body}");
    assert!(body.contains(code), "{code} should stand in {body}");
}

const OWN: (&str, &str) = ("outgrow", "rehearsal");

#[tokio::test]
async fn what_its_key_has_signed_is_let_in_and_nothing_else() {
    let here = Here::new().await;
    for spoken in ALL {
        let (status, body) = send(&here, signed(spoken.request(), spoken.service, OWN)).await;
        assert_eq!(status, 200, "{}: {body}", spoken.service);
        let guessed = signed(spoken.request(), spoken.service, ("outgrow", "guessed"));
        refused(&here, guessed, spoken.forged).await;
        let stranger = signed(spoken.request(), spoken.service, ("AKIASTRANGER", "rehearsal"));
        refused(&here, stranger, spoken.stranger).await;
        let mut tampered = signed(spoken.request(), spoken.service, OWN);
        if spoken.body.is_empty() {
            *tampered.uri_mut() = format!("{}?maxitems=1", spoken.path).parse().unwrap();
        } else {
            *tampered.body_mut() = [spoken.body, b" "].concat().into();
        }
        refused(&here, tampered, spoken.forged).await;
        // signed for another service of the same address
        let other = if spoken.service == "acm" { "secretsmanager" } else { "acm" };
        let (status, body) = send(&here, signed(spoken.request(), other, OWN)).await;
        assert_eq!(status, 400, "{body}");
    }
}

#[tokio::test]
async fn a_signature_is_good_for_five_minutes() {
    let here = Here::new().await;
    let spoken = &ALL[2];
    let mut old = signed(spoken.request(), spoken.service, OWN);
    old.headers_mut().insert("x-amz-date", "20200101T000000Z".parse().unwrap());
    let (status, body) = send(&here, old).await;
    assert!(status == 400 && body.contains("Signature expired"), "{status} {body}");
}

#[tokio::test]
async fn what_nobody_signed_or_nobody_knows_is_refused_in_its_own_protocol() {
    let here = Here::new().await;
    for spoken in ALL {
        refused(&here, spoken.request(), spoken.unsigned).await;
        let mut basic = spoken.request();
        basic.headers_mut().insert("authorization", "Basic eDp5".parse().unwrap());
        let (status, body) = send(&here, basic).await;
        assert!(status == 400 && body.contains("IncompleteSignature"), "{status} {body}");
        let (path, headers, body) = spoken.nowhere;
        let nowhere = spoken.at(path, headers, body);
        refused(&here, signed(nowhere, spoken.service, OWN), spoken.unknown).await;
        if let Some(code) = spoken.malformed {
            let torn = spoken.at(spoken.path, spoken.headers, b"\x7b\x22torn");
            refused(&here, signed(torn, spoken.service, OWN), code).await;
        }
    }
}

#[tokio::test]
async fn an_anonymous_request_that_is_nobody_elses_is_for_s3_to_judge() {
    let here = Here::new().await;
    let get = Request::get("/bucket/key").header("host", "cloud.test").body(Bytes::new()).unwrap();
    let (status, body) = send(&here, get).await;
    assert!(status == 404 && body.contains("<Code>NoSuchBucket</Code>"), "{status} {body}");
}
