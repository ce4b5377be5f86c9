"""ACM: certificates."""

from ask import of, refused, same, true
from make import FIXED, balancer, certificate, prove, zone

about = of("ACM", "ACM API")
GONE = "arn:aws:acm:ap-northeast-2:000000000000:certificate/12345678-1234-1234-1234-123456789012"


def request(a, name=None, acm=None, **more):
    wanted = {"DomainName": name or f"{a.name()}.test", "ValidationMethod": "DNS", **more}
    return (acm or a.acm).request_certificate(**wanted)["CertificateArn"]


def look(a, arn, acm=None):
    return (acm or a.acm).describe_certificate(CertificateArn=arn)["Certificate"]


@about("a requested certificate waits for its validation record", "RequestCertificate", "C1")
def _(a):
    name = f"{a.name()}.test"
    arn = request(a, name)
    got = look(a, arn)
    same((got["Status"], got["Type"], got["DomainName"]), ("PENDING_VALIDATION", "AMAZON_ISSUED", name))
    option = a.wait("the record to be told", lambda: look(a, arn)["DomainValidationOptions"][0].get("ResourceRecord"))
    same(option["Type"], "CNAME")
    true(option["Name"].startswith("_") and option["Name"].endswith(f".{name}."), "a name below the domain's")
    true(option["Value"].endswith(".acm-validations.aws."), "a value of ACM's own")
    same(look(a, arn)["Status"], "PENDING_VALIDATION")


@about("it is issued once its record resolves", "guide: dns-validation", "C1")
def _(a):
    zone_id, name = zone(a)
    arn = request(a, f"{a.name()}.{name}")
    prove(a, a.acm, arn, zone_id)
    got = look(a, arn)
    same((got["Status"], got["DomainValidationOptions"][0]["ValidationStatus"]), ("ISSUED", "SUCCESS"))
    true(got["NotAfter"] > got["NotBefore"], "the time it is good for")


@about("a name and its star are proven by one record", "guide: dns-validation", "C1")
def _(a):
    name = f"{a.name()}.test"
    arn = request(a, name, SubjectAlternativeNames=[f"*.{name}"])
    options = lambda: look(a, arn)["DomainValidationOptions"]
    a.wait("the records to be told", lambda: all("ResourceRecord" in o for o in options()))
    same(len({o["ResourceRecord"]["Name"] for o in options()}), 1)
    same(sorted(look(a, arn)["SubjectAlternativeNames"]), sorted([name, f"*.{name}"]))


@about("a certificate that is not there: ResourceNotFoundException", "DescribeCertificate")
def _(a):
    refused("ResourceNotFoundException", lambda: look(a, GONE))
    refused("ResourceNotFoundException", lambda: a.acm.delete_certificate(CertificateArn=GONE))
    refused("ResourceNotFoundException", lambda: a.acm.get_certificate(CertificateArn=GONE))


@about("each region has certificates of its own", "guide: acm-regions", "C1")
def _(a):
    here, there = request(a), request(a, acm=a.acm_us)
    true(here.startswith("arn:aws:acm:ap-northeast-2:") and there.startswith("arn:aws:acm:us-east-1:"), "their ARNs to say so")
    known = lambda acm: {c["CertificateArn"] for p in acm.get_paginator("list_certificates").paginate()
                         for c in p["CertificateSummaryList"]}
    true(here in known(a.acm) and there not in known(a.acm), "only its own here")
    true(there in known(a.acm_us) and here not in known(a.acm_us), "only its own there")
    refused("ResourceNotFoundException", lambda: look(a, there))


@about("an ARN that is none is refused", "CommonErrors")
def _(a):
    refused(("ValidationException", "InvalidArnException"), lambda: look(a, "nonsense"))


@about("a name that is none is refused", "RequestCertificate")
def _(a):
    refused(("ValidationException", "InvalidDomainValidationOptionsException"), lambda: request(a, "-not a name-"))


@about("the same token is the same certificate", "RequestCertificate")
def _(a):
    name, token = f"{a.name()}.test", a.name().replace("-", "_")
    same(request(a, name, IdempotencyToken=token), request(a, name, IdempotencyToken=token))


@about("a pending certificate cannot be had yet", "GetCertificate")
def _(a):
    arn = request(a)
    refused("RequestInProgressException", lambda: a.acm.get_certificate(CertificateArn=arn))


@about("a certificate in use is not deleted", "DeleteCertificate")
def _(a):
    arn, it = certificate(a), balancer(a)
    listen = {"LoadBalancerArn": it["LoadBalancerArn"], "Protocol": "HTTPS", "Port": 443}
    a.elbv2.create_listener(**listen, Certificates=[{"CertificateArn": arn}], DefaultActions=FIXED)
    refused("ResourceInUseException", lambda: a.acm.delete_certificate(CertificateArn=arn))
    true(it["LoadBalancerArn"] in look(a, arn)["InUseBy"], "the balancer named in InUseBy")


@about("a deleted certificate is gone", "DeleteCertificate")
def _(a):
    arn = request(a)
    a.acm.delete_certificate(CertificateArn=arn)
    refused("ResourceNotFoundException", lambda: look(a, arn))


@about("certificates are listed by status", "ListCertificates")
def _(a):
    pending, issued = request(a), certificate(a)
    def listed(status):
        pages = a.acm.get_paginator("list_certificates").paginate(CertificateStatuses=[status])
        return {c["CertificateArn"] for p in pages for c in p["CertificateSummaryList"]}
    true(pending in listed("PENDING_VALIDATION") and pending not in listed("ISSUED"), "the pending one where it belongs")
    true(issued in listed("ISSUED"), "the issued one where it belongs")


@about("tags come and go", "AddTagsToCertificate")
def _(a):
    arn = request(a, Tags=[{"Key": "a", "Value": "1"}])
    a.acm.add_tags_to_certificate(CertificateArn=arn, Tags=[{"Key": "b", "Value": "2"}])
    a.acm.remove_tags_from_certificate(CertificateArn=arn, Tags=[{"Key": "a"}])
    same(a.acm.list_tags_for_certificate(CertificateArn=arn)["Tags"], [{"Key": "b", "Value": "2"}])
