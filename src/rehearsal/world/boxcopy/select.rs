//! Which containers make up the box: the four of the site file and what runs beside them on their networks.

use std::collections::BTreeSet;

use crate::clients::docker::lab::Lab;
use crate::clients::hosts::Container;
use crate::rehearsal::world::{Result, WorldError, owner};
use crate::site::OldBox;

/// A container of the box.
pub struct Original {
    /// Its definition.
    pub container: Container,
    /// What of it cannot be copied as it is.
    pub notes: Vec<String>,
}

/// Finds them. A queue or a cache on the same network belongs to the box as well; what a rehearsal made does not.
pub async fn originals(lab: &Lab, old: &OldBox) -> Result<Vec<Original>> {
    let all = lab.host().containers().await?;
    let named = [&old.proxy, &old.web.container, &old.app.container, &old.database.container];
    let mut networks = BTreeSet::new();
    for name in named {
        let found = all.iter().find(|c| c.name == *name);
        let found = found
            .ok_or_else(|| WorldError::Box(format!("there is no container {name} on {}", lab.host().address())))?;
        if !found.running {
            return Err(WorldError::Box(format!("the container {name} does not run; start it, then try again")));
        }
        // The engine's own bridge knows no names: being on it together means nothing.
        networks.extend(found.networks.iter().map(|a| a.network.clone()).filter(|n| n != "bridge"));
    }
    let mut originals = Vec::new();
    for container in all {
        let is_named = named.contains(&&container.name);
        let beside = container.running && container.networks.iter().any(|a| networks.contains(&a.network));
        if !is_named && (!beside || container.labels.contains_key(owner::LABEL)) {
            continue;
        }
        let mut notes = Vec::new();
        if container.networks.is_empty() {
            let why = format!("{} shares a network with its host or with another container", container.name);
            if is_named {
                return Err(WorldError::Box(format!("{why}, which a copy cannot; put it on a network of its own")));
            }
            continue;
        }
        notes.extend(container.unmodelled.iter().map(|odd| format!("{}: {odd}", container.name)));
        originals.push(Original { container, notes });
    }
    Ok(originals)
}
