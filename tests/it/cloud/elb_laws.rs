//! The laws of `ELBv2`, each broken once.

use aws_sdk_elasticloadbalancingv2::types::{Certificate, ProtocolEnum, TargetGroupAttribute, TargetTypeEnum};

use super::elb::{forward, group, listener, path, target};
use super::{Here, refused};

#[tokio::test]
async fn l1_a_public_address_is_no_target() {
    let here = Here::new().await;
    let arn = group(&here, "shop").await;
    let register = |ip: &'static str, zone: Option<&'static str>| {
        here.elb().register_targets().target_group_arn(&arn).targets(target(ip, zone)).send()
    };
    for public in ["203.0.113.7", "8.8.8.8", "172.32.0.1", "100.128.0.1", "127.0.0.1"] {
        refused!(register(public, Some("all")).await, "InvalidTarget", "[law L1]");
    }
    refused!(register("172.18.0.5", None).await, "ValidationError", "because it is not in the VPC", "[law L1]");
    refused!(register("10.0.0.5", Some("all")).await, "ValidationError", "is within the VPC", "[law L1]");
    refused!(register("not-an-address", Some("all")).await, "ValidationError");
    for (private, zone) in [("10.0.200.5", None), ("172.18.0.5", Some("all")), ("100.64.1.1", Some("all"))] {
        register(private, zone).await.unwrap();
    }
}

#[tokio::test]
async fn l1_one_bad_target_keeps_all_out() {
    let here = Here::new().await;
    let arn = group(&here, "shop").await;
    let both = here.elb().register_targets().target_group_arn(&arn);
    let both = both.targets(target("10.0.0.5", None)).targets(target("203.0.113.7", Some("all")));
    refused!(both.send().await, "InvalidTarget");
    assert!(here.cloud.shared().lock().target_groups[&arn].targets.is_empty());
}

#[tokio::test]
async fn l2_weights_are_0_to_999_and_groups_at_most_five() {
    let here = Here::new().await;
    let (elb, balancer, arn) = (here.elb(), here.balancer(), group(&here, "shop").await);
    let listener = listener(&here, &balancer, 80, forward(&[(&arn, 1)])).await;
    let rule =
        |action| elb.create_rule().listener_arn(&listener).priority(5).conditions(path("/*")).actions(action).send();
    for weight in [1000, -1] {
        refused!(rule(forward(&[(&arn, weight)])).await, "ValidationError", "between 0 and 999", "[law L2]");
    }
    let mut arns = Vec::new();
    for n in 0..6 {
        arns.push(group(&here, &format!("shop-{n}")).await);
    }
    let six: Vec<_> = arns.iter().map(|a| (a.as_str(), 1)).collect();
    refused!(rule(forward(&six)).await, "TooManyTargetGroups", "[law L2]");
    rule(forward(&six[..5])).await.unwrap();
}

#[tokio::test]
async fn l5_a_balancer_lies_in_two_zones() {
    let here = Here::new().await;
    let create = |subnets: Vec<String>| here.elb().create_load_balancer().name("two").set_subnets(Some(subnets)).send();
    refused!(
        create(vec![here.subnets[0].clone()]).await,
        "ValidationError",
        "two different Availability Zones",
        "[law L5]"
    );
    let twice = vec![here.subnets[0].clone(), here.subnets[0].clone()];
    refused!(create(twice).await, "InvalidConfigurationRequest", "same Availability Zone", "[law L5]");
    refused!(create(vec!["subnet-nobody".into()]).await, "SubnetNotFound");
}

#[tokio::test]
async fn c1_https_needs_a_certificate_of_the_region() {
    let here = Here::new().await;
    let (balancer, arn) = (here.balancer(), group(&here, "shop").await);
    let https = || {
        let call = here.elb().create_listener().load_balancer_arn(&balancer).port(443).protocol(ProtocolEnum::Https);
        call.default_actions(forward(&[(&arn, 1)]))
    };
    refused!(https().send().await, "ValidationError", "A certificate must be specified for HTTPS listeners");
    let elsewhere = Certificate::builder().certificate_arn("arn:aws:acm:us-east-1:000000000000:certificate/1").build();
    refused!(https().certificates(elsewhere).send().await, "CertificateNotFound", "[law C1]");
}

#[tokio::test]
async fn a_target_group_in_use_is_not_deleted() {
    let here = Here::new().await;
    let (elb, balancer, arn) = (here.elb(), here.balancer(), group(&here, "shop").await);
    let listener = listener(&here, &balancer, 80, forward(&[(&arn, 1)])).await;
    refused!(elb.delete_target_group().target_group_arn(&arn).send().await, "ResourceInUse");
    let other = here.cloud.seed_balancer("other", "127.80.0.9".parse().unwrap(), &here.subnets);
    let call = elb.create_listener().load_balancer_arn(&other).port(80).protocol(ProtocolEnum::Http);
    refused!(call.default_actions(forward(&[(&arn, 1)])).send().await, "TargetGroupAssociationLimit");
    let again = elb.create_listener().load_balancer_arn(&balancer).port(80).protocol(ProtocolEnum::Http);
    refused!(again.default_actions(forward(&[(&arn, 1)])).send().await, "DuplicateListener");
    let rule = || {
        elb.create_rule()
            .listener_arn(&listener)
            .priority(7)
            .conditions(path("/x"))
            .actions(forward(&[(&arn, 1)]))
            .send()
    };
    rule().await.unwrap();
    refused!(rule().await, "PriorityInUse");
    let nobody = arn.replace("shop", "nobody");
    let missing = elb.create_rule().listener_arn(&listener).priority(8).conditions(path("/y"));
    refused!(missing.actions(forward(&[(&nobody, 1)])).send().await, "TargetGroupNotFound");
}

#[tokio::test]
async fn a_group_is_made_once_and_its_name_obeys() {
    let here = Here::new().await;
    let first = group(&here, "shop").await;
    assert_eq!(group(&here, "shop").await, first, "the same settings give the same group");
    let create = |name: &str, port| {
        let call = here.elb().create_target_group().name(name).protocol(ProtocolEnum::Http).port(port);
        call.target_type(TargetTypeEnum::Ip).vpc_id(here.vpc)
    };
    refused!(create("shop", 9000).send().await, "DuplicateTargetGroupName", "with different settings");
    for bad in ["-shop", "shop-", "shop_old", "상점", "a23456789012345678901234567890123"] {
        refused!(create(bad, 80).send().await, "ValidationError");
    }
    refused!(
        create("ok", 80).health_check_timeout_seconds(30).health_check_interval_seconds(30).send().await,
        "ValidationError"
    );
    refused!(create("ok", 80).vpc_id("vpc-nobody").send().await, "ValidationError");
    let set = |key: &str, value: &str| {
        let attribute = TargetGroupAttribute::builder().key(key).value(value).build();
        here.elb().modify_target_group_attributes().target_group_arn(&first).attributes(attribute).send()
    };
    refused!(set("deregistration_delay.timeout_seconds", "3601").await, "InvalidConfigurationRequest");
    refused!(set("no.such.key", "1").await, "ValidationError", "not recognized");
}
