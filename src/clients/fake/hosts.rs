//! A Docker engine in memory: containers with files, images, networks.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use async_trait::async_trait;
use bytes::Bytes;
use futures::StreamExt;
use serde_json::{Value, json};
use tokio::io::AsyncReadExt;
use tokio_util::io::StreamReader;

use super::Fuse;
use crate::clients::hosts::{Attachment, Bytestream, Container, Duplex, HostRead, HostWrite, Image};
use crate::clients::{ClientError, ClientResult, Kind};

/// What lies at a path inside a container.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Node {
    /// A file.
    File(Bytes),
    /// A symbolic link.
    Symlink(String),
    /// A second name of a file, by its absolute path.
    Hardlink(String),
    /// A character device.
    Device,
}

/// One engine.
#[derive(Clone)]
pub struct FakeHost {
    fuse: Fuse,
    name: String,
    state: Arc<Mutex<State>>,
}

type Files = BTreeMap<Vec<u8>, Node>;

/// What a container answers to a request on its port: the head of the request, to the whole answer.
pub(super) type Answer = Arc<dyn Fn(&Container, &str) -> Option<String> + Send + Sync>;

#[derive(Default)]
struct State {
    containers: Vec<(Container, Files)>,
    /// Images by id, with their names.
    images: BTreeMap<String, String>,
    /// Networks, with their labels.
    networks: BTreeMap<String, BTreeMap<String, String>>,
    made: usize,
    answer: Option<Answer>,
    signals: usize,
}

impl FakeHost {
    /// An engine with nothing on it.
    pub fn new(fuse: Fuse, name: &str) -> Self {
        Self { fuse, name: name.into(), state: Arc::default() }
    }

    /// Puts a container there as it stands, with its image and its networks.
    pub fn place(&self, container: Container) {
        let mut state = self.lock();
        state.images.insert(container.image_id.clone(), container.image.clone());
        for place in &container.networks {
            state.networks.entry(place.network.clone()).or_default();
        }
        state.containers.push((container, Files::new()));
    }

    /// Holds an image that no container stands on.
    pub fn hold_image(&self, id: &str, name: &str) {
        self.lock().images.insert(id.to_owned(), name.to_owned());
    }

    /// Lets running containers answer [`HostRead::dial`]: from a request's head to the whole answer.
    pub fn answer_with(&self, answer: impl Fn(&Container, &str) -> Option<String> + Send + Sync + 'static) {
        self.lock().answer = Some(Arc::new(answer));
    }

    /// How many signals were sent.
    pub fn signals(&self) -> usize {
        self.lock().signals
    }

    /// The running containers that a name leads to in a network, as the engine's name server would say.
    pub fn resolve(&self, network: &str, name: &str) -> Vec<String> {
        let state = self.lock();
        let leads = |c: &Container| {
            let there =
                |a: &Attachment| a.network == network && (c.name == name || a.aliases.iter().any(|x| x == name));
            c.running && c.networks.iter().any(there)
        };
        state.containers.iter().filter(|(c, _)| leads(c)).map(|(c, _)| c.id.clone()).collect()
    }

    /// Puts something at an absolute path (any bytes) inside a container.
    pub fn put(&self, container: &str, path: impl AsRef<[u8]>, node: Node) {
        let mut state = self.lock();
        if let Ok(at) = state.at("put", container) {
            state.containers[at].1.insert(path.as_ref().to_vec(), node);
        }
    }

    /// Puts a text file there.
    pub fn text(&self, container: &str, path: &str, text: &str) {
        self.put(container, path, Node::File(Bytes::copy_from_slice(text.as_bytes())));
    }

