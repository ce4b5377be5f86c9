//! Health checks. The edge asks the endpoints; what it found is in the state.

use super::super::super::state::{Checkup, Found, State};
use super::super::wire::operation::Output;
use super::super::wire::{ApiError, Node, refuse};
use super::super::{Cloud, fresh};
use super::check_config::{REGIONS, describe, fits, merged, read};
use super::input::{at_most, invalid, need, number, one_of, page};
use super::limits::MOST_CHECKS;
use super::within_rate;

/// Health checks of a page, at most.
const PAGE: usize = 100;

/// The health check of an id, or `NoSuchHealthCheck`.
pub(super) fn check<'a>(state: &'a State, id: &str) -> Result<&'a Checkup, ApiError> {
    let missing = || {
        let message = format!("No health check exists with the specified ID: {id}");
        refuse("NoSuchHealthCheck", message).status(404)
    };
    state.checkups.get(id).ok_or_else(missing)
}

pub(super) fn create(cloud: &Cloud, input: &Node) -> Result<Output, ApiError> {
    within_rate(cloud)?;
    let reference = at_most(need(input, "CallerReference")?, "callerReference", 64)?;
    let config = input.child("HealthCheckConfig");
    let config = config.ok_or_else(|| invalid("Invalid XML ; there is no HealthCheckConfig"))?;
    cloud.change(|state| {
        let check = read(state, config, reference)?;
        let made = |id: &str, check: &Checkup| {
            let location = format!("https://route53.amazonaws.com/2013-04-01/healthcheck/{id}");
            let node = Node::new("CreateHealthCheckResponse").with(describe(id, check));
            Output::from(node).status(201).header("location", location)
        };
        if let Some((id, own)) = state.checkups.iter().find(|(_, own)| own.reference == reference) {
            let same = Checkup { version: 1, found: Found::default(), ..own.clone() } == check;
            let message = "A different health check has already been created with the specified caller reference.";
            return if same { Ok(made(id, own)) } else { Err(refuse("HealthCheckAlreadyExists", message).status(409)) };
        }
        if state.checkups.len() >= MOST_CHECKS {
            let message = format!("You have reached the limit of {MOST_CHECKS} health checks");
            return Err(refuse("TooManyHealthChecks", message));
        }
        let (a, b) = (fresh(), fresh());
        let id = format!("{}-{}-{}-{}-{}", &a[..8], &a[8..12], &a[12..], &b[..4], &b[4..]);
        let output = made(&id, &check);
        state.checkups.insert(id, check);
        Ok(output)
    })
}

pub(super) fn get(cloud: &Cloud, input: &Node) -> Result<Output, ApiError> {
    within_rate(cloud)?;
    let id = need(input, "HealthCheckId")?;
    let state = cloud.shared().lock();
    Ok(Node::new("GetHealthCheckResponse").with(describe(id, check(&state, id)?)).into())
}

pub(super) fn count(cloud: &Cloud, _: &Node) -> Result<Output, ApiError> {
    within_rate(cloud)?;
    let count = cloud.shared().lock().checkups.len();
    Ok(Node::new("GetHealthCheckCountResponse").put("HealthCheckCount", count).into())
}

pub(super) fn list(cloud: &Cloud, input: &Node) -> Result<Output, ApiError> {
    within_rate(cloud)?;
    let size = page(input, PAGE)?;
    let marker = input.get("marker").unwrap_or_default();
    let state = cloud.shared().lock();
    let mut checks = state.checkups.iter().filter(|(id, _)| id.as_str() >= marker);
    let found: Vec<_> = checks.by_ref().take(size).map(|(id, check)| describe(id, check)).collect();
    let next = checks.next().map(|(id, _)| id);
    let node = Node::new("ListHealthChecksResponse")
        .list("HealthChecks", "HealthCheck", found)
        .put("Marker", marker)
        .put("IsTruncated", next.is_some())
        .put_some("NextMarker", next)
        .put("MaxItems", size);
    Ok(node.into())
}

pub(super) fn update(cloud: &Cloud, input: &Node) -> Result<Output, ApiError> {
    const RESETTABLE: &[&str] = &["FullyQualifiedDomainName", "Regions", "ResourcePath", "ChildHealthChecks"];
    within_rate(cloud)?;
    let id = need(input, "HealthCheckId")?;
    let expected = number(input, "HealthCheckVersion", "healthCheckVersion", (1, u64::MAX))?;
    cloud.change(|state| {
        let own = check(state, id)?.clone();
        if expected.is_some_and(|version| version != own.version) {
            let message = format!("The health check has version {} and not the one given", own.version);
            return Err(refuse("HealthCheckVersionMismatch", message).status(409));
        }
        let version = own.version + 1;
        let mut check = merged(own, input)?;
        for element in input.texts("ResetElements") {
            match one_of(&element, "resetElements.member", RESETTABLE)? {
                "FullyQualifiedDomainName" => check.host = None,
                "Regions" => check.regions.clear(),
                "ResourcePath" => check.path = None,
                _ => check.children.clear(),
            }
        }
        check.version = version;
        fits(state, &check)?;
        if check.children.iter().any(|child| child == id) {
            return Err(invalid("Invalid parameter : A health check cannot be its own child."));
        }
        let node = Node::new("UpdateHealthCheckResponse").with(describe(id, &check));
        state.checkups.insert(id.to_owned(), check);
        Ok(node.into())
    })
}

/// Route 53 lets a health check go that records still name, and that calculated ones look at.
pub(super) fn delete(cloud: &Cloud, input: &Node) -> Result<Output, ApiError> {
    within_rate(cloud)?;
    let id = need(input, "HealthCheckId")?;
    cloud.change(|state| {
        check(state, id)?;
        state.checkups.remove(id);
        state.tags.remove(id);
        Ok(Node::new("DeleteHealthCheckResponse").into())
    })
}

pub(super) fn status(cloud: &Cloud, input: &Node) -> Result<Output, ApiError> {
    observed(cloud, input, "GetHealthCheckStatusResponse", |found| found.last.clone())
}

pub(super) fn last_failure(cloud: &Cloud, input: &Node) -> Result<Output, ApiError> {
    observed(cloud, input, "GetHealthCheckLastFailureReasonResponse", |found| found.last_failure.clone())
}

/// What the checkers of each region saw. The rehearsal has one, on this machine, that speaks for all.
fn observed(
    cloud: &Cloud,
    input: &Node,
    root: &str,
    what: impl Fn(&Found) -> Option<(std::time::SystemTime, String)>,
) -> Result<Output, ApiError> {
    within_rate(cloud)?;
    let id = need(input, "HealthCheckId")?;
    let state = cloud.shared().lock();
    let check = check(&state, id)?;
    if check.kind == "CALCULATED" {
        return Err(invalid("The status of calculated health checks is not observed by health checkers"));
    }
    let regions: Vec<&str> =
        if check.regions.is_empty() { REGIONS.to_vec() } else { check.regions.iter().map(String::as_str).collect() };
    let seen = what(&check.found).into_iter().flat_map(|(at, said)| {
        regions.iter().map(move |region| {
            let report = Node::new("StatusReport").put("Status", &said).put("CheckedTime", at);
            Node::default().put("Region", region).put("IPAddress", "127.0.0.1").with(report)
        })
    });
    Ok(Node::new(root).list("HealthCheckObservations", "HealthCheckObservation", seen).into())
}
