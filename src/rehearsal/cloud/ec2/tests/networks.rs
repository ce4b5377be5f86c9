//! VPCs, subnets, places, tags, pages.

use super::super::testing::{Here, VPC, refused};

#[test]
fn a_vpc_comes_with_a_table_an_acl_and_a_group_and_goes_with_them() {
    let here = Here::new();
    let vpc = here.get("CreateVpc&CidrBlock=10.9.1.7/16&TagSpecification.1.ResourceType=vpc&TagSpecification.1.Tag.1.Key=Name&TagSpecification.1.Tag.1.Value=two", "vpc.vpcId");
    let told = |form: &str, path: &str| here.get(&format!("{form}&Filter.1.Name=vpc-id&Filter.1.Value.1={vpc}"), path);
    assert_eq!(told("DescribeVpcs", "vpcSet.item.cidrBlock"), "10.9.0.0/16");
    assert_eq!(told("DescribeVpcs", "vpcSet.item.tagSet.item.value"), "two");
    assert_eq!(told("DescribeRouteTables", "routeTableSet.item.associationSet.item.main"), "true");
    assert_eq!(told("DescribeRouteTables", "routeTableSet.item.routeSet.item.gatewayId"), "local");
    assert_eq!(told("DescribeNetworkAcls", "networkAclSet.item.default"), "true");
    assert_eq!(told("DescribeSecurityGroups", "securityGroupInfo.item.groupName"), "default");
    let subnet = here.get(&format!("CreateSubnet&VpcId={vpc}&CidrBlock=10.9.0.0/24"), "subnet.subnetId");
    refused!(here, format!("DeleteVpc&VpcId={vpc}"), "DependencyViolation", "has dependencies and cannot be deleted");
    here.ask(&format!("DeleteSubnet&SubnetId={subnet}")).unwrap();
    here.ask(&format!("DeleteVpc&VpcId={vpc}")).unwrap();
    refused!(here, format!("DescribeVpcs&VpcId.1={vpc}"), "InvalidVpcID.NotFound", vpc.as_str());
    let state = here.cloud.shared().lock();
    assert_eq!((state.network.groups.len(), state.network.acls.len(), state.network.route_tables.len()), (1, 1, 1));
}

#[test]
fn ranges_that_cannot_be_are_refused() {
    let here = Here::new();
    for wide in ["10.0.0.0/8", "10.0.0.0/29"] {
        refused!(here, format!("CreateVpc&CidrBlock={wide}"), "InvalidVpc.Range", wide);
    }
    refused!(here, "CreateVpc&CidrBlock=10.0.0.0", "InvalidParameterValue", "not a valid CIDR block");
    refused!(here, "CreateVpc", "MissingParameter", "cidrBlock");
    let of = |cidr: &str| format!("CreateSubnet&VpcId={VPC}&CidrBlock={cidr}");
    refused!(here, of("10.1.0.0/24"), "InvalidSubnet.Range");
    refused!(here, of("10.0.0.0/29"), "InvalidSubnet.Range");
    refused!(here, of("10.0.3.0/24"), "InvalidSubnet.Conflict", "conflicts with another subnet");
    refused!(here, "CreateSubnet&VpcId=vpc-gone&CidrBlock=10.0.0.0/24", "InvalidVpcID.NotFound");
    let elsewhere = format!("{}&AvailabilityZone=us-east-1a", of("10.0.0.0/24"));
    refused!(here, elsewhere, "InvalidParameterValue", "ap-northeast-2a");
    for n in 0..4 {
        here.ask(&format!("CreateVpc&CidrBlock=10.{n}.0.0/16")).unwrap();
    }
    refused!(here, "CreateVpc&CidrBlock=10.7.0.0/16", "VpcLimitExceeded");
}

