"""ELBv2: targets and their health."""

from ask import of, refused, same, true
from make import balancer, forward, group, listener

about = of("ELB-TARGET", "ELBv2 API")


def register(a, arn, target, **more):
    return a.elbv2.register_targets(TargetGroupArn=arn, Targets=[{"Id": target, **more}])


def health(a, arn, *only):
    more = {"Targets": [{"Id": one} for one in only]} if only else {}
    got = a.elbv2.describe_target_health(TargetGroupArn=arn, **more)["TargetHealthDescriptions"]
    return [(h["Target"]["Id"], h["TargetHealth"]["State"], h["TargetHealth"].get("Reason")) for h in got]


# The API reference names no single code for it.
REFUSED = ("ValidationError", "InvalidTarget")


@about("a public address is no target", "guide: load-balancer-target-groups", "L1")
def _(a):
    arn = group(a)
    refused(REFUSED, lambda: register(a, arn, "203.0.113.7"))
    refused(REFUSED, lambda: register(a, arn, "8.8.8.8", AvailabilityZone="all"))
    same(health(a, arn), [])


@about("a private address outside of the VPC needs the zone all", "TargetDescription", "L1")
def _(a):
    arn = group(a)
    refused("ValidationError", lambda: register(a, arn, "192.168.1.1"))
    register(a, arn, "192.168.1.1", AvailabilityZone="all")
    same(len(health(a, arn)), 1)


@about("an address of 100.64.0.0/10 is one of them", "guide: load-balancer-target-groups", "L1")
def _(a):
    arn = group(a)
    register(a, arn, "100.64.3.4", AvailabilityZone="all")
    refused(REFUSED, lambda: register(a, arn, "100.128.0.1", AvailabilityZone="all"))


@about("an address in the VPC may not have the zone all", "TargetDescription", "L1")
def _(a):
    refused("ValidationError", lambda: register(a, group(a), "10.77.1.9", AvailabilityZone="all"))


@about("one wrong target and none is registered", "RegisterTargets", "L1")
def _(a):
    arn = group(a)
    both = [{"Id": "10.77.1.9"}, {"Id": "203.0.113.7"}]
    refused(REFUSED, lambda: a.elbv2.register_targets(TargetGroupArn=arn, Targets=both))
    same(health(a, arn), [])


@about("an instance that is not there is no target", "RegisterTargets", "L8")
def _(a):
    refused("InvalidTarget", lambda: register(a, group(a, "instance"), "i-0123456789abcdef0"))


@about("an address is no instance, and an instance no address", "RegisterTargets")
def _(a):
    refused("ValidationError", lambda: register(a, group(a, "instance"), "10.77.1.9"))
    refused("ValidationError", lambda: register(a, group(a), "i-0123456789abcdef0"))


@about("a port above 65535 is refused", "TargetDescription")
def _(a):
    refused("ValidationError", lambda: register(a, group(a), "10.77.1.9", Port=70000))


@about("a group that is not there: TargetGroupNotFound", "RegisterTargets")
def _(a):
    arn = "arn:aws:elasticloadbalancing:ap-northeast-2:000000000000:targetgroup/gone/0123456789abcdef"
    refused("TargetGroupNotFound", lambda: register(a, arn, "10.77.1.9"))
    refused("TargetGroupNotFound", lambda: health(a, arn))


@about("targets of a group that nobody uses are unused", "TargetHealth", "L4")
def _(a):
    arn = group(a)
    register(a, arn, "10.77.1.9")
    same(health(a, arn), [("10.77.1.9", "unused", "Target.NotInUse")])


@about("a target that is not registered shows as that", "DescribeTargetHealth", "L4")
def _(a):
    same(health(a, group(a), "10.77.1.9"), [("10.77.1.9", "unused", "Target.NotRegistered")])


@about("the same address on two ports is two targets", "RegisterTargets")
def _(a):
    arn = group(a)
    targets = [{"Id": "10.77.1.9", "Port": port} for port in (80, 81)]
    a.elbv2.register_targets(TargetGroupArn=arn, Targets=targets)
    same(len(health(a, arn)), 2)
    a.elbv2.deregister_targets(TargetGroupArn=arn, Targets=targets[:1])
    same(len([h for h in health(a, arn) if h[1] != "draining"]), 1)


@about("a target nobody listens at is never healthy", "TargetHealth", "L4")
def _(a):
    arn = group(a, HealthCheckIntervalSeconds=5, HealthCheckTimeoutSeconds=2)
    listener(a, balancer(a), forward((arn, 1)))
    register(a, arn, "10.77.1.250")
    states = set()

    def unhealthy():
        states.add(health(a, arn)[0][1])
        return "unhealthy" in states

    a.wait("it to be unhealthy", unhealthy, seconds=60, every=0.2)
    same(states - {"initial", "unused"}, {"unhealthy"})
    true(health(a, arn)[0][2].startswith("Target."), f"why, not {health(a, arn)[0][2]}")


@about("a target that was in use drains when it is deregistered", "DeregisterTargets", "L4")
def _(a):
    arn = group(a)
    listener(a, balancer(a), forward((arn, 1)))
    register(a, arn, "10.77.1.251")
    a.wait("the target to be seen", lambda: health(a, arn)[0][1] != "unused")
    a.elbv2.deregister_targets(TargetGroupArn=arn, Targets=[{"Id": "10.77.1.251"}])
    same(health(a, arn), [("10.77.1.251", "draining", "Target.DeregistrationInProgress")])


@about("a delay of 0 lets a target go at once", "TargetGroupAttribute", "L4")
def _(a):
    arn = group(a)
    delay = [{"Key": "deregistration_delay.timeout_seconds", "Value": "0"}]
    a.elbv2.modify_target_group_attributes(TargetGroupArn=arn, Attributes=delay)
    listener(a, balancer(a), forward((arn, 1)))
    register(a, arn, "10.77.1.252")
    a.elbv2.deregister_targets(TargetGroupArn=arn, Targets=[{"Id": "10.77.1.252"}])
    a.wait("it to be gone", lambda: not health(a, arn), seconds=10)
