//! Tags of certificates.

use std::collections::BTreeMap;

use super::super::Cloud;
use super::super::wire::operation::Output;
use super::super::wire::{ApiError, Node, constraint, refuse};
use super::find;

const MOST: usize = 50;

/// The tags a request carries.
pub(super) fn read(input: &Node) -> Result<BTreeMap<String, String>, ApiError> {
    let mut tags = BTreeMap::new();
    for (at, tag) in input.items("Tags").enumerate() {
        let key = constraint::text(tag, "Key", 1..=128).map_err(|error| {
            refuse(error.code, error.message.replace("'key'", &format!("'tags.{}.member.key'", at + 1)))
        })?;
        let value = constraint::some_text(tag, "Value", 0..=256)?.unwrap_or_default();
        if key.starts_with("aws:") {
            let message = "aws: prefixed tag key names are not allowed for external use.";
            return Err(refuse("InvalidTagException", message));
        }
        tags.insert(key.to_owned(), value.to_owned());
    }
    too_many(tags.len())?;
    Ok(tags)
}

fn too_many(count: usize) -> Result<(), ApiError> {
    if count > MOST {
        return Err(refuse("TooManyTagsException", format!("The maximum number of tags per certificate is {MOST}.")));
    }
    Ok(())
}

pub(super) fn add(cloud: &Cloud, input: &Node) -> Result<Output, ApiError> {
    let tags = given(input)?;
    cloud.change(|state| {
        let (arn, _) = find(cloud, state, input)?;
        let mut all = state.tags.get(&arn).cloned().unwrap_or_default();
        all.extend(tags);
        too_many(all.len())?;
        state.tags.insert(arn, all);
        Ok(Node::default().into())
    })
}

/// A tag goes if its value is the one given, or if none is given (ACM API: `RemoveTagsFromCertificate`).
pub(super) fn remove(cloud: &Cloud, input: &Node) -> Result<Output, ApiError> {
    given(input)?;
    cloud.change(|state| {
        let (arn, _) = find(cloud, state, input)?;
        let kept = state.tags.entry(arn).or_default();
        for tag in input.items("Tags") {
            let key = tag.get("Key").unwrap_or_default();
            let value = tag.child("Value").map(|v| v.text.as_str());
            if kept.get(key).is_some_and(|held| value.is_none_or(|value| value == held)) {
                kept.remove(key);
            }
        }
        Ok(Node::default().into())
    })
}

fn given(input: &Node) -> Result<BTreeMap<String, String>, ApiError> {
    let tags = read(input)?;
    if tags.is_empty() {
        return Err(constraint::broken(
            input.child("Tags").map(|_| "[]"),
            "Tags",
            "have length greater than or equal to 1",
        ));
    }
    Ok(tags)
}

pub(super) fn list(cloud: &Cloud, input: &Node) -> Result<Output, ApiError> {
    let state = cloud.shared().lock();
    let (arn, _) = find(cloud, &state, input)?;
    let tags = state.tags.get(&arn).into_iter().flatten();
    let tags = tags.map(|(key, value)| Node::default().put("Key", key).put("Value", value));
    Ok(Node::default().list("Tags", "member", tags).into())
}

#[cfg(test)]
mod tests {
    use super::super::testing::{Rig, ask, refused};
    use super::*;

    fn tags(all: &[(&str, &str)]) -> impl Iterator<Item = Node> {
        all.iter().map(|(k, v)| Node::default().put("Key", *k).put("Value", *v))
    }

    #[test]
    fn tags_come_with_the_request_are_added_and_go_by_value() {
        let rig = Rig::new();
        let arn = rig.asked(&ask("shop.test").list("Tags", "member", tags(&[("site", "shop")])));
        let with = |all: &[(&str, &str)]| rig.of(&arn).list("Tags", "member", tags(all));
        rig.call("AddTagsToCertificate", &with(&[("site", "store"), ("run", "1")])).unwrap();
        rig.call("RemoveTagsFromCertificate", &with(&[("site", "another value")])).unwrap();
        let listed = rig.call("ListTagsForCertificate", &rig.of(&arn)).unwrap();
        assert_eq!(listed.items("Tags").map(|t| t.get("Value").unwrap()).collect::<Vec<_>>(), ["1", "store"]);
        let only_key = rig.of(&arn).list("Tags", "member", [Node::default().put("Key", "site")]);
        rig.call("RemoveTagsFromCertificate", &only_key).unwrap();
        let listed = rig.call("ListTagsForCertificate", &rig.of(&arn)).unwrap();
        assert_eq!(listed.items("Tags").count(), 1);
    }

    #[test]
    fn tags_have_their_limits() {
        let rig = Rig::new();
        let arn = rig.request("shop.test");
        let with = |all: Vec<Node>| rig.of(&arn).list("Tags", "member", all);
        let many: Vec<_> = (0..51).map(|n| Node::default().put("Key", format!("k{n}"))).collect();
        refused(rig.call("AddTagsToCertificate", &with(many)), "TooManyTagsException");
        refused(rig.call("AddTagsToCertificate", &with(tags(&[("aws:x", "1")]).collect())), "InvalidTagException");
        refused(rig.call("AddTagsToCertificate", &with(Vec::new())), "ValidationException");
    }
}
