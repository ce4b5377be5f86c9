//! Playbook + what is there → concrete steps. A ramp becomes a step a stage.

use crate::playbook;
use crate::playbook::model::{Of, Playbook, StepSpec};
use crate::step::{AnyStep, Look, StepResult};
use crate::steps::app_config::AppConfig;
use crate::steps::certificate::Certificate;
use crate::steps::database_copy::DatabaseCopy;
use crate::steps::database_handover::DatabaseHandover;
use crate::steps::distribution::Distribution;
use crate::steps::dns_weights::{self, Which};
use crate::steps::finalize::Finalize;
use crate::steps::gates::{Gates, Journey};
use crate::steps::pooler::Pooler;
use crate::steps::soak::Soak;
use crate::steps::static_site::StaticSite;
use crate::steps::targets::Targets;
use crate::steps::{app_host, shift_targets};

/// What the whole playbook says about its database steps.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Manner {
    /// The copy follows the old database.
    pub follows: bool,
    /// The app reaches its database through a pooler.
    pub pooled: bool,
}

impl Manner {
    /// Of a playbook.
    pub fn of(playbook: &Playbook) -> Self {
        let any = |fits: fn(&StepSpec) -> bool| playbook.steps.iter().any(fits);
        Self {
            follows: any(|spec| matches!(spec, StepSpec::DatabaseCopy(copy) if copy.follow)),
            pooled: any(|spec| matches!(spec, StepSpec::Pooler(_))),
        }
    }
}

/// The concrete steps of one playbook entry.
pub async fn expand(spec: &StepSpec, manner: Manner, look: &Look) -> StepResult<Vec<Box<dyn AnyStep>>> {
    Ok(match spec {
        StepSpec::StaticSite(_) => vec![Box::new(StaticSite {})],
        StepSpec::Certificate(_) => vec![Box::new(Certificate {})],
        StepSpec::Distribution(_) => vec![Box::new(Distribution::expand(look).await?)],
        StepSpec::DatabaseCopy(copy) => vec![Box::new(DatabaseCopy { follow: copy.follow })],
        StepSpec::AppHost(_) => boxed(app_host::expand(look)),
        StepSpec::Targets(_) => vec![Box::new(Targets {})],
        StepSpec::DnsWeights(ramp) => {
            let which = match ramp.of {
                Of::Api => Which::Api,
                Of::Pages => Which::Pages,
            };
            let (stages, bake) = (ramp.stages.as_slice(), ramp.bake.duration());
            boxed(dns_weights::expand(look, which, stages, bake, ramp.ttl).await?)
        }
        StepSpec::ShiftTargets(ramp) => {
            let (stages, gates) = (ramp.stages.as_slice(), gates(&ramp.gates));
            boxed(shift_targets::expand(stages, ramp.bake.duration()).into_iter().map(|s| s.under(&gates)).collect())
        }
        StepSpec::DatabaseHandover(handover) => {
            let hold_at_most = handover.hold_at_most.duration().as_secs().max(1);
            vec![Box::new(DatabaseHandover { hold_at_most, follow: manner.follows, pooled: manner.pooled })]
        }
        StepSpec::AppConfig(_) => vec![Box::new(AppConfig { pooled: manner.pooled })],
        StepSpec::Pooler(_) => vec![Box::new(Pooler {})],
        StepSpec::Soak(soak) => vec![Box::new(Soak { lasts: soak.length.duration() })],
        StepSpec::Finalize(_) => vec![Box::new(Finalize {})],
    })
}

/// A playbook's gates as the step has them.
fn gates(written: &playbook::gates::Gates) -> Gates {
    let journey = |probe: &playbook::gates::Probe| Journey {
        path: probe.get.clone(),
        status: probe.status,
        body: probe.body.clone(),
        headers: probe.headers.iter().map(|(name, value)| (name.to_ascii_lowercase(), value.clone())).collect(),
    };
    Gates {
        min_samples: written.min_samples,
        confidence: written.confidence,
        errors_above: written.errors_above,
        slower_than: written.slower_than,
        slower_by: written.slower_by.duration(),
        share_within: written.share_within,
        settle_within: written.settle_within.duration(),
        undecided_for: written.undecided_for.duration(),
        unreadable_for: written.unreadable_for.duration(),
        probe_tries: written.probe_tries,
        probes: written.probes.iter().map(journey).collect(),
        hook: written.hook.clone(),
        dry_run: written.dry_run,
    }
}

fn boxed<S: AnyStep + 'static>(steps: Vec<S>) -> Vec<Box<dyn AnyStep>> {
    steps.into_iter().map(|step| Box::new(step) as Box<dyn AnyStep>).collect()
}
