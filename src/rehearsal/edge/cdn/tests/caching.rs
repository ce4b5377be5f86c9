//! What stays at the edge, and for how long.

use super::*;
use crate::rehearsal::edge::cdn::cache::LARGEST;
use crate::rehearsal::state::{ErrorPage, Invalidation};

async fn shown(client: &mut Client, path: &str) -> (String, String, String) {
    let page = client.get("www.shop.test", path).await;
    let body = String::from_utf8_lossy(&page.body).into_owned();
    (body, page.header("x-cache").to_owned(), page.header("age").to_owned())
}

fn said(body: &str, cache: &str, age: &str) -> (String, String, String) {
    (body.into(), format!("{cache} from cloudfront"), age.into())
}

#[tokio::test]
async fn law_c5_an_object_without_cache_control_stays_for_a_day() {
    let stand = Stand::new(site()).await;
    let mut client = stand.client().await;
    stand.objects.put("pages/v2/app.js", "old", None);
    assert_eq!(shown(&mut client, "/app.js").await, said("old", "Miss", ""));
    stand.objects.put("pages/v2/app.js", "newer", None);
    stand.later(Duration::from_hours(23));
    let (body, cache, age) = shown(&mut client, "/app.js").await;
    assert_eq!((body.as_str(), cache.as_str()), ("old", "Hit from cloudfront"));
    assert!((82_800..82_860).contains(&age.parse::<u32>().unwrap()), "{age}");
    stand.later(Duration::from_hours(2));
    assert_eq!(shown(&mut client, "/app.js").await, said("newer", "Miss", ""));
    stand.later(Duration::from_hours(25));
    assert_eq!(shown(&mut client, "/app.js").await, said("newer", "RefreshHit", "0"));
    assert_eq!(shown(&mut client, "/app.js").await.1, "Hit from cloudfront");
}

#[tokio::test]
async fn law_c5_no_cache_is_asked_for_again_and_immutable_is_not() {
    let stand = Stand::new(site()).await;
    let mut client = stand.client().await;
    stand.objects.put("pages/v2/app.9c.js", "v1", Some("public, max-age=31536000, immutable"));
    assert_eq!(shown(&mut client, "/").await.1, "Miss from cloudfront");
    assert_eq!(shown(&mut client, "/app.9c.js").await.1, "Miss from cloudfront");
    stand.objects.put("pages/v2/index.html", "<h1>new</h1>", Some("no-cache"));
    stand.later(Duration::from_secs(2));
    assert_eq!(shown(&mut client, "/").await.0, "<h1>new</h1>");
    stand.later(Duration::from_hours(24 * 300));
    assert_eq!(shown(&mut client, "/app.9c.js").await.1, "Hit from cloudfront");
}

#[tokio::test]
async fn law_c6_an_invalidation_drops_what_it_names_once_it_is_completed() {
    let stand = Stand::new(site()).await;
    let mut client = stand.client().await;
    for (path, text) in [("a.js", "a"), ("img/b.png", "b"), ("img/c.png", "c")] {
        stand.objects.put(&format!("pages/v2/{path}"), text, None);
        assert_eq!(shown(&mut client, &format!("/{path}")).await.1, "Miss from cloudfront");
    }
    let invalidate = |id: &str, path: &str| {
        let now = stand.shared.clock.now();
        Invalidation {
            id: id.into(),
            reference: id.into(),
            created: now,
            done_at: now + Duration::from_mins(1),
            paths: [path.to_owned()].into(),
        }
    };
    let star = invalidate("I1", "/img/*");
    stand.change(|s| s.distributions.get_mut("d1.cloudfront.net").unwrap().invalidations.push(star)).await;
    assert_eq!(shown(&mut client, "/img/b.png").await.1, "Hit from cloudfront", "still in progress");
    stand.later(Duration::from_secs(61));
    assert_eq!(shown(&mut client, "/img/b.png").await.1, "Miss from cloudfront");
    assert_eq!(shown(&mut client, "/img/b.png").await.1, "Hit from cloudfront", "it is dropped once");
    assert_eq!(shown(&mut client, "/a.js").await.1, "Hit from cloudfront", "nobody named it");
    let one = invalidate("I2", "/a.js");
    stand.change(|s| s.distributions.get_mut("d1.cloudfront.net").unwrap().invalidations.push(one)).await;
    stand.later(Duration::from_secs(61));
    assert_eq!(shown(&mut client, "/a.js").await.1, "Miss from cloudfront");
}

#[tokio::test]
async fn law_c6_edges_serve_mixed_configurations_until_a_change_is_deployed() {
    let stand = Stand::new(site()).await;
    stand.objects.put("pages/v2/new.html", "new", None);
    stand
        .change(|state| {
            let deployed_at = stand.shared.clock.now() + Duration::from_mins(4);
            let distribution = state.distributions.get_mut("d1.cloudfront.net").unwrap();
            distribution.before = Some(Box::new(distribution.config.clone()));
            distribution.config.default_root = "new.html".into();
            distribution.deployed_at = deployed_at;
        })
        .await;
    let met = async || {
        let mut met = BTreeSet::new();
        for _ in 0..24 {
            let mut client = stand.client().await;
            let first = shown(&mut client, "/").await.0;
            assert_eq!(shown(&mut client, "/").await.0, first, "a connection stays with its edge");
            met.insert(first);
        }
        met
    };
    assert_eq!(met().await.len(), 2, "old and new side by side");
    stand.later(Duration::from_mins(4));
    assert_eq!(met().await, BTreeSet::from(["new".to_owned()]));
}

#[tokio::test]
async fn law_c3_a_page_of_its_own_stands_for_what_is_missing() {
    let mut config = site();
    let page = Some(("/index.html".to_owned(), 200));
    config.error_pages.insert(403, ErrorPage { page, min_ttl: 300 });
    let stand = Stand::new(config).await;
    let mut client = stand.client().await;
    let deep = client.get("www.shop.test", "/orders/7").await;
    assert_eq!((deep.status, &*deep.body), (200, &b"<h1>shop</h1>"[..]));
    assert_eq!(deep.header("x-cache"), "Error from cloudfront");
    stand.objects.put("pages/v2/orders/7", "it is here now", None);
    stand.later(Duration::from_mins(4));
    let kept = client.get("www.shop.test", "/orders/7").await;
    assert_eq!((&*kept.body, kept.header("age").is_empty()), (&b"<h1>shop</h1>"[..], false), "the error is kept");
    stand.later(Duration::from_mins(2));
    assert_eq!(shown(&mut client, "/orders/7").await, said("it is here now", "Miss", ""));
    stand.objects.remove("pages/v2/index.html");
    stand.later(Duration::from_secs(2));
    assert_eq!(client.get("www.shop.test", "/nothing").await.status, 403, "the page is missing itself");
}

#[tokio::test]
async fn large_objects_stream_through_and_are_not_kept() {
    let stand = Stand::new(site()).await;
    let mut client = stand.client().await;
    let large: Vec<u8> = (0..=LARGEST).map(|i| u8::try_from(i % 251).unwrap()).collect();
    stand.objects.put("pages/v2/film.mp4", large.clone(), None);
    for _ in 0..2 {
        let film = client.get("www.shop.test", "/film.mp4").await;
        assert_eq!((film.body.len(), film.header("x-cache")), (large.len(), "Miss from cloudfront"));
    }
    let part = with(&mut client, "GET", "/film.mp4", ("range", "bytes=1000000-1000003")).await;
    assert_eq!((part.status, &*part.body), (206, &large[1_000_000..1_000_004]));
}
