"""Route 53: hosted zones and their lists."""

from ask import of, refused, same, true
from make import change, record, zone

about = of("R53-ZONE", "Route 53 API")


def made(a, name=None, **more):
    got = a.route53.create_hosted_zone(Name=name or f"{a.name('zone')}.test", CallerReference=a.name(), **more)
    return got["HostedZone"]["Id"], got


@about("a new zone has four name servers, an NS and an SOA record, and a change on its way", "CreateHostedZone")
def _(a):
    name = f"{a.name('zone')}.test"
    zone_id, got = made(a, name)
    same(got["ResponseMetadata"]["HTTPStatusCode"], 201)
    same((got["HostedZone"]["Name"], got["HostedZone"]["ResourceRecordSetCount"]), (name + ".", 2))
    same((len(got["DelegationSet"]["NameServers"]), got["ChangeInfo"]["Status"]), (4, "PENDING"))
    true(got["Location"].endswith(zone_id), "the new zone's Location")
    sets = a.route53.list_resource_record_sets(HostedZoneId=zone_id)["ResourceRecordSets"]
    same(sorted((s["Name"], s["Type"]) for s in sets), [(name + ".", "NS"), (name + ".", "SOA")])


@about("a caller reference used before is refused", "CreateHostedZone")
def _(a):
    wanted = {"Name": f"{a.name('zone')}.test", "CallerReference": a.name()}
    a.route53.create_hosted_zone(**wanted)
    refused("HostedZoneAlreadyExists", lambda: a.route53.create_hosted_zone(**wanted), 409)


@about("two zones may have one name, each with servers of its own", "CreateHostedZone", "R9")
def _(a):
    name = f"{a.name('zone')}.test"
    (one, first), (other, second) = made(a, name), made(a, name)
    true(one != other, "two ids")
    true(set(first["DelegationSet"]["NameServers"]) != set(second["DelegationSet"]["NameServers"]), "other servers")


def bad_name(what, name):
    @about(f"a zone's name with {what} is refused", "CreateHostedZone")
    def _(a):
        refused("InvalidDomainName", lambda: made(a, name))


bad_name("an empty label", "a..test")
bad_name("a label of 64 characters", "a" * 64 + ".test")


@about("a zone that is not there: NoSuchHostedZone", "GetHostedZone")
def _(a):
    gone = "Z00000000000000000000"
    refused("NoSuchHostedZone", lambda: a.route53.get_hosted_zone(Id=gone), 404)
    refused("NoSuchHostedZone", lambda: a.route53.list_resource_record_sets(HostedZoneId=gone), 404)
    refused("NoSuchHostedZone", lambda: a.route53.delete_hosted_zone(Id=gone), 404)


@about("a zone with records of its own cannot be deleted; an empty one can", "DeleteHostedZone")
def _(a):
    name = f"{a.name('zone')}.test"
    zone_id, _ = made(a, name)
    kept = record(f"a.{name}")
    batch = lambda action: {"Changes": [change(action, kept)]}
    a.route53.change_resource_record_sets(HostedZoneId=zone_id, ChangeBatch=batch("CREATE"))
    refused("HostedZoneNotEmpty", lambda: a.route53.delete_hosted_zone(Id=zone_id))
    a.route53.change_resource_record_sets(HostedZoneId=zone_id, ChangeBatch=batch("DELETE"))
    same(a.route53.delete_hosted_zone(Id=zone_id)["ChangeInfo"]["Status"], "PENDING")
    refused("NoSuchHostedZone", lambda: a.route53.get_hosted_zone(Id=zone_id), 404)


@about("zones are listed by name with the labels turned round, from the name asked for", "ListHostedZonesByName")
def _(a):
    tail = f"{a.name('order')}.test"
    names = [f"b.{tail}", f"z.a.{tail}", f"a.{tail}"]
    for name in names:
        made(a, name)
    got = a.route53.list_hosted_zones_by_name(DNSName=f"a.{tail}", MaxItems="3")
    # test.order.a < test.order.a.z < test.order.b
    same([z["Name"] for z in got["HostedZones"]], [f"a.{tail}.", f"z.a.{tail}.", f"b.{tail}."])
    same(got["DNSName"].rstrip("."), f"a.{tail}")


@about("a list's page says where the next begins", "ListHostedZonesByName")
def _(a):
    tail = f"{a.name('pages')}.test"
    for name in ("a", "b", "c"):
        made(a, f"{name}.{tail}")
    first = a.route53.list_hosted_zones_by_name(DNSName=f"a.{tail}", MaxItems="2")
    same((len(first["HostedZones"]), first["IsTruncated"]), (2, True))
    same(first["NextDNSName"], f"c.{tail}.")
    more = {"DNSName": first["NextDNSName"], "HostedZoneId": first["NextHostedZoneId"], "MaxItems": "1"}
    same(a.route53.list_hosted_zones_by_name(**more)["HostedZones"][0]["Name"], f"c.{tail}.")


@about("a zone's tags come and go", "ChangeTagsForResource")
def _(a):
    zone_id = made(a)[0].rpartition("/")[2]
    which = {"ResourceType": "hostedzone", "ResourceId": zone_id}
    a.route53.change_tags_for_resource(**which, AddTags=[{"Key": "a", "Value": "1"}, {"Key": "b", "Value": "2"}])
    a.route53.change_tags_for_resource(**which, RemoveTagKeys=["a"])
    got = a.route53.list_tags_for_resource(**which)["ResourceTagSet"]
    same(got["Tags"], [{"Key": "b", "Value": "2"}])


@about("a zone is given with its id with or without its prefix", "GetHostedZone")
def _(a):
    zone_id, name = zone(a)
    for given in (zone_id, zone_id.rpartition("/")[2]):
        same(a.route53.get_hosted_zone(Id=given)["HostedZone"]["Name"], name + ".")
