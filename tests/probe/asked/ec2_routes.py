"""EC2: route tables, gateways and addresses."""

import threading

from ask import of, refused, same, true
from make import new_vpc, remove_gateway

about = of("EC2-ROUTE", "EC2 API")
ALL = "0.0.0.0/0"


def table(a, of_vpc):
    return a.ec2.create_route_table(VpcId=of_vpc)["RouteTable"]["RouteTableId"]


# A region takes five internet gateways, and two are spoken for: of the questions that need some, one is asked at a time.
GATES = threading.Lock()
HERE = threading.local()


def leave():
    HERE.inside = False
    GATES.release()


def gateway(a, of_vpc=None):
    if not getattr(HERE, "inside", False):
        GATES.acquire()
        HERE.inside = True
        a.afterwards(leave)
    made = a.ec2.create_internet_gateway()["InternetGateway"]["InternetGatewayId"]
    a.afterwards(lambda: remove_gateway(a, made))
    if of_vpc:
        a.ec2.attach_internet_gateway(InternetGatewayId=made, VpcId=of_vpc)
    return made


def route(a, of_table, to, cidr=ALL):
    return a.ec2.create_route(RouteTableId=of_table, DestinationCidrBlock=cidr, GatewayId=to)


@about("a route to an internet gateway is active", "CreateRoute")
def _(a):
    mine = new_vpc(a)
    to, of_table = gateway(a, mine), table(a, mine)
    true(route(a, of_table, to)["Return"], "it to be made")
    got = a.ec2.describe_route_tables(RouteTableIds=[of_table])["RouteTables"][0]["Routes"]
    same(sorted((r["DestinationCidrBlock"], r["GatewayId"], r["State"]) for r in got),
         [(ALL, to, "active"), ("10.9.0.0/16", "local", "active")])


@about("a route twice: RouteAlreadyExists", "CreateRoute")
def _(a):
    mine = new_vpc(a)
    one, other, of_table = gateway(a, mine), gateway(a), table(a, mine)
    route(a, of_table, one)
    refused(("RouteAlreadyExists", "InvalidParameterValue"), lambda: route(a, of_table, other))


@about("a route that is not there cannot be deleted", "DeleteRoute")
def _(a):
    of_table = table(a, new_vpc(a))
    refused("InvalidRoute.NotFound", lambda: a.ec2.delete_route(RouteTableId=of_table, DestinationCidrBlock=ALL))


@about("a table that is not there: InvalidRouteTableID.NotFound", "errors-overview")
def _(a):
    gone = "rtb-0123456789abcdef0"
    refused("InvalidRouteTableID.NotFound", lambda: a.ec2.describe_route_tables(RouteTableIds=[gone]))
    refused("InvalidRouteTableID.NotFound", lambda: a.ec2.delete_route_table(RouteTableId=gone))


@about("the main table, and one in use, stay", "DeleteRouteTable")
def _(a):
    mine = new_vpc(a)
    of_it = [{"Name": "vpc-id", "Values": [mine]}]
    main = a.ec2.describe_route_tables(Filters=of_it)["RouteTables"][0]["RouteTableId"]
    refused("DependencyViolation", lambda: a.ec2.delete_route_table(RouteTableId=main))
    used, subnet = table(a, mine), a.ec2.create_subnet(VpcId=mine, CidrBlock="10.9.1.0/24")["Subnet"]["SubnetId"]
    association = a.ec2.associate_route_table(RouteTableId=used, SubnetId=subnet)["AssociationId"]
    refused("DependencyViolation", lambda: a.ec2.delete_route_table(RouteTableId=used))
    a.ec2.disassociate_route_table(AssociationId=association)
    a.ec2.delete_route_table(RouteTableId=used)


@about("a gateway belongs to one VPC, and a VPC has one", "AttachInternetGateway")
def _(a):
    mine, other = new_vpc(a), new_vpc(a)
    it = gateway(a, mine)
    attach = lambda g, v: a.ec2.attach_internet_gateway(InternetGatewayId=g, VpcId=v)
    refused("Resource.AlreadyAssociated", lambda: attach(it, other))
    refused("InvalidParameterValue", lambda: attach(gateway(a), mine))


@about("an attached gateway is not deleted, and one that is not attached cannot be detached", "DeleteInternetGateway")
def _(a):
    mine = new_vpc(a)
    it, free = gateway(a, mine), gateway(a)
    refused("DependencyViolation", lambda: a.ec2.delete_internet_gateway(InternetGatewayId=it))
    refused("Gateway.NotAttached", lambda: a.ec2.detach_internet_gateway(InternetGatewayId=free, VpcId=mine))
    a.ec2.detach_internet_gateway(InternetGatewayId=it, VpcId=mine)
    a.ec2.delete_internet_gateway(InternetGatewayId=it)
    refused("InvalidInternetGatewayID.NotFound", lambda: a.ec2.describe_internet_gateways(InternetGatewayIds=[it]))


@about("a NAT gateway stands in a subnet with an address, after a while", "CreateNatGateway")
def _(a):
    mine = new_vpc(a)
    gateway(a, mine)
    subnet = a.ec2.create_subnet(VpcId=mine, CidrBlock="10.9.1.0/24")["Subnet"]["SubnetId"]
    address = a.ec2.allocate_address(Domain="vpc")["AllocationId"]
    got = a.ec2.create_nat_gateway(SubnetId=subnet, AllocationId=address)["NatGateway"]
    true(got["State"] in ("pending", "available"), f"pending, not {got['State']}")
    look = lambda: a.ec2.describe_nat_gateways(NatGatewayIds=[got["NatGatewayId"]])["NatGateways"][0]
    a.wait("it to be available", lambda: look()["State"] == "available", seconds=60)
    same(look()["NatGatewayAddresses"][0]["AllocationId"], address)


@about("a NAT gateway that is not there: NatGatewayNotFound", "errors-overview")
def _(a):
    gone = "nat-0123456789abcdef0"
    refused("NatGatewayNotFound", lambda: a.ec2.describe_nat_gateways(NatGatewayIds=[gone]))
    refused("NatGatewayNotFound", lambda: a.ec2.delete_nat_gateway(NatGatewayId=gone))


@about("an address is given and given back", "AllocateAddress, ReleaseAddress")
def _(a):
    got = a.ec2.allocate_address(Domain="vpc")
    true(got["AllocationId"].startswith("eipalloc-") and got["Domain"] == "vpc", "an address for VPCs")
    a.ec2.release_address(AllocationId=got["AllocationId"])
    refused("InvalidAllocationID.NotFound", lambda: a.ec2.release_address(AllocationId=got["AllocationId"]))
