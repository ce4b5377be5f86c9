//! Route 53: hosted zones, record sets, changes.

mod batch;
mod laws;
mod records;
mod zones;

use std::time::{Duration, Instant};

use http::Method;

use super::Cloud;
use super::law::Law::{R1, R2, R3, R5, R7, R8};
use super::wire::operation::{Output, Service, rest};
use super::wire::protocol::Protocol;
use super::wire::{ApiError, Node, refuse};

pub(super) use zones::new_zone;

const ZONE: &str = "/2013-04-01/hostedzone/{Id}";

/// The service.
pub(super) const SERVICE: Service = Service {
    name: "route53",
    protocol: Protocol::RestXml("https://route53.amazonaws.com/doc/2013-04-01/"),
    operations: &[
        rest("ListHostedZones", Method::GET, "/2013-04-01/hostedzone", zones::list, &[R8]),
        rest("ListHostedZonesByName", Method::GET, "/2013-04-01/hostedzonesbyname", zones::list_by_name, &[R8]),
        rest("GetHostedZone", Method::GET, ZONE, zones::get, &[R8]),
        rest("CreateHostedZone", Method::POST, "/2013-04-01/hostedzone", zones::create, &[R8]),
        rest("ListResourceRecordSets", Method::GET, "/2013-04-01/hostedzone/{Id}/rrset", records::list, &[R8]),
        rest(
            "ChangeResourceRecordSets",
            Method::POST,
            "/2013-04-01/hostedzone/{Id}/rrset",
            batch::change,
            &[R1, R2, R3, R5, R8],
        ),
        rest("GetChange", Method::GET, "/2013-04-01/change/{Id}", get_change, &[R7, R8]),
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

fn get_change(cloud: &Cloud, input: &Node) -> Result<Output, ApiError> {
    within_rate(cloud)?;
    let id = bare(input.need("Id")?);
    let due = cloud.shared().lock().changes.get(id).copied();
    let due =
        due.ok_or_else(|| refuse("NoSuchChange", format!("Could not find resource with ID: {id}")).status(404))?;
    Ok(Node::new("GetChangeResponse").with(change_info(cloud, id, due)).into())
}

/// Notes a new change and describes it.
fn begin_change(cloud: &Cloud, state: &mut super::super::state::State) -> Node {
    let id = format!("C{}", super::fresh().to_uppercase());
    let due = cloud.shared().clock.now() + cloud.settings().insync_after;
    state.changes.insert(id.clone(), due);
    change_info(cloud, &id, due)
}

fn change_info(cloud: &Cloud, id: &str, due: std::time::SystemTime) -> Node {
    let status = if cloud.shared().clock.now() >= due { "INSYNC" } else { "PENDING" };
    let submitted = super::iso(due - cloud.settings().insync_after);
    Node::new("ChangeInfo").put("Id", format!("/change/{id}")).put("Status", status).put("SubmittedAt", submitted)
}
