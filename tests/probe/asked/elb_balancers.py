"""ELBv2: balancers."""

from ask import of, refused, same, true
from make import balancer, listener, new_vpc, shared_balancer, vpc

about = of("ELB-BALANCER", "ELBv2 API")


def create(a, **more):
    wanted = {"Name": a.name("alb"), "Subnets": vpc(a)[1][:2], **more}
    return a.elbv2.create_load_balancer(**wanted)["LoadBalancers"][0]


@about("a new balancer is described with its name, zones and where it is", "CreateLoadBalancer")
def _(a):
    got = balancer(a)
    true(got["State"]["Code"] in ("provisioning", "active"), f"it on its way, not {got['State']['Code']}")
    same((got["Type"], got["Scheme"], got["VpcId"]), ("application", "internet-facing", vpc(a)[0]))
    same(sorted(z["SubnetId"] for z in got["AvailabilityZones"]), sorted(vpc(a)[1][:2]))
    true(got["DNSName"].endswith(".ap-northeast-2.elb.amazonaws.com"), "its name in its region")
    same(got["CanonicalHostedZoneId"], "ZWKZPGTI48KDX")
    look = lambda: a.elbv2.describe_load_balancers(LoadBalancerArns=[got["LoadBalancerArn"]])["LoadBalancers"][0]
    a.wait("it to be active", lambda: look()["State"]["Code"] == "active", seconds=60)


@about("one subnet is refused", "CreateLoadBalancer", "L5")
def _(a):
    refused("ValidationError", lambda: create(a, Subnets=vpc(a)[1][:1]), saying="two subnets")


@about("two subnets in one zone are refused", "CreateLoadBalancer", "L5")
def _(a):
    twin = a.ec2.create_subnet(VpcId=vpc(a)[0], CidrBlock="10.77.100.0/24", AvailabilityZone="ap-northeast-2a")
    subnets = [vpc(a)[1][0], twin["Subnet"]["SubnetId"]]
    refused("InvalidConfigurationRequest", lambda: create(a, Subnets=subnets), saying="same Availability Zone")


@about("a subnet that is not there: SubnetNotFound", "CreateLoadBalancer", "L5")
def _(a):
    refused("SubnetNotFound", lambda: create(a, Subnets=[vpc(a)[1][0], "subnet-0123456789abcdef0"]))


@about("a subnet smaller than /27 is refused", "CreateLoadBalancer; guide: application-load-balancers", "L5")
def _(a):
    small = a.ec2.create_subnet(VpcId=vpc(a)[0], CidrBlock="10.77.101.0/28", AvailabilityZone="ap-northeast-2b")
    subnets = [vpc(a)[1][0], small["Subnet"]["SubnetId"]]
    refused("InvalidSubnet", lambda: create(a, Subnets=subnets))


@about("subnets of two VPCs are refused", "CreateLoadBalancer", "L5")
def _(a):
    other = new_vpc(a, "10.88.0.0/16")
    far = a.ec2.create_subnet(VpcId=other, CidrBlock="10.88.1.0/24", AvailabilityZone="ap-northeast-2b")
    subnets = [vpc(a)[1][0], far["Subnet"]["SubnetId"]]
    refused(("InvalidConfigurationRequest", "InvalidSubnet", "ValidationError"), lambda: create(a, Subnets=subnets))


@about("a security group that is not there: InvalidSecurityGroup", "CreateLoadBalancer")
def _(a):
    refused("InvalidSecurityGroup", lambda: create(a, SecurityGroups=["sg-0123456789abcdef0"]))


@about("a name that is taken by another balancer is refused", "CreateLoadBalancer")
def _(a):
    name = create(a)["LoadBalancerName"]
    refused("DuplicateLoadBalancerName", lambda: create(a, Name=name, Scheme="internal"))


@about("the same balancer asked for again is the one that is there", "CreateLoadBalancer")
def _(a):
    one = create(a)
    same(create(a, Name=one["LoadBalancerName"])["LoadBalancerArn"], one["LoadBalancerArn"])


def bad_name(what, name):
    @about(f"a balancer's name {what} is refused", "CreateLoadBalancer")
    def _(a):
        refused("ValidationError", lambda: create(a, Name=name))


