//! Law L4: what becomes of requests to a target that is deregistered.

use super::*;
use crate::rehearsal::edge::testing::{becomes, counted};

#[tokio::test(flavor = "multi_thread")]
async fn law_l4_a_draining_target_gets_nothing_new_and_is_gone_after_its_delay() {
    let (shared, address) = (shared(), edge_address());
    let (one, two) = (TinyTarget::start("one").await, TinyTarget::start("two").await);
    shared.lock().target_groups.insert("g".into(), group(&[(&one, "healthy"), (&two, "healthy")]));
    balance(&shared, address, ("HTTP", 80), forward(&[("g", 1)], None));
    let (edge, _dir) = edge(&shared, Arc::new(NoObjects)).await;
    becomes(&shared, "g", &one, "draining", Some(shared.clock.now() + Duration::from_mins(5)));
    edge.settled().await;
    let (before, mut client) = (one.count(), Client::plain(address).await);
    for _ in 0..10 {
        assert_eq!(client.get("a", "/").await.header("x-target"), "two");
    }
    assert_eq!(one.count(), before);
    // after its delay, by the rehearsal's clock, it is gone
    let mut watch = shared.watch();
    shared.clock.advance(Duration::from_mins(5));
    let gone = watch.wait_for(|_| !shared.lock().target_groups["g"].targets.contains_key(&one.key()));
    tokio::time::timeout(Duration::from_secs(5), gone).await.unwrap().unwrap();
}

/// A request that the target holds until it is let go, under way.
async fn under_way(one: &TinyTarget, address: std::net::IpAddr) -> tokio::task::JoinHandle<u16> {
    let request = tokio::spawn(async move { Client::plain(address).await.get("a", "/held").await.status });
    let there = async {
        while one.count() == 0 {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    };
    tokio::time::timeout(Duration::from_secs(5), there).await.unwrap();
    request
}

#[tokio::test(flavor = "multi_thread")]
async fn law_l4_a_request_under_way_on_a_draining_target_is_answered() {
    let (shared, address) = (shared(), edge_address());
    let one = TinyTarget::start("one").await;
    shared.lock().target_groups.insert("g".into(), group(&[(&one, "healthy")]));
    balance(&shared, address, ("HTTP", 80), forward(&[("g", 1)], None));
    let (edge, _dir) = edge(&shared, Arc::new(NoObjects)).await;
    let request = under_way(&one, address).await;
    becomes(&shared, "g", &one, "draining", Some(shared.clock.now() + Duration::from_mins(5)));
    edge.settled().await;
    assert_eq!(Client::plain(address).await.get("a", "/").await.status, 503, "no target is left for a new one");
    one.let_go();
    assert_eq!(request.await.unwrap(), 200);
}

#[tokio::test(flavor = "multi_thread")]
async fn law_l4_a_request_that_outlasts_the_delay_is_502() {
    let (shared, address) = (shared(), edge_address());
    let one = TinyTarget::start("one").await;
    shared.lock().target_groups.insert("g".into(), group(&[(&one, "healthy")]));
    balance(&shared, address, ("HTTP", 80), forward(&[("g", 1)], None));
    let (edge, _dir) = edge(&shared, Arc::new(NoObjects)).await;
    let request = under_way(&one, address).await;
    becomes(&shared, "g", &one, "draining", Some(shared.clock.now() + Duration::from_mins(5)));
    edge.settled().await;
    assert!(!request.is_finished());
    shared.clock.advance(Duration::from_mins(5));
    let answered = tokio::time::timeout(Duration::from_secs(5), request).await;
    assert_eq!(answered.unwrap().unwrap(), 502);
    assert_eq!(counted(&shared, "HTTPCode_ELB_502_Count", None), 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_group_that_nobody_leads_to_any_more_ends_its_requests_in_peace() {
    let (shared, address) = (shared(), edge_address());
    let one = TinyTarget::start("one").await;
    shared.lock().target_groups.insert("g".into(), group(&[(&one, "healthy")]));
    balance(&shared, address, ("HTTP", 80), forward(&[("g", 1)], None));
    let (edge, _dir) = edge(&shared, Arc::new(NoObjects)).await;
    let request = under_way(&one, address).await;
    act(&shared, Action::Fixed { status: 503, content_type: "text/plain".into(), body: "closed".into() });
    edge.settled().await;
    shared.lock().target_groups.clear();
    shared.changed();
    edge.settled().await;
    one.let_go();
    assert_eq!(request.await.unwrap(), 200);
}
