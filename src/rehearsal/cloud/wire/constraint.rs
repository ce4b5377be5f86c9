//! What a service's model says of a value (length, range, enumeration), refused in the words of the JSON services.
//! Source: any JSON service's answer to a value its model does not allow; the words are the same for all.

use std::fmt::Display;
use std::ops::RangeInclusive;

use super::{ApiError, Node, refuse};

/// A value that its model does not allow. `must` goes on after "Member must".
pub fn broken(value: Option<&str>, member: &str, must: impl Display) -> ApiError {
    let value = value.map_or_else(|| "null".to_owned(), |value| format!("'{value}'"));
    let mut member = member.to_owned();
    if let Some(first) = member.get_mut(..1) {
        first.make_ascii_lowercase();
    }
    let message = format!(
        "1 validation error detected: Value {value} at '{member}' failed to satisfy constraint: Member must {must}"
    );
    refuse("ValidationException", message)
}

/// A text that must be there, and be so long.
pub fn text<'a>(input: &'a Node, name: &str, length: RangeInclusive<usize>) -> Result<&'a str, ApiError> {
    some_text(input, name, length)?.ok_or_else(|| broken(None, name, "not be null"))
}

/// A text that must be so long if it is there.
pub fn some_text<'a>(input: &'a Node, name: &str, length: RangeInclusive<usize>) -> Result<Option<&'a str>, ApiError> {
    let Some(text) = input.get(name) else { return Ok(None) };
    let given = text.chars().count();
    if given < *length.start() {
        let must = format!("have length greater than or equal to {}", length.start());
        return Err(broken(Some(text), name, must));
    }
    if given > *length.end() {
        return Err(broken(Some(text), name, format!("have length less than or equal to {}", length.end())));
    }
    Ok(Some(text))
}

/// One of these words, if there is one.
pub fn word<'a>(input: &'a Node, name: &str, words: &[&str]) -> Result<Option<&'a str>, ApiError> {
    let given = input.get(name);
    match given {
        Some(text) if !words.contains(&text) => Err(not_one_of(text, name, words)),
        _ => Ok(given),
    }
}

/// Only these words, in a list.
pub fn words(input: &Node, name: &str, words: &[&str]) -> Result<Vec<String>, ApiError> {
    let given = input.texts(name);
    match given.iter().position(|text| !words.contains(&text.as_str())) {
        Some(at) => Err(not_one_of(&given[at], &format!("{name}.{}.member", at + 1), words)),
        None => Ok(given),
    }
}

fn not_one_of(text: &str, member: &str, words: &[&str]) -> ApiError {
    broken(Some(text), member, format!("satisfy enum value set: [{}]", words.join(", ")))
}

/// A number within a range, if there is one.
pub fn number(input: &Node, name: &str, range: RangeInclusive<i64>) -> Result<Option<i64>, ApiError> {
    let Some(text) = input.get(name) else { return Ok(None) };
    match text.parse::<i64>() {
        Ok(number) if range.contains(&number) => Ok(Some(number)),
        Ok(number) if number < *range.start() => {
            Err(broken(Some(text), name, format!("have value greater than or equal to {}", range.start())))
        }
        Ok(_) => Err(broken(Some(text), name, format!("have value less than or equal to {}", range.end()))),
        Err(_) => Err(refuse("SerializationException", format!("'{text}' at '{name}' is no whole number"))),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_value_out_of_its_model_is_named_with_its_member() {
        let input = Node::default().put("MaxItems", 0).put("Name", "abc").put("Sort", "UP");
        let said = |error: ApiError| {
            assert_eq!(error.code, "ValidationException");
            error.message
        };
        assert_eq!(
            said(number(&input, "MaxItems", 1..=9).unwrap_err()),
            "1 validation error detected: Value '0' at 'maxItems' failed to satisfy constraint: \
             Member must have value greater than or equal to 1"
        );
        assert!(said(text(&input, "Gone", 1..=2).unwrap_err()).contains("Value null at 'gone'"));
        assert!(said(text(&input, "Name", 1..=2).unwrap_err()).ends_with("length less than or equal to 2"));
        assert!(said(word(&input, "Sort", &["ASC", "DESC"]).unwrap_err()).ends_with("enum value set: [ASC, DESC]"));
        assert_eq!(text(&input, "Name", 1..=3).unwrap(), "abc");
    }
}
