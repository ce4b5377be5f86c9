//! Where an origin's name leads: to a balancer of the rehearsal, or along its zones.

use std::net::IpAddr;

use crate::rehearsal::state::{Answer, Routing, State};

/// Names that lead to other names; more are a circle.
const MOST_HOPS: usize = 8;

/// The address of a name. A name that is none of the rehearsal's has none: nothing outside is ever asked.
pub fn resolve(state: &State, name: &str) -> Option<IpAddr> {
    let mut name = name.trim_end_matches('.').to_ascii_lowercase();
    for _ in 0..MOST_HOPS {
        let bare = name.strip_prefix("dualstack.").unwrap_or(&name);
        if let Some(balancer) = state.balancers.values().find(|b| b.dns_name.eq_ignore_ascii_case(bare)) {
            return Some(balancer.address);
        }
        let records = state.zones.values().flat_map(|z| &z.records);
        let served = |routing: &Routing| !matches!(routing, Routing::Weighted { weight: 0, .. });
        let record =
            records.filter(|r| r.name == name && served(&r.routing)).find(|r| r.kind == "A" || r.kind == "CNAME");
        name = match &record?.answer {
            Answer::Alias { name, .. } => name.clone(),
            Answer::Values(values) => match values.first()?.parse() {
                Ok(address) => return Some(address),
                Err(_) => values.first()?.trim_end_matches('.').to_ascii_lowercase(),
            },
        };
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::rehearsal::state::{RecordSet, Zone};

    #[test]
    fn names_lead_along_the_zones() {
        let record = |name: &str, kind: &str, value: &str| RecordSet {
            name: name.into(),
            kind: kind.into(),
            ttl: Some(60),
            answer: Answer::Values(vec![value.into()]),
            routing: Routing::Simple,
            health_check: None,
        };
        let mut state = State::default();
        let records = vec![
            record("box.shop.test", "A", "192.0.2.7"),
            record("api.shop.test", "CNAME", "Box.shop.test."),
            record("round.shop.test", "CNAME", "round.shop.test"),
        ];
        state.zones.insert("Z1".into(), Zone { name: "shop.test".into(), records, delegated: true });
        assert_eq!(resolve(&state, "API.shop.test."), Some("192.0.2.7".parse().unwrap()));
        assert_eq!(resolve(&state, "round.shop.test"), None);
        assert_eq!(resolve(&state, "example.com"), None);
    }
}
