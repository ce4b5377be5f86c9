"""Route 53: change batches, to the letter."""

import threading

from ask import Wrong, of, refused, same, true
from make import change, record, upsert, zone

about = of("R53-BATCH", "Route 53 API")


def send(a, *changes):
    return a.route53.change_resource_record_sets(HostedZoneId=zone(a)[0], ChangeBatch={"Changes": list(changes)})


def seen(a, name):
    """The record sets of a name, as (type, ttl, values, set identifier, weight)."""
    got = a.route53.list_resource_record_sets(HostedZoneId=zone(a)[0], StartRecordName=name, MaxItems="20")
    found = [s for s in got["ResourceRecordSets"] if s["Name"] == name + "."]
    values = lambda s: tuple(r["Value"] for r in s.get("ResourceRecords", []))
    return [(s["Type"], s.get("TTL"), values(s), s.get("SetIdentifier"), s.get("Weight")) for s in found]


def fresh(a):
    return f"{a.name('r')}.{zone(a)[1]}"


def weighted(name, which, weight, **more):
    return record(name, SetIdentifier=which, Weight=weight, **more)


@about("a weighted record beside a simple one is refused", "ChangeResourceRecordSets", "R1")
def _(a):
    name = fresh(a)
    send(a, change("CREATE", record(name)))
    refused("InvalidChangeBatch", lambda: send(a, change("CREATE", weighted(name, "new", 0, value="192.0.2.2"))))
    refused("InvalidChangeBatch", lambda: send(a, change("UPSERT", weighted(name, "new", 0, value="192.0.2.2"))))
    same(len(seen(a, name)), 1)


@about("a simple record beside weighted ones is refused", "ChangeResourceRecordSets", "R1")
def _(a):
    name = fresh(a)
    send(a, change("CREATE", weighted(name, "old", 100)))
    refused("InvalidChangeBatch", lambda: send(a, change("CREATE", record(name))))
    refused("InvalidChangeBatch", lambda: send(a, change("UPSERT", record(name))))


@about("one batch turns a simple record into weighted ones", "ChangeResourceRecordSets", "R1")
def _(a):
    name = fresh(a)
    send(a, change("CREATE", record(name)))
    new = [change("CREATE", weighted(name, "old", 100)), change("CREATE", weighted(name, "new", 0, value="192.0.2.2"))]
    send(a, change("DELETE", record(name)), *new)
    same([s[3:] for s in seen(a, name)], [("new", 0), ("old", 100)])


@about("a batch with one wrong change changes nothing", "ChangeResourceRecordSets", "R1")
def _(a):
    good, bad = fresh(a), fresh(a)
    refused("InvalidChangeBatch", lambda: send(a, change("CREATE", record(good)), change("DELETE", record(bad))))
    same(seen(a, good), [])


@about("a DELETE with another TTL is refused", "ChangeResourceRecordSets", "R2")
def _(a):
    name = fresh(a)
    send(a, change("CREATE", record(name, ttl=300)))
    refused("InvalidChangeBatch", lambda: send(a, change("DELETE", record(name, ttl=60))))
    same(len(seen(a, name)), 1)


@about("a DELETE with other values is refused", "ChangeResourceRecordSets", "R2")
def _(a):
    name = fresh(a)
    send(a, change("CREATE", record(name, value=["192.0.2.1", "192.0.2.2"])))
    refused("InvalidChangeBatch", lambda: send(a, change("DELETE", record(name, value="192.0.2.1"))))
    send(a, change("DELETE", record(name, value=["192.0.2.2", "192.0.2.1"])))
    same(seen(a, name), [])


@about("a DELETE with another weight is refused", "ChangeResourceRecordSets", "R2")
def _(a):
    name = fresh(a)
    send(a, change("CREATE", weighted(name, "old", 100)))
    refused("InvalidChangeBatch", lambda: send(a, change("DELETE", weighted(name, "old", 99))))


@about("a DELETE of what is not there is refused", "ChangeResourceRecordSets", "R2")
def _(a):
    refused("InvalidChangeBatch", lambda: send(a, change("DELETE", record(fresh(a)))), saying="not found")


@about("DELETE and CREATE in one batch are a compare-and-swap: the second time it has lost", "ChangeResourceRecordSets",
       "R2")
