//! `finalize`: the point past which a rollback ends. What outgrow kept for going back goes: its admin role and marks in
//! the databases, and the former versions of overwritten pages. The box itself is left to the operator.

#[cfg(test)]
pub(crate) mod tests;

use serde::{Deserialize, Serialize};

use crate::clients::Kind;
use crate::step::{Act, Change, Fault, Finding, Look, Planned, Reversal, Step, StepResult, Verdict};
use crate::world::{Side, World};

/// Keys deleted at once.
const AT_ONCE: usize = 1000;

/// The step.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Finalize {}

/// What goes, and what is left to do by hand.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct FinalizeChange {
    /// The bucket and the prefix of the former versions.
    pub kept: (String, String),
    /// What the operator may do now.
    pub remains: Vec<String>,
}

impl Change for FinalizeChange {
    fn lines(&self) -> Vec<String> {
        let goes = [
            "- outgrow's admin role, marks and streams in both databases".to_owned(),
            format!("- former versions of overwritten pages: s3://{}/{}", self.kept.0, self.kept.1),
        ];
        goes.into_iter().chain(self.remains.iter().map(|what| format!("left to you: {what}"))).collect()
    }

    fn reversal(&self) -> Reversal {
        Reversal::PointOfNoReturn("a rollback ends here: the old side is not kept up to date any more".to_owned())
    }
}

impl Step for Finalize {
    const KIND: &'static str = "finalize";
    type Change = FinalizeChange;

    fn title(&self) -> String {
        "end the way back".to_owned()
    }

    fn explain(&self) -> String {
        "What outgrow kept for going back is removed. After this the move cannot be rolled back any more; the box \
         itself is not touched."
            .to_owned()
    }

    fn model(&self, world: &mut World) {
        world.finalized = true;
    }

    async fn check(&self, _: &Look) -> StepResult<Vec<Finding>> {
        Ok(Vec::new())
    }

    async fn plan(&self, look: &Look) -> StepResult<Planned<FinalizeChange>> {
        let site = &look.site;
        let names = [site.names.api.as_slice(), site.names.pages.as_slice()].concat().join(", ");
        Ok(Planned::Change(FinalizeChange {
            kept: (site.aws.bucket.clone(), super::before_prefix(&look.run)),
            remains: vec![
                format!("delete the weighted records `outgrow-old` of {names}, once the box is switched off (law R4)"),
                format!("delete the target group {}-old and its place in the rules", site.site),
                format!("take a last copy of the database {} on the box", site.old.database.name),
                format!("stop the containers on the box ({})", site.old.engine),
            ],
        }))
    }

    async fn apply(&self, act: &Act, change: &FinalizeChange) -> StepResult<()> {
        act.reach.databases.unfollow(&act.look.run).await?;
        for side in [Side::Old, Side::New] {
            act.reach.databases.tidy(side).await?;
        }
        let (bucket, prefix) = &change.kept;
        let keys = kept(&act.look, bucket, prefix).await?;
        for some in keys.chunks(AT_ONCE) {
            act.reach.objects.delete(bucket, some).await?;
        }
        for what in &change.remains {
            act.note(format!("left to you: {what}"));
        }
        Ok(())
    }

    async fn verify(&self, look: &Look, change: &FinalizeChange) -> StepResult<Verdict> {
        let left = kept(look, &change.kept.0, &change.kept.1).await?;
        Ok(match left.first() {
            None => Verdict::Holds,
            Some(key) => Verdict::Broken(format!("{} former versions are still there, such as {key}", left.len())),
        })
    }

    async fn undo(&self, _: &Act, _: &FinalizeChange) -> StepResult<()> {
        Err(Fault::failed_with(
            "the move was finalized: there is no way back",
            "move the site back as a move of its own, from the new side to the old one",
        ))
    }
}

async fn kept(look: &Look, bucket: &str, prefix: &str) -> StepResult<Vec<String>> {
    let mut keys = Vec::new();
    match look.objects.list(bucket, prefix, &mut |object| keys.push(object.key)).await {
        Err(error) if error.kind != Kind::NotFound => Err(error.into()),
        _ => Ok(keys),
    }
}
