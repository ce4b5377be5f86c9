//! `ELBv2` as the migration uses it.

use std::time::Duration;

use aws_sdk_elasticloadbalancingv2::Client;
use aws_sdk_elasticloadbalancingv2::types::{
    Action, ActionTypeEnum, Certificate, FixedResponseActionConfig, ForwardActionConfig,
    HttpRequestMethodConditionConfig, PathPatternConditionConfig, ProtocolEnum, RedirectActionConfig,
    RedirectActionStatusCodeEnum, RuleCondition, RulePriorityPair, Tag, TargetDescription, TargetGroupAttribute,
    TargetGroupStickinessConfig, TargetGroupTuple, TargetHealthStateEnum, TargetTypeEnum,
};

use super::{Here, refused};

pub async fn group(here: &Here, name: &str) -> String {
    let made = here
        .elb()
        .create_target_group()
        .name(name)
        .protocol(ProtocolEnum::Http)
        .port(8000)
        .target_type(TargetTypeEnum::Ip)
        .vpc_id(here.vpc)
        .health_check_path("/healthz")
        .send()
        .await
        .unwrap();
    made.target_groups()[0].target_group_arn().unwrap().to_owned()
}

pub fn forward(groups: &[(&str, i32)]) -> Action {
    let tuples = groups.iter().map(|(arn, w)| TargetGroupTuple::builder().target_group_arn(*arn).weight(*w).build());
    let config = ForwardActionConfig::builder().set_target_groups(Some(tuples.collect())).build();
    Action::builder().r#type(ActionTypeEnum::Forward).forward_config(config).build()
}

pub fn path(pattern: &str) -> RuleCondition {
    let config = PathPatternConditionConfig::builder().values(pattern).build();
    RuleCondition::builder().field("path-pattern").path_pattern_config(config).build()
}

pub fn target(ip: &str, zone: Option<&str>) -> TargetDescription {
    TargetDescription::builder().id(ip).port(8000).set_availability_zone(zone.map(str::to_owned)).build()
}

pub async fn listener(here: &Here, balancer: &str, port: i32, default: Action) -> String {
    let call = here.elb().create_listener().load_balancer_arn(balancer).port(port).protocol(ProtocolEnum::Http);
    let made = call.default_actions(default).send().await.unwrap();
    made.listeners()[0].listener_arn().unwrap().to_owned()
}

async fn health(elb: &Client, arn: &str) -> Vec<(String, TargetHealthStateEnum, String)> {
    let answer = elb.describe_target_health().target_group_arn(arn).send().await.unwrap();
    let one = answer.target_health_descriptions().iter().map(|d| {
        let health = d.target_health().unwrap();
        let reason = health.reason().map(|r| r.as_str().to_owned()).unwrap_or_default();
        (d.target().unwrap().id().unwrap().to_owned(), health.state().unwrap().clone(), reason)
    });
    one.collect()
}

#[tokio::test]
async fn weights_shift_between_two_groups_on_a_rule() {
    let here = Here::new().await;
    let (elb, balancer) = (here.elb(), here.balancer());
    let (old, new) = (group(&here, "shop-old").await, group(&here, "shop-new").await);
    let listener = listener(&here, &balancer, 80, forward(&[(&old, 1)])).await;
    let rule = elb.create_rule().listener_arn(&listener).priority(10).conditions(path("/api/*"));
    let rule = rule.actions(forward(&[(&old, 100), (&new, 0)])).send().await.unwrap();
    let rule = rule.rules()[0].rule_arn().unwrap().to_owned();
    for (a, b) in [(99, 1), (50, 50), (0, 100)] {
        elb.modify_rule().rule_arn(&rule).actions(forward(&[(&old, a), (&new, b)])).send().await.unwrap();
        let told = elb.describe_rules().listener_arn(&listener).send().await.unwrap();
        let weights: Vec<_> = told.rules()[0].actions()[0]
            .forward_config()
            .unwrap()
            .target_groups()
            .iter()
            .map(|t| t.weight().unwrap())
            .collect();
        assert_eq!(weights, [a, b]);
        assert_eq!(told.rules()[1].is_default(), Some(true));
        assert_eq!(told.rules()[1].priority(), Some("default"));
    }
    let users = elb.describe_target_groups().load_balancer_arn(&balancer).send().await.unwrap();
    assert_eq!(users.target_groups().len(), 2);
    elb.delete_rule().rule_arn(&rule).send().await.unwrap();
    refused!(elb.describe_rules().rule_arns(&rule).send().await, "RuleNotFound");
    elb.delete_target_group().target_group_arn(&new).send().await.unwrap();
}

