//! `distribution`: what serves the pages from the private bucket, made, or adopted and set right.
//!
//! [`wanted`] says what it should do, from the site file and from the rules of the box's own web server; [`same`]
//! compares that with what there is; [`policy`] lets it, and nothing else, read the bucket (law C2). [`make`] goes there,
//! [`undo`] back: one that this run made is disabled, waited for and deleted; one that was there gets its former
//! settings again. Both by compare-and-swap.

mod check;
mod make;
mod policy;
mod same;
#[cfg(test)]
pub(crate) mod tests;
mod undo;
mod wanted;

use std::time::Duration;

use serde::{Deserialize, Serialize};

use crate::clients::distributions::{Listed, Settings};
use crate::clients::viewer_function::Rules;
use crate::step::{Act, Change, Fault, Finding, Look, Planned, Reversal, Step, StepResult, Verdict};
use crate::steps::{cdn, tags, timing};
use crate::world::World;

/// A change reaches all edges in five minutes as a rule (CloudFront guide: distribution status); much longer is a matter
/// for the AWS health page.
const DEPLOYED_WITHIN: Duration = Duration::from_mins(45);
/// Between two looks.
const LOOK_AGAIN: Duration = Duration::from_secs(15);

/// The step.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Distribution {
    /// Whether a certificate for the pages' names was issued when the plan was made.
    pub certified: bool,
}

/// A distribution to be made, or to be set right.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct DistributionChange {
    /// The one that is there; `None` where one is made.
    pub former: Option<Former>,
    /// What it does afterwards. What only the run itself can know, its access control and a certificate that is not
    /// issued yet, is [`same::MADE`].
    pub wanted: Settings,
    /// What its function does, if it gets one of this run.
    pub rules: Option<Rules>,
    /// The bucket.
    pub bucket: String,
    /// The bucket's policy before.
    pub policy: Option<String>,
}

/// A distribution as it was.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Former {
    /// Its id.
    pub id: String,
    /// Its domain name.
    pub domain: String,
    /// What it did.
    pub settings: Settings,
}

impl Distribution {
    /// The step, as things are now.
    pub async fn expand(look: &Look) -> StepResult<Self> {
        Ok(Self { certified: cdn::certificate(look).await?.is_some() })
    }
}

impl Change for DistributionChange {
    fn lines(&self) -> Vec<String> {
        let mut lines = match &self.former {
            None => {
                let mut lines = vec!["+ distribution".to_owned()];
                lines.extend(same::say(&self.wanted).into_iter().map(|line| format!("+   {line}")));
                lines
            }
            Some(former) => {
                let (before, after) = (same::say(&former.settings), same::say(&self.wanted));
                let mut lines = vec![format!("~ distribution {} ({})", former.id, former.domain)];
                lines.extend(before.iter().filter(|line| !after.contains(line)).map(|line| format!("-   {line}")));
                lines.extend(after.iter().filter(|line| !before.contains(line)).map(|line| format!("+   {line}")));
                lines
            }
        };
        lines.push(format!("~ policy of the bucket {}: this distribution, and no other, may read it", self.bucket));
        lines.push(format!(
            "~ it reaches CloudFront's edges within minutes, {} at most",
            timing::words(DEPLOYED_WITHIN)
        ));
        lines
    }

    fn reversal(&self) -> Reversal {
        Reversal::Exact
    }
}

impl Step for Distribution {
    const KIND: &'static str = "distribution";
    type Change = DistributionChange;

    fn title(&self) -> String {
        "make the distribution that serves the pages, or set it right".to_owned()
    }

    fn explain(&self) -> String {
        "CloudFront serves the pages under their own names from the private bucket, which nobody else may read. What \
         the box's web server does with folders and with paths that are no file, the distribution does too. No visitor \
         comes to it before DNS says so."
            .to_owned()
    }

    fn model(&self, world: &mut World) {
        world.distribution = true;
        world.uncertified = !self.certified && !world.certificate;
    }

    fn reads_may_lag(&self) -> bool {
        true
    }

    async fn check(&self, look: &Look) -> StepResult<Vec<Finding>> {
        check::findings(look).await
    }

