"""What several questions need first. Each makes a thing of its own, unless it says that it is shared."""

import contextlib
import fcntl
import ipaddress
import socket
import struct
import threading
import time

from botocore.exceptions import ClientError

from account import REGION

SIOCGIFADDR = 0x8915
PRIVATE = ("10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16", "100.64.0.0/10")


def bucket(a):
    """A new bucket's name."""
    name = a.name("probe-bucket")
    a.s3.create_bucket(Bucket=name, CreateBucketConfiguration={"LocationConstraint": REGION})
    return name


def objects(a):
    """A bucket that is shared: for keys nobody else uses."""
    return a.shared("bucket", lambda: bucket(a))


def zone(a):
    """A zone that is shared, for names nobody else uses: id and name."""

    def make():
        name = f"{a.name('zone')}.test"
        got = a.route53.create_hosted_zone(Name=name, CallerReference=a.name())
        return got["HostedZone"]["Id"], name

    return a.shared("zone", make)


def vpc(a):
    """A VPC of 10.77.0.0/16 that is shared: its id, and a subnet in each of three zones, 10.77.1.0/24 and so on."""

    def make():
        made = a.ec2.create_vpc(CidrBlock="10.77.0.0/16")["Vpc"]["VpcId"]
        subnets = [
            a.ec2.create_subnet(VpcId=made, CidrBlock=f"10.77.{n}.0/24", AvailabilityZone=f"{REGION}{letter}")
            for n, letter in enumerate("abc", 1)
        ]
        gateway = a.ec2.create_internet_gateway()["InternetGateway"]["InternetGatewayId"]
        a.ec2.attach_internet_gateway(VpcId=made, InternetGatewayId=gateway)
        return made, [s["Subnet"]["SubnetId"] for s in subnets]

    return a.shared("vpc", make)


# A region takes five VPCs: the default one, the shared one, and so many beside.
BESIDE = threading.BoundedSemaphore(3)


def new_vpc(a, cidr="10.9.0.0/16", **more):
    """A VPC of one's own, until the question is over."""
    BESIDE.acquire()
    try:
        made = a.ec2.create_vpc(CidrBlock=cidr, **more)["Vpc"]["VpcId"]
    except Exception:
        BESIDE.release()
        raise
    a.afterwards(lambda: remove_vpc(a, made))
    return made


def remove_vpc(a, made):
    """Takes a VPC away with what is in it; what is gone already is no error."""
    ec2 = a.client("ec2", checked=False)
    of_it = [{"Name": "vpc-id", "Values": [made]}]
    attached = [{"Name": "attachment.vpc-id", "Values": [made]}]

    def attempt(call, **given):
        with contextlib.suppress(ClientError):
            call(**given)

    try:
        for gateway in ec2.describe_nat_gateways(Filters=of_it)["NatGateways"]:
            attempt(ec2.delete_nat_gateway, NatGatewayId=gateway["NatGatewayId"])
        for gateway in ec2.describe_internet_gateways(Filters=attached)["InternetGateways"]:
            which = gateway["InternetGatewayId"]
            attempt(ec2.detach_internet_gateway, InternetGatewayId=which, VpcId=made)
            attempt(ec2.delete_internet_gateway, InternetGatewayId=which)
        left = time.monotonic() + 20
        while time.monotonic() < left:
            for subnet in ec2.describe_subnets(Filters=of_it)["Subnets"]:
                attempt(ec2.delete_subnet, SubnetId=subnet["SubnetId"])
            if not ec2.describe_subnets(Filters=of_it)["Subnets"]:
                break
            time.sleep(0.5)
        for table in ec2.describe_route_tables(Filters=of_it)["RouteTables"]:
            attempt(ec2.delete_route_table, RouteTableId=table["RouteTableId"])
        for group in ec2.describe_security_groups(Filters=of_it)["SecurityGroups"]:
            attempt(ec2.delete_security_group, GroupId=group["GroupId"])
        attempt(ec2.delete_vpc, VpcId=made)
    finally:
        BESIDE.release()


