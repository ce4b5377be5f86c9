//! What a container mounts on the box, and how each mount is carried to another host.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use futures::StreamExt;
use tokio_util::io::StreamReader;

use super::change::{How, Placed};
use crate::clients::hosts::{Container, HostRead, Mount};
use crate::step::{Fault, StepResult};

/// The largest mount that is copied to a new host.
pub(super) const LIMIT: u64 = 1 << 30;

/// What is the host's own, and differs there by right.
const HOSTS_OWN: [&str; 9] = [
    "/var/run/docker.sock",
    "/run/docker.sock",
    "/etc/localtime",
    "/etc/timezone",
    "/etc/hosts",
    "/etc/resolv.conf",
    "/dev",
    "/proc",
    "/sys",
];

/// Looks at every mount of a container that runs on the box.
pub(super) async fn place(host: &dyn HostRead, container: &Container) -> StepResult<Vec<Placed>> {
    let mut placed = Vec::new();
    for mount in &container.mounts {
        let (how, bytes) = if is_hosts_own(mount) { (How::Kept, 0) } else { measure(host, container, mount).await? };
        placed.push(Placed { target: mount.target.clone(), source: mount.source.clone(), how, bytes });
    }
    Ok(placed)
}

fn is_hosts_own(mount: &Mount) -> bool {
    let own = |path: &str| mount.source == path || mount.source.starts_with(&format!("{path}/"));
    mount.kind == "tmpfs" || mount.kind == "bind" && HOSTS_OWN.iter().any(|path| own(path))
}

/// Folder or file, and how large: the archive is read through, and stopped at the limit.
async fn measure(host: &dyn HostRead, container: &Container, mount: &Mount) -> StepResult<(How, u64)> {
    let failed = |why: String| Fault::InDoubt(format!("read {} in {}: {why}", mount.target, container.name));
    let sum = Arc::new(AtomicU64::new(0));
    let counted = Arc::clone(&sum);
    let stream = host.read(&container.id, &mount.target).await?.inspect(move |piece| {
        counted.fetch_add(piece.as_ref().map_or(0, |p| p.len() as u64), Ordering::Relaxed);
    });
    let mut archive = tokio_tar::Archive::new(StreamReader::new(stream));
    let mut entries = archive.entries().map_err(|e| failed(e.to_string()))?;
    let mut folder = None;
    while let Some(entry) = entries.next().await {
        let entry = entry.map_err(|e| failed(e.to_string()))?;
        folder.get_or_insert(entry.header().entry_type().is_dir());
        if sum.load(Ordering::Relaxed) > LIMIT {
            break;
        }
    }
    let how = if folder == Some(false) && is_whole_file(mount) { How::File } else { How::Volume };
    Ok((how, sum.load(Ordering::Relaxed)))
}

/// Only a bind can mount a file.
fn is_whole_file(mount: &Mount) -> bool {
    mount.kind == "bind"
}