#[tokio::test]
async fn l4_targets_are_unused_then_initial_then_drain_for_their_delay() {
    let here = Here::new().await;
    let (elb, arn) = (here.elb(), group(&here, "shop-old").await);
    let register = || elb.register_targets().target_group_arn(&arn).targets(target("172.18.0.5", Some("all"))).send();
    register().await.unwrap();
    let unused = ("172.18.0.5".to_owned(), TargetHealthStateEnum::Unused, "Target.NotInUse".to_owned());
    assert_eq!(health(&elb, &arn).await, [unused]);
    let balancer = here.balancer();
    let listener = listener(&here, &balancer, 80, forward(&[(&arn, 1)])).await;
    assert_eq!(health(&elb, &arn).await[0].1, TargetHealthStateEnum::Initial);

    let delay = TargetGroupAttribute::builder().key("deregistration_delay.timeout_seconds").value("30").build();
    elb.modify_target_group_attributes().target_group_arn(&arn).attributes(delay).send().await.unwrap();
    let attributes = elb.describe_target_group_attributes().target_group_arn(&arn).send().await.unwrap();
    assert!(attributes.attributes().iter().any(|a| a.value() == Some("30")));
    let gone = target("172.18.0.5", None);
    elb.deregister_targets().target_group_arn(&arn).targets(gone.clone()).send().await.unwrap();
    assert_eq!(health(&elb, &arn).await[0].1, TargetHealthStateEnum::Draining);
    here.clock.advance(Duration::from_secs(29));
    assert_eq!(health(&elb, &arn).await.len(), 1);
    here.clock.advance(Duration::from_secs(2));
    assert!(health(&elb, &arn).await.is_empty());
    let asked = elb.describe_target_health().target_group_arn(&arn).targets(gone).send().await.unwrap();
    let told = asked.target_health_descriptions()[0].target_health().unwrap();
    assert_eq!(told.reason().unwrap().as_str(), "Target.NotRegistered");

    // One that is draining and registered again stays.
    register().await.unwrap();
    elb.deregister_targets().target_group_arn(&arn).targets(target("172.18.0.5", None)).send().await.unwrap();
    register().await.unwrap();
    here.clock.advance(Duration::from_mins(1));
    assert_eq!(health(&elb, &arn).await[0].1, TargetHealthStateEnum::Initial);
    elb.delete_listener().listener_arn(&listener).send().await.unwrap();
    elb.delete_target_group().target_group_arn(&arn).send().await.unwrap();
    refused!(elb.describe_target_groups().target_group_arns(&arn).send().await, "TargetGroupNotFound");
}

#[tokio::test]
async fn a_balancer_is_made_described_and_deleted() {
    let here = Here::new().await;
    let elb = here.elb();
    let made = elb.create_load_balancer().name("shop-2").set_subnets(Some(here.subnets.to_vec())).send().await.unwrap();
    let made = &made.load_balancers()[0];
    let arn = made.load_balancer_arn().unwrap();
    assert!(made.dns_name().unwrap().ends_with(".ap-northeast-2.elb.amazonaws.com"));
    let told = elb.describe_load_balancers().names("shop-2").send().await.unwrap();
    assert_eq!(told.load_balancers()[0].availability_zones().len(), 2);
    assert_eq!(told.load_balancers()[0].vpc_id(), Some(here.vpc));
    let attributes = elb.describe_load_balancer_attributes().load_balancer_arn(arn).send().await.unwrap();
    let idle = attributes.attributes().iter().find(|a| a.key() == Some("idle_timeout.timeout_seconds")).unwrap();
    assert_eq!(idle.value(), Some("60"));
    elb.delete_load_balancer().load_balancer_arn(arn).send().await.unwrap();
    refused!(elb.describe_load_balancers().load_balancer_arns(arn).send().await, "LoadBalancerNotFound");
}

