//! `dns-weights`: the names move from the box to the balancer or the distribution, by weighted records.
//!
//! [`expand`] makes a chain of concrete steps: `ttl` lowers the TTL and waits out the old one, `pair` turns each
//! simple record into a weighted pair in one batch, then one step a stage. The records of every link are predicted from
//! the live ones, and every batch is a compare-and-swap (laws R1, R2).

mod chain;
mod goal;
mod inspect;
mod records;
mod swap;
#[cfg(test)]
pub(crate) mod tests;

use std::time::Duration;

use serde::{Deserialize, Serialize};

use crate::clients::dns::RecordSet;
use crate::step::{Act, Change, Finding, Look, Planned, Reversal, Step, StepResult, Verdict};
use crate::steps::timing;
use crate::world::World;

pub use chain::expand;
pub use inspect::preflight;
pub(super) use swap::in_sync;

/// Which names move.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Which {
    /// Those of the API, to the balancer.
    Api,
    /// Those of the pages, to the distribution.
    Pages,
}

impl Which {
    fn word(self) -> &'static str {
        match self {
            Self::Api => "api",
            Self::Pages => "pages",
        }
    }

    fn place(self) -> &'static str {
        match self {
            Self::Api => "the balancer",
            Self::Pages => "the distribution",
        }
    }
}

/// A link of the chain.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Phase {
    /// The TTL is lowered, and the old one waited out.
    Ttl,
    /// Simple records become weighted pairs, all of the weight on the old side.
    Pair,
    /// So many percent go to the new side.
    Weight(u8),
}

/// One concrete step.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct DnsWeights {
    /// Which names.
    pub which: Which,
    /// What of the chain.
    pub phase: Phase,
    /// Whether another step has to make the new side first, or tell it the names.
    #[serde(default)]
    pub awaits: bool,
    /// What it will alter.
    pub change: DnsChange,
}

/// Record sets of some names, as they are and as they will be. Names that keep theirs are left out.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct DnsChange {
    /// The hosted zone's id.
    pub zone: String,
    /// The names.
    pub names: Vec<String>,
    /// Every record set of the names before.
    pub before: Vec<RecordSet>,
    /// Every record set of the names afterwards.
    pub after: Vec<RecordSet>,
    /// How long the change is watched, or an old TTL waited out, once it is applied.
    pub hold: Duration,
    /// Why, in words.
    pub hold_why: String,
    /// How long resolvers may still hold what an undo takes away.
    pub drain: Duration,
}

impl Change for DnsChange {
    fn lines(&self) -> Vec<String> {
        let gone = self.before.iter().filter(|r| !self.after.contains(r)).map(|r| format!("- {}", records::say(r)));
        let come = self.after.iter().filter(|r| !self.before.contains(r)).map(|r| format!("+ {}", records::say(r)));
        let mut lines: Vec<String> = gone.chain(come).collect();
        if !self.hold.is_zero() {
            lines.push(format!("~ {}: {}", self.hold_why, timing::words(self.hold)));
        }
        lines
    }

    fn reversal(&self) -> Reversal {
        Reversal::Exact
    }
}

impl Step for DnsWeights {
    const KIND: &'static str = "dns-weights";
    type Change = DnsChange;

    fn id(&self) -> String {
        let phase = match self.phase {
            Phase::Ttl => "ttl".to_owned(),
            Phase::Pair => "pair".to_owned(),
            Phase::Weight(share) => share.to_string(),
        };
        format!("{}:{}:{phase}", Self::KIND, self.which.word())
    }

    fn title(&self) -> String {
        let names = self.change.names.join(", ");
        match self.phase {
            Phase::Ttl => format!("lower the TTL of {names}"),
            Phase::Pair => format!("turn the records of {names} into weighted pairs"),
            Phase::Weight(share) => format!("send {share} % of the visitors of {names} to {}", self.which.place()),
        }
    }

    fn explain(&self) -> String {
        match self.phase {
            Phase::Ttl => "Resolvers keep an answer as long as its TTL says. It is lowered first and the old one \
                           waited out, so that whatever comes after takes effect soon, and so does going back."
                .to_owned(),
            Phase::Pair => format!(
                "The one record of each name becomes two: the old answer with weight 100, {} with weight 0. Deleting \
                 and creating is one batch, so there is no moment without an answer.",
                self.which.place()
            ),
            Phase::Weight(share) => format!(
                "The name servers now answer {share} of 100 questions with {}, and the rest as before. Resolvers \
                 keep what they got until its TTL is over.",
                self.which.place()
            ),
        }
    }

    fn model(&self, world: &mut World) {
        let share = match self.phase {
            Phase::Ttl => {
                match self.which {
                    Which::Api => world.api_ttl_waited = true,
                    Which::Pages => world.pages_ttl_waited = true,
                }
                return;
            }
            Phase::Pair => 0,
            Phase::Weight(share) => share,
        };
        match self.which {
            Which::Api => world.api_on_balancer = share,
            Which::Pages => {
                world.pages_on_cdn = share;
                world.pages_await_distribution = self.awaits;
            }
        }
    }

    fn reads_may_lag(&self) -> bool {
        true
    }

    async fn check(&self, look: &Look) -> StepResult<Vec<Finding>> {
        // Once a chain is enough.
        if self.phase == Phase::Ttl { preflight(look, self.which).await } else { Ok(Vec::new()) }
    }

    async fn plan(&self, _: &Look) -> StepResult<Planned<DnsChange>> {
        let change = &self.change;
        let same = change.before == change.after;
        Ok(if same { Planned::AlreadySo } else { Planned::Change(change.clone()) })
    }

    async fn apply(&self, act: &Act, change: &DnsChange) -> StepResult<()> {
        swap::swap(act, change, &change.before, &change.after).await
    }

    async fn verify(&self, look: &Look, change: &DnsChange) -> StepResult<Verdict> {
        let after = goal::known(look, &change.after).await?;
        for name in &change.names {
            let live = records::live(look, &change.zone, name).await?;
            let wanted = records::of(&after, name);
            if live != wanted {
                let before = live == records::of(&goal::known(look, &change.before).await?, name);
                let (live, wanted) = (records::say_all(&live), records::say_all(&wanted));
                let drift = Verdict::Drifted(format!("{name} is {live}, and {wanted} was set"));
                return Ok(if before { timing::may_not_show_yet(look, drift) } else { drift });
            }
        }
        // Law R8: every look is requests of five a second.
        Ok(timing::until_seldom(look, change.hold, 4, &change.hold_why))
    }

    async fn undo(&self, act: &Act, change: &DnsChange) -> StepResult<()> {
        swap::swap(act, change, &change.after, &change.before).await?;
        if !change.drain.is_zero() {
            act.note(format!("waiting {} until resolvers forget the new side", timing::words(change.drain)));
            act.look.clock.sleep(change.drain).await;
        }
        Ok(())
    }
}
