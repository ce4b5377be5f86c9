"""S3: buckets, their names and their settings."""

from ask import of, refused, same, true
from make import bucket

about = of("S3-BUCKET", "S3 API")


def created(a, name, where="ap-northeast-2"):
    return a.s3.create_bucket(Bucket=name, CreateBucketConfiguration={"LocationConstraint": where})


@about("a bucket lies in the region it was made in", "CreateBucket, GetBucketLocation")
def _(a):
    name = bucket(a)
    same(a.s3.get_bucket_location(Bucket=name)["LocationConstraint"], "ap-northeast-2")
    true(name in [b["Name"] for b in a.s3.list_buckets()["Buckets"]], "it in the list")


@about("without a location it is refused outside of us-east-1", "CreateBucket")
def _(a):
    refused("IllegalLocationConstraintException", lambda: a.s3.create_bucket(Bucket=a.name()))


@about("another region's location is refused at this region's endpoint", "CreateBucket")
def _(a):
    refused("IllegalLocationConstraintException", lambda: created(a, a.name(), "eu-west-1"))


@about("the same name a second time is one's own already", "CreateBucket")
def _(a):
    name = bucket(a)
    refused("BucketAlreadyOwnedByYou", lambda: created(a, name), 409)


def bad_name(what, name):
    @about(f"a bucket's name with {what} is refused", "bucketnamingrules")
    def _(a):
        refused("InvalidBucketName", lambda: created(a, name))


bad_name("capitals", "Probe-Bucket-Capitals")
bad_name("two letters", "ab")
bad_name("an underscore", "probe_bucket")
bad_name("the form of an address", "192.168.5.4")
bad_name("the prefix xn--", "xn--probe-bucket")
bad_name("the suffix -s3alias", "probe-bucket-s3alias")
bad_name("two dots in a row", "probe..bucket")


@about("a bucket that is not there: HEAD answers 404 without a body", "HeadBucket")
def _(a):
    refused("404", lambda: a.s3.head_bucket(Bucket=a.name()), 404)


@about("a bucket that is not there: NoSuchBucket", "ErrorResponses")
def _(a):
    refused("NoSuchBucket", lambda: a.s3.list_objects_v2(Bucket=a.name()), 404)
    refused("NoSuchBucket", lambda: a.s3.get_object(Bucket=a.name(), Key="a"), 404)
    refused("NoSuchBucket", lambda: a.s3.delete_bucket(Bucket=a.name()), 404)


@about("a bucket with an object in it cannot be deleted; an empty one can", "DeleteBucket")
def _(a):
    name = bucket(a)
    a.s3.put_object(Bucket=name, Key="a", Body=b"a")
    refused("BucketNotEmpty", lambda: a.s3.delete_bucket(Bucket=name), 409)
    a.s3.delete_object(Bucket=name, Key="a")
    a.s3.delete_bucket(Bucket=name)
    refused("404", lambda: a.s3.head_bucket(Bucket=name), 404)


@about("a new bucket belongs to its owner alone: ACLs are off", "GetBucketOwnershipControls; about-object-ownership")
def _(a):
    got = a.s3.get_bucket_ownership_controls(Bucket=bucket(a))
    same(got["OwnershipControls"]["Rules"], [{"ObjectOwnership": "BucketOwnerEnforced"}])


@about("an ACL for all is refused where ACLs are off", "about-object-ownership")
def _(a):
    name = bucket(a)
    put = {"Bucket": name, "Key": "a", "Body": b"a", "ACL": "public-read"}
    refused("AccessControlListNotSupported", lambda: a.s3.put_object(**put))
    a.s3.put_object(Bucket=name, Key="a", Body=b"a")
    refused("AccessControlListNotSupported", lambda: a.s3.put_object_acl(Bucket=name, Key="a", ACL="public-read"))


@about("an unset setting has its own error", "ErrorResponses")
def _(a):
    name = bucket(a)
    refused("NoSuchBucketPolicy", lambda: a.s3.get_bucket_policy(Bucket=name), 404)
    refused("NoSuchTagSet", lambda: a.s3.get_bucket_tagging(Bucket=name), 404)
    refused("NoSuchWebsiteConfiguration", lambda: a.s3.get_bucket_website(Bucket=name), 404)


@about("tags of a bucket are replaced whole, and a key twice is refused", "PutBucketTagging")
def _(a):
    name = bucket(a)
    tags = lambda *pairs: {"TagSet": [{"Key": k, "Value": v} for k, v in pairs]}
    a.s3.put_bucket_tagging(Bucket=name, Tagging=tags(("a", "1"), ("b", "2")))
    a.s3.put_bucket_tagging(Bucket=name, Tagging=tags(("c", "3")))
    same(a.s3.get_bucket_tagging(Bucket=name)["TagSet"], [{"Key": "c", "Value": "3"}])
    refused("InvalidTag", lambda: a.s3.put_bucket_tagging(Bucket=name, Tagging=tags(("a", "1"), ("a", "2"))))


@about("a new bucket encrypts with SSE-S3", "GetBucketEncryption; default-encryption-faq")
def _(a):
    got = a.s3.get_bucket_encryption(Bucket=bucket(a))["ServerSideEncryptionConfiguration"]["Rules"][0]
    same(got["ApplyServerSideEncryptionByDefault"]["SSEAlgorithm"], "AES256")


@about("a website's settings are kept and can be taken away", "PutBucketWebsite")
def _(a):
    name = bucket(a)
    wanted = {"IndexDocument": {"Suffix": "index.html"}, "ErrorDocument": {"Key": "error.html"}}
    a.s3.put_bucket_website(Bucket=name, WebsiteConfiguration=wanted)
    got = a.s3.get_bucket_website(Bucket=name)
    same({key: got.get(key) for key in wanted}, wanted)
    a.s3.delete_bucket_website(Bucket=name)
    refused("NoSuchWebsiteConfiguration", lambda: a.s3.get_bucket_website(Bucket=name), 404)
