//! Listeners, certificates, actions and conditions that AWS refuses, each once.

use aws_sdk_elasticloadbalancingv2::types::{
    Action, ActionTypeEnum, Certificate, FixedResponseActionConfig, HttpRequestMethodConditionConfig, ProtocolEnum,
    RedirectActionConfig, RedirectActionStatusCodeEnum, RuleCondition, RulePriorityPair, SourceIpConditionConfig,
    TargetGroupAttribute,
};

use super::elb::{forward, group, listener, path};
use super::{Here, refused};

fn fixed(status: &str, content_type: &str) -> Action {
    let config = FixedResponseActionConfig::builder().status_code(status).content_type(content_type).build();
    Action::builder().r#type(ActionTypeEnum::FixedResponse).fixed_response_config(config).build()
}

fn redirect(protocol: &str, port: &str) -> Action {
    let config = RedirectActionConfig::builder().protocol(protocol).port(port);
    let config = config.status_code(RedirectActionStatusCodeEnum::Http301).build();
    Action::builder().r#type(ActionTypeEnum::Redirect).redirect_config(config).build()
}

fn certificate(arn: &str) -> Certificate {
    Certificate::builder().certificate_arn(arn).build()
}

async fn https(here: &Here, balancer: &str, certificates: &[&str]) -> Result<String, (String, String)> {
    let call = here.elb().create_listener().load_balancer_arn(balancer).port(443).protocol(ProtocolEnum::Https);
    let call = call.set_certificates(Some(certificates.iter().map(|arn| certificate(arn)).collect()));
    let made = call.default_actions(fixed("503", "text/plain")).send().await.map_err(super::refusal)?;
    Ok(made.listeners()[0].listener_arn().unwrap().to_owned())
}

#[tokio::test]
async fn c1_a_certificate_is_there_and_issued() {
    let here = Here::new().await;
    let balancer = here.balancer();
    let nobody = "arn:aws:acm:ap-northeast-2:000000000000:certificate/nobody";
    let (code, message) = https(&here, &balancer, &[nobody]).await.unwrap_err();
    assert!(code == "CertificateNotFound" && message.ends_with("[law C1]"), "{code}: {message}");
    let arn = here.cloud.seed_certificate(&["shop.test"]);
    if let Some(held) = here.cloud.shared().lock().certificates.get_mut(&arn) {
        (held.status, held.issued) = ("PENDING_VALIDATION".into(), None);
    }
    assert_eq!(https(&here, &balancer, &[&arn]).await.unwrap_err().0, "UnsupportedCertificate");
    let (one, two) = (here.cloud.seed_certificate(&["a.test"]), here.cloud.seed_certificate(&["b.test"]));
    assert_eq!(https(&here, &balancer, &[&one, &two]).await.unwrap_err().0, "ValidationError");

    let listener = https(&here, &balancer, &[&one]).await.unwrap();
    let elb = here.elb();
    let add = |arn: &str| elb.add_listener_certificates().listener_arn(&listener).certificates(certificate(arn)).send();
    refused!(add(nobody).await, "CertificateNotFound");
    add(&two).await.unwrap();
    add(&two).await.unwrap();
    let told = elb.describe_listener_certificates().listener_arn(&listener).send().await.unwrap();
    let told: Vec<_> = told.certificates().iter().map(|c| (c.certificate_arn().unwrap(), c.is_default())).collect();
    assert_eq!(told, [(one.as_str(), Some(true)), (two.as_str(), Some(false))]);
    let remove = |arn: &str| elb.remove_listener_certificates().listener_arn(&listener).certificates(certificate(arn));
    refused!(remove(&one).send().await, "OperationNotPermitted", "Default certificate");
    remove(&two).send().await.unwrap();
    let policy = |name: &str| elb.modify_listener().listener_arn(&listener).ssl_policy(name).send();
    refused!(policy("ELBSecurityPolicy-None").await, "SSLPolicyNotFound");
    let set = policy("ELBSecurityPolicy-TLS13-1-2-2021-06").await.unwrap();
    assert_eq!(set.listeners()[0].ssl_policy(), Some("ELBSecurityPolicy-TLS13-1-2-2021-06"));
    let policies = elb.describe_ssl_policies().names("ELBSecurityPolicy-TLS13-1-3-2021-06").send().await.unwrap();
    assert_eq!(policies.ssl_policies()[0].ssl_protocols(), ["TLSv1.3"]);
    let limits = elb.describe_account_limits().send().await.unwrap();
    assert!(limits.limits().iter().any(|l| l.name() == Some("rules-per-application-load-balancer")));
}

#[tokio::test]
async fn actions_that_cannot_be_are_refused() {
    let here = Here::new().await;
    let (elb, balancer) = (here.elb(), here.balancer());
    let create = |port: i32, action: Action| {
        let call = elb.create_listener().load_balancer_arn(&balancer).port(port).protocol(ProtocolEnum::Http);
        call.default_actions(action).send()
    };
    refused!(create(80, redirect("HTTP", "80")).await, "InvalidLoadBalancerAction", "creates a loop");
    refused!(create(80, redirect("#{protocol}", "#{port}")).await, "InvalidLoadBalancerAction", "creates a loop");
    refused!(create(80, redirect("HTTPS", "0")).await, "ValidationError");
    refused!(create(80, redirect("FTP", "21")).await, "ValidationError");
    refused!(create(80, fixed("302", "text/plain")).await, "ValidationError", "2XX, 4XX or 5XX");
    refused!(create(80, fixed("200", "image/png")).await, "ValidationError", "content type");
    let login = Action::builder().r#type(ActionTypeEnum::AuthenticateOidc).build();
    refused!(create(80, login).await, "InvalidLoadBalancerAction", "authenticate-oidc");
    create(80, redirect("HTTPS", "443")).await.unwrap();
    let one = here.cloud.seed_certificate(&["a.test"]);
    let secure = https(&here, &balancer, &[&one]).await.unwrap();
    let back = elb.modify_listener().listener_arn(&secure).default_actions(redirect("HTTP", "80"));
    refused!(back.send().await, "InvalidLoadBalancerAction", "HTTPS cannot be redirected to HTTP");
}

