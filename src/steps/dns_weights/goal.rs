//! Where the names go. A distribution that the run itself makes has no name yet when the plan is made: until then
//! [`AWAITED`] stands in its place, and is looked up each time the records are needed.

use super::Which;
use crate::clients::dns::{Answer, RecordSet};
use crate::step::{Fault, Look, StepResult};
use crate::steps::cdn;

/// The zone every alias to a CloudFront distribution names. Source: Route 53 API reference, `AliasTarget`.
const CLOUDFRONT: &str = "Z2FDTNDATAQYW2";

/// Stands for the domain name of a distribution that is not there yet.
pub(super) const AWAITED: &str = "the distribution of this site";

/// Where the names go.
pub(super) struct Goal {
    /// The new side's DNS name.
    pub name: String,
    /// Its zone.
    pub zone: String,
    /// Whether it is made, or told the names, by another step of the run.
    pub awaited: bool,
}

/// The new side, as things are now.
pub(super) async fn goal(look: &Look, which: Which) -> StepResult<Goal> {
    if which == Which::Api {
        let balancer = look.balancer.balancer(&look.site.aws.balancer).await?;
        return Ok(Goal { name: balancer.dns_name, zone: balancer.zone, awaited: false });
    }
    let zone = CLOUDFRONT.to_owned();
    if let Some(found) = cdn::distribution(look).await? {
        return Ok(Goal { awaited: !cdn::answers(look, &found), name: found.domain, zone });
    }
    match look.site.aws.named_distribution() {
        None => Ok(Goal { name: AWAITED.to_owned(), zone, awaited: true }),
        // One of another account: nothing can be seen of it, and nothing has to be.
        Some(name) if name.contains('.') => {
            Ok(Goal { name: name.trim_end_matches('.').to_ascii_lowercase(), zone, awaited: false })
        }
        Some(id) => Err(Fault::failed_with(
            format!("there is no distribution {id} in this account"),
            "correct `aws.distribution` in the site file, or write `new` for one that outgrow makes",
        )),
    }
}

/// The records with the distribution's name, if it has one by now.
pub(super) async fn known(look: &Look, records: &[RecordSet]) -> StepResult<Vec<RecordSet>> {
    if !records.iter().any(awaits) {
        return Ok(records.to_vec());
    }
    let Some(found) = cdn::distribution(look).await? else { return Ok(records.to_vec()) };
    Ok(records.iter().map(|record| named(record, &found.domain)).collect())
}

/// Whether a record waits for a name.
pub(super) fn awaits(record: &RecordSet) -> bool {
    match &record.answer {
        Answer::Alias { name, .. } => name == AWAITED,
        Answer::Values(values) => values.iter().any(|value| value == AWAITED),
        Answer::Other(_) => false,
    }
}

fn named(record: &RecordSet, domain: &str) -> RecordSet {
    let answer = match &record.answer {
        Answer::Alias { name, zone, evaluate_health } if name == AWAITED => {
            Answer::Alias { name: domain.to_owned(), zone: zone.clone(), evaluate_health: *evaluate_health }
        }
        Answer::Values(values) => {
            let named = |value: &String| if value == AWAITED { domain.to_owned() } else { value.clone() };
            Answer::Values(values.iter().map(named).collect())
        }
        other => other.clone(),
    };
    RecordSet { answer, ..record.clone() }
}
