"""S3: who may read. Block Public Access, policies, and nobody in particular."""

import json

from ask import of, refused, same, true
from make import bucket
from wire import anonymous

about = of("S3-POLICY", "S3 guide")
ALL = {"BlockPublicAcls": True, "IgnorePublicAcls": True, "BlockPublicPolicy": True, "RestrictPublicBuckets": True}


def policy(name, principal="*", action="s3:GetObject", resource=None, **more):
    statement = {"Effect": "Allow", "Principal": principal, "Action": action, **more}
    statement["Resource"] = resource or f"arn:aws:s3:::{name}/*"
    return json.dumps({"Version": "2012-10-17", "Statement": [statement]})


def opened(a):
    """A bucket that everybody may read from, with one object."""
    name = bucket(a)
    a.s3.delete_public_access_block(Bucket=name)
    a.s3.put_bucket_policy(Bucket=name, Policy=policy(name))
    a.s3.put_object(Bucket=name, Key="a", Body=b"a")
    return name


@about("a new bucket blocks public access, all four switches", "access-control-block-public-access", "C2")
def _(a):
    same(a.s3.get_public_access_block(Bucket=bucket(a))["PublicAccessBlockConfiguration"], ALL)


@about("a public policy is refused under Block Public Access", "access-control-block-public-access", "C2")
def _(a):
    name = bucket(a)
    refused("AccessDenied", lambda: a.s3.put_bucket_policy(Bucket=name, Policy=policy(name)), 403)
    refused("NoSuchBucketPolicy", lambda: a.s3.get_bucket_policy(Bucket=name), 404)


@about("a public policy is refused in its other spelling too", "access-control-block-public-access", "C2")
def _(a):
    name = bucket(a)
    aws = policy(name, principal={"AWS": "*"})
    refused("AccessDenied", lambda: a.s3.put_bucket_policy(Bucket=name, Policy=aws), 403)


@about("a service without a condition on its source is public", "access-control-block-public-access", "C2")
def _(a):
    name = bucket(a)
    a.s3.delete_public_access_block(Bucket=name)
    a.s3.put_bucket_policy(Bucket=name, Policy=policy(name))
    same(a.s3.get_bucket_policy_status(Bucket=name)["PolicyStatus"]["IsPublic"], True)


@about("a policy for one distribution is taken under Block Public Access, and is not public",
       "private-content-restricting-access-to-s3 (CloudFront)", "C2")
def _(a):
    name = bucket(a)
    source = "arn:aws:cloudfront::000000000000:distribution/EXAMPLE"
    wanted = policy(name, {"Service": "cloudfront.amazonaws.com"}, Condition={"StringEquals": {"AWS:SourceArn": source}})
    a.s3.put_bucket_policy(Bucket=name, Policy=wanted)
    same(json.loads(a.s3.get_bucket_policy(Bucket=name)["Policy"]), json.loads(wanted))
    same(a.s3.get_bucket_policy_status(Bucket=name)["PolicyStatus"]["IsPublic"], False)


@about("an anonymous read of a private object is refused", "access-control-overview")
def _(a):
    name = bucket(a)
    a.s3.put_object(Bucket=name, Key="a", Body=b"a")
    status, body, _ = anonymous(f"{a.endpoint}/{name}/a")
    same((status, b"<Code>AccessDenied</Code>" in body), (403, True))


@about("an anonymous write is refused, also where everybody may read", "access-control-overview")
def _(a):
    name = opened(a)
    same(anonymous(f"{a.endpoint}/{name}/b", "PUT", b"b")[0], 403)
    same(anonymous(f"{a.endpoint}/{name}/a", "DELETE")[0], 403)
    same(a.s3.head_object(Bucket=name, Key="a")["ContentLength"], 1)


@about("an anonymous read under a public policy is answered", "example-bucket-policies")
def _(a):
    same(anonymous(f"{a.endpoint}/{opened(a)}/a")[:2], (200, b"a"))


@about("without s3:ListBucket a missing key answers 403, with it 404", "API GetObject", "C3")
def _(a):
    name = opened(a)
    same(anonymous(f"{a.endpoint}/{name}/gone")[0], 403)
    both = json.loads(policy(name))
    both["Statement"] += json.loads(policy(name, action="s3:ListBucket", resource=f"arn:aws:s3:::{name}"))["Statement"]
    a.s3.put_bucket_policy(Bucket=name, Policy=json.dumps(both))
    same(anonymous(f"{a.endpoint}/{name}/gone")[0], 404)


@about("Block Public Access put back on shuts a public bucket", "access-control-block-public-access", "C2")
def _(a):
    name = opened(a)
    a.s3.put_public_access_block(Bucket=name, PublicAccessBlockConfiguration=ALL)
    same(anonymous(f"{a.endpoint}/{name}/a")[0], 403)


@about("a policy that is no JSON is refused", "API ErrorResponses")
def _(a):
    name = bucket(a)
    refused("MalformedPolicy", lambda: a.s3.put_bucket_policy(Bucket=name, Policy="Allow everything"))


@about("a policy about another bucket is refused", "API ErrorResponses")
def _(a):
    name = bucket(a)
    other = policy(name, resource="arn:aws:s3:::another-bucket/*", principal={"AWS": "arn:aws:iam::000000000000:root"})
    refused("MalformedPolicy", lambda: a.s3.put_bucket_policy(Bucket=name, Policy=other))


@about("a policy without an effect is refused", "API ErrorResponses")
def _(a):
    name = bucket(a)
    bad = json.loads(policy(name))
    del bad["Statement"][0]["Effect"]
    refused("MalformedPolicy", lambda: a.s3.put_bucket_policy(Bucket=name, Policy=json.dumps(bad)))


@about("a deny stands above an allow", "access-policy-language-overview; IAM guide: evaluation logic")
def _(a):
    name = opened(a)
    both = json.loads(policy(name))
    both["Statement"].append({**both["Statement"][0], "Effect": "Deny", "Resource": f"arn:aws:s3:::{name}/a"})
    a.s3.put_object(Bucket=name, Key="b", Body=b"b")
    a.s3.put_bucket_policy(Bucket=name, Policy=json.dumps(both))
    same((anonymous(f"{a.endpoint}/{name}/a")[0], anonymous(f"{a.endpoint}/{name}/b")[0]), (403, 200))


@about("a deleted policy is gone, and deleting it again is no error", "API DeleteBucketPolicy")
def _(a):
    name = opened(a)
    a.s3.delete_bucket_policy(Bucket=name)
    a.s3.delete_bucket_policy(Bucket=name)
    true(anonymous(f"{a.endpoint}/{name}/a")[0] == 403, "nobody to read it any more")
