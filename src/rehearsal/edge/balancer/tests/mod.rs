//! The balancer against real sockets.

mod counts;
mod draining;
mod heads;
mod slow;
mod stickiness;
mod websocket;
mod wire;

use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

use bytes::Bytes;
use http::Request;
use http_body_util::Full;

use crate::rehearsal::edge::testing::{
    Client, NoObjects, TinyTarget, act, balance, edge, edge_address, forward, group, shared,
};
use crate::rehearsal::state::{Action, Condition, Rule, Shared};

async fn two_groups(shared: &Shared) -> (TinyTarget, TinyTarget) {
    let (old, new) = (TinyTarget::start("old").await, TinyTarget::start("new").await);
    let mut state = shared.lock();
    state.target_groups.insert("old".into(), group(&[(&old, "healthy")]));
    state.target_groups.insert("new".into(), group(&[(&new, "healthy")]));
    drop(state);
    (old, new)
}

#[tokio::test(flavor = "multi_thread")]
async fn requests_are_shared_out_by_weight() {
    let (shared, address) = (shared(), edge_address());
    let (old, new) = two_groups(&shared).await;
    balance(&shared, address, ("HTTP", 80), forward(&[("old", 3), ("new", 1)], None));
    let (edge, _dir) = edge(&shared, Arc::new(NoObjects)).await;
    let mut client = Client::plain(address).await;
    for _ in 0..2000 {
        assert_eq!(client.get("api.shop.test", "/").await.status, 200);
    }
    // 500 expected, standard deviation 19.4: five of them either way
    let on_new = new.count();
    assert!((400..=600).contains(&on_new), "{on_new} of 2000 for a weight of 1 in 4");
    assert_eq!(old.count() + on_new, 2000);
    // one client at a time needs one connection a target, and the health checks their own
    assert!(old.connections.load(Ordering::SeqCst) < 20, "connections to targets are kept alive");
    edge.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn all_weights_zero_is_503_as_is_a_group_without_targets() {
    let (shared, address) = (shared(), edge_address());
    let (old, _new) = two_groups(&shared).await;
    balance(&shared, address, ("HTTP", 80), forward(&[("old", 0), ("new", 0)], None));
    let (edge, _dir) = edge(&shared, Arc::new(NoObjects)).await;
    let mut client = Client::plain(address).await;
    assert_eq!(client.get("a", "/").await.status, 503);
    act(&shared, forward(&[("old", 1)], None));
    shared.lock().target_groups.get_mut("old").unwrap().targets.clear();
    shared.changed();
    edge.settled().await;
    assert_eq!(client.get("a", "/").await.status, 503);
    assert_eq!(old.count(), 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn changing_weights_under_fifty_clients_fails_nothing() {
    let (shared, address) = (shared(), edge_address());
    let (old, new) = two_groups(&shared).await;
    balance(&shared, address, ("HTTP", 80), forward(&[("old", 100), ("new", 0)], None));
    let (edge, _dir) = edge(&shared, Arc::new(NoObjects)).await;
    let stop = tokio_util::sync::CancellationToken::new();
    let mut clients = tokio::task::JoinSet::new();
    for n in 0..50_usize {
        let stop = stop.clone();
        clients.spawn(async move {
            let mut client = Client::plain(address).await;
            let (mut sent, mut failed) = (0, 0);
            while !stop.is_cancelled() {
                let body = Full::from(Bytes::from(vec![b'x'; n * 200]));
                let request = Request::post("/api/orders").header("host", "api.shop.test").body(body).unwrap();
                sent += 1;
                match client.send(request).await {
                    Ok(answered) if answered.status == 200 && answered.header("x-length") == (n * 200).to_string() => {}
                    _ => failed += 1,
                }
            }
            (sent, failed)
        });
    }
    for weight in (0..=100).chain((0..=100).rev()) {
        act(&shared, forward(&[("old", 100 - weight), ("new", weight)], None));
        edge.settled().await;
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
    stop.cancel();
    let (sent, failed) = clients.join_all().await.into_iter().fold((0, 0), |(s, f), (cs, cf)| (s + cs, f + cf));
    assert_eq!(failed, 0, "of {sent} requests");
    assert_eq!(old.count() + new.count(), sent);
    assert!(new.count() > 0 && sent > 500, "{sent} sent, {} to the new group", new.count());
}

#[tokio::test(flavor = "multi_thread")]
async fn law_l3_a_group_without_a_healthy_target_fails_open_but_never_to_a_draining_one() {
    let (shared, address) = (shared(), edge_address());
    let (one, two, gone) =
        (TinyTarget::start("one").await, TinyTarget::start("two").await, TinyTarget::start("gone").await);
    for target in [&one, &two, &gone] {
        target.answer_with(500);
    }
    let targets = group(&[(&one, "unhealthy"), (&two, "unhealthy"), (&gone, "draining")]);
    shared.lock().target_groups.insert("g".into(), targets);
    balance(&shared, address, ("HTTP", 80), forward(&[("g", 1)], None));
    let (_edge, _dir) = edge(&shared, Arc::new(NoObjects)).await;
    let mut client = Client::plain(address).await;
    for _ in 0..10 {
        assert_eq!(client.get("a", "/").await.status, 500);
    }
    assert_eq!((one.count(), two.count(), gone.count()), (5, 5, 0), "in turn");
}

#[tokio::test(flavor = "multi_thread")]
async fn rules_go_by_priority_and_the_balancer_answers_by_itself() {
    let (shared, address) = (shared(), edge_address());
    let (_old, _new) = two_groups(&shared).await;
    let to_https = Action::Redirect {
        protocol: "HTTPS".into(),
        host: "#{host}".into(),
        port: "443".into(),
        path: "/#{path}".into(),
        query: "#{query}".into(),
        status: 301,
    };
    balance(&shared, address, ("HTTP", 80), to_https);
    let rule = |priority, path: &str, action| {
        let conditions = vec![Condition::Path(vec![path.into()])];
        Rule { priority, conditions, action, tags: std::collections::BTreeMap::new() }
    };
    {
        let mut state = shared.lock();
        let rules = &mut state.listeners.get_mut("listener").unwrap().rules;
        let teapot = Action::Fixed { status: 418, content_type: "text/plain".into(), body: "short".into() };
        rules.insert("a".into(), rule(20, "/api/*", forward(&[("old", 1)], None)));
        rules.insert("b".into(), rule(10, "/api/new/*", forward(&[("new", 1)], None)));
        rules.insert("c".into(), rule(30, "/pot", teapot));
    }
    shared.changed();
    let (_edge, _dir) = edge(&shared, Arc::new(NoObjects)).await;
    let mut client = Client::plain(address).await;
    assert_eq!(client.get("a", "/api/1").await.header("x-target"), "old");
    assert_eq!(client.get("a", "/api/new/1").await.header("x-target"), "new");
    let pot = client.get("a", "/pot").await;
    assert_eq!((pot.status, &*pot.body, pot.header("content-type")), (418, &b"short"[..], "text/plain"));
    let moved = client.get("www.shop.test:8080", "/docs/a?b=c").await;
    assert_eq!((moved.status, moved.header("location")), (301, "https://www.shop.test:443/docs/a?b=c"));
}

#[tokio::test(flavor = "multi_thread")]
async fn over_tls_the_target_learns_who_asked_and_how() {
    let (shared, address) = (shared(), edge_address());
    let (_old, _new) = two_groups(&shared).await;
    balance(&shared, address, ("HTTPS", 443), forward(&[("old", 1)], None));
    let (edge, _dir) = edge(&shared, Arc::new(NoObjects)).await;
    let mut client = Client::tls(address, "api.shop.test", edge.ca_pem()).await;
    let request = Request::get("/x?y=z")
        .header("host", "api.shop.test")
        .header("x-forwarded-for", "192.0.2.7")
        .header("connection", "keep-alive, x-secret")
        .header("x-secret", "1");
    let answered = client.send(request.body(Full::default()).unwrap()).await.unwrap();
    assert_eq!(answered.header("x-seen-host"), "api.shop.test");
    assert_eq!(answered.header("x-seen-x-forwarded-for"), "192.0.2.7, 127.0.0.1");
    assert_eq!(answered.header("x-seen-x-forwarded-proto"), "https");
    assert_eq!(answered.header("x-seen-x-forwarded-port"), "443");
    assert_eq!(answered.header("x-seen-x-secret"), "", "a header of the connection stays on it");
    assert_eq!(&*answered.body, b"old /x?y=z");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_dead_target_is_502_and_a_silent_one_504() {
    let (shared, address) = (shared(), edge_address());
    let (old, _new) = two_groups(&shared).await;
    balance(&shared, address, ("HTTP", 80), forward(&[("old", 1)], None));
    let idle = ("idle_timeout.timeout_seconds".to_owned(), "1".to_owned());
    shared.lock().balancers.get_mut("lb").unwrap().attributes.extend([idle]);
    let (_edge, _dir) = edge(&shared, Arc::new(NoObjects)).await;
    let mut client = Client::plain(address).await;
    assert_eq!(client.get("a", "/slow").await.status, 504);
    assert_eq!(client.get("a", "/").await.status, 200);
    old.die();
    // the connection kept alive is gone as well: the one retry meets a closed socket
    assert_eq!(client.get("a", "/").await.status, 502);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_listener_that_is_removed_stops_listening() {
    let (shared, address) = (shared(), edge_address());
    let (_old, _new) = two_groups(&shared).await;
    balance(&shared, address, ("HTTP", 80), forward(&[("old", 1)], None));
    let (edge, _dir) = edge(&shared, Arc::new(NoObjects)).await;
    assert_eq!(Client::plain(address).await.get("a", "/").await.status, 200);
    shared.lock().listeners.clear();
    shared.changed();
    edge.settled().await;
    let refused = async {
        while tokio::net::TcpStream::connect((address, 8080)).await.is_ok() {
            tokio::task::yield_now().await;
        }
    };
    tokio::time::timeout(Duration::from_secs(5), refused).await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn an_address_in_use_is_told_and_tried_again() {
    let (shared, address) = (shared(), edge_address());
    let (_old, _new) = two_groups(&shared).await;
    let (edge, _dir) = edge(&shared, Arc::new(NoObjects)).await;
    let other = tokio::net::TcpListener::bind((address, 8080)).await.unwrap();
    balance(&shared, address, ("HTTP", 80), forward(&[("old", 1)], None));
    edge.settled().await;
    let troubles = edge.troubles();
    assert!(troubles.len() == 1 && troubles[0].contains(&format!("{address}:8080")), "{troubles:?}");
    drop(other);
    let open = async {
        while !edge.troubles().is_empty() {
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    };
    tokio::time::timeout(Duration::from_secs(5), open).await.unwrap();
    assert_eq!(Client::plain(address).await.get("a", "/").await.status, 200);
}