#[tokio::test]
async fn listeners_redirect_answer_and_carry_certificates() {
    let here = Here::new().await;
    let (elb, balancer) = (here.elb(), here.balancer());
    let config = RedirectActionConfig::builder()
        .protocol("HTTPS")
        .port("443")
        .status_code(RedirectActionStatusCodeEnum::Http301);
    let redirect = Action::builder().r#type(ActionTypeEnum::Redirect).redirect_config(config.build()).build();
    let plain = listener(&here, &balancer, 80, redirect).await;
    let config = FixedResponseActionConfig::builder()
        .status_code("503")
        .content_type("text/html")
        .message_body("<p>점검 중 & 곧</p>");
    let fixed = Action::builder().r#type(ActionTypeEnum::FixedResponse).fixed_response_config(config.build()).build();
    let certificate =
        Certificate::builder().certificate_arn(here.cloud.seed_certificate(&["shop.test", "*.shop.test"])).build();
    let https = elb.create_listener().load_balancer_arn(&balancer).port(443).protocol(ProtocolEnum::Https);
    https.certificates(certificate).default_actions(fixed.clone()).send().await.unwrap();
    let told = elb.describe_listeners().load_balancer_arn(&balancer).send().await.unwrap();
    let secure = told.listeners().iter().find(|l| l.port() == Some(443)).unwrap();
    assert_eq!(secure.default_actions()[0].fixed_response_config(), fixed.fixed_response_config());
    let open = told.listeners().iter().find(|l| l.port() == Some(80)).unwrap();
    assert_eq!(open.default_actions()[0].redirect_config().unwrap().host(), Some("#{host}"));
    elb.modify_listener().listener_arn(&plain).default_actions(fixed).send().await.unwrap();
    let told = elb.describe_listeners().listener_arns(&plain).send().await.unwrap();
    assert_eq!(told.listeners()[0].default_actions()[0].r#type(), Some(&ActionTypeEnum::FixedResponse));
}

#[tokio::test]
async fn rules_change_places_and_keep_tags_and_stickiness() {
    let here = Here::new().await;
    let (elb, balancer, arn) = (here.elb(), here.balancer(), group(&here, "shop").await);
    let listener = listener(&here, &balancer, 80, forward(&[(&arn, 1)])).await;
    let mut sticky = forward(&[(&arn, 7)]);
    let config = TargetGroupStickinessConfig::builder().enabled(true).duration_seconds(600).build();
    sticky.forward_config.as_mut().unwrap().target_group_stickiness_config = Some(config);
    let method = HttpRequestMethodConditionConfig::builder().values("GET").build();
    let method = RuleCondition::builder().field("http-request-method").http_request_method_config(method).build();
    let first = elb.create_rule().listener_arn(&listener).priority(1).conditions(path("/a")).conditions(method);
    let first = first.actions(sticky).tags(Tag::builder().key("run").value("r-1").build()).send().await.unwrap();
    let first = first.rules()[0].rule_arn().unwrap().to_owned();
    let second =
        elb.create_rule().listener_arn(&listener).priority(2).conditions(path("/b")).actions(forward(&[(&arn, 1)]));
    let second = second.send().await.unwrap().rules()[0].rule_arn().unwrap().to_owned();
    let pair = |arn: &str, priority| RulePriorityPair::builder().rule_arn(arn).priority(priority).build();
    refused!(elb.set_rule_priorities().rule_priorities(pair(&first, 2)).send().await, "PriorityInUse");
    elb.set_rule_priorities().rule_priorities(pair(&first, 2)).rule_priorities(pair(&second, 1)).send().await.unwrap();
    let told = elb.describe_rules().listener_arn(&listener).send().await.unwrap();
    assert_eq!(told.rules()[1].rule_arn(), Some(first.as_str()));
    let config = told.rules()[1].actions()[0].forward_config().unwrap();
    assert_eq!(config.target_group_stickiness_config().unwrap().duration_seconds(), Some(600));
    let tag =
        |arn: &str| elb.add_tags().resource_arns(arn).tags(Tag::builder().key("owner").value("가게").build()).send();
    for arn in [&first, &arn, &balancer, &listener] {
        tag(arn).await.unwrap();
    }
    elb.remove_tags().resource_arns(&first).tag_keys("run").send().await.unwrap();
    let told = elb.describe_tags().resource_arns(&first).resource_arns(&balancer).send().await.unwrap();
    let of_rule = told.tag_descriptions()[0].tags();
    assert_eq!((of_rule.len(), of_rule[0].value()), (1, Some("가게")));
}
