//! The cloud's side: record sets, listeners with their rules, target groups, objects, distributions, certificates.

use serde_json::{Value, json};

use crate::rehearsal::state::State;
use crate::rehearsal::world::World;

/// The zone's record sets, in order.
pub fn records(world: &World) -> Value {
    let state = world.cloud.shared().lock();
    let mut all: Vec<String> = state
        .zones
        .get(&world.seeded.zone)
        .into_iter()
        .flat_map(|zone| &zone.records)
        // The serial of the start of authority is the name server's own.
        .filter(|record| record.kind != "SOA")
        .map(|record| {
            let (ttl, answer) = (&record.ttl, &record.answer);
            format!("{} {} {ttl:?} {answer:?} {:?} {:?}", record.name, record.kind, record.routing, record.health_check)
        })
        .collect();
    all.sort();
    json!(all)
}

/// Listeners, rules and target groups. ARNs hold random parts: those of what was there before stay as they are.
pub fn balancer(world: &World) -> Value {
    let state = world.cloud.shared().lock();
    json!({"listeners": listeners(&state, &world.seeded.balancer), "target_groups": groups(&state)})
}

fn listeners(state: &State, balancer: &str) -> Vec<Value> {
    let own = state.listeners.iter().filter(|(_, listener)| listener.balancer == balancer);
    let mut all: Vec<Value> = own
        .map(|(arn, listener)| {
            let mut rules: Vec<String> = listener
                .rules
                .iter()
                .map(|(arn, rule)| format!("{:05} {arn} {:?} {:?}", rule.priority, rule.conditions, rule.action))
                .collect();
            rules.sort();
            json!({
                "arn": arn,
                "on": format!("{} {}", listener.protocol, listener.port),
                "default": format!("{:?}", listener.default_action),
                "rules": rules,
            })
        })
        .collect();
    all.sort_by_key(ToString::to_string);
    all
}

/// Without the health of the targets, which comes and goes.
fn groups(state: &State) -> Vec<Value> {
    let all = state.target_groups.iter().map(|(arn, group)| {
        json!({
            "arn": arn,
            "name": group.name,
            "on": format!("{} {}", group.protocol, group.port),
            "attributes": group.attributes,
            "targets": group.targets.keys().map(|(id, port)| format!("{id}:{port}")).collect::<Vec<_>>(),
        })
    });
    all.collect()
}

/// The bucket's policy, and its objects with their entity tags and headers.
pub fn bucket(world: &World) -> Value {
    let name = &world.spec.site.aws.bucket;
    let policy = world.cloud.shared().lock().buckets.get(name).map(|b| (b.block_public, b.policy.clone()));
    let objects: Vec<Value> = world
        .cloud
        .objects()
        .all(name)
        .into_iter()
        .map(|o| json!([o.key, o.etag, o.headers.content_type, o.headers.cache_control, o.metadata]))
        .collect();
    json!({"state": policy, "objects": objects})
}

/// Distributions with their whole configurations, what is beside them, and certificates.
pub fn cdn(world: &World) -> Value {
    let state = world.cloud.shared().lock();
    let distributions = state.distributions.iter().map(|(domain, d)| json!([domain, d.shown]));
    let functions = state.cdn.functions.iter().map(|(name, f)| json!([name, &*f.development.code, f.live.is_some()]));
    let certificates = state.certificates.iter().map(|(arn, c)| json!([arn, c.names, c.status]));
    json!({
        "distributions": distributions.collect::<Vec<_>>(),
        "access_controls": state.cdn.access_controls.values().map(|a| a.name.clone()).collect::<Vec<_>>(),
        "functions": functions.collect::<Vec<_>>(),
        "certificates": certificates.collect::<Vec<_>>(),
    })
}
