//! `DescribeSecret` and `ListSecrets`.

use std::time::SystemTime;

use super::super::super::state::{Secret, State};
use super::super::Cloud;
use super::super::wire::operation::Output;
use super::super::wire::{ApiError, Node, constraint, refuse};
use super::find;

const KEYS: &[&str] = &["description", "name", "tag-key", "tag-value", "primary-region", "owning-service", "all"];
const ORDERS: &[&str] = &["created-date", "last-accessed-date", "last-changed-date", "name"];

pub(super) fn describe(cloud: &Cloud, input: &Node) -> Result<Output, ApiError> {
    let state = cloud.shared().lock();
    let arn = find(cloud, &state, input)?;
    let secret = state.secrets.get(&arn).ok_or_else(super::missing)?;
    Ok(node(&state, &arn, secret, "VersionIdsToStages").into())
}

fn node(state: &State, arn: &str, secret: &Secret, versions: &str) -> Node {
    let tags = state.tags.get(arn).into_iter().flatten();
    let staged = secret.versions.iter().filter(|(_, version)| !version.stages.is_empty());
    let staged = staged.fold(Node::new(versions), |node, (id, v)| node.texts_list(id, "member", &v.stages));
    let node = Node::default()
        .put("ARN", arn)
        .put("Name", &secret.name)
        .put_some("Description", secret.description.as_ref())
        .put("LastChangedDate", secret.changed)
        .put_some("LastAccessedDate", secret.accessed.map(day))
        .put_some("DeletedDate", secret.deleted)
        .list("Tags", "member", tags.map(|(key, value)| Node::default().put("Key", key).put("Value", value)))
        .put("CreatedDate", secret.created);
    if staged.children.is_empty() { node } else { node.with(staged) }
}

/// Reads are told to the day only.
fn day(at: SystemTime) -> SystemTime {
    let since = at.duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default().as_secs();
    SystemTime::UNIX_EPOCH + std::time::Duration::from_secs(since - since % 86_400)
}

pub(super) fn list(cloud: &Cloud, input: &Node) -> Result<Output, ApiError> {
    let state = cloud.shared().lock();
    let (arns, next) = page(cloud, &state, input, 100)?;
    let found =
        arns.iter().filter_map(|arn| Some(node(&state, arn, state.secrets.get(arn)?, "SecretVersionsToStages")));
    Ok(Node::default().list("SecretList", "member", found).put_some("NextToken", next).into())
}

/// A page of the region's secrets that the request's filters let through, at most `most`.
pub(super) fn page(
    cloud: &Cloud,
    state: &State,
    input: &Node,
    most: i64,
) -> Result<(Vec<String>, Option<String>), ApiError> {
    let size = constraint::number(input, "MaxResults", 1..=most)?.unwrap_or(most);
    let size = usize::try_from(size).unwrap_or(usize::MAX);
    let by = constraint::word(input, "SortBy", ORDERS)?.unwrap_or("created-date");
    let descending = constraint::word(input, "SortOrder", &["asc", "desc"])? != Some("asc");
    let filters = filters(input)?;
    let planned = input.flag("IncludePlannedDeletion")?.unwrap_or(false);
    let here = format!("arn:aws:secretsmanager:{}:", cloud.region());
    let mut found: Vec<_> = state
        .secrets
        .iter()
        .filter(|(arn, secret)| arn.starts_with(&here) && (planned || secret.deleted.is_none()))
        .filter(|(arn, secret)| filters.iter().all(|filter| filter.fits(state, arn, secret)))
        .collect();
    found.sort_by_key(|(arn, secret)| {
        let at = match by {
            "last-changed-date" => Some(secret.changed),
            "last-accessed-date" => secret.accessed,
            "name" => None,
            _ => Some(secret.created),
        };
        (at, &secret.name, *arn)
    });
    if descending {
        found.reverse();
    }
    let from = match input.get("NextToken") {
        Some(token) => found
            .iter()
            .position(|(arn, _)| arn.as_str() == token)
            .ok_or_else(|| refuse("InvalidNextTokenException", "The NextToken is not one that was given out."))?,
        None => 0,
    };
    let next = found.get(from.saturating_add(size)).map(|(arn, _)| (*arn).clone());
    Ok((found.into_iter().skip(from).take(size).map(|(arn, _)| arn.clone()).collect(), next))
}

