//! One file (or folder) a kind of step: what it does to the world, and how it is taken back. Their tests stand beside
//! them; [`build`] is the one table of kinds, by which a plan's steps come to life.

pub mod app_config;
pub mod app_host;
pub mod certificate;
pub mod database_copy;
pub mod database_handover;
pub mod distribution;
pub mod dns_weights;
pub mod finalize;
pub mod pooler;
pub mod shift_targets;
pub mod soak;
pub mod static_site;
pub mod targets;

mod cdn;
pub mod gates;
mod tags;
mod timing;

#[cfg(test)]
pub mod contract;
#[cfg(test)]
pub mod testing;
#[cfg(test)]
mod wire;

use serde_json::Value;

use crate::step::{AnyStep, Fault, Step, StepResult};

/// Brings a planned step to life from its kind and parameters.
pub fn build(kind: &str, parameters: &Value) -> StepResult<Box<dyn AnyStep>> {
    match kind {
        app_config::AppConfig::KIND => read::<app_config::AppConfig>(parameters),
        app_host::AppHost::KIND => read::<app_host::AppHost>(parameters),
        certificate::Certificate::KIND => read::<certificate::Certificate>(parameters),
        database_copy::DatabaseCopy::KIND => read::<database_copy::DatabaseCopy>(parameters),
        database_handover::DatabaseHandover::KIND => read::<database_handover::DatabaseHandover>(parameters),
        distribution::Distribution::KIND => read::<distribution::Distribution>(parameters),
        dns_weights::DnsWeights::KIND => read::<dns_weights::DnsWeights>(parameters),
        finalize::Finalize::KIND => read::<finalize::Finalize>(parameters),
        pooler::Pooler::KIND => read::<pooler::Pooler>(parameters),
        shift_targets::ShiftTargets::KIND => read::<shift_targets::ShiftTargets>(parameters),
        soak::Soak::KIND => read::<soak::Soak>(parameters),
        static_site::StaticSite::KIND => read::<static_site::StaticSite>(parameters),
        targets::Targets::KIND => read::<targets::Targets>(parameters),
        _ => Err(Fault::failed_with(
            format!("there is no step of the kind `{kind}`"),
            "the plan was made by another version of outgrow; go on with that version",
        )),
    }
}

/// Where a run keeps the former versions of objects it overwrites.
pub(crate) fn before_prefix(run: &str) -> String {
    format!("outgrow/before/{run}/")
}

fn read<S: Step>(parameters: &Value) -> StepResult<Box<dyn AnyStep>> {
    S::deserialize(parameters).map(|step| Box::new(step) as Box<dyn AnyStep>).map_err(|e| {
        Fault::failed_with(
            format!("a planned {} step could not be read: {e}", S::KIND),
            "the plan was made by another version of outgrow; go on with that version",
        )
    })
}
