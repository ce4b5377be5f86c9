//! Faults: what the caller sees, and whether the effect took place.

use std::time::{Duration, Instant};

use aws_sdk_s3::primitives::ByteStream;
use aws_smithy_runtime_api::client::result::SdkError;
use aws_smithy_types::retry::RetryConfig;
use outgrow::rehearsal::cloud::fault::{Kind, When};

use super::route53::{a_records, change, simple};
use super::{Here, refused};

#[tokio::test]
async fn each_kind_does_what_it_says() {
    let here = Here::new().await;
    let (faults, zone) = (here.cloud.faults(), here.cloud.seed_zone("shop.test", []));
    let strike = |kind| {
        faults.clear();
        faults.add("route53", "ChangeResourceRecordSets", When::Nth(1), kind);
    };
    let mut n = 0;
    let mut create = async || {
        n += 1;
        change!(here, zone, [Create simple(&format!("n{n}.shop.test"), "203.0.113.7", 60)])
    };
    strike(Kind::Refused);
    refused!(create().await, "AccessDenied");
    strike(Kind::Throttled(None));
    refused!(create().await, "Throttling");
    strike(Kind::FailedBefore);
    refused!(create().await, "InternalFailure");
    strike(Kind::Reset);
    assert!(matches!(create().await, Err(SdkError::DispatchFailure(_))));
    assert!(a_records(&here, &zone).await.is_empty(), "none of them took effect");
    strike(Kind::LostAnswer);
    assert!(matches!(create().await, Err(SdkError::DispatchFailure(_))));
    assert_eq!(a_records(&here, &zone).await.len(), 1, "the effect took place");
    strike(Kind::Slow(Duration::from_millis(300)));
    let began = Instant::now();
    create().await.unwrap();
    assert!(began.elapsed() >= Duration::from_millis(300));
    create().await.unwrap();
}

#[tokio::test]
async fn an_answer_is_held_until_it_is_released() {
    let here = Here::new().await;
    let (faults, zone) = (here.cloud.faults(), here.cloud.seed_zone("shop.test", []));
    faults.add("route53", "ChangeResourceRecordSets", When::Nth(1), Kind::Held(Duration::from_mins(5)));
    let mut version = here.cloud.shared().watch();
    let (client, id) = (here.dns(), zone.clone());
    let record = simple("held.shop.test", "203.0.113.7", 60);
    let asked = tokio::spawn(async move {
        let change = aws_sdk_route53::types::Change::builder().action("CREATE".into()).resource_record_set(record);
        let batch = aws_sdk_route53::types::ChangeBatch::builder().changes(change.build().unwrap()).build().unwrap();
        client.change_resource_record_sets().hosted_zone_id(id).change_batch(batch).send().await
    });
    version.changed().await.unwrap();
    assert_eq!(a_records(&here, &zone).await.len(), 1, "the effect took place");
    assert!(!asked.is_finished(), "and the answer is not there");
    faults.release();
    asked.await.unwrap().unwrap();
}

#[tokio::test]
async fn a_stale_read_tells_how_things_were() {
    let here = Here::new().await;
    let (faults, zone) = (here.cloud.faults(), here.cloud.seed_zone("shop.test", []));
    faults.add("route53", "ListResourceRecordSets", When::Nth(1), Kind::Stale(Duration::from_mins(5)));
    change!(here, zone, [Create simple("new.shop.test", "203.0.113.7", 60)]).unwrap();
    assert!(a_records(&here, &zone).await.is_empty(), "as before the change");
    assert_eq!(a_records(&here, &zone).await.len(), 1, "as it is");
}

#[tokio::test]
async fn who_is_too_fast_is_told_how_long_to_wait() {
    let here = Here::new().await;
    here.cloud.faults().add("route53", "ListHostedZones", When::Nth(1), Kind::Throttled(Some(7)));
    let error = here.dns().list_hosted_zones().send().await.unwrap_err();
    assert_eq!(error.raw_response().unwrap().headers().get("retry-after"), Some("7"));
    refused!(Err::<(), _>(error), "Throttling");
}

#[tokio::test]
async fn s3_knows_the_same_faults() {
    let here = Here::new().await;
    let (s3, faults) = (here.s3(), here.cloud.faults());
    super::s3::bucket(&here, "shop").await;
    let put = |key: &str| s3.put_object().bucket("shop").key(key).body(ByteStream::from_static(b"1")).send();
    faults.add("s3", "PutObject", When::Nth(1), Kind::Throttled(None));
    refused!(put("a").await, "SlowDown");
    faults.clear();
    faults.add("s3", "PutObject", When::Nth(1), Kind::Reset);
    assert!(matches!(put("b").await, Err(SdkError::DispatchFailure(_))));
    faults.clear();
    faults.add("s3", "PutObject", When::Nth(1), Kind::LostAnswer);
    assert!(matches!(put("c").await, Err(SdkError::DispatchFailure(_))));
    let objects = here.cloud.objects();
    let there = async |key: &str| objects.open("shop", key).await.is_some();
    assert_eq!([there("a").await, there("b").await, there("c").await], [false, false, true]);
}

#[tokio::test]
async fn the_sdk_itself_repeats_a_throttled_call() {
    let here = Here::new().await;
    here.cloud.faults().add("elasticloadbalancing", "DescribeLoadBalancers", When::Nth(1), Kind::Throttled(None));
    let config = here.config.to_builder().retry_config(RetryConfig::standard()).build();
    let elb = aws_sdk_elasticloadbalancingv2::Client::new(&config);
    elb.describe_load_balancers().send().await.unwrap();
}