    /// Everything, comparable. Ids of containers made here, and addresses, are left out: the engine chooses them anew
    /// at each try.
    pub fn snapshot(&self) -> Value {
        let state = self.lock();
        let mut containers: Vec<Value> = Vec::new();
        for (container, files) in &state.containers {
            let mut container = container.clone();
            for place in &mut container.networks {
                place.address.clear();
            }
            if container.id.starts_with("made-") {
                container.id.clear();
            }
            let files = files.iter().map(|(path, node)| (String::from_utf8_lossy(path), format!("{node:?}")));
            containers.push(json!([container, files.collect::<BTreeMap<_, _>>()]));
        }
        containers.sort_by_key(ToString::to_string);
        json!({ "containers": containers, "images": state.images, "networks": state.networks })
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    async fn change<T>(
        &self,
        what: &str,
        name: &str,
        f: impl FnOnce(&mut Container) -> ClientResult<T>,
    ) -> ClientResult<T> {
        self.fuse
            .act(what, || {
                let mut state = self.lock();
                let at = state.at(what, name)?;
                f(&mut state.containers[at].0)
            })
            .await
    }
}

impl State {
    fn at(&self, what: &str, name: &str) -> ClientResult<usize> {
        let at = self.containers.iter().position(|(c, _)| c.name == name || c.id == name);
        at.ok_or_else(|| ClientError::new(Kind::NotFound, what, format!("there is no container {name}")))
    }
}

/// The tar stream Docker makes of a path: names begin with the path's last part.
async fn archive(files: Vec<(Vec<u8>, Node)>, path: &str) -> std::io::Result<Vec<u8>> {
    use std::os::unix::ffi::OsStrExt;
    let parent = path.rfind('/').map_or(0, |at| at + 1);
    let mut tar = tokio_tar::Builder::new(Vec::new());
    for (name, node) in files {
        let mut header = tokio_tar::Header::new_gnu();
        header.set_mode(0o644);
        header.set_size(0);
        let inside = std::path::Path::new(std::ffi::OsStr::from_bytes(&name[parent..])).to_path_buf();
        match node {
            Node::File(body) => {
                header.set_size(body.len() as u64);
                tar.append_data(&mut header, inside, body.as_ref()).await?;
            }
            Node::Symlink(to) => {
                header.set_entry_type(tokio_tar::EntryType::Symlink);
                header.set_link_name(to)?;
                tar.append_data(&mut header, inside, tokio::io::empty()).await?;
            }
            Node::Hardlink(to) => {
                header.set_entry_type(tokio_tar::EntryType::Link);
                header.set_link_name(&to[parent..])?;
                tar.append_data(&mut header, inside, tokio::io::empty()).await?;
            }
            Node::Device => {
                header.set_entry_type(tokio_tar::EntryType::Char);
                tar.append_data(&mut header, inside, tokio::io::empty()).await?;
            }
        }
    }
    tar.into_inner().await
}

fn stream(bytes: &[u8]) -> Bytestream {
    let pieces: Vec<_> = bytes.chunks(64 << 10).map(|piece| Ok(Bytes::copy_from_slice(piece))).collect();
    futures::stream::iter(pieces).boxed()
}

#[async_trait]
impl HostRead for FakeHost {
    fn address(&self) -> String {
        format!("memory://{}", self.name)
    }

    async fn engine(&self) -> ClientResult<(String, String)> {
        Ok(("29.0.0".into(), "x86_64".into()))
    }

    async fn container(&self, name: &str) -> ClientResult<Option<Container>> {
        Ok(self.lock().containers.iter().map(|(c, _)| c).find(|c| c.name == name || c.id == name).cloned())
    }

    async fn containers(&self) -> ClientResult<Vec<Container>> {
        Ok(self.lock().containers.iter().map(|(c, _)| c.clone()).collect())
    }

    async fn has_image(&self, image_id: &str) -> ClientResult<bool> {
        Ok(self.lock().images.contains_key(image_id))
    }

    async fn image(&self, image: &str) -> ClientResult<Option<Image>> {
        let state = self.lock();
        let found = state.images.iter().find(|(id, name)| *id == image || *name == image);
        Ok(found.map(|(id, _)| Image { id: id.clone(), architecture: "x86_64".into(), bytes: 1 << 20 }))
    }

    async fn network(&self, name: &str) -> ClientResult<Option<BTreeMap<String, String>>> {
        Ok(self.lock().networks.get(name).cloned())
    }

    async fn own_changes(&self, _: &str) -> ClientResult<Vec<String>> {
        Ok(Vec::new())
    }

    async fn read(&self, container: &str, path: &str) -> ClientResult<Bytestream> {
        let files: Vec<_> = {
            let state = self.lock();
            let at = state.at("read", container)?;
            let below = format!("{path}/").into_bytes();
            let inside = |name: &[u8]| name == path.as_bytes() || name.starts_with(&below);
            let files = state.containers[at].1.iter().filter(|(name, _)| inside(name));
            files.map(|(name, node)| (name.clone(), node.clone())).collect()
        };
        if files.is_empty() {
            return Err(ClientError::new(Kind::NotFound, format!("read {path} in {container}"), "it is not there"));
        }
        let tar = archive(files, path).await;
        Ok(stream(&tar.map_err(|e| ClientError::new(Kind::Refused, format!("read {path}"), e.to_string()))?))
    }

