//! Health checks, as far as the API goes; what they find is tested with the edge.

use aws_sdk_route53::types::{HealthCheckConfig, HealthCheckType};

use super::{Here, refused};

fn config(kind: &str) -> aws_sdk_route53::types::builders::HealthCheckConfigBuilder {
    HealthCheckConfig::builder().r#type(HealthCheckType::from(kind))
}

macro_rules! create {
    ($here:expr, $reference:expr, $config:expr) => {
        $here
            .dns()
            .create_health_check()
            .caller_reference($reference)
            .health_check_config($config.build().unwrap())
            .send()
            .await
    };
}

#[tokio::test]
async fn a_check_is_made_once_changed_listed_and_deleted() {
    let here = Here::new().await;
    let web =
        || config("HTTPS").fully_qualified_domain_name("www.shop.test").resource_path("/healthz").request_interval(10);
    let made = create!(here, "one", web()).unwrap();
    let check = made.health_check().unwrap().clone();
    assert!(made.location().ends_with(check.id()));
    let kept = check.health_check_config().unwrap();
    assert_eq!((kept.port(), kept.failure_threshold(), kept.enable_sni()), (Some(443), Some(3), Some(true)));
    assert_eq!(create!(here, "one", web()).unwrap().health_check().unwrap().id(), check.id(), "the same again");
    refused!(
        create!(here, "one", web().port(8443)),
        "HealthCheckAlreadyExists",
        "A different health check has already"
    );
    let change = || here.dns().update_health_check().health_check_id(check.id());
    refused!(change().health_check_version(7).failure_threshold(5).send().await, "HealthCheckVersionMismatch");
    let changed = change().health_check_version(1).failure_threshold(5).send().await.unwrap();
    let changed = changed.health_check().unwrap();
    assert_eq!(changed.health_check_version(), 2);
    assert_eq!(changed.health_check_config().unwrap().failure_threshold(), Some(5));
    let all = config("CALCULATED").child_health_checks(check.id()).health_threshold(1);
    create!(here, "all", all).unwrap();
    assert_eq!(here.dns().list_health_checks().send().await.unwrap().health_checks().len(), 2);
    assert_eq!(here.dns().get_health_check_count().send().await.unwrap().health_check_count(), 2);
    let page = here.dns().list_health_checks().max_items(1).send().await.unwrap();
    assert!(page.is_truncated() && page.next_marker().is_some());
    let status = here.dns().get_health_check_status().health_check_id(check.id()).send().await.unwrap();
    assert!(status.health_check_observations().is_empty(), "nobody has looked yet");
    here.dns().delete_health_check().health_check_id(check.id()).send().await.unwrap();
    refused!(here.dns().get_health_check().health_check_id(check.id()).send().await, "NoSuchHealthCheck");
}

#[tokio::test]
async fn a_check_that_cannot_be_asked_is_refused() {
    let here = Here::new().await;
    let tcp = || config("TCP").ip_address("203.0.113.7");
    refused!(create!(here, "a", config("HTTP")), "InvalidInput", "IP address or a fully qualified domain name");
    refused!(create!(here, "a", tcp()), "InvalidInput", "port");
    refused!(
        create!(here, "a", tcp().port(80).fully_qualified_domain_name("a.test")),
        "InvalidInput",
        "TCP health checks that have IP address"
    );
    refused!(create!(here, "a", tcp().port(0)), "InvalidInput", "greater than or equal to 1");
    refused!(create!(here, "a", tcp().port(80).failure_threshold(11)), "InvalidInput", "less than or equal to 10");
    refused!(create!(here, "a", tcp().port(80).request_interval(20)), "InvalidInput", "10 or 30");
    refused!(create!(here, "a", config("HTTP").ip_address("10.0.0.1")), "InvalidInput", "private");
    refused!(create!(here, "a", config("HTTP_STR_MATCH").ip_address("203.0.113.7")), "InvalidInput", "search string");
    refused!(create!(here, "a", config("CLOUDWATCH_METRIC")), "InvalidInput", "no alarms");
    refused!(
        create!(here, "a", config("CALCULATED").child_health_checks("no").health_threshold(1)),
        "InvalidInput",
        "not found"
    );
}
