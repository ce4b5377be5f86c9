"""CloudWatch: metrics of the balancer."""

import datetime

from ask import of, refused, same, true
from asked.elb_traffic import behind, get, open_, target
from make import FIXED, forward

about = of("METRIC", "CloudWatch API")


def query(which="requests", metric="RequestCount", stat="Sum", period=60, **dimensions):
    held = {"Namespace": "AWS/ApplicationELB", "MetricName": metric,
            "Dimensions": [{"Name": k, "Value": v} for k, v in dimensions.items()]}
    return {"Id": which, "MetricStat": {"Metric": held, "Period": period, "Stat": stat}}


def data(a, *queries, back=30, ahead=1, **more):
    now = datetime.datetime.now(datetime.timezone.utc).replace(second=0, microsecond=0)
    minutes = lambda n: datetime.timedelta(minutes=n)
    times = {"StartTime": now - minutes(back), "EndTime": now + minutes(ahead)}
    return a.cloudwatch.get_metric_data(MetricDataQueries=list(queries), **times, **more)


@about("a metric nobody has is empty and complete", "GetMetricData")
def _(a):
    got = data(a, query(LoadBalancer="app/gone/0123456789abcdef"))["MetricDataResults"]
    same([(r["Id"], r["Values"], r["Timestamps"], r["StatusCode"]) for r in got], [("requests", [], [], "Complete")])


@about("the requests that reached a target are counted", "ELB guide: load-balancer-cloudwatch-metrics")
def _(a):
    with target("one") as server:
        it, address = open_(a, forward((behind(a, server), 1)))
        for _ in range(7):
            same(get(address)[0], 200)
    dimension = it["LoadBalancerArn"].partition(":loadbalancer/")[2]
    total = lambda: sum(data(a, query(LoadBalancer=dimension))["MetricDataResults"][0]["Values"])
    a.wait("seven requests to be counted", lambda: total() >= 7, seconds=90, every=1)
    same(total(), 7.0)


@about("an answer of the balancer's own counts as such", "ELB guide: load-balancer-cloudwatch-metrics")
def _(a):
    it, address = open_(a, FIXED)
    same(get(address)[0], 404)
    dimension = it["LoadBalancerArn"].partition(":loadbalancer/")[2]
    look = lambda: data(a, query(metric="HTTP_Fixed_Response_Count", LoadBalancer=dimension))["MetricDataResults"][0]["Values"]
    a.wait("it to be counted", lambda: sum(look()) >= 1, seconds=90, every=1)


@about("a start after the end is refused", "GetMetricData")
def _(a):
    refused("ValidationError", lambda: data(a, query(LoadBalancer="x"), back=-5, ahead=1))


@about("the same id twice is refused", "MetricDataQuery")
def _(a):
    refused("ValidationError", lambda: data(a, query(LoadBalancer="x"), query(LoadBalancer="y")))


@about("an id begins with a small letter", "MetricDataQuery")
def _(a):
    refused("ValidationError", lambda: data(a, query("Requests", LoadBalancer="x")))


@about("a statistic that is none is refused", "MetricStat")
def _(a):
    refused(("ValidationError", "InvalidParameterValue"), lambda: data(a, query(stat="Mood", LoadBalancer="x")))


@about("newest values come first unless asked otherwise", "GetMetricData")
def _(a):
    it, address = open_(a, FIXED)
    get(address)
    dimension = it["LoadBalancerArn"].partition(":loadbalancer/")[2]
    answered = query(metric="HTTP_Fixed_Response_Count", LoadBalancer=dimension)
    look = lambda **more: data(a, answered, **more)["MetricDataResults"][0]["Timestamps"]
    a.wait("it to be counted", look, seconds=90, every=1)
    for order, reverse in (("TimestampDescending", True), ("TimestampAscending", False)):
        got = look(ScanBy=order)
        true(got == sorted(got, reverse=reverse), f"{order}")
