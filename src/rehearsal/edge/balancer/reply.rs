//! Bodies on their way through the balancer: streamed, watched for standstill, and the connection given back at the end.

use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, ready};
use std::time::Duration;

use bytes::Bytes;
use hyper::body::Incoming;
use hyper::body::{Body as HttpBody, Frame, SizeHint};
use hyper::client::conn::http1::SendRequest;

use super::progress::Progress;
use super::upstream::{UnderWay, Upstream};
use crate::rehearsal::edge::body::{Body, BoxError};

/// A wait that only ever ends in an error.
type Failing = Pin<Box<dyn Future<Output = BoxError> + Send>>;

/// A target's body. Gives the connection back once it is read; gives up when nothing comes for the idle timeout, or when
/// the target's time is over.
pub struct Reply {
    inner: Incoming,
    keep: Option<(SendRequest<Body>, Arc<Upstream>)>,
    upstream: Arc<Upstream>,
    idle: Duration,
    /// Armed only while the target keeps us waiting.
    patience: Option<Failing>,
    _under_way: UnderWay,
}

impl Reply {
    /// The body of an answer that came by `sender`.
    pub fn new(
        inner: Incoming,
        sender: SendRequest<Body>,
        upstream: Arc<Upstream>,
        idle: Duration,
        under_way: UnderWay,
    ) -> Self {
        let keep = Some((sender, upstream.clone()));
        let mut reply = Self { inner, keep, upstream, idle, patience: None, _under_way: under_way };
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

    fn patience(&self) -> Failing {
        let (idle, left) = (self.idle, self.upstream.left().clone());
        Box::pin(async move {
            tokio::select! {
                () = tokio::time::sleep(idle) => "the target sent nothing for the idle timeout".into(),
                () = left.cancelled() => "the target was deregistered, and its delay is over".into(),
            }
        })
    }
}

impl HttpBody for Reply {
    type Data = Bytes;
    type Error = BoxError;

    fn poll_frame(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>, BoxError>>> {
        let frame = match Pin::new(&mut self.inner).poll_frame(cx) {
            Poll::Ready(frame) => frame,
            Poll::Pending => {
                if self.patience.is_none() {
                    self.patience = Some(self.patience());
                }
                let Some(patience) = self.patience.as_mut() else { return Poll::Pending };
                let why = ready!(patience.as_mut().poll(cx));
                return Poll::Ready(Some(Err(why)));
            }
        };
        self.patience = None;
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
        match &frame {
            Some(Ok(frame)) => self.progress.moved(frame.data_ref().map_or(0, Bytes::len)),
            Some(Err(_)) => self.progress.broke(),
            None => self.progress.moved(0),
        }
        // with a length given, nobody asks for the end once the last byte is there
        if frame.is_none() || self.inner.is_end_stream() {
            self.progress.completed();
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
