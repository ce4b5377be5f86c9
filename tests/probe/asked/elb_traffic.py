"""The balancer as its visitors meet it: real requests through it to real targets on this machine."""

import contextlib
import http.server
import threading
import time

from ask import NotAsked, of, same, true
from make import FIXED, balancer, forward, group, listener, own_address
from wire import lookup, visit

about = of("ELB-TRAFFIC", "ELB guide")


class Answer(http.server.BaseHTTPRequestHandler):
    """Says who it is, and what it was asked with."""

    protocol_version = "HTTP/1.1"

    def do_GET(self):  # noqa: N802
        ill = self.path == "/up" and self.server.ill
        body = f"{self.server.name} {self.headers.get('X-Forwarded-For')} {self.headers.get('X-Forwarded-Proto')}".encode()
        self.send_response(503 if ill else 200)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_):
        pass


@contextlib.contextmanager
def target(name, ill=False):
    """A server at this machine's own address; gives it."""
    address = own_address()
    if not address:
        raise NotAsked("this machine has no private address that a target could have")
    server = http.server.ThreadingHTTPServer((address, 0), Answer)
    server.name, server.ill = name, ill
    threading.Thread(target=server.serve_forever, daemon=True).start()
    try:
        yield server
    finally:
        server.shutdown()
        server.server_close()


def behind(a, server, wait=True, **more):
    """A group with that server in it, not in use yet."""
    quick = {"HealthCheckIntervalSeconds": 5, "HealthCheckTimeoutSeconds": 2, "HealthyThresholdCount": 2}
    arn = group(a, HealthCheckPath="/up", **quick, **more)
    address, port = server.server_address[:2]
    a.elbv2.register_targets(TargetGroupArn=arn, Targets=[{"Id": address, "Port": port, "AvailabilityZone": "all"}])
    return arn


def state(a, arn):
    got = a.elbv2.describe_target_health(TargetGroupArn=arn)["TargetHealthDescriptions"]
    return got[0]["TargetHealth"]["State"]


def open_(a, actions):
    """A balancer that listens at port 80; gives it and its address."""
    it = balancer(a)
    listener(a, it, actions, at=80)
    address = lambda: lookup(a, it["DNSName"])[0]
    return it, a.wait("the balancer's name to be known", address)[0][0]


def get(address, path="/", host="shop.test", **more):
    end = time.monotonic() + 10
    while True:
        try:
            return visit(address, host, path, **more)
        except ConnectionRefusedError:
            if time.monotonic() > end:
                raise
            time.sleep(0.1)


@about("a request reaches a healthy target, which is told who came and how", "x-forwarded-headers")
def _(a):
    with target("one") as server:
        arn = behind(a, server)
        _, address = open_(a, forward((arn, 1)))
        a.wait("the target to be healthy", lambda: state(a, arn) == "healthy", seconds=60)
        status, body, _ = get(address)
        same((status, body.split()[0], body.split()[2]), (200, "one", "http"))
        true(body.split()[1] not in ("None", ""), "the visitor's address")


@about("a group whose every target is unhealthy fails open", "target-group-health-checks", "L3")
def _(a):
    with target("one", ill=True) as server:
        arn = behind(a, server)
        _, address = open_(a, forward((arn, 1)))
        a.wait("the target to be unhealthy", lambda: state(a, arn) == "unhealthy", seconds=60)
        same(get(address)[:1] + (get(address)[1].split()[0],), (200, "one"))


@about("a group without targets answers 503", "load-balancer-troubleshooting")
def _(a):
    _, address = open_(a, forward((group(a), 1)))
    same(get(address)[0], 503)


@about("a target that nobody listens at answers 502 or 504", "load-balancer-troubleshooting")
def _(a):
    with target("gone") as server:
        arn = behind(a, server)
    _, address = open_(a, forward((arn, 1)))
    true(get(address)[0] in (502, 504), "502 or 504")


@about("weights are per request, and 0 is none", "rule-action-types", "L2")
def _(a):
    with target("old") as one, target("new") as two:
        old, new = behind(a, one), behind(a, two)
        it, address = open_(a, forward((old, 100), (new, 0)))
        for arn in (old, new):
            a.wait("the targets to be healthy", lambda arn=arn: state(a, arn) == "healthy", seconds=60)
        same({get(address)[1].split()[0] for _ in range(40)}, {"old"})
        arn = a.elbv2.describe_listeners(LoadBalancerArn=it["LoadBalancerArn"])["Listeners"][0]["ListenerArn"]
        a.elbv2.modify_listener(ListenerArn=arn, DefaultActions=forward((old, 1), (new, 1)))
        a.wait("both to answer", lambda: get(address)[1].split()[0] == "new", seconds=10)
        share = sum(get(address)[1].startswith("new") for _ in range(200)) / 200
        true(0.35 < share < 0.65, f"half of it, not {share:.2f}")


@about("the lowest rule that matches answers, else the default", "listener-rules")
def _(a):
    it, address = open_(a, FIXED)
    arn = a.elbv2.describe_listeners(LoadBalancerArn=it["LoadBalancerArn"])["Listeners"][0]["ListenerArn"]
    for priority, pattern, code in ((20, "/a*", "220"), (10, "/a/b", "210")):
        path = [{"Field": "path-pattern", "PathPatternConfig": {"Values": [pattern]}}]
        fixed = [{"Type": "fixed-response", "FixedResponseConfig": {"StatusCode": code}}]
        a.elbv2.create_rule(ListenerArn=arn, Priority=priority, Conditions=path, Actions=fixed)
    a.wait("the rules to be followed", lambda: get(address, "/a/b")[0] == 210, seconds=10)
    same([get(address, path)[0] for path in ("/a/b", "/a/c", "/b", "/A/b")], [210, 220, 404, 404])


@about("80 to 443 is a redirect that keeps host, path and query", "rule-action-types", "L7")
def _(a):
    to = [{"Type": "redirect", "RedirectConfig": {"Protocol": "HTTPS", "Port": "443", "StatusCode": "HTTP_301"}}]
    _, address = open_(a, to)
    status, _, headers = get(address, "/cart?id=7")
    same((status, headers["Location"]), (301, "https://shop.test:443/cart?id=7"))


@about("a cookie keeps a visitor with a group, whatever the weights", "sticky-sessions", "L2")
def _(a):
    with target("old") as one, target("new") as two:
        old, new = behind(a, one), behind(a, two)
        sticky = {"TargetGroupStickinessConfig": {"Enabled": True, "DurationSeconds": 60}}
        _, address = open_(a, forward((old, 1), (new, 1), **sticky))
        for arn in (old, new):
            a.wait("the targets to be healthy", lambda arn=arn: state(a, arn) == "healthy", seconds=60)
        _, body, headers = get(address)
        cookies = headers.get_all("Set-Cookie") or []
        true(any(c.startswith("AWSALBTG=") for c in cookies), f"the cookie AWSALBTG, not {cookies}")
        sent = {"Cookie": "; ".join(c.partition(";")[0] for c in cookies)}
        first = body.split()[0]
        same({get(address, headers=sent)[1].split()[0] for _ in range(30)}, {first})
