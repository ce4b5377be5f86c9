"""S3: listings and presigned addresses."""

import time
import urllib.parse

from ask import of, refused, same, true
from make import bucket
from wire import anonymous

about = of("S3-LIST", "S3 API")


def filled(a):
    def make():
        name = bucket(a)
        for key in ("a", "b/1", "b/2", "b/c/3", "d", "é"):
            a.s3.put_object(Bucket=name, Key=key, Body=b"x")
        return name

    return a.shared("filled", make)


def keys(got):
    return [o["Key"] for o in got.get("Contents", [])]


@about("keys are listed in the order of their UTF-8 bytes", "ListObjectsV2")
def _(a):
    got = a.s3.list_objects_v2(Bucket=filled(a))
    same(keys(got), ["a", "b/1", "b/2", "b/c/3", "d", "é"])
    same((got["KeyCount"], got["IsTruncated"], got["MaxKeys"]), (6, False, 1000))


@about("pages join without a gap", "ListObjectsV2")
def _(a):
    name = filled(a)
    first = a.s3.list_objects_v2(Bucket=name, MaxKeys=4)
    same((first["IsTruncated"], first["KeyCount"]), (True, 4))
    rest = a.s3.list_objects_v2(Bucket=name, ContinuationToken=first["NextContinuationToken"])
    same(keys(first) + keys(rest), ["a", "b/1", "b/2", "b/c/3", "d", "é"])


@about("a delimiter folds what lies below it into a common prefix", "ListObjectsV2")
def _(a):
    got = a.s3.list_objects_v2(Bucket=filled(a), Delimiter="/")
    same((keys(got), [p["Prefix"] for p in got["CommonPrefixes"]]), (["a", "d", "é"], ["b/"]))
    same(got["KeyCount"], 4)


@about("a prefix narrows, and start-after skips", "ListObjectsV2")
def _(a):
    name = filled(a)
    same(keys(a.s3.list_objects_v2(Bucket=name, Prefix="b/", StartAfter="b/1")), ["b/2", "b/c/3"])


@about("a continuation token that is none is refused", "ListObjectsV2")
def _(a):
    refused("InvalidArgument", lambda: a.s3.list_objects_v2(Bucket=filled(a), ContinuationToken="nonsense"))


@about("a negative number of keys is refused", "ListObjectsV2")
def _(a):
    refused("InvalidArgument", lambda: a.s3.list_objects_v2(Bucket=filled(a), MaxKeys=-1))


@about("the old listing pages by marker", "ListObjects")
def _(a):
    name = filled(a)
    first = a.s3.list_objects(Bucket=name, MaxKeys=2)
    same((keys(first), first["IsTruncated"]), (["a", "b/1"], True))
    same(keys(a.s3.list_objects(Bucket=name, Marker="b/1")), ["b/2", "b/c/3", "d", "é"])


@about("a presigned address can be read by anybody, until it expires", "ShareObjectPreSignedURL")
def _(a):
    where = {"Bucket": filled(a), "Key": "a"}
    url = a.s3.generate_presigned_url("get_object", Params=where, ExpiresIn=60)
    same(anonymous(url)[:2], (200, b"x"))
    short = a.s3.generate_presigned_url("get_object", Params=where, ExpiresIn=1)
    time.sleep(2.2)
    status, body, _ = anonymous(short)
    same((status, b"<Code>AccessDenied</Code>" in body), (403, True))


@about("a presigned address for another key is refused", "sigv4-query-string-auth")
def _(a):
    url = a.s3.generate_presigned_url("get_object", Params={"Bucket": filled(a), "Key": "a"}, ExpiresIn=60)
    parts = urllib.parse.urlsplit(url)
    other = urllib.parse.urlunsplit(parts._replace(path=parts.path[:-1] + "d"))
    status, body, _ = anonymous(other)
    same((status, b"<Code>SignatureDoesNotMatch</Code>" in body), (403, True))


@about("a request's answer can be given other headers", "GetObject")
def _(a):
    where = {"Bucket": filled(a), "Key": "a"}
    got = a.s3.get_object(**where, ResponseContentType="text/plain", ResponseCacheControl="no-store")
    true((got["ContentType"], got["CacheControl"]) == ("text/plain", "no-store"), "the headers asked for")
