//! The changing half of the port.

use std::collections::{BTreeMap, HashMap};

use async_trait::async_trait;
use bollard::errors::Error;
use bollard::models::{NetworkConnectRequest, NetworkCreateRequest, NetworkDisconnectRequest};
use bollard::query_parameters::{
    CreateContainerOptionsBuilder, ImportImageOptions, KillContainerOptionsBuilder, RemoveContainerOptionsBuilder,
    RemoveImageOptions, RenameContainerOptionsBuilder, StartContainerOptions, StopContainerOptionsBuilder,
    UploadToContainerOptionsBuilder,
};
use futures::TryStreamExt;

use super::stall::{self, Passed};
use super::{Engine, PATIENCE, define};
use crate::clients::hosts::{Attachment, Bytestream, Container, HostRead, HostWrite};
use crate::clients::{ClientError, ClientResult, Kind};

#[async_trait]
impl HostWrite for Engine {
    async fn load_images(&self, stream: Bytestream) -> ClientResult<()> {
        let passed = Passed::default();
        let body = stall::count(stall::guard(stream, stall::STANDSTILL), &passed);
        // The answer is a stream of JSON with status 200, errors among it: every item is looked at.
        let answer = self.streams.import_image_stream(ImportImageOptions::default(), body, None);
        let counted = passed.clone();
        let call = answer.try_for_each(move |_| {
            counted.tick();
            std::future::ready(Ok(()))
        });
        self.watched("load images", call, &passed).await
    }

    async fn remove_image(&self, image: &str) -> ClientResult<()> {
        let removed = self.docker.remove_image(image, None::<RemoveImageOptions>, None).await.map(|_| ());
        match removed.map_err(self.failed(format!("remove the image {image}"))) {
            // "unless a container uses it": the engine says so by a conflict.
            Err(e) if matches!(e.kind, Kind::NotFound | Kind::Conflict) => Ok(()),
            other => other,
        }
    }

    async fn ensure_network(&self, name: &str, labels: &BTreeMap<String, String>) -> ClientResult<()> {
        let what = format!("make the network {name}");
        // Engines before 25 make a second network of the same name if asked.
        if self.network(name).await?.is_some() {
            return Ok(());
        }
        let request = NetworkCreateRequest {
            name: name.to_owned(),
            labels: Some(labels.clone().into_iter().collect::<HashMap<_, _>>()),
            ..NetworkCreateRequest::default()
        };
        self.docker.create_network(request).await.map(|_| ()).map_err(self.failed(what))
    }

    async fn remove_network(&self, name: &str) -> ClientResult<()> {
        let removed = self.docker.remove_network(name).await;
        fine_if_absent(removed.map_err(self.failed(format!("remove the network {name}"))))
    }

    async fn create(&self, definition: &Container) -> ClientResult<String> {
        let what = format!("create the container {}", definition.name);
        let image = self.reference(definition).await?;
        let options = CreateContainerOptionsBuilder::default().name(&definition.name).build();
        let body = define::body(definition, &image);
        let id = self.docker.create_container(Some(options), body).await.map_err(self.failed(&what))?.id;
        for attachment in definition.networks.iter().skip(1) {
            if let Err(e) = self.connect(&id, attachment).await {
                // Half a container helps nobody; if it cannot be removed, the first error still is the news.
                let _ = self.remove(&id).await;
                return Err(e);
            }
        }
        Ok(id)
    }

    async fn start(&self, container: &str) -> ClientResult<()> {
        let started = self.docker.start_container(container, None::<StartContainerOptions>).await;
        started.map_err(self.failed(format!("start the container {container}")))
    }

    async fn stop(&self, container: &str, grace_seconds: u32) -> ClientResult<()> {
        let what = format!("stop the container {container}");
        let seconds = i32::try_from(grace_seconds).unwrap_or(i32::MAX);
        let options = StopContainerOptionsBuilder::default().t(seconds).build();
        let patience = PATIENCE + std::time::Duration::from_secs(u64::from(grace_seconds));
        let docker = self.docker.clone().with_timeout(patience);
        fine_if_absent(docker.stop_container(container, Some(options)).await.map_err(self.failed(what)))
    }

    async fn rename(&self, container: &str, name: &str) -> ClientResult<()> {
        let options = RenameContainerOptionsBuilder::default().name(name).build();
        let renamed = self.docker.rename_container(container, options).await;
        renamed.map_err(self.failed(format!("rename the container {container} to {name}")))
    }

    async fn remove(&self, container: &str) -> ClientResult<()> {
        // `v` removes volumes without a name of their own; named ones stay.
        let options = RemoveContainerOptionsBuilder::default().v(true).build();
        let removed = self.docker.remove_container(container, Some(options)).await;
        fine_if_absent(removed.map_err(self.failed(format!("remove the container {container}"))))
    }

    async fn connect(&self, container: &str, attachment: &Attachment) -> ClientResult<()> {
        let what = format!("connect the container {container} to the network {}", attachment.network);
        let request = NetworkConnectRequest {
            container: container.to_owned(),
            endpoint_config: Some(define::endpoint(attachment)),
        };
        self.docker.connect_network(&attachment.network, request).await.map_err(self.failed(what))
    }

    async fn disconnect(&self, container: &str, network: &str) -> ClientResult<()> {
        let what = format!("disconnect the container {container} from the network {network}");
        let request = NetworkDisconnectRequest { container: container.to_owned(), force: Some(true) };
        let done = self.docker.disconnect_network(network, request).await.map_err(self.failed(what));
        match done {
            Err(e) if e.why.contains("is not connected to") => Ok(()),
            other => fine_if_absent(other),
        }
    }

    async fn write(&self, container: &str, directory: &str, tar: Bytestream) -> ClientResult<()> {
        let what = format!("write below {directory} in the container {container}");
        let passed = Passed::default();
        let body = bollard::body_try_stream(stall::count(stall::guard(tar, stall::STANDSTILL), &passed));
        let options = UploadToContainerOptionsBuilder::default().path(directory).build();
        let call = self.streams.upload_to_container(container, Some(options), body);
        self.watched(&what, call, &passed).await
    }

    async fn signal(&self, container: &str, signal: &str) -> ClientResult<()> {
        let options = KillContainerOptionsBuilder::default().signal(signal).build();
        let sent = self.docker.kill_container(container, Some(options)).await;
        sent.map_err(self.failed(format!("send {signal} to the container {container}")))
    }
}

impl Engine {
    /// How to name the image so that the engine takes exactly that one: a name may have moved on to another image.
    async fn reference(&self, definition: &Container) -> ClientResult<String> {
        if definition.image_id.is_empty() {
            return Ok(definition.image.clone());
        }
        match self.image(&definition.image).await? {
            Some(image) if image.id == definition.image_id => Ok(definition.image.clone()),
            _ => Ok(definition.image_id.clone()),
        }
    }

    async fn watched(
        &self,
        what: &str,
        call: impl Future<Output = Result<(), Error>>,
        passed: &Passed,
    ) -> ClientResult<()> {
        match stall::watch(call, passed, stall::STANDSTILL).await {
            Some(done) => done.map_err(self.failed(what)),
            None => Err(self.failed(what)(Error::RequestTimeoutError)),
        }
    }
}

/// What is gone already need not go.
fn fine_if_absent(done: Result<(), ClientError>) -> ClientResult<()> {
    match done {
        Err(e) if e.kind == Kind::NotFound => Ok(()),
        other => other,
    }
}
