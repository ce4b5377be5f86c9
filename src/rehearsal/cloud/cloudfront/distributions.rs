//! Distributions: made, shown, changed under `If-Match`, and removed once they are disabled everywhere.

use std::time::SystemTime;

use super::super::super::state::{ACCOUNT, Distribution, State};
use super::super::elb::free_address;
use super::super::law::Law;
use super::super::wire::operation::Output;
use super::super::wire::{ApiError, Node, refuse};
use super::super::{Cloud, fresh};
use super::{body, config, created, gone, if_match, invalid, keep, kept, page, shape, tags, version};

/// Source: CloudFront guide, cloudfront-limits, "Web distributions per AWS account".
const MOST: usize = 200;

/// The ARN of the distribution of an id.
pub(super) fn arn(id: &str) -> String {
    format!("arn:aws:cloudfront::{ACCOUNT}:distribution/{id}")
}

/// The distribution of an id with its domain name, or `NoSuchDistribution`.
pub(super) fn find<'a>(state: &'a State, id: &str) -> Result<(&'a String, &'a Distribution), ApiError> {
    let missing = || refuse("NoSuchDistribution", "The specified distribution does not exist.").status(404);
    state.distributions.iter().find(|(_, d)| d.id == id).ok_or_else(missing)
}

/// The one an operation names in its path.
fn named<'a>(state: &'a State, input: &Node) -> Result<(&'a String, &'a Distribution), ApiError> {
    find(state, input.get("Id").unwrap_or_default())
}

fn status(distribution: &Distribution, now: SystemTime) -> &'static str {
    if now >= distribution.deployed_at { "Deployed" } else { "InProgress" }
}

fn describe(cloud: &Cloud, domain: &str, distribution: &Distribution) -> Node {
    let now = cloud.shared().clock.now();
    let in_flight = distribution.invalidations.iter().filter(|i| now < i.done_at).count();
    let nobody = |name: &str| Node::new(name).put("Enabled", false).put("Quantity", 0_u8);
    Node::new("Distribution")
        .put("Id", &distribution.id)
        .put("ARN", arn(&distribution.id))
        .put("Status", status(distribution, now))
        .put("LastModifiedTime", distribution.changed)
        .put("InProgressInvalidationBatches", in_flight)
        .put("DomainName", domain)
        .with(nobody("ActiveTrustedSigners"))
        .with(nobody("ActiveTrustedKeyGroups"))
        .with(kept(&distribution.shown))
}

pub(super) fn create(cloud: &Cloud, input: &Node) -> Result<Output, ApiError> {
    make(cloud, body(input, "DistributionConfig")?, &[])
}

pub(super) fn create_with_tags(cloud: &Cloud, input: &Node) -> Result<Output, ApiError> {
    let both = body(input, "DistributionConfigWithTags")?;
    let missing = || invalid("The parameter DistributionConfig is required.".into());
    let tags = tags::read(both.child("Tags"))?;
    make(cloud, both.child("DistributionConfig").ok_or_else(missing)?, &tags)
}

fn make(cloud: &Cloud, given: &Node, tags: &[(String, String)]) -> Result<Output, ApiError> {
    let shown = shape::complete("DistributionConfig", shape::DISTRIBUTION, given, "")?;
    let reference = shown.get("CallerReference").unwrap_or_default().to_owned();
    if reference.is_empty() {
        return Err(invalid("The parameter CallerReference is required.".into()));
    }
    cloud.change(|state| {
        if state.distributions.values().any(|d| d.reference == reference) {
            let message = "The caller reference that you are using to create a distribution is associated with another distribution.";
            return Err(refuse("DistributionAlreadyExists", message).status(409));
        }
        let read = config::read(state, &shown, None)?;
        if state.distributions.len() >= MOST {
            let message = "Processing your request would cause you to exceed the maximum number of distributions allowed.";
            return Err(refuse("TooManyDistributions", message));
        }
        let now = cloud.shared().clock.now();
        let distribution = Distribution {
            id: format!("E{}", fresh()[..13].to_uppercase()),
            reference,
            etag: version(),
            changed: now,
            deployed_at: now + cloud.settings().deploy_after,
            config: read,
            before: None,
            shown: keep(&shown),
            invalidations: Vec::new(),
            address: free_address(state),
        };
        let domain = format!("d{}.cloudfront.net", &fresh()[..13]);
        let output = created(
            describe(cloud, &domain, &distribution),
            &distribution.etag,
            &format!("distribution/{}", distribution.id),
        );
        if !tags.is_empty() {
            state.tags.insert(arn(&distribution.id), tags.iter().cloned().collect());
        }
        state.distributions.insert(domain, distribution);
        Ok(output)
    })
}

