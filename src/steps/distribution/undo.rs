//! Back: the bucket's policy first, then the distribution, then what was made beside it, which nothing uses any more.

use super::{DEPLOYED_WITHIN, DistributionChange, LOOK_AGAIN, make, of, own_name, policy, same};
use crate::clients::distributions::{Distribution, Listed};
use crate::clients::{ClientResult, Kind};
use crate::step::{Act, Fault, StepResult};
use crate::steps::timing;

pub(super) async fn undo(act: &Act, change: &DistributionChange) -> StepResult<()> {
    if let Some(listed) = of(&act.look, change).await? {
        // Drift is found before anything is changed.
        let Some(live) = act.look.distributions.distribution(&listed.id).await? else { return beside(act).await };
        let now = standing(change, &live);
        if let Standing::Other(why) = &now {
            let expected = "the settings this run made, or those from before";
            return Err(Fault::drifted(format!("the distribution {}", listed.id), expected, why));
        }
        policy::restore(act, change, &listed.arn).await?;
        match &change.former {
            None => remove(act, change, &listed).await?,
            Some(former) => {
                if matches!(now, Standing::Ours) {
                    act.reach.distributions.update(&listed.id, &live.etag, &former.settings).await?;
                }
                // What is deleted next may be used by an edge until it has heard of the change.
                deployed(act, &listed).await?;
            }
        }
    }
    beside(act).await
}

enum Standing {
    Ours,
    Former,
    Other(String),
}

fn standing(change: &DistributionChange, live: &Distribution) -> Standing {
    let mut settings = live.settings.clone();
    match &change.former {
        Some(former) if former.settings == settings => return Standing::Former,
        Some(_) => {}
        // One that was made is disabled on its way out.
        None => settings.enabled = true,
    }
    same::differs(&settings, &change.wanted).map_or(Standing::Ours, Standing::Other)
}

/// Disables a distribution, waits until no edge answers for it any more, and deletes it.
async fn remove(act: &Act, change: &DistributionChange, listed: &Listed) -> StepResult<()> {
    let Some(live) = act.look.distributions.distribution(&listed.id).await? else { return Ok(()) };
    if live.settings.enabled {
        let mut off = live.settings.clone();
        off.enabled = false;
        act.reach.distributions.update(&listed.id, &live.etag, &off).await?;
    }
    let Some(live) = deployed(act, listed).await? else { return Ok(()) };
    if let Standing::Other(why) = standing(change, &live) {
        return Err(Fault::drifted(format!("the distribution {}", listed.id), "disabled by this run", why));
    }
    doubtful(act.reach.distributions.delete(&listed.id, &live.etag).await)
}

/// AWS may say for a moment yet that a thing is in use or not disabled: then it is looked at again.
fn doubtful(answer: ClientResult<()>) -> StepResult<()> {
    match answer {
        Err(error) if error.kind == Kind::Conflict => Err(Fault::InDoubt(error.to_string())),
        answer => Ok(answer?),
    }
}

/// Waits until the last change has reached every edge; `None` if the distribution is gone.
async fn deployed(act: &Act, listed: &Listed) -> StepResult<Option<Distribution>> {
    let mut waited = std::time::Duration::ZERO;
    loop {
        let Some(live) = act.look.distributions.distribution(&listed.id).await? else { return Ok(None) };
        if live.deployed {
            return Ok(Some(live));
        }
        if waited.is_zero() {
            act.note(format!("{} reaches CloudFront's edges, which takes some minutes", listed.id));
        }
        if waited >= DEPLOYED_WITHIN {
            return Err(Fault::failed_with(
                format!("{} has not reached the edges within {}", listed.id, timing::words(DEPLOYED_WITHIN)),
                "look at the AWS health page, then go on with the rollback",
            ));
        }
        act.progress("reaches the edges", waited.as_secs(), DEPLOYED_WITHIN.as_secs(), false);
        act.look.clock.sleep(LOOK_AGAIN).await;
        waited += LOOK_AGAIN;
    }
}

/// The function and the access control of this run.
async fn beside(act: &Act) -> StepResult<()> {
    let (name, ours) = (own_name(&act.look), make::described(&act.look));
    if act.look.distributions.function(&name).await?.is_some_and(|function| function.comment == ours) {
        doubtful(act.reach.distributions.delete_function(&name).await)?;
    }
    if act.look.distributions.access(&name).await?.is_some_and(|access| access.description == ours) {
        doubtful(act.reach.distributions.delete_access(&name).await)?;
    }
    Ok(())
}
