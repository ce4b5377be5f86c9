//! The visitors against a tiny site of their own: TLS, a bundle, an API that drops answers, and the name server.

use std::convert::Infallible;
use std::net::IpAddr;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use bytes::Bytes;
use http::{Request, Response};
use http_body_util::{BodyExt, Full};
use hyper::body::Incoming;
use hyper::service::service_fn;
use hyper_util::rt::TokioIo;

use super::{Config, Kind, Site, Visitors};
use crate::rehearsal::edge::Edge;
use crate::rehearsal::edge::testing::{NoObjects, edge, edge_address, shared};
use crate::rehearsal::ledger::Ledger;
use crate::rehearsal::state::{Answer, RecordSet, Routing, Shared, Zone};

/// What the tiny site holds and how it misbehaves.
#[derive(Default)]
struct App {
    rows: Mutex<Vec<String>>,
    posts: AtomicUsize,
    misbehave: AtomicBool,
    no_cors: AtomicBool,
    committed_and_dropped: AtomicUsize,
    dropped_before: AtomicUsize,
}

impl App {
    async fn answer(&self, request: Request<Incoming>) -> Option<Response<Full<Bytes>>> {
        let mut response = Response::builder();
        if !self.no_cors.load(Ordering::SeqCst) {
            response = response
                .header("access-control-allow-origin", "https://www.shop.test")
                .header("access-control-allow-headers", "Content-Type");
        }
        let path = request.uri().path().to_owned();
        let body = match (request.method().as_str(), path.as_str()) {
            ("GET", "/") => r#"<link rel="stylesheet" href="/a.css"><script src="/app.1.js"></script>"#.to_owned(),
            ("GET", "/a.css") => "body{}".into(),
            ("GET", "/app.1.js") => r#"const api="https:\/\/box.shop.test\/api";"#.into(),
            ("GET", "/api/products") => r#"{"items":[{"id":1},{"id":2}]}"#.into(),
            ("GET", "/api/products/1" | "/api/products/2") => "{}".into(),
            ("OPTIONS", "/api/orders") => String::new(),
            ("POST", "/api/orders") => {
                let order = request.into_body().collect().await.ok()?.to_bytes();
                let order: serde_json::Value = serde_json::from_slice(&order).ok()?;
                let id = order["id"].as_str()?.to_owned();
                let n = self.posts.fetch_add(1, Ordering::SeqCst) + 1;
                let bad = self.misbehave.load(Ordering::SeqCst);
                if bad && n.is_multiple_of(7) {
                    self.dropped_before.fetch_add(1, Ordering::SeqCst);
                    return None;
                }
                let times = if bad && n.is_multiple_of(11) { 2 } else { 1 };
                self.rows.lock().unwrap().extend(std::iter::repeat_n(id.clone(), times));
                if bad && n.is_multiple_of(5) {
                    self.committed_and_dropped.fetch_add(1, Ordering::SeqCst);
                    return None;
                }
                response = response.status(201);
                id
            }
            ("GET", path) if self.rows.lock().unwrap().iter().any(|id| path.ends_with(id)) => path.into(),
            _ => {
                response = response.status(404);
                String::new()
            }
        };
        response.body(Full::from(body)).ok()
    }
}

/// Serves the app over TLS at `address`, as the old box would.
async fn serve(edge: &Edge, address: IpAddr, app: Arc<App>) {
    let acceptor = edge.authority().acceptor(address, Arc::default()).unwrap();
    let socket = tokio::net::TcpListener::bind((address, 8443)).await.unwrap();
    tokio::spawn(async move {
        while let Ok((stream, _)) = socket.accept().await {
            let (acceptor, app) = (acceptor.clone(), app.clone());
            tokio::spawn(async move {
                let stream = acceptor.accept(stream).await?;
                let service = service_fn(move |request| {
                    let app = app.clone();
                    // an error closes the connection without an answer
                    async move { app.answer(request).await.ok_or_else(|| std::io::Error::other("dropped")) }
                });
                let _ =
                    hyper::server::conn::http1::Builder::new().serve_connection(TokioIo::new(stream), service).await;
                Ok::<_, std::io::Error>(())
            });
        }
        Ok::<_, Infallible>(())
    });
}

