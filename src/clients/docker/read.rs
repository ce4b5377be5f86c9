//! The reading half of the port.

use std::collections::BTreeMap;

use async_trait::async_trait;
use bollard::query_parameters::{
    DownloadFromContainerOptionsBuilder, InspectContainerOptions, InspectNetworkOptions, ListContainersOptionsBuilder,
    LogsOptionsBuilder, TopOptionsBuilder,
};
use bytes::Bytes;
use futures::{StreamExt, TryStreamExt};

use super::archive::{self, First};
use super::{Engine, dial, inspect, stall};
use crate::clients::hosts::{Bytestream, Container, Duplex, HostRead, Image};
use crate::clients::{ClientError, ClientResult, Kind};

#[async_trait]
impl HostRead for Engine {
    fn address(&self) -> String {
        self.address.clone()
    }

    async fn engine(&self) -> ClientResult<(String, String)> {
        let version = self.docker.version().await.map_err(self.failed("ask the engine's version"))?;
        Ok((version.version.unwrap_or_default(), architecture(&version.arch.unwrap_or_default())))
    }

    async fn container(&self, name: &str) -> ClientResult<Option<Container>> {
        match self.docker.inspect_container(name, None::<InspectContainerOptions>).await {
            Ok(found) => Ok(Some(inspect::container(found))),
            Err(e) => none_if_absent(self.failed(format!("look at the container {name}"))(e)),
        }
    }

    async fn containers(&self) -> ClientResult<Vec<Container>> {
        let options = ListContainersOptionsBuilder::default().all(true).build();
        let listed = self.docker.list_containers(Some(options)).await.map_err(self.failed("list the containers"))?;
        let looks = listed.into_iter().filter_map(|c| c.id).map(|id| async move { self.container(&id).await });
        // One that is gone between the two looks is not there.
        let mut all: Vec<Container> = futures::stream::iter(looks)
            .buffer_unordered(8)
            .try_filter_map(|c| std::future::ready(Ok(c)))
            .try_collect()
            .await?;
        all.sort_by(|a, b| a.name.cmp(&b.name));
        Ok(all)
    }

    async fn has_image(&self, image_id: &str) -> ClientResult<bool> {
        Ok(self.image(image_id).await?.is_some())
    }

    async fn image(&self, image: &str) -> ClientResult<Option<Image>> {
        match self.docker.inspect_image(image).await {
            Ok(found) => Ok(Some(Image {
                id: found.id.unwrap_or_default(),
                architecture: architecture(&found.architecture.unwrap_or_default()),
                bytes: found.size.and_then(|size| u64::try_from(size).ok()).unwrap_or_default(),
            })),
            Err(e) => none_if_absent(self.failed(format!("look at the image {image}"))(e)),
        }
    }

    async fn network(&self, name: &str) -> ClientResult<Option<BTreeMap<String, String>>> {
        match self.docker.inspect_network(name, None::<InspectNetworkOptions>).await {
            Ok(found) => Ok(Some(found.labels.unwrap_or_default().into_iter().collect())),
            Err(e) => none_if_absent(self.failed(format!("look at the network {name}"))(e)),
        }
    }

    async fn own_changes(&self, container: &str) -> ClientResult<Vec<String>> {
        let changes = self.docker.container_changes(container).await;
        let what = format!("look for what the container {container} wrote");
        let changes = changes.map_err(self.failed(what))?.unwrap_or_default();
        // Deleted files have nothing to carry.
        let kept = changes.into_iter().filter(|c| c.kind != bollard::models::ChangeType::_2);
        Ok(kept.map(|c| c.path).collect())
    }

    async fn read(&self, container: &str, path: &str) -> ClientResult<Bytestream> {
        let what = format!("read {path} in the container {container}");
        let options = DownloadFromContainerOptionsBuilder::default().path(path).build();
        let stream = self.streams.download_from_container(container, Some(options));
        Ok(archive::whole(self.begun(&what, stream).await?))
    }

    async fn read_file(&self, container: &str, path: &str) -> ClientResult<Bytes> {
        let mut at = path.to_owned();
        for _ in 0..8 {
            let stream = self.read(container, &at).await?;
            let refused = |why: String| {
                let what = format!("read {path} in the container {container} on {}", self.address);
                Err(ClientError::new(Kind::Refused, what, why))
            };
            match archive::first(stream).await {
                Ok(First::File(content)) => return Ok(content),
                Ok(First::Link(target)) => at = archive::follow(&at, &target),
                Ok(First::Other(why)) => return refused(why),
                Err(e) => {
                    let what = format!("read {path} in the container {container} on {}", self.address);
                    return Err(ClientError::new(Kind::Unanswered, what, e.to_string()));
                }
            }
        }
        let what = format!("read {path} in the container {container} on {}", self.address);
        Err(ClientError::new(Kind::Refused, what, "its links lead in a circle"))
    }

    async fn save_images(&self, images: &[String]) -> ClientResult<Bytestream> {
        let what = format!("read the images {}", images.join(", "));
        let names: Vec<&str> = images.iter().map(String::as_str).collect();
        let stream = self.streams.export_images(&names);
        self.begun(&what, stream).await
    }

    async fn dial(&self, container: &str, port: u16) -> ClientResult<Box<dyn Duplex>> {
        dial::dial(self, container, port).await
    }

    async fn processes(&self, container: &str) -> ClientResult<Vec<(u32, String)>> {
        let options = TopOptionsBuilder::default().ps_args("-eo pid,args").build();
        let top = self.docker.top_processes(container, Some(options)).await;
        let top = top.map_err(self.failed(format!("list the processes of the container {container}")))?;
        let row = |row: Vec<String>| {
            let (pid, command) = row.split_first()?;
            Some((pid.trim().parse().ok()?, command.join(" ")))
        };
        Ok(top.processes.unwrap_or_default().into_iter().filter_map(row).collect())
    }

    async fn logs(&self, container: &str, lines: usize) -> ClientResult<String> {
        let options = LogsOptionsBuilder::default().stdout(true).stderr(true).tail(&lines.to_string()).build();
        let mut stream = self.docker.logs(container, Some(options));
        let mut text = String::new();
        while let Some(line) = stream.next().await {
            let line = line.map_err(self.failed(format!("read the output of the container {container}")))?;
            text.push_str(&String::from_utf8_lossy(&line.into_bytes()));
        }
        Ok(text)
    }
}

impl Engine {
    /// A stream whose first piece came: an answer that says no is an error here, not in the middle of the data.
    async fn begun<S>(&self, what: &str, stream: S) -> ClientResult<Bytestream>
    where
        S: futures::Stream<Item = Result<Bytes, bollard::errors::Error>> + Send + 'static,
    {
        let mut stream = Box::pin(stream);
        let first = match tokio::time::timeout(stall::STANDSTILL, stream.next()).await {
            Ok(first) => first.transpose().map_err(self.failed(what))?,
            Err(_) => return Err(self.failed(what)(bollard::errors::Error::RequestTimeoutError)),
        };
        let rest = stream.map_err(std::io::Error::other);
        let whole = futures::stream::iter(first.map(Ok)).chain(rest);
        Ok(stall::guard(whole.boxed(), stall::STANDSTILL))
    }
}

/// As the kernel calls it.
fn architecture(engine: &str) -> String {
    match engine {
        "amd64" => "x86_64".to_owned(),
        "arm64" => "aarch64".to_owned(),
        other => other.to_owned(),
    }
}

/// What is not there is no failure.
fn none_if_absent<T>(error: ClientError) -> ClientResult<Option<T>> {
    if error.kind == Kind::NotFound { Ok(None) } else { Err(error) }
}
