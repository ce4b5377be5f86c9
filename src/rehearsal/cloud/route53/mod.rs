//! Route 53: hosted zones, record sets, changes, health checks, tags. Every call counts against the account's rate.

mod alias;
mod batch;
mod changes;
mod check_config;
mod checks;
mod input;
mod laws;
mod limits;
mod records;
mod request;
mod tags;
mod test_answer;
mod zone_lists;
mod zones;

use std::time::{Duration, Instant};

use http::Method;

use super::Cloud;
use super::law::Law::{R1, R2, R3, R4, R5, R7, R8, R9};
use super::wire::operation::{Service, rest};
use super::wire::protocol::Protocol;
use super::wire::{ApiError, refuse};

pub(super) use zones::new_zone;

const ZONES: &str = "/2013-04-01/hostedzone";
const ZONE: &str = "/2013-04-01/hostedzone/{Id}";
const RECORDS: &str = "/2013-04-01/hostedzone/{Id}/rrset";
const CHECKS: &str = "/2013-04-01/healthcheck";
const CHECK: &str = "/2013-04-01/healthcheck/{HealthCheckId}";
const TAGS: &str = "/2013-04-01/tags/{ResourceType}/{ResourceId}";

/// The service.
pub(super) const SERVICE: Service = Service {
    name: "route53",
    protocol: Protocol::RestXml("https://route53.amazonaws.com/doc/2013-04-01/"),
    operations: &[
        rest("ListHostedZones", Method::GET, ZONES, zone_lists::list, &[R8]),
        rest("ListHostedZonesByName", Method::GET, "/2013-04-01/hostedzonesbyname", zone_lists::by_name, &[R8]),
        rest("GetHostedZoneCount", Method::GET, "/2013-04-01/hostedzonecount", zone_lists::count, &[R8]),
        rest("GetHostedZone", Method::GET, ZONE, zones::get, &[R8]),
        rest("CreateHostedZone", Method::POST, ZONES, zones::create, &[R8, R9]),
        rest("DeleteHostedZone", Method::DELETE, ZONE, zones::delete, &[R8]),
        rest("UpdateHostedZoneComment", Method::POST, ZONE, zones::comment, &[R8]),
        rest("ListResourceRecordSets", Method::GET, RECORDS, records::list, &[R8]),
        rest("ChangeResourceRecordSets", Method::POST, RECORDS, batch::change, &[R1, R2, R3, R5, R8]),
        rest("GetChange", Method::GET, "/2013-04-01/change/{Id}", changes::get, &[R7, R8]),
        rest("TestDNSAnswer", Method::GET, "/2013-04-01/testdnsanswer", test_answer::test, &[R3, R4, R8]),
        rest("CreateHealthCheck", Method::POST, CHECKS, checks::create, &[R8]),
        rest("ListHealthChecks", Method::GET, CHECKS, checks::list, &[R8]),
        rest("GetHealthCheckCount", Method::GET, "/2013-04-01/healthcheckcount", checks::count, &[R8]),
        rest("GetHealthCheck", Method::GET, CHECK, checks::get, &[R8]),
        rest("UpdateHealthCheck", Method::POST, CHECK, checks::update, &[R8]),
        rest("DeleteHealthCheck", Method::DELETE, CHECK, checks::delete, &[R8]),
        rest(
            "GetHealthCheckStatus",
            Method::GET,
            "/2013-04-01/healthcheck/{HealthCheckId}/status",
            checks::status,
            &[R8],
        ),
        rest(
            "GetHealthCheckLastFailureReason",
            Method::GET,
            "/2013-04-01/healthcheck/{HealthCheckId}/lastfailurereason",
            checks::last_failure,
            &[R8],
        ),
        rest("ListTagsForResource", Method::GET, TAGS, tags::list, &[R8]),
        rest("ListTagsForResources", Method::POST, "/2013-04-01/tags/{ResourceType}", tags::list_many, &[R8]),
        rest("ChangeTagsForResource", Method::POST, TAGS, tags::change, &[R8]),
        rest("GetHostedZoneLimit", Method::GET, "/2013-04-01/hostedzonelimit/{Id}/{Type}", limits::of_zone, &[R8]),
        rest("GetAccountLimit", Method::GET, "/2013-04-01/accountlimit/{Type}", limits::of_account, &[R8]),
    ],
};

/// Counts a call against the account's rate (law R8).
fn within_rate(cloud: &Cloud) -> Result<(), ApiError> {
    let limit = cloud.settings().route53_rate;
    let mut calls = cloud.inner.route53_calls.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
    let now = Instant::now();
    calls.retain(|at| now.duration_since(*at) < Duration::from_secs(1));
    if limit > 0 && calls.len() >= limit {
        return Err(refuse("Throttling", "Rate exceeded").by(R8));
    }
    calls.push(now);
    Ok(())
}

/// An id without the `/hostedzone/` or `/change/` some clients keep before it.
fn bare(id: &str) -> &str {
    id.rsplit('/').next().unwrap_or(id)
}
