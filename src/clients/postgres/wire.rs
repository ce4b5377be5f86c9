//! A connection spoken to in PostgreSQL's wire protocol, simple queries only, for what a driver's layers cost too much
//! for: rows that only pass through, and many small statements at once.
//!
//! A driver holds every row whole; here a row of any size goes through one small buffer, and a batch of statements with
//! all its rows takes one round trip.

mod connect;
mod message;
mod relay;

use std::future::poll_fn;
use std::pin::Pin;
use std::task::{Context, Poll, ready};
use std::time::Duration;

use tokio::io::{AsyncRead as _, AsyncWriteExt as _, ReadBuf};
use tokio_postgres::CancelToken;

use super::{ByteStream, Endpoint, Error, session};
use message::Inbox;

pub(super) use connect::open;
pub use relay::{Pace, Relayed};

/// A connection; see [`Endpoint::wire`]. Dropped in the middle of a statement, it cancels that statement.
pub struct Wire {
    stream: ByteStream,
    inbox: Inbox,
    endpoint: Endpoint,
    server: String,
    version: u32,
    token: CancelToken,
    busy: bool,
}

impl Wire {
    /// The server's major version.
    pub fn version(&self) -> u32 {
        self.version
    }

    /// Runs one or several statements; says how many rows each touched, where it says so.
    pub async fn run(&mut self, sql: &str) -> Result<Vec<u64>, Error> {
        let doing = session::brief(sql);
        self.ask(sql).await?;
        poll_fn(|cx| self.poll_fill(cx, &doing, true)).await?;
        self.answered(&doing)
    }

    /// Sends statements without waiting for the answer.
    async fn ask(&mut self, sql: &str) -> Result<(), Error> {
        self.busy = true;
        self.inbox.begin();
        let packet = message::query(sql);
        let sent = self.stream.write_all(&packet).await;
        sent.map_err(|error| self.lost(&session::brief(sql), error.to_string()))?;
        let flushed = self.stream.flush().await;
        flushed.map_err(|error| self.lost(&session::brief(sql), error.to_string()))
    }

    /// Takes in what the server says, until it is ready for the next query (`until_ready`) or there is nothing more now.
    fn poll_fill(&mut self, cx: &mut Context<'_>, doing: &str, until_ready: bool) -> Poll<Result<(), Error>> {
        loop {
            self.inbox.read_answers().map_err(|why| self.answer(doing, why))?;
            if self.inbox.ready {
                self.busy = false;
                return Poll::Ready(Ok(()));
            }
            match self.poll_read(cx, doing) {
                Poll::Ready(Ok(())) => {}
                Poll::Pending if !until_ready => return Poll::Ready(Ok(())),
                other => return other,
            }
        }
    }

    /// Reads once into the inbox.
    fn poll_read(&mut self, cx: &mut Context<'_>, doing: &str) -> Poll<Result<(), Error>> {
        let mut room = ReadBuf::new(self.inbox.room());
        let read = ready!(Pin::new(&mut self.stream).poll_read(cx, &mut room));
        let count = room.filled().len();
        Poll::Ready(match read {
            Ok(()) if count > 0 => {
                self.inbox.filled(count);
                Ok(())
            }
            Ok(()) => Err(self.lost(doing, "closed by the server".to_owned())),
            Err(error) => Err(self.lost(doing, error.to_string())),
        })
    }

    /// What the server answered once it is ready: its refusal, or the row counts.
    fn answered(&mut self, doing: &str) -> Result<Vec<u64>, Error> {
        match self.inbox.refused.take() {
            Some(refused) => Err(refused.into_error(&self.server, doing)),
            None => Ok(std::mem::take(&mut self.inbox.counts)),
        }
    }

    fn lost(&mut self, doing: &str, why: String) -> Error {
        self.busy = false; // there is nothing left to cancel
        // The server's last word says more than the closed socket.
        if let Some(refused) = self.inbox.refused.take() {
            return refused.into_lost(&self.server, doing);
        }
        Error::Lost { server: self.server.clone(), doing: doing.to_owned(), why }
    }

    fn answer(&self, doing: &str, why: String) -> Error {
        Error::Answer { server: self.server.clone(), doing: doing.to_owned(), why }
    }

    /// Ends the connection in good order.
    pub async fn close(mut self) {
        // The server notices a closed socket as well.
        let _ = self.stream.write_all(&message::TERMINATE).await;
        let _ = self.stream.shutdown().await;
        self.busy = false;
    }
}

impl Drop for Wire {
    fn drop(&mut self) {
        if !self.busy {
            return;
        }
        let (token, endpoint) = (self.token.clone(), self.endpoint.clone());
        if let Ok(runtime) = tokio::runtime::Handle::try_current() {
            runtime.spawn(async move {
                // The cancel request may fail when the server is gone; the closed socket is what is left then.
                let _ = tokio::time::timeout(Duration::from_secs(3), session::cancel(token, &endpoint)).await;
            });
        }
    }
}
