//! What may stand in the way of making the app's container again.

use serde_json::json;

use super::settings::{Goal, Settings, observe};
use crate::clients::hosts::Container;
use crate::step::{Finding, Look, Severity, StepResult};

/// Places where every container writes and nothing is lost.
const PASSING: [&str; 8] =
    ["/var/lib/nginx", "/tmp", "/run", "/var/run", "/var/log", "/var/cache", "/var/tmp", "/root/.cache"];

pub(super) async fn check(look: &Look, goal: Goal) -> StepResult<Vec<Finding>> {
    let site = &look.site;
    let mut findings = Vec::new();
    let Some(app) = look.old.container(&site.old.app.container).await? else {
        return Ok(vec![Finding::new(
            Severity::Blocker,
            format!("there is no container {} on {}", site.old.app.container, look.old.address()),
            "correct `box.app.container` in the site file",
        )]);
    };
    match observe(look, look.old.as_ref(), &app, goal).await {
        Ok(Settings::AlreadySo) => return Ok(findings),
        Ok(Settings::Change(plan)) => findings.extend(
            plan.notes.into_iter().map(|note| Finding::new(Severity::Note, note, "see whether it has to change too")),
        ),
        Err(fault) => findings.push(Finding::new(
            Severity::Blocker,
            fault.to_string(),
            "see `box.app.files` in the site file and `aws.database`",
        )),
    }
    definition(&app, &mut findings);
    let own = own_files(look, &app).await?;
    if let Some(own) = own {
        findings.push(own);
    }
    Ok(findings)
}

fn definition(app: &Container, findings: &mut Vec<Finding>) {
    let name = &app.name;
    if app.rest["HostConfig"]["AutoRemove"] == json!(true) {
        findings.push(Finding::new(
            Severity::Blocker,
            format!("{name} is removed as soon as it stops (--rm), so there would be no way back to it"),
            "run it without --rm",
        ));
    }
    if app.rest["HostConfig"]["ReadonlyRootfs"] == json!(true) {
        findings.push(Finding::new(
            Severity::Warning,
            format!("{name} has a read-only root: no changed file can be put into it, only its environment can change"),
            "keep the database's address in the environment, or in a mounted folder",
        ));
    }
    if !app.unmodelled.is_empty() {
        findings.push(Finding::new(
            Severity::Note,
            format!("{name} is made again with all it has, also: {}", app.unmodelled.join("; ")),
            "a fixed address is not kept while old and new run side by side",
        ));
    }
    if let Some(project) = app.labels.get("com.docker.compose.project") {
        findings.push(Finding::new(
            Severity::Note,
            format!("{name} belongs to the compose project {project}"),
            "change its compose or env file as well, or the next `docker compose up` undoes the step",
        ));
    }
}

/// Files in the container's own layer, which a container that is made again does not have.
pub(in crate::steps) async fn own_files(look: &Look, container: &Container) -> StepResult<Option<Finding>> {
    let changed = look.old.own_changes(&container.id).await?;
    let carried = |path: &str| {
        let below = |base: &str| path == base || path.starts_with(&format!("{base}/"));
        PASSING.iter().any(|base| below(base))
            || container.mounts.iter().any(|mount| below(&mount.target))
            || look.site.old.app.files.iter().any(|file| file == path)
            || path.contains("/__pycache__/")
    };
    // A folder is told as changed when something in it is: only the innermost paths say anything.
    let innermost = |path: &&String| !changed.iter().any(|other| other.starts_with(&format!("{path}/")));
    let lost: Vec<&str> = changed.iter().filter(innermost).map(String::as_str).filter(|path| !carried(path)).collect();
    if lost.is_empty() {
        return Ok(None);
    }
    let shown = lost.iter().take(5).copied().collect::<Vec<_>>().join(", ");
    Ok(Some(Finding::new(
        Severity::Warning,
        format!("{} wrote {} files of its own that the new one will not have: {shown}", container.name, lost.len()),
        "keep what must last in a volume; uploads belong on shared storage",
    )))
}
