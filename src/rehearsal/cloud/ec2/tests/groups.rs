//! Security groups and network ACLs.

use super::super::testing::{Here, VPC, refused};

fn group(here: &Here, name: &str) -> String {
    here.get(&format!("CreateSecurityGroup&GroupName={name}&GroupDescription=for+{name}&VpcId={VPC}"), "groupId")
}

fn rule(verb: &str, group: &str, rest: &str) -> String {
    format!(
        "{verb}&GroupId={group}&IpPermissions.1.IpProtocol=tcp&IpPermissions.1.FromPort=443&IpPermissions.1.ToPort=443&{rest}"
    )
}

const WORLD: &str = "IpPermissions.1.IpRanges.1.CidrIp=0.0.0.0/0";

#[test]
fn rules_are_authorized_once_described_and_revoked() {
    let here = Here::new();
    let (web, app) = (group(&here, "web"), group(&here, "app"));
    let id =
        here.get(&rule("AuthorizeSecurityGroupIngress", &web, WORLD), "securityGroupRuleSet.item.securityGroupRuleId");
    refused!(
        here,
        rule("AuthorizeSecurityGroupIngress", &web, WORLD),
        "InvalidPermission.Duplicate",
        "peer: 0.0.0.0/0, TCP, from port: 443, to port: 443, ALLOW"
    );
    let from_web = format!("IpPermissions.1.Groups.1.GroupId={web}");
    here.ask(&rule("AuthorizeSecurityGroupIngress", &app, &from_web)).unwrap();
    let told = format!("DescribeSecurityGroups&GroupId.1={app}");
    assert_eq!(here.get(&told, "securityGroupInfo.item.ipPermissions.item.groups.item.groupId"), web);
    let egress = here.get(&told, "securityGroupInfo.item.ipPermissionsEgress.item.ipRanges.item.cidrIp");
    assert_eq!(egress, "0.0.0.0/0", "a new group lets everything out");
    let rules = here.ask(&format!("DescribeSecurityGroupRules&Filter.1.Name=group-id&Filter.1.Value.1={web}")).unwrap();
    assert_eq!(rules.items("securityGroupRuleSet").count(), 2);

    refused!(here, format!("DeleteSecurityGroup&GroupId={web}"), "DependencyViolation", "has a dependent object");
    here.ask(&rule("RevokeSecurityGroupIngress", &app, &from_web)).unwrap();
    refused!(here, rule("RevokeSecurityGroupIngress", &app, &from_web), "InvalidPermission.NotFound");
    here.ask(&format!("RevokeSecurityGroupIngress&GroupId={web}&SecurityGroupRuleId.1={id}")).unwrap();
    let again = format!("RevokeSecurityGroupIngress&GroupId={web}&SecurityGroupRuleId.1={id}");
    refused!(here, again, "InvalidSecurityGroupRuleId.NotFound");
    here.ask(&format!("DeleteSecurityGroup&GroupId={web}")).unwrap();
    refused!(here, format!("DescribeSecurityGroups&GroupId.1={web}"), "InvalidGroup.NotFound", "does not exist");
    refused!(here, "DescribeSecurityGroups&GroupId.1=web", "InvalidGroupId.Malformed", "expecting \"sg-...\"");
}

#[test]
fn rules_that_cannot_be_are_refused() {
    let here = Here::new();
    let web = group(&here, "web");
    let with = |permission: &str| format!("AuthorizeSecurityGroupIngress&GroupId={web}&{permission}");
    let ports = |from: i32, to: i32| {
        format!("IpPermissions.1.IpProtocol=tcp&IpPermissions.1.FromPort={from}&IpPermissions.1.ToPort={to}&{WORLD}")
    };
    refused!(here, with(&ports(0, 70_000)), "InvalidParameterValue", "Invalid TCP port range");
    refused!(here, with(&ports(443, 80)), "InvalidParameterValue");
    refused!(
        here,
        with(&format!("IpPermissions.1.IpProtocol=tcp&{WORLD}")),
        "InvalidParameterValue",
        "from and to ports"
    );
    refused!(here, with("IpPermissions.1.IpProtocol=tcp"), "InvalidParameterValue");
    refused!(here, with(""), "MissingParameter", "ipPermissions");
    let bad = rule("AuthorizeSecurityGroupIngress", &web, "IpPermissions.1.IpRanges.1.CidrIp=300.0.0.0/8");
    refused!(here, bad, "InvalidParameterValue", "CIDR block 300.0.0.0/8 is malformed");
    let nobody = "IpPermissions.1.Groups.1.GroupId=sg-00000000000000000";
    refused!(here, rule("AuthorizeSecurityGroupIngress", &web, nobody), "InvalidGroup.NotFound");
    for n in 0..60 {
        let range = format!("IpPermissions.1.IpRanges.1.CidrIp=10.0.{n}.0/24");
        here.ask(&rule("AuthorizeSecurityGroupIngress", &web, &range)).unwrap();
    }
    refused!(here, rule("AuthorizeSecurityGroupIngress", &web, WORLD), "RulesPerSecurityGroupLimitExceeded");
}

