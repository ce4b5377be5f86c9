//! What goes wrong, told by what the caller must do.

use bytes::Bytes;
use outgrow::clients::Kind;
use outgrow::clients::objects::{Body, Headers};
use outgrow::rehearsal::cloud::fault::{Kind as Fault, When};

use super::ground::{Here, connect};

#[tokio::test]
async fn what_is_not_allowed_is_denied_and_names_the_action() {
    let here = Here::new().await;
    here.cloud.faults().add("route53", "ListHostedZonesByName", When::Every(1), Fault::Refused);
    let error = here.ground.clouds.dns.zone("shop.test").await.unwrap_err();
    assert_eq!(error.kind, Kind::Denied, "{error}");
    assert!(error.hint.as_deref().is_some_and(|hint| hint.contains("route53:ListHostedZonesByName")), "{error:?}");
    assert!(error.why.contains("request "), "the request's id is told: {error}");
}

#[tokio::test]
async fn a_wrong_secret_is_denied() {
    let here = Here::new().await;
    let wrong = connect(&here.ground.endpoint, "wrong").await;
    let error = wrong.objects.get("shop-pages", "a").await.unwrap_err();
    assert_eq!(error.kind, Kind::Denied, "{error}");
}

#[tokio::test]
async fn a_little_throttling_is_waited_out_and_much_is_told() {
    let here = Here::new().await;
    here.cloud.faults().add("sts", "GetCallerIdentity", When::Nth(1), Fault::Throttled(None));
    here.ground.clouds.identity().await.unwrap();
    here.cloud.faults().clear();
    here.cloud.faults().add("sts", "GetCallerIdentity", When::Every(1), Fault::Throttled(None));
    assert_eq!(here.ground.clouds.identity().await.unwrap_err().kind, Kind::Throttled);
}

#[tokio::test]
async fn no_answer_is_no_answer() {
    let here = Here::new().await;
    here.cloud.faults().add("sts", "*", When::Every(1), Fault::Reset);
    assert_eq!(here.ground.clouds.identity().await.unwrap_err().kind, Kind::Unanswered);
    let nowhere = connect("http://127.0.0.1:9", "x").await;
    assert_eq!(nowhere.identity().await.unwrap_err().kind, Kind::Unanswered);
}

#[tokio::test]
async fn a_put_whose_answer_is_lost_is_sent_again_and_lands_once() {
    let here = Here::new().await;
    here.ground.clouds.objects.create_private_bucket("shop-pages", &[]).await.unwrap();
    here.cloud.faults().add("s3", "PutObject", When::Nth(1), Fault::LostAnswer);
    let body = Body::Bytes(Bytes::from_static(b"x"));
    here.ground.clouds.objects.put("shop-pages", "a", body, &Headers::default()).await.unwrap();
    assert_eq!(here.ground.clouds.objects.get("shop-pages", "a").await.unwrap().unwrap(), "x");
}
