"""EC2: security groups, their rules, and network ACLs."""

from ask import of, refused, same, true
from make import new_vpc, vpc

about = of("EC2-GROUP", "EC2 API")
GONE = "sg-0123456789abcdef0"


def group(a, name=None, of_vpc=None):
    wanted = {"GroupName": name or a.name("group"), "Description": "probe", "VpcId": of_vpc or vpc(a)[0]}
    return a.ec2.create_security_group(**wanted)["GroupId"]


def rule(cidr="10.0.0.0/8", port=5432):
    return [{"IpProtocol": "tcp", "FromPort": port, "ToPort": port, "IpRanges": [{"CidrIp": cidr}]}]


def look(a, of_group):
    return a.ec2.describe_security_groups(GroupIds=[of_group])["SecurityGroups"][0]


@about("a new group lets nothing in and everything out", "CreateSecurityGroup")
def _(a):
    got = look(a, group(a))
    same((got["IpPermissions"], [p["IpProtocol"] for p in got["IpPermissionsEgress"]]), ([], ["-1"]))


@about("a name twice in a VPC: InvalidGroup.Duplicate", "CreateSecurityGroup")
def _(a):
    name = a.name("group")
    group(a, name)
    refused("InvalidGroup.Duplicate", lambda: group(a, name))
    group(a, name, new_vpc(a))


@about("a group that is not there: InvalidGroup.NotFound", "errors-overview")
def _(a):
    refused("InvalidGroup.NotFound", lambda: look(a, GONE))
    refused("InvalidGroup.NotFound", lambda: a.ec2.delete_security_group(GroupId=GONE))
    refused("InvalidGroup.NotFound", lambda: a.ec2.authorize_security_group_ingress(GroupId=GONE, IpPermissions=rule()))


@about("an id of another form is refused", "errors-overview")
def _(a):
    refused(("InvalidGroupId.Malformed", "InvalidGroup.NotFound"), lambda: look(a, "nonsense"))


@about("the default group stays", "DeleteSecurityGroup")
def _(a):
    of_it = [{"Name": "vpc-id", "Values": [new_vpc(a)]}, {"Name": "group-name", "Values": ["default"]}]
    default = a.ec2.describe_security_groups(Filters=of_it)["SecurityGroups"][0]["GroupId"]
    refused("CannotDelete", lambda: a.ec2.delete_security_group(GroupId=default))


@about("a rule twice: InvalidPermission.Duplicate", "AuthorizeSecurityGroupIngress")
def _(a):
    mine = group(a)
    put = lambda: a.ec2.authorize_security_group_ingress(GroupId=mine, IpPermissions=rule())
    true(put()["Return"], "it to be put")
    refused("InvalidPermission.Duplicate", put)
    got = look(a, mine)["IpPermissions"][0]
    same((got["FromPort"], got["IpRanges"][0]["CidrIp"]), (5432, "10.0.0.0/8"))


@about("a rule that is not there cannot be revoked", "RevokeSecurityGroupIngress")
def _(a):
    mine = group(a)
    refused("InvalidPermission.NotFound", lambda: a.ec2.revoke_security_group_ingress(GroupId=mine, IpPermissions=rule()))


@about("a rule with a range that is none is refused", "AuthorizeSecurityGroupIngress")
def _(a):
    mine = group(a)
    wrong = rule("10.0.0.300/8")
    refused("InvalidParameterValue", lambda: a.ec2.authorize_security_group_ingress(GroupId=mine, IpPermissions=wrong))


@about("a rule from another group names it, and that group is in use", "DeleteSecurityGroup", "D1")
def _(a):
    app, database = group(a), group(a)
    from_app = [{"IpProtocol": "tcp", "FromPort": 5432, "ToPort": 5432, "UserIdGroupPairs": [{"GroupId": app}]}]
    a.ec2.authorize_security_group_ingress(GroupId=database, IpPermissions=from_app)
    same(look(a, database)["IpPermissions"][0]["UserIdGroupPairs"][0]["GroupId"], app)
    refused("DependencyViolation", lambda: a.ec2.delete_security_group(GroupId=app))
    a.ec2.revoke_security_group_ingress(GroupId=database, IpPermissions=from_app)
    a.ec2.delete_security_group(GroupId=app)


@about("rules are listed with ids of their own", "DescribeSecurityGroupRules")
def _(a):
    mine = group(a)
    a.ec2.authorize_security_group_ingress(GroupId=mine, IpPermissions=rule())
    of_it = [{"Name": "group-id", "Values": [mine]}]
    got = a.ec2.describe_security_group_rules(Filters=of_it)["SecurityGroupRules"]
    same(sorted(r["IsEgress"] for r in got), [False, True])
    true(all(r["SecurityGroupRuleId"].startswith("sgr-") for r in got), "ids that begin with sgr-")


def acl(a):
    return a.ec2.create_network_acl(VpcId=vpc(a)[0])["NetworkAcl"]


def entry(a, of_acl, number=100, action="allow"):
    wanted = {"RuleNumber": number, "Protocol": "-1", "RuleAction": action, "Egress": False, "CidrBlock": "0.0.0.0/0"}
    return a.ec2.create_network_acl_entry(NetworkAclId=of_acl, **wanted)


@about("a new network ACL denies everything", "CreateNetworkAcl")
def _(a):
    got = acl(a)
    same({(e["RuleNumber"], e["RuleAction"]) for e in got["Entries"]}, {(32767, "deny")})
    same(got["IsDefault"], False)


@about("an entry's number twice in one direction is refused", "CreateNetworkAclEntry")
def _(a):
    mine = acl(a)["NetworkAclId"]
    entry(a, mine)
    refused("NetworkAclEntryAlreadyExists", lambda: entry(a, mine, action="deny"))


@about("an entry, or an ACL, that is not there", "errors-overview")
def _(a):
    mine = acl(a)["NetworkAclId"]
    gone = "acl-0123456789abcdef0"
    take = lambda of_acl: a.ec2.delete_network_acl_entry(NetworkAclId=of_acl, RuleNumber=7, Egress=False)
    refused("InvalidNetworkAclEntry.NotFound", lambda: take(mine))
    refused("InvalidNetworkAclID.NotFound", lambda: take(gone))
