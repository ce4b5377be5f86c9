//! The one table of step kinds that the generic tests run over: the crash schedules, the unwinding, the lost answers.

use futures::future::BoxFuture;

use super::{database_copy, database_handover};
use crate::clients::fake::stage::Stage;
use crate::step::AnyStep;

/// A kind with the shortest chain of steps in which it makes sense.
pub struct Kind {
    /// For messages.
    pub name: &'static str,
    /// The chain, on a fresh stage.
    pub steps: for<'a> fn(&'a Stage) -> BoxFuture<'a, Vec<Box<dyn AnyStep>>>,
}

/// Every kind.
pub fn kinds() -> Vec<Kind> {
    vec![Kind { name: "database", steps: |stage| Box::pin(database(stage)) }]
}

/// Copy and handover.
pub async fn database(_: &Stage) -> Vec<Box<dyn AnyStep>> {
    vec![Box::new(database_copy::DatabaseCopy {}), Box::new(database_handover::DatabaseHandover { hold_at_most: 30 })]
}