#[test]
fn a_subnet_counts_its_addresses() {
    let here = Here::new();
    let vpc = here.get("CreateVpc&CidrBlock=10.9.0.0/16", "vpc.vpcId");
    let form = format!("CreateSubnet&VpcId={vpc}&CidrBlock=10.9.0.0/28&AvailabilityZone=ap-northeast-2c");
    let subnet = here.get(&form, "subnet.subnetId");
    let free = || here.get(&format!("DescribeSubnets&SubnetId.1={subnet}"), "subnetSet.item.availableIpAddressCount");
    assert_eq!(free(), "11");
    let zone = here.get(&format!("DescribeSubnets&SubnetId.1={subnet}"), "subnetSet.item.availabilityZoneId");
    assert_eq!(zone, "apne2-az3");
    let run = format!(
        "RunInstances&ImageId=ami-0deb1200000000864&InstanceType=t3.micro&MinCount=1&MaxCount=11&SubnetId={subnet}"
    );
    let one = here.get(&run, "instancesSet.item.privateIpAddress");
    assert!(one.starts_with("10.9.0."), "{one}");
    assert_eq!(free(), "0");
    refused!(here, run, "InsufficientFreeAddressesInSubnet");
    refused!(here, format!("DeleteSubnet&SubnetId={subnet}"), "DependencyViolation");
}

#[test]
fn a_dry_run_changes_nothing_and_says_what_would_be() {
    let here = Here::new();
    refused!(here, "CreateVpc&CidrBlock=10.9.0.0/16&DryRun=true", "DryRunOperation", "would have succeeded");
    assert_eq!(here.ask("CreateVpc&CidrBlock=10.9.0.0/16&DryRun=true").unwrap_err().status, 412);
    assert_eq!(here.ask("DescribeVpcs").unwrap().items("vpcSet").count(), 1);
    refused!(here, "CreateSubnet&VpcId=vpc-gone&CidrBlock=10.0.0.0/24&DryRun=true", "InvalidVpcID.NotFound");
}

#[test]
fn a_change_that_fails_leaves_nothing_behind() {
    let here = Here::new();
    let tag = "TagSpecification.1.ResourceType=instance&TagSpecification.1.Tag.1.Key=a";
    refused!(here, format!("CreateVpc&CidrBlock=10.9.0.0/16&{tag}"), "InvalidParameterValue", "taggable resource type");
    assert_eq!(here.ask("DescribeVpcs").unwrap().items("vpcSet").count(), 1);
}

#[test]
fn tags_come_and_go() {
    let here = Here::new();
    let subnet = here.subnets[0].clone();
    let of = |verb: &str, tags: &str| format!("{verb}&ResourceId.1={VPC}&ResourceId.2={subnet}&{tags}");
    here.ask(&of("CreateTags", "Tag.1.Key=env&Tag.1.Value=test&Tag.2.Key=owner")).unwrap();
    let found = here.ask("DescribeTags&Filter.1.Name=key&Filter.1.Value.1=env").unwrap();
    let kinds: Vec<_> = found.items("tagSet").filter_map(|tag| tag.get("resourceType")).collect();
    assert_eq!(kinds, ["vpc", "subnet"]);
    here.ask(&of("DeleteTags", "Tag.1.Key=env&Tag.1.Value=other")).unwrap();
    assert_eq!(here.ask("DescribeTags").unwrap().items("tagSet").count(), 4, "another value is another tag");
    here.ask(&of("DeleteTags", "Tag.1.Key=env&Tag.1.Value=test")).unwrap();
    assert_eq!(here.ask("DescribeTags").unwrap().items("tagSet").count(), 2);
    refused!(here, "CreateTags&ResourceId.1=vpc-gone&Tag.1.Key=a", "InvalidVpcID.NotFound");
    refused!(here, "CreateTags&ResourceId.1=thing-1&Tag.1.Key=a", "InvalidID", "'thing-1'");
    refused!(here, of("CreateTags", "Tag.1.Key=aws:x"), "InvalidParameterValue", "reserved for internal use");
}

