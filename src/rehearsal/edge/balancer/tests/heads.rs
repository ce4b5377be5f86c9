//! Headers on their way to targets, certificates, and what a balancer does not accept.

use super::*;
use crate::rehearsal::edge::testing::{balancer_attributes, group_attributes};
use crate::rehearsal::state::Certificate;

async fn balanced() -> (Shared, std::net::IpAddr, TinyTarget) {
    let (shared, address, one) = (shared(), edge_address(), TinyTarget::start("one").await);
    shared.lock().target_groups.insert("g".into(), group(&[(&one, "healthy")]));
    balance(&shared, address, ("HTTP", 80), forward(&[("g", 1)], None));
    (shared, address, one)
}

#[tokio::test(flavor = "multi_thread")]
async fn forwarded_for_is_appended_preserved_or_removed() {
    let (shared, address, _one) = balanced().await;
    let (edge, _dir) = edge(&shared, Arc::new(NoObjects)).await;
    let mut client = Client::plain(address).await;
    let asked = || Request::get("/").header("host", "a").header("x-forwarded-for", "192.0.2.7");
    for (mode, expected) in [("append", "192.0.2.7, 127.0.0.1"), ("preserve", "192.0.2.7"), ("remove", "")] {
        balancer_attributes(&shared, &[("routing.http.xff_header_processing.mode", mode)]);
        edge.settled().await;
        let answered = client.send(asked().body(Full::default()).unwrap()).await.unwrap();
        assert_eq!(answered.header("x-seen-x-forwarded-for"), expected, "{mode}");
    }
    assert_eq!(client.get("a", "/").await.header("x-seen-x-forwarded-for"), "");
    let attributes =
        [("routing.http.xff_header_processing.mode", "append"), ("routing.http.xff_client_port.enabled", "true")];
    balancer_attributes(&shared, &attributes);
    edge.settled().await;
    let seen = client.get("a", "/").await;
    let (ip, port) = seen.header("x-seen-x-forwarded-for").split_once(':').unwrap();
    assert!(ip == "127.0.0.1" && port.parse::<u16>().is_ok());
}

#[tokio::test(flavor = "multi_thread")]
async fn the_host_is_kept_as_it_came_only_if_asked_to() {
    let (shared, address, _one) = balanced().await;
    let (edge, _dir) = edge(&shared, Arc::new(NoObjects)).await;
    let mut client = Client::plain(address).await;
    assert_eq!(client.get("shop.test:8080", "/").await.header("x-seen-host"), "shop.test");
    balancer_attributes(&shared, &[("routing.http.preserve_host_header.enabled", "true")]);
    edge.settled().await;
    assert_eq!(client.get("shop.test:8080", "/").await.header("x-seen-host"), "shop.test:8080");
}

#[tokio::test(flavor = "multi_thread")]
async fn odd_headers_are_dropped_if_asked_to_and_every_request_can_be_traced() {
    let (shared, address, _one) = balanced().await;
    let (edge, _dir) = edge(&shared, Arc::new(NoObjects)).await;
    let mut client = Client::plain(address).await;
    let asked = || {
        let request = Request::get("/").header("host", "a").header("x_odd", "1").header("x-even", "2");
        request.header("x-amzn-trace-id", "Root=1-a;Sampled=1").body(Full::default()).unwrap()
    };
    let answered = client.send(asked()).await.unwrap();
    assert_eq!((answered.header("x-seen-x_odd"), answered.header("x-seen-x-even")), ("1", "2"));
    let trace = answered.header("x-seen-x-amzn-trace-id");
    assert!(trace.starts_with("Self=1-") && trace.ends_with(";Root=1-a;Sampled=1"), "{trace}");
    balancer_attributes(&shared, &[("routing.http.drop_invalid_header_fields.enabled", "true")]);
    edge.settled().await;
    let answered = client.send(asked()).await.unwrap();
    assert_eq!((answered.header("x-seen-x_odd"), answered.header("x-seen-x-even")), ("", "2"));
    let answered = client.get("a", "/").await;
    let trace = answered.header("x-seen-x-amzn-trace-id");
    assert!(trace.starts_with("Root=1-") && trace.len() == "Root=1-67891233-abcdef012345678912345678".len(), "{trace}");
}