def _(a):
    name = fresh(a)
    old, new = weighted(name, "x", 100), weighted(name, "x", 75)
    send(a, change("CREATE", old))
    send(a, change("DELETE", old), change("CREATE", new))
    refused("InvalidChangeBatch", lambda: send(a, change("DELETE", old), change("CREATE", new)))
    same([s[4] for s in seen(a, name)], [75])


@about("a CREATE of what is there is refused, an UPSERT overwrites it", "ChangeResourceRecordSets", "R2")
def _(a):
    name = fresh(a)
    send(a, change("CREATE", record(name)))
    refused("InvalidChangeBatch", lambda: send(a, change("CREATE", record(name, ttl=60))), saying="already exists")
    send(a, change("UPSERT", record(name, ttl=60)))
    same([s[1] for s in seen(a, name)], [60])


@about("deleting one set identifier leaves the others of its name, and other names", "ChangeResourceRecordSets", "R9")
def _(a):
    name, other = fresh(a), fresh(a)
    both = [weighted(name, "old", 1), weighted(name, "new", 2), weighted(other, "old", 1)]
    send(a, *(change("CREATE", one) for one in both))
    send(a, change("DELETE", both[0]))
    same(([s[3] for s in seen(a, name)], [s[3] for s in seen(a, other)]), (["new"], ["old"]))


@about("the same record twice in a batch is refused", "ChangeResourceRecordSets")
def _(a):
    name = fresh(a)
    refused("InvalidChangeBatch", lambda: send(a, change("CREATE", record(name)), change("CREATE", record(name))))
    send(a, change("CREATE", record(name)))
    refused("InvalidChangeBatch", lambda: send(a, change("DELETE", record(name)), change("DELETE", record(name))))


@about("a batch of nothing is refused", "ChangeBatch")
def _(a):
    refused("InvalidInput", lambda: send(a))


@about("an action that is none is refused", "Change")
def _(a):
    refused("InvalidInput", lambda: send(a, change("REPLACE", record(fresh(a)))))


def values(count):
    return [f"10.{n >> 16}.{(n >> 8) & 255}.{n & 255}" for n in range(count)]


@about("more than 1,000 ResourceRecord elements in a batch are refused", "DNSLimitations", "R8")
def _(a):
    stem = fresh(a)
    changes = [change("CREATE", record(f"n{n}.{stem}", value=values(100))) for n in range(11)]
    refused("InvalidChangeBatch", lambda: send(a, *changes), saying="1000")


@about("an UPSERT counts twice", "DNSLimitations", "R8")
def _(a):
    stem = fresh(a)
    changes = [change("UPSERT", record(f"n{n}.{stem}", value=values(100))) for n in range(6)]
    refused("InvalidChangeBatch", lambda: send(a, *changes), saying="1000")
    send(a, *changes[:4])
    same(len(seen(a, f"n0.{stem}")), 1)


@about("a change is PENDING first and INSYNC later", "GetChange", "R7")
def _(a):
    info = send(a, upsert(fresh(a)))["ChangeInfo"]
    same(info["Status"], "PENDING")
    insync = lambda: a.route53.get_change(Id=info["Id"])["ChangeInfo"]["Status"] == "INSYNC"
    a.wait("the change to be INSYNC", insync, seconds=90, every=1)


@about("a change that is none: NoSuchChange", "GetChange")
def _(a):
    refused("NoSuchChange", lambda: a.route53.get_change(Id="C00000000000000000000"), 404)


@about("more than five requests a second are throttled", "DNSLimitations", "R8")
def burst(a):
    hot = a.client("route53")
    got = []

    def ask():
        try:
            hot.list_hosted_zones(MaxItems="1")
            got.append(200)
        except hot.exceptions.ClientError as error:
            got.append((error.response["Error"]["Code"], error.response["ResponseMetadata"]["HTTPStatusCode"]))

    threads = [threading.Thread(target=ask) for _ in range(15)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    kinds = set(got)
    if ("Throttling", 400) not in kinds or not kinds <= {200, ("Throttling", 400)}:
        raise Wrong(f"expected Throttling (400) beside answers, got {kinds}")
    true(got.count(200) <= 11, f"at most some ten of 15 to pass, not {got.count(200)}")


# The account's budget is shared: nobody else may be asking.
burst.alone = True
