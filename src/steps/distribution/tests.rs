//! The distribution in memory.

use futures::FutureExt;

use super::*;
use crate::clients::distributions::Certificate;
use crate::clients::fake::Stage;
use crate::clients::fake::distributions::plain;
use crate::clients::fake::stage::DOMAIN;
use crate::clients::objects::Headers;
use crate::step::Severity;
use crate::steps::contract::{Boxed, Case};
use crate::steps::testing::planned;

const STEP: Distribution = Distribution { certified: true };
const NGINX: &str = "http { include /etc/nginx/conf.d/*.conf; }";

/// The bucket is there, and the box's web server is an nginx with these rules.
pub(crate) fn stage(named: &str, server: &str) -> Stage {
    let mut stage = Stage::new();
    let mut site = (*stage.site).clone();
    named.clone_into(&mut site.aws.distribution);
    stage.site = site.into();
    if named == "new" {
        stage.distributions.clear();
    }
    stage.objects.meddle("shop-pages", "index.html", "<p>", Headers::default());
    stage.old.text("demo-web", "/etc/nginx/nginx.conf", NGINX);
    stage.old.text("demo-web", "/etc/nginx/conf.d/site.conf", &format!("server {{ listen 80; {server} }}"));
    stage
}

const MANY: &str = "error_page 404 /404.html; location / { try_files $uri $uri/ =404; }";
const SPA: &str = "location / { try_files $uri $uri/ /index.html; }";

pub(crate) fn cases() -> Vec<Case> {
    fn set(named: &str) -> (Stage, Boxed) {
        (stage(named, MANY), Box::new(STEP))
    }
    vec![
        Case { name: "distribution, made", set: || async { set("new") }.boxed() },
        Case { name: "distribution, adopted", set: || async { set(DOMAIN) }.boxed() },
    ]
}

async fn live(stage: &Stage) -> crate::clients::distributions::Distribution {
    let look = stage.look();
    let id = look.distributions.all().await.unwrap().remove(0).id;
    look.distributions.distribution(&id).await.unwrap().unwrap()
}

async fn applied(stage: &Stage) -> DistributionChange {
    let change = planned(&STEP, stage).await;
    STEP.apply(&stage.act(), &change).await.unwrap();
    change
}

#[tokio::test]
async fn one_is_made_private_named_and_found_again() {
    let stage = stage("new", MANY);
    let change = applied(&stage).await;
    let made = live(&stage).await;
    let settings = made.settings;
    assert_eq!(settings.aliases.iter().collect::<Vec<_>>(), ["www.shop.test"]);
    let Certificate::Acm { arn, tls } = &settings.certificate else { panic!() };
    assert!(arn.starts_with("arn:aws:acm:us-east-1:") && tls == "TLSv1.2_2021");
    assert_eq!((settings.default_root.as_str(), settings.http.as_str()), ("index.html", "http2and3"));
    let origin = &settings.origins["outgrow-pages"];
    assert_eq!(origin.domain, "shop-pages.s3.ap-northeast-2.amazonaws.com");
    assert!(origin.access.as_ref().is_some_and(|id| id != same::MADE));
    assert_eq!(settings.error_pages[&403], settings.error_pages[&404], "law C3");
    assert_eq!(settings.error_pages[&404].page, Some(("/404.html".into(), 404)));
    let look = stage.look();
    let bucket = look.objects.bucket("shop-pages").await.unwrap().unwrap();
    assert!(bucket.policy.unwrap().contains(&made.listed.arn), "law C2");
    let code = look.distributions.function("outgrow-shop-1").await.unwrap().unwrap().live.unwrap();
    assert_eq!(Rules::read(&code).unwrap().index.as_deref(), Some("index.html"));
    assert_eq!(cdn::distribution(&look).await.unwrap().unwrap().domain, made.listed.domain);
    assert!(matches!(STEP.verify(&stage.look_applied(), &change).await.unwrap(), Verdict::Wait { .. }), "law C6");
    assert_eq!(STEP.verify(&stage.look_applied(), &change).await.unwrap(), Verdict::Holds);
}

