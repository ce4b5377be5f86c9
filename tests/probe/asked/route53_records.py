"""Route 53: what a record may be."""

from ask import of, refused, same, true
from asked.route53_batches import fresh, seen, send
from make import change, record, shared_balancer, zone
from wire import lookup

about = of("R53-RECORD", "Route 53 API")


def bad(what, page, code, law=None, **given):
    """A record that is refused; a name in `given` is put before the zone's."""

    @about(what, page, law)
    def _(a):
        asked = {"name": fresh(a), **given}
        refused(code, lambda: send(a, change("CREATE", record(**asked))))


bad("an A record that holds no address is refused", "ResourceRecord", "InvalidChangeBatch", value="not-an-address")
bad("an AAAA record that holds an IPv4 address is refused", "ResourceRecord", "InvalidChangeBatch", kind="AAAA")
bad("a TXT record without quotes is refused", "ResourceRecordTypes", "InvalidChangeBatch", kind="TXT", value="hello")
bad("an MX record without a priority is refused", "ResourceRecordTypes", "InvalidChangeBatch", kind="MX", value="mail.test")
bad("a type that is none is refused", "ResourceRecordSet", "InvalidInput", kind="WOMBAT")
bad("a TTL below zero is refused", "ResourceRecordSet", "InvalidInput", ttl=-1)
bad("a name outside of the zone is refused", "ChangeResourceRecordSets", "InvalidChangeBatch", name="www.elsewhere.example")


@about("a CNAME at the apex is refused", "ResourceRecordTypes", "R5")
def _(a):
    apex = record(zone(a)[1], "CNAME", "elsewhere.test")
    refused("InvalidChangeBatch", lambda: send(a, change("CREATE", apex)), saying="apex")


@about("a CNAME beside another record of its name is refused, and the other way round", "ResourceRecordTypes")
def _(a):
    name, other = fresh(a), fresh(a)
    send(a, change("CREATE", record(name)), change("CREATE", record(other, "CNAME", "elsewhere.test")))
    refused("InvalidChangeBatch", lambda: send(a, change("CREATE", record(name, "CNAME", "elsewhere.test"))))
    refused("InvalidChangeBatch", lambda: send(a, change("CREATE", record(other))))


@about("the zone's own NS and SOA records stay", "ChangeResourceRecordSets")
def _(a):
    zone_id, name = zone(a)
    sets = a.route53.list_resource_record_sets(HostedZoneId=zone_id, StartRecordName=name, MaxItems="10")
    for own in [s for s in sets["ResourceRecordSets"] if s["Type"] in ("NS", "SOA")]:
        refused("InvalidChangeBatch", lambda own=own: send(a, change("DELETE", own)))


@about("a record needs a TTL and values, or an alias", "ResourceRecordSet")
def _(a):
    refused("InvalidInput", lambda: send(a, change("CREATE", {"Name": fresh(a), "Type": "A"})))
    refused("InvalidInput", lambda: send(a, change("CREATE", {"Name": fresh(a), "Type": "A", "TTL": 60})))


def alias(name, to, at, **more):
    target = {"DNSName": to, "HostedZoneId": at, "EvaluateTargetHealth": False}
    return {"Name": name, "Type": "A", "AliasTarget": target, **more}


@about("an alias has no TTL of its own", "AliasTarget", "R5")
def _(a):
    it = shared_balancer(a)
    wanted = alias(fresh(a), it["DNSName"], it["CanonicalHostedZoneId"], TTL=60)
    refused("InvalidInput", lambda: send(a, change("CREATE", wanted)))


@about("an alias without its zone id is refused", "AliasTarget")
def _(a):
    it = shared_balancer(a)
    wanted = alias(fresh(a), it["DNSName"], None)
    del wanted["AliasTarget"]["HostedZoneId"]
    refused("InvalidInput", lambda: send(a, change("CREATE", wanted)))


@about("an alias to a balancer names the balancer's zone, not another", "AliasTarget")
def _(a):
    it = shared_balancer(a)
    wrong = alias(fresh(a), it["DNSName"], "Z35SXDOTRQ7X7K")
    refused("InvalidChangeBatch", lambda: send(a, change("CREATE", wrong)), saying="target zone")


