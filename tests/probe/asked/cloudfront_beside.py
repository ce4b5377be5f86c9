"""CloudFront: access controls, functions, invalidations."""

from ask import of, refused, same, true
from asked.cloudfront_distributions import change, made, new_control, one

about = of("CDN-BESIDE", "CloudFront API")
CODE = b"function handler(event) { return event.request; }"


@about("an access control's name is used once", "CreateOriginAccessControl", "C2")
def _(a):
    name = a.name("oac")
    new_control(a, name)
    refused("OriginAccessControlAlreadyExists", lambda: new_control(a, name), 409)


@about("an access control that is not there: NoSuchOriginAccessControl", "GetOriginAccessControl")
def _(a):
    refused("NoSuchOriginAccessControl", lambda: a.cloudfront.get_origin_access_control(Id="EABCDEFGHIJKLM"), 404)


@about("an access control in use is not deleted", "DeleteOriginAccessControl")
def _(a):
    made_ = a.cloudfront.create_origin_access_control(
        OriginAccessControlConfig={"Name": a.name("oac"), "SigningProtocol": "sigv4", "SigningBehavior": "always",
                                   "OriginAccessControlOriginType": "s3"})
    which, etag = made_["OriginAccessControl"]["Id"], made_["ETag"]
    it = made(a)["Distribution"]["Id"]
    origins = a.cloudfront.get_distribution_config(Id=it)["DistributionConfig"]["Origins"]
    origins["Items"][0]["OriginAccessControlId"] = which
    change(a, it, Origins=origins)
    refused("OriginAccessControlInUse", lambda: a.cloudfront.delete_origin_access_control(Id=which, IfMatch=etag), 409)


def function(a, name=None):
    wanted = {"Name": name or a.name("fn"), "FunctionConfig": {"Comment": "probe", "Runtime": "cloudfront-js-2.0"}}
    got = a.cloudfront.create_function(**wanted, FunctionCode=CODE)
    return got["FunctionSummary"], got["ETag"]


@about("a function begins in development, and is published with its ETag", "CreateFunction, PublishFunction")
def _(a):
    made_, etag = function(a)
    same((made_["FunctionMetadata"]["Stage"], made_["Status"]), ("DEVELOPMENT", "UNPUBLISHED"))
    refused("NoSuchFunctionExists", lambda: a.cloudfront.describe_function(Name=made_["Name"], Stage="LIVE"), 404)
    got = a.cloudfront.publish_function(Name=made_["Name"], IfMatch=etag)["FunctionSummary"]
    same(got["FunctionMetadata"]["Stage"], "LIVE")
    same(a.cloudfront.describe_function(Name=made_["Name"], Stage="LIVE")["FunctionSummary"]["Name"], made_["Name"])


@about("a function's name is used once", "CreateFunction")
def _(a):
    name = function(a)[0]["Name"]
    refused("FunctionAlreadyExists", lambda: function(a, name), 409)


@about("a function that is not there: NoSuchFunctionExists", "DescribeFunction")
def _(a):
    refused("NoSuchFunctionExists", lambda: a.cloudfront.describe_function(Name="gone"), 404)


@about("a function's code comes back as it went", "GetFunction")
def _(a):
    same(a.cloudfront.get_function(Name=function(a)[0]["Name"])["FunctionCode"].read(), CODE)


@about("an update of a function with another ETag is refused", "UpdateFunction")
def _(a):
    name = function(a)[0]["Name"]
    update = lambda: a.cloudfront.update_function(Name=name, IfMatch="ETVABCDEFGHIJKL", FunctionCode=CODE,
                                                  FunctionConfig={"Comment": "x", "Runtime": "cloudfront-js-2.0"})
    refused(("PreconditionFailed", "InvalidIfMatchVersion"), update, 412)


def invalidate(a, which, *paths, reference=None):
    batch = {"CallerReference": reference or a.name(), "Paths": {"Quantity": len(paths), "Items": list(paths)}}
    return a.cloudfront.create_invalidation(DistributionId=which, InvalidationBatch=batch)["Invalidation"]


@about("an invalidation is in progress, then completed", "CreateInvalidation", "C6")
def _(a):
    got = invalidate(a, one(a), "/index.html", "/docs/*")
    same(got["Status"], "InProgress")
    status = lambda: a.cloudfront.get_invalidation(DistributionId=one(a), Id=got["Id"])["Invalidation"]["Status"]
    a.wait("it to be completed", lambda: status() == "Completed", seconds=90, every=0.5)
    listed = a.cloudfront.list_invalidations(DistributionId=one(a))["InvalidationList"]["Items"]
    true(got["Id"] in [i["Id"] for i in listed], "it in the list")


@about("an invalidation that is not there: NoSuchInvalidation", "GetInvalidation")
def _(a):
    gone = lambda: a.cloudfront.get_invalidation(DistributionId=one(a), Id="IABCDEFGHIJKLM")
    refused("NoSuchInvalidation", gone, 404)
    refused("NoSuchDistribution", lambda: invalidate(a, "EABCDEFGHIJKLM", "/*"), 404)


@about("a path begins with a slash", "CreateInvalidation")
def _(a):
    refused("InvalidArgument", lambda: invalidate(a, one(a), "index.html"))


@about("fifteen wildcards at most are in flight", "guide: cloudfront-limits", "C6")
def _(a):
    it = made(a)["Distribution"]["Id"]
    refused("TooManyInvalidationsInProgress", lambda: invalidate(a, it, *(f"/{n}/*" for n in range(16))))
    invalidate(a, it, *(f"/{n}/*" for n in range(15)))


@about("three thousand paths at most are in flight", "guide: cloudfront-limits", "C6")
def _(a):
    it = made(a)["Distribution"]["Id"]
    halves = [f"/a{n}" for n in range(1500)], [f"/b{n}" for n in range(1501)]
    invalidate(a, it, *halves[0])
    refused("TooManyInvalidationsInProgress", lambda: invalidate(a, it, *halves[1]))
    invalidate(a, it, *halves[1][:-1])
