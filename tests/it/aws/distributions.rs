//! CloudFront.

use std::collections::BTreeMap;
use std::time::Duration;

use outgrow::clients::Kind;
use outgrow::clients::distributions::{Behavior, Certificate, Distribution, ErrorPage, Origin, Settings};
use outgrow::clients::viewer_function::Rules;
use outgrow::rehearsal::cloud::fault::{Kind as Fault, When};

use super::Moto::{Differs, Same};
use super::ground::{Ground, Here, tags};
use super::table::rows;

/// AWS's managed policies `CachingOptimized` and `SecurityHeadersPolicy`.
const OPTIMIZED: &str = "658327ea-f89d-4fab-a63d-7e88639e58f6";
const SECURITY: &str = "67f7725c-6f97-4210-82d7-5512b31e9d03";

fn behavior(origin: &str, methods: &[&str]) -> Behavior {
    Behavior {
        origin: origin.into(),
        viewers: "redirect-to-https".into(),
        compress: true,
        methods: methods.iter().map(|method| (*method).to_owned()).collect(),
        cache: Some(OPTIMIZED.into()),
        request: None,
        headers: Some(SECURITY.into()),
        function: None,
    }
}

/// Settings with something of everything but names.
fn settings() -> Settings {
    let bucket = Origin {
        domain: "pages.s3.ap-northeast-2.amazonaws.com".into(),
        path: String::new(),
        access: None,
        identity: None,
        bucket: true,
    };
    let server =
        Origin { domain: "api.shop.test".into(), path: "/v1".into(), access: None, identity: None, bucket: false };
    let all = ["DELETE", "GET", "HEAD", "OPTIONS", "PATCH", "POST", "PUT"];
    Settings {
        enabled: true,
        aliases: [].into(),
        certificate: Certificate::Own,
        default_root: "index.html".into(),
        http: "http2and3".into(),
        origins: BTreeMap::from([("pages".into(), bucket), ("api".into(), server)]),
        default: behavior("pages", &["GET", "HEAD"]),
        paths: vec![("/api/*".into(), behavior("api", &all)), ("/x/*".into(), behavior("api", &["GET", "HEAD"]))],
        error_pages: BTreeMap::from([
            (403, ErrorPage { page: Some(("/index.html".into(), 200)), kept: 10 }),
            (404, ErrorPage { page: None, kept: 0 }),
        ]),
        logs: None,
    }
}

async fn made(on: &Ground, name: &str, settings: &Settings) -> Distribution {
    on.clouds.distributions.create(name, &format!("for {name}"), settings, &tags()).await.unwrap()
}

async fn seen(on: &Ground, id: &str) -> Distribution {
    on.clouds.distributions.distribution(id).await.unwrap().unwrap()
}

