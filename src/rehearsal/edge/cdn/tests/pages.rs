//! Pages out of the private bucket.

use super::*;
use crate::clients::viewer_function::Rules;

#[tokio::test]
async fn pages_are_read_from_the_private_bucket() {
    let stand = Stand::new(site()).await;
    let mut client = stand.client().await;
    let page = client.get("www.shop.test", "/").await;
    assert_eq!((page.status, &*page.body), (200, &b"<h1>shop</h1>"[..]));
    assert_eq!(page.header("content-type"), "text/html; charset=utf-8");
    assert_eq!((page.header("cache-control"), page.header("via")), ("no-cache", "1.1 d1.cloudfront.net (CloudFront)"));
    let etag = page.header("etag").to_owned();
    assert_eq!(client.get("d1.cloudfront.net", "/index.html?v=1").await.status, 200);
    let korean = "/%EA%B7%B8%EB%A6%BC/%EA%B3%A0%EC%96%91%EC%9D%B4%201.png";
    for _ in 0..2 {
        assert_eq!(&*client.get("www.shop.test", korean).await.body, b"0123456789");
        let part = with(&mut client, "GET", korean, ("range", "bytes=3-5")).await;
        assert_eq!((part.status, &*part.body, part.header("content-range")), (206, &b"345"[..], "bytes 3-5/10"));
        let beyond = with(&mut client, "GET", korean, ("range", "bytes=10-")).await;
        assert_eq!((beyond.status, beyond.header("content-range")), (416, "bytes */10"));
        let same = with(&mut client, "GET", "/", ("if-none-match", &format!("\"zzz\", W/{etag}"))).await;
        assert_eq!((same.status, same.body.len()), (304, 0));
        let since = with(&mut client, "GET", korean, ("if-modified-since", "Sun, 06 Nov 1994 08:49:37 GMT")).await;
        assert_eq!(since.status, 304);
        let head = with(&mut client, "HEAD", "/", ("accept", "*/*")).await;
        assert_eq!((head.status, head.header("content-length"), head.body.len()), (200, "13", 0));
    }
}

#[tokio::test]
async fn law_c3_what_is_missing_or_not_ours_is_403() {
    let stand = Stand::new(site()).await;
    let mut client = stand.client().await;
    for path in ["/nothing.html", "/docs/", "/../secret.html", "/%2e%2e/secret.html", "/%ff"] {
        let answered = client.get("www.shop.test", path).await;
        assert_eq!((answered.status, answered.header("x-cache")), (403, "Error from cloudfront"), "{path}");
        assert!(String::from_utf8_lossy(&answered.body).contains("AccessDenied"), "{path}");
    }
    assert_eq!(client.get("elsewhere.test", "/").await.status, 403, "a host that is no alias");
    for method in ["POST", "PUT", "DELETE"] {
        assert_eq!(with(&mut client, method, "/", ("accept", "*/*")).await.status, 403, "{method}");
    }
    let mut plain = Client::plain(stand.address).await;
    let moved = plain.get("www.shop.test", "/a?b=c").await;
    assert_eq!((moved.status, moved.header("location")), (301, "https://www.shop.test/a?b=c"));
}

#[tokio::test]
async fn law_c2_without_the_policy_nothing_is_read() {
    let stand = Stand::readable_by(site(), "arn:aws:cloudfront::000000000000:distribution/E2").await;
    let mut client = stand.client().await;
    assert_eq!(client.get("www.shop.test", "/").await.status, 403);
    stand
        .change(|state| {
            let bucket = state.buckets.get_mut("pages").unwrap();
            bucket.policy = bucket.policy.take().map(|p| p.replace("/E2", "/E1"));
        })
        .await;
    assert_eq!(client.get("www.shop.test", "/").await.status, 200, "a 403 is not kept");
    stand.change(|state| state.buckets.get_mut("pages").unwrap().policy = None).await;
    assert_eq!(client.get("www.shop.test", "/").await.status, 200, "what is at hand is shown for a second");
    stand.later(Duration::from_secs(2));
    assert_eq!(client.get("www.shop.test", "/").await.status, 403);
}

#[tokio::test]
async fn law_c2_a_read_that_is_not_signed_is_anybodys() {
    let mut config = site();
    config.origins.get_mut("pages").unwrap().kind =
        OriginKind::Bucket { bucket: "pages".into(), access: None, signed: false };
    let stand = Stand::new(config).await;
    assert_eq!(stand.client().await.get("www.shop.test", "/").await.status, 403);
}

#[tokio::test]
async fn law_c1_a_name_without_a_certificate_gets_no_tls() {
    let stand = Stand::new(site()).await;
    stand
        .change(|state| {
            let distribution = state.distributions.get_mut("d1.cloudfront.net").unwrap();
            distribution.config.aliases.insert("shop.test".into());
        })
        .await;
    let ca = stand.edge.ca_pem();
    for (name, served) in
        [("www.shop.test", true), ("d1.cloudfront.net", true), ("elsewhere.test", false), ("shop.test", false)]
    {
        assert_eq!(Client::try_tls(stand.address, name, ca).await.is_ok(), served, "{name}");
    }
}

#[tokio::test]
async fn a_function_finds_the_index_and_moves_pages() {
    let mut config = site();
    let rules = Rules {
        index: Some("index.html".into()),
        moved: BTreeMap::from([("/old".to_owned(), "/new/".to_owned())]),
        ..Rules::default()
    };
    config.default.function = Some(rules.render().into());
    let stand = Stand::new(config).await;
    stand.objects.put("pages/v2/docs/index.html", "docs", None);
    let mut client = stand.client().await;
    assert_eq!(&*client.get("www.shop.test", "/docs/").await.body, b"docs");
    assert_eq!(&*client.get("www.shop.test", "/").await.body, b"<h1>shop</h1>");
    let moved = client.get("www.shop.test", "/old?a=b").await;
    assert_eq!((moved.status, moved.header("location")), (301, "/new/?a=b"));
    assert_eq!(moved.header("x-cache"), "FunctionGeneratedResponse from cloudfront");
}

#[tokio::test]
async fn viewers_are_held_to_their_protocol() {
    let mut config = site();
    for (pattern, viewers) in [("/plain/*", "allow-all"), ("secret/*", "https-only")] {
        let behavior = Behavior { viewers: viewers.into(), ..behavior("pages", &["GET", "HEAD"]) };
        config.behaviors.push((pattern.into(), behavior));
    }
    let stand = Stand::new(config).await;
    stand.objects.put("pages/v2/plain/a", "a", None);
    let mut plain = Client::plain(stand.address).await;
    for (path, status) in [("/plain/a", 200), ("/secret/a", 403), ("/a", 301)] {
        assert_eq!(plain.get("www.shop.test", path).await.status, status, "{path}");
    }
    stand.change(|state| state.distributions.get_mut("d1.cloudfront.net").unwrap().config.enabled = false).await;
    assert_eq!(plain.get("www.shop.test", "/plain/a").await.status, 403, "it is disabled");
}
