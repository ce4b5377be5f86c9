//! Invalidations: what the edges are to drop (law C6).

use std::time::SystemTime;

use super::super::super::state::{Invalidation, State};
use super::super::law::Law;
use super::super::wire::operation::Output;
use super::super::wire::{ApiError, Node, refuse};
use super::super::{Cloud, fresh};
use super::{body, counted, distributions, invalid, page, shape};

/// Paths in flight at a time, over all batches. Source: CloudFront guide, cloudfront-limits, "Invalidations".
const MOST_PATHS: usize = 3000;
/// Paths with a `*` in flight at a time.
const MOST_STARS: usize = 15;

fn describe(invalidation: &Invalidation, now: SystemTime) -> Node {
    let paths = invalidation.paths.iter().map(|p| Node::leaf("Path", p));
    let batch = Node::new("InvalidationBatch")
        .with(counted("Paths", "Path", paths))
        .put("CallerReference", &invalidation.reference);
    head("Invalidation", invalidation, now).with(batch)
}

fn head(name: &str, invalidation: &Invalidation, now: SystemTime) -> Node {
    let status = if now >= invalidation.done_at { "Completed" } else { "InProgress" };
    Node::new(name).put("Id", &invalidation.id).put("CreateTime", invalidation.created).put("Status", status)
}

pub(super) fn create(cloud: &Cloud, input: &Node) -> Result<Output, ApiError> {
    let batch = body(input, "InvalidationBatch")?;
    let reference = batch.get("CallerReference").unwrap_or_default().to_owned();
    if reference.is_empty() {
        return Err(invalid("The parameter CallerReference is required.".into()));
    }
    let paths: Vec<_> =
        shape::items(batch.child("Paths"), "Paths")?.iter().map(|path| path.text.trim().to_owned()).collect();
    if paths.is_empty() {
        return Err(invalid("Your request must hold at least one path to invalidate.".into()));
    }
    for path in &paths {
        let star = path.find('*');
        if !path.starts_with('/') || star.is_some_and(|at| at + 1 != path.len()) || path.contains(char::is_whitespace) {
            return Err(invalid("Your request contains one or more invalid invalidation paths.".into()));
        }
    }
    let now = cloud.shared().clock.now();
    cloud.change(|state| {
        let (domain, distribution) = named(state, input)?;
        let location = |id: &str| {
            format!("https://cloudfront.amazonaws.com/2020-05-31/distribution/{}/invalidation/{id}", distribution.id)
        };
        // The same reference with the same paths is the same request again.
        if let Some(same) = distribution.invalidations.iter().find(|i| i.reference == reference) {
            if *same.paths != *paths {
                let message = "The caller reference is that of another invalidation of this distribution.";
                return Err(invalid(message.into()));
            }
            return Ok(Output::from(describe(same, now)).status(201).header("location", location(&same.id)));
        }
        let flying = distribution.invalidations.iter().filter(|i| now < i.done_at).flat_map(|i| i.paths.iter());
        let (mut count, mut stars) = (paths.len(), paths.iter().filter(|p| p.ends_with('*')).count());
        for path in flying {
            count += 1;
            stars += usize::from(path.ends_with('*'));
        }
        if count > MOST_PATHS || stars > MOST_STARS {
            let message = "You have exceeded the maximum number of allowable InProgress invalidation batch requests, or invalidation objects.";
            return Err(refuse("TooManyInvalidationsInProgress", message).by(Law::C6));
        }
        let id = format!("I{}", fresh()[..13].to_uppercase());
        let done_at = now + cloud.settings().invalidated_after;
        let invalidation = Invalidation { id, reference, created: now, done_at, paths: paths.into() };
        let output =
            Output::from(describe(&invalidation, now)).status(201).header("location", location(&invalidation.id));
        let domain = domain.clone();
        if let Some(distribution) = state.distributions.get_mut(&domain) {
            distribution.invalidations.push(invalidation);
        }
        Ok(output)
    })
}

fn named<'a>(
    state: &'a State,
    input: &Node,
) -> Result<(&'a String, &'a super::super::super::state::Distribution), ApiError> {
    distributions::find(state, input.get("DistributionId").unwrap_or_default())
}

pub(super) fn get(cloud: &Cloud, input: &Node) -> Result<Output, ApiError> {
    let state = cloud.shared().lock();
    let (_, distribution) = named(&state, input)?;
    let id = input.get("Id").unwrap_or_default();
    let found = distribution.invalidations.iter().find(|i| i.id == id);
    let missing = || refuse("NoSuchInvalidation", "The specified invalidation does not exist.").status(404);
    Ok(describe(found.ok_or_else(missing)?, cloud.shared().clock.now()).into())
}

pub(super) fn list(cloud: &Cloud, input: &Node) -> Result<Output, ApiError> {
    let state = cloud.shared().lock();
    let (_, distribution) = named(&state, input)?;
    let now = cloud.shared().clock.now();
    let newest_first = distribution.invalidations.iter().rev();
    let all = newest_first.map(|i| (i.id.clone(), head("InvalidationSummary", i, now))).collect();
    Ok(page(input, "InvalidationList", "InvalidationSummary", all, true)?.into())
}
