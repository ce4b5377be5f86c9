"""ELBv2: rules."""

from ask import of, refused, same, true
from make import FIXED, balancer, forward, group, listener, shared_balancer

about = of("ELB-RULE", "ELBv2 API")


def path(*patterns):
    return [{"Field": "path-pattern", "PathPatternConfig": {"Values": list(patterns)}}]


def host(*patterns):
    return [{"Field": "host-header", "HostHeaderConfig": {"Values": list(patterns)}}]


def create(a, arn, priority=1, conditions=None, actions=None):
    wanted = {"ListenerArn": arn, "Priority": priority, "Conditions": conditions or path("/a"), "Actions": actions or FIXED}
    return a.elbv2.create_rule(**wanted)["Rules"][0]


@about("a rule comes back as it was put, and the default is last", "CreateRule, DescribeRules")
def _(a):
    arn = listener(a)
    made = create(a, arn, 7, host("api.test") + path("/api/*", "/up"))
    rules = a.elbv2.describe_rules(ListenerArn=arn)["Rules"]
    same([(r["Priority"], r["IsDefault"]) for r in rules], [("7", False), ("default", True)])
    fields = {c["Field"]: c for c in rules[0]["Conditions"]}
    same(fields["path-pattern"]["PathPatternConfig"]["Values"], ["/api/*", "/up"])
    same(rules[0]["RuleArn"], made["RuleArn"])


@about("a priority that is taken: PriorityInUse", "CreateRule")
def _(a):
    arn = listener(a)
    create(a, arn, 5)
    refused("PriorityInUse", lambda: create(a, arn, 5))


@about("a priority is 1 to 50,000", "CreateRule")
def _(a):
    arn = listener(a)
    refused("ValidationError", lambda: create(a, arn, 0))
    refused("ValidationError", lambda: create(a, arn, 50001))
    create(a, arn, 50000)


@about("priorities are swapped at once", "SetRulePriorities")
def _(a):
    arn = listener(a)
    one, two = create(a, arn, 1)["RuleArn"], create(a, arn, 2)["RuleArn"]
    swap = lambda *pairs: a.elbv2.set_rule_priorities(RulePriorities=[{"RuleArn": r, "Priority": p} for r, p in pairs])
    refused("PriorityInUse", lambda: swap((one, 2)))
    swap((one, 2), (two, 1))
    rules = a.elbv2.describe_rules(ListenerArn=arn)["Rules"]
    same([(r["RuleArn"], r["Priority"]) for r in rules[:2]], [(two, "1"), (one, "2")])


@about("the default rule stays", "DeleteRule, ModifyRule")
def _(a):
    arn = listener(a)
    default = a.elbv2.describe_rules(ListenerArn=arn)["Rules"][-1]["RuleArn"]
    refused("OperationNotPermitted", lambda: a.elbv2.delete_rule(RuleArn=default))
    refused("OperationNotPermitted", lambda: a.elbv2.modify_rule(RuleArn=default, Actions=FIXED))


@about("a rule that is not there: RuleNotFound", "DeleteRule, DescribeRules")
def _(a):
    arn = create(a, listener(a))["RuleArn"]
    a.elbv2.delete_rule(RuleArn=arn)
    refused("RuleNotFound", lambda: a.elbv2.delete_rule(RuleArn=arn))
    refused("RuleNotFound", lambda: a.elbv2.describe_rules(RuleArns=[arn]))


def weight(number):
    @about(f"a target group's weight of {number} is refused", "TargetGroupTuple", "L2")
    def _(a):
        refused("ValidationError", lambda: create(a, listener(a), actions=forward((group(a), number))))


weight(1000)
weight(-1)


@about("weights of 0 and 999 are taken, and changed in place", "TargetGroupTuple", "L2")
def _(a):
    one, two = group(a), group(a)
    rule = create(a, listener(a), actions=forward((one, 999), (two, 0)))["RuleArn"]
    got = a.elbv2.modify_rule(RuleArn=rule, Actions=forward((one, 0), (two, 999)))["Rules"][0]["Actions"][0]
    same([(g["TargetGroupArn"], g["Weight"]) for g in got["ForwardConfig"]["TargetGroups"]], [(one, 0), (two, 999)])