    async fn plan(&self, look: &Look) -> StepResult<Planned<DistributionChange>> {
        let change = planned(look).await?;
        let as_it_should = change.former.as_ref().is_some_and(|former| former.settings == change.wanted);
        if as_it_should && policy::lets_read(look, &change).await? {
            return Ok(Planned::AlreadySo);
        }
        Ok(Planned::Change(change))
    }

    async fn apply(&self, act: &Act, change: &DistributionChange) -> StepResult<()> {
        make::apply(act, change).await
    }

    async fn verify(&self, look: &Look, change: &DistributionChange) -> StepResult<Verdict> {
        let Some(listed) = of(look, change).await? else {
            let wrong = Verdict::Broken("the distribution is gone".to_owned());
            return Ok(timing::may_not_show_yet(look, wrong));
        };
        let Some(live) = look.distributions.distribution(&listed.id).await? else {
            return Ok(Verdict::Broken(format!("the distribution {} is gone", listed.id)));
        };
        if let Some(why) = same::differs(&live.settings, &change.wanted) {
            let drift = Verdict::Drifted(format!("the distribution {} has other settings: {why}", listed.id));
            let before = change.former.as_ref().is_some_and(|former| former.settings == live.settings);
            return Ok(if before { timing::may_not_show_yet(look, drift) } else { drift });
        }
        if !policy::is_set(look, change, &listed.arn).await? {
            let drift = format!("the policy of the bucket {} does not let {} read it", change.bucket, listed.id);
            return Ok(timing::may_not_show_yet(look, Verdict::Drifted(drift)));
        }
        if live.deployed {
            return Ok(Verdict::Holds);
        }
        let left = timing::left(look, DEPLOYED_WITHIN);
        let why = format!("{} ({}) reaches CloudFront's edges", listed.id, listed.domain);
        Ok(if left.is_zero() {
            Verdict::Broken(format!("{why}, and has not done so within {}", timing::words(DEPLOYED_WITHIN)))
        } else {
            Verdict::Wait { why, again_in: LOOK_AGAIN.min(left) }
        })
    }

    async fn undo(&self, act: &Act, change: &DistributionChange) -> StepResult<()> {
        undo::undo(act, change).await
    }
}

/// What is to be done, as things are now.
async fn planned(look: &Look) -> StepResult<DistributionChange> {
    let bucket = look.site.aws.bucket.clone();
    let policy = look.objects.bucket(&bucket).await?.and_then(|state| state.policy);
    let certificate = cdn::certificate(look).await?.map(|found| found.arn);
    let pages = wanted::rules_of_box(look).await?;
    let former = match cdn::distribution(look).await? {
        Some(listed) => look.distributions.distribution(&listed.id).await?,
        None => match look.site.aws.named_distribution() {
            Some(name) => {
                return Err(Fault::failed_with(
                    format!("there is no distribution {name} in this account"),
                    "correct `aws.distribution` in the site file, or write `new` for one that outgrow makes",
                ));
            }
            None => None,
        },
    };
    let (wanted, rules) = match &former {
        None => wanted::new(look, certificate, &pages),
        Some(live) => wanted::adopted(look, &live.settings, certificate, &pages).await?,
    };
    let former = former.map(|live| Former { id: live.listed.id, domain: live.listed.domain, settings: live.settings });
    Ok(DistributionChange { former, wanted, rules, bucket, policy })
}

/// The distribution a change is about: the one that was there, or the one this run made.
async fn of(look: &Look, change: &DistributionChange) -> StepResult<Option<Listed>> {
    let all = look.distributions.all().await?;
    if let Some(former) = &change.former {
        return Ok(all.into_iter().find(|one| one.id == former.id));
    }
    let comment = cdn::comment(look);
    for one in all.into_iter().filter(|one| one.comment == comment) {
        if tags::is_ours(look, &look.distributions.tags(&one.arn).await?) {
            return Ok(Some(one));
        }
    }
    Ok(None)
}

/// Characters such a name may have. Source: CloudFront API reference, `CreateFunction`, `OriginAccessControlConfig`.
const LONGEST_NAME: usize = 64;

/// What this run makes beside the distribution is called so. Runs end in what tells them apart.
fn own_name(look: &Look) -> String {
    let name = format!("outgrow-{}", look.run);
    let letters = |c: char| if c.is_ascii_alphanumeric() || c == '_' { c } else { '-' };
    let over = name.chars().count().saturating_sub(LONGEST_NAME);
    name.chars().skip(over).map(letters).collect()
}
