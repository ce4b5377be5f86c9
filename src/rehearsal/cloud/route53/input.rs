//! Parameters of Route 53's requests, refused in its words when they are not what the API's model says.

use std::fmt::Display;
use std::str::FromStr;

use super::super::wire::{ApiError, Node, refuse};

/// `InvalidInput`.
pub(super) fn invalid(message: impl Into<String>) -> ApiError {
    refuse("InvalidInput", message)
}

/// A parameter that breaks a constraint of the model.
pub(super) fn constraint(value: &str, at: &str, constraint: impl Display) -> ApiError {
    invalid(format!(
        "1 validation error detected: Value '{value}' at '{at}' failed to satisfy constraint: {constraint}"
    ))
}

/// A member that must be there.
pub(super) fn need<'a>(node: &'a Node, name: &str) -> Result<&'a str, ApiError> {
    node.get(name).ok_or_else(|| {
        let element = &node.name;
        invalid(format!(
            "Invalid XML ; cvc-complex-type.2.4.b: The content of element '{element}' is not complete. One of \
             '{{\"https://route53.amazonaws.com/doc/2013-04-01/\":{name}}}' is expected."
        ))
    })
}

/// A whole number between bounds, if it is there.
pub(super) fn number<T>(node: &Node, name: &str, at: &str, (low, high): (T, T)) -> Result<Option<T>, ApiError>
where
    T: FromStr + PartialOrd + Display + Copy,
{
    let Some(text) = node.get(name) else { return Ok(None) };
    let below = || constraint(text, at, format!("Member must have value greater than or equal to {low}"));
    let above = || constraint(text, at, format!("Member must have value less than or equal to {high}"));
    match text.parse::<T>() {
        Ok(number) if number < low => Err(below()),
        Ok(number) if number > high => Err(above()),
        Ok(number) => Ok(Some(number)),
        Err(_) if text.starts_with('-') => Err(below()),
        Err(_) if !text.is_empty() && text.bytes().all(|b| b.is_ascii_digit()) => Err(above()),
        Err(_) => {
            Err(invalid(format!("Invalid XML ; cvc-datatype-valid.1.2.1: '{text}' is not a valid value for '{at}'")))
        }
    }
}

/// `true` or `false`, if it is there.
pub(super) fn flag(node: &Node, name: &str) -> Result<Option<bool>, ApiError> {
    match node.get(name) {
        None => Ok(None),
        Some("true" | "1") => Ok(Some(true)),
        Some("false" | "0") => Ok(Some(false)),
        Some(text) => Err(invalid(format!(
            "Invalid XML ; cvc-datatype-valid.1.2.1: '{text}' is not a valid value for 'boolean'."
        ))),
    }
}

/// One of a few words.
pub(super) fn one_of<'a>(text: &'a str, at: &str, words: &[&str]) -> Result<&'a str, ApiError> {
    let known = words.contains(&text);
    let all = words.join(", ");
    known.then_some(text).ok_or_else(|| constraint(text, at, format!("Member must satisfy enum value set: [{all}]")))
}

/// A text of so many characters at most.
pub(super) fn at_most<'a>(text: &'a str, at: &str, most: usize) -> Result<&'a str, ApiError> {
    let fits = text.chars().count() <= most;
    fits.then_some(text)
        .ok_or_else(|| constraint(text, at, format!("Member must have length less than or equal to {most}")))
}

/// How many items a page has: as asked, but no more than `most`.
pub(super) fn page(input: &Node, most: usize) -> Result<usize, ApiError> {
    match input.get("maxitems").map(|text| (text, text.parse::<usize>())) {
        None => Ok(most),
        Some((_, Ok(size))) if size > 0 => Ok(size.min(most)),
        Some((text, _)) => Err(invalid(format!("Invalid max items: {text}. Must be a positive number."))),
    }
}
