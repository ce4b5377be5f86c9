//! Passes the rows of `COPY … TO STDOUT` on to `COPY … FROM STDIN` on another server, any number of tables in one go.
//!
//! Both lists of statements are sent at once and answered in order. Rows are gathered into messages of a fair size; a row
//! bigger than the buffer goes through it in parts, which the receiver puts together again.

use std::future::{Future, poll_fn};
use std::pin::Pin;
use std::task::{Context, Poll, ready};

use tokio::io::{AsyncWrite as _, AsyncWriteExt as _};

use super::message::{self, COPY_DONE, HEAD, Next};
use super::{Error, Wire, session};

/// Bytes sent at once.
const BUFFER: usize = 128 * 1024;
/// Fewer bytes than this wait for more.
const ENOUGH: usize = 32 * 1024;

/// What a relay did.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct Relayed {
    /// Rows of each `COPY`, in order.
    pub rows: Vec<u64>,
    /// Bytes of rows.
    pub bytes: u64,
}

/// Who is told of every lot of bytes, and may have the relay wait.
pub trait Pace {
    /// So many bytes of the `COPY` with this number went over.
    fn moved(&mut self, copy: usize, bytes: u64) -> impl Future<Output = ()> + Send;
}

impl Wire {
    /// Runs `out`, a list of `COPY … TO STDOUT`, and passes its rows to `into` run on `to`: any statements, with as many
    /// `COPY … FROM STDIN` among them in the same order.
    ///
    /// # Errors
    /// After a refusal of the receiver both connections can be used again only if the error came after the last row;
    /// after any other error, drop them.
    pub async fn relay(
        &mut self,
        out: &str,
        to: &mut Self,
        into: &str,
        pace: &mut impl Pace,
    ) -> Result<Relayed, Error> {
        let (out_brief, into_brief) = (session::brief(out), session::brief(into));
        self.ask(out).await?;
        to.ask(into).await?;
        let mut parcel = Parcel::default();
        let (mut left, mut copy, mut total) = (0, 0, 0);
        while !self.inbox.ready {
            // What is here already is gathered first, so that little is sent in big lots.
            let rows = parcel.gather(self, &mut left, &mut copy).map_err(|why| self.answer(&out_brief, why))?;
            if let Some(refused) = self.inbox.refused.take() {
                // The receiver's copy fails with ours; what it says about that is of no interest.
                let _ = to.stream.write_all(&message::copy_fail("the other server failed")).await;
                return Err(refused.into_error(&self.server, &out_brief));
            }
            if parcel.is_due() || (self.inbox.ready && !parcel.is_empty()) {
                poll_fn(|cx| parcel.poll_send(cx, to, &into_brief)).await?;
            }
            if rows > 0 {
                total += rows;
                pace.moved(copy, rows).await;
            }
            if self.inbox.ready {
                break;
            }
            poll_fn(|cx| poll_read_or_hear(cx, self, &out_brief, to, &into_brief, &mut parcel)).await?;
        }
        self.busy = false;
        let counts = self.answered(&out_brief)?;
        poll_fn(|cx| to.poll_fill(cx, &into_brief, true)).await?;
        to.answered(&into_brief)?;
        Ok(Relayed { rows: counts, bytes: total })
    }
}

/// Reads more rows; meanwhile hears the receiver, who may refuse in the middle, and sends what is worth it when the
/// source has nothing now.
fn poll_read_or_hear(
    cx: &mut Context<'_>,
    from: &mut Wire,
    out: &str,
    to: &mut Wire,
    into: &str,
    parcel: &mut Parcel,
) -> Poll<Result<(), Error>> {
    ready!(to.poll_fill(cx, into, false))?;
    refusal(to, into)?;
    match from.poll_read(cx, out) {
        Poll::Pending if parcel.bytes.len() >= ENOUGH => {
            ready!(parcel.poll_send(cx, to, into))?;
            from.poll_read(cx, out)
        }
        other => other,
    }
}

fn refusal(to: &mut Wire, into: &str) -> Result<(), Error> {
    match to.inbox.refused.take() {
        Some(refused) => Err(refused.into_error(&to.server, into)),
        None => Ok(()),
    }
}

/// What is on its way.
#[derive(Default)]
struct Parcel {
    bytes: Vec<u8>,
    sent: usize,
    /// Where the head of the open lot of rows stands.
    open: Option<usize>,
}

impl Parcel {
    fn is_empty(&self) -> bool {
        self.bytes.len() == self.sent
    }

    fn is_due(&self) -> bool {
        self.bytes.len() - self.sent >= BUFFER
    }

    /// Takes rows out of the inbox as long as there is room; `left` bytes of a row are still to come. Says how many
    /// bytes of rows it took, all of one table.
    fn gather(&mut self, from: &mut Wire, left: &mut usize, copy: &mut usize) -> Result<u64, String> {
        let mut rows = 0;
        loop {
            while *left > 0 {
                let taken = from.inbox.take(*left);
                if taken.is_empty() {
                    return Ok(rows);
                }
                if self.open.is_none() {
                    self.open = Some(self.bytes.len());
                    self.bytes.extend_from_slice(&[b'd', 0, 0, 0, 0]);
                }
                self.bytes.extend_from_slice(taken);
                *left -= taken.len();
                rows += taken.len() as u64;
            }
            match from.inbox.next()? {
                Next::Nothing => return Ok(rows),
                Next::Rows(length) => *left = length,
                Next::RowsEnd => {
                    self.seal();
                    self.bytes.extend_from_slice(&COPY_DONE);
                    *copy += 1;
                }
                Next::Answer if from.inbox.ready => return Ok(rows),
                Next::Answer => {}
            }
        }
    }

    /// Writes the open lot's length into its head.
    fn seal(&mut self) {
        if let Some(head) = self.open.take() {
            let length = u32::try_from(self.bytes.len() - head - 1).unwrap_or(u32::MAX);
            self.bytes[head + 1..head + HEAD].copy_from_slice(&length.to_be_bytes());
        }
    }

    /// Sends everything, hearing the receiver meanwhile.
    fn poll_send(&mut self, cx: &mut Context<'_>, to: &mut Wire, into: &str) -> Poll<Result<(), Error>> {
        self.seal();
        ready!(to.poll_fill(cx, into, false))?;
        refusal(to, into)?;
        while self.sent < self.bytes.len() {
            match ready!(Pin::new(&mut to.stream).poll_write(cx, &self.bytes[self.sent..])) {
                Ok(0) => return Poll::Ready(Err(to.lost(into, "closed by the server".to_owned()))),
                Ok(count) => self.sent += count,
                Err(error) => return Poll::Ready(Err(broken(to, cx, into, &error))),
            }
        }
        let flushed = ready!(Pin::new(&mut to.stream).poll_flush(cx));
        flushed.map_err(|error| to.lost(into, error.to_string()))?;
        self.bytes.clear();
        self.sent = 0;
        Poll::Ready(Ok(()))
    }
}

/// A connection that cannot be written to may still hold the server's last word.
fn broken(to: &mut Wire, cx: &mut Context<'_>, into: &str, error: &std::io::Error) -> Error {
    if let Poll::Ready(Err(told)) = to.poll_fill(cx, into, false) {
        return told;
    }
    to.lost(into, error.to_string())
}