#[tokio::test]
async fn one_that_is_right_already_is_left_alone() {
    let stage = stage(DOMAIN, MANY);
    applied(&stage).await;
    assert_eq!(STEP.plan(&stage.look()).await.unwrap(), Planned::AlreadySo);
}

#[tokio::test]
async fn an_adopted_one_keeps_what_is_its_own() {
    let stage = stage(DOMAIN, MANY);
    stage.distributions.meddle_with("D111", |settings| {
        settings.aliases.insert("old.shop.test".into());
        settings.default_root = "home.html".into();
        settings.default.cache = Some("own-policy".into());
        let origin = settings.origins.get_mut("pages").unwrap();
        (origin.access, origin.identity) = (None, Some("origin-access-identity/cloudfront/E9".into()));
    });
    let before = live(&stage).await.settings;
    let change = applied(&stage).await;
    let after = live(&stage).await.settings;
    assert!(after.aliases.contains("old.shop.test") && after.default_root == "home.html");
    assert_eq!((after.default.cache, after.certificate), (Some("own-policy".into()), before.certificate.clone()));
    assert_eq!(after.default.viewers, "redirect-to-https");
    let origin = &after.origins["pages"];
    assert!(origin.identity.is_none() && origin.access.is_some(), "an access control takes the place of an identity");
    let told = change.lines().join("\n");
    assert!(told.contains("-   all other paths: allow-all") && !told.contains("home.html"), "{told}");
    STEP.undo(&stage.act(), &change).await.unwrap();
    assert_eq!(live(&stage).await.settings, before);
}

#[tokio::test]
async fn what_somebody_else_changed_meanwhile_is_drift_there_and_back() {
    for named in ["new", DOMAIN] {
        let stage = stage(named, MANY);
        let change = planned(&STEP, &stage).await;
        if named != "new" {
            stage.distributions.meddle_with("D111", |settings| settings.http = "http1.1".into());
            assert!(matches!(STEP.apply(&stage.act(), &change).await, Err(Fault::Drifted { .. })));
            stage.distributions.meddle_with("D111", |settings| settings.http = "http2".into());
        }
        STEP.apply(&stage.act(), &change).await.unwrap();
        let id = live(&stage).await.listed.id;
        stage.distributions.meddle_with(&id, |settings| settings.default_root = "other.html".into());
        let before = stage.snapshot();
        let Verdict::Drifted(why) = STEP.verify(&stage.look_applied(), &change).await.unwrap() else { panic!() };
        assert!(why.contains("other.html"), "{why}");
        let Err(Fault::Drifted { found, .. }) = STEP.undo(&stage.act(), &change).await else { panic!("{named}") };
        assert!(found.contains("other.html"), "{found}");
        assert_eq!(stage.snapshot(), before, "{named}");
    }
}

#[tokio::test]
async fn a_single_page_application_gets_its_page_and_by_the_function_where_the_api_is_on_it() {
    let stage = stage("new", SPA);
    let change = planned(&STEP, &stage).await;
    assert_eq!(change.wanted.error_pages[&403].page, Some(("/index.html".into(), 200)));
    assert_eq!(change.rules.unwrap().fallback, None);
    let mut with_api = stage.clone();
    let mut site = (*stage.site).clone();
    site.aws.pages.api_paths = vec!["/api/*".into()];
    with_api.site = site.into();
    let change = planned(&STEP, &with_api).await;
    assert!(change.wanted.error_pages.is_empty(), "they would take the place of the API's own errors");
    assert_eq!(change.rules.clone().unwrap().fallback.as_deref(), Some("/index.html"));
    let (path, behavior) = &change.wanted.paths[0];
    assert_eq!((path.as_str(), behavior.methods.len(), behavior.viewers.as_str()), ("/api/*", 7, "https-only"));
    assert_eq!(change.wanted.origins["outgrow-api"].domain, "api.shop.test");
    STEP.apply(&with_api.act(), &change).await.unwrap();
}

