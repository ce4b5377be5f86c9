//! The CDN over its sockets, with objects in memory.

mod caching;
mod pages;
mod servers;

use std::collections::{BTreeMap, BTreeSet};
use std::io::Cursor;
use std::net::IpAddr;
use std::sync::{Arc, Mutex};
use std::time::{Duration, UNIX_EPOCH};

use bytes::Bytes;
use http::Request;
use http_body_util::Full;
use serde_json::json;

use super::{Meta, ObjectBytes, ObjectSource};
use crate::rehearsal::edge::Edge;
use crate::rehearsal::edge::testing::{Answered, Client, distributed, edge, edge_address, shared};
use crate::rehearsal::state::{
    Behavior, Bucket, CacheRules, Certificate, DistributionConfig, Origin, OriginKind, Shared,
};

/// Objects by bucket and key: bytes, and what `Cache-Control` says.
#[derive(Clone, Default)]
struct Memory(Arc<Mutex<BTreeMap<String, Kept>>>);
type Kept = (Bytes, Option<&'static str>);

impl Memory {
    fn put(&self, name: &str, bytes: impl Into<Bytes>, cache_control: Option<&'static str>) {
        self.0.lock().unwrap().insert(name.into(), (bytes.into(), cache_control));
    }

    fn remove(&self, name: &str) {
        self.0.lock().unwrap().remove(name);
    }
}

#[async_trait::async_trait]
impl ObjectSource for Memory {
    async fn open(&self, bucket: &str, key: &str) -> std::io::Result<Option<(Meta, ObjectBytes)>> {
        let found = self.0.lock().unwrap().get(&format!("{bucket}/{key}")).cloned();
        Ok(found.map(|(bytes, cache_control)| {
            let sum: u64 = bytes.iter().map(|b| u64::from(*b)).sum();
            let meta = Meta {
                size: bytes.len() as u64,
                content_type: Some("text/html; charset=utf-8".into()),
                cache_control: cache_control.map(str::to_owned),
                modified: Some(UNIX_EPOCH + Duration::from_secs(784_111_777)),
                etag: format!("\"{sum:x}\""),
                ..Meta::default()
            };
            (meta, Box::new(Cursor::new(bytes)) as ObjectBytes)
        }))
    }
}

/// A distribution `E1` on an edge of its own.
struct Stand {
    shared: Shared,
    objects: Memory,
    address: IpAddr,
    edge: Edge,
    _dir: tempfile::TempDir,
}

const E1: &str = "arn:aws:cloudfront::000000000000:distribution/E1";
const CERTIFICATE: &str = "arn:aws:acm:us-east-1:000000000000:certificate/1";

fn optimized() -> CacheRules {
    CacheRules { min_ttl: 1, default_ttl: 86_400, max_ttl: 31_536_000, ..CacheRules::default() }
}

fn behavior(origin: &str, methods: &[&str]) -> Behavior {
    Behavior {
        origin: origin.into(),
        viewers: "redirect-to-https".into(),
        methods: methods.iter().map(|m| (*m).to_owned()).collect(),
        cache: optimized(),
        ..Behavior::default()
    }
}

/// The configuration of a site in the bucket `pages`, below `/v2`.
fn site() -> DistributionConfig {
    let origin = Origin {
        domain: "pages.s3.ap-northeast-2.amazonaws.com".into(),
        path: "/v2".into(),
        headers: Vec::new(),
        kind: OriginKind::Bucket { bucket: "pages".into(), access: Some("EA".into()), signed: true },
    };
    DistributionConfig {
        enabled: true,
        aliases: BTreeSet::from(["www.shop.test".to_owned()]),
        certificate: Some(CERTIFICATE.into()),
        default_root: "index.html".into(),
        origins: BTreeMap::from([("pages".to_owned(), origin)]),
        default: behavior("pages", &["GET", "HEAD"]),
        behaviors: Vec::new(),
        error_pages: BTreeMap::new(),
    }
}

impl Stand {
    async fn new(config: DistributionConfig) -> Self {
        Self::readable_by(config, E1).await
    }

    async fn readable_by(config: DistributionConfig, source_arn: &str) -> Self {
        let (shared, address, objects) = (shared(), edge_address(), Memory::default());
        let policy = json!({"Version": "2012-10-17", "Statement": [{"Effect": "Allow",
            "Principal": {"Service": "cloudfront.amazonaws.com"}, "Action": "s3:GetObject",
            "Resource": "arn:aws:s3:::pages/*", "Condition": {"StringEquals": {"AWS:SourceArn": source_arn}}}]});
        {
            let mut state = shared.lock();
            let bucket = Bucket { block_public: true, policy: Some(policy.to_string()), ..Bucket::default() };
            state.buckets.insert("pages".into(), bucket);
            let certificate = Certificate {
                domain: "www.shop.test".into(),
                names: vec!["www.shop.test".into()],
                status: "ISSUED".into(),
                validation: Vec::new(),
                created: UNIX_EPOCH,
                issued: Some(UNIX_EPOCH),
                token: None,
            };
            state.certificates.insert(CERTIFICATE.into(), certificate);
            state.distributions.insert("d1.cloudfront.net".into(), distributed("E1", config, address));
        }
        objects.put("pages/v2/index.html", "<h1>shop</h1>", Some("no-cache"));
        objects.put("pages/v2/그림/고양이 1.png", "0123456789", None);
        objects.put("pages/secret.html", "outside the origin path", None);
        objects.put("other/v2/index.html", "another bucket", None);
        let (edge, dir) = edge(&shared, Arc::new(objects.clone())).await;
        Self { shared, objects, address, edge, _dir: dir }
    }

    async fn client(&self) -> Client {
        Client::tls(self.address, "www.shop.test", self.edge.ca_pem()).await
    }

    fn later(&self, by: Duration) {
        self.shared.clock.advance(by);
    }

    /// Changes what the state holds, and waits until the edge acts on it.
    async fn change(&self, change: impl FnOnce(&mut crate::rehearsal::state::State)) {
        change(&mut self.shared.lock());
        self.shared.changed();
        self.edge.settled().await;
    }
}

async fn with(client: &mut Client, method: &str, path: &str, header: (&str, &str)) -> Answered {
    let request = Request::builder().method(method).uri(path).header("host", "www.shop.test");
    client.send(request.header(header.0, header.1).body(Full::<Bytes>::default()).unwrap()).await.unwrap()
}
