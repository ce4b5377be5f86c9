//! Files of a container that is made again: which of its mounts it may share with the old one, and how files and
//! folders get into it before it starts.

use std::io;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use bytes::Bytes;
use futures::StreamExt;
use tokio_util::io::StreamReader;

use crate::clients::Kind;
use crate::clients::hosts::{Bytestream, Container, HostRead, HostWrite, Mount};
use crate::rewrite::app::Plan;
use crate::step::{Fault, StepResult};

/// The largest folder of configuration that is copied.
pub(super) const FOLDER: u64 = 64 << 20;

/// How the new container is laid out.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Layout {
    /// Its mounts.
    pub mounts: Vec<Mount>,
    /// Folders that it gets as a copy of its own.
    pub folders: Vec<String>,
}

impl Layout {
    /// A changed file must not be changed under the old container, so the mount that holds it is not shared.
    pub(super) fn of(app: &Container, plan: &Plan) -> StepResult<Self> {
        let mut layout = Self { mounts: app.mounts.clone(), folders: Vec::new() };
        for change in &plan.files {
            let Some(mount) = covering(&mut layout.mounts, &change.path) else { continue };
            if mount.kind == "tmpfs" {
                return Err(Fault::failed_with(
                    format!("{} of {} lies in memory (tmpfs)", change.path, app.name),
                    "something writes it at each start: change it there, and take it out of `box.app.files`",
                ));
            }
            let target = mount.target.clone();
            if target == change.path {
                layout.mounts.retain(|mount| mount.target != target);
            } else if !layout.folders.contains(&target) {
                "volume".clone_into(&mut mount.kind);
                mount.source = String::new();
                mount.read_only = false;
                layout.folders.push(target);
            }
        }
        Ok(layout)
    }

    /// What a person is told of it.
    pub(super) fn told(&self, app: &Container) -> Vec<String> {
        let away = app.mounts.iter().filter(|mount| !self.mounts.contains(mount));
        away.map(|mount| {
            let kind = if self.folders.contains(&mount.target) { "a volume" } else { "a file" };
            format!(
                "{}: {} stays mounted in the old container only; the new one gets {kind} of its own",
                mount.target, mount.source
            )
        })
        .collect()
    }
}

/// The mount in which a path lies.
fn covering<'m>(mounts: &'m mut [Mount], path: &str) -> Option<&'m mut Mount> {
    let inside = |target: &str| {
        path == target || path.strip_prefix(target.trim_end_matches('/')).is_some_and(|rest| rest.starts_with('/'))
    };
    mounts.iter_mut().filter(|mount| inside(&mount.target)).max_by_key(|mount| mount.target.len())
}

/// Whether a path lies in one of the mounts.
pub(in crate::steps) fn is_mounted(mounts: &[Mount], path: &str) -> bool {
    covering(&mut mounts.to_vec(), path).is_some()
}

/// Copies a file or folder from one container into another, at most `limit` bytes of archive; gives the bytes.
pub(in crate::steps) async fn copy(
    from: (&dyn HostRead, &str),
    to: (&dyn HostWrite, &str),
    path: &str,
    limit: u64,
    tick: impl Fn(u64) + Send + Sync + 'static,
) -> StepResult<u64> {
    let passed = Arc::new(AtomicU64::new(0));
    let counted = Arc::clone(&passed);
    let stream = from.0.read(from.1, path).await?.map(move |piece| {
        let piece = piece?;
        let sum = counted.fetch_add(piece.len() as u64, Ordering::Relaxed) + piece.len() as u64;
        if sum > limit {
            return Err(io::Error::other("more than was agreed to"));
        }
        tick(sum);
        Ok(piece)
    });
    let written = to.0.write(to.1, parent(path), stream.boxed()).await;
    let sum = passed.load(Ordering::Relaxed);
    if sum > limit {
        return Err(Fault::failed_with(
            format!("{path} in the container {} is larger than {} MiB", from.1, limit >> 20),
            "put what is large on shared storage first: a copy of it would go its own way",
        ));
    }
    written?;
    Ok(sum)
}