#[tokio::test]
async fn a_certificate_of_the_run_is_looked_up_when_it_is_needed() {
    let stage = stage("new", MANY);
    stage.certificates.clear();
    let change = planned(&STEP, &stage).await;
    assert!(change.lines().iter().any(|line| line.contains("the certificate of this run")));
    assert!(matches!(STEP.apply(&stage.act(), &change).await, Err(Fault::Failed { .. })));
    let arn = stage.certificates.meddle(&["*.shop.test"], crate::clients::certificates::Status::Issued);
    STEP.apply(&stage.act(), &change).await.unwrap();
    assert!(matches!(live(&stage).await.settings.certificate, Certificate::Acm { arn: shown, .. } if shown == arn));
}

#[tokio::test]
async fn without_a_bucket_it_is_told_what_makes_one() {
    let mut stage = stage("new", MANY);
    let mut site = (*stage.site).clone();
    site.aws.bucket = "elsewhere".into();
    stage.site = site.into();
    let change = planned(&STEP, &stage).await;
    let Err(Fault::Failed { hint, .. }) = STEP.apply(&stage.act(), &change).await else { panic!() };
    assert!(hint.unwrap().contains("static-site"));
    STEP.undo(&stage.act(), &change).await.unwrap();
}

async fn told(stage: &Stage) -> Vec<(Severity, String, String)> {
    let found = STEP.check(&stage.look()).await.unwrap();
    found.into_iter().map(|f| (f.severity, f.law.unwrap_or_default(), f.what)).collect()
}

#[tokio::test]
async fn c4_a_name_that_others_hold_is_told_first() {
    let here = stage("new", MANY);
    assert!(told(&here).await.iter().all(|(severity, ..)| *severity == Severity::Note));
    here.distributions.meddle("d222.cloudfront.net", plain("other", &["www.shop.test"], Certificate::Own));
    let found = told(&here).await;
    assert!(found.iter().any(|(s, law, what)| *s == Severity::Blocker && law == "C4" && what.contains("D222")));
    let there = stage(DOMAIN, MANY);
    there.distributions.held_elsewhere("www.shop.test");
    assert!(told(&there).await.iter().all(|(s, ..)| *s != Severity::Blocker), "it is ours already");
    there.distributions.meddle_with("D111", |settings| settings.aliases.clear());
    let found = told(&there).await;
    assert!(found.iter().any(|(s, law, what)| *s == Severity::Blocker && law == "C4" && what.contains("******")));
    let dns = stage("new", MANY);
    let record = crate::clients::fake::dns::simple("www.shop.test", "CNAME", 60, "d9.cloudfront.net.");
    dns.dns.meddle("www.shop.test", "A", vec![record]);
    assert!(told(&dns).await.iter().any(|(s, law, _)| *s == Severity::Warning && law == "C4"));
}

#[tokio::test]
async fn one_that_serves_others_is_not_taken_over() {
    let stage = stage(DOMAIN, MANY);
    let settings = plain("others-pages", &["blog.test"], Certificate::Own);
    stage.distributions.meddle(DOMAIN, settings);
    assert!(told(&stage).await.iter().any(|(s, _, what)| *s == Severity::Blocker && what.contains("blog.test")));
    let gone = self::stage("dgone.cloudfront.net", MANY);
    assert!(told(&gone).await.iter().any(|(s, _, what)| *s == Severity::Blocker && what.contains("dgone")));
    assert!(matches!(STEP.plan(&gone.look()).await, Err(Fault::Failed { .. })));
}

#[tokio::test]
async fn the_switch_of_a_release_is_a_compare_and_swap() {
    let stage = stage("new", MANY);
    applied(&stage).await;
    let id = live(&stage).await.listed.id;
    let calls = stage.fuse.calls();
    let to = |from: &'static str, to: &'static str| {
        let distributions = stage.reach().distributions;
        let id = id.clone();
        async move { distributions.switch_path(&id, "outgrow-pages", from, to).await }
    };
    to("", "/r1").await.unwrap();
    to("", "/r1").await.unwrap();
    assert_eq!(to("", "/r2").await.unwrap_err().kind, crate::clients::Kind::Conflict);
    assert_eq!(live(&stage).await.settings.origins["outgrow-pages"].path, "/r1");
    assert_eq!(stage.fuse.calls() - calls, 3);
}
