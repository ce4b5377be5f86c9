//! The configuration of an nginx of the box, out of its container.

use std::collections::BTreeMap;
use std::path::{Component, Path, PathBuf};

use futures::StreamExt;
use tokio::io::AsyncReadExt;
use tokio_util::io::StreamReader;

use crate::rewrite::nginx::{self, Directive, Server};
use crate::step::{Fault, Look, StepResult};

/// Where nginx keeps it in every image and package known.
const DIRECTORY: &str = "/etc/nginx";
/// A configuration file is no larger.
const FILE: u64 = 1 << 20;
/// All of them together are no larger.
const ALL: u64 = 16 << 20;

/// Every server of the proxy.
pub(super) async fn servers(look: &Look) -> StepResult<Vec<Server>> {
    let proxy = &look.site.old.proxy;
    let tree = tree(look, proxy).await?.ok_or_else(|| {
        let what = format!("{proxy} has no {DIRECTORY}/nginx.conf");
        Fault::failed_with(what, "name the nginx container as `box.proxy` in the site file")
    })?;
    Ok(nginx::servers(&tree))
}

/// The whole configuration of a container's nginx; `None` if the container has none.
pub(in crate::steps) async fn tree(look: &Look, container: &str) -> StepResult<Option<Vec<Directive>>> {
    let files = read(look, container).await?;
    let main = format!("{DIRECTORY}/nginx.conf");
    let Some(text) = files.get(&main) else { return Ok(None) };
    let resolve = |pattern: &str| nginx::matching(&files, pattern);
    let tree = nginx::load(&main, text, &resolve)
        .map_err(|e| Fault::failed(format!("the configuration of {container} could not be read: {e}")))?;
    Ok(Some(tree))
}

/// Every text file below the directory, links followed.
async fn read(look: &Look, proxy: &str) -> StepResult<BTreeMap<String, String>> {
    let broken = |e: std::io::Error| Fault::failed(format!("{DIRECTORY} of {proxy} could not be read: {e}"));
    let stream = look.old.read(proxy, DIRECTORY).await?;
    let mut archive = tokio_tar::Archive::new(StreamReader::new(stream));
    let mut entries = archive.entries().map_err(broken)?;
    let (mut files, mut links) = (BTreeMap::new(), Vec::new());
    let mut total = 0;
    while let Some(entry) = entries.next().await {
        let mut entry = entry.map_err(broken)?;
        // Names begin with the directory's own.
        let path = Path::new("/etc").join(entry.path().map_err(broken)?);
        let kind = entry.header().entry_type();
        if kind.is_symlink() || kind.is_hard_link() {
            if let Some(target) = entry.link_name().map_err(broken)? {
                let from = if kind.is_symlink() { path.parent().unwrap_or(&path) } else { Path::new("/etc") };
                links.push((text_of(&path), text_of(&normal(&from.join(target)))));
            }
        } else if kind.is_file() {
            let size = entry.header().size().map_err(broken)?;
            total += size;
            if total > ALL {
                return Err(Fault::failed(format!("{DIRECTORY} of {proxy} holds more than 16 MiB")));
            }
            let mut body = Vec::new();
            if size <= FILE {
                entry.read_to_end(&mut body).await.map_err(broken)?;
            }
            // What is no text (a session key, a database of places) is no configuration.
            if let Ok(text) = String::from_utf8(body) {
                files.insert(text_of(&normal(&path)), text);
            }
        }
    }
    // Links to links settle in as many rounds as they are deep.
    for _ in 0..8 {
        for (from, to) in &links {
            if let Some(text) = files.get(to).cloned() {
                files.insert(from.clone(), text);
            }
        }
    }
    Ok(files)
}

fn normal(path: &Path) -> PathBuf {
    let mut out = PathBuf::new();
    for part in path.components() {
        match part {
            Component::ParentDir => {
                out.pop();
            }
            Component::CurDir => {}
            other => out.push(other),
        }
    }
    out
}

fn text_of(path: &Path) -> String {
    path.to_string_lossy().into_owned()
}
