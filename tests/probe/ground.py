#!/usr/bin/env python3
"""Makes what the AWS clients' contract (tests/it/aws/) stands on, on a server: a balancer that listens in the default VPC,
a hosted zone, and a database instance where the server makes one without a host. Prints where they are, as JSON.

    ground.py --endpoint http://127.0.0.1:5000
"""

import argparse
import json

import boto3
from botocore.exceptions import ClientError

REGION = "ap-northeast-2"
FIXED = [{"Type": "fixed-response", "FixedResponseConfig": {"StatusCode": "404"}}]


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--endpoint", required=True)
    endpoint = parser.parse_args().endpoint
    session = boto3.session.Session("outgrow", "rehearsal", region_name=REGION)
    ec2, elbv2, route53, rds = (session.client(s, endpoint_url=endpoint) for s in ("ec2", "elbv2", "route53", "rds"))
    subnets = ec2.describe_subnets(Filters=[{"Name": "default-for-az", "Values": ["true"]}])["Subnets"]
    subnets = sorted(subnets, key=lambda s: s["AvailabilityZone"])[:2]
    balancer = elbv2.create_load_balancer(Name="shop", Subnets=[s["SubnetId"] for s in subnets])["LoadBalancers"][0]
    listener = elbv2.create_listener(
        LoadBalancerArn=balancer["LoadBalancerArn"], Protocol="HTTP", Port=80, DefaultActions=FIXED
    )["Listeners"][0]
    zone = route53.create_hosted_zone(Name="shop.test", CallerReference="ground")["HostedZone"]
    try:
        rds.create_db_instance(
            DBInstanceIdentifier="shop-db", DBInstanceClass="db.t4g.medium", Engine="postgres", EngineVersion="15.18",
            AllocatedStorage=20, MasterUsername="owner", MasterUserPassword="correct-horse",
        )
    except ClientError as error:
        # The rehearsal's cloud has it from its seed.
        if error.response["Error"]["Code"] not in ("DBInstanceAlreadyExists", "InsufficientDBInstanceCapacity"):
            raise
    print(json.dumps({
        "vpc": subnets[0]["VpcId"],
        "inside": subnets[0]["CidrBlock"].rpartition(".")[0] + ".77",
        "listener": listener["ListenerArn"],
        "balancer_dns": balancer["DNSName"],
        "balancer_zone": balancer["CanonicalHostedZoneId"],
        "zone": zone["Id"].rpartition("/")[2],
    }))


if __name__ == "__main__":
    main()
