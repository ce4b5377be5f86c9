"""CloudFront: distributions."""

import copy

from ask import of, refused, same, true
from make import bucket

about = of("CDN", "CloudFront API")
OPTIMIZED = "658327ea-f89d-4fab-a63d-7e88639e58f6"


def config(a, reference=None, **more):
    """What a distribution of a private bucket is made of."""
    name = a.shared("cdn bucket", lambda: bucket(a))
    origin = {"Id": "pages", "DomainName": f"{name}.s3.ap-northeast-2.amazonaws.com", "OriginPath": "",
              "CustomHeaders": {"Quantity": 0}, "S3OriginConfig": {"OriginAccessIdentity": ""},
              "OriginAccessControlId": control(a)}
    behaviour = {"TargetOriginId": "pages", "ViewerProtocolPolicy": "allow-all", "CachePolicyId": OPTIMIZED, "Compress": True}
    return {"CallerReference": reference or a.name(), "Comment": "probe", "Enabled": True, "DefaultRootObject": "index.html",
            "Origins": {"Quantity": 1, "Items": [origin]}, "DefaultCacheBehavior": behaviour, **more}


def control(a):
    """An origin access control that is shared."""
    return a.shared("control", lambda: new_control(a)["Id"])


def new_control(a, name=None):
    wanted = {"Name": name or a.name("oac"), "SigningProtocol": "sigv4", "SigningBehavior": "always",
              "OriginAccessControlOriginType": "s3"}
    return a.cloudfront.create_origin_access_control(OriginAccessControlConfig=wanted)["OriginAccessControl"]


def made(a, **more):
    return a.cloudfront.create_distribution(DistributionConfig=config(a, **more))


def one(a):
    """A distribution that is shared: its id. It is not changed."""
    return a.shared("distribution", lambda: made(a)["Distribution"]["Id"])


def change(a, which, **more):
    got = a.cloudfront.get_distribution_config(Id=which)
    wanted = {**got["DistributionConfig"], **more}
    return a.cloudfront.update_distribution(Id=which, IfMatch=got["ETag"], DistributionConfig=wanted)


def deployed(a, which):
    status = lambda: a.cloudfront.get_distribution(Id=which)["Distribution"]["Status"] == "Deployed"
    a.wait("it to be deployed", status, seconds=90, every=0.5)


@about("a new distribution is in progress, with a name, an ARN and an ETag; later it is deployed", "CreateDistribution", "C6")
def _(a):
    got = made(a)
    it = got["Distribution"]
    same((got["ResponseMetadata"]["HTTPStatusCode"], it["Status"]), (201, "InProgress"))
    true(it["DomainName"].endswith(".cloudfront.net") and it["ARN"].endswith(f":distribution/{it['Id']}"), "its name and ARN")
    true(got["ETag"] and got["Location"].endswith(it["Id"]), "its ETag and Location")
    deployed(a, it["Id"])


@about("what was asked for comes back, with the defaults filled in", "GetDistributionConfig")
def _(a):
    wanted = config(a)
    it = a.cloudfront.create_distribution(DistributionConfig=wanted)["Distribution"]["Id"]
    got = a.cloudfront.get_distribution_config(Id=it)["DistributionConfig"]
    same((got["DefaultRootObject"], got["CallerReference"]), ("index.html", wanted["CallerReference"]))
    same((got["PriceClass"], got["HttpVersion"], got["IsIPV6Enabled"]), ("PriceClass_All", "http2", False))
    same(got["ViewerCertificate"]["CloudFrontDefaultCertificate"], True)
    same(got["Origins"]["Items"][0]["OriginAccessControlId"], control(a))
    methods = got["DefaultCacheBehavior"]["AllowedMethods"]
    same((sorted(methods["Items"]), sorted(methods["CachedMethods"]["Items"])), (["GET", "HEAD"], ["GET", "HEAD"]))


@about("a caller reference used before: DistributionAlreadyExists", "CreateDistribution")
def _(a):
    reference = a.name()
    made(a, reference=reference)
    refused("DistributionAlreadyExists", lambda: made(a, reference=reference, Comment="other"), 409)


@about("a distribution that is not there: NoSuchDistribution", "GetDistribution")
def _(a):
    gone = "EABCDEFGHIJKLM"
    refused("NoSuchDistribution", lambda: a.cloudfront.get_distribution(Id=gone), 404)
    refused("NoSuchDistribution", lambda: a.cloudfront.get_distribution_config(Id=gone), 404)
    refused("NoSuchDistribution", lambda: a.cloudfront.delete_distribution(Id=gone, IfMatch="E1"), 404)


