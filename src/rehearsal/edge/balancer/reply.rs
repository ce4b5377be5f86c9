//! Bodies on their way through the balancer: streamed, watched for standstill, and the connection given back at the end.

use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::task::{Context, Poll, ready};
use std::time::{Duration, Instant};

use bytes::Bytes;
use hyper::body::Incoming;
use hyper::body::{Body as HttpBody, Frame, SizeHint};
use hyper::client::conn::http1::SendRequest;
use tokio::time::Sleep;

use super::upstream::Upstream;
use crate::rehearsal::edge::body::{Body, BoxError};

/// A target's body. Gives the connection back once it is read; gives up when nothing comes for the idle timeout.
pub struct Reply {
    inner: Incoming,
    keep: Option<(SendRequest<Body>, Arc<Upstream>)>,
    idle: Duration,
    /// Armed only while the target keeps us waiting.
    timer: Option<Pin<Box<Sleep>>>,
}

impl Reply {
    /// The body of an answer that came by `sender`.
    pub fn new(inner: Incoming, sender: SendRequest<Body>, upstream: Arc<Upstream>, idle: Duration) -> Self {
        let mut reply = Self { inner, keep: Some((sender, upstream)), idle, timer: None };
        reply.settle();
        reply
    }

    fn settle(&mut self) {
        if self.inner.is_end_stream()
            && let Some((sender, upstream)) = self.keep.take()
        {
            upstream.give_back(sender);
        }
    }
}

impl HttpBody for Reply {
    type Data = Bytes;
    type Error = BoxError;

    fn poll_frame(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>, BoxError>>> {
        let frame = match Pin::new(&mut self.inner).poll_frame(cx) {
            Poll::Ready(frame) => frame,
            Poll::Pending => {
                let idle = self.idle;
                let timer = self.timer.get_or_insert_with(|| Box::pin(tokio::time::sleep(idle)));
                ready!(timer.as_mut().poll(cx));
                return Poll::Ready(Some(Err("the target sent nothing for the idle timeout".into())));
            }
        };
        self.timer = None;
        match &frame {
            None => {
                if let Some((sender, upstream)) = self.keep.take() {
                    upstream.give_back(sender);
                }
            }
            Some(Ok(_)) => self.settle(),
            Some(Err(_)) => self.keep = None,
        }
        Poll::Ready(frame.map(|frame| frame.map_err(Into::into)))
    }

    fn is_end_stream(&self) -> bool {
        self.inner.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.inner.size_hint()
    }
}

/// When a client's body last moved, so that a long upload is not taken for a silent target.
#[derive(Debug)]
pub struct Progress {
    start: Instant,
    last_ms: AtomicU64,
}

impl Default for Progress {
    fn default() -> Self {
        Self { start: Instant::now(), last_ms: AtomicU64::new(0) }
    }
}

impl Progress {
    fn moved(&self) {
        let ms = u64::try_from(self.start.elapsed().as_millis()).unwrap_or(u64::MAX);
        self.last_ms.store(ms, Ordering::Relaxed);
    }

    /// Waits until nothing has moved for `idle`.
    pub async fn standstill(&self, idle: Duration) {
        loop {
            let deadline = self.start + Duration::from_millis(self.last_ms.load(Ordering::Relaxed)) + idle;
            if deadline <= Instant::now() {
                return;
            }
            tokio::time::sleep_until(deadline.into()).await;
        }
    }
}

/// A client's body.
pub struct Upload {
    inner: Incoming,
    progress: Arc<Progress>,
}

impl Upload {
    /// The body of a request.
    pub fn new(inner: Incoming, progress: Arc<Progress>) -> Self {
        Self { inner, progress }
    }
}

impl HttpBody for Upload {
    type Data = Bytes;
    type Error = BoxError;

    fn poll_frame(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>, BoxError>>> {
        let frame = ready!(Pin::new(&mut self.inner).poll_frame(cx));
        self.progress.moved();
        Poll::Ready(frame.map(|frame| frame.map_err(Into::into)))
    }

    fn is_end_stream(&self) -> bool {
        self.inner.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.inner.size_hint()
    }
}
