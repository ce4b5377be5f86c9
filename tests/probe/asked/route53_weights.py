"""Route 53: weights."""

from ask import of, refused, same, true
from asked.route53_batches import fresh, seen, send, weighted
from make import change
from wire import lookup

about = of("R53-WEIGHT", "Route 53 API")


def weight_of(number, code):
    @about(f"a weight of {number} is refused", "ResourceRecordSet", "R3")
    def _(a):
        refused(code, lambda: send(a, change("CREATE", weighted(fresh(a), "x", number))))


weight_of(256, "InvalidInput")
weight_of(1000, "InvalidInput")
weight_of(-1, "InvalidInput")


@about("weights of 0 and 255 are taken", "ResourceRecordSet", "R3")
def _(a):
    name = fresh(a)
    send(a, change("CREATE", weighted(name, "a", 0)), change("CREATE", weighted(name, "b", 255)))
    same([s[3:] for s in seen(a, name)], [("a", 0), ("b", 255)])


@about("a weight needs a set identifier, and a set identifier a weight", "ResourceRecordSet")
def _(a):
    no_id, no_weight = weighted(fresh(a), "x", 1), weighted(fresh(a), "x", 1)
    del no_id["SetIdentifier"], no_weight["Weight"]
    refused("InvalidInput", lambda: send(a, change("CREATE", no_id)))
    refused("InvalidInput", lambda: send(a, change("CREATE", no_weight)))


@about("the records of one weighted group have one TTL", "ResourceRecordSet", "R5")
def _(a):
    name = fresh(a)
    send(a, change("CREATE", weighted(name, "a", 1, ttl=60)))
    refused("InvalidChangeBatch", lambda: send(a, change("CREATE", weighted(name, "b", 1, ttl=300))), saying="same TTL")


@about("the TTL of a whole group is changed in one batch", "ResourceRecordSet", "R5")
def _(a):
    name = fresh(a)
    group = lambda ttl: [change("UPSERT", weighted(name, which, 1, ttl=ttl)) for which in "ab"]
    send(a, *group(300))
    send(a, *group(60))
    same([s[1] for s in seen(a, name)], [60, 60])


@about("a set identifier twice in a group is refused", "ResourceRecordSet")
def _(a):
    name = fresh(a)
    send(a, change("CREATE", weighted(name, "a", 1)))
    refused("InvalidChangeBatch", lambda: send(a, change("CREATE", weighted(name, "a", 2))))


def asked(a, name, count=60):
    a.wait("the name to be known", lambda: lookup(a, name)[0])
    return [lookup(a, name)[0][0][0] for _ in range(count)]


@about("a weight of 0 is not answered while another is above it", "routing-policy-weighted", "R3")
def _(a):
    name = fresh(a)
    none, all_ = weighted(name, "a", 0, value="192.0.2.1"), weighted(name, "b", 10, value="192.0.2.2")
    send(a, change("CREATE", none), change("CREATE", all_))
    same(set(asked(a, name)), {"192.0.2.2"})


@about("where all weights are 0, all are answered alike", "routing-policy-weighted", "R3")
def _(a):
    name = fresh(a)
    send(a, *(change("CREATE", weighted(name, w, 0, value=v)) for w, v in (("a", "192.0.2.1"), ("b", "192.0.2.2"))))
    same(set(asked(a, name)), {"192.0.2.1", "192.0.2.2"})


@about("answers come in the proportion of the weights", "routing-policy-weighted", "R3")
def _(a):
    name = fresh(a)
    send(a, *(change("CREATE", weighted(name, w, n, value=v)) for w, n, v in (("a", 3, "192.0.2.1"), ("b", 1, "192.0.2.2"))))
    share = asked(a, name, 400).count("192.0.2.1") / 400
    true(0.65 < share < 0.85, f"three in four, not {share:.2f}")
