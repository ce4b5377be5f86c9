//! Allow-lists of origins written as one value: comma- or blank-separated, or a JSON list in a string. The site's own
//! origins are added, the present ones stay (law O1: it is the page's origin that the browser sends).

use super::placeholder;

/// What becomes of an allow-list.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Listed {
    /// The new value.
    Grown(String),
    /// All are in it.
    AlreadySo,
    /// `*`: every origin is allowed as it is.
    Any,
    /// Something that cannot be read as a list, with the reason.
    Unreadable(&'static str),
}

/// Adds the origins that are missing.
pub(super) fn grow(value: &str, origins: &[String]) -> Listed {
    let trimmed = value.trim();
    if let Some(inner) = trimmed.strip_prefix('[').and_then(|v| v.strip_suffix(']')) {
        return json(value, inner, origins);
    }
    let Some(range) = placeholder::literal(value) else {
        return Listed::Unreadable("it is filled from elsewhere");
    };
    let list = &value[range.clone()];
    if list.contains(['(', '^', '\\']) {
        return Listed::Unreadable("it is a pattern");
    }
    let items: Vec<&str> = list.split([',', ';', ' ', '\t', '\n']).filter(|i| !i.is_empty()).collect();
    if items.contains(&"*") {
        return Listed::Any;
    }
    let missing = missing(&items, origins);
    if missing.is_empty() {
        return Listed::AlreadySo;
    }
    let separator = separator(list);
    let end = list.trim_end_matches([' ', '\t', '\n', ',', ';']).len();
    let joint = if items.is_empty() { "" } else { separator.as_str() };
    let grown = format!("{}{joint}{}{}", &list[..end], missing.join(&separator), &list[end..]);
    Listed::Grown(format!("{}{grown}{}", &value[..range.start], &value[range.end..]))
}

fn json(value: &str, inner: &str, origins: &[String]) -> Listed {
    let Ok(items) = serde_json::from_str::<Vec<String>>(value.trim()) else {
        return Listed::Unreadable("it is not a list of strings");
    };
    if items.iter().any(|i| i == "*") {
        return Listed::Any;
    }
    let items: Vec<&str> = items.iter().map(String::as_str).collect();
    let missing = missing(&items, origins);
    if missing.is_empty() {
        return Listed::AlreadySo;
    }
    let joint = if inner.contains("\", ") || items.len() < 2 { ", " } else { "," };
    let quoted: Vec<String> = missing.iter().map(|o| format!("\"{o}\"")).collect();
    let start = if items.is_empty() { "" } else { joint };
    let place = value.rfind(']').unwrap_or(value.len());
    let place = value[..place].trim_end().len();
    Listed::Grown(format!("{}{start}{}{}", &value[..place], quoted.join(joint), &value[place..]))
}

/// The origins that are not in the list yet, each once.
pub(super) fn missing<'o>(items: &[&str], origins: &'o [String]) -> Vec<&'o str> {
    let same = |a: &str, b: &str| a.trim_end_matches('/').eq_ignore_ascii_case(b.trim_end_matches('/'));
    let mut out: Vec<&str> = Vec::new();
    for origin in origins {
        if !items.iter().any(|i| same(i, origin)) && !out.iter().any(|o| same(o, origin)) {
            out.push(origin);
        }
    }
    out
}

fn separator(list: &str) -> String {
    match list.find([',', ';']) {
        Some(at) => {
            let rest = &list[at + 1..];
            let blanks = rest.len() - rest.trim_start_matches([' ', '\t']).len();
            list[at..=at + blanks].to_owned()
        }
        None if list.trim().contains(char::is_whitespace) => " ".to_owned(),
        None => ",".to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lists_grow_in_their_own_form() {
        let add = ["https://www.shop.test".to_owned(), "https://b.test".to_owned()];
        let grown = |value: &str| match grow(value, &add) {
            Listed::Grown(new) => new,
            other => panic!("{value}: {other:?}"),
        };
        assert_eq!(grown("https://a.test"), "https://a.test,https://www.shop.test,https://b.test");
        assert_eq!(grown("https://a.test, https://b.test/"), "https://a.test, https://b.test/, https://www.shop.test");
        assert_eq!(grown("https://a.test https://b.test"), "https://a.test https://b.test https://www.shop.test");
        assert_eq!(grown(""), "https://www.shop.test,https://b.test");
        assert_eq!(grown("[\"https://b.test\"]"), "[\"https://b.test\", \"https://www.shop.test\"]");
        assert_eq!(grown("[]"), "[\"https://www.shop.test\", \"https://b.test\"]");
        assert_eq!(grown("${CORS:https://b.test}"), "${CORS:https://b.test,https://www.shop.test}");
        assert_eq!(grow("*", &add), Listed::Any);
        assert_eq!(grow("${CORS}", &add), Listed::Unreadable("it is filled from elsewhere"));
        assert_eq!(grow("HTTPS://www.shop.test,https://b.test", &add), Listed::AlreadySo);
    }
}
