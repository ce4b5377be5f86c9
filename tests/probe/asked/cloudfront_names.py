"""CloudFront: names and certificates, and what visitors get."""

import json

from ask import of, refused, same, true
from asked.cloudfront_distributions import change, config, control, deployed, made
from make import bucket, certificate, zone
from wire import lookup, visit

about = of("CDN-NAME", "CloudFront API")


def shown(arn):
    return {"ACMCertificateArn": arn, "SSLSupportMethod": "sni-only", "MinimumProtocolVersion": "TLSv1.2_2021"}


def named(a, name, arn=None, **more):
    wanted = {"Aliases": {"Quantity": 1, "Items": [name]}, **more}
    if arn:
        wanted["ViewerCertificate"] = shown(arn)
    return made(a, **wanted)


@about("an alternate name without a certificate: InvalidViewerCertificate", "CreateDistribution", "C4")
def _(a):
    refused("InvalidViewerCertificate", lambda: named(a, f"{a.name('www')}.{zone(a)[1]}"))


@about("a certificate of another region than us-east-1: InvalidViewerCertificate", "ViewerCertificate", "C1")
def _(a):
    refused("InvalidViewerCertificate", lambda: named(a, f"{a.name('www')}.{zone(a)[1]}", certificate(a)))


@about("a certificate that does not name the alternate name: InvalidViewerCertificate", "CreateDistribution", "C4")
def _(a):
    refused("InvalidViewerCertificate", lambda: named(a, f"{a.name('www')}.elsewhere.test", certificate(a, "us")))


@about("a certificate that is not issued: InvalidViewerCertificate", "ViewerCertificate", "C1")
def _(a):
    name = f"{a.name('www')}.{zone(a)[1]}"
    pending = a.acm_us.request_certificate(DomainName=name, ValidationMethod="DNS")["CertificateArn"]
    refused("InvalidViewerCertificate", lambda: named(a, name, pending))


@about("a name that another distribution has: CNAMEAlreadyExists", "CreateDistribution", "C4")
def _(a):
    name = f"{a.name('www')}.{zone(a)[1]}"
    named(a, name, certificate(a, "us"))
    refused("CNAMEAlreadyExists", lambda: named(a, name, certificate(a, "us")), 409)
    other = named(a, f"{a.name('www')}.{zone(a)[1]}", certificate(a, "us"))["Distribution"]["Id"]
    taken = {"Quantity": 1, "Items": [name]}
    refused("CNAMEAlreadyExists", lambda: change(a, other, Aliases=taken), 409)


@about("conflicting names are listed before anything is made", "ListConflictingAliases", "C4")
def _(a):
    name = f"{a.name('www')}.{zone(a)[1]}"
    named(a, name, certificate(a, "us"))
    mine = named(a, f"{a.name('www')}.{zone(a)[1]}", certificate(a, "us"))["Distribution"]["Id"]
    got = a.cloudfront.list_conflicting_aliases(DistributionId=mine, Alias=name)["ConflictingAliasesList"]
    same((got["Quantity"], got["Items"][0]["Alias"]), (1, name))


@about("a name is free again once its distribution has given it up", "UpdateDistribution", "C4")
def _(a):
    name = f"{a.name('www')}.{zone(a)[1]}"
    first = named(a, name, certificate(a, "us"))["Distribution"]["Id"]
    change(a, first, Aliases={"Quantity": 0})
    named(a, name, certificate(a, "us"))


def served(a):
    """A distribution of a bucket of its own, and its bucket; the bucket's policy names nobody."""
    name = bucket(a)
    wanted = config(a)
    wanted["Origins"]["Items"][0]["DomainName"] = f"{name}.s3.ap-northeast-2.amazonaws.com"
    for key in ("index.html", "docs/index.html", "app.js"):
        a.s3.put_object(Bucket=name, Key=key, Body=key.encode(), ContentType="text/html", CacheControl="no-cache")
    it = a.cloudfront.create_distribution(DistributionConfig=wanted)["Distribution"]
    true(wanted["Origins"]["Items"][0]["OriginAccessControlId"] == control(a), "its access control")
    return it, name


def allow(a, name, it, *actions):
    """The bucket's policy for one distribution."""
    both = {"s3:GetObject": f"arn:aws:s3:::{name}/*", "s3:ListBucket": f"arn:aws:s3:::{name}"}
    statements = [{"Effect": "Allow", "Principal": {"Service": "cloudfront.amazonaws.com"}, "Action": action,
                   "Resource": both[action], "Condition": {"StringEquals": {"AWS:SourceArn": it["ARN"]}}} for action in actions]
    a.s3.put_bucket_policy(Bucket=name, Policy=json.dumps({"Version": "2012-10-17", "Statement": statements}))


def get(a, it, path):
    address = a.wait("its name to be known", lambda: lookup(a, it["DomainName"])[0])[0][0]
    return visit(address, it["DomainName"], path)[:2]


def until(a, it, path, wanted):
    a.wait(f"{path} to answer {wanted}", lambda: get(a, it, path)[0] == wanted, seconds=30)


@about("a private bucket is read by the distribution its policy names, and by no other",
       "guide: private-content-restricting-access-to-s3", "C2")
def _(a):
    it, name = served(a)
    deployed(a, it["Id"])
    same(get(a, it, "/app.js")[0], 403)
    allow(a, name, it, "s3:GetObject")
    until(a, it, "/app.js", 200)
    same(get(a, it, "/app.js"), (200, "app.js"))
    allow(a, name, {"ARN": it["ARN"][:-3] + "XYZ"}, "s3:GetObject")
    until(a, it, "/docs/index.html", 403)


@about("the default root object is served at / only", "guide: DefaultRootObject", "C3")
def _(a):
    it, name = served(a)
    allow(a, name, it, "s3:GetObject")
    deployed(a, it["Id"])
    until(a, it, "/", 200)
    same(get(a, it, "/"), (200, "index.html"))
    same(get(a, it, "/docs/")[0], 403)


@about("without s3:ListBucket a missing key is 403, with it 404", "guide: troubleshooting-response-errors", "C3")
def _(a):
    it, name = served(a)
    allow(a, name, it, "s3:GetObject")
    deployed(a, it["Id"])
    until(a, it, "/app.js", 200)
    same(get(a, it, "/gone-1")[0], 403)
    allow(a, name, it, "s3:GetObject", "s3:ListBucket")
    until(a, it, "/gone-2", 404)


@about("an error page answers in an error's place", "guide: GeneratingCustomErrorResponses", "C3")
def _(a):
    it, name = served(a)
    allow(a, name, it, "s3:GetObject")
    page = {"ErrorCode": 403, "ResponsePagePath": "/index.html", "ResponseCode": "200", "ErrorCachingMinTTL": 0}
    change(a, it["Id"], CustomErrorResponses={"Quantity": 1, "Items": [page]})
    deployed(a, it["Id"])
    until(a, it, "/no/such/page", 200)
    same(get(a, it, "/no/such/page"), (200, "index.html"))