def balancer(a):
    """A new Application Load Balancer in two zones, as it is described."""
    got = a.elbv2.create_load_balancer(Name=a.name("alb"), Subnets=vpc(a)[1][:2])
    return got["LoadBalancers"][0]


def shared_balancer(a):
    """One for whatever does not mind others' listeners."""
    return a.shared("balancer", lambda: balancer(a))


def group(a, kind="ip", **more):
    """A new target group's ARN."""
    wanted = {"Name": a.name("tg"), "Protocol": "HTTP", "Port": 80, "VpcId": vpc(a)[0], "TargetType": kind, **more}
    return a.elbv2.create_target_group(**wanted)["TargetGroups"][0]["TargetGroupArn"]


def port(a):
    """A listener port nobody has on a shared balancer."""
    return 10000 + int(a.name().rpartition("-")[2])


FIXED = [{"Type": "fixed-response", "FixedResponseConfig": {"StatusCode": "404"}}]


def listener(a, of=None, actions=None, at=None):
    """A new HTTP listener's ARN."""
    of = of or shared_balancer(a)
    wanted = {"LoadBalancerArn": of["LoadBalancerArn"], "Protocol": "HTTP", "Port": at or port(a)}
    return a.elbv2.create_listener(**wanted, DefaultActions=actions or FIXED)["Listeners"][0]["ListenerArn"]


def forward(*weighted, **config):
    """A forward action to (ARN, weight) pairs."""
    groups = [{"TargetGroupArn": arn, "Weight": weight} for arn, weight in weighted]
    return [{"Type": "forward", "ForwardConfig": {"TargetGroups": groups, **config}}]


def certificate(a, where="here"):
    """An issued certificate for the shared zone and all below it, that is shared: `here` or in `us`-east-1."""

    def make():
        acm = a.acm if where == "here" else a.acm_us
        zone_id, name = zone(a)
        wanted = {"DomainName": name, "SubjectAlternativeNames": [f"*.{name}"], "ValidationMethod": "DNS"}
        arn = acm.request_certificate(**wanted)["CertificateArn"]
        prove(a, acm, arn, zone_id)
        return arn

    return a.shared(f"certificate {where}", make)


def prove(a, acm, arn, zone_id):
    """Puts a certificate's validation records into the zone and waits until it is issued."""

    def records():
        options = acm.describe_certificate(CertificateArn=arn)["Certificate"].get("DomainValidationOptions", [])
        return options and all("ResourceRecord" in o for o in options) and options

    options = a.wait("validation records", records)
    wanted = {o["ResourceRecord"]["Name"]: o["ResourceRecord"]["Value"] for o in options}
    changes = [upsert(name, "CNAME", value) for name, value in wanted.items()]
    a.route53.change_resource_record_sets(HostedZoneId=zone_id, ChangeBatch={"Changes": changes})
    issued = lambda: acm.describe_certificate(CertificateArn=arn)["Certificate"]["Status"] == "ISSUED"
    a.wait("the certificate to be issued", issued, seconds=60, every=0.5)


def record(name, kind="A", value="192.0.2.1", ttl=300, **more):
    """A record set."""
    values = [value] if isinstance(value, str) else value
    return {"Name": name, "Type": kind, "TTL": ttl, "ResourceRecords": [{"Value": v} for v in values], **more}


def change(action, record_set):
    return {"Action": action, "ResourceRecordSet": record_set}


def upsert(name, kind="A", value="192.0.2.1", **more):
    return change("UPSERT", record(name, kind, value, **more))


def own_address():
    """A private address of this machine, which a target may have; nothing where there is none."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as udp:
        for _, name in socket.if_nameindex():
            asked = struct.pack("256s", name.encode()[:15])
            try:
                found = fcntl.ioctl(udp.fileno(), SIOCGIFADDR, asked)
            except OSError:
                continue
            address = ipaddress.ip_address(found[20:24])
            if any(address in ipaddress.ip_network(range_) for range_ in PRIVATE):
                return str(address)
    return None