    async fn read_file(&self, container: &str, path: &str) -> ClientResult<Bytes> {
        let state = self.lock();
        let at = state.at("read", container)?;
        match state.containers[at].1.get(path.as_bytes()) {
            Some(Node::File(body)) => Ok(body.clone()),
            _ => Err(ClientError::new(Kind::NotFound, format!("read {path} in {container}"), "it is not there")),
        }
    }

    async fn save_images(&self, images: &[String]) -> ClientResult<Bytestream> {
        let state = self.lock();
        let mut saved = Vec::new();
        for image in images {
            let found = state.images.iter().find(|(id, name)| *id == image || *name == image);
            let (id, name) = found
                .ok_or_else(|| ClientError::new(Kind::NotFound, "save images", format!("there is no image {image}")))?;
            saved.push(format!("{id} {}", if name == image { name } else { "" }));
        }
        Ok(stream(saved.join("\n").as_bytes()))
    }

    async fn dial(&self, container: &str, port: u16) -> ClientResult<Box<dyn Duplex>> {
        let state = self.lock();
        let there = &state.containers[state.at("dial", container)?].0;
        // Containers in memory run nothing: unless a test says what they answer, nothing listens.
        match &state.answer {
            Some(answer) if there.running => Ok(Box::new(super::dial::answered(there.clone(), Arc::clone(answer)))),
            _ => Err(ClientError::new(Kind::Refused, format!("reach {container}:{port}"), "connection refused")),
        }
    }

    async fn processes(&self, container: &str) -> ClientResult<Vec<(u32, String)>> {
        let state = self.lock();
        state.at("list processes", container)?;
        // A signal brings new workers, as it does with nginx.
        let pid = u32::try_from(state.signals).unwrap_or(u32::MAX);
        Ok(vec![(pid, "nginx: worker process".to_owned())])
    }

    async fn logs(&self, _: &str, _: usize) -> ClientResult<String> {
        Ok(String::new())
    }
}

#[async_trait]
impl HostWrite for FakeHost {
    async fn load_images(&self, mut stream: Bytestream) -> ClientResult<()> {
        let mut list = Vec::new();
        while let Some(piece) = stream.next().await {
            list.extend(piece.map_err(|e| ClientError::new(Kind::Unanswered, "load images", e.to_string()))?);
        }
        self.fuse
            .act("load images", || {
                let list = String::from_utf8_lossy(&list);
                let images = list.lines().filter_map(|line| line.split_once(' '));
                self.lock().images.extend(images.map(|(id, name)| (id.to_owned(), name.to_owned())));
                Ok(())
            })
            .await
    }

    async fn remove_image(&self, image: &str) -> ClientResult<()> {
        self.fuse
            .act("remove image", || {
                let mut state = self.lock();
                let used: BTreeSet<String> = state.containers.iter().map(|(c, _)| c.image_id.clone()).collect();
                state.images.retain(|id, name| used.contains(id) || (id != image && name != image));
                Ok(())
            })
            .await
    }

    async fn ensure_network(&self, name: &str, labels: &BTreeMap<String, String>) -> ClientResult<()> {
        self.fuse
            .act("make network", || {
                self.lock().networks.entry(name.to_owned()).or_insert_with(|| labels.clone());
                Ok(())
            })
            .await
    }

    async fn remove_network(&self, name: &str) -> ClientResult<()> {
        self.fuse
            .act("remove network", || {
                self.lock().networks.remove(name);
                Ok(())
            })
            .await
    }

    async fn create(&self, definition: &Container) -> ClientResult<String> {
        self.fuse
            .act("create container", || {
                let mut state = self.lock();
                if state.at("create", &definition.name).is_ok() {
                    return Err(ClientError::new(Kind::Conflict, "create container", "the name is taken"));
                }
                let absent = |what: &str| Err(ClientError::new(Kind::NotFound, "create container", what));
                if !state.images.contains_key(&definition.image_id) {
                    return absent("there is no such image");
                }
                if definition.networks.iter().any(|place| !state.networks.contains_key(&place.network)) {
                    return absent("there is no such network");
                }
                state.made += 1;
                let id = format!("made-{}", state.made);
                let container = Container { id: id.clone(), running: false, ..definition.clone() };
                state.containers.push((container, Files::new()));
                Ok(id)
            })
            .await
    }

