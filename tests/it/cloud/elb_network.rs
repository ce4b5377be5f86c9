//! Balancers in their network: subnets, gateways, security groups, states.

use std::time::Duration;

use aws_sdk_elasticloadbalancingv2::types::{
    IpAddressType, LoadBalancerAttribute, LoadBalancerSchemeEnum, LoadBalancerStateEnum, ProtocolEnum,
    TargetDescription, TargetTypeEnum,
};

use super::{Here, refused};

#[tokio::test]
async fn a_balancer_is_provisioning_before_it_is_active() {
    let here = Here::new().await;
    let create = || here.elb().create_load_balancer().name("two").set_subnets(Some(here.subnets.to_vec()));
    let made = create().send().await.unwrap();
    let made = &made.load_balancers()[0];
    assert_eq!(made.state().unwrap().code(), Some(&LoadBalancerStateEnum::Provisioning));
    assert_eq!(made.security_groups().len(), 1, "the default one");
    here.clock.advance(Duration::from_secs(6));
    let told = here.elb().describe_load_balancers().names("two").send().await.unwrap();
    assert_eq!(told.load_balancers()[0].state().unwrap().code(), Some(&LoadBalancerStateEnum::Active));
    let again = create().send().await.unwrap();
    assert_eq!(again.load_balancers()[0].load_balancer_arn(), made.load_balancer_arn(), "the same again is no second");
    refused!(create().scheme(LoadBalancerSchemeEnum::Internal).send().await, "DuplicateLoadBalancerName");
    let interfaces = here.cloud.shared().lock().network.interfaces.len();
    assert_eq!(interfaces, 2);
    here.elb().delete_load_balancer().load_balancer_arn(made.load_balancer_arn().unwrap()).send().await.unwrap();
    assert_eq!(here.cloud.shared().lock().network.interfaces.len(), 0);
}

#[tokio::test]
async fn l5_subnets_are_wide_enough_and_lead_out() {
    let here = Here::new().await;
    let create = || here.elb().create_load_balancer().name("two").set_subnets(Some(here.subnets.to_vec())).send();
    let narrow = |prefix: u8| {
        let mut state = here.cloud.shared().lock();
        state.subnets.get_mut(&here.subnets[1]).unwrap().cidr.1 = prefix;
    };
    narrow(28);
    refused!(create().await, "InvalidSubnet", "8 free IP addresses", "[law L5]");
    narrow(27);
    let full = || {
        let mut state = here.cloud.shared().lock();
        for n in 0..20_u8 {
            let address = std::net::Ipv4Addr::new(10, 0, 128, 4 + n);
            let interface = outgrow::rehearsal::state::Interface {
                subnet: here.subnets[1].clone(),
                address,
                public: None,
                groups: Vec::new(),
                description: String::new(),
                holder: "somebody".into(),
            };
            state.network.interfaces.insert(format!("eni-{n}"), interface);
        }
    };
    full();
    refused!(create().await, "InvalidSubnet", "8 free IP addresses", "[law L5]");
    here.cloud.shared().lock().network.interfaces.clear();
    here.cloud.shared().lock().network.internet_gateways.clear();
    refused!(create().await, "InvalidSubnet", "has no internet gateway");
    let internal = here.elb().create_load_balancer().name("two").scheme(LoadBalancerSchemeEnum::Internal);
    let made = internal.set_subnets(Some(here.subnets.to_vec())).send().await.unwrap();
    assert!(made.load_balancers()[0].dns_name().unwrap().starts_with("internal-two-"));
}

