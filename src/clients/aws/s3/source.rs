//! Where the bytes of a long upload come from, piece by piece.

use std::fs::File;
use std::os::unix::fs::FileExt;
use std::sync::Arc;

use bytes::Bytes;
use tokio::io::{AsyncRead, AsyncReadExt};

/// A source of bytes.
pub(super) enum Source<'a> {
    /// A stream.
    Stream(&'a mut (dyn AsyncRead + Send + Unpin)),
    /// A file, from this byte on.
    File(Arc<File>, u64),
}

impl Source<'_> {
    /// The next so many bytes, into a buffer that was used before if there is one; or why there are fewer.
    pub(super) async fn next(&mut self, size: usize, mut buffer: Vec<u8>) -> Result<Bytes, String> {
        let broken = |e: &std::io::Error| format!("its source broke off: {e}");
        buffer.resize(size, 0);
        match self {
            Self::Stream(reader) => {
                reader.read_exact(&mut buffer).await.map_err(|e| broken(&e))?;
                Ok(buffer.into())
            }
            Self::File(file, at) => {
                let (from, open) = (*at, Arc::clone(file));
                let read = tokio::task::spawn_blocking(move || open.read_exact_at(&mut buffer, from).map(|()| buffer));
                let buffer = read.await.map_err(|e| e.to_string())?.map_err(|e| broken(&e))?;
                *at += size as u64;
                Ok(buffer.into())
            }
        }
    }
}
