//! Forward: one step after the other, announced, applied, looked at.

use std::sync::Arc;
use std::time::Duration;

use serde_json::Value;
use tokio::time::Instant;
use tracing::Instrument as _;

use super::{Answer, Engine, Stretch};
use crate::event::{Event, Judgement, Outcome};
use crate::journal::{Fact, JournalError, Progress};
use crate::step::{Fault, Patience, Verdict};

/// Where a step that goes forward ended.
enum Step {
    Done,
    Failed(String),
    Leave(Stretch),
}

impl Engine {
    pub(super) async fn forward(&mut self) -> Result<Stretch, JournalError> {
        while let Some(index) = self.journal.state().current() {
            if self.journal.state().steps[index].progress == Progress::Failed {
                // It failed, and the process died before it turned back.
                return self.failed("the step had failed before the run stopped".to_owned());
            }
            // After a step that the site cannot rest on, nobody is heard or asked: the next one comes at once.
            if index == 0 || self.items[index - 1].step.may_stop_after() {
                if let Some(stretch) = self.wanted()? {
                    return Ok(stretch);
                }
                if let Some(stretch) = self.ask(index).await? {
                    return Ok(stretch);
                }
            }
            let began = Instant::now();
            let id = self.items[index].planned.id.clone();
            self.events.send(Event::StepStarted {
                step: id.clone(),
                title: self.items[index].planned.title.clone(),
                number: index + 1,
                of: self.items.len(),
            });
            let span = tracing::info_span!("step", step = id, run = self.journal.state().run);
            match self.one_step(index, &id).instrument(span).await? {
                Step::Done => {
                    let already = self.journal.state().steps[index].progress == Progress::AlreadySo;
                    let state = if already { "already-so" } else { "applied" }.to_owned();
                    self.events.send(Event::StepDone { step: id, state, seconds: began.elapsed().as_secs_f64() });
                }
                // What cannot be taken back is not given up: held, it can be gone on with.
                Step::Failed(why) if self.no_way_back(index).is_some() => return self.hold(&why, Outcome::OnHold),
                Step::Failed(why) => {
                    self.note(Fact::Failed { step: id.clone(), why: why.clone() })?;
                    self.events.send(Event::StepFailed { step: id.clone(), why: why.clone() });
                    return self.failed(format!("{id} failed: {why}"));
                }
                Step::Leave(stretch) => return Ok(stretch),
            }
        }
        Ok(Stretch::Ended(Outcome::Done))
    }

    fn failed(&mut self, why: String) -> Result<Stretch, JournalError> {
        if self.options.hold_on_failure { self.hold(&why, Outcome::OnHold) } else { Ok(Stretch::TurnBack(why)) }
    }

    async fn ask(&mut self, index: usize) -> Result<Option<Stretch>, JournalError> {
        let (Some(companion), Progress::Waiting) =
            (self.options.companion.clone(), self.journal.state().steps[index].progress)
        else {
            return Ok(None);
        };
        match companion.may_begin(&self.items[index], index + 1, self.items.len()).await {
            Answer::Go => Ok(None),
            Answer::Hold => Ok(Some(self.hold("stopped by the operator before this step", Outcome::OnHold)?)),
            Answer::RollBack => Ok(Some(Stretch::TurnBack("the operator took it back".to_owned()))),
        }
    }

    async fn one_step(&mut self, index: usize, id: &str) -> Result<Step, JournalError> {
        let Some(change) = self.announce(index, id)? else { return Ok(Step::Done) };
        if matches!(self.journal.state().steps[index].progress, Progress::Intended | Progress::InDoubt) {
            match self.apply(index, id, &change).await? {
                Step::Done => {}
                other => return Ok(other),
            }
        }
        if self.options.fail_at.as_deref().is_some_and(|at| at == id || at == self.items[index].planned.kind) {
            return Ok(Step::Failed("made to fail by --fail-at, after it was applied".to_owned()));
        }
        self.verify(index, id, &change).await
    }

    /// Announces the change, unless it was announced before a crash; `None` where there is nothing to do.
    fn announce(&mut self, index: usize, id: &str) -> Result<Option<Arc<Value>>, JournalError> {
        if let Some(change) = &self.journal.state().steps[index].change {
            return Ok(Some(Arc::clone(change)));
        }
        match self.items[index].planned.draft.as_ref().map(|d| d.change.clone()) {
            None => {
                self.note(Fact::AlreadySo { step: id.into() })?;
                Ok(None)
            }
            Some(change) => {
                self.note(Fact::Intent { step: id.into(), change })?;
                Ok(self.journal.state().steps[index].change.clone())
            }
        }
    }

