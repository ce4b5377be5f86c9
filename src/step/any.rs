//! Steps of any kind behind one object, their changes as JSON: what the plan stores and the engine drives.

use async_trait::async_trait;
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::{Act, Change, Fault, Finding, Look, Planned, Reversal, Step, StepResult, Verdict};
use crate::world::{Moment, World};

/// What `plan` found, ready to be sealed.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Draft {
    /// The change, as `apply` and `undo` want it.
    pub change: Value,
    /// The diff a person reads.
    pub lines: Vec<String>,
    /// What taking it back means.
    pub reversal: Reversal,
}

/// A step of any kind.
#[async_trait]
pub trait AnyStep: Send + Sync + std::fmt::Debug {
    /// See [`Step::KIND`].
    fn kind(&self) -> &'static str;
    /// See [`Step::id`].
    fn id(&self) -> String;
    /// See [`Step::title`].
    fn title(&self) -> String;
    /// See [`Step::explain`].
    fn explain(&self) -> String;
    /// The step's parameters as JSON, for the plan.
    fn parameters(&self) -> Result<Value, Fault>;
    /// See [`Step::model`].
    fn model(&self, world: &mut World);
    /// See [`Step::on_the_way`].
    fn on_the_way(&self, before: &World) -> Vec<Moment>;
    /// See [`Step::on_the_way_back`].
    fn on_the_way_back(&self, now: &World) -> Vec<Moment>;
    /// See [`Step::model_back`].
    fn model_back(&self, now: &World, before: &World) -> World;
    /// See [`Step::may_be_broken_off`].
    fn may_be_broken_off(&self) -> bool;
    /// See [`Step::may_stop_after`].
    fn may_stop_after(&self) -> bool;
    /// See [`Step::reads_may_lag`].
    fn reads_may_lag(&self) -> bool;
    /// See [`Step::check`].
    async fn check(&self, look: &Look) -> StepResult<Vec<Finding>>;
    /// See [`Step::plan`]; `None` is already so.
    async fn plan(&self, look: &Look) -> StepResult<Option<Draft>>;
    /// See [`Step::apply`].
    async fn apply(&self, act: &Act, change: &Value) -> StepResult<()>;
    /// See [`Step::verify`].
    async fn verify(&self, look: &Look, change: &Value) -> StepResult<Verdict>;
    /// See [`Step::undo`].
    async fn undo(&self, act: &Act, change: &Value) -> StepResult<()>;
}

#[async_trait]
impl<S: Step> AnyStep for S {
    fn kind(&self) -> &'static str {
        S::KIND
    }

    fn id(&self) -> String {
        Step::id(self)
    }

    fn title(&self) -> String {
        Step::title(self)
    }

    fn explain(&self) -> String {
        Step::explain(self)
    }

    fn parameters(&self) -> Result<Value, Fault> {
        to_value(self)
    }

    fn model(&self, world: &mut World) {
        Step::model(self, world);
    }

    fn on_the_way(&self, before: &World) -> Vec<Moment> {
        Step::on_the_way(self, before)
    }

    fn on_the_way_back(&self, now: &World) -> Vec<Moment> {
        Step::on_the_way_back(self, now)
    }

    fn model_back(&self, now: &World, before: &World) -> World {
        Step::model_back(self, now, before)
    }

    fn may_be_broken_off(&self) -> bool {
        Step::may_be_broken_off(self)
    }

    fn may_stop_after(&self) -> bool {
        Step::may_stop_after(self)
    }

    fn reads_may_lag(&self) -> bool {
        Step::reads_may_lag(self)
    }

    async fn check(&self, look: &Look) -> StepResult<Vec<Finding>> {
        Step::check(self, look).await
    }

    async fn plan(&self, look: &Look) -> StepResult<Option<Draft>> {
        match Step::plan(self, look).await? {
            Planned::AlreadySo => Ok(None),
            Planned::Change(change) => {
                Ok(Some(Draft { lines: change.lines(), reversal: change.reversal(), change: to_value(&change)? }))
            }
        }
    }

    async fn apply(&self, act: &Act, change: &Value) -> StepResult<()> {
        Step::apply(self, act, &from_value(change)?).await
    }

    async fn verify(&self, look: &Look, change: &Value) -> StepResult<Verdict> {
        Step::verify(self, look, &from_value(change)?).await
    }

    async fn undo(&self, act: &Act, change: &Value) -> StepResult<()> {
        Step::undo(self, act, &from_value(change)?).await
    }
}

fn to_value<T: Serialize>(value: &T) -> StepResult<Value> {
    serde_json::to_value(value).map_err(|e| Fault::failed(format!("a step could not be written down: {e}")))
}

fn from_value<T: DeserializeOwned>(value: &Value) -> StepResult<T> {
    T::deserialize(value).map_err(|e| {
        Fault::failed_with(
            format!("a recorded change could not be read: {e}"),
            "it was written by another version of outgrow; go on with that version",
        )
    })
}