pub(super) fn get(cloud: &Cloud, input: &Node) -> Result<Output, ApiError> {
    let state = cloud.shared().lock();
    let (domain, distribution) = named(&state, input)?;
    Ok(Output::from(describe(cloud, domain, distribution)).header("etag", &distribution.etag))
}

pub(super) fn get_config(cloud: &Cloud, input: &Node) -> Result<Output, ApiError> {
    let state = cloud.shared().lock();
    let (_, distribution) = named(&state, input)?;
    Ok(Output::from(kept(&distribution.shown)).header("etag", &distribution.etag))
}

pub(super) fn update(cloud: &Cloud, input: &Node) -> Result<Output, ApiError> {
    let given = body(input, "DistributionConfig")?;
    cloud.change(|state| {
        let (domain, distribution) = named(state, input)?;
        if_match(input, &distribution.etag)?;
        let shown = shape::complete("DistributionConfig", shape::DISTRIBUTION, given, "")?;
        if shown.get("CallerReference") != Some(distribution.reference.as_str()) {
            return Err(refuse(
                "IllegalUpdate",
                "The update contains modifications that are not allowed: CallerReference.",
            ));
        }
        let read = config::read(state, &shown, Some(&distribution.id))?;
        let now = cloud.shared().clock.now();
        let next = Distribution {
            etag: version(),
            changed: now,
            deployed_at: now + cloud.settings().deploy_after,
            before: Some(Box::new(distribution.config.clone())),
            config: read,
            shown: keep(&shown),
            ..distribution.clone()
        };
        let domain = domain.clone();
        let output = Output::from(describe(cloud, &domain, &next)).header("etag", &next.etag);
        state.distributions.insert(domain, next);
        Ok(output)
    })
}

pub(super) fn list(cloud: &Cloud, input: &Node) -> Result<Output, ApiError> {
    /// The members of a configuration that a summary shows, in order.
    const SHOWN: &[&str] = &[
        "Aliases",
        "Origins",
        "OriginGroups",
        "DefaultCacheBehavior",
        "CacheBehaviors",
        "CustomErrorResponses",
        "Comment",
        "PriceClass",
        "Enabled",
        "ViewerCertificate",
        "Restrictions",
        "WebACLId",
        "HttpVersion",
        "IsIPV6Enabled",
        "Staging",
    ];
    let now = cloud.shared().clock.now();
    let state = cloud.shared().lock();
    let summary = |(domain, distribution): (&String, &Distribution)| {
        let config = kept(&distribution.shown);
        let mut node = Node::new("DistributionSummary")
            .put("Id", &distribution.id)
            .put("ARN", arn(&distribution.id))
            .put("ETag", &distribution.etag)
            .put("Status", status(distribution, now))
            .put("LastModifiedTime", distribution.changed)
            .put("DomainName", domain);
        node.children.extend(SHOWN.iter().filter_map(|name| config.child(name).cloned()));
        (distribution.id.clone(), node)
    };
    let all = state.distributions.iter().map(summary).collect();
    Ok(page(input, "DistributionList", "DistributionSummary", all, true)?.into())
}

pub(super) fn delete(cloud: &Cloud, input: &Node) -> Result<Output, ApiError> {
    cloud.change(|state| {
        let (domain, distribution) = named(state, input)?;
        if_match(input, &distribution.etag)?;
        if distribution.config.enabled || status(distribution, cloud.shared().clock.now()) != "Deployed" {
            let message = "The distribution you are trying to delete has not been disabled.";
            return Err(refuse("DistributionNotDisabled", message).status(409).by(Law::C6));
        }
        let (domain, id) = (domain.clone(), distribution.id.clone());
        state.distributions.remove(&domain);
        state.tags.remove(&arn(&id));
        Ok(gone())
    })
}

/// Reads every configuration anew, for something they refer to has changed: a policy, a function, an access control.
pub(super) fn read_again(state: &mut State) {
    let read: Vec<_> = state
        .distributions
        .iter()
        .filter_map(|(domain, d)| Some((domain.clone(), config::read(state, &kept(&d.shown), Some(&d.id)).ok()?)))
        .collect();
    for (domain, config) in read {
        if let Some(distribution) = state.distributions.get_mut(&domain) {
            distribution.config = config;
        }
    }
}
