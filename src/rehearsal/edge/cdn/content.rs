//! What an origin gives: a head, and a body that is at hand, in a file or on its way.

use std::pin::Pin;
use std::task::{Context, Poll, ready};

use bytes::{Bytes, BytesMut};
use http::{HeaderMap, StatusCode};
use http_body_util::BodyExt;
use hyper::body::{Body as HttpBody, Frame, SizeHint};
use tokio::io::AsyncReadExt;

use super::cache::LARGEST;
use super::object::Bytes as ObjectBytes;
use crate::rehearsal::edge::body::{Body, BoxError};

/// A body.
pub enum Content {
    /// At hand.
    Here(Bytes),
    /// An object and its size.
    Object(ObjectBytes, u64),
    /// On its way.
    Coming(Body),
}

/// An answer of an origin.
pub struct Fetched {
    /// Status.
    pub status: StatusCode,
    /// Headers, without those of the connection.
    pub headers: HeaderMap,
    /// Body.
    pub content: Content,
}

impl Content {
    /// All of it, if it is small enough to be kept. What was read of a larger one is lost.
    pub async fn gather(self) -> Option<Bytes> {
        match self {
            Self::Here(bytes) => Some(bytes),
            Self::Object(mut object, size) => {
                let size = usize::try_from(size).ok().filter(|size| *size <= LARGEST)?;
                let mut bytes = Vec::with_capacity(size);
                object.read_to_end(&mut bytes).await.ok()?;
                (bytes.len() == size).then(|| bytes.into())
            }
            Self::Coming(mut body) => {
                let mut bytes = BytesMut::new();
                while let Some(frame) = body.frame().await {
                    if let Ok(data) = frame.ok()?.into_data() {
                        if bytes.len() + data.len() > LARGEST {
                            return None;
                        }
                        bytes.extend_from_slice(&data);
                    }
                }
                Some(bytes.freeze())
            }
        }
    }
}

/// Takes a whole body.
type Whole = Box<dyn FnOnce(Bytes) + Send>;

/// A body that is copied as it passes; whoever asked gets the copy once it has passed whole.
pub struct Tee {
    inner: Body,
    copy: Option<(BytesMut, Whole)>,
}

impl Tee {
    /// Copies `inner` for `whole`, unless it turns out too large.
    pub fn new(inner: Body, whole: impl FnOnce(Bytes) + Send + 'static) -> Self {
        Self { inner, copy: Some((BytesMut::new(), Box::new(whole))) }
    }

    fn hand_over(&mut self) {
        if let Some((copy, whole)) = self.copy.take() {
            whole(copy.freeze());
        }
    }
}

impl HttpBody for Tee {
    type Data = Bytes;
    type Error = BoxError;

    fn poll_frame(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>, BoxError>>> {
        let frame = ready!(Pin::new(&mut self.inner).poll_frame(cx));
        match &frame {
            None => self.hand_over(),
            Some(Err(_)) => self.copy = None,
            Some(Ok(frame)) => {
                if let (Some((copy, _)), Some(data)) = (&mut self.copy, frame.data_ref()) {
                    copy.extend_from_slice(data);
                    if copy.len() > LARGEST {
                        self.copy = None;
                    }
                }
                // A server does not ask again once it knows that this was the last.
                if self.inner.is_end_stream() {
                    self.hand_over();
                }
            }
        }
        Poll::Ready(frame)
    }

    fn is_end_stream(&self) -> bool {
        self.inner.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.inner.size_hint()
    }
}

#[cfg(test)]
mod tests {
    use std::sync::{Arc, Mutex};

    use super::*;
    use crate::rehearsal::edge::body::full;

    #[tokio::test]
    async fn a_copy_is_handed_over_only_whole() {
        let kept = Arc::<Mutex<Vec<Bytes>>>::default();
        let keep = |kept: &Arc<Mutex<Vec<Bytes>>>| {
            let kept = kept.clone();
            move |bytes: Bytes| kept.lock().unwrap().push(bytes)
        };
        let passed = Tee::new(full("abc"), keep(&kept)).collect().await.unwrap().to_bytes();
        assert_eq!((&*passed, kept.lock().unwrap().clone()), (&b"abc"[..], vec![Bytes::from("abc")]));
        let large = vec![0; LARGEST + 1];
        assert_eq!(Tee::new(full(large), keep(&kept)).collect().await.unwrap().to_bytes().len(), LARGEST + 1);
        drop(Tee::new(full("torn"), keep(&kept)));
        assert_eq!(kept.lock().unwrap().len(), 1);
    }
}
