//! Policies: cache, origin request and response headers, AWS's managed ones and the account's own.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use super::super::super::state::{CacheRules, CdnPolicy, HeadersRules, RequestRules, State};
use super::super::wire::operation::Output;
use super::super::wire::{ApiError, Node, refuse};
use super::super::{Cloud, fresh};
use super::{
    body, cache_policy, created, distributions, gone, headers_policy, if_match, keep, kept, managed, page,
    request_policy, shape, version,
};

/// What tells one kind of policy from another.
pub(super) struct Kind {
    /// `CachePolicy`, …
    pub name: &'static str,
    /// The root of its configuration.
    pub config: &'static str,
    /// The list's name, and an item's.
    pub lists: (&'static str, &'static str),
    /// Where it is found: all, one, its configuration.
    pub path: &'static str,
    /// One of them.
    pub path_id: &'static str,
    /// Its configuration.
    pub path_config: &'static str,
    /// The member of a behaviour that names it.
    pub named_by: &'static str,
    /// Codes: there is none, there is one of that name, it is in use.
    pub codes: [&'static str; 3],
    /// The shape of its configuration.
    pub shape: &'static [shape::Member],
    /// Judges a complete configuration.
    pub judge: fn(&Node) -> Result<(), ApiError>,
    /// AWS's own.
    pub managed: fn() -> Vec<(&'static str, Node)>,
}

/// A policy as the API has it.
struct Policy {
    id: String,
    managed: bool,
    etag: String,
    changed: SystemTime,
    config: Node,
}

impl Kind {
    fn missing(&self) -> ApiError {
        refuse(self.codes[0], format!("The specified {} does not exist.", self.name)).status(404)
    }

    fn all(&self, state: &State) -> Vec<Policy> {
        let aws = (self.managed)().into_iter().map(|(id, config)| Policy {
            id: id.to_owned(),
            managed: true,
            etag: managed::ETAG.to_owned(),
            changed: UNIX_EPOCH + Duration::from_secs(managed::SINCE),
            config,
        });
        let own = state.cdn.policies.iter().filter(|(_, p)| p.kind == self.name).map(|(id, policy)| Policy {
            id: id.clone(),
            managed: false,
            etag: policy.etag.clone(),
            changed: policy.changed,
            config: kept(&policy.shown),
        });
        aws.chain(own).collect()
    }

    fn find(&self, state: &State, id: &str) -> Result<Policy, ApiError> {
        self.all(state).into_iter().find(|p| p.id == id).ok_or_else(|| self.missing())
    }

    fn describe(&self, policy: Policy) -> Node {
        Node::new(self.name).put("Id", policy.id).put("LastModifiedTime", policy.changed).with(policy.config)
    }

    /// Judges what was given and enters it; gives the policy.
    fn enter(&self, cloud: &Cloud, state: &mut State, id: Option<&str>, input: &Node) -> Result<Policy, ApiError> {
        let config = shape::complete(self.config, self.shape, body(input, self.config)?, "")?;
        (self.judge)(&config)?;
        let name = config.get("Name").unwrap_or_default();
        if self.all(state).iter().any(|p| p.config.get("Name") == Some(name) && id != Some(p.id.as_str())) {
            let message = format!("A {} with this name already exists.", self.name);
            return Err(refuse(self.codes[1], message).status(409));
        }
        let now = cloud.shared().clock.now();
        let policy = CdnPolicy { kind: self.name, etag: version(), changed: now, shown: keep(&config) };
        let id = id.map_or_else(uuid, str::to_owned);
        let entered = Policy { id: id.clone(), managed: false, etag: policy.etag.clone(), changed: now, config };
        state.cdn.policies.insert(id, policy);
        Ok(entered)
    }

    /// A policy that may be changed: the account's own, in the version the caller knows.
    fn own(&self, state: &State, input: &Node, code: &'static str) -> Result<String, ApiError> {
        let policy = self.find(state, input.get("Id").unwrap_or_default())?;
        if policy.managed {
            return Err(refuse(code, "You cannot change or delete a managed policy."));
        }
        if_match(input, &policy.etag)?;
        Ok(policy.id)
    }
}

fn uuid() -> String {
    let (a, b) = (fresh(), fresh());
    format!("{}-{}-4{}-8{}-{}", &a[..8], &a[8..12], &a[13..16], &b[1..4], &b[4..16])
}

pub(super) fn get(kind: &'static Kind, cloud: &Cloud, input: &Node) -> Result<Output, ApiError> {
    let policy = kind.find(&cloud.shared().lock(), input.get("Id").unwrap_or_default())?;
    let etag = policy.etag.clone();
    Ok(Output::from(kind.describe(policy)).header("etag", etag))
}

pub(super) fn get_config(kind: &'static Kind, cloud: &Cloud, input: &Node) -> Result<Output, ApiError> {
    let policy = kind.find(&cloud.shared().lock(), input.get("Id").unwrap_or_default())?;
    Ok(Output::from(policy.config).header("etag", policy.etag))
}

pub(super) fn list(kind: &'static Kind, cloud: &Cloud, input: &Node) -> Result<Output, ApiError> {
    let asked = input.get("Type");
    let all = kind.all(&cloud.shared().lock()).into_iter().map(|policy| {
        let of = if policy.managed { "managed" } else { "custom" };
        (policy.id.clone(), of, Node::new(kind.lists.1).put("Type", of).with(kind.describe(policy)))
    });
    let all = all.filter(|(_, of, _)| asked.is_none_or(|a| a == *of)).map(|(id, _, node)| (id, node)).collect();
    Ok(page(input, kind.lists.0, kind.lists.1, all, false)?.into())
}

pub(super) fn create(kind: &'static Kind, cloud: &Cloud, input: &Node) -> Result<Output, ApiError> {
    cloud.change(|state| {
        let policy = kind.enter(cloud, state, None, input)?;
        let (id, etag) = (policy.id.clone(), policy.etag.clone());
        let at = kind.path.trim_start_matches("/2020-05-31/");
        Ok(created(kind.describe(policy), &etag, &format!("{at}/{id}")))
    })
}

pub(super) fn update(kind: &'static Kind, cloud: &Cloud, input: &Node) -> Result<Output, ApiError> {
    cloud.change(|state| {
        let id = kind.own(state, input, "IllegalUpdate")?;
        let policy = kind.enter(cloud, state, Some(&id), input)?;
        distributions::read_again(state);
        let etag = policy.etag.clone();
        Ok(Output::from(kind.describe(policy)).header("etag", etag))
    })
}

pub(super) fn delete(kind: &'static Kind, cloud: &Cloud, input: &Node) -> Result<Output, ApiError> {
    cloud.change(|state| {
        let id = kind.own(state, input, "IllegalDelete")?;
        let named = format!("<{0}>{id}</{0}>", kind.named_by);
        if state.distributions.values().any(|d| d.shown.contains(&named)) {
            let message = "Cannot delete the policy because it is attached to one or more cache behaviors.";
            return Err(refuse(kind.codes[2], message).status(409));
        }
        state.cdn.policies.remove(&id);
        Ok(gone())
    })
}

/// The rules of the cache policy of an id.
pub(super) fn cache_rules(state: &State, id: &str) -> Result<CacheRules, ApiError> {
    Ok(cache_policy::read(&cache_policy::KIND.find(state, id)?.config))
}

/// The rules of the origin request policy of an id.
pub(super) fn request_rules(state: &State, id: &str) -> Result<RequestRules, ApiError> {
    Ok(request_policy::read(&request_policy::KIND.find(state, id)?.config))
}

/// The rules of the response headers policy of an id.
pub(super) fn headers_rules(state: &State, id: &str) -> Result<HeadersRules, ApiError> {
    Ok(headers_policy::read(&headers_policy::KIND.find(state, id)?.config))
}
