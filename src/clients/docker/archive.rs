//! Tar streams: whether they are whole, and one file out of one.

use std::path::Path;

use bytes::Bytes;
use futures::{StreamExt, stream};
use tokio::io::AsyncReadExt;
use tokio_util::io::StreamReader;

use crate::clients::hosts::Bytestream;

/// The largest file that is read whole.
pub(super) const LARGEST: u64 = 16 << 20;

/// What every archive ends with: two blocks of zeros (POSIX, pax interchange format).
const END: usize = 1024;

/// The archive, ended by an error where its own end is missing: one that is broken off between two files would pass
/// for one without the rest of them.
pub(super) fn whole(archive: Bytestream) -> Bytestream {
    let broken_off = || std::io::Error::new(std::io::ErrorKind::UnexpectedEof, "the archive was broken off");
    stream::try_unfold(Some((archive, 0_usize)), move |state| async move {
        let Some((mut archive, zeros)) = state else { return Ok(None) };
        match archive.next().await.transpose()? {
            Some(bytes) => {
                let last = bytes.iter().rev().take_while(|byte| **byte == 0).count();
                let zeros = if last == bytes.len() { zeros + last } else { last };
                Ok(Some((bytes, Some((archive, zeros)))))
            }
            None if zeros < END => Err(broken_off()),
            None => Ok(None),
        }
    })
    .boxed()
}

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

    async fn entries(archive: &[u8], piece: usize) -> std::io::Result<usize> {
        let pieces: Vec<_> = archive.chunks(piece).map(|piece| Ok(Bytes::copy_from_slice(piece))).collect();
        let mut archive = tokio_tar::Archive::new(StreamReader::new(whole(stream::iter(pieces).boxed())));
        let mut entries = archive.entries()?;
        let mut found = 0;
        while let Some(entry) = entries.next().await {
            entry?;
            found += 1;
        }
        Ok(found)
    }

    #[tokio::test]
    async fn an_archive_that_was_broken_off_does_not_pass_for_a_short_one() {
        let mut builder = tokio_tar::Builder::new(Vec::new());
        for name in ["a", "b", "c"] {
            let mut header = tokio_tar::Header::new_gnu();
            header.set_size(700);
            header.set_cksum();
            builder.append_data(&mut header, name, &[7_u8; 700][..]).await.unwrap();
        }
        let archive = builder.into_inner().await.unwrap();
        for piece in [1, 512, 1000, 100_000] {
            assert_eq!(entries(&archive, piece).await.unwrap(), 3);
            // A header and two blocks each, and the end: broken off after the second file.
            let error = entries(&archive[..2 * 3 * 512], piece).await.unwrap_err();
            assert_eq!(error.kind(), std::io::ErrorKind::UnexpectedEof, "{error}");
        }
    }

    #[test]
    fn links_lead_where_they_say() {
        assert_eq!(follow("/app/config/a.yaml", "..data/a.yaml"), "/app/config/..data/a.yaml");
        assert_eq!(follow("/app/config/a.yaml", "../b/a.yaml"), "/app/b/a.yaml");
        assert_eq!(follow("/app/a", "/etc/설정.yaml"), "/etc/설정.yaml");
        assert_eq!(follow("/app/a", "../../../../b"), "/b");
    }
}
