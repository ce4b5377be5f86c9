"""S3: objects, conditions, checksums, copies."""

import base64
import hashlib

from ask import of, refused, same, true
from make import objects

about = of("S3-OBJECT", "S3 API")


def put(a, key=None, body=b"hello", **more):
    name, key = objects(a), key or a.name("key")
    got = a.s3.put_object(Bucket=name, Key=key, Body=body, **more)
    return {"Bucket": name, "Key": key}, got


@about("what was stored comes back, with its headers", "PutObject, GetObject")
def _(a):
    more = {"ContentType": "text/css", "CacheControl": "no-cache", "Metadata": {"run": "1"}, "ContentEncoding": "gzip"}
    where, put_ = put(a, **more)
    got = a.s3.get_object(**where)
    same({key: got[key] for key in more}, more)
    same((got["Body"].read(), got["ETag"]), (b"hello", put_["ETag"]))
    same(got["ETag"], f'"{hashlib.md5(b"hello").hexdigest()}"')


@about("without a content type it is binary/octet-stream", "PutObject")
def _(a):
    where, _ = put(a)
    same(a.s3.head_object(**where)["ContentType"], "binary/octet-stream")


@about("If-None-Match: * is refused over an object", "conditional-writes", "C7")
def _(a):
    where, _ = put(a)
    refused("PreconditionFailed", lambda: a.s3.put_object(**where, Body=b"new", IfNoneMatch="*"), 412)
    same(a.s3.get_object(**where)["Body"].read(), b"hello")


@about("If-None-Match: * writes where nothing is", "conditional-writes", "C7")
def _(a):
    where, _ = put(a, IfNoneMatch="*")
    same(a.s3.get_object(**where)["Body"].read(), b"hello")


@about("If-Match with another ETag is refused, with the right one it writes", "conditional-writes", "C7")
def _(a):
    where, put_ = put(a)
    other = '"' + "0" * 32 + '"'
    refused("PreconditionFailed", lambda: a.s3.put_object(**where, Body=b"new", IfMatch=other), 412)
    a.s3.put_object(**where, Body=b"new", IfMatch=put_["ETag"])
    same(a.s3.get_object(**where)["Body"].read(), b"new")


@about("If-Match where nothing is: NoSuchKey", "conditional-writes", "C7")
def _(a):
    where = {"Bucket": objects(a), "Key": a.name()}
    refused("NoSuchKey", lambda: a.s3.put_object(**where, Body=b"new", IfMatch='"' + "0" * 32 + '"'), 404)


@about("a delete with another ETag is refused", "conditional-deletes", "C7")
def _(a):
    where, put_ = put(a)
    other = '"' + "0" * 32 + '"'
    refused("PreconditionFailed", lambda: a.s3.delete_object(**where, IfMatch=other), 412)
    a.s3.delete_object(**where, IfMatch=put_["ETag"])
    refused("404", lambda: a.s3.head_object(**where), 404)


@about("a read of what has not changed answers 304, of what has 412", "GetObject")
def _(a):
    where, put_ = put(a)
    refused("304", lambda: a.s3.get_object(**where, IfNoneMatch=put_["ETag"]), 304)
    refused("PreconditionFailed", lambda: a.s3.get_object(**where, IfMatch='"' + "0" * 32 + '"'), 412)


@about("a range comes alone, and says of what", "GetObject")
def _(a):
    where, _ = put(a)
    got = a.s3.get_object(**where, Range="bytes=1-2")
    same((got["ResponseMetadata"]["HTTPStatusCode"], got["ContentRange"], got["Body"].read()), (206, "bytes 1-2/5", b"el"))
    got = a.s3.get_object(**where, Range="bytes=-2")
    same((got["ContentRange"], got["Body"].read()), ("bytes 3-4/5", b"lo"))


@about("a range beyond the end is refused", "GetObject")
def _(a):
    where, _ = put(a)
    refused("InvalidRange", lambda: a.s3.get_object(**where, Range="bytes=9-12"), 416)


