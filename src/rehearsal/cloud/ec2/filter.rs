//! Filters: each looks at a part of what is described, and any of its values may match.
//! Source: EC2 API reference, `Filter`.

use super::{ApiError, Node, refuse, texts};

/// Keeps the nodes that every filter of a request lets through. `known` gives the path of elements each looks at; tags
/// can always be asked for.
pub(super) fn keep(
    known: &[(&'static str, &'static str)],
    input: &Node,
    mut nodes: Vec<Node>,
) -> Result<Vec<Node>, ApiError> {
    for filter in input.all("Filter") {
        let name = filter.get("Name").unwrap_or_default();
        let values = texts(filter, "Value");
        if values.is_empty() {
            return Err(refuse("InvalidParameterValue", format!("The filter '{name}' has no value")));
        }
        let any = |text: &str| values.iter().any(|pattern| matches(pattern, text));
        let any_of = |node: &Node, path: &str| at(node, path).iter().any(|text| any(text));
        if let Some(key) = name.strip_prefix("tag:") {
            nodes.retain(|node| {
                let pairs = node.items("tagSet");
                pairs.filter(|p| p.get("key") == Some(key)).any(|p| any(p.get("value").unwrap_or_default()))
            });
        } else if name == "tag-key" {
            nodes.retain(|node| any_of(node, "tagSet.item.key"));
        } else if let Some((_, path)) = known.iter().find(|(known, _)| *known == name) {
            nodes.retain(|node| any_of(node, path));
        } else {
            return Err(refuse("InvalidParameterValue", format!("The filter '{name}' is invalid")));
        }
    }
    Ok(nodes)
}

/// The texts at the end of a path such as `groupSet.item.groupId`.
fn at<'a>(node: &'a Node, path: &str) -> Vec<&'a str> {
    let (first, rest) = path.split_once('.').map_or((path, None), |(first, rest)| (first, Some(rest)));
    let below = node.children.iter().filter(|child| child.name == first);
    match rest {
        None => below.map(|child| child.text.as_str()).collect(),
        Some(rest) => below.flat_map(|child| at(child, rest)).collect(),
    }
}

/// `*` stands for any text, `?` for one letter, and a backslash takes the next letter as it is.
fn matches(pattern: &str, text: &str) -> bool {
    let (pattern, text): (Vec<char>, Vec<char>) = (pattern.chars().collect(), text.chars().collect());
    fits(&pattern, &text)
}

fn fits(pattern: &[char], text: &[char]) -> bool {
    match (pattern, text) {
        ([], _) => text.is_empty(),
        (['*', rest @ ..], _) => (0..=text.len()).any(|skip| fits(rest, &text[skip..])),
        (['?', rest @ ..], [_, after @ ..]) => fits(rest, after),
        (['\\', letter, rest @ ..] | [letter, rest @ ..], [own, after @ ..]) => letter == own && fits(rest, after),
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn wildcards_match_as_ec2_says() {
        assert!(matches("al2023-ami-2023*", "al2023-ami-2023.9.1-arm64"));
        assert!(matches("w?b", "web") && !matches("w?b", "wb"));
        assert!(matches("a\\*b", "a*b") && !matches("a\\*b", "axb"));
        assert!(!matches("web", "Web"));
    }

    #[test]
    fn every_filter_must_let_it_through_and_any_value_may() {
        let node = |zone: &str, name: &str| {
            let tag = Node::default().put("key", "Name").put("value", name);
            Node::default().put("zone", zone).list("tagSet", "item", [tag])
        };
        let ask = |filters: &[(&str, &[&str])]| {
            let filters = filters.iter().map(|(name, values)| {
                let values = values.iter().map(|v| Node::leaf("Value", v));
                Node { children: values.collect(), ..Node::new("Filter") }.put("Name", name)
            });
            let input = Node { children: filters.collect(), ..Node::default() };
            keep(&[("zone", "zone")], &input, vec![node("a", "web"), node("b", "app")]).map(|kept| kept.len())
        };
        assert_eq!(ask(&[("zone", &["a", "b"])]), Ok(2));
        assert_eq!(ask(&[("zone", &["a"]), ("tag:Name", &["app"])]), Ok(0));
        assert_eq!(ask(&[("tag-key", &["N*"])]), Ok(2));
        assert_eq!(ask(&[("colour", &["red"])]).unwrap_err().code, "InvalidParameterValue");
    }
}
