//! A stream that adds one parameter to the startup message which the driver sends first. The driver knows no replication
//! mode; everything after that message (authentication, simple queries, errors) it knows, and so nothing is done twice.

use std::io;
use std::pin::Pin;
use std::task::{Context, Poll, ready};

use bytes::{Buf, BufMut, BytesMut};
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};

use super::ByteStream;

/// The stream, and what of the startup message is still to be gathered or sent.
pub(super) struct Startup {
    stream: ByteStream,
    parameter: (&'static str, &'static str),
    gathered: BytesMut,
    sent: bool,
    pending: BytesMut,
}

impl Startup {
    pub(super) fn new(stream: ByteStream, parameter: (&'static str, &'static str)) -> Self {
        Self { stream, parameter, gathered: BytesMut::new(), sent: false, pending: BytesMut::new() }
    }

    /// Takes the driver's bytes until its first message is whole, then keeps it, longer by the parameter, to be sent.
    fn gather(&mut self, bytes: &[u8]) {
        self.gathered.extend_from_slice(bytes);
        let Some(mut head) = self.gathered.get(..4) else { return };
        let length = usize::try_from(head.get_u32()).unwrap_or(usize::MAX);
        // Length and protocol version, pairs of words each ended by a zero, and a zero: the parameter goes before that.
        if length < 9 || self.gathered.len() < length {
            return;
        }
        let (name, value) = self.parameter;
        let longer = length + name.len() + value.len() + 2;
        self.pending.put_u32(u32::try_from(longer).unwrap_or_default());
        self.pending.put_slice(&self.gathered[4..length - 1]);
        for word in [name, value] {
            self.pending.put_slice(word.as_bytes());
            self.pending.put_u8(0);
        }
        self.pending.put_u8(0);
        self.pending.put_slice(&self.gathered[length..]);
        self.gathered = BytesMut::new();
        self.sent = true;
    }

    fn drain(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        while self.pending.has_remaining() {
            let written = ready!(Pin::new(&mut self.stream).poll_write(cx, &self.pending))?;
            if written == 0 {
                return Poll::Ready(Err(io::ErrorKind::WriteZero.into()));
            }
            self.pending.advance(written);
        }
        Poll::Ready(Ok(()))
    }
}

impl AsyncRead for Startup {
    fn poll_read(mut self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_read(cx, buf)
    }
}

impl AsyncWrite for Startup {
    fn poll_write(mut self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &[u8]) -> Poll<io::Result<usize>> {
        if !self.sent {
            self.gather(buf);
            return Poll::Ready(Ok(buf.len()));
        }
        ready!(self.drain(cx))?;
        Pin::new(&mut self.stream).poll_write(cx, buf)
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        ready!(self.drain(cx))?;
        Pin::new(&mut self.stream).poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_shutdown(cx)
    }
}

#[cfg(test)]
mod tests {
    use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};

    use super::*;

    #[tokio::test]
    async fn the_parameter_is_added_and_the_rest_passes_whatever_the_pieces() {
        let message = b"\0\0\0\x11\0\x03\0\0user\0me\0\0";
        for cut in 0..message.len() {
            let (near, mut far) = tokio::io::duplex(8);
            let mut startup = Startup::new(Box::new(near), ("replication", "database"));
            let writer = tokio::spawn(async move {
                startup.write_all(&message[..cut]).await.unwrap();
                startup.write_all(&message[cut..]).await.unwrap();
                startup.flush().await.unwrap();
                startup.write_all(b"rest").await.unwrap();
                startup.flush().await.unwrap();
            });
            let mut seen = Vec::new();
            far.read_to_end(&mut seen).await.unwrap();
            writer.await.unwrap();
            assert_eq!(seen, b"\0\0\0\x26\0\x03\0\0user\0me\0replication\0database\0\0rest");
        }
    }
}