rows! {
    distribution_made "a distribution is made, listed, tagged, and has the settings it was given", Differs {
        how: "an S3OriginConfig whose identity is empty is dropped",
        why: "CloudFront API: S3OriginConfig (an empty OriginAccessIdentity is kept as it is)",
    }, |on| {
        let made = made(on, "cf-made", &settings()).await;
        assert!(made.listed.domain.ends_with(".cloudfront.net"), "{made:?}");
        assert_eq!((made.settings, made.listed.comment.as_str()), (settings(), "for cf-made"));
        let again = seen(on, &made.listed.id).await;
        assert_eq!((again.settings, again.etag), (settings(), made.etag));
        let listed = on.clouds.distributions.all().await.unwrap();
        assert!(listed.contains(&made.listed), "{listed:?}");
        let found = on.clouds.distributions.tags(&made.listed.arn).await.unwrap();
        assert!(tags().iter().all(|tag| found.contains(tag)), "{found:?}");
    }

    distribution_reference "a reference makes one distribution", Same, |on| {
        made(on, "cf-once", &settings()).await;
        let other = Settings { default_root: "other.html".into(), ..settings() };
        let error = on.clouds.distributions.create("cf-once", "x", &other, &[]).await.unwrap_err();
        assert_eq!(error.kind, Kind::Conflict, "{error}");
    }

    distribution_swap "a change names the version it was made from", Differs {
        how: "the version never changes, and any is taken",
        why: "CloudFront API: UpdateDistribution (IfMatch, PreconditionFailed)",
    }, |on| {
        let made = made(on, "cf-swap", &settings()).await;
        let next = Settings { http: "http2".into(), paths: Vec::new(), ..settings() };
        let changed = on.clouds.distributions.update(&made.listed.id, &made.etag, &next).await.unwrap();
        assert_eq!(changed.settings, next);
        assert_ne!(changed.etag, made.etag);
        let stale = on.clouds.distributions.update(&made.listed.id, &made.etag, &settings()).await.unwrap_err();
        assert_eq!(stale.kind, Kind::Conflict, "{stale}");
        let back = on.clouds.distributions.update(&made.listed.id, &changed.etag, &settings()).await.unwrap();
        assert_eq!(back.settings, settings());
    }

    distribution_none "one that is not there is none", Same, |on| {
        assert_eq!(on.clouds.distributions.distribution("E00000000000XX").await.unwrap(), None);
        on.clouds.distributions.delete("E00000000000XX", "E00000000000YY").await.unwrap();
    }

    distribution_path "the path of an origin is switched by compare-and-swap", Differs {
        how: "an S3OriginConfig whose identity is empty is dropped",
        why: "CloudFront API: S3OriginConfig (an empty OriginAccessIdentity is kept as it is)",
    }, |on| {
        let id = made(on, "cf-path", &settings()).await.listed.id;
        let switch = async |from: &str, to: &str| on.clouds.distributions.switch_path(&id, "pages", from, to).await;
        switch("", "/r1").await.unwrap();
        switch("", "/r1").await.unwrap();
        assert_eq!(switch("", "/r2").await.unwrap_err().kind, Kind::Conflict);
        switch("/r1", "").await.unwrap();
        assert_eq!(seen(on, &id).await.settings, settings(), "nothing else is touched");
    }

    invalidation "an invalidation is asked for", Same, |on| {
        let id = made(on, "cf-drop", &settings()).await.listed.id;
        let paths = ["/index.html".to_owned(), "/a%20b/*".to_owned()];
        let one = on.clouds.distributions.invalidate(&id, "drop-1", &paths).await.unwrap();
        assert!(!one.is_empty());
        on.clouds.distributions.invalidated(&id, &one).await.unwrap();
    }

    access_control "an access control is made once, found by name, and deleted twice", Differs {
        how: "a second one of the same name is made",
        why: "CloudFront API: CreateOriginAccessControl (OriginAccessControlAlreadyExists)",
    }, |on| {
        let cdn = &on.clouds.distributions;
        let id = cdn.create_access("ac-once", "of a test").await.unwrap();
        let found = cdn.access("ac-once").await.unwrap().unwrap();
        assert_eq!((found.id.as_str(), found.description.as_str()), (id.as_str(), "of a test"));
        assert_eq!(cdn.create_access("ac-once", "other").await.unwrap_err().kind, Kind::Conflict);
        cdn.delete_access("ac-once").await.unwrap();
        cdn.delete_access("ac-once").await.unwrap();
        assert_eq!(cdn.access("ac-once").await.unwrap(), None);
    }

    function "a function is written, published, written again, and deleted twice", Differs {
        how: "a draft is live at once, and nothing is published",
        why: "CloudFront API: CreateFunction, PublishFunction",
    }, |on| {
        let cdn = &on.clouds.distributions;
        let code = Rules { index: Some("index.html".into()), ..Rules::default() }.render();
        cdn.write_function("fn-once", "of a test", &code).await.unwrap();
        let found = cdn.function("fn-once").await.unwrap().unwrap();
        assert_eq!((found.comment.as_str(), &found.draft, found.live), ("of a test", &code, None));
        cdn.publish_function("fn-once").await.unwrap();
        let next = Rules::default().render();
        cdn.write_function("fn-once", "of a test", &next).await.unwrap();
        let found = cdn.function("fn-once").await.unwrap().unwrap();
        assert_eq!((found.draft, found.live), (next, Some(code)));
        cdn.delete_function("fn-once").await.unwrap();
        cdn.delete_function("fn-once").await.unwrap();
        assert_eq!(cdn.function("fn-once").await.unwrap(), None);
    }
}

