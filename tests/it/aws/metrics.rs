//! `CloudWatch`.

use std::time::{Duration, SystemTime};

use outgrow::clients::metrics::{Count, Measured, Window};
use outgrow::rehearsal::metrics::{APPLICATION_ELB, Id, Kind};

use super::Moto::Differs;
use super::ground::Here;
use super::table::rows;

fn measured() -> Measured {
    let group = |name| format!("arn:aws:elasticloadbalancing:r:1:targetgroup/{name}/1");
    Measured {
        balancer: "arn:aws:elasticloadbalancing:r:1:loadbalancer/app/shop/1".into(),
        groups: [group("shop-old"), group("shop-new")],
    }
}

/// The last three whole minutes before `now`.
fn window(now: SystemTime) -> Window {
    let since = now.duration_since(SystemTime::UNIX_EPOCH).unwrap().as_secs();
    let to = SystemTime::UNIX_EPOCH + Duration::from_secs(since - since % 60);
    Window { from: to - Duration::from_mins(3), to }
}

rows! {
    no_measurements "where nothing was measured there is no minute and no response time, and no error", Differs {
        how: "it answers 404: it does not speak CBOR to CloudWatch's clients",
        why: "botocore's model of CloudWatch: protocols (smithy-rpc-v2-cbor first)",
    }, |on| {
        let window = window(SystemTime::now());
        assert!(on.clouds.metrics.traffic(&measured(), window).await.unwrap().is_empty());
        let times = on.clouds.metrics.response_times(&measured(), 1, window, &[50.0, 99.0]).await.unwrap();
        assert_eq!(times, [None, None]);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_the_balancer_counted_is_read_by_minute_and_side() {
    let here = Here::new().await;
    let shared = here.cloud.shared();
    let (metrics, now) = (&shared.metrics, shared.clock.now());
    let window = window(now);
    let minute = metrics.minute();
    let series = |metric: &str, group: Option<&str>, kind| {
        let group = group.map(|name| format!("targetgroup/{name}/1"));
        let dimensions = group.iter().map(|group| ("TargetGroup", group.as_str()));
        metrics.of(Id::new(APPLICATION_ELB, metric, dimensions.chain([("LoadBalancer", "app/shop/1")])), kind)
    };
    for (group, n) in [("shop-old", 30), ("shop-new", 10)] {
        (0..n).for_each(|_| series("RequestCount", Some(group), Kind::Ones).count(minute - 2));
    }
    series("HTTPCode_Target_5XX_Count", Some("shop-new"), Kind::Ones).count(minute - 2);
    series("TargetConnectionErrorCount", Some("shop-new"), Kind::Ones).count(minute - 2);
    series("HTTPCode_ELB_5XX_Count", None, Kind::Ones).count(minute - 1);
    let times = series("TargetResponseTime", Some("shop-new"), Kind::Values);
    (1..=100).for_each(|n| times.observe(minute - 2, n * 1000));

    let found = here.ground.clouds.metrics.traffic(&measured(), window).await.unwrap();
    let told: Vec<_> = found.iter().map(|minute| (minute.sides, minute.balancer_errors)).collect();
    let count = |requests, errors| Count { requests, errors };
    assert_eq!(told, [([count(30, 0), count(10, 2)], 0), ([count(0, 0), count(0, 0)], 1)]);
    assert_eq!(found[0].at, window.to - Duration::from_mins(2));
    let asked = [50.0, 97.23, 100.0];
    let times = here.ground.clouds.metrics.response_times(&measured(), 1, window, &asked).await.unwrap();
    let times: Vec<f64> = times.into_iter().map(|time| time.unwrap().0).collect();
    for (time, right) in times.iter().zip([0.050, 0.097, 0.100]) {
        assert!((time / right - 1.0).abs() < 0.03, "{times:?}");
    }
}
