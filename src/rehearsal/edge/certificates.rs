//! Which certificate a TLS listener presents: the one of its own that covers the name asked for, or its default one.
//!
//! Source: ALB user guide, "SSL certificates for your Application Load Balancer": a host that no certificate of the
//! list covers is answered with the default certificate, and so is a client that names none.

use std::sync::{Arc, PoisonError, RwLock};

use crate::rehearsal::state::State;

/// A certificate of a listener.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Held {
    /// Its ARN.
    pub arn: String,
    /// The names it is for; `*.` stands for one label.
    pub names: Vec<String>,
}

/// The certificates of one listener, the default one first. With none, whatever name is asked for is presented: a
/// rehearsal's own listeners are given ARNs that no certificate was ever requested for.
#[derive(Debug, Default)]
pub struct Presented(RwLock<Arc<Vec<Held>>>);

impl Presented {
    /// Presents `held` from the next handshake on.
    pub fn swap(&self, held: Vec<Held>) {
        let mut now = self.0.write().unwrap_or_else(PoisonError::into_inner);
        if **now != held {
            *now = Arc::new(held);
        }
    }

    /// The certificate for a client that asks for `name`.
    pub fn choose(&self, name: Option<&str>) -> Option<Held> {
        let held = self.0.read().unwrap_or_else(PoisonError::into_inner).clone();
        let fits = |held: &&Held| name.is_some_and(|name| held.names.iter().any(|pattern| covers(pattern, name)));
        held.iter().find(fits).or_else(|| held.first()).cloned()
    }
}

/// Those of `arns` that are issued, in their order.
pub fn held(arns: &[String], state: &State) -> Vec<Held> {
    let issued = |arn: &String| {
        let certificate = state.certificates.get(arn).filter(|c| c.status == "ISSUED")?;
        Some(Held { arn: arn.clone(), names: certificate.names.clone() })
    };
    arns.iter().filter_map(issued).collect()
}

fn covers(pattern: &str, name: &str) -> bool {
    match pattern.strip_prefix("*.") {
        Some(parent) => name.split_once('.').is_some_and(|(_, rest)| rest.eq_ignore_ascii_case(parent)),
        None => pattern.eq_ignore_ascii_case(name),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_certificate_that_covers_the_name_is_presented_else_the_default_one() {
        let presented = Presented::default();
        assert_eq!(presented.choose(Some("a.test")), None);
        let held = |arn: &str, name: &str| Held { arn: arn.into(), names: vec![name.into()] };
        presented.swap(vec![held("default", "shop.test"), held("api", "api.shop.test"), held("star", "*.shop.test")]);
        for (name, arn) in [
            (Some("shop.test"), "default"),
            (Some("API.shop.test"), "api"),
            (Some("www.shop.test"), "star"),
            (Some("a.b.shop.test"), "default"),
            (None, "default"),
        ] {
            assert_eq!(presented.choose(name).unwrap().arn, arn, "{name:?}");
        }
    }
}