#[test]
fn listings_come_in_pages_and_filters_are_known() {
    let here = Here::new();
    for n in 1..=4 {
        here.ask(&format!("CreateSecurityGroup&GroupName=g{n}&GroupDescription=d&VpcId={VPC}")).unwrap();
    }
    here.ask(&format!("CreateSecurityGroup&GroupName=h1&GroupDescription=d&VpcId={VPC}")).unwrap();
    let first = here.ask("DescribeSecurityGroups&MaxResults=5").unwrap();
    let token = first.get("nextToken").unwrap();
    let rest = here.ask(&format!("DescribeSecurityGroups&MaxResults=5&NextToken={token}")).unwrap();
    assert_eq!((first.items("securityGroupInfo").count(), rest.items("securityGroupInfo").count()), (5, 1));
    let some = here.ask("DescribeSecurityGroups&Filter.1.Name=group-name&Filter.1.Value.1=g*").unwrap();
    assert_eq!(some.items("securityGroupInfo").count(), 4);
    refused!(here, "DescribeSecurityGroups&MaxResults=4", "InvalidParameterValue", "greater than 5");
    refused!(
        here,
        "DescribeVpcs&Filter.1.Name=colour&Filter.1.Value.1=red",
        "InvalidParameterValue",
        "'colour' is invalid"
    );
}

#[test]
fn attributes_are_set_one_at_a_time() {
    let here = Here::new();
    let told =
        |name: &str| here.get(&format!("DescribeVpcAttribute&VpcId={VPC}&Attribute={name}"), &format!("{name}.value"));
    assert_eq!((told("enableDnsSupport").as_str(), told("enableDnsHostnames").as_str()), ("true", "false"));
    here.ask(&format!("ModifyVpcAttribute&VpcId={VPC}&EnableDnsHostnames.Value=true")).unwrap();
    assert_eq!(told("enableDnsHostnames"), "true");
    let both = format!("ModifyVpcAttribute&VpcId={VPC}&EnableDnsHostnames.Value=true&EnableDnsSupport.Value=true");
    refused!(here, both, "InvalidParameterCombination");
    let subnet = &here.subnets[0];
    here.ask(&format!("ModifySubnetAttribute&SubnetId={subnet}&MapPublicIpOnLaunch.Value=true")).unwrap();
    assert_eq!(here.get(&format!("DescribeSubnets&SubnetId.1={subnet}"), "subnetSet.item.mapPublicIpOnLaunch"), "true");
}

#[test]
fn places_and_default_vpcs() {
    let here = Here::new();
    assert_eq!(here.get("DescribeAvailabilityZones", "availabilityZoneInfo.item.zoneId"), "apne2-az1");
    refused!(here, "DescribeAvailabilityZones&ZoneName.1=us-east-1a", "InvalidParameterValue");
    assert_eq!(
        here.get("DescribeRegions&RegionName.1=eu-west-1", "regionInfo.item.regionEndpoint"),
        "ec2.eu-west-1.amazonaws.com"
    );
    let vpc = here.get("CreateDefaultVpc", "vpc.vpcId");
    refused!(here, "CreateDefaultVpc", "DefaultVpcAlreadyExists");
    let subnets = here.ask("DescribeSubnets&Filter.1.Name=default-for-az&Filter.1.Value.1=true").unwrap();
    assert_eq!(subnets.items("subnetSet").count(), 4);
    let form = format!("DescribeInternetGateways&Filter.1.Name=attachment.vpc-id&Filter.1.Value.1={vpc}");
    assert!(here.get(&form, "internetGatewaySet.item.internetGatewayId").starts_with("igw-"));
}

#[test]
fn another_region_has_no_networks() {
    let mut there = Here::new();
    there.cloud = there.cloud.within("us-east-1");
    assert_eq!(there.ask("DescribeVpcs").unwrap().items("vpcSet").count(), 0);
    refused!(there, "CreateVpc&CidrBlock=10.9.0.0/16", "UnsupportedOperation", "ap-northeast-2 only");
}
