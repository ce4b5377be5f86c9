"""ELBv2: target groups."""

from ask import of, refused, same, true
from make import balancer, forward, group, listener, vpc

about = of("ELB-GROUP", "ELBv2 API")


def create(a, **more):
    wanted = {"Name": a.name("tg"), "Protocol": "HTTP", "Port": 80, "VpcId": vpc(a)[0], "TargetType": "ip", **more}
    wanted = {key: value for key, value in wanted.items() if value is not None}
    return a.elbv2.create_target_group(**wanted)["TargetGroups"][0]


@about("a group's health check has AWS's defaults", "CreateTargetGroup")
def _(a):
    got = create(a)
    wanted = {"HealthCheckProtocol": "HTTP", "HealthCheckPort": "traffic-port", "HealthCheckPath": "/",
              "HealthCheckIntervalSeconds": 30, "HealthCheckTimeoutSeconds": 5, "HealthyThresholdCount": 5,
              "UnhealthyThresholdCount": 2, "Matcher": {"HttpCode": "200"}, "HealthCheckEnabled": True}
    same({key: got.get(key) for key in wanted}, wanted)
    same((got["ProtocolVersion"], got["LoadBalancerArns"]), ("HTTP1", []))


@about("the same group asked for again is the one that is there", "CreateTargetGroup")
def _(a):
    one = create(a)
    same(create(a, Name=one["TargetGroupName"])["TargetGroupArn"], one["TargetGroupArn"])


@about("a name that is taken by another group is refused", "CreateTargetGroup")
def _(a):
    name = create(a)["TargetGroupName"]
    refused("DuplicateTargetGroupName", lambda: create(a, Name=name, Port=8080))


@about("a group needs a VPC that is there", "CreateTargetGroup")
def _(a):
    refused("ValidationError", lambda: create(a, VpcId=None))
    refused("ValidationError", lambda: create(a, VpcId="vpc-0123456789abcdef0"))


def bad(what, **more):
    @about(f"{what} is refused", "CreateTargetGroup")
    def _(a):
        refused("ValidationError", lambda: create(a, **more))


bad("a group's name with a dot", Name="my.group")
bad("a group's name of 33 characters", Name="a" * 33)
bad("port 65536", Port=65536)
bad("a health check every 4 s", HealthCheckIntervalSeconds=4)
bad("a health check that takes 121 s", HealthCheckTimeoutSeconds=121, HealthCheckIntervalSeconds=300)
bad("a health check that takes as long as its interval", HealthCheckIntervalSeconds=10, HealthCheckTimeoutSeconds=10)
bad("a threshold of 1", HealthyThresholdCount=1)
bad("a threshold of 11", UnhealthyThresholdCount=11)
bad("a matcher of 600", Matcher={"HttpCode": "600"})
bad("a health check path without a slash", HealthCheckPath="healthz")


@about("deregistration takes 300 s unless set", "TargetGroupAttribute", "L4")
def _(a):
    got = a.elbv2.describe_target_group_attributes(TargetGroupArn=group(a))["Attributes"]
    got = {one["Key"]: one["Value"] for one in got}
    wanted = {"deregistration_delay.timeout_seconds": "300", "stickiness.enabled": "false", "slow_start.duration_seconds": "0",
              "load_balancing.algorithm.type": "round_robin", "stickiness.type": "lb_cookie"}
    same({key: got.get(key) for key in wanted}, wanted)


def set_(a, key, value):
    return a.elbv2.modify_target_group_attributes(TargetGroupArn=group(a), Attributes=[{"Key": key, "Value": value}])


@about("the deregistration delay is 0 to 3,600 s", "TargetGroupAttribute", "L4")
def _(a):
    set_(a, "deregistration_delay.timeout_seconds", "0")
    set_(a, "deregistration_delay.timeout_seconds", "3600")
    for wrong in ("3601", "-1", "soon"):
        refused(("ValidationError", "InvalidConfigurationRequest"),
                lambda wrong=wrong: set_(a, "deregistration_delay.timeout_seconds", wrong))


@about("stickiness lasts 1 s to 7 days", "TargetGroupAttribute", "L2")
def _(a):
    set_(a, "stickiness.lb_cookie.duration_seconds", "604800")
    refused(("ValidationError", "InvalidConfigurationRequest"),
            lambda: set_(a, "stickiness.lb_cookie.duration_seconds", "604801"))


@about("a group in use is not deleted", "DeleteTargetGroup")
def _(a):
    it, arn = balancer(a), group(a)
    listener(a, it, forward((arn, 1)))
    refused("ResourceInUse", lambda: a.elbv2.delete_target_group(TargetGroupArn=arn))
    same(a.elbv2.describe_target_groups(TargetGroupArns=[arn])["TargetGroups"][0]["LoadBalancerArns"], [it["LoadBalancerArn"]])
    a.elbv2.delete_load_balancer(LoadBalancerArn=it["LoadBalancerArn"])
    a.elbv2.delete_target_group(TargetGroupArn=arn)


@about("deleting a group that is gone is no error, describing it is", "DeleteTargetGroup, DescribeTargetGroups")
def _(a):
    arn = group(a)
    a.elbv2.delete_target_group(TargetGroupArn=arn)
    a.elbv2.delete_target_group(TargetGroupArn=arn)
    refused("TargetGroupNotFound", lambda: a.elbv2.describe_target_groups(TargetGroupArns=[arn]))
    refused("TargetGroupNotFound", lambda: a.elbv2.describe_target_groups(Names=["gone"]))


@about("a group that one balancer uses is refused to another", "CreateListener")
def _(a):
    arn = group(a)
    listener(a, balancer(a), forward((arn, 1)))
    refused("TargetGroupAssociationLimit", lambda: listener(a, balancer(a), forward((arn, 1))))


@about("a health check is changed in place", "ModifyTargetGroup")
def _(a):
    arn = group(a)
    got = a.elbv2.modify_target_group(TargetGroupArn=arn, HealthCheckPath="/up", HealthCheckIntervalSeconds=10)
    got = got["TargetGroups"][0]
    same((got["HealthCheckPath"], got["HealthCheckIntervalSeconds"]), ("/up", 10))
    refused("ValidationError", lambda: a.elbv2.modify_target_group(TargetGroupArn=arn, HealthCheckTimeoutSeconds=10))
    true(got["Port"] == 80, "its port as before")
