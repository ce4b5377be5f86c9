//! The containers of the box's copy.

use aws_lc_rs::digest;
use serde_json::{Map, Value, json};

use crate::clients::hosts::Container;
use crate::rehearsal::world::{Result, World};

/// Every container on the copy's network but the database instance, running or not, by name.
pub async fn of(world: &World) -> Result<Value> {
    let network = world.spec.box_network();
    let mut all = Map::new();
    for container in world.lab.host().containers().await? {
        let is_copy = container.networks.iter().any(|a| a.network == network) && container.name != world.rds.container;
        // One that lost its network on the way is a difference as well.
        if is_copy || world.copy.containers.values().any(|name| *name == container.name) {
            all.insert(container.name.clone(), described(&container));
        }
    }
    all.sort_keys();
    Ok(Value::Object(all))
}

fn described(container: &Container) -> Value {
    let mut env: Vec<String> = container.env.iter().map(|(k, v)| format!("{k}={v}")).collect();
    env.sort();
    let mut networks: Vec<Value> = container
        .networks
        .iter()
        .map(|a| {
            let mut aliases = a.aliases.clone();
            aliases.sort();
            json!({"network": a.network, "aliases": aliases})
        })
        .collect();
    networks.sort_by_key(ToString::to_string);
    json!({
        "id": container.id,
        "image": container.image_id,
        "running": container.running,
        // Values may be secret.
        "environment": hex::encode(digest::digest(&digest::SHA256, env.join("\0").as_bytes())),
        "restart": container.restart,
        "networks": networks,
    })
}
