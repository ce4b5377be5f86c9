//! What may stand in the way of the app on a new host.

use super::change::{AppHostChange, size};
use super::mounts::LIMIT;
use super::{AppHost, observe};
use crate::step::{Finding, Look, Severity, StepResult};
use crate::steps::app_config::{RUN_LABEL, own_files};

/// The oldest engine whose API holds all that is used.
const OLDEST: (u32, u32) = (20, 10);

pub(super) async fn check(step: &AppHost, look: &Look) -> StepResult<Vec<Finding>> {
    let name = &step.name;
    let engine = step.engine(look)?;
    let (version, architecture) = engine.engine().await?;
    let mut findings = Vec::new();
    if is_too_old(&version) {
        findings.push(Finding::new(
            Severity::Blocker,
            format!("the Docker engine on {name} is {version}"),
            "20.10 or newer is needed: upgrade it",
        ));
    }
    for source in observe::sources(look).await? {
        if let Some(image) = look.old.image(&source.image_id).await?
            && !image.architecture.is_empty()
            && image.architecture != architecture
        {
            let what = format!("the image of {} is for {}, {name} is {architecture}", source.name, image.architecture);
            let todo = format!("take an instance type of {}, or build the image for both", image.architecture);
            findings.push(Finding::new(Severity::Blocker, what, todo).law("L8"));
        }
        if !source.unmodelled.is_empty() {
            findings.push(Finding::new(
                Severity::Warning,
                format!("{} also has: {}", source.name, source.unmodelled.join("; ")),
                format!("see that {name} has what that needs; links and foreign volumes are left out"),
            ));
        }
        findings.extend(own_files(look, &source).await?);
    }
    let change = match observe::change(step, look).await {
        Ok(change) => change,
        Err(fault) => {
            findings.push(Finding::new(Severity::Blocker, fault.to_string(), "see `box` in the site file"));
            return Ok(findings);
        }
    };
    taken(step, look, &change, &mut findings).await?;
    room(name, &change, &mut findings);
    Ok(findings)
}

/// Names and ports that somebody else has there.
async fn taken(step: &AppHost, look: &Look, change: &AppHostChange, findings: &mut Vec<Finding>) -> StepResult<()> {
    let name = &step.name;
    for there in step.engine(look)?.containers().await? {
        if there.labels.get(RUN_LABEL) == Some(&change.run) {
            continue;
        }
        for moved in &change.containers {
            if moved.name == there.name {
                findings.push(Finding::new(
                    Severity::Blocker,
                    format!("{name} has a container {} already", there.name),
                    "remove or rename it there",
                ));
            }
            for port in moved.ports.iter().filter(|port| there.ports.iter().any(|p| p.host == port.host)) {
                findings.push(Finding::new(
                    Severity::Blocker,
                    format!("the container {} on {name} publishes the port {} already", there.name, port.host),
                    "stop it there, or choose another port in `app.listen`",
                ));
            }
        }
    }
    Ok(())
}

fn room(name: &str, change: &AppHostChange, findings: &mut Vec<Finding>) {
    let mounts = || change.containers.iter().flat_map(|moved| &moved.mounts);
    for mount in mounts().filter(|mount| mount.bytes > LIMIT) {
        findings.push(Finding::new(
            Severity::Blocker,
            format!("{} holds more than {}", mount.target, size(LIMIT)),
            "put it on shared storage first (EFS, S3): a copy on every host would go its own way",
        ));
    }
    let needed = change.images.iter().map(|i| i.bytes).sum::<u64>() + mounts().map(|m| m.bytes).sum::<u64>();
    if needed > 0 {
        findings.push(Finding::new(
            Severity::Note,
            format!("{name} needs {} of disk for images and files", size(needed)),
            "engines do not tell how much is free: see `df /var/lib/docker` there",
        ));
    }
    for mount in mounts().filter(|mount| mount.bytes > 0 && mount.how == super::How::Volume) {
        findings.push(Finding::new(
            Severity::Note,
            format!("{} is copied once: what is written there later stays on the host it was written on", mount.target),
            "if the app keeps uploads or sessions there, put them on shared storage",
        ));
    }
}

fn is_too_old(version: &str) -> bool {
    let mut parts = version.split('.').map(|part| part.parse::<u32>().ok());
    match (parts.next().flatten(), parts.next().flatten()) {
        (Some(major), minor) => (major, minor.unwrap_or_default()) < OLDEST,
        // A version of another form is none of Docker's own: not judged.
        (None, _) => false,
    }
}

#[cfg(test)]
mod tests {
    use super::is_too_old;

    #[test]
    fn versions_are_compared_by_number() {
        assert!(is_too_old("19.03.15") && is_too_old("1.13.1") && is_too_old("20.9"));
        assert!(!is_too_old("20.10.24+dfsg1") && !is_too_old("29.0.0") && !is_too_old("dev"));
    }
}
