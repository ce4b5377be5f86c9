"""Route 53: health checks."""

from ask import of, refused, same, true
from asked.route53_batches import fresh, send, weighted
from make import change, zone

about = of("R53-HEALTH", "Route 53 API")
CONFIG = {"Type": "HTTP", "IPAddress": "192.0.2.1", "Port": 80, "ResourcePath": "/", "RequestInterval": 30,
          "FailureThreshold": 3}


def made(a, **more):
    got = a.route53.create_health_check(CallerReference=a.name(), HealthCheckConfig={**CONFIG, **more})
    return got["HealthCheck"]["Id"]


@about("a health check is made and described", "CreateHealthCheck, GetHealthCheck")
def _(a):
    got = a.route53.get_health_check(HealthCheckId=made(a))["HealthCheck"]
    same({key: got["HealthCheckConfig"][key] for key in CONFIG}, CONFIG)
    same(got["HealthCheckVersion"], 1)


@about("a health check that is not there: NoSuchHealthCheck", "GetHealthCheck")
def _(a):
    gone = "00000000-0000-0000-0000-000000000000"
    refused("NoSuchHealthCheck", lambda: a.route53.get_health_check(HealthCheckId=gone), 404)
    refused("NoSuchHealthCheck", lambda: a.route53.delete_health_check(HealthCheckId=gone), 404)


@about("a caller reference used for another check is refused", "CreateHealthCheck")
def _(a):
    reference = a.name()
    a.route53.create_health_check(CallerReference=reference, HealthCheckConfig=CONFIG)
    other = {**CONFIG, "Port": 81}
    again = lambda: a.route53.create_health_check(CallerReference=reference, HealthCheckConfig=other)
    refused("HealthCheckAlreadyExists", again, 409)


def bad(what, **more):
    @about(f"{what} is refused", "HealthCheckConfig")
    def _(a):
        refused("InvalidInput", lambda: made(a, **more))


bad("an interval of 20 seconds", RequestInterval=20)
bad("a failure threshold of 11", FailureThreshold=11)
bad("a type that is none", Type="SMOKE")


@about("a record whose health check is not there is refused", "ChangeResourceRecordSets")
def _(a):
    wanted = weighted(fresh(a), "a", 1, HealthCheckId="00000000-0000-0000-0000-000000000000")
    refused("NoSuchHealthCheck", lambda: send(a, change("CREATE", wanted)), 404)


@about("a record keeps its health check", "ResourceRecordSet")
def _(a):
    check, name = made(a), fresh(a)
    send(a, change("CREATE", weighted(name, "a", 1, HealthCheckId=check)))
    got = a.route53.list_resource_record_sets(HostedZoneId=zone(a)[0], StartRecordName=name, MaxItems="1")
    same(got["ResourceRecordSets"][0].get("HealthCheckId"), check)


@about("an update with another version is refused", "UpdateHealthCheck")
def _(a):
    check = made(a)
    update = lambda v: a.route53.update_health_check(HealthCheckId=check, HealthCheckVersion=v, FailureThreshold=5)
    refused("HealthCheckVersionMismatch", lambda: update(9), 409)
    got = update(1)["HealthCheck"]
    true((got["HealthCheckVersion"], got["HealthCheckConfig"]["FailureThreshold"]) == (2, 5), "version 2")