#[tokio::test]
async fn groups_and_subnets_are_set_and_must_be_there() {
    let here = Here::new().await;
    let (elb, arn) = (here.elb(), here.balancer());
    let set = |group: &str| elb.set_security_groups().load_balancer_arn(&arn).security_groups(group).send();
    refused!(set("sg-00000000000000000").await, "InvalidSecurityGroup");
    here.cloud.seed_network("vpc-00000000000000002", (std::net::Ipv4Addr::new(10, 9, 0, 0), 16));
    let of = |vpc: &str| {
        let state = here.cloud.shared().lock();
        state.network.groups.iter().find(|(_, g)| g.vpc == vpc).map(|(id, _)| id.clone()).unwrap()
    };
    refused!(set(&of("vpc-00000000000000002")).await, "InvalidConfigurationRequest");
    let own = of(here.vpc);
    assert_eq!(set(&own).await.unwrap().security_group_ids(), [own]);
    let one = elb.set_subnets().load_balancer_arn(&arn).subnets(&here.subnets[0]);
    refused!(one.send().await, "ValidationError", "[law L5]");
    let both = elb.set_subnets().load_balancer_arn(&arn).set_subnets(Some(here.subnets.to_vec())).send().await.unwrap();
    assert_eq!(both.availability_zones().len(), 2);
    let dual = elb.set_ip_address_type().load_balancer_arn(&arn).ip_address_type(IpAddressType::Dualstack);
    refused!(dual.send().await, "InvalidSubnet", "IPv6");
}

#[tokio::test]
async fn a_protected_balancer_stays_and_logs_need_a_bucket() {
    let here = Here::new().await;
    let (elb, arn) = (here.elb(), here.balancer());
    let set = |key: &str, value: &str| {
        let attribute = LoadBalancerAttribute::builder().key(key).value(value).build();
        elb.modify_load_balancer_attributes().load_balancer_arn(&arn).attributes(attribute).send()
    };
    for (key, value) in [
        ("idle_timeout.timeout_seconds", "4001"),
        ("client_keep_alive.seconds", "59"),
        ("load_balancing.cross_zone.enabled", "false"),
        ("routing.http.xff_header_processing.mode", "drop"),
        ("access_logs.s3.enabled", "true"),
    ] {
        refused!(set(key, value).await, "InvalidConfigurationRequest");
    }
    set("deletion_protection.enabled", "true").await.unwrap();
    refused!(elb.delete_load_balancer().load_balancer_arn(&arn).send().await, "OperationNotPermitted");
}

#[tokio::test]
async fn l8_an_instance_target_runs_in_the_groups_vpc() {
    let here = Here::new().await;
    let elb = here.elb();
    let group = |name: &str, vpc: &str| {
        let call = elb.create_target_group().name(name).protocol(ProtocolEnum::Http).port(80);
        call.target_type(TargetTypeEnum::Instance).vpc_id(vpc).send()
    };
    let arn = |made: aws_sdk_elasticloadbalancingv2::operation::create_target_group::CreateTargetGroupOutput| {
        made.target_groups()[0].target_group_arn().unwrap().to_owned()
    };
    let own = arn(group("own", here.vpc).await.unwrap());
    here.cloud.seed_network("vpc-00000000000000002", (std::net::Ipv4Addr::new(10, 9, 0, 0), 16));
    let other = arn(group("other", "vpc-00000000000000002").await.unwrap());
    let register = |group: &str, id: &str| {
        let target = TargetDescription::builder().id(id).build();
        elb.register_targets().target_group_arn(group).targets(target).send()
    };
    refused!(register(&own, "i-00000000000000000").await, "InvalidTarget", "not in a running state", "[law L8]");
    refused!(register(&own, "10.0.0.5").await, "ValidationError", "Instance ID", "[law L8]");
    let id = here.cloud.seed_instance("app-1", "10.0.0.200".parse().unwrap()).unwrap();
    refused!(register(&other, &id).await, "InvalidTarget", "target group VPC", "[law L8]");
    register(&own, &id).await.unwrap();
    let health = || async {
        let told = elb.describe_target_health().target_group_arn(&own).send().await.unwrap();
        told.target_health_descriptions()[0].target_health().unwrap().reason().unwrap().as_str().to_owned()
    };
    assert_eq!(health().await, "Target.NotInUse");
    let balancer = here.balancer();
    super::elb::listener(&here, &balancer, 80, super::elb::forward(&[(&own, 1)])).await;
    here.cloud.shared().lock().network.instances.get_mut(&id).unwrap().phase.now = "stopped";
    assert_eq!(health().await, "Target.InvalidState");
}
