//! Playbook + what is there → concrete steps. A ramp becomes a step a stage.

use crate::playbook::model::{Of, StepSpec};
use crate::step::{AnyStep, Look, StepResult};
use crate::steps;
use crate::steps::dns_weights::Which;

/// The concrete steps of one playbook entry.
pub async fn expand(spec: &StepSpec, look: &Look) -> StepResult<Vec<Box<dyn AnyStep>>> {
    Ok(match spec {
        StepSpec::StaticSite(_) => steps::static_site::expand(look),
        StepSpec::DatabaseCopy(_) => vec![Box::new(steps::database_copy::DatabaseCopy {})],
        StepSpec::AppHost(_) => steps::app_host::expand(look),
        StepSpec::Targets(_) => steps::targets::expand(look).await?,
        StepSpec::DnsWeights(ramp) => {
            let which = match ramp.of {
                Of::Api => Which::Api,
                Of::Pages => Which::Pages,
            };
            steps::dns_weights::expand(look, which, ramp.stages.as_slice(), ramp.bake.duration(), ramp.ttl).await?
        }
        StepSpec::ShiftTargets(ramp) => {
            steps::shift_targets::expand(look, ramp.stages.as_slice(), ramp.bake.duration()).await?
        }
        StepSpec::DatabaseHandover(handover) => vec![Box::new(steps::database_handover::DatabaseHandover {
            hold_at_most: handover.hold_at_most.duration().as_secs().max(1),
        })],
        StepSpec::AppConfig(_) => steps::app_config::expand(look),
        StepSpec::Soak(soak) => steps::soak::expand(soak.length.duration()),
        StepSpec::Finalize(_) => steps::finalize::expand(),
    })
}