/// Writes a file into a container: owner and mode as the file of the same path in `like`, if there is one.
pub(in crate::steps) async fn put_file(
    like: (&dyn HostRead, &str),
    to: (&dyn HostWrite, &str),
    path: &str,
    content: &[u8],
) -> StepResult<()> {
    let header = match like.0.read(like.1, path).await {
        Ok(stream) => first(stream).await.map_err(|e| Fault::InDoubt(format!("read {path} in {}: {e}", like.1)))?,
        Err(e) if e.kind == Kind::NotFound => None,
        Err(e) => return Err(e.into()),
    };
    let tar = single(header, path, content).await.map_err(|e| Fault::failed(format!("pack {path}: {e}")))?;
    // The whole path goes into the archive, so that folders which are not there yet are made.
    Ok(to.0.write(to.1, "/", futures::stream::iter([Ok(tar)]).boxed()).await?)
}

async fn first(stream: Bytestream) -> io::Result<Option<tokio_tar::Header>> {
    let mut archive = tokio_tar::Archive::new(StreamReader::new(stream));
    let mut entries = archive.entries()?;
    Ok(entries.next().await.transpose()?.map(|entry| entry.header().clone()))
}

async fn single(like: Option<tokio_tar::Header>, path: &str, content: &[u8]) -> io::Result<Bytes> {
    let mut header = tokio_tar::Header::new_gnu();
    header.set_mode(0o644);
    if let Some(like) = like.filter(|like| like.entry_type().is_file()) {
        // A field that cannot be read is left at its default.
        header.set_mode(like.mode().unwrap_or(0o644));
        header.set_uid(like.uid().unwrap_or_default());
        header.set_gid(like.gid().unwrap_or_default());
        header.set_mtime(like.mtime().unwrap_or_default());
    }
    header.set_size(content.len() as u64);
    let mut tar = tokio_tar::Builder::new(Vec::new());
    tar.append_data(&mut header, path.trim_start_matches('/'), content).await?;
    Ok(tar.into_inner().await?.into())
}

fn parent(path: &str) -> &str {
    match path.trim_end_matches('/').rsplit_once('/') {
        Some(("", _)) | None => "/",
        Some((parent, _)) => parent,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::rewrite::app::FileChange;

    fn mount(kind: &str, source: &str, target: &str) -> Mount {
        Mount { kind: kind.into(), source: source.into(), target: target.into(), read_only: true }
    }

    fn layout(mounts: &[Mount], paths: &[&str]) -> StepResult<Layout> {
        let app = Container { mounts: mounts.to_vec(), ..Container::default() };
        let change = |path: &&str| FileChange {
            path: (*path).to_owned(),
            old_text: String::new(),
            new_text: String::new(),
            lines: Vec::new(),
        };
        Layout::of(&app, &Plan { files: paths.iter().map(change).collect(), ..Plan::default() })
    }

    #[test]
    fn a_mount_that_holds_a_changed_file_is_not_shared() {
        let data = mount("volume", "uploads", "/data");
        let found = layout(&[mount("bind", "/srv/a.yaml", "/app/a.yaml"), data.clone()], &["/app/a.yaml"]).unwrap();
        assert_eq!(found, Layout { mounts: vec![data.clone()], folders: vec![] });
        let found = layout(&[mount("bind", "/srv/app", "/app"), data.clone()], &["/app/x/a", "/app/b"]).unwrap();
        assert_eq!(found.folders, ["/app"]);
        assert_eq!((found.mounts[0].source.as_str(), found.mounts[0].read_only), ("", false));
        assert_eq!(found.mounts[1], data);
        let found = layout(&[mount("bind", "/srv/app", "/app")], &["/application/b"]).unwrap();
        assert_eq!(found.folders, Vec::<String>::new());
        assert!(layout(&[mount("tmpfs", "", "/run/c")], &["/run/c/a"]).is_err());
    }

    #[test]
    fn parents_are_folders() {
        assert_eq!((parent("/app/.env"), parent("/app"), parent("/app/data/")), ("/app", "/", "/app"));
    }
}
