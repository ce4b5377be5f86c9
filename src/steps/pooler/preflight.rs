//! What may stand in the way of a pooler, or should be known of it.

use super::{networks, wanted};
use crate::site::PoolerMode;
use crate::step::{Fault, Finding, Look, Severity, StepResult};
use crate::steps::app_config::NO_POOLER;
use crate::world::Side;

pub(super) async fn check(look: &Look) -> StepResult<Vec<Finding>> {
    let Ok(wanted) = wanted(look) else {
        let what = "the playbook puts a pooler before the database, and the site file names none";
        return Ok(vec![Finding::new(Severity::Blocker, what, NO_POOLER)]);
    };
    let mut findings = Vec::new();
    let name = look.site.old.database.pooler_name();
    if let Some(there) = look.old.container(&name).await? {
        let whose = match there.labels.get(super::RUN_LABEL) {
            Some(run) if *run == look.run => None,
            Some(run) => Some(format!("a pooler of the run {run}")),
            None => Some("a container that outgrow did not make".to_owned()),
        };
        findings.extend(whose.map(|whose| {
            let todo = "take that run back, or remove it once nothing uses it";
            Finding::new(Severity::Blocker, format!("{name} is on the box already: {whose}"), todo)
        }));
    }
    if look.old.image(&wanted.image).await?.is_none() {
        findings.push(Finding::new(
            Severity::Blocker,
            format!("the image {} is not on the box", wanted.image),
            "bring it there (docker pull, docker load), or correct `box.database.pooler`",
        ));
    }
    match networks(look, &name).await {
        Ok(_) => {}
        Err(Fault::Failed { what, hint }) => {
            findings.push(Finding::new(Severity::Blocker, what, hint.unwrap_or_default()));
        }
        Err(fault) => return Err(fault),
    }
    let roles = look.databases.facts(Side::Old).await?.app_roles;
    let pooling = look.databases.pooling(&roles).await?;
    for obstacle in pooling.obstacles {
        let severity = match (obstacle.blocks, wanted.mode) {
            (true, _) => Severity::Blocker,
            // In session mode all of it works.
            (false, PoolerMode::Transaction) => Severity::Warning,
            (false, _) => Severity::Note,
        };
        findings.push(Finding::new(severity, obstacle.what, obstacle.todo));
    }
    Ok(findings)
}
