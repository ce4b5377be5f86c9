//! Back: the last step first, each taken back whether or not its effect ever landed.

use tokio::time::Instant;

use super::{Engine, Stretch};
use crate::event::{Event, Outcome};
use crate::journal::{Fact, JournalError};
use crate::step::{Fault, Patience, Reversal};

/// Why an undo that succeeded is done again.
const MISSED: &str = "what was just changed may not show yet; looking once more whether all is taken back";

impl Engine {
    pub(super) async fn back(&mut self) -> Result<Stretch, JournalError> {
        while let Some(index) = self.journal.state().last_to_undo() {
            let id = self.items[index].planned.id.clone();
            if let Some(why) = self.no_way_back(index) {
                return self.hold(&why, Outcome::NeedsAPerson);
            }
            let began = Instant::now();
            self.note(Fact::Undoing { step: id.clone() })?;
            match self.undo(index).await {
                Ok(()) => {
                    self.note(Fact::Undone { step: id.clone() })?;
                    self.events.send(Event::StepUndone { step: id, seconds: began.elapsed().as_secs_f64() });
                }
                Err(fault) => {
                    self.note(Fact::UndoFailed { step: id.clone(), why: fault.to_string() })?;
                    let outcome = match fault {
                        Fault::Drifted { .. } | Fault::NeedsConsent { .. } => Outcome::OnHold,
                        Fault::Failed { .. } | Fault::InDoubt(_) => Outcome::NeedsAPerson,
                    };
                    return self.hold(&format!("{id} could not be taken back: {}", in_full(&fault)), outcome);
                }
            }
        }
        Ok(Stretch::Ended(Outcome::RolledBack))
    }

    /// Takes a step back, and once more where the first time may only not have seen what there is to take back.
    async fn undo(&mut self, index: usize) -> Result<(), Fault> {
        let Some(change) = self.journal.state().steps[index].change.clone() else { return Ok(()) };
        let (mut missed, mut patience) = (self.undo_may_have_missed(index), Patience::default());
        loop {
            let step = self.items[index].planned.id.clone();
            let answer = self.items[index].step.undo(&self.act(index), &change).await;
            let early = match &answer {
                Ok(()) => missed.take().map(|left| (MISSED.to_owned(), left)),
                Err(fault @ Fault::Drifted { .. }) => {
                    self.drift_may_be_lag(index).map(|left| (fault.to_string(), left))
                }
                Err(_) => None,
            };
            if let Some((why, left)) = early {
                self.events.send(Event::Waiting { step, why, seconds: left.as_secs() });
                self.reach.clock.sleep(left).await;
                continue;
            }
            self.told(index);
            match answer {
                Err(Fault::InDoubt(why)) => {
                    self.events.send(Event::InDoubt { step, why: why.clone() });
                    if !patience.again(&*self.reach.clock).await {
                        return Err(Fault::InDoubt(why));
                    }
                }
                answered => return answered,
            }
        }
    }

    /// Why the run cannot go back any more, once it has begun its point of no return.
    pub fn point_passed(&self) -> Option<String> {
        self.journal.state().last_to_undo().and_then(|index| self.no_way_back(index))
    }

    /// Why this step cannot be taken back, if it cannot: it was the point of no return.
    pub(super) fn no_way_back(&self, index: usize) -> Option<String> {
        let planned = &self.items[index].planned;
        match planned.draft.as_ref().map(|d| &d.reversal) {
            Some(Reversal::PointOfNoReturn(why)) => Some(format!("{} cannot be taken back: {why}", planned.id)),
            _ => None,
        }
    }
}

fn in_full(fault: &Fault) -> String {
    match fault {
        Fault::Failed { what, hint: Some(hint) } => format!("{what} ({hint})"),
        Fault::NeedsConsent { what, how } => format!("{what}; {how}"),
        other => other.to_string(),
    }
}
