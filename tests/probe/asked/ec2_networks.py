"""EC2: VPCs and subnets."""

from ask import of, refused, same, true
from make import new_vpc, vpc

about = of("EC2-NETWORK", "EC2 API")
GONE = "vpc-0123456789abcdef0"


def subnet(a, of_vpc, cidr, zone="ap-northeast-2a"):
    return a.ec2.create_subnet(VpcId=of_vpc, CidrBlock=cidr, AvailabilityZone=zone)["Subnet"]


@about("a new account has a default VPC of 172.31.0.0/16", "VPC guide: default-vpc")
def _(a):
    got = a.ec2.describe_vpcs(Filters=[{"Name": "is-default", "Values": ["true"]}])["Vpcs"]
    same([(v["CidrBlock"], v["IsDefault"], v["State"]) for v in got], [("172.31.0.0/16", True, "available")])


@about("the default VPC has a /20 subnet in each zone, whose instances get public addresses", "VPC guide: default-vpc")
def _(a):
    got = a.ec2.describe_subnets(Filters=[{"Name": "default-for-az", "Values": ["true"]}])["Subnets"]
    true(len({s["AvailabilityZone"] for s in got}) == len(got) >= 3, "one in each of three zones or more")
    same({(s["CidrBlock"].rpartition("/")[2], s["MapPublicIpOnLaunch"]) for s in got}, {("20", True)})


@about("the region's zones are there", "DescribeAvailabilityZones")
def _(a):
    got = a.ec2.describe_availability_zones()["AvailabilityZones"]
    names = {z["ZoneName"] for z in got}
    true({"ap-northeast-2a", "ap-northeast-2b", "ap-northeast-2c"} <= names, f"a, b and c, not {names}")
    same({(z["RegionName"], z["State"]) for z in got}, {("ap-northeast-2", "available")})


def bad_vpc(what, code, cidr):
    @about(f"a VPC of {what} is refused", "CreateVpc; errors-overview")
    def _(a):
        refused(code, lambda: a.ec2.create_vpc(CidrBlock=cidr))


bad_vpc("a /15", "InvalidVpc.Range", "10.0.0.0/15")
bad_vpc("a /29", "InvalidVpc.Range", "10.0.0.0/29")
bad_vpc("no range at all", "InvalidParameterValue", "10.0.0.0.0/16")


@about("a new VPC has a main route table, a network ACL and a default security group", "VPC guide: default components")
def _(a):
    mine = new_vpc(a)
    of_it = [{"Name": "vpc-id", "Values": [mine]}]
    tables = a.ec2.describe_route_tables(Filters=of_it)["RouteTables"]
    same([t["Associations"][0]["Main"] for t in tables], [True])
    same([r["GatewayId"] for r in tables[0]["Routes"]], ["local"])
    same([n["IsDefault"] for n in a.ec2.describe_network_acls(Filters=of_it)["NetworkAcls"]], [True])
    same([g["GroupName"] for g in a.ec2.describe_security_groups(Filters=of_it)["SecurityGroups"]], ["default"])


@about("a VPC that is not there: InvalidVpcID.NotFound", "errors-overview")
def _(a):
    refused("InvalidVpcID.NotFound", lambda: a.ec2.describe_vpcs(VpcIds=[GONE]))
    refused("InvalidVpcID.NotFound", lambda: subnet(a, GONE, "10.0.0.0/24"))
    refused("InvalidVpcID.NotFound", lambda: a.ec2.delete_vpc(VpcId=GONE))


@about("a VPC with a subnet in it is not deleted", "DeleteVpc")
def _(a):
    mine = new_vpc(a)
    one = subnet(a, mine, "10.9.1.0/24")["SubnetId"]
    refused("DependencyViolation", lambda: a.ec2.delete_vpc(VpcId=mine))
    a.ec2.delete_subnet(SubnetId=one)
    a.ec2.delete_vpc(VpcId=mine)
    refused("InvalidVpcID.NotFound", lambda: a.ec2.describe_vpcs(VpcIds=[mine]))


@about("a subnet outside of its VPC's range is refused", "CreateSubnet")
def _(a):
    refused("InvalidSubnet.Range", lambda: subnet(a, new_vpc(a), "10.10.0.0/24"))


@about("a subnet smaller than /28 is refused", "CreateSubnet")
def _(a):
    refused("InvalidSubnet.Range", lambda: subnet(a, new_vpc(a), "10.9.1.0/29"))


@about("a subnet that overlaps another is refused", "CreateSubnet")
def _(a):
    mine = new_vpc(a)
    subnet(a, mine, "10.9.0.0/24")
    refused("InvalidSubnet.Conflict", lambda: subnet(a, mine, "10.9.0.128/25", "ap-northeast-2b"))


@about("a zone that is none is refused", "CreateSubnet")
def _(a):
    refused("InvalidParameterValue", lambda: subnet(a, new_vpc(a), "10.9.1.0/24", "ap-northeast-2z"))


@about("AWS keeps five addresses of a subnet", "VPC guide: subnet-sizing", "L5")
def _(a):
    got = subnet(a, new_vpc(a), "10.9.1.0/27")
    same((got["AvailableIpAddressCount"], got["MapPublicIpOnLaunch"], got["DefaultForAz"]), (27, False, False))


@about("a subnet that is not there: InvalidSubnetID.NotFound", "errors-overview")
def _(a):
    gone = "subnet-0123456789abcdef0"
    refused("InvalidSubnetID.NotFound", lambda: a.ec2.describe_subnets(SubnetIds=[gone]))
    refused("InvalidSubnetID.NotFound", lambda: a.ec2.delete_subnet(SubnetId=gone))


@about("a filter nobody knows is refused", "DescribeVpcs")
def _(a):
    wrong = [{"Name": "colour", "Values": ["blue"]}]
    refused("InvalidParameterValue", lambda: a.ec2.describe_vpcs(Filters=wrong))


@about("tags are put on at the making and found by a filter", "CreateTags")
def _(a):
    name = a.name()
    tag = [{"ResourceType": "vpc", "Tags": [{"Key": "Name", "Value": name}]}]
    mine = new_vpc(a, TagSpecifications=tag)
    a.ec2.create_tags(Resources=[mine], Tags=[{"Key": "run", "Value": "1"}])
    got = a.ec2.describe_vpcs(Filters=[{"Name": "tag:Name", "Values": [name]}])["Vpcs"]
    same([v["VpcId"] for v in got], [mine])
    same(sorted((t["Key"], t["Value"]) for t in got[0]["Tags"]), [("Name", name), ("run", "1")])


@about("a dry run does nothing, and says that it would have", "errors-overview")
def _(a):
    dry = lambda: a.ec2.create_subnet(VpcId=vpc(a)[0], CidrBlock="10.77.200.0/24", DryRun=True)
    refused("DryRunOperation", dry, 412)
    subnets = a.ec2.describe_subnets(Filters=[{"Name": "vpc-id", "Values": [vpc(a)[0]]}])["Subnets"]
    true("10.77.200.0/24" not in [s["CidrBlock"] for s in subnets], "no subnet to be made")
