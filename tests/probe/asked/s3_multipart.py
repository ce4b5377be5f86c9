"""S3: uploads in parts."""

from ask import of, refused, same, true
from make import bucket, objects

about = of("S3-PARTS", "S3 API")
LEAST = 5 << 20


def begin(a, **more):
    where = {"Bucket": objects(a), "Key": a.name("parts")}
    return {**where, "UploadId": a.s3.create_multipart_upload(**where, **more)["UploadId"]}


def part(a, upload, number, body):
    etag = a.s3_bare.upload_part(**upload, PartNumber=number, Body=body)["ETag"]
    return {"PartNumber": number, "ETag": etag}


def complete(a, upload, parts, **more):
    return a.s3.complete_multipart_upload(**upload, MultipartUpload={"Parts": parts}, **more)


def read(a, upload):
    return a.s3.get_object(Bucket=upload["Bucket"], Key=upload["Key"])["Body"].read()


@about("parts become one object, whose ETag tells how many there were", "CompleteMultipartUpload")
def _(a):
    upload = begin(a)
    got = complete(a, upload, [part(a, upload, 1, bytes(LEAST)), part(a, upload, 2, b"end")])
    true(got["ETag"].endswith('-2"'), f"an ETag with -2, not {got['ETag']}")
    same(read(a, upload), bytes(LEAST) + b"end")


@about("a part before the last must be 5 MB", "CompleteMultipartUpload")
def _(a):
    upload = begin(a)
    parts = [part(a, upload, 1, b"small"), part(a, upload, 2, b"end")]
    refused("EntityTooSmall", lambda: complete(a, upload, parts))


@about("a part with another ETag is refused", "CompleteMultipartUpload")
def _(a):
    upload = begin(a)
    part(a, upload, 1, b"a")
    refused("InvalidPart", lambda: complete(a, upload, [{"PartNumber": 1, "ETag": '"' + "0" * 32 + '"'}]))


@about("parts out of order are refused", "CompleteMultipartUpload")
def _(a):
    upload = begin(a)
    parts = [part(a, upload, 2, b"b"), part(a, upload, 1, bytes(LEAST))]
    refused("InvalidPartOrder", lambda: complete(a, upload, parts))


@about("completing no parts is refused", "CompleteMultipartUpload")
def _(a):
    upload = begin(a)
    part(a, upload, 1, b"a")
    refused("MalformedXML", lambda: complete(a, upload, []))


@about("an upload that is none: NoSuchUpload", "UploadPart, AbortMultipartUpload")
def _(a):
    nothing = {"Bucket": objects(a), "Key": a.name(), "UploadId": "nothing"}
    refused("NoSuchUpload", lambda: part(a, nothing, 1, b"a"), 404)
    refused("NoSuchUpload", lambda: a.s3.list_parts(**nothing), 404)
    refused("NoSuchUpload", lambda: complete(a, nothing, [{"PartNumber": 1, "ETag": '"a"'}]), 404)


@about("a part's number is 1 to 10,000", "UploadPart")
def _(a):
    upload = begin(a)
    refused("InvalidArgument", lambda: part(a, upload, 10001, b"a"))
    refused("InvalidArgument", lambda: part(a, upload, 0, b"a"))


@about("a part sent again takes the place of the first", "UploadPart")
def _(a):
    upload = begin(a)
    part(a, upload, 1, b"first")
    complete(a, upload, [part(a, upload, 1, b"second")])
    same(read(a, upload), b"second")


@about("an aborted upload is gone from the list, and nothing is stored", "AbortMultipartUpload")
def _(a):
    name = bucket(a)
    where = {"Bucket": name, "Key": "a"}
    upload = {**where, "UploadId": a.s3.create_multipart_upload(**where)["UploadId"]}
    part(a, upload, 1, b"a")
    same([u["UploadId"] for u in a.s3.list_multipart_uploads(Bucket=name)["Uploads"]], [upload["UploadId"]])
    a.s3.abort_multipart_upload(**upload)
    same(a.s3.list_multipart_uploads(Bucket=name).get("Uploads", []), [])
    refused("404", lambda: a.s3.head_object(**where), 404)