@about("a behaviour that names no origin of the distribution: NoSuchOrigin", "CreateDistribution")
def _(a):
    wrong = config(a)
    wrong["DefaultCacheBehavior"] = {**wrong["DefaultCacheBehavior"], "TargetOriginId": "elsewhere"}
    refused("NoSuchOrigin", lambda: a.cloudfront.create_distribution(DistributionConfig=wrong), 404)


@about("an access control that is not there is refused", "CreateDistribution")
def _(a):
    wrong = copy.deepcopy(config(a))
    wrong["Origins"]["Items"][0]["OriginAccessControlId"] = "EABCDEFGHIJKLM"
    refused(("InvalidOriginAccessControl", "NoSuchOriginAccessControl"),
            lambda: a.cloudfront.create_distribution(DistributionConfig=wrong), 400)


@about("a cache policy that is not there: NoSuchCachePolicy", "CreateDistribution")
def _(a):
    wrong = copy.deepcopy(config(a))
    wrong["DefaultCacheBehavior"]["CachePolicyId"] = "00000000-0000-0000-0000-000000000000"
    refused("NoSuchCachePolicy", lambda: a.cloudfront.create_distribution(DistributionConfig=wrong), 404)


@about("counted items that are not so many are refused", "CreateDistribution")
def _(a):
    wrong = copy.deepcopy(config(a))
    wrong["Origins"]["Quantity"] = 2
    refused("InconsistentQuantities", lambda: a.cloudfront.create_distribution(DistributionConfig=wrong))


@about("an update without If-Match: InvalidIfMatchVersion", "UpdateDistribution")
def _(a):
    got = a.cloudfront.get_distribution_config(Id=one(a))
    update = lambda: a.cloudfront.update_distribution(Id=one(a), DistributionConfig=got["DistributionConfig"])
    refused("InvalidIfMatchVersion", update)


@about("an update with an ETag that is past: PreconditionFailed", "UpdateDistribution")
def _(a):
    it = made(a)["Distribution"]["Id"]
    before = a.cloudfront.get_distribution_config(Id=it)
    change(a, it, Comment="second")
    wanted = {**before["DistributionConfig"], "Comment": "third"}
    late = lambda: a.cloudfront.update_distribution(Id=it, IfMatch=before["ETag"], DistributionConfig=wanted)
    refused("PreconditionFailed", late, 412)
    same(a.cloudfront.get_distribution_config(Id=it)["DistributionConfig"]["Comment"], "second")


@about("every update gives a new ETag and deploys again", "UpdateDistribution", "C6")
def _(a):
    got = made(a)
    changed = change(a, got["Distribution"]["Id"], Comment="second")
    true(changed["ETag"] != got["ETag"], "another ETag")
    same(changed["Distribution"]["Status"], "InProgress")


@about("a caller reference cannot be changed", "UpdateDistribution")
def _(a):
    it = made(a)["Distribution"]["Id"]
    refused("IllegalUpdate", lambda: change(a, it, CallerReference=a.name()))


@about("an enabled distribution is not deleted; disabled and deployed it is", "DeleteDistribution")
def _(a):
    got = made(a)
    it = got["Distribution"]["Id"]
    refused("DistributionNotDisabled", lambda: a.cloudfront.delete_distribution(Id=it, IfMatch=got["ETag"]), 409)
    etag = change(a, it, Enabled=False)["ETag"]
    deployed(a, it)
    refused(("PreconditionFailed", "InvalidIfMatchVersion"), lambda: a.cloudfront.delete_distribution(Id=it, IfMatch=got["ETag"]), 412)
    a.cloudfront.delete_distribution(Id=it, IfMatch=etag)
    refused("NoSuchDistribution", lambda: a.cloudfront.get_distribution(Id=it), 404)


@about("distributions are listed with their names and origins", "ListDistributions")
def _(a):
    it = one(a)
    pages = a.cloudfront.get_paginator("list_distributions").paginate()
    listed = {d["Id"]: d for p in pages for d in p["DistributionList"].get("Items", [])}
    true(it in listed and listed[it]["Origins"]["Quantity"] == 1, "it in the list")
