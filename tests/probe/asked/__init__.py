"""The questions, a file a topic. Importing a file asks nothing: it only says what will be asked."""

import importlib

TOPICS = [
    "sts",
    "s3_buckets",
    "s3_policies",
    "s3_objects",
    "s3_multipart",
    "s3_versions",
    "s3_lists",
    "ec2_networks",
    "ec2_groups",
    "ec2_routes",
    "ec2_instances",
    "elb_balancers",
    "elb_groups",
    "elb_targets",
    "elb_listeners",
    "elb_rules",
    "elb_traffic",
    "route53_zones",
    "route53_batches",
    "route53_records",
    "route53_weights",
    "route53_health",
    "cloudfront_distributions",
    "cloudfront_names",
    "cloudfront_beside",
    "acm",
    "rds_groups",
    "rds_instances",
    "cloudwatch",
    "secretsmanager",
]


def load():
    for topic in TOPICS:
        importlib.import_module(f"asked.{topic}")
