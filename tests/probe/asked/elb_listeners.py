"""ELBv2: listeners and their certificates."""

from ask import of, refused, same, true
from make import FIXED, balancer, certificate, forward, group, listener, port, shared_balancer

about = of("ELB-LISTENER", "ELBv2 API")


def https(a, arn=None, **more):
    wanted = {"LoadBalancerArn": shared_balancer(a)["LoadBalancerArn"], "Protocol": "HTTPS", "Port": port(a),
              "DefaultActions": FIXED, **more}
    if arn:
        wanted["Certificates"] = [{"CertificateArn": arn}]
    return a.elbv2.create_listener(**wanted)["Listeners"][0]


@about("HTTPS without a certificate is refused", "CreateListener")
def _(a):
    refused("ValidationError", lambda: https(a), saying="certificate")


@about("a certificate that is not there: CertificateNotFound", "CreateListener", "C1")
def _(a):
    arn = "arn:aws:acm:ap-northeast-2:000000000000:certificate/12345678-1234-1234-1234-123456789012"
    refused("CertificateNotFound", lambda: https(a, arn))


@about("a certificate of another region is not found", "guide: https-listener-certificates", "C1")
def _(a):
    refused("CertificateNotFound", lambda: https(a, certificate(a, "us")))


@about("a certificate that is not issued yet is refused", "guide: https-listener-certificates", "C1")
def _(a):
    arn = a.acm.request_certificate(DomainName=f"{a.name()}.test", ValidationMethod="DNS")["CertificateArn"]
    refused("UnsupportedCertificate", lambda: https(a, arn))


@about("with an issued certificate HTTPS listens", "CreateListener")
def _(a):
    got = https(a, certificate(a))
    same((got["Protocol"], [c["CertificateArn"] for c in got["Certificates"]]), ("HTTPS", [certificate(a)]))
    true(got["SslPolicy"].startswith("ELBSecurityPolicy-"), "a policy of its own")


@about("a listener's own certificate is its default, others are beside it", "AddListenerCertificates")
def _(a):
    arn, default = https(a, certificate(a))["ListenerArn"], certificate(a)
    got = a.elbv2.describe_listener_certificates(ListenerArn=arn)["Certificates"]
    same([(c["CertificateArn"], c["IsDefault"]) for c in got], [(default, True)])
    gone = {"CertificateArn": "arn:aws:acm:ap-northeast-2:000000000000:certificate/12345678-1234-1234-1234-123456789012"}
    refused("CertificateNotFound", lambda: a.elbv2.add_listener_certificates(ListenerArn=arn, Certificates=[gone]))


@about("a port that is taken: DuplicateListener", "CreateListener")
def _(a):
    at = port(a)
    listener(a, at=at)
    refused("DuplicateListener", lambda: listener(a, at=at))


@about("a port is 1 to 65535", "CreateListener")
def _(a):
    refused("ValidationError", lambda: listener(a, at=65536))
    wanted = {"LoadBalancerArn": shared_balancer(a)["LoadBalancerArn"], "Protocol": "HTTP", "Port": 0}
    refused("ValidationError", lambda: a.elbv2.create_listener(**wanted, DefaultActions=FIXED))


@about("a protocol of network balancers is refused", "CreateListener")
def _(a):
    wanted = {"LoadBalancerArn": shared_balancer(a)["LoadBalancerArn"], "Protocol": "TCP", "Port": port(a)}
    refused(("ValidationError", "UnsupportedProtocol"), lambda: a.elbv2.create_listener(**wanted, DefaultActions=FIXED))


@about("a listener of a balancer that is not there: LoadBalancerNotFound", "CreateListener")
def _(a):
    arn = "arn:aws:elasticloadbalancing:ap-northeast-2:000000000000:loadbalancer/app/gone/0123456789abcdef"
    refused("LoadBalancerNotFound", lambda: listener(a, {"LoadBalancerArn": arn}))


@about("forwarding to a group that is not there: TargetGroupNotFound", "CreateListener")
def _(a):
    arn = "arn:aws:elasticloadbalancing:ap-northeast-2:000000000000:targetgroup/gone/0123456789abcdef"
    refused("TargetGroupNotFound", lambda: listener(a, actions=forward((arn, 1))))


@about("a listener that is not there: ListenerNotFound", "DescribeListeners, DeleteListener")
def _(a):
    arn = shared_balancer(a)["LoadBalancerArn"].replace(":loadbalancer/", ":listener/") + "/0123456789abcdef"
    refused("ListenerNotFound", lambda: a.elbv2.describe_listeners(ListenerArns=[arn]))
    refused("ListenerNotFound", lambda: a.elbv2.delete_listener(ListenerArn=arn))
    refused("ListenerNotFound", lambda: a.elbv2.describe_rules(ListenerArn=arn))


@about("a listener's action and port are changed in place", "ModifyListener")
def _(a):
    arn, to = listener(a), group(a)
    got = a.elbv2.modify_listener(ListenerArn=arn, DefaultActions=forward((to, 1)))["Listeners"][0]
    same((got["ListenerArn"], got["DefaultActions"][0]["Type"]), (arn, "forward"))
    same(got["DefaultActions"][0]["TargetGroupArn"], to)
    refused("DuplicateListener", lambda: a.elbv2.modify_listener(ListenerArn=arn, Port=other_port(a)))


def other_port(a):
    at = port(a)
    listener(a, at=at)
    return at


@about("a deleted listener frees its group", "DeleteListener")
def _(a):
    to = group(a)
    arn = listener(a, balancer(a), forward((to, 1)))
    a.elbv2.delete_listener(ListenerArn=arn)
    a.elbv2.delete_target_group(TargetGroupArn=to)
    refused("ListenerNotFound", lambda: a.elbv2.describe_listeners(ListenerArns=[arn]))


@about("a redirect to itself is refused", "RedirectActionConfig", "L7")
def _(a):
    loop = [{"Type": "redirect", "RedirectConfig": {"StatusCode": "HTTP_301"}}]
    refused("InvalidLoadBalancerAction", lambda: listener(a, actions=loop))


@about("a redirect is 301 or 302", "RedirectActionConfig", "L7")
def _(a):
    other = [{"Type": "redirect", "RedirectConfig": {"Protocol": "HTTPS", "Port": "443", "StatusCode": "HTTP_307"}}]
    refused("ValidationError", lambda: listener(a, actions=other))


@about("a redirect keeps host, path and query unless told", "RedirectActionConfig", "L7")
def _(a):
    to = [{"Type": "redirect", "RedirectConfig": {"Protocol": "HTTPS", "Port": "443", "StatusCode": "HTTP_301"}}]
    arn = listener(a, actions=to)
    got = a.elbv2.describe_listeners(ListenerArns=[arn])["Listeners"][0]["DefaultActions"][0]["RedirectConfig"]
    same((got["Host"], got["Path"], got["Query"], got["Protocol"]), ("#{host}", "/#{path}", "#{query}", "HTTPS"))


def fixed(what, **config):
    @about(f"a fixed response with {what} is refused", "FixedResponseActionConfig")
    def _(a):
        refused("ValidationError", lambda: listener(a, actions=[{"Type": "fixed-response", "FixedResponseConfig": config}]))


fixed("status 302", StatusCode="302")
fixed("status 600", StatusCode="600")
fixed("a body of 1,025 characters", StatusCode="200", ContentType="text/plain", MessageBody="x" * 1025)
fixed("a content type that is none of five", StatusCode="200", ContentType="image/png", MessageBody="x")
