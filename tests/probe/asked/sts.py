"""Who asks: identity, unknown keys, wrong secrets, and what no service knows."""

from ask import of, refused, same, true
from wire import anonymous, signed

about = of("STS", "STS API")
common = of("KEYS", None)


@about("the caller's identity is an ARN of a twelve-digit account", "GetCallerIdentity")
def _(a):
    got = a.sts.get_caller_identity()
    true(len(got["Account"]) == 12 and got["Account"].isdigit(), f"twelve digits, not {got['Account']}")
    true(got["Arn"].startswith(f"arn:aws:iam::{got['Account']}:") or got["Arn"].startswith("arn:aws:sts::"), "its ARN")


@about("an access key nobody has is refused", "CommonErrors")
def _(a):
    refused("InvalidClientTokenId", a.client("sts", key="AKIANOBODY").get_caller_identity, 403)


@about("a wrong secret is refused", "CommonErrors")
def _(a):
    refused("SignatureDoesNotMatch", a.client("sts", secret="wrong").get_caller_identity, 403)


@about("an action the service does not have is refused", "CommonErrors")
def _(a):
    status, body = signed(a, "sts", b"Action=GetLost&Version=2011-06-15")
    same((status, b"<Code>InvalidAction</Code>" in body), (400, True))


def keys(service, call, unknown, wrong, page):
    """How a service refuses a key nobody has, and a wrong secret."""

    @common(f"{service}: an access key nobody has is refused", page)
    def _(a):
        refused(unknown[0], lambda: call(a.client(service, key="AKIANOBODY")), unknown[1])

    @common(f"{service}: a wrong secret is refused", page)
    def _(a):
        refused(wrong[0], lambda: call(a.client(service, secret="wrong")), wrong[1])


QUERY = ("InvalidClientTokenId", 403), ("SignatureDoesNotMatch", 403)
# The services that speak JSON say it in words of their own.
JSON = ("UnrecognizedClientException", 400), ("InvalidSignatureException", 400)
keys("elbv2", lambda c: c.describe_load_balancers(), *QUERY, "ELBv2 API: CommonErrors")
keys("rds", lambda c: c.describe_db_instances(), *QUERY, "RDS API: CommonErrors")
keys("route53", lambda c: c.list_hosted_zones(), *QUERY, "Route 53 API: CommonErrors")
keys("cloudfront", lambda c: c.list_distributions(), *QUERY, "CloudFront API: CommonErrors")
keys("ec2", lambda c: c.describe_vpcs(), ("AuthFailure", 401), ("AuthFailure", 401), "EC2 API: errors-overview")
keys("acm", lambda c: c.list_certificates(), *JSON, "ACM API: CommonErrors")
keys("secretsmanager", lambda c: c.list_secrets(), *JSON, "Secrets Manager API: CommonErrors")
keys(
    "s3", lambda c: c.list_buckets(), ("InvalidAccessKeyId", 403), ("SignatureDoesNotMatch", 403), "S3 API: ErrorResponses"
)


@common("s3: nobody in particular may not list the account's buckets", "S3 API: ErrorResponses")
def _(a):
    status, body, _ = anonymous(a.endpoint + "/")
    same((status, b"<Code>AccessDenied</Code>" in body), (403, True))