#[test]
fn names_of_groups_obey() {
    let here = Here::new();
    let create = |name: &str| format!("CreateSecurityGroup&GroupName={name}&GroupDescription=d&VpcId={VPC}");
    here.ask(&create("web")).unwrap();
    refused!(here, create("web"), "InvalidGroup.Duplicate", "already exists for VPC");
    refused!(here, create("default"), "InvalidParameterValue", "reserved");
    refused!(here, create("sg-web"), "InvalidParameterValue", "sg-*");
    refused!(here, "CreateSecurityGroup&GroupName=x&GroupDescription=d", "VPCIdNotSpecified");
    let own = here.get(
        "DescribeSecurityGroups&Filter.1.Name=group-name&Filter.1.Value.1=default",
        "securityGroupInfo.item.groupId",
    );
    refused!(here, format!("DeleteSecurityGroup&GroupId={own}"), "CannotDelete", "cannot be deleted by a user");
}

#[test]
fn acl_entries_are_numbered_and_a_subnet_is_under_one_acl() {
    let here = Here::new();
    let acl = here.get(&format!("CreateNetworkAcl&VpcId={VPC}&ClientToken=t"), "networkAcl.networkAclId");
    assert_eq!(here.get(&format!("CreateNetworkAcl&VpcId={VPC}&ClientToken=t"), "networkAcl.networkAclId"), acl);
    let entry = |verb: &str, number: u32| {
        format!(
            "{verb}&NetworkAclId={acl}&RuleNumber={number}&Protocol=6&RuleAction=allow&Egress=false&CidrBlock=0.0.0.0/0&PortRange.From=80&PortRange.To=80"
        )
    };
    here.ask(&entry("CreateNetworkAclEntry", 100)).unwrap();
    refused!(here, entry("CreateNetworkAclEntry", 100), "NetworkAclEntryAlreadyExists");
    refused!(here, entry("ReplaceNetworkAclEntry", 101), "InvalidNetworkAclEntry.NotFound");
    refused!(here, entry("CreateNetworkAclEntry", 32_767), "InvalidParameterValue");
    here.ask(&entry("ReplaceNetworkAclEntry", 100)).unwrap();
    let form = format!("DescribeNetworkAcls&Filter.1.Name=association.subnet-id&Filter.1.Value.1={}", here.subnets[0]);
    let before = here.get(&form, "networkAclSet.item.networkAclId");
    let association = here.get(&form, "networkAclSet.item.associationSet.item.networkAclAssociationId");
    let to_acl = format!("ReplaceNetworkAclAssociation&AssociationId={association}&NetworkAclId={acl}");
    here.ask(&to_acl).unwrap();
    refused!(here, to_acl, "InvalidAssociationID.NotFound");
    let ours = format!("DescribeNetworkAcls&NetworkAclId.1={acl}");
    assert_eq!(here.get(&ours, "networkAclSet.item.associationSet.item.networkAclId"), acl);
    refused!(here, format!("DeleteNetworkAcl&NetworkAclId={acl}"), "DependencyViolation");
    refused!(here, format!("DeleteNetworkAcl&NetworkAclId={before}"), "InvalidParameterValue", "default network ACL");
    let delete = format!("DeleteNetworkAclEntry&NetworkAclId={acl}&RuleNumber=100&Egress=false");
    here.ask(&delete).unwrap();
    refused!(here, delete, "InvalidNetworkAclEntry.NotFound");
}
