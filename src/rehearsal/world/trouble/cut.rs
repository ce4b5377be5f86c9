//! The network between two places, cut: packets are dropped on both ways, so that connections hang instead of closing.

use std::time::Duration;

use super::{Place, Scene};
use crate::clients::hosts::Container;
use crate::rehearsal::world::Result;

impl Scene {
    /// Cuts it for so long.
    pub(super) async fn cut(&self, one: &Place, other: &Place, length: Duration) -> Result<()> {
        // The rules stand in the network of a place that has one of its own.
        let (here, there) = if *one == Place::Outside { (other, one) } else { (one, other) };
        let addresses = self.addresses(there).await?;
        let rules = |how: &str| {
            let chains = addresses.iter().flat_map(|address| {
                ["INPUT -s", "OUTPUT -d", "FORWARD -s", "FORWARD -d"]
                    .map(|chain| format!("iptables -w {how} {chain} {address} -j DROP"))
            });
            chains.collect::<Vec<_>>().join(" && ")
        };
        let mut helpers = Vec::new();
        for container in self.containers(here) {
            // A pooler comes and goes.
            if self.lab.host().container(container).await?.is_none() {
                continue;
            }
            helpers.push(self.beside(container).await?);
        }
        for helper in &helpers {
            self.shell(helper, &rules("-I")).await?;
        }
        tokio::time::sleep(length).await;
        for helper in &helpers {
            self.shell(helper, &rules("-D")).await?;
        }
        Ok(())
    }

    /// A helper that shares a container's network and may change its rules; one that is there already serves again.
    async fn beside(&self, container: &str) -> Result<String> {
        let name = format!("{}cut-{}", self.prefix, container.trim_start_matches(&self.prefix));
        if self.lab.host().container(&name).await?.is_none() {
            let rest = serde_json::json!({"HostConfig": {
                "NetworkMode": format!("container:{container}"),
                "CapAdd": ["NET_ADMIN"],
            }});
            self.lab.create(Container { name: name.clone(), rest, ..self.helper.clone() }).await?;
        }
        self.lab.start(&name).await?;
        Ok(name)
    }
}
