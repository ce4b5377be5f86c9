//! The document root as a stream of entries, one at a time.

use std::path::{Component, Path, PathBuf};

use futures::StreamExt;
use tokio::io::AsyncRead;
use tokio_util::io::StreamReader;

use crate::clients::hosts::{Bytestream, HostRead};
use crate::site::Site;
use crate::step::{Fault, StepResult};

type Source = StreamReader<Bytestream, bytes::Bytes>;

/// The archive of the web container's document root.
pub(super) struct Archive {
    entries: tokio_tar::Entries<Source>,
    place: String,
}

/// What an entry is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Kind {
    /// A file of so many bytes.
    File(u64),
    /// A link to this path below the root, made of the link's own place and what it says; `None` leaves the root.
    Link(Option<String>),
    /// A folder.
    Folder,
    /// A device, a pipe or a socket.
    Special,
}

/// An entry; a file is read from it before the next one is asked for.
pub(super) struct Entry {
    /// Below the root, with slashes between; `Err` is how a path that is none looks, and why.
    pub path: Result<String, (String, &'static str)>,
    /// What it is.
    pub kind: Kind,
    body: tokio_tar::Entry<tokio_tar::Archive<Source>>,
}

impl Entry {
    /// The file's content.
    pub fn reader(&mut self) -> &mut (dyn AsyncRead + Send + Unpin) {
        &mut self.body
    }
}

impl Archive {
    /// Asks the box's engine for it.
    pub async fn open(site: &Site, old: &dyn HostRead) -> StepResult<Self> {
        let web = &site.old.web;
        let root = web.root.trim_end_matches('/');
        let place = format!("{root} of {}", web.container);
        let stream = old.read(&web.container, root).await?;
        let mut archive = tokio_tar::Archive::new(StreamReader::new(stream));
        let entries = archive.entries().map_err(|e| broken(&place, &e))?;
        Ok(Self { entries, place })
    }

    /// The next entry, if there is one. The root itself is left out.
    pub async fn next(&mut self) -> StepResult<Option<Entry>> {
        loop {
            let Some(entry) = self.entries.next().await else { return Ok(None) };
            let entry = entry.map_err(|e| broken(&self.place, &e))?;
            let kind = entry.header().entry_type();
            let raw = entry.path().map_err(|e| broken(&self.place, &e))?.into_owned();
            let mut below = raw.components();
            // Names begin with the root's own.
            below.next();
            if below.as_path().as_os_str().is_empty() {
                if kind.is_symlink() {
                    return Err(Fault::failed_with(
                        format!("{} is a link", self.place),
                        "name the folder it points to as `box.web.root` in the site file",
                    ));
                }
                continue;
            }
            let path = plain(below.as_path());
            let link = |base: &Path| -> StepResult<Kind> {
                let target = entry.link_name().map_err(|e| broken(&self.place, &e))?;
                Ok(Kind::Link(target.and_then(|target| resolved(base, &target))))
            };
            let kind = if kind.is_file() || kind.is_gnu_sparse() || kind.is_contiguous() {
                Kind::File(entry.header().size().map_err(|e| broken(&self.place, &e))?)
            } else if kind.is_symlink() {
                link(below.as_path().parent().unwrap_or(Path::new("")))?
            } else if kind.is_hard_link() {
                // A hard link names its other place from the archive's beginning.
                let target = entry.link_name().map_err(|e| broken(&self.place, &e))?;
                let inside = target.map(|target| target.components().skip(1).collect::<PathBuf>());
                Kind::Link(inside.and_then(|inside| resolved(Path::new(""), &inside)))
            } else if kind.is_dir() {
                Kind::Folder
            } else {
                Kind::Special
            };
            return Ok(Some(Entry { path, kind, body: entry }));
        }
    }

    /// Why a file of it could not be read.
    pub fn broken(&self, error: &std::io::Error) -> Fault {
        broken(&self.place, error)
    }
}

/// Nothing was decided by it, so it is read again from its beginning.
fn broken(place: &str, error: &std::io::Error) -> Fault {
    Fault::InDoubt(format!("{place} could not be read to its end: {error}"))
}

fn plain(path: &Path) -> Result<String, (String, &'static str)> {
    let shown = || path.to_string_lossy().into_owned();
    let mut parts = Vec::new();
    for part in path.components() {
        match part {
            Component::Normal(part) => {
                parts.push(part.to_str().ok_or_else(|| (shown(), "its name is not UTF-8: rename it"))?);
            }
            Component::CurDir => {}
            _ => return Err((shown(), "its path leaves the document root")),
        }
    }
    Ok(parts.join("/"))
}

/// Where a link leads, as a path below the root; `None` if it leaves it.
fn resolved(base: &Path, target: &Path) -> Option<String> {
    let mut parts: Vec<&str> = Vec::new();
    for part in base.components().chain(target.components()) {
        match part {
            Component::Normal(part) => parts.push(part.to_str()?),
            Component::CurDir => {}
            Component::ParentDir => {
                parts.pop()?;
            }
            Component::RootDir | Component::Prefix(_) => return None,
        }
    }
    Some(parts.join("/"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn links_stay_below_the_root_or_lead_nowhere() {
        let of = |base: &str, target: &str| resolved(Path::new(base), Path::new(target));
        assert_eq!(of("a/b", "../c.js").as_deref(), Some("a/c.js"));
        assert_eq!(of("", "./x/한글").as_deref(), Some("x/한글"));
        assert_eq!(of("a", "../../etc/passwd"), None);
        assert_eq!(of("a", "/etc/passwd"), None);
    }
}