bad_name("of 33 characters", "a" * 33)
bad_name("that begins with a hyphen", "-alb")
bad_name("that begins with internal-", "internal-alb")
bad_name("with an underscore", "my_alb")


@about("a balancer that is not there: LoadBalancerNotFound", "DescribeLoadBalancers")
def _(a):
    arn = "arn:aws:elasticloadbalancing:ap-northeast-2:000000000000:loadbalancer/app/gone/0123456789abcdef"
    refused("LoadBalancerNotFound", lambda: a.elbv2.describe_load_balancers(Names=["gone"]))
    refused("LoadBalancerNotFound", lambda: a.elbv2.describe_load_balancers(LoadBalancerArns=[arn]))


@about("deleting a balancer that is gone is no error", "DeleteLoadBalancer")
def _(a):
    arn = balancer(a)["LoadBalancerArn"]
    a.elbv2.delete_load_balancer(LoadBalancerArn=arn)
    a.elbv2.delete_load_balancer(LoadBalancerArn=arn)
    refused("LoadBalancerNotFound", lambda: a.elbv2.describe_load_balancers(LoadBalancerArns=[arn]))


@about("a balancer's listeners go with it", "DeleteLoadBalancer")
def _(a):
    it = balancer(a)
    arn = listener(a, it)
    a.elbv2.delete_load_balancer(LoadBalancerArn=it["LoadBalancerArn"])
    refused("ListenerNotFound", lambda: a.elbv2.describe_listeners(ListenerArns=[arn]))


def attribute(a, arn, key, value):
    wanted = [{"Key": key, "Value": value}]
    return a.elbv2.modify_load_balancer_attributes(LoadBalancerArn=arn, Attributes=wanted)


@about("a protected balancer is not deleted", "DeleteLoadBalancer")
def _(a):
    arn = balancer(a)["LoadBalancerArn"]
    attribute(a, arn, "deletion_protection.enabled", "true")
    refused("OperationNotPermitted", lambda: a.elbv2.delete_load_balancer(LoadBalancerArn=arn))
    attribute(a, arn, "deletion_protection.enabled", "false")
    a.elbv2.delete_load_balancer(LoadBalancerArn=arn)


@about("the idle timeout is 60 s unless set", "LoadBalancerAttribute", "L6")
def _(a):
    arn = balancer(a)["LoadBalancerArn"]
    got = a.elbv2.describe_load_balancer_attributes(LoadBalancerArn=arn)["Attributes"]
    got = {one["Key"]: one["Value"] for one in got}
    same((got["idle_timeout.timeout_seconds"], got["deletion_protection.enabled"]), ("60", "false"))
    same((got["routing.http2.enabled"], got["routing.http.drop_invalid_header_fields.enabled"]), ("true", "false"))


@about("the idle timeout is 1 to 4,000 s", "LoadBalancerAttribute", "L6")
def _(a):
    arn = balancer(a)["LoadBalancerArn"]
    for wrong in ("0", "4001", "soon"):
        refused(("ValidationError", "InvalidConfigurationRequest"),
                lambda wrong=wrong: attribute(a, arn, "idle_timeout.timeout_seconds", wrong))
    attribute(a, arn, "idle_timeout.timeout_seconds", "4000")


@about("an attribute nobody knows is refused", "ModifyLoadBalancerAttributes")
def _(a):
    arn = shared_balancer(a)["LoadBalancerArn"]
    refused(("ValidationError", "InvalidConfigurationRequest"), lambda: attribute(a, arn, "no.such.attribute", "1"))


@about("tags come and go, and a key twice is refused", "AddTags")
def _(a):
    arn = balancer(a)["LoadBalancerArn"]
    add = lambda *pairs: a.elbv2.add_tags(ResourceArns=[arn], Tags=[{"Key": k, "Value": v} for k, v in pairs])
    add(("a", "1"), ("b", "2"))
    a.elbv2.remove_tags(ResourceArns=[arn], TagKeys=["a"])
    same(a.elbv2.describe_tags(ResourceArns=[arn])["TagDescriptions"][0]["Tags"], [{"Key": "b", "Value": "2"}])
    refused("DuplicateTagKeys", lambda: add(("c", "1"), ("c", "2")))