    async fn start(&self, container: &str) -> ClientResult<()> {
        self.fuse
            .act("start", || {
                let mut state = self.lock();
                let at = state.at("start", container)?;
                let wanted: Vec<u16> = state.containers[at].0.ports.iter().map(|p| p.host).collect();
                let taken = |(i, (c, _)): (usize, &(Container, Files))| {
                    i != at && c.running && c.ports.iter().any(|p| wanted.contains(&p.host))
                };
                if state.containers.iter().enumerate().any(taken) {
                    return Err(ClientError::new(Kind::Refused, "start", "port is already allocated"));
                }
                state.containers[at].0.running = true;
                Ok(())
            })
            .await
    }

    async fn stop(&self, container: &str, _: u32) -> ClientResult<()> {
        let stopped = self.change("stop", container, |c| {
            c.running = false;
            Ok(())
        });
        gone_is_fine(stopped.await)
    }

    async fn rename(&self, container: &str, name: &str) -> ClientResult<()> {
        self.fuse
            .act("rename", || {
                let mut state = self.lock();
                if state.at("rename", name).is_ok() {
                    return Err(ClientError::new(Kind::Conflict, "rename", "the name is taken"));
                }
                let at = state.at("rename", container)?;
                name.clone_into(&mut state.containers[at].0.name);
                Ok(())
            })
            .await
    }

    async fn remove(&self, container: &str) -> ClientResult<()> {
        self.fuse
            .act("remove", || {
                let mut state = self.lock();
                if state.containers.iter().any(|(c, _)| c.running && (c.name == container || c.id == container)) {
                    return Err(ClientError::new(Kind::Conflict, "remove", "it runs"));
                }
                state.containers.retain(|(c, _)| c.name != container && c.id != container);
                Ok(())
            })
            .await
    }

    async fn connect(&self, container: &str, attachment: &Attachment) -> ClientResult<()> {
        self.change("connect", container, |c| {
            if c.networks.iter().any(|there| there.network == attachment.network) {
                return Err(ClientError::new(Kind::Denied, "connect", "it is on that network already"));
            }
            c.networks.push(attachment.clone());
            Ok(())
        })
        .await
    }

    async fn disconnect(&self, container: &str, network: &str) -> ClientResult<()> {
        let done = self.change("disconnect", container, |c| {
            c.networks.retain(|there| there.network != network);
            Ok(())
        });
        gone_is_fine(done.await)
    }

    async fn write(&self, container: &str, directory: &str, tar: Bytestream) -> ClientResult<()> {
        let broken = |e: std::io::Error| ClientError::new(Kind::Unanswered, "write", e.to_string());
        let mut files = Vec::new();
        let mut archive = tokio_tar::Archive::new(StreamReader::new(tar));
        let mut entries = archive.entries().map_err(broken)?;
        while let Some(entry) = entries.next().await {
            let mut entry = entry.map_err(broken)?;
            let path = format!("{}/{}", directory.trim_end_matches('/'), entry.path().map_err(broken)?.display());
            let mut body = Vec::new();
            entry.read_to_end(&mut body).await.map_err(broken)?;
            files.push((path.into_bytes(), Node::File(body.into())));
        }
        self.fuse
            .act("write", || {
                let mut state = self.lock();
                let at = state.at("write", container)?;
                state.containers[at].1.extend(files);
                Ok(())
            })
            .await
    }

    async fn signal(&self, container: &str, _: &str) -> ClientResult<()> {
        let sent = self.change("signal", container, |c| {
            if c.running { Ok(()) } else { Err(ClientError::new(Kind::Conflict, "signal", "it does not run")) }
        });
        sent.await?;
        self.lock().signals += 1;
        Ok(())
    }
}

fn gone_is_fine(result: ClientResult<()>) -> ClientResult<()> {
    match result {
        Err(error) if error.kind == Kind::NotFound => Ok(()),
        other => other,
    }
}
