//! Origins that are web servers: a balancer behind a path pattern.

use super::*;
use crate::rehearsal::edge::testing::{TinyTarget, balance, forward, group};
use crate::rehearsal::state::{RequestRules, SetHeader, Which};

const ALL: &[&str] = &["DELETE", "GET", "HEAD", "OPTIONS", "PATCH", "POST", "PUT"];

/// The site with its API at the balancer `shop-1`, nothing of it cached.
fn with_api(protocol: &str) -> DistributionConfig {
    let mut config = site();
    let balancer = Origin {
        domain: "shop-1.eu-central-1.elb.amazonaws.com".into(),
        path: String::new(),
        headers: vec![("X-From-Cdn".into(), "secret".into())],
        kind: OriginKind::Custom {
            http_port: 80,
            https_port: 443,
            protocol: protocol.into(),
            patience: Duration::from_secs(30),
        },
    };
    config.origins.insert("alb".into(), balancer);
    let api = Behavior {
        cache: CacheRules::default(),
        request: RequestRules { headers: Which::AllBut(vec!["host".into()]), cookies: Which::All, queries: Which::All },
        ..behavior("alb", ALL)
    };
    config.behaviors.push(("/api/*".into(), api));
    config
}

async fn stand(protocol: &str) -> (Stand, TinyTarget) {
    let target = TinyTarget::start("app").await;
    let stand = Stand::new(with_api(protocol)).await;
    stand.shared.lock().target_groups.insert("g".into(), group(&[(&target, "healthy")]));
    let at = edge_address();
    let listener = if protocol == "https-only" { ("HTTPS", 443) } else { ("HTTP", 80) };
    balance(&stand.shared, at, listener, forward(&[("g", 1)], None));
    stand.edge.settled().await;
    (stand, target)
}

#[tokio::test(flavor = "multi_thread")]
async fn an_api_goes_to_the_balancer_with_its_body_and_headers() {
    for protocol in ["http-only", "https-only"] {
        let (stand, target) = stand(protocol).await;
        let mut client = stand.client().await;
        let post = Request::post("/api/orders?a=1")
            .header("host", "www.shop.test")
            .header("authorization", "Bearer x")
            .header("cookie", "sid=1")
            .body(Full::from(Bytes::from_static(b"{\"n\":1}")))
            .unwrap();
        let answered = client.send(post).await.unwrap();
        assert_eq!((answered.status, &*answered.body), (200, &b"app /api/orders?a=1"[..]), "{protocol}");
        for (name, value) in [
            ("x-length", "7"),
            ("x-seen-host", "shop-1.eu-central-1.elb.amazonaws.com"),
            ("x-seen-authorization", "Bearer x"),
            ("x-seen-cookie", "sid=1"),
            ("x-seen-x-from-cdn", "secret"),
            ("x-seen-via", "1.1 d1.cloudfront.net (CloudFront)"),
            ("x-cache", "Miss from cloudfront"),
        ] {
            assert_eq!(answered.header(name), value, "{name}");
        }
        let before = target.count();
        for _ in 0..2 {
            assert_eq!(client.get("www.shop.test", "/api/x").await.header("x-cache"), "Miss from cloudfront");
        }
        assert_eq!(target.count(), before + 2, "nothing of it is kept");
        assert_eq!(&*client.get("www.shop.test", "/").await.body, b"<h1>shop</h1>", "the pages are the bucket's");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_a_server_says_is_kept_by_key_and_shown_while_it_fails() {
    let (stand, target) = stand("http-only").await;
    stand
        .change(|state| {
            let config = &mut state.distributions.get_mut("d1.cloudfront.net").unwrap().config;
            let api = &mut config.behaviors[0].1;
            api.cache = CacheRules { queries: Which::Only(vec!["page".into()]), ..optimized() };
            api.request = RequestRules::default();
            let own = SetHeader { name: "x-own".into(), value: "1".into(), overrides: true };
            api.headers.set.push(own);
        })
        .await;
    let mut client = stand.client().await;
    let mut ask = async |path: &str| {
        let answered = client.get("www.shop.test", path).await;
        (answered.status, answered.header("x-cache").to_owned(), answered.header("x-own").to_owned())
    };
    let said = |status, cache: &str| (status, format!("{cache} from cloudfront"), "1".to_owned());
    assert_eq!(ask("/api/list?page=1").await, said(200, "Miss"));
    assert_eq!(ask("/api/list?page=1&utm=x").await, said(200, "Hit"), "only `page` is in the key");
    assert_eq!(ask("/api/list?page=2").await, said(200, "Miss"));
    assert_eq!(target.count(), 2);
    target.answer_with(503);
    assert_eq!(ask("/api/list?page=3").await, said(503, "Error"));
    stand.later(Duration::from_hours(25));
    assert_eq!(ask("/api/list?page=1").await, said(200, "Hit"), "an origin that fails takes nothing away");
    target.answer_with(200);
    assert_eq!(ask("/api/list?page=3").await, said(200, "Miss"), "the error was kept for ten seconds");
}

#[tokio::test(flavor = "multi_thread")]
async fn an_origin_nobody_answers_for_is_502() {
    let stand = Stand::new(with_api("http-only")).await;
    let mut client = stand.client().await;
    assert_eq!(client.get("www.shop.test", "/api/x").await.status, 502, "its name leads nowhere");
    balance(&stand.shared, edge_address(), ("HTTP", 8181), forward(&[], None));
    stand.edge.settled().await;
    stand.later(Duration::from_secs(11));
    assert_eq!(client.get("www.shop.test", "/api/x").await.status, 502, "nobody listens on its port 80");
}
