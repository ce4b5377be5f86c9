//! One file out of a tar stream.

use std::path::Path;

use bytes::Bytes;
use futures::StreamExt;
use tokio::io::AsyncReadExt;
use tokio_util::io::StreamReader;

use crate::clients::hosts::Bytestream;

/// The largest file that is read whole.
pub(super) const LARGEST: u64 = 16 << 20;

/// What an archive begins with.
pub(super) enum First {
    /// A file, whole.
    File(Bytes),
    /// A symbolic link, and what it says.
    Link(String),
    /// Something else, or too large: why it is not read.
    Other(String),
}

/// The first entry of an archive.
pub(super) async fn first(stream: Bytestream) -> std::io::Result<First> {
    let mut archive = tokio_tar::Archive::new(StreamReader::new(stream));
    let mut entries = archive.entries()?;
    let Some(entry) = entries.next().await else { return Ok(First::Other("the archive is empty".into())) };
    let entry = entry?;
    let kind = entry.header().entry_type();
    if kind.is_symlink() {
        let target = entry.link_name()?.unwrap_or_default();
        return Ok(First::Link(target.to_string_lossy().into_owned()));
    }
    if !kind.is_file() {
        return Ok(First::Other("it is no file".into()));
    }
    let size = entry.header().size()?;
    if size > LARGEST {
        return Ok(First::Other(format!("it has {size} bytes, more than 16 MiB")));
    }
    let mut content = Vec::with_capacity(usize::try_from(size).unwrap_or_default());
    entry.take(LARGEST).read_to_end(&mut content).await?;
    Ok(First::File(content.into()))
}

/// Where a link leads, seen from the folder it lies in.
pub(super) fn follow(path: &str, target: &str) -> String {
    let base = Path::new(path).parent().unwrap_or_else(|| Path::new("/"));
    let mut parts: Vec<std::ffi::OsString> = Vec::new();
    for part in base.join(target).components() {
        match part {
            std::path::Component::ParentDir => {
                parts.pop();
            }
            std::path::Component::Normal(name) => parts.push(name.to_owned()),
            _ => {}
        }
    }
    parts.iter().fold(String::new(), |path, part| path + "/" + &part.to_string_lossy())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn links_lead_where_they_say() {
        assert_eq!(follow("/app/config/a.yaml", "..data/a.yaml"), "/app/config/..data/a.yaml");
        assert_eq!(follow("/app/config/a.yaml", "../b/a.yaml"), "/app/b/a.yaml");
        assert_eq!(follow("/app/a", "/etc/설정.yaml"), "/etc/설정.yaml");
        assert_eq!(follow("/app/a", "../../../../b"), "/b");
    }
}