@about("an alias to a name of the zone that is not there is refused", "AliasTarget")
def _(a):
    zone_id = zone(a)[0].rpartition("/")[2]
    wanted = alias(fresh(a), fresh(a), zone_id)
    refused("InvalidChangeBatch", lambda: send(a, change("CREATE", wanted)), saying="not found")


@about("an alias may stand at the apex, and answers the balancer's address", "resource-record-sets-choosing-alias-non-alias",
       "R5")
def _(a):
    it = shared_balancer(a)
    name = f"{a.name('apex')}.test"
    zone_id = a.route53.create_hosted_zone(Name=name, CallerReference=a.name())["HostedZone"]["Id"]
    changes = {"Changes": [change("CREATE", alias(name, it["DNSName"], it["CanonicalHostedZoneId"]))]}
    a.route53.change_resource_record_sets(HostedZoneId=zone_id, ChangeBatch=changes)
    address = lambda which: [found for found, _ in lookup(a, which)[0]]
    a.wait("the balancer's address", lambda: address(name) and address(name) == address(it["DNSName"]))


@about("an alias comes back as it was put", "ListResourceRecordSets")
def _(a):
    it = shared_balancer(a)
    name = fresh(a)
    wanted = alias(name, "dualstack." + it["DNSName"], it["CanonicalHostedZoneId"])
    send(a, change("CREATE", wanted))
    got = a.route53.list_resource_record_sets(HostedZoneId=zone(a)[0], StartRecordName=name, MaxItems="1")
    found = got["ResourceRecordSets"][0]
    same(found["AliasTarget"]["DNSName"], wanted["AliasTarget"]["DNSName"].lower() + ".")
    true("TTL" not in found and "ResourceRecords" not in found, "neither TTL nor values")


@about("names are lower case, and a star is written as an octal code", "ListResourceRecordSets; DomainNameFormat")
def _(a):
    name = fresh(a)
    send(a, change("CREATE", record("*." + name)), change("CREATE", record("UPPER." + name)))
    got = a.route53.list_resource_record_sets(HostedZoneId=zone(a)[0], StartRecordName="*." + name, MaxItems="2")
    same([s["Name"] for s in got["ResourceRecordSets"]], [f"\\052.{name}.", f"upper.{name}."])


@about("a list begins at the name and type asked for, and its page says where the next begins", "ListResourceRecordSets")
def _(a):
    stem = fresh(a)
    send(a, *(change("CREATE", record(f"{n}.{stem}")) for n in "abc"), change("CREATE", record(f"a.{stem}", "AAAA", "::1")))
    where = {"HostedZoneId": zone(a)[0], "MaxItems": "2"}
    first = a.route53.list_resource_record_sets(**where, StartRecordName=f"a.{stem}", StartRecordType="AAAA")
    same([(s["Name"], s["Type"]) for s in first["ResourceRecordSets"]], [(f"a.{stem}.", "AAAA"), (f"b.{stem}.", "A")])
    same((first["IsTruncated"], first["NextRecordName"], first["NextRecordType"]), (True, f"c.{stem}.", "A"))


@about("a type to begin at needs a name", "ListResourceRecordSets")
def _(a):
    refused("InvalidInput", lambda: a.route53.list_resource_record_sets(HostedZoneId=zone(a)[0], StartRecordType="A"))


@about("TestDNSAnswer answers as the zone would", "TestDNSAnswer")
def _(a):
    name = fresh(a)
    send(a, change("CREATE", record(name, value=["192.0.2.7", "192.0.2.8"])))
    ask = lambda n, t="A": a.route53.test_dns_answer(HostedZoneId=zone(a)[0], RecordName=n, RecordType=t)
    got = ask(name)
    same((got["ResponseCode"], sorted(got["RecordData"])), ("NOERROR", ["192.0.2.7", "192.0.2.8"]))
    same((ask("gone." + name)["ResponseCode"], ask(name, "TXT")["ResponseCode"]), ("NXDOMAIN", "NOERROR"))


@about("the name server answers what the zone holds, with its TTL", "route-53-concepts")
def _(a):
    name = fresh(a)
    send(a, change("CREATE", record(name, value="192.0.2.9", ttl=77)))
    a.wait("the name to be known", lambda: lookup(a, name)[0])
    same(lookup(a, name), ([("192.0.2.9", 77)], 0))
    same(lookup(a, "gone." + name), ([], 3))
    true(seen(a, name), "it in the zone")