fn zone(shared: &Shared, address: IpAddr) {
    let record = |name: &str| RecordSet {
        name: name.into(),
        kind: "A".into(),
        ttl: Some(300),
        answer: Answer::Values(vec![address.to_string()]),
        routing: Routing::Simple,
        health_check: None,
    };
    let records = ["www.shop.test", "api.shop.test", "box.shop.test"].map(record).into();
    shared.lock().zones.insert("Z1".into(), Zone { name: "shop.test".into(), records, delegated: true });
    shared.changed();
}

fn config(shared: &Shared, edge: &Edge, ledger: &Ledger) -> Config {
    Config {
        site: Site { site_host: "www.shop.test".into(), api_host: "api.shop.test".into() },
        name_server: edge.dns_address(),
        clock: shared.clock.clone(),
        authorities: vec![edge.ca_pem().to_owned()],
        browsers: 4,
        mobiles: 4,
        browser_walks: 100.0,
        mobile_walks: 100.0,
        think: Duration::ZERO,
        read_back: 0.5,
        timeout: Duration::from_secs(5),
        window: Duration::from_secs(1),
        ledger: ledger.clone(),
    }
}

async fn until(what: &str, mut holds: impl FnMut() -> bool) {
    let wait = async {
        while !holds() {
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
    };
    assert!(tokio::time::timeout(Duration::from_secs(20), wait).await.is_ok(), "never: {what}");
}

struct Stage {
    shared: Shared,
    edge: Edge,
    ledger: Ledger,
    app: Arc<App>,
    address: IpAddr,
    _dirs: [tempfile::TempDir; 2],
}

async fn stage() -> Stage {
    let (shared, address, app) = (shared(), edge_address(), Arc::<App>::default());
    zone(&shared, address);
    let (edge, tls_dir) = edge(&shared, Arc::new(NoObjects)).await;
    serve(&edge, address, app.clone()).await;
    let dir = tempfile::tempdir().unwrap();
    let ledger = Ledger::open(&dir.path().join("ledger.jsonl")).unwrap();
    Stage { shared, edge, ledger, app, address, _dirs: [tls_dir, dir] }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_site_that_works_is_walked_without_a_failure() {
    let stage = stage().await;
    let visitors = Visitors::start(&config(&stage.shared, &stage.edge, &stage.ledger)).unwrap();
    until("100 orders", || visitors.report().writes_acknowledged >= 100).await;
    let report = visitors.stop().await;
    assert_eq!(report.failed_requests, 0, "{:?}", report.failures);
    for kind in [Kind::Page, Kind::Asset, Kind::Preflight, Kind::Products, Kind::Product, Kind::Order, Kind::ReadBack] {
        assert!(report.by_kind.contains_key(&kind), "{kind:?} of {:?}", report.by_kind);
    }
    let hosts: Vec<_> = report.shares.iter().map(|s| (s.host.as_str(), s.address, s.share)).collect();
    let expected = ["api.shop.test", "box.shop.test", "www.shop.test"].map(|host| (host, stage.address, 1.0));
    assert!(expected.iter().all(|one| hosts.contains(one)), "{hosts:?}");
    assert!(report.write_pause_ms.is_some() && report.write_latency_ms > Some(0.0));
    let rows = stage.app.rows.lock().unwrap().clone();
    let judged = stage.ledger.check(rows.iter().map(|id| (id, 1)));
    assert_eq!((judged.acknowledged, judged.lost.len(), judged.doubled.len()), (rows.len() as u64, 0, 0));
}

#[tokio::test(flavor = "multi_thread")]
async fn dropped_answers_are_failed_requests_and_the_ledger_judges_them_rightly() {
    let stage = stage().await;
    stage.app.misbehave.store(true, Ordering::SeqCst);
    let visitors = Visitors::start(&config(&stage.shared, &stage.edge, &stage.ledger)).unwrap();
    until("200 orders", || visitors.report().writes >= 200).await;
    let report = visitors.stop().await;
    let app = &stage.app;
    let (landed, absent) =
        (app.committed_and_dropped.load(Ordering::SeqCst) as u64, app.dropped_before.load(Ordering::SeqCst) as u64);
    assert_eq!(app.posts.load(Ordering::SeqCst) as u64, report.writes, "no order is sent twice");
    assert_eq!(report.failures[&Kind::Order].values().sum::<u64>(), landed + absent, "{:?}", report.failures);
    assert_eq!(report.failed_requests, landed + absent, "{:?}", report.failures);
    let mut rows = app.rows.lock().unwrap().clone();
    let judged = stage.ledger.check(rows.iter().map(|id| (id, 1)));
    assert_eq!(judged.lost, Vec::<String>::new());
    assert_eq!((judged.unacknowledged_landed, judged.unacknowledged_absent), (landed, absent));
    assert_eq!(judged.acknowledged, report.writes_acknowledged);
    assert_eq!(judged.doubled.len() as u64, rows.len() as u64 + absent - judged.attempted);
    assert!(landed > 10 && absent > 10 && judged.doubled.len() > 5);
    let gone = rows.remove(0);
    rows.retain(|id| *id != gone);
    let judged = stage.ledger.check(rows.iter().map(|id| (id, 1)));
    assert_eq!(judged.lost, [gone]);
}

#[tokio::test(flavor = "multi_thread")]
async fn law_o1_an_answer_without_the_origin_counts_as_failed() {
    let stage = stage().await;
    stage.app.no_cors.store(true, Ordering::SeqCst);
    let visitors = Visitors::start(&config(&stage.shared, &stage.edge, &stage.ledger)).unwrap();
    until("a failure", || visitors.report().failed_requests >= 5).await;
    let report = visitors.stop().await;
    assert_eq!(report.failures.keys().collect::<Vec<_>>(), [&Kind::Products], "the mobile clients have no origin");
    assert_eq!(report.failures[&Kind::Products].keys().collect::<Vec<_>>(), ["cors: no origin allowed"]);
    assert!(report.last_failures.iter().all(|s| s.host == "box.shop.test" && s.status == Some(200)));
}

#[tokio::test(flavor = "multi_thread")]
async fn visitors_follow_a_name_once_its_ttl_is_over_and_rest_when_told() {
    let stage = stage().await;
    let second = edge_address();
    serve(&stage.edge, second, stage.app.clone()).await;
    let visitors = Visitors::start(&config(&stage.shared, &stage.edge, &stage.ledger)).unwrap();
    let all_at = |address| {
        let shares = visitors.report().shares;
        shares.len() == 3 && shares.iter().all(|share| share.address == address)
    };
    // by then every visitor has looked every name up
    until("many requests", || visitors.report().requests > 600).await;
    assert!(all_at(stage.address), "{:?}", visitors.report().shares);
    zone(&stage.shared, second);
    stage.edge.settled().await;
    let before = visitors.report().requests;
    until("200 more requests", || visitors.report().requests > before + 200).await;
    assert!(all_at(stage.address), "cached names hold for their TTL: {:?}", visitors.report().shares);
    stage.shared.clock.advance(Duration::from_mins(5));
    until("all at the second", || all_at(second)).await;
    visitors.pause();
    let mut last = 0;
    until("rest", || std::mem::replace(&mut last, visitors.report().requests) == last).await;
    let pause = visitors.report().write_pause_ms.unwrap();
    tokio::time::sleep(Duration::from_millis(pause + 300)).await;
    assert_eq!(visitors.report().requests, last);
    visitors.resume();
    until("more", || visitors.report().writes_acknowledged > 0 && visitors.report().requests > last + 100).await;
    let report = visitors.stop().await;
    assert!(report.write_pause_ms.unwrap() < pause + 300, "a rest is no pause: {report:?}");
    assert_eq!(report.failed_requests, 0, "{:?}", report.failures);
}

#[tokio::test]
async fn what_cannot_be_is_refused() {
    let stage = stage().await;
    let good = config(&stage.shared, &stage.edge, &stage.ledger);
    for bad in [
        Config { browser_walks: 0.0, ..good.clone() },
        Config { mobile_walks: f64::NAN, ..good.clone() },
        Config { read_back: 1.5, ..good.clone() },
        Config {
            authorities: vec!["-----BEGIN CERTIFICATE-----\n!\n-----END CERTIFICATE-----".into()],
            ..good.clone()
        },
    ] {
        assert!(Visitors::start(&bad).is_err());
    }
}