@about("a weight that is not given is 1", "TargetGroupTuple", "L2")
def _(a):
    bare = [{"Type": "forward", "TargetGroupArn": group(a)}]
    got = create(a, listener(a), actions=bare)["Actions"][0]
    same([g["Weight"] for g in got["ForwardConfig"]["TargetGroups"]], [1])


@about("five groups at most take a share", "ForwardActionConfig; guide: rule-action-types", "L2")
def _(a):
    groups = [(group(a), 1) for _ in range(6)]
    arn = listener(a)
    refused(("TooManyTargetGroups", "ValidationError"), lambda: create(a, arn, actions=forward(*groups)))
    create(a, arn, actions=forward(*groups[:5]))


@about("stickiness between groups lasts 1 s to 7 days", "TargetGroupStickinessConfig", "L2")
def _(a):
    arn, to = listener(a), group(a)
    sticky = lambda n: forward((to, 1), TargetGroupStickinessConfig={"Enabled": True, "DurationSeconds": n})
    refused("ValidationError", lambda: create(a, arn, actions=sticky(0)))
    refused("ValidationError", lambda: create(a, arn, actions=sticky(604801)))
    got = create(a, arn, actions=sticky(604800))["Actions"][0]["ForwardConfig"]
    same(got["TargetGroupStickinessConfig"], {"Enabled": True, "DurationSeconds": 604800})


@about("a rule needs a condition and an action", "CreateRule")
def _(a):
    wanted = {"ListenerArn": listener(a), "Priority": 1}
    no = ("ValidationError", "MissingParameter", "InvalidLoadBalancerAction")
    refused(no, lambda: a.elbv2.create_rule(**wanted, Conditions=[], Actions=FIXED))
    refused(no, lambda: a.elbv2.create_rule(**wanted, Conditions=path("/a"), Actions=[]))


@about("a condition of a field nobody knows is refused", "RuleCondition")
def _(a):
    refused("ValidationError", lambda: create(a, listener(a), conditions=[{"Field": "weather", "Values": ["fair"]}]))


@about("a rule has five values at most", "guide: load-balancer-limits")
def _(a):
    arn = listener(a)
    refused(("ValidationError", "TooManyRules", "InvalidConfigurationRequest"),
            lambda: create(a, arn, conditions=path(*(f"/{n}" for n in range(6)))))
    create(a, arn, conditions=path(*(f"/{n}" for n in range(5))))


@about("one host and one path condition a rule", "CreateRule; guide: listener-rules")
def _(a):
    refused(("ValidationError", "InvalidConfigurationRequest"), lambda: create(a, listener(a), conditions=path("/a") + path("/b")))


@about("conditions by header, method, query and source are kept", "RuleCondition")
def _(a):
    conditions = [
        {"Field": "http-header", "HttpHeaderConfig": {"HttpHeaderName": "X-Canary", "Values": ["1"]}},
        {"Field": "http-request-method", "HttpRequestMethodConfig": {"Values": ["GET"]}},
        {"Field": "query-string", "QueryStringConfig": {"Values": [{"Key": "v", "Value": "2"}]}},
    ]
    got = {c["Field"]: c for c in create(a, listener(a), conditions=conditions)["Conditions"]}
    same(got["http-header"]["HttpHeaderConfig"], {"HttpHeaderName": "X-Canary", "Values": ["1"]})
    same(got["query-string"]["QueryStringConfig"]["Values"], [{"Key": "v", "Value": "2"}])
    true(got["http-request-method"]["HttpRequestMethodConfig"]["Values"] == ["GET"], "the method")


@about("a rule may not use another balancer's group", "CreateRule")
def _(a):
    to = group(a)
    listener(a, balancer(a), forward((to, 1)))
    refused("TargetGroupAssociationLimit", lambda: create(a, listener(a, shared_balancer(a)), actions=forward((to, 1))))
