//! Who holds an alternate domain name (law C4).

use super::super::super::state::ACCOUNT;
use super::super::Cloud;
use super::super::wire::operation::Output;
use super::super::wire::{ApiError, Node};
use super::{counted, distributions, invalid};

/// `ListConflictingAliases`: the names that overlap with one, held by other distributions. In the real answer half of
/// an id is hidden, and so it is here. Source: CloudFront API reference, `ConflictingAlias`.
pub(super) fn conflicting(cloud: &Cloud, input: &Node) -> Result<Output, ApiError> {
    let state = cloud.shared().lock();
    let (_, asking) = distributions::find(&state, input.get("DistributionId").unwrap_or_default())?;
    let alias = input.get("Alias").unwrap_or_default().to_ascii_lowercase();
    if !alias.contains('.') {
        return Err(invalid(format!("The parameter Alias is not valid: {alias}")));
    }
    if asking.config.certificate.is_none() {
        let message = "The distribution must have an SSL certificate attached that covers the alias.";
        return Err(invalid(message.into()));
    }
    let size = input.number::<usize>("MaxItems").ok().flatten().unwrap_or(100);
    let others = state.distributions.values().filter(|d| d.id != asking.id);
    let held = others.flat_map(|d| d.config.aliases.iter().map(move |a| (a, &d.id)));
    let found = held.filter(|(held, _)| overlap(held, &alias)).take(size).map(|(held, id)| {
        Node::new("ConflictingAlias")
            .put("Alias", held)
            .put("DistributionId", hidden(id))
            .put("AccountId", hidden(ACCOUNT))
    });
    let found: Vec<_> = found.collect();
    let mut node = Node::new("ConflictingAliasesList").put("MaxItems", size);
    node.children.extend(counted("", "ConflictingAlias", found).children);
    Ok(node.into())
}

fn overlap(held: &str, asked: &str) -> bool {
    let under = |star: &str, name: &str| {
        star.strip_prefix("*.").is_some_and(|parent| name.split_once('.').is_some_and(|(_, rest)| rest == parent))
    };
    held == asked || under(held, asked) || under(asked, held)
}

/// The second half of an id, stars for the first.
fn hidden(id: &str) -> String {
    let half = id.len() / 2;
    format!("{}{}", "*".repeat(half), &id[half..])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_wildcard_overlaps_with_what_it_covers() {
        assert!(overlap("*.shop.test", "www.shop.test") && overlap("www.shop.test", "*.shop.test"));
        assert!(!overlap("*.shop.test", "a.b.shop.test") && !overlap("shop.test", "www.shop.test"));
        assert_eq!(hidden("E12345"), "***345");
    }
}