/// A filter: a key, and values of which one has to fit, or with a `!` in front must not.
struct Filter {
    key: String,
    values: Vec<String>,
}

fn filters(input: &Node) -> Result<Vec<Filter>, ApiError> {
    let read = |node: &Node| {
        let key = constraint::word(node, "Key", KEYS)?.ok_or_else(|| constraint::broken(None, "Key", "not be null"))?;
        let values = node.texts("Values");
        if !(1..=10).contains(&values.len()) {
            return Err(refuse("InvalidParameterException", "A filter has one to ten values."));
        }
        Ok(Filter { key: key.to_owned(), values })
    };
    input.items("Filters").map(read).collect()
}

impl Filter {
    fn fits(&self, state: &State, arn: &str, secret: &Secret) -> bool {
        let tags = || state.tags.get(arn).into_iter().flatten();
        let description = || secret.description.iter().map(String::as_str).collect::<Vec<_>>();
        let held = match self.key.as_str() {
            "name" => vec![secret.name.as_str()],
            "description" => description(),
            "tag-key" => tags().map(|(key, _)| key.as_str()).collect(),
            "tag-value" => tags().map(|(_, value)| value.as_str()).collect(),
            "all" => {
                let tags = tags().flat_map(|(key, value)| [key.as_str(), value.as_str()]);
                tags.chain(description()).chain([secret.name.as_str()]).collect()
            }
            // no secret here is another service's, or another region's copy
            _ => Vec::new(),
        };
        self.values.iter().any(|value| match value.strip_prefix('!') {
            Some(not) => !self.begins(&held, not),
            None => self.begins(&held, value),
        })
    }

    /// Prefixes, of descriptions and of `all` whatever the case (Secrets Manager API: Filter).
    fn begins(&self, held: &[&str], value: &str) -> bool {
        if matches!(self.key.as_str(), "description" | "all") {
            let value = value.to_lowercase();
            let words = |text: &str| {
                text.to_lowercase().split(['/', ' ', '_', '-', '.', '@', '+', '=']).any(|w| w.starts_with(&value))
            };
            return held.iter().any(|text| text.to_lowercase().starts_with(&value) || words(text));
        }
        held.iter().any(|text| text.starts_with(value))
    }
}

#[cfg(test)]
mod tests {
    use super::super::testing::{Rig, refused};
    use super::*;

    fn names(rig: &Rig, input: &Node) -> Vec<String> {
        let listed = rig.call("ListSecrets", input).unwrap();
        listed.items("SecretList").map(|s| s.get("Name").unwrap().to_owned()).collect()
    }

    #[test]
    fn a_list_is_filtered_ordered_and_paged() {
        let rig = Rig::new();
        for name in ["shop/db", "shop/mail", "blog/db"] {
            rig.create(name, "x");
        }
        rig.within("us-east-1").create("shop/elsewhere", "x");
        let by_name = || Node::default().put("SortBy", "name").put("SortOrder", "asc");
        assert_eq!(names(&rig, &by_name()), ["blog/db", "shop/db", "shop/mail"]);
        let filter = |key: &str, value: &str| {
            let filter = Node::default().put("Key", key).texts_list("Values", "member", [value]);
            by_name().list("Filters", "member", [filter])
        };
        assert_eq!(names(&rig, &filter("name", "shop/")), ["shop/db", "shop/mail"]);
        assert_eq!(names(&rig, &filter("name", "!shop/")), ["blog/db"]);
        assert_eq!(names(&rig, &filter("all", "DB")), ["blog/db", "shop/db"]);
        let first = rig.call("ListSecrets", &by_name().put("MaxResults", 2)).unwrap();
        let next = by_name().put("NextToken", first.get("NextToken").unwrap());
        assert_eq!(names(&rig, &next), ["shop/mail"]);
        refused(rig.call("ListSecrets", &filter("colour", "red")), "ValidationException");
        refused(rig.call("ListSecrets", &by_name().put("NextToken", "x")), "InvalidNextTokenException");
        refused(rig.call("ListSecrets", &by_name().put("MaxResults", 101)), "ValidationException");
    }
}
