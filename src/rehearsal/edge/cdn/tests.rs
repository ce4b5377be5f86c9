//! The CDN over its sockets, with objects in memory.

use std::collections::{BTreeMap, BTreeSet};
use std::io::Cursor;
use std::net::IpAddr;
use std::sync::Arc;

use bytes::Bytes;
use http::Request;
use http_body_util::Full;
use serde_json::json;

use super::{Meta, ObjectBytes, ObjectSource};
use crate::rehearsal::edge::Edge;
use crate::rehearsal::edge::testing::{Answered, Client, edge, edge_address, shared};
use crate::rehearsal::state::{Bucket, Distribution, Shared};

struct Memory(BTreeMap<&'static str, &'static [u8]>);

#[async_trait::async_trait]
impl ObjectSource for Memory {
    async fn open(&self, bucket: &str, key: &str) -> std::io::Result<Option<(Meta, ObjectBytes)>> {
        Ok(self.0.get(format!("{bucket}/{key}").as_str()).map(|bytes| {
            let meta = Meta {
                size: bytes.len() as u64,
                content_type: Some("text/html; charset=utf-8".into()),
                cache_control: Some("no-cache".into()),
                content_encoding: None,
                etag: "\"abc\"".into(),
            };
            (meta, Box::new(Cursor::new(*bytes)) as ObjectBytes)
        }))
    }
}

async fn distribution(source_arn: &str) -> (Shared, IpAddr, Edge, tempfile::TempDir) {
    let (shared, address) = (shared(), edge_address());
    let policy = json!({"Version": "2012-10-17", "Statement": [{"Effect": "Allow",
        "Principal": {"Service": "cloudfront.amazonaws.com"}, "Action": "s3:GetObject",
        "Resource": "arn:aws:s3:::pages/*", "Condition": {"StringEquals": {"AWS:SourceArn": source_arn}}}]});
    {
        let mut state = shared.lock();
        let bucket = Bucket { block_public: true, policy: Some(policy.to_string()), ..Bucket::default() };
        state.buckets.insert("pages".into(), bucket);
        state.distributions.insert(
            "d1.cloudfront.net".into(),
            Distribution {
                id: "E1".into(),
                aliases: BTreeSet::from(["www.shop.test".to_owned()]),
                bucket: "pages".into(),
                origin_path: "/v2".into(),
                default_root: "index.html".into(),
                address,
            },
        );
    }
    let objects = Memory(BTreeMap::from([
        ("pages/v2/index.html", &b"<h1>shop</h1>"[..]),
        ("pages/v2/그림/고양이 1.png", b"0123456789"),
        ("pages/secret.html", b"outside the origin path"),
        ("other/v2/index.html", b"another bucket"),
    ]));
    let (edge, dir) = edge(&shared, Arc::new(objects)).await;
    (shared, address, edge, dir)
}

const E1: &str = "arn:aws:cloudfront::000000000000:distribution/E1";

async fn with(client: &mut Client, method: &str, path: &str, header: (&str, &str)) -> Answered {
    let request = Request::builder().method(method).uri(path).header("host", "www.shop.test");
    client.send(request.header(header.0, header.1).body(Full::<Bytes>::default()).unwrap()).await.unwrap()
}

#[tokio::test]
async fn pages_are_read_from_the_private_bucket() {
    let (_shared, address, edge, _dir) = distribution(E1).await;
    let mut client = Client::tls(address, "www.shop.test", edge.ca_pem()).await;
    let page = client.get("www.shop.test", "/").await;
    assert_eq!((page.status, &*page.body), (200, &b"<h1>shop</h1>"[..]));
    assert_eq!(page.header("content-type"), "text/html; charset=utf-8");
    assert_eq!((page.header("cache-control"), page.header("etag")), ("no-cache", "\"abc\""));
    assert_eq!(client.get("d1.cloudfront.net", "/index.html?v=1").await.status, 200);
    let korean = "/%EA%B7%B8%EB%A6%BC/%EA%B3%A0%EC%96%91%EC%9D%B4%201.png";
    assert_eq!(&*client.get("www.shop.test", korean).await.body, b"0123456789");
    let part = with(&mut client, "GET", korean, ("range", "bytes=3-5")).await;
    assert_eq!((part.status, &*part.body, part.header("content-range")), (206, &b"345"[..], "bytes 3-5/10"));
    let beyond = with(&mut client, "GET", korean, ("range", "bytes=10-")).await;
    assert_eq!((beyond.status, beyond.header("content-range")), (416, "bytes */10"));
    let changed = with(&mut client, "GET", "/", ("if-none-match", "\"zzz\", W/\"abc\"")).await;
    assert_eq!((changed.status, changed.body.len()), (304, 0));
    let head = with(&mut client, "HEAD", "/", ("accept", "*/*")).await;
    assert_eq!((head.status, head.header("content-length"), head.body.len()), (200, "13", 0));
}

#[tokio::test]
async fn law_c3_what_is_missing_or_not_ours_is_403() {
    let (_shared, address, edge, _dir) = distribution(E1).await;
    let mut client = Client::tls(address, "www.shop.test", edge.ca_pem()).await;
    for path in ["/nothing.html", "/docs/", "/../secret.html", "/%2e%2e/secret.html", "/%ff"] {
        let answered = client.get("www.shop.test", path).await;
        assert_eq!(answered.status, 403, "{path}");
        assert!(String::from_utf8_lossy(&answered.body).contains("AccessDenied"), "{path}");
    }
    assert_eq!(client.get("elsewhere.test", "/").await.status, 403, "a host that is no alias");
    for method in ["POST", "PUT", "DELETE"] {
        assert_eq!(with(&mut client, method, "/", ("accept", "*/*")).await.status, 403, "{method}");
    }
    let mut plain = Client::plain(address).await;
    let moved = plain.get("www.shop.test", "/a?b=c").await;
    assert_eq!((moved.status, moved.header("location")), (301, "https://www.shop.test/a?b=c"));
}

#[tokio::test]
async fn law_c2_without_the_policy_nothing_is_read() {
    let (shared, address, edge, _dir) = distribution("arn:aws:cloudfront::000000000000:distribution/E2").await;
    let mut client = Client::tls(address, "www.shop.test", edge.ca_pem()).await;
    assert_eq!(client.get("www.shop.test", "/").await.status, 403);
    if let Some(bucket) = shared.lock().buckets.get_mut("pages") {
        bucket.policy = bucket.policy.take().map(|p| p.replace("/E2", "/E1"));
    }
    shared.changed();
    edge.settled().await;
    assert_eq!(client.get("www.shop.test", "/").await.status, 200);
    if let Some(bucket) = shared.lock().buckets.get_mut("pages") {
        bucket.policy = None;
    }
    shared.changed();
    edge.settled().await;
    assert_eq!(client.get("www.shop.test", "/").await.status, 403);
}