    async fn apply(&mut self, index: usize, id: &str, change: &Value) -> Result<Step, JournalError> {
        let mut patience = Patience::default();
        loop {
            let act = self.act(index);
            let step = &self.items[index].step;
            let answer = tokio::select! {
                // What came back counts before what is wanted: an effect that is done is recorded as done.
                biased;
                answer = step.apply(&act, change) => answer,
                () = self.lever.pulled(), if step.may_be_broken_off() => {
                    // Dropping `apply` is what a crash would do, and as harmless: the journal says it may have landed.
                    match self.wanted()? {
                        Some(stretch) => return Ok(Step::Leave(stretch)),
                        None => continue,
                    }
                }
            };
            if let Err(fault @ Fault::Drifted { .. }) = &answer
                && let Some(left) = self.drift_may_be_lag(index)
            {
                if let Some(stretch) = self.look_again(id, fault.to_string(), left, false).await? {
                    return Ok(Step::Leave(stretch));
                }
                continue;
            }
            self.told(index);
            match answer {
                Ok(()) => {
                    self.note(Fact::Applied { step: id.into() })?;
                    return Ok(Step::Done);
                }
                Err(Fault::InDoubt(why)) => {
                    // Not failed: it may have landed. `apply` is safe to repeat, so it is asked again.
                    self.note(Fact::InDoubt { step: id.into(), why: why.clone() })?;
                    self.events.send(Event::InDoubt { step: id.into(), why: why.clone() });
                    if !patience.again(&*self.reach.clock).await {
                        return Ok(Step::Failed(format!("there was no answer, however often it was asked: {why}")));
                    }
                }
                Err(fault) => return self.stumble(fault),
            }
        }
    }

    async fn verify(&mut self, index: usize, id: &str, change: &Value) -> Result<Step, JournalError> {
        let mut patience = Patience::default();
        loop {
            let mut verdict = self.items[index].step.verify(&self.look(index), change).await;
            let mut judged = false;
            while let Ok(Verdict::Judged(judgement, then)) = verdict {
                self.judged(id, &judgement, !matches!(*then, Verdict::Wait { .. }))?;
                (verdict, judged) = (Ok(*then), true);
            }
            match verdict {
                Ok(Verdict::Holds) => {
                    self.note(Fact::Verified { step: id.into() })?;
                    return Ok(Step::Done);
                }
                Ok(Verdict::Wait { why, again_in }) => {
                    patience = Patience::default();
                    if let Some(stretch) = self.look_again(id, why, again_in, judged).await? {
                        return Ok(Step::Leave(stretch));
                    }
                }
                Ok(Verdict::Broken(why)) => return Ok(Step::Failed(why)),
                Ok(Verdict::Drifted(why) | Verdict::Undecided(why)) => {
                    return Ok(Step::Leave(self.hold(&why, Outcome::OnHold)?));
                }
                // Unwrapped above.
                Ok(Verdict::Judged(..)) => {}
                Err(Fault::InDoubt(why)) => {
                    self.events.send(Event::InDoubt { step: id.into(), why: why.clone() });
                    if !patience.again(&*self.reach.clock).await {
                        return Ok(Step::Failed(format!("it could not be looked up: {why}")));
                    }
                }
                Err(fault) => return self.stumble(fault),
            }
        }
    }

    fn stumble(&mut self, fault: Fault) -> Result<Step, JournalError> {
        match fault {
            Fault::Drifted { .. } => Ok(Step::Leave(self.hold(&fault.to_string(), Outcome::OnHold)?)),
            Fault::NeedsConsent { what, how } => {
                Ok(Step::Leave(self.hold(&format!("{what}; {how}"), Outcome::OnHold)?))
            }
            Fault::Failed { what, hint: Some(hint) } => Ok(Step::Failed(format!("{what} ({hint})"))),
            other => Ok(Step::Failed(other.to_string())),
        }
    }

    /// Keeps how a stage stands for `status`; told and on record where that changed, or is the last word.
    fn judged(&mut self, id: &str, judgement: &Judgement, last: bool) -> Result<(), JournalError> {
        let known = self.journal.state().judged.as_ref().filter(|(step, _)| step == id);
        if last || !known.is_some_and(|(_, before)| before.says_the_same(judgement)) {
            self.note(Fact::Judged { step: id.to_owned(), judgement: Box::new(judgement.clone()) })?;
            self.events.send(Event::Judged { step: id.to_owned(), judgement: judgement.clone() });
        }
        self.lever.tell(id, judgement);
        Ok(())
    }

    /// Says why it waits, and waits; `measures` while something is being measured.
    async fn look_again(
        &mut self,
        id: &str,
        why: String,
        in_: Duration,
        measures: bool,
    ) -> Result<Option<Stretch>, JournalError> {
        self.lever.say(Some(why.clone()));
        self.events.send(Event::Waiting { step: id.into(), why, seconds: in_.as_secs() });
        let stretch = self.wait(in_, measures).await?;
        self.lever.say(None);
        Ok(stretch)
    }

    /// Waits, with an eye on the lever.
    async fn wait(&mut self, for_: Duration, measures: bool) -> Result<Option<Stretch>, JournalError> {
        let clock = Arc::clone(&self.reach.clock);
        let until = clock.now() + for_;
        while let Ok(left) = until.duration_since(clock.now()) {
            if left.is_zero() {
                break;
            }
            if let Some(stretch) = self.wanted()? {
                return Ok(Some(stretch));
            }
            let waited = async { if measures { clock.watch(left).await } else { clock.sleep(left).await } };
            tokio::select! {
                () = waited => {}
                () = self.lever.pulled() => {}
            }
        }
        self.wanted()
    }
}