#[tokio::test(flavor = "multi_thread")]
async fn what_no_balancer_takes_is_refused_before_any_target() {
    let (shared, address, one) = balanced().await;
    let (_edge, _dir) = edge(&shared, Arc::new(NoObjects)).await;
    let mut client = Client::plain(address).await;
    let long = ["10.0.0.1"; 31].join(",");
    let send = |request: http::request::Builder| request.body(Full::default()).unwrap();
    let traced = client.send(send(Request::builder().method("TRACE").uri("/").header("host", "a"))).await.unwrap();
    assert_eq!(traced.status, 405);
    let from_far = Request::get("/").header("host", "a").header("x-forwarded-for", long);
    assert_eq!(client.send(send(from_far)).await.unwrap().status, 463);
    assert_eq!(client.send(send(Request::get("/"))).await.unwrap().status, 400, "HTTP/1.1 without a host");
    assert_eq!(one.count(), 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn the_least_busy_target_is_chosen_if_asked_to() {
    let (shared, address, one) = balanced().await;
    let two = TinyTarget::start("two").await;
    crate::rehearsal::edge::testing::becomes(&shared, "g", &two, "healthy", None);
    group_attributes(&shared, "g", &[("load_balancing.algorithm.type", "least_outstanding_requests")]);
    let (_edge, _dir) = edge(&shared, Arc::new(NoObjects)).await;
    let held = tokio::spawn(async move { Client::plain(address).await.get("a", "/held").await });
    super::slow::until("it is there", || one.count() + two.count() == 1).await;
    let (busy, free) = if one.count() == 1 { (&one, "two") } else { (&two, "one") };
    let mut client = Client::plain(address).await;
    for _ in 0..5 {
        assert_eq!(client.get("a", "/").await.header("x-target"), free);
    }
    busy.let_go();
    assert_eq!(held.await.unwrap().status, 200);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_listener_presents_its_own_certificate_for_the_names_that_one_covers() {
    let (shared, address) = (shared(), edge_address());
    let (_old, _new) = two_groups(&shared).await;
    balance(&shared, address, ("HTTPS", 443), forward(&[("old", 1)], None));
    let certificate = |name: &str, status: &str| Certificate {
        domain: name.into(),
        names: vec![name.into()],
        status: status.into(),
        validation: Vec::new(),
        created: shared.clock.now(),
        issued: None,
        token: None,
    };
    {
        let mut state = shared.lock();
        state.certificates.insert("default".into(), certificate("shop.test", "ISSUED"));
        state.certificates.insert("api".into(), certificate("*.shop.test", "ISSUED"));
        state.certificates.insert("pending".into(), certificate("elsewhere.test", "PENDING_VALIDATION"));
        let arns = ["default", "api", "pending"].map(str::to_owned);
        state.listeners.get_mut("listener").unwrap().certificates = arns.into();
    }
    shared.changed();
    let (edge, _dir) = edge(&shared, Arc::new(NoObjects)).await;
    for name in ["shop.test", "api.shop.test"] {
        assert_eq!(Client::tls(address, name, edge.ca_pem()).await.get(name, "/").await.status, 200);
    }
    let refused = Client::try_tls(address, "elsewhere.test", edge.ca_pem()).await;
    assert!(refused.is_err_and(|error| error.to_string().contains("not valid for name")), "the default one is shown");
    // a certificate that is issued later is presented without a new socket
    shared.lock().certificates.insert("pending".into(), certificate("elsewhere.test", "ISSUED"));
    shared.changed();
    edge.settled().await;
    assert!(Client::try_tls(address, "elsewhere.test", edge.ca_pem()).await.is_ok());
}
