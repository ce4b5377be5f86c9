//! Everything that carries a label, found and removed.

use std::collections::HashMap;

use bollard::query_parameters::{
    ListContainersOptionsBuilder, ListNetworksOptionsBuilder, ListVolumesOptionsBuilder, RemoveContainerOptionsBuilder,
    RemoveVolumeOptions,
};
use futures::future::join_all;

use super::{Lab, Labels};
use crate::clients::{ClientError, ClientResult, Kind};

/// What was found, each with its labels.
#[derive(Debug, Clone, Default)]
pub struct Found {
    /// Containers by id, running or not.
    pub containers: Vec<(String, Labels)>,
    /// Networks by name.
    pub networks: Vec<(String, Labels)>,
    /// Volumes by name.
    pub volumes: Vec<(String, Labels)>,
}

impl Found {
    /// Whether nothing was found.
    pub fn is_empty(&self) -> bool {
        self.containers.is_empty() && self.networks.is_empty() && self.volumes.is_empty()
    }

    /// Every set of labels that was found.
    pub fn labels(&self) -> impl Iterator<Item = &Labels> {
        self.containers.iter().chain(&self.networks).chain(&self.volumes).map(|(_, labels)| labels)
    }
}

impl Lab {
    /// What carries this label; `label` is `key` or `key=value`.
    pub async fn labelled(&self, label: &str) -> ClientResult<Found> {
        let filter = HashMap::from([("label", vec![label])]);
        let docker = &self.engine.docker;
        let what = format!("list what is labelled {label}");
        let containers =
            docker.list_containers(Some(ListContainersOptionsBuilder::default().all(true).filters(&filter).build()));
        let networks = docker.list_networks(Some(ListNetworksOptionsBuilder::default().filters(&filter).build()));
        let volumes = docker.list_volumes(Some(ListVolumesOptionsBuilder::default().filters(&filter).build()));
        let (containers, networks, volumes) =
            tokio::try_join!(containers, networks, volumes).map_err(self.engine.failed(what))?;
        let sorted = |labels: HashMap<String, String>| labels.into_iter().collect::<Labels>();
        Ok(Found {
            containers: containers
                .into_iter()
                .filter_map(|c| Some((c.id?, sorted(c.labels.unwrap_or_default()))))
                .collect(),
            networks: networks
                .into_iter()
                .filter_map(|n| Some((n.name?, sorted(n.labels.unwrap_or_default()))))
                .collect(),
            volumes: volumes.volumes.unwrap_or_default().into_iter().map(|v| (v.name, sorted(v.labels))).collect(),
        })
    }

    /// Kills and removes what was found: containers with their nameless volumes, then networks and volumes. What is
    /// gone already is no error; of several failures the first is told, after all was tried.
    pub async fn remove_all(&self, found: &Found) -> ClientResult<()> {
        let (docker, engine) = (&self.engine.docker, &self.engine);
        let mut failures = Vec::new();
        let options = RemoveContainerOptionsBuilder::default().v(true).force(true).build();
        let gone = found.containers.iter().map(|(id, _)| {
            let options = options.clone();
            async move {
                let removed = docker.remove_container(id, Some(options)).await;
                removed.map_err(engine.failed(format!("remove the container {id}")))
            }
        });
        failures.extend(join_all(gone).await.into_iter().filter_map(failure));
        let networks = found.networks.iter().map(|(name, _)| async move {
            docker.remove_network(name).await.map_err(engine.failed(format!("remove the network {name}")))
        });
        let volumes = found.volumes.iter().map(|(name, _)| async move {
            let removed = docker.remove_volume(name, None::<RemoveVolumeOptions>).await;
            removed.map_err(engine.failed(format!("remove the volume {name}")))
        });
        let (networks, volumes) = tokio::join!(join_all(networks), join_all(volumes));
        failures.extend(networks.into_iter().chain(volumes).filter_map(failure));
        failures.into_iter().next().map_or(Ok(()), Err)
    }
}

/// A failure that leaves something behind. One that is being removed already is as good as gone.
fn failure(done: ClientResult<()>) -> Option<ClientError> {
    done.err().filter(|e| e.kind != Kind::NotFound && !e.why.contains("already in progress"))
}
