//! Pages: `MaxResults` and `NextToken`.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE;

use super::{ApiError, Node, refuse};

/// One page of a listing; ids named one by one come whole.
pub(super) fn of(input: &Node, set: &str, items: Vec<Node>, by_id: bool) -> Result<Node, ApiError> {
    let from = match input.get("NextToken") {
        None => 0,
        Some(token) => read(token).ok_or_else(|| {
            let why = format!("Value ( {token} ) for parameter NextToken is invalid. The token is invalid.");
            refuse("InvalidParameterValue", why)
        })?,
    };
    let most = match input.get("MaxResults") {
        None => usize::MAX,
        Some(_) if by_id => {
            let why = format!("The parameter {set} cannot be used with the parameter maxResults");
            return Err(refuse("InvalidParameterCombination", why));
        }
        Some(text) => text.parse::<usize>().ok().filter(|n| (5..=1000).contains(n)).ok_or_else(|| {
            let bound = if text.parse::<u64>().is_ok_and(|n| n > 1000) { "less than 1000" } else { "greater than 5" };
            let why = format!("Value ( {text} ) for parameter maxResults is invalid. Expecting a value {bound}.");
            refuse("InvalidParameterValue", why)
        })?,
    };
    let next = from.checked_add(most).filter(|end| *end < items.len());
    let node = Node::default().list(set, "item", items.into_iter().skip(from).take(most));
    Ok(node.put_some("nextToken", next.map(|at| URL_SAFE.encode(format!("from {at}")))))
}

fn read(token: &str) -> Option<usize> {
    let bytes = URL_SAFE.decode(token).ok()?;
    std::str::from_utf8(&bytes).ok()?.strip_prefix("from ")?.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_listing_comes_in_pages_of_five_or_more() {
        let items = || (0..7).map(|n| Node::default().put("n", n));
        let first = of(&Node::default().put("MaxResults", "5"), "set", items().collect(), false).unwrap();
        assert_eq!(first.items("set").count(), 5);
        let token = first.get("nextToken").unwrap();
        let ask = Node::default().put("MaxResults", "5").put("NextToken", token);
        let second = of(&ask, "set", items().collect(), false).unwrap();
        assert_eq!((second.items("set").count(), second.get("nextToken")), (2, None));
        for (name, value) in [("MaxResults", "4"), ("MaxResults", "1001"), ("NextToken", "x")] {
            let refused = of(&Node::default().put(name, value), "set", Vec::new(), false).unwrap_err();
            assert_eq!(refused.code, "InvalidParameterValue", "{name} {value}");
        }
    }
}
