"""S3: versions."""

from ask import of, refused, same, true
from make import bucket

about = of("S3-VERSION", "S3 guide")


def versioned(a, status="Enabled"):
    name = bucket(a)
    a.s3.put_bucket_versioning(Bucket=name, VersioningConfiguration={"Status": status})
    return {"Bucket": name, "Key": "a"}


@about("a new bucket has no versioning, and no status", "API GetBucketVersioning")
def _(a):
    true("Status" not in a.s3.get_bucket_versioning(Bucket=bucket(a)), "no Status")


@about("an overwritten version can still be read", "Versioning")
def _(a):
    where = versioned(a)
    first = a.s3.put_object(**where, Body=b"1")["VersionId"]
    second = a.s3.put_object(**where, Body=b"2")["VersionId"]
    true(first != second, "two versions")
    same(a.s3.get_object(**where)["Body"].read(), b"2")
    same(a.s3.get_object(**where, VersionId=first)["Body"].read(), b"1")


@about("a delete leaves a marker: the key is not found, its versions are", "DeleteMarker")
def _(a):
    where = versioned(a)
    first = a.s3.put_object(**where, Body=b"1")["VersionId"]
    gone = a.s3.delete_object(**where)
    same(gone["DeleteMarker"], True)
    response = refused("NoSuchKey", lambda: a.s3.get_object(**where), 404)
    same(response["ResponseMetadata"]["HTTPHeaders"].get("x-amz-delete-marker"), "true")
    same(a.s3.get_object(**where, VersionId=first)["Body"].read(), b"1")


@about("a delete marker cannot be read", "DeleteMarker")
def _(a):
    where = versioned(a)
    a.s3.put_object(**where, Body=b"1")
    marker = a.s3.delete_object(**where)["VersionId"]
    refused("MethodNotAllowed", lambda: a.s3.get_object(**where, VersionId=marker), 405)


@about("a deleted marker brings the object back", "ManagingDelMarkers")
def _(a):
    where = versioned(a)
    a.s3.put_object(**where, Body=b"1")
    marker = a.s3.delete_object(**where)["VersionId"]
    a.s3.delete_object(**where, VersionId=marker)
    same(a.s3.get_object(**where)["Body"].read(), b"1")


@about("a version deleted by its id is gone for good", "DeletingObjectVersions")
def _(a):
    where = versioned(a)
    first = a.s3.put_object(**where, Body=b"1")["VersionId"]
    second = a.s3.put_object(**where, Body=b"2")["VersionId"]
    a.s3.delete_object(**where, VersionId=second)
    same(a.s3.get_object(**where)["VersionId"], first)


@about("versions are listed newest first, with their markers", "API ListObjectVersions")
def _(a):
    where = versioned(a)
    ids = [a.s3.put_object(**where, Body=b"x")["VersionId"] for _ in range(2)]
    marker = a.s3.delete_object(**where)["VersionId"]
    got = a.s3.list_object_versions(Bucket=where["Bucket"])
    same([v["VersionId"] for v in got["Versions"]], ids[::-1])
    same([(m["VersionId"], m["IsLatest"]) for m in got["DeleteMarkers"]], [(marker, True)])
    same([v["IsLatest"] for v in got["Versions"]], [False, False])


@about("a bucket with nothing but old versions is not empty", "API DeleteBucket")
def _(a):
    where = versioned(a)
    a.s3.put_object(**where, Body=b"1")
    a.s3.delete_object(**where)
    refused("BucketNotEmpty", lambda: a.s3.delete_bucket(Bucket=where["Bucket"]), 409)


@about("suspended versioning writes the version null", "AddingObjectstoVersionSuspendedBuckets")
def _(a):
    where = versioned(a)
    first = a.s3.put_object(**where, Body=b"1")["VersionId"]
    suspended = {"Status": "Suspended"}
    a.s3.put_bucket_versioning(Bucket=where["Bucket"], VersioningConfiguration=suspended)
    a.s3.put_object(**where, Body=b"2")
    same(a.s3.get_object(**where, VersionId="null")["Body"].read(), b"2")
    same(a.s3.get_object(**where, VersionId=first)["Body"].read(), b"1")


@about("a version id that is none is refused", "API ErrorResponses")
def _(a):
    where = versioned(a)
    a.s3.put_object(**where, Body=b"1")
    refused(("InvalidArgument", "NoSuchVersion"), lambda: a.s3.get_object(**where, VersionId="nonsense"))


@about("a versioning status that is none is refused", "API PutBucketVersioning")
def _(a):
    wanted = {"Status": "Perhaps"}
    refused("MalformedXML", lambda: a.s3.put_bucket_versioning(Bucket=bucket(a), VersioningConfiguration=wanted))
