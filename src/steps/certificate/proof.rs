//! The CNAME records that prove the names: into the zone, and out again.
//!
//! All certificates of an account for one name, in whatever region, are proven by one record, and are renewed only as
//! long as it is there. So a record that was there before is never taken away.

use std::collections::BTreeMap;
use std::time::Duration;

use super::CertificateChange;
use crate::clients::Kind;
use crate::clients::certificates::{Certificate, Proof};
use crate::clients::dns::{Answer, Batch, RecordSet};
use crate::step::{Act, Fault, Look, StepResult};
use crate::steps::dns_weights::in_sync;

/// What every record that proves a name points into. Source: ACM guide, DNS validation.
const INTO: &str = ".acm-validations.aws";
/// The TTL of such a record, in seconds.
const TTL: u32 = 300;
/// ACM tells the records some seconds after the request. So often it is asked, with two seconds in between.
const ASKED: u32 = 30;
const ASK_AGAIN: Duration = Duration::from_secs(2);

/// Names of the records in the zone that prove names already.
pub(super) async fn there(look: &Look, zone: &str, names: &[String]) -> StepResult<Vec<String>> {
    let mut found = Vec::new();
    for name in names {
        let base = base(name);
        let records = look.dns.below(zone, base).await?;
        let proves = |r: &&RecordSet| r.kind == "CNAME" && values(r).iter().any(|v| v.ends_with(INTO));
        // One label in front of the name itself: what stands further down proves another one.
        let own = |r: &&RecordSet| r.name.split_once('.').is_some_and(|(_, rest)| rest == base);
        found.extend(records.iter().filter(proves).filter(own).map(|r| r.name.clone()));
    }
    found.sort();
    found.dedup();
    Ok(found)
}

/// A wildcard and its base share a record.
fn base(name: &str) -> &str {
    name.strip_prefix("*.").unwrap_or(name)
}

/// Puts the records of a certificate into the zone, in one batch, where they are not.
pub(super) async fn put(act: &Act, change: &CertificateChange, arn: &str) -> StepResult<()> {
    let proofs = told(act, arn, change.names.len()).await?;
    let batch = missing(&act.look, change, &proofs).await?;
    if batch.create.is_empty() {
        return Ok(());
    }
    match act.reach.dns.change(&change.zone, &batch).await {
        Ok(id) => in_sync(act, &id).await,
        // An answer was lost and the batch sent again, or somebody else proves the same name at the same moment.
        Err(error) if error.kind == Kind::Conflict => {
            let batch = missing(&act.look, change, &proofs).await?;
            if batch.create.is_empty() { Ok(()) } else { Err(error.into()) }
        }
        Err(error) => Err(error.into()),
    }
}

/// Takes those records out of the zone that this run put there and no other certificate needs.
pub(super) async fn take(act: &Act, change: &CertificateChange, ours: &Certificate) -> StepResult<()> {
    let others = act.look.certificates.all().await?;
    let mut batch = Batch::default();
    for (record, proof) in by_record(&ours.proofs) {
        let needed = |name: &String| base(name) == base(&proof.name);
        let other = others.iter().find(|one| one.arn != ours.listed.arn && one.names.iter().any(needed));
        if let Some(other) = other {
            act.note(format!("{record} stays: the certificate {} needs it as well", other.arn));
            continue;
        }
        if change.there.contains(&record) {
            continue;
        }
        // Whatever else stands there is somebody else's, and harmless.
        let live = act.look.dns.records(&change.zone, &record).await?;
        batch.delete.extend(live.into_iter().filter(|live| proves(live, proof)));
    }
    if batch.delete.is_empty() {
        return Ok(());
    }
    let id = act.reach.dns.change(&change.zone, &batch).await?;
    in_sync(act, &id).await
}

/// The proofs, once ACM tells them all.
async fn told(act: &Act, arn: &str, names: usize) -> StepResult<Vec<Proof>> {
    for _ in 0..ASKED {
        if let Some(found) = act.look.certificates.certificate(arn).await?
            && found.proofs.len() >= names
        {
            return Ok(found.proofs);
        }
        act.look.clock.sleep(ASK_AGAIN).await;
    }
    Err(Fault::InDoubt(format!("ACM does not tell yet which records prove the names of {arn}")))
}

/// The proofs by the record they ask for.
fn by_record(proofs: &[Proof]) -> BTreeMap<String, &Proof> {
    proofs.iter().map(|proof| (proof.record.clone(), proof)).collect()
}

async fn missing(look: &Look, change: &CertificateChange, proofs: &[Proof]) -> StepResult<Batch> {
    let mut batch = Batch::default();
    for (record, proof) in by_record(proofs) {
        let live = look.dns.records(&change.zone, &record).await?;
        if live.iter().any(|live| proves(live, proof)) {
            continue;
        }
        if let Some(other) = live.first() {
            let found = format!("{} {}", other.kind, values(other).join(" "));
            return Err(Fault::drifted(format!("the record {record}"), format!("CNAME {}", proof.value), found));
        }
        batch.create.push(RecordSet {
            name: record,
            kind: "CNAME".into(),
            ttl: Some(TTL),
            answer: Answer::Values(vec![proof.value.clone()]),
            weighted: None,
            health_check: None,
        });
    }
    Ok(batch)
}

fn proves(record: &RecordSet, proof: &Proof) -> bool {
    record.kind == "CNAME" && values(record).iter().any(|value| value.eq_ignore_ascii_case(&proof.value))
}

/// The values, without final dots.
fn values(record: &RecordSet) -> Vec<&str> {
    match &record.answer {
        Answer::Values(values) => values.iter().map(|value| value.trim_end_matches('.')).collect(),
        _ => Vec::new(),
    }
}
