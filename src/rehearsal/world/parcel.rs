//! Small tar archives made in memory, to put files into containers.

use std::io;

use bytes::Bytes;
use futures::StreamExt;
use tokio_tar::{Builder, EntryType, Header};

use crate::clients::hosts::Bytestream;

/// What goes in.
#[derive(Debug, Clone)]
pub struct Entry {
    /// The path below the place it is unpacked at, without a leading slash.
    pub path: String,
    /// The file's content; none for a directory.
    pub content: Option<Vec<u8>>,
    /// The permission bits.
    pub mode: u32,
    /// Whose it is: user and group number.
    pub owner: (u64, u64),
}

impl Entry {
    /// A directory of root's.
    pub fn directory(path: &str) -> Self {
        Self { path: path.to_owned(), content: None, mode: 0o755, owner: (0, 0) }
    }

    /// A file of root's.
    pub fn file(path: &str, content: impl Into<Vec<u8>>, mode: u32) -> Self {
        Self { path: path.to_owned(), content: Some(content.into()), mode, owner: (0, 0) }
    }

    /// The same of somebody else's.
    #[must_use]
    pub fn owned(self, owner: (u64, u64)) -> Self {
        Self { owner, ..self }
    }
}

/// The archive.
pub async fn pack(entries: &[Entry]) -> io::Result<Bytestream> {
    let mut builder = Builder::new(Vec::new());
    for entry in entries {
        let content = entry.content.as_deref().unwrap_or_default();
        let mut header = Header::new_gnu();
        header.set_entry_type(if entry.content.is_some() { EntryType::Regular } else { EntryType::Directory });
        header.set_mode(entry.mode);
        header.set_uid(entry.owner.0);
        header.set_gid(entry.owner.1);
        header.set_size(content.len() as u64);
        builder.append_data(&mut header, &entry.path, content).await?;
    }
    let bytes = Bytes::from(builder.into_inner().await?);
    Ok(futures::stream::once(std::future::ready(Ok(bytes))).boxed())
}