/// A site's distribution from its access control to its end, with the laws that bite.
#[tokio::test]
async fn a_distribution_lives_under_the_laws_from_its_beginning_to_its_end() {
    let here = Here::new().await;
    let (cdn, clock) = (&here.ground.clouds.distributions, &here.cloud.shared().clock);
    here.cloud.seed_distribution("other", "", &["held.shop.test"], "127.80.0.8".parse().unwrap());
    let certificates = here.ground.clouds.certificates.all().await.unwrap();
    let arn = certificates.into_iter().find(|c| c.names == ["held.shop.test"]).unwrap().arn;
    let shows = |name: &str| Settings {
        aliases: [name.to_owned()].into(),
        certificate: Certificate::Acm { arn: arn.clone(), tls: "TLSv1.2_2021".into() },
        ..settings()
    };
    let held = cdn.create("life", "x", &shows("held.shop.test"), &[]).await.unwrap_err();
    assert_eq!(held.kind, Kind::Conflict, "C4: {held}");
    let bare = cdn.create("life", "x", &shows("bare.shop.test"), &[]).await.unwrap_err();
    assert_eq!(bare.kind, Kind::Refused, "C1: {bare}");
    let mut whole = settings();
    let access = cdn.create_access("life", "x").await.unwrap();
    whole.origins.get_mut("pages").unwrap().access = Some(access);
    cdn.write_function("life", "x", &Rules { index: Some("index.html".into()), ..Rules::default() }.render())
        .await
        .unwrap();
    cdn.publish_function("life").await.unwrap();
    whole.default.function = Some("life".into());
    let made = cdn.create("life", "x", &whole, &tags()).await.unwrap();
    assert_eq!(made.settings, whole);
    assert!(!made.deployed, "C6");
    clock.advance(Duration::from_mins(10));
    let live = cdn.distribution(&made.listed.id).await.unwrap().unwrap();
    assert!(live.deployed);
    for in_use in [cdn.delete_access("life").await, cdn.delete_function("life").await] {
        assert_eq!(in_use.unwrap_err().kind, Kind::Conflict);
    }
    let early = cdn.delete(&live.listed.id, &live.etag).await.unwrap_err();
    assert_eq!(early.kind, Kind::Conflict, "{early}");
    let off = cdn.update(&live.listed.id, &live.etag, &Settings { enabled: false, ..whole }).await.unwrap();
    assert_eq!(cdn.delete(&off.listed.id, &off.etag).await.unwrap_err().kind, Kind::Conflict, "not yet everywhere");
    clock.advance(Duration::from_mins(10));
    cdn.delete(&off.listed.id, &off.etag).await.unwrap();
    cdn.delete_function("life").await.unwrap();
    cdn.delete_access("life").await.unwrap();
}

#[tokio::test]
async fn c6_invalidations_are_waited_for_and_too_many_ask_for_patience() {
    let here = Here::new().await;
    let cdn = &here.ground.clouds.distributions;
    let id = made(&here.ground, "drop", &settings()).await.listed.id;
    let one = cdn.invalidate(&id, "1", &["/*".to_owned()]).await.unwrap();
    assert!(!cdn.invalidated(&id, &one).await.unwrap());
    here.cloud.shared().clock.advance(Duration::from_mins(5));
    assert!(cdn.invalidated(&id, &one).await.unwrap());
    let many: Vec<String> = (0..16).map(|n| format!("/{n}/*")).collect();
    assert_eq!(cdn.invalidate(&id, "2", &many).await.unwrap_err().kind, Kind::Throttled);
}

/// A rollback of a release: no upload, and no more than three calls.
#[tokio::test]
async fn a_release_is_switched_back_in_three_calls() {
    let here = Here::new().await;
    let cdn = &here.ground.clouds.distributions;
    let id = made(&here.ground, "release", &settings()).await.listed.id;
    cdn.switch_path(&id, "pages", "", "/r2").await.unwrap();
    // The fourth call would be refused.
    here.cloud.faults().add("*", "*", When::Nth(4), Fault::Refused);
    cdn.switch_path(&id, "pages", "/r2", "/r1").await.unwrap();
    cdn.invalidate(&id, "back", &["/index.html".to_owned()]).await.unwrap();
    assert_eq!(cdn.all().await.unwrap_err().kind, Kind::Denied, "it was the fourth");
}
