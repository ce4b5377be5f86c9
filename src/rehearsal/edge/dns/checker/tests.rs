//! Health checks against real targets, and what the name server makes of them.

use std::sync::Arc;
use std::time::Duration;

use super::super::testing::{a, ask, checkup, texts, weighted, zone};
use crate::rehearsal::edge::testing::{NoObjects, TinyTarget, edge, shared};
use crate::rehearsal::state::{Checkup, RecordSet, Shared};

async fn becomes(shared: &Shared, id: &str, failing: bool, said: &str) {
    let mut watch = shared.watch();
    let now = || {
        let found = shared.lock().checkups[id].found.clone();
        (found.failing, found.last.map(|l| l.1).unwrap_or_default())
    };
    let reached = watch.wait_for(|_| now().0 == failing && now().1.contains(said));
    let reached = tokio::time::timeout(Duration::from_secs(15), reached).await.is_ok();
    assert!(reached, "{:?} and not {failing} {said}", now());
}

#[tokio::test(flavor = "multi_thread")]
async fn r3_weight_0_is_served_when_the_others_checks_fail() {
    let (shared, target) = (shared(), TinyTarget::start("t").await);
    let check = Checkup { port: Some(target.address.port()), interval: 1, threshold: 2, ..checkup("HTTP") };
    shared.lock().checkups.insert("c".into(), Checkup { address: Some(target.address.ip()), ..check });
    let new = RecordSet { health_check: Some("c".into()), ..weighted(a("www.shop.test", "192.0.2.1"), "new", 255) };
    zone(&shared, vec![new, weighted(a("www.shop.test", "192.0.2.2"), "old", 0)]);
    let (edge, _dir) = edge(&shared, Arc::new(NoObjects)).await;
    let now = async || texts(&ask(edge.dns_address(), "www.shop.test", "A").await);
    assert_eq!(now().await, ["www.shop.test. 300 192.0.2.1"], "a new check is taken for healthy");
    target.answer_with(503);
    becomes(&shared, "c", true, "Failure: HTTP Status Code 503").await;
    edge.settled().await;
    assert_eq!(now().await, ["www.shop.test. 300 192.0.2.2"], "law R3: weight 0 is no fence");
    target.answer_with(302);
    becomes(&shared, "c", false, "").await;
    edge.settled().await;
    assert_eq!(now().await, ["www.shop.test. 300 192.0.2.1"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_a_check_says_of_its_endpoint() {
    let (shared, target) = (shared(), TinyTarget::start("target t").await);
    zone(&shared, vec![a("www.shop.test", "127.0.0.1"), a("out.shop.test", "203.0.113.9")]);
    let port = Some(target.address.port());
    let of =
        |kind: &str, host: &str| Checkup { host: Some(host.into()), port, interval: 1, threshold: 1, ..checkup(kind) };
    {
        let mut state = shared.lock();
        let mut put = |id: &str, check| state.checkups.insert(id.into(), check);
        put("tcp", of("TCP", "www.shop.test"));
        put("text", Checkup { search: Some("target t /".into()), ..of("HTTP_STR_MATCH", "www.shop.test") });
        put("other", Checkup { search: Some("nothing".into()), ..of("HTTP_STR_MATCH", "www.shop.test") });
        put("tls", of("HTTPS", "www.shop.test"));
        put("nobody", of("HTTP", "nobody.shop.test"));
        put("outside", of("HTTP", "out.shop.test"));
    }
    let (edge, _dir) = edge(&shared, Arc::new(NoObjects)).await;
    becomes(&shared, "other", true, "search string was not found").await;
    becomes(&shared, "tls", true, "TLS").await;
    becomes(&shared, "nobody", true, "DNS resolution failed").await;
    becomes(&shared, "outside", true, "no host at 203.0.113.9").await;
    target.die();
    becomes(&shared, "tcp", true, "refused the connection").await;
    becomes(&shared, "text", true, "refused the connection").await;
    let state = shared.lock();
    assert!(state.checkups["text"].found.last_failure.is_some());
    drop(state);
    drop(edge);
}