#[tokio::test]
async fn rules_keep_to_their_limits_and_change_places_all_or_none() {
    let here = Here::new().await;
    let (elb, balancer, arn) = (here.elb(), here.balancer(), group(&here, "shop").await);
    let listener = listener(&here, &balancer, 80, forward(&[(&arn, 1)])).await;
    let rule = |priority: i32, conditions: Vec<RuleCondition>| {
        let call = elb.create_rule().listener_arn(&listener).priority(priority).set_conditions(Some(conditions));
        call.actions(forward(&[(&arn, 1)])).send()
    };
    refused!(rule(1, vec![path("/a"), path("/b")]).await, "ValidationError", "only have one 'path-pattern'");
    let six = (0..6).map(|n| format!("/{n}")).collect::<Vec<_>>();
    let config = aws_sdk_elasticloadbalancingv2::types::PathPatternConditionConfig::builder().set_values(Some(six));
    let six = RuleCondition::builder().field("path-pattern").path_pattern_config(config.build()).build();
    refused!(rule(1, vec![six]).await, "ValidationError");
    let config = HttpRequestMethodConditionConfig::builder().values("get").build();
    let method = RuleCondition::builder().field("http-request-method").http_request_method_config(config).build();
    refused!(rule(1, vec![method]).await, "ValidationError", "A-Z");
    let config = SourceIpConditionConfig::builder().values("10.0.0.0/8").build();
    let source = RuleCondition::builder().field("source-ip").source_ip_config(config).build();
    refused!(rule(1, vec![source]).await, "ValidationError", "the rehearsal cloud has no source-ip");
    for wrong in [0, 50_001] {
        refused!(rule(wrong, vec![path("/a")]).await, "ValidationError");
    }
    let made = |made: aws_sdk_elasticloadbalancingv2::operation::create_rule::CreateRuleOutput| {
        made.rules()[0].rule_arn().unwrap().to_owned()
    };
    let (first, second) =
        (made(rule(1, vec![path("/a")]).await.unwrap()), made(rule(2, vec![path("/b")]).await.unwrap()));
    let pair = |arn: &str, priority| RulePriorityPair::builder().rule_arn(arn).priority(priority).build();
    let missing = first.replace("listener-rule", "listener-rule-");
    let some = elb.set_rule_priorities().rule_priorities(pair(&first, 9)).rule_priorities(pair(&missing, 8));
    refused!(some.send().await, "RuleNotFound");
    let told = elb.describe_rules().listener_arn(&listener).page_size(2).send().await.unwrap();
    assert_eq!(told.rules()[0].priority(), Some("1"), "nothing of it was done");
    let rest = elb.describe_rules().listener_arn(&listener).page_size(2).marker(told.next_marker().unwrap());
    let rest = rest.send().await.unwrap();
    let default = rest.rules()[0].rule_arn().unwrap();
    refused!(elb.delete_rule().rule_arn(default).send().await, "OperationNotPermitted");
    let moved = elb.set_rule_priorities().rule_priorities(pair(default, 5));
    refused!(moved.send().await, "OperationNotPermitted");
    elb.delete_rule().rule_arn(&second).send().await.unwrap();
    for n in 2..=100 {
        rule(n, vec![path("/x")]).await.unwrap();
    }
    refused!(rule(101, vec![path("/y")]).await, "TooManyRules");
}

#[tokio::test]
async fn attributes_of_groups_keep_to_their_ranges() {
    let here = Here::new().await;
    let arn = group(&here, "shop").await;
    let set = |pairs: &[(&str, &str)]| {
        let attributes = pairs.iter().map(|(k, v)| TargetGroupAttribute::builder().key(*k).value(*v).build()).collect();
        here.elb().modify_target_group_attributes().target_group_arn(&arn).set_attributes(Some(attributes)).send()
    };
    for pair in [
        ("slow_start.duration_seconds", "29"),
        ("slow_start.duration_seconds", "901"),
        ("stickiness.lb_cookie.duration_seconds", "0"),
        ("stickiness.type", "source_ip"),
        ("stickiness.type", "app_cookie"),
        ("stickiness.app_cookie.cookie_name", "AWSALBAPP-1"),
        ("load_balancing.algorithm.type", "fastest"),
        ("load_balancing.algorithm.anomaly_mitigation", "on"),
        ("load_balancing.cross_zone.enabled", "maybe"),
        ("target_group_health.dns_failover.minimum_healthy_targets.percentage", "101"),
    ] {
        refused!(set(&[pair]).await, "InvalidConfigurationRequest");
    }
    set(&[("stickiness.type", "app_cookie"), ("stickiness.app_cookie.cookie_name", "JSESSIONID")]).await.unwrap();
    set(&[("slow_start.duration_seconds", "30")]).await.unwrap();
    let both = set(&[("load_balancing.algorithm.type", "least_outstanding_requests")]).await;
    refused!(both, "InvalidConfigurationRequest", "round_robin");
}
