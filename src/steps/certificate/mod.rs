//! `certificate`: one certificate for the pages' names, in the region that CloudFront takes it from (law C1).
//!
//! [`find`] tells which one is ours, [`proof`] puts the records that prove the names into the zone and takes them out
//! again, [`check`] says what would keep Amazon from issuing.

mod check;
mod find;
mod proof;
#[cfg(test)]
pub(crate) mod tests;

use std::time::Duration;

use serde::{Deserialize, Serialize};

use crate::clients::Kind;
use crate::clients::certificates::{Certificate as Found, Status};
use crate::step::{Act, Change, Fault, Finding, Look, Planned, Reversal, Step, StepResult, Verdict};
use crate::steps::{cdn, tags, timing};
use crate::world::World;

/// ACM gives up after 72 hours. A name whose record is in the right zone is proven in minutes, seldom in more than half
/// an hour (ACM guide: DNS validation), so an hour tells that something is wrong.
const ISSUED_WITHIN: Duration = Duration::from_hours(1);
/// Between two looks.
const LOOK_AGAIN: Duration = Duration::from_secs(10);
/// How often it is asked whether nothing uses a certificate any more: ten minutes in all.
const ASKED: u32 = 60;

/// The step.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Certificate {}

/// A certificate to be asked for.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct CertificateChange {
    /// The names, the first its own.
    pub names: Vec<String>,
    /// The hosted zone's id.
    pub zone: String,
    /// Names of records that prove names and were there before: other certificates live by them.
    pub there: Vec<String>,
}

impl Change for CertificateChange {
    fn lines(&self) -> Vec<String> {
        let mut lines = vec![format!("+ certificate for {} in us-east-1", self.names.join(", "))];
        lines.push("+ the CNAME records of the zone that prove these names".to_owned());
        lines.extend(self.there.iter().map(|record| format!("  {record} is there already, and stays")));
        lines
    }

    fn reversal(&self) -> Reversal {
        Reversal::Exact
    }
}

impl Step for Certificate {
    const KIND: &'static str = "certificate";
    type Change = CertificateChange;

    fn title(&self) -> String {
        "get a certificate for the pages' names".to_owned()
    }

    fn explain(&self) -> String {
        "The distribution shows visitors a certificate for the pages' names, which Amazon issues free of charge once \
         records in the zone prove that they are yours. It is asked for in us-east-1, where CloudFront looks. A \
         certificate that covers the names already is taken as it is."
            .to_owned()
    }

    fn model(&self, world: &mut World) {
        world.certificate = true;
    }

    fn reads_may_lag(&self) -> bool {
        true
    }

    async fn check(&self, look: &Look) -> StepResult<Vec<Finding>> {
        if cdn::certificate(look).await?.is_some() { Ok(Vec::new()) } else { check::findings(look).await }
    }

    async fn plan(&self, look: &Look) -> StepResult<Planned<CertificateChange>> {
        if cdn::certificate(look).await?.is_some() {
            return Ok(Planned::AlreadySo);
        }
        let names: Vec<String> = look.site.names.pages.iter().map(|name| name.to_ascii_lowercase()).collect();
        let zone = look.dns.zone(&look.site.names.zone).await?.id;
        let there = proof::there(look, &zone, &names).await?;
        Ok(Planned::Change(CertificateChange { names, zone, there }))
    }

    async fn apply(&self, act: &Act, change: &CertificateChange) -> StepResult<()> {
        let found = find::ours(&act.look, change).await?;
        let arn = match found {
            Some(found) => found.arn,
            // Somebody was faster, and theirs will do.
            None if cdn::certificate(&act.look).await?.is_some() => return Ok(()),
            None => {
                let tags = tags::with_epoch(act, &tags::of(&act.look));
                act.reach.certificates.request(&change.names, &find::token(&act.look, change), &tags).await?
            }
        };
        proof::put(act, change, &arn).await
    }

    async fn verify(&self, look: &Look, change: &CertificateChange) -> StepResult<Verdict> {
        if cdn::certificate(look).await?.is_some() {
            return Ok(Verdict::Holds);
        }
        let Some(ours) = find::ours(look, change).await? else {
            let wrong = Verdict::Broken("the certificate that was asked for is gone".to_owned());
            return Ok(timing::may_not_show_yet(look, wrong));
        };
        let Some(found) = look.certificates.certificate(&ours.arn).await? else {
            return Ok(Verdict::Broken(format!("the certificate {} is gone", ours.arn)));
        };
        Ok(match &found.listed.status {
            Status::Issued => Verdict::Holds,
            Status::Pending => pending(look, &found),
            Status::Lost(why) => Verdict::Broken(check::lost(why, &change.names)),
        })
    }

    async fn undo(&self, act: &Act, change: &CertificateChange) -> StepResult<()> {
        let Some(ours) = find::ours(&act.look, change).await? else { return Ok(()) };
        let found = unused(act, &ours.arn).await?;
        let Some(found) = found else { return Ok(()) };
        // The records first: only the certificate tells which they are.
        proof::take(act, change, &found).await?;
        match act.reach.certificates.delete(&ours.arn).await {
            Err(error) if error.kind == Kind::Conflict => Err(in_use(&ours.arn, &found.users)),
            other => Ok(other?),
        }
    }
}

/// It waits for the names that are not proven, and says which.
fn pending(look: &Look, found: &Found) -> Verdict {
    let open: Vec<&str> = found.proofs.iter().filter(|p| !p.found).map(|p| p.name.as_str()).collect();
    let left = timing::left(look, ISSUED_WITHIN);
    let (done, all) = (found.proofs.len() - open.len(), found.proofs.len());
    if left.is_zero() {
        let why = format!(
            "Amazon has not issued the certificate within {}: {}",
            timing::words(ISSUED_WITHIN),
            check::late(look, &open)
        );
        return Verdict::Broken(why);
    }
    let why = if open.is_empty() {
        "all names are proven; Amazon issues the certificate".to_owned()
    } else {
        format!("{done} of {all} names are proven; waiting for Amazon to find the record of {}", open.join(", "))
    };
    Verdict::Wait { why, again_in: LOOK_AGAIN.min(left) }
}

/// The certificate once nothing uses it; `None` if it is gone. What AWS tells of its users lags behind.
async fn unused(act: &Act, arn: &str) -> StepResult<Option<Found>> {
    for asked in 0..ASKED {
        let Some(found) = act.look.certificates.certificate(arn).await? else { return Ok(None) };
        if found.users.is_empty() {
            return Ok(Some(found));
        }
        if asked == 0 {
            act.note(format!("waiting until {} does not use the certificate any more", found.users.join(", ")));
        }
        if asked + 1 == ASKED {
            return Err(in_use(arn, &found.users));
        }
        act.look.clock.sleep(LOOK_AGAIN).await;
    }
    Ok(None)
}

fn in_use(arn: &str, users: &[String]) -> Fault {
    let found = if users.is_empty() { "something that AWS does not name".to_owned() } else { users.join(", ") };
    Fault::drifted(format!("the certificate {arn}"), "used by nothing", format!("used by {found}"))
}
