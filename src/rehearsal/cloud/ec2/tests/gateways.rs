//! Route tables, internet and NAT gateways, Elastic addresses.

use super::super::testing::{Here, VPC, refused};

#[test]
fn tables_carry_routes_and_subnets() {
    let here = Here::new();
    let table = here.get(&format!("CreateRouteTable&VpcId={VPC}"), "routeTable.routeTableId");
    let gateway = here.get("DescribeInternetGateways", "internetGatewaySet.item.internetGatewayId");
    let route = |verb: &str, to: &str| format!("{verb}&RouteTableId={table}&DestinationCidrBlock={to}");
    let out = |to: &str| format!("{}&GatewayId={gateway}", route("CreateRoute", to));
    here.ask(&out("0.0.0.0/0")).unwrap();
    refused!(here, out("10.0.0.0/16"), "RouteAlreadyExists", "10.0.0.0/16");
    refused!(here, route("CreateRoute", "1.0.0.0/8"), "MissingParameter");
    refused!(here, format!("{}&GatewayId=igw-gone", route("CreateRoute", "1.0.0.0/8")), "InvalidGatewayID.NotFound");
    let loose = here.get("CreateInternetGateway", "internetGateway.internetGatewayId");
    let across = format!("{}&GatewayId={loose}", route("CreateRoute", "1.0.0.0/8"));
    refused!(here, across, "InvalidParameterValue", "belong to different networks");
    here.ask(&format!("{}&GatewayId={gateway}", route("ReplaceRoute", "0.0.0.0/0"))).unwrap();
    refused!(here, route("DeleteRoute", "2.0.0.0/8"), "InvalidRoute.NotFound", "no route with destination-cidr-block");
    refused!(here, route("DeleteRoute", "10.0.0.0/16"), "InvalidParameterValue", "local route");

    let subnet = &here.subnets[0];
    let tie = format!("AssociateRouteTable&RouteTableId={table}&SubnetId={subnet}");
    let association = here.get(&tie, "associationId");
    assert_eq!(here.get(&tie, "associationId"), association, "the same again is no second one");
    let other = here.get(&format!("CreateRouteTable&VpcId={VPC}"), "routeTable.routeTableId");
    refused!(here, format!("AssociateRouteTable&RouteTableId={other}&SubnetId={subnet}"), "Resource.AlreadyAssociated");
    refused!(here, format!("DeleteRouteTable&RouteTableId={table}"), "DependencyViolation");
    here.ask(&format!("DisassociateRouteTable&AssociationId={association}")).unwrap();
    refused!(here, format!("DisassociateRouteTable&AssociationId={association}"), "InvalidAssociationID.NotFound");

    let main = "DescribeRouteTables&Filter.1.Name=association.main&Filter.1.Value.1=true";
    let before = here.get(main, "routeTableSet.item.routeTableId");
    let of_vpc = here.get(main, "routeTableSet.item.associationSet.item.routeTableAssociationId");
    refused!(
        here,
        format!("DisassociateRouteTable&AssociationId={of_vpc}"),
        "InvalidParameterValue",
        "main route table"
    );
    refused!(here, format!("DeleteRouteTable&RouteTableId={before}"), "DependencyViolation");
    here.ask(&format!("ReplaceRouteTableAssociation&AssociationId={of_vpc}&RouteTableId={table}")).unwrap();
    assert_eq!(here.get(main, "routeTableSet.item.routeTableId"), table);
    here.ask(&format!("DeleteRouteTable&RouteTableId={before}")).unwrap();
}

#[test]
fn a_vpc_has_one_internet_gateway() {
    let here = Here::new();
    let own = here.get("DescribeInternetGateways", "internetGatewaySet.item.internetGatewayId");
    let second = here.get("CreateInternetGateway", "internetGateway.internetGatewayId");
    let act = |verb: &str, id: &str| format!("{verb}&InternetGatewayId={id}&VpcId={VPC}");
    refused!(here, act("AttachInternetGateway", &own), "Resource.AlreadyAssociated");
    refused!(here, act("AttachInternetGateway", &second), "InvalidParameterValue", "already has an internet gateway");
    refused!(here, act("DetachInternetGateway", &second), "Gateway.NotAttached");
    refused!(here, format!("DeleteInternetGateway&InternetGatewayId={own}"), "DependencyViolation");
    here.cloud.seed_balancer("shop", "127.80.0.1".parse().unwrap(), &here.subnets);
    refused!(here, act("DetachInternetGateway", &own), "DependencyViolation", "mapped public address");
    here.cloud.shared().lock().balancers.clear();
    here.ask(&act("DetachInternetGateway", &own)).unwrap();
    let told = "DescribeRouteTables&Filter.1.Name=route.state&Filter.1.Value.1=blackhole";
    assert_eq!(here.ask(told).unwrap().items("routeTableSet").count(), 1, "the route leads nowhere now");
    here.ask(&format!("DeleteInternetGateway&InternetGatewayId={own}")).unwrap();
    refused!(here, format!("DeleteInternetGateway&InternetGatewayId={own}"), "InvalidInternetGatewayID.NotFound");
}

