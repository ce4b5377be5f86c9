//! What an alias may lead to. Source: Route 53 API reference, `AliasTarget`.

use super::super::super::answering::name::{full, lies_in};
use super::super::super::state::{Answer, CLOUDFRONT_ZONE, RecordSet, State, Zone};
use super::super::law::Law;
use super::laws::Broken;

/// Zone ids of S3's website endpoints. Source: AWS General Reference, "Amazon S3 website endpoints".
const WEBSITES: &[&str] = &[
    "Z3AQBSTGFYJSTF",
    "Z2O1EMRO9K5GLX",
    "Z2F56UZL2M1ACD",
    "Z3BJ6K6RIION7M",
    "Z11RGJOFQNVJUP",
    "Z2M4EHUR26P7ZW",
    "Z3W03O7B5YMIYP",
    "Z3O0J2DXBE1FTB",
    "Z1WCIGYICN2BYD",
    "Z21DNDUVLTQW6Q",
    "Z1BKCTXD74EZPE",
];

/// What the name and the zone of an alias's target come to.
struct Target {
    /// The name lies in the zone.
    lies: bool,
    /// There is such a name, with records of the alias's type.
    found: bool,
}

/// All that is wrong with a record's alias, if it is one. `zone` is the zone of `id` as it will be.
pub(super) fn leads_nowhere(state: &State, id: &str, zone: &Zone, record: &RecordSet) -> Vec<Broken> {
    let Answer::Alias { name, zone: target, evaluate_health } = &record.answer else { return Vec::new() };
    let kind = record.kind.as_str();
    let tried = format!("Tried to create an alias that targets {}, type {kind} in zone {target}", full(name));
    if matches!(kind, "NS" | "SOA") {
        return vec![(format!("{tried}, but records of type {kind} cannot be aliases"), Some(Law::R5))];
    }
    if WEBSITES.contains(&target.as_str()) {
        return vec![(format!("{tried}, but the rehearsal cloud has no addresses for website endpoints of S3"), None)];
    }
    if target == CLOUDFRONT_ZONE && *evaluate_health {
        return vec![(format!("{tried}, but EvaluateTargetHealth cannot be true for a CloudFront distribution"), None)];
    }
    let Target { lies, found } = if target == CLOUDFRONT_ZONE {
        let found = state.distributions.contains_key(name) && matches!(kind, "A" | "AAAA" | "HTTPS");
        Target { lies: lies_in(name, "cloudfront.net"), found }
    } else if target == id {
        let same = |r: &RecordSet| r.name == *name && r.kind == record.kind;
        Target { lies: lies_in(name, &zone.name), found: *name != record.name && zone.records.iter().any(same) }
    } else {
        balancer(state, target, name, kind)
    };
    let mut broken = Vec::new();
    if !lies {
        let message = format!("{tried}, but the alias target name does not lie within the target zone");
        broken.push((message, Some(Law::R5)));
    }
    if !lies || !found {
        broken.push((format!("{tried}, but that target was not found"), Some(Law::R5)));
    }
    broken
}

/// A balancer has A records, and AAAA records under its dual-stack name.
fn balancer(state: &State, target: &str, name: &str, kind: &str) -> Target {
    let bare = name.strip_prefix("dualstack.");
    let plain = bare.unwrap_or(name);
    let domain = |dns_name: &str| dns_name.split_once('.').map(|(_, domain)| domain.to_ascii_lowercase());
    let mut of_zone = state.balancers.values().filter(|b| b.zone == target).peekable();
    let lies = of_zone.peek().is_some_and(|b| domain(&b.dns_name) == domain(plain));
    let fits = kind == "A" || kind == "AAAA" && bare.is_some();
    Target { lies, found: fits && of_zone.any(|b| b.dns_name.eq_ignore_ascii_case(plain)) }
}
