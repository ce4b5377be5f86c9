//! What only the APIs show of a balancer, a listener or a group: texts by name, lists with commas.

use super::super::super::state::State;

/// A fact, empty when there is none.
pub(super) fn text<'a>(state: &'a State, arn: &str, name: &str) -> &'a str {
    state.facts.get(arn).and_then(|facts| facts.get(name)).map(String::as_str).unwrap_or_default()
}

/// A fact that is a list.
pub(super) fn list(state: &State, arn: &str, name: &str) -> Vec<String> {
    text(state, arn, name).split(',').filter(|part| !part.is_empty()).map(str::to_owned).collect()
}

/// Sets a fact.
pub(super) fn set(state: &mut State, arn: &str, name: &str, value: String) {
    state.facts.entry(arn.to_owned()).or_default().insert(name.to_owned(), value);
}
