//! What would have to go to a new host, as things are now.

use super::change::{AppHostChange, Brought, Moved};
use super::{AppHost, mounts};
use crate::clients::hosts::{Container, HostRead, PublishedPort};
use crate::site::Site;
use crate::step::{Fault, Look, StepResult};
use crate::steps::app_config::{Goal, Settings, edits, observe};

/// The containers that go, in the order they start: what the proxy names must be there before it.
pub(super) async fn sources(look: &Look) -> StepResult<Vec<Container>> {
    let site = &look.site.old;
    let mut all: Vec<Container> = Vec::new();
    for name in [&site.app.container, &site.web.container, &site.proxy] {
        if all.iter().any(|there| there.name == *name) {
            continue;
        }
        let found = look.old.container(name).await?.ok_or_else(|| {
            Fault::failed_with(
                format!("there is no container {name} on {}", look.old.address()),
                "correct `box` in the site file",
            )
        })?;
        all.push(found);
    }
    Ok(all)
}

/// The whole change.
pub(super) async fn change(step: &AppHost, look: &Look) -> StepResult<AppHostChange> {
    let engine = step.engine(look)?;
    let mut change = AppHostChange {
        host: step.name.clone(),
        run: look.run.clone(),
        images: Vec::new(),
        networks: Vec::new(),
        containers: Vec::new(),
    };
    for source in sources(look).await? {
        if !engine.has_image(&source.image_id).await? && !change.images.iter().any(|i| i.id == source.image_id) {
            change.images.push(brought(look, engine.as_ref(), &source).await?);
        }
        for place in &source.networks {
            let known = place.network == "bridge" || change.networks.contains(&place.network);
            if !known && engine.network(&place.network).await?.is_none() {
                change.networks.push(place.network.clone());
            }
        }
        change.containers.push(moved(look, &source).await?);
    }
    Ok(change)
}

async fn moved(look: &Look, source: &Container) -> StepResult<Moved> {
    let mut moved = Moved {
        name: source.name.clone(),
        image: source.image.clone(),
        ports: ports(&look.site, source),
        mounts: mounts::place(look.old.as_ref(), source).await?,
        edits: Vec::new(),
        notes: Vec::new(),
    };
    if source.name == look.site.old.app.container
        && let Settings::Change(plan) = observe(look, look.old.as_ref(), source, Goal::New).await?
    {
        moved.edits = edits(&plan);
        moved.notes = plan.notes;
    }
    Ok(moved)
}

/// By its name if that means the same image here, and nothing else there; else by its id.
async fn brought(look: &Look, engine: &dyn HostRead, source: &Container) -> StepResult<Brought> {
    let named = look.old.image(&source.image).await?.filter(|image| image.id == source.image_id);
    let free = engine.image(&source.image).await?.is_none();
    let (reference, bytes) = match named {
        Some(image) if free => (source.image.clone(), image.bytes),
        Some(image) => (source.image_id.clone(), image.bytes),
        None => {
            let image = look.old.image(&source.image_id).await?.ok_or_else(|| {
                Fault::failed_with(
                    format!("the image of {} is no longer on the box's engine", source.name),
                    "pull or build it again there",
                )
            })?;
            (source.image_id.clone(), image.bytes)
        }
    };
    Ok(Brought { reference, id: source.image_id.clone(), bytes })
}

/// The ports it publishes on the box, and for the proxy the one the balancer will use. An address of the box's own
/// means nothing there.
fn ports(site: &Site, source: &Container) -> Vec<PublishedPort> {
    let mut ports = source.ports.clone();
    for port in &mut ports {
        if !matches!(port.address.as_str(), "" | "127.0.0.1" | "0.0.0.0" | "::" | "::1") {
            port.address.clear();
        }
    }
    let listen = site.app.listen.port;
    if source.name == site.old.proxy && !ports.iter().any(|p| p.host == listen && p.protocol == "tcp") {
        ports.push(PublishedPort {
            container: listen,
            protocol: "tcp".to_owned(),
            address: String::new(),
            host: listen,
        });
    }
    ports
}
