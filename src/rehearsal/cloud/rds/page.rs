//! What the Describe operations have in common: pages, and filters. Source: RDS API, Common Parameters; each operation's
//! `MaxRecords`, `Marker` and `Filters`.

use super::super::wire::operation::Output;
use super::super::wire::{ApiError, Node, refuse};

/// A wrong value of a parameter.
pub fn invalid(message: impl Into<String>) -> ApiError {
    refuse("InvalidParameterValue", message)
}

/// Parameters that do not go together.
pub fn combination(message: impl Into<String>) -> ApiError {
    refuse("InvalidParameterCombination", message)
}

/// A parameter that must be there.
pub fn need<'a>(input: &'a Node, name: &str) -> Result<&'a str, ApiError> {
    input.get(name).ok_or_else(|| refuse("MissingParameter", format!("The request must contain the parameter {name}")))
}

/// A page of `found`, which is in the order of its keys, as the list `list` of `item`s.
pub fn page(input: &Node, list: &str, item: &str, found: Vec<(String, Node)>) -> Result<Output, ApiError> {
    Ok(cut(input, list, item, found, 100)?.into())
}

/// The same, as a node; `most` records at a time.
pub fn cut(input: &Node, list: &str, item: &str, found: Vec<(String, Node)>, most: usize) -> Result<Node, ApiError> {
    let size = input.number::<usize>("MaxRecords")?.unwrap_or(100);
    if !(20..=most).contains(&size) {
        return Err(invalid(format!("Invalid value {size} for MaxRecords. Must be between 20 and {most}")));
    }
    let marker = input.get("Marker").unwrap_or_default();
    let mut rest = found.into_iter().filter(|(key, _)| marker.is_empty() || key.as_str() > marker);
    let page: Vec<_> = rest.by_ref().take(size).collect();
    let next = rest.next().and_then(|_| page.last().map(|(key, _)| key.clone()));
    let page = page.into_iter().map(|(_, node)| node);
    Ok(Node::default().put_some("Marker", next).list(list, item, page))
}

/// The filters of a request.
pub struct Filters(Vec<(String, Vec<String>)>);

impl Filters {
    /// Reads them; only the known names are names.
    pub fn read(input: &Node, known: &[&str]) -> Result<Self, ApiError> {
        let mut all = Vec::new();
        for filter in input.items("Filters") {
            let name = filter.get("Name").ok_or_else(|| invalid("A filter must have a name."))?;
            if !known.contains(&name) {
                return Err(invalid(format!("Unrecognized filter name: {name}")));
            }
            let values = filter.texts("Values");
            if values.is_empty() {
                return Err(invalid(format!("The filter {name} must have at least one value.")));
            }
            all.push((name.to_owned(), values));
        }
        Ok(Self(all))
    }

    /// Whether a thing gets through the filter of this name: one of these is one of its values.
    pub fn let_through(&self, name: &str, is: &[&str]) -> bool {
        let mut of_name = self.0.iter().filter(|(n, _)| n == name);
        of_name.all(|(_, values)| values.iter().any(|v| is.iter().any(|i| i.eq_ignore_ascii_case(v))))
    }
}
