//! There: the access control, the function, the distribution, the bucket's policy, in this order, each only where it is
//! not so already.

use super::same::{self, MADE};
use super::{DistributionChange, of, own_name, policy};
use crate::clients::Kind;
use crate::clients::distributions::{Certificate, Listed, Settings};
use crate::step::{Act, Fault, Look, StepResult};
use crate::steps::{cdn, tags};

/// What a conflict that no lost answer explains comes from.
const HELD: &str = "another distribution, perhaps of another account, holds a name (law C4)";

pub(super) async fn apply(act: &Act, change: &DistributionChange) -> StepResult<()> {
    let name = own_name(&act.look);
    if same::needs_access(&change.wanted) && act.look.distributions.access(&name).await?.is_none() {
        match act.reach.distributions.create_access(&name, &described(&act.look)).await {
            // An answer was lost, and the request sent again.
            Err(error) if error.kind == Kind::Conflict && act.look.distributions.access(&name).await?.is_some() => {}
            made => drop(made?),
        }
    }
    if let Some(rules) = &change.rules {
        function(act, &name, &rules.render()).await?;
    }
    let listed = match &change.former {
        None => made(act, change).await?,
        Some(_) => set(act, change).await?,
    };
    act.note(format!("the distribution is {} ({})", listed.id, listed.domain));
    policy::set(act, change, &listed.arn).await
}

/// What a thing that has no tags is known by.
pub(super) fn described(look: &Look) -> String {
    format!("made by run {} of outgrow", look.run)
}

async fn function(act: &Act, name: &str, code: &str) -> StepResult<()> {
    let mut found = act.look.distributions.function(name).await?;
    if let Some(function) = &found
        && function.comment != described(&act.look)
    {
        return Err(Fault::drifted(format!("the function {name}"), described(&act.look), function.comment.clone()));
    }
    if found.as_ref().is_none_or(|function| function.draft != code) {
        act.reach.distributions.write_function(name, &described(&act.look), code).await?;
        found = act.look.distributions.function(name).await?;
    }
    if found.is_none_or(|function| function.live.as_deref() != Some(code)) {
        act.reach.distributions.publish_function(name).await?;
    }
    Ok(())
}

async fn made(act: &Act, change: &DistributionChange) -> StepResult<Listed> {
    if let Some(listed) = of(&act.look, change).await? {
        return Ok(listed);
    }
    let settings = resolved(&act.look, &change.wanted).await?;
    let tags = tags::with_epoch(act, &tags::of(&act.look));
    // The reference is the run's own, so a lost answer leads to no second distribution.
    let (name, comment) = (own_name(&act.look), cdn::comment(&act.look));
    match act.reach.distributions.create(&name, &comment, &settings, &tags).await {
        Ok(made) => Ok(made.listed),
        Err(error) if error.kind == Kind::Conflict => match of(&act.look, change).await? {
            Some(listed) => Ok(listed),
            None => Err(error.hint(HELD).into()),
        },
        Err(error) => Err(error.into()),
    }
}

async fn set(act: &Act, change: &DistributionChange) -> StepResult<Listed> {
    let missing = || Fault::failed("the distribution is gone".to_owned());
    let listed = of(&act.look, change).await?.ok_or_else(missing)?;
    let live = act.look.distributions.distribution(&listed.id).await?.ok_or_else(missing)?;
    let Some(why) = same::differs(&live.settings, &change.wanted) else { return Ok(listed) };
    let former = change.former.as_ref().map(|former| &former.settings);
    if former != Some(&live.settings) {
        let expected = "the settings the plan saw, or those it sets";
        return Err(Fault::drifted(format!("the distribution {}", listed.id), expected, why));
    }
    let settings = resolved(&act.look, &change.wanted).await?;
    match act.reach.distributions.update(&listed.id, &live.etag, &settings).await {
        Err(error) if error.kind == Kind::Conflict => {
            let now = act.look.distributions.distribution(&listed.id).await?;
            // It changed between the look and the change: the next look tells what it is now.
            if now.is_some_and(|now| now.etag != live.etag) {
                return Err(Fault::InDoubt(error.to_string()));
            }
            Err(error.hint(HELD).into())
        }
        updated => Ok(updated.map(|_| listed)?),
    }
}

/// The settings with what the run has made by now.
async fn resolved(look: &Look, wanted: &Settings) -> StepResult<Settings> {
    let mut settings = wanted.clone();
    if let Certificate::Acm { arn, .. } = &mut settings.certificate
        && arn == MADE
    {
        let found = cdn::certificate(look).await?.ok_or_else(|| {
            let what = "no certificate of us-east-1 covers the pages' names";
            Fault::failed_with(what, "put certificate before distribution")
        })?;
        *arn = found.arn;
    }
    if same::needs_access(&settings) {
        let name = own_name(look);
        let missing = || Fault::InDoubt(format!("the origin access control {name} does not show yet"));
        let access = look.distributions.access(&name).await?.ok_or_else(missing)?;
        for origin in settings.origins.values_mut().filter(|origin| origin.access.as_deref() == Some(MADE)) {
            origin.access = Some(access.id.clone());
        }
    }
    Ok(settings)
}
