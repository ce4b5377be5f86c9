//! Route 53.

use std::time::Duration;

use async_trait::async_trait;
use aws_sdk_route53::Client;
use aws_sdk_route53::operation::change_resource_record_sets::ChangeResourceRecordSetsError;
use aws_sdk_route53::types::{Change, ChangeAction, ChangeBatch, ChangeStatus, HostedZoneConfig, RrType};

use super::error::explain;
use super::pace::Pace;
use super::record;
use crate::clients::dns::{Batch, DnsRead, DnsWrite, RecordSet, Zone};
use crate::clients::{ClientError, ClientResult, Kind};

/// Law R8: five requests a second, for whatever this process asks.
static PACE: Pace = Pace::new(Duration::from_millis(200), 5);

/// The name service.
pub(super) struct Route53 {
    client: Client,
}

impl Route53 {
    pub(super) fn new(client: Client) -> Self {
        Self { client }
    }
}

#[async_trait]
impl DnsRead for Route53 {
    async fn zone(&self, name: &str) -> ClientResult<Zone> {
        let what = || format!("find the hosted zone {name}");
        PACE.take().await;
        let page = self
            .client
            .list_hosted_zones_by_name()
            .dns_name(name)
            .max_items(100)
            .send()
            .await
            .map_err(|e| explain(what(), "route53:ListHostedZonesByName", e))?;
        let public = |zone: &&aws_sdk_route53::types::HostedZone| {
            record::plain(zone.name()) == name && !zone.config().is_some_and(HostedZoneConfig::private_zone)
        };
        let zones: Vec<_> = page.hosted_zones().iter().filter(public).collect();
        let zone = match zones.as_slice() {
            [zone] => zone,
            [] => {
                return Err(ClientError::new(Kind::NotFound, what(), "there is no public zone of this name")
                    .hint("create the hosted zone, or correct `names.zone` in the site file"));
            }
            _ => {
                return Err(ClientError::new(
                    Kind::Conflict,
                    what(),
                    "there is more than one public zone of this name",
                )
                .hint("delete those that the registrar does not delegate to"));
            }
        };
        PACE.take().await;
        let full = self
            .client
            .get_hosted_zone()
            .id(zone.id())
            .send()
            .await
            .map_err(|e| explain(what(), "route53:GetHostedZone", e))?;
        let servers = full.delegation_set().map(|set| set.name_servers().iter().map(|s| record::plain(s)).collect());
        Ok(Zone {
            id: zone.id().trim_start_matches("/hostedzone/").to_owned(),
            name: name.to_owned(),
            name_servers: servers.unwrap_or_default(),
        })
    }

    async fn records(&self, zone_id: &str, name: &str) -> ClientResult<Vec<RecordSet>> {
        self.walk(zone_id, name, |other| other == name).await
    }

    async fn below(&self, zone_id: &str, name: &str) -> ClientResult<Vec<RecordSet>> {
        // Route 53 orders names by their labels from the right: those below a name follow it.
        let inside = format!(".{name}");
        self.walk(zone_id, name, |other| other == name || other.ends_with(&inside)).await
    }

    async fn in_sync(&self, change_id: &str) -> ClientResult<bool> {
        PACE.take().await;
        let answer = self
            .client
            .get_change()
            .id(change_id)
            .send()
            .await
            .map_err(|e| explain(format!("ask for the change {change_id}"), "route53:GetChange", e))?;
        Ok(answer.change_info().is_some_and(|info| info.status() == &ChangeStatus::Insync))
    }
}

impl Route53 {
    /// The record sets from a name on, as long as `wanted` says so of their names.
    async fn walk(
        &self,
        zone_id: &str,
        name: &str,
        wanted: impl Fn(&str) -> bool + Send + Sync,
    ) -> ClientResult<Vec<RecordSet>> {
        let mut from = name.to_owned();
        let mut found = Vec::new();
        let mut next: (Option<RrType>, Option<String>) = (None, None);
        loop {
            PACE.take().await;
            let page = self
                .client
                .list_resource_record_sets()
                .hosted_zone_id(zone_id)
                .start_record_name(&from)
                .set_start_record_type(next.0.take())
                .set_start_record_identifier(next.1.take())
                .send()
                .await
                .map_err(|e| explain(format!("read the records of {name}"), "route53:ListResourceRecordSets", e))?;
            // Names come in order, so the first other name ends the search.
            let of_name = page.resource_record_sets().iter().take_while(|set| wanted(&record::plain(set.name())));
            found.extend(of_name.map(record::read));
            let then = page.next_record_name().filter(|n| page.is_truncated() && wanted(&record::plain(n)));
            let Some(then) = then else { return Ok(found) };
            then.clone_into(&mut from);
            next = (page.next_record_type().cloned(), page.next_record_identifier().map(str::to_owned));
        }
    }
}

#[async_trait]
impl DnsWrite for Route53 {
    async fn change(&self, zone_id: &str, batch: &Batch) -> ClientResult<String> {
        let what = || format!("change {}", names(batch));
        let deletes = batch.delete.iter().map(|record| (ChangeAction::Delete, record));
        let creates = batch.create.iter().map(|record| (ChangeAction::Create, record));
        let changes = deletes
            .chain(creates)
            .map(|(action, set)| Change::builder().action(action).resource_record_set(record::write(set)?).build())
            .collect::<Result<Vec<_>, _>>()
            .and_then(|changes| ChangeBatch::builder().set_changes(Some(changes)).comment("outgrow").build())
            .map_err(|e| ClientError::new(Kind::Refused, what(), e.to_string()))?;
        PACE.take().await;
        let sent = self.client.change_resource_record_sets().hosted_zone_id(zone_id).change_batch(changes).send().await;
        let answer = sent.map_err(|e| {
            // The reasons stand in a list of their own, which the generic message does not show.
            let reasons = match e.as_service_error() {
                Some(ChangeResourceRecordSetsError::InvalidChangeBatch(invalid)) => invalid.messages().join("; "),
                _ => String::new(),
            };
            let mut error = explain(what(), "route53:ChangeResourceRecordSets", e);
            if !reasons.is_empty() && !error.why.contains(&reasons) {
                error.why = format!("{}: {reasons}", error.why);
            }
            if error.kind == Kind::Refused && super::error::lost_swap(&reasons) {
                error.kind = Kind::Conflict;
            }
            error
        })?;
        let id = answer.change_info().map(|info| info.id().trim_start_matches("/change/").to_owned());
        id.ok_or_else(|| ClientError::new(Kind::Unanswered, what(), "the answer names no change"))
    }
}

/// The names a batch touches, for a message.
fn names(batch: &Batch) -> String {
    let mut names: Vec<&str> = batch.delete.iter().chain(&batch.create).map(|record| record.name.as_str()).collect();
    names.sort_unstable();
    names.dedup();
    format!("the records of {}", names.join(", "))
}