@about("parts are listed with number, size and ETag", "ListParts")
def _(a):
    upload = begin(a)
    first = part(a, upload, 1, b"abc")
    got = a.s3.list_parts(**upload)["Parts"]
    same([(p["PartNumber"], p["Size"], p["ETag"]) for p in got], [(1, 3, first["ETag"])])


@about("If-None-Match: * is held when an upload is completed", "conditional-writes", "C7")
def _(a):
    upload = begin(a)
    a.s3.put_object(Bucket=upload["Bucket"], Key=upload["Key"], Body=b"there")
    parts = [part(a, upload, 1, b"late")]
    refused("PreconditionFailed", lambda: complete(a, upload, parts, IfNoneMatch="*"), 412)
    same(read(a, upload), b"there")


@about("a CRC-64/NVME of an upload in parts is one of the full object", "checking-object-integrity-upload")
def _(a):
    upload = begin(a, ChecksumAlgorithm="CRC64NVME", ChecksumType="FULL_OBJECT")
    sent = [a.s3.upload_part(**upload, PartNumber=n, Body=b, ChecksumAlgorithm="CRC64NVME")
            for n, b in ((1, bytes(LEAST)), (2, b"end"))]
    parts = [{"PartNumber": n, "ETag": s["ETag"], "ChecksumCRC64NVME": s["ChecksumCRC64NVME"]} for n, s in enumerate(sent, 1)]
    got = complete(a, upload, parts, ChecksumType="FULL_OBJECT")
    same(got.get("ChecksumType"), "FULL_OBJECT")
    head = a.s3.head_object(Bucket=upload["Bucket"], Key=upload["Key"], ChecksumMode="ENABLED")
    same((head["ChecksumType"], head["ChecksumCRC64NVME"]), ("FULL_OBJECT", got["ChecksumCRC64NVME"]))


@about("a wrong checksum of the whole is refused when it is completed", "checking-object-integrity-upload")
def _(a):
    upload = begin(a, ChecksumAlgorithm="CRC64NVME", ChecksumType="FULL_OBJECT")
    sent = a.s3.upload_part(**upload, PartNumber=1, Body=b"a", ChecksumAlgorithm="CRC64NVME")
    parts = [{"PartNumber": 1, "ETag": sent["ETag"], "ChecksumCRC64NVME": sent["ChecksumCRC64NVME"]}]
    wrong = {"ChecksumCRC64NVME": "AAAAAAAAAAA=", "ChecksumType": "FULL_OBJECT"}
    refused("BadDigest", lambda: complete(a, upload, parts, **wrong))


@about("a part with a checksum of another algorithm than its upload's is refused", "checking-object-integrity-upload")
def _(a):
    upload = begin(a, ChecksumAlgorithm="SHA256")
    other = lambda: a.s3.upload_part(**upload, PartNumber=1, Body=b"a", ChecksumAlgorithm="CRC32")
    refused("InvalidRequest", other, saying="Checksum Type mismatch")


@about("parts that were checked are completed with their checksums", "CompleteMultipartUpload")
def _(a):
    upload = begin(a, ChecksumAlgorithm="CRC32")
    sent = a.s3.upload_part(**upload, PartNumber=1, Body=b"a", ChecksumAlgorithm="CRC32")
    bare = {"PartNumber": 1, "ETag": sent["ETag"]}
    refused(("InvalidRequest", "InvalidPart"), lambda: complete(a, upload, [bare]))
    got = complete(a, upload, [{**bare, "ChecksumCRC32": sent["ChecksumCRC32"]}])
    same((got["ChecksumType"], got["ChecksumCRC32"].endswith("-1")), ("COMPOSITE", True))


@about("a part copied from an object is that object's bytes", "UploadPartCopy")
def _(a):
    upload = begin(a)
    source = {"Bucket": upload["Bucket"], "Key": a.name("source")}
    a.s3.put_object(**source, Body=b"0123456789")
    got = a.s3.upload_part_copy(**upload, PartNumber=1, CopySource=source, CopySourceRange="bytes=2-4")
    complete(a, upload, [{"PartNumber": 1, "ETag": got["CopyPartResult"]["ETag"]}])
    same(read(a, upload), b"234")
