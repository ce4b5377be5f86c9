//! `soak`: nothing changes for a while; the old side stays ready.

#[cfg(test)]
pub(crate) mod tests;

use std::time::Duration;

use serde::{Deserialize, Serialize};

use super::timing;
use crate::postgres::port::Comparison;
use crate::step::{Act, Change, Finding, Look, Planned, Reversal, Step, StepResult, Verdict};
use crate::world::World;

/// The step.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Soak {
    /// How long.
    #[serde(rename = "for")]
    pub lasts: Duration,
}

/// Marks that the soak began; nothing is altered.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct SoakChange {
    /// How long it lasts.
    pub lasts: Duration,
}

impl Change for SoakChange {
    fn lines(&self) -> Vec<String> {
        vec![format!("~ nothing changes for {}; the old side stays ready", timing::words(self.lasts))]
    }

    fn reversal(&self) -> Reversal {
        Reversal::Exact
    }
}

impl Step for Soak {
    const KIND: &'static str = "soak";
    type Change = SoakChange;

    fn title(&self) -> String {
        format!("keep the old side ready for {}", timing::words(self.lasts))
    }

    fn explain(&self) -> String {
        "The new side serves alone while the old one stays as it is. Until this is over, going back is one command."
            .to_owned()
    }

    fn model(&self, _: &mut World) {}

    async fn check(&self, _: &Look) -> StepResult<Vec<Finding>> {
        Ok(Vec::new())
    }

    async fn plan(&self, _: &Look) -> StepResult<Planned<SoakChange>> {
        Ok(Planned::Change(SoakChange { lasts: self.lasts }))
    }

    async fn apply(&self, _: &Act, _: &SoakChange) -> StepResult<()> {
        Ok(())
    }

    async fn verify(&self, look: &Look, change: &SoakChange) -> StepResult<Verdict> {
        if let Comparison::Differs(found) = look.databases.comparison().await {
            let first = found.first().map_or_else(String::new, |d| format!(", first {}: {}", d.table, d.what));
            let what = format!("{} tables differed at the moment of the handover{first}", found.len());
            return Ok(Verdict::Broken(what));
        }
        Ok(timing::until_seldom(look, change.lasts, 100, "the old side is kept ready"))
    }

    async fn undo(&self, _: &Act, _: &SoakChange) -> StepResult<()> {
        Ok(())
    }
}