@about("a key that is not there: NoSuchKey, and 404 without a body to HEAD", "GetObject, HeadObject")
def _(a):
    where = {"Bucket": objects(a), "Key": a.name()}
    refused("NoSuchKey", lambda: a.s3.get_object(**where), 404)
    refused("404", lambda: a.s3.head_object(**where), 404)


@about("a key that is not there can be deleted", "DeleteObject")
def _(a):
    got = a.s3.delete_object(Bucket=objects(a), Key=a.name())
    same(got["ResponseMetadata"]["HTTPStatusCode"], 204)


@about("a key of more than 1,024 bytes is refused", "object-keys")
def _(a):
    refused("KeyTooLongError", lambda: put(a, key="k" * 1025))


@about("more than 2 KB of metadata are refused", "UsingMetadata")
def _(a):
    refused("MetadataTooLarge", lambda: put(a, Metadata={"a": "x" * 2100}))


def checksum(what, code, **given):
    @about(f"{what} is refused, and nothing is stored", "checking-object-integrity")
    def _(a):
        key = a.name("key")
        refused(code, lambda: put(a, key=key, **given))
        refused("404", lambda: a.s3.head_object(Bucket=objects(a), Key=key), 404)


checksum("a CRC-32 of other bytes", "BadDigest", ChecksumCRC32="AAAAAA==")
checksum("a CRC-64/NVME of other bytes", "BadDigest", ChecksumCRC64NVME="AAAAAAAAAAA=")
checksum("a SHA-256 of other bytes", "BadDigest", ChecksumSHA256=base64.b64encode(bytes(32)).decode())
checksum("an MD5 of other bytes", "BadDigest", ContentMD5=base64.b64encode(bytes(16)).decode())
checksum("an MD5 that is none", "InvalidDigest", ContentMD5="not-an-md5")


@about("a checksum that was given is kept, as one of the full object", "checking-object-integrity")
def _(a):
    digest = base64.b64encode(hashlib.sha256(b"hello").digest()).decode()
    where, _ = put(a, ChecksumSHA256=digest)
    got = a.s3.head_object(**where, ChecksumMode="ENABLED")
    same((got["ChecksumSHA256"], got["ChecksumType"]), (digest, "FULL_OBJECT"))


@about("a copy onto itself that changes nothing is refused", "CopyObject")
def _(a):
    where, _ = put(a)
    refused("InvalidRequest", lambda: a.s3.copy_object(**where, CopySource=where))


@about("a copy onto itself with new headers is taken", "CopyObject")
def _(a):
    where, _ = put(a)
    a.s3.copy_object(**where, CopySource=where, MetadataDirective="REPLACE", CacheControl="max-age=1")
    same(a.s3.head_object(**where)["CacheControl"], "max-age=1")


@about("a copy of what is not there: NoSuchKey", "CopyObject")
def _(a):
    name = objects(a)
    source = {"Bucket": name, "Key": a.name()}
    refused("NoSuchKey", lambda: a.s3.copy_object(Bucket=name, Key=a.name(), CopySource=source), 404)


@about("at most ten tags on an object", "object-tagging")
def _(a):
    tags = {"TagSet": [{"Key": f"k{n}", "Value": "v"} for n in range(11)]}
    where, _ = put(a)
    refused("BadRequest", lambda: a.s3.put_object_tagging(**where, Tagging=tags))


@about("tags of an object come back", "PutObjectTagging")
def _(a):
    where, _ = put(a, Tagging="a=1&b=2")
    got = a.s3.get_object_tagging(**where)["TagSet"]
    same(sorted((t["Key"], t["Value"]) for t in got), [("a", "1"), ("b", "2")])


@about("a thousand keys at most are deleted at once", "DeleteObjects")
def _(a):
    keys = {"Objects": [{"Key": f"k{n}"} for n in range(1001)]}
    refused("MalformedXML", lambda: a.s3.delete_objects(Bucket=objects(a), Delete=keys))


@about("deleting many tells each, also the one that was not there", "DeleteObjects")
def _(a):
    where, _ = put(a)
    keys = [where["Key"], a.name()]
    got = a.s3.delete_objects(Bucket=where["Bucket"], Delete={"Objects": [{"Key": key} for key in keys]})
    same(sorted(d["Key"] for d in got["Deleted"]), sorted(keys))