#[test]
fn a_nat_gateway_needs_an_address_and_takes_its_time() {
    let here = Here::new();
    let subnet = &here.subnets[0];
    refused!(here, format!("CreateNatGateway&SubnetId={subnet}"), "MissingParameter", "allocationId");
    let gone = format!("CreateNatGateway&SubnetId={subnet}&AllocationId=eipalloc-gone");
    refused!(here, gone, "InvalidAllocationID.NotFound");
    let address = here.get("AllocateAddress&Domain=vpc", "allocationId");
    let form = format!("CreateNatGateway&SubnetId={subnet}&AllocationId={address}&ClientToken=once");
    let id = here.get(&form, "natGateway.natGatewayId");
    assert_eq!(here.get(&form, "natGateway.natGatewayId"), id, "the token makes it once");
    let state = |id: &str| here.get(&format!("DescribeNatGateways&NatGatewayId.1={id}"), "natGatewaySet.item.state");
    assert_eq!(state(&id), "pending");
    here.wait(6);
    assert_eq!(state(&id), "available");
    refused!(here, format!("ReleaseAddress&AllocationId={address}"), "InvalidIPAddress.InUse");
    let twice = format!("CreateNatGateway&SubnetId={subnet}&AllocationId={address}");
    let second = here.get(&twice, "natGateway.natGatewayId");
    here.wait(6);
    assert_eq!(state(&second), "failed");
    let told = format!("DescribeNatGateways&NatGatewayId.1={second}");
    assert_eq!(here.get(&told, "natGatewaySet.item.failureCode"), "Resource.AlreadyAssociated");
    here.ask(&format!("DeleteNatGateway&NatGatewayId={id}")).unwrap();
    assert_eq!(state(&id), "deleting");
    here.wait(6);
    assert_eq!(state(&id), "deleted");
    here.ask(&format!("ReleaseAddress&AllocationId={address}")).unwrap();
    here.wait(3601);
    refused!(here, format!("DescribeNatGateways&NatGatewayId.1={id}"), "NatGatewayNotFound");
}

#[test]
fn addresses_move_unless_that_is_forbidden() {
    let here = Here::new();
    let form = format!(
        "RunInstances&ImageId=ami-0deb1200000000864&InstanceType=t3a.small&MinCount=1&MaxCount=1&SubnetId={}",
        here.subnets[0]
    );
    let (one, two) = (here.get(&form, "instancesSet.item.instanceId"), here.get(&form, "instancesSet.item.instanceId"));
    let address = here.get("AllocateAddress", "allocationId");
    let tie =
        |instance: &str, rest: &str| format!("AssociateAddress&AllocationId={address}&InstanceId={instance}{rest}");
    refused!(here, tie(&one, ""), "InvalidInstanceID", "pending");
    here.wait(6);
    let first = here.get(&tie(&one, ""), "associationId");
    assert_eq!(here.get(&tie(&one, ""), "associationId"), first);
    refused!(here, tie(&two, "&AllowReassociation=false"), "Resource.AlreadyAssociated", first.as_str());
    let second = here.get(&tie(&two, ""), "associationId");
    let told = format!("DescribeAddresses&Filter.1.Name=instance-id&Filter.1.Value.1={two}");
    assert_eq!(here.get(&told, "addressesSet.item.associationId"), second);
    refused!(here, format!("DisassociateAddress&AssociationId={first}"), "InvalidAssociationID.NotFound");
    here.ask(&format!("TerminateInstances&InstanceId.1={two}")).unwrap();
    here.wait(6);
    here.ask(&format!("ReleaseAddress&AllocationId={address}")).unwrap();
    refused!(here, format!("ReleaseAddress&AllocationId={address}"), "InvalidAllocationID.NotFound");
    for _ in 0..5 {
        here.ask("AllocateAddress").unwrap();
    }
    refused!(here, "AllocateAddress", "AddressLimitExceeded");
}
