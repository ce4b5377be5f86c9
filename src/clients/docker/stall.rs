//! Streams have no time limit, only one on standing still: a dead network ends a transfer, a slow one does not.

use std::future::Future;
use std::io;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use futures::{StreamExt, stream};

use crate::clients::hosts::Bytestream;

/// How long nothing may move.
pub(super) const STANDSTILL: Duration = Duration::from_mins(3);

/// How far a transfer is: it counts up while anything moves.
#[derive(Clone, Default)]
pub(super) struct Passed(Arc<AtomicU64>);

impl Passed {
    /// Something moved.
    pub(super) fn tick(&self) {
        self.0.fetch_add(1, Ordering::Relaxed);
    }
}

/// The stream, ended by an error once nothing came for `limit`.
pub(super) fn guard(stream: Bytestream, limit: Duration) -> Bytestream {
    let late = move || io::Error::new(io::ErrorKind::TimedOut, format!("nothing came for {} s", limit.as_secs()));
    stream::try_unfold(stream, move |mut stream| async move {
        match tokio::time::timeout(limit, stream.next()).await {
            Ok(Some(Ok(bytes))) => Ok(Some((bytes, stream))),
            Ok(Some(Err(e))) => Err(e),
            Ok(None) => Ok(None),
            Err(_) => Err(late()),
        }
    })
    .boxed()
}

/// The stream, with its bytes counted.
pub(super) fn count(stream: Bytestream, passed: &Passed) -> Bytestream {
    let passed = passed.clone();
    stream.inspect(move |_| passed.tick()).boxed()
}

/// The call, or `None` once nothing passed for `limit`.
pub(super) async fn watch<T>(call: impl Future<Output = T>, passed: &Passed, limit: Duration) -> Option<T> {
    let mut call = std::pin::pin!(call);
    let mut before = passed.0.load(Ordering::Relaxed);
    loop {
        if let Ok(done) = tokio::time::timeout(limit, &mut call).await {
            return Some(done);
        }
        let now = passed.0.load(Ordering::Relaxed);
        if now == before {
            return None;
        }
        before = now;
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use bytes::Bytes;

    #[tokio::test]
    async fn a_stream_that_stands_still_ends_and_a_slow_one_does_not() {
        let limit = Duration::from_millis(400);
        let slow = stream::unfold(0, |n| async move {
            tokio::time::sleep(Duration::from_millis(100)).await;
            (n < 6).then(|| (Ok(Bytes::from_static(b"x")), n + 1))
        });
        assert_eq!(guard(slow.boxed(), limit).filter(|i| std::future::ready(i.is_ok())).count().await, 6);
        let dead = stream::iter([Ok(Bytes::from_static(b"x"))]).chain(stream::pending());
        let mut dead = guard(dead.boxed(), limit);
        assert!(dead.next().await.unwrap().is_ok());
        assert_eq!(dead.next().await.unwrap().unwrap_err().kind(), io::ErrorKind::TimedOut);
    }

    #[tokio::test]
    async fn a_call_is_watched_by_what_it_moves() {
        let (passed, limit) = (Passed::default(), Duration::from_millis(300));
        let source = stream::unfold(0, |n| async move {
            tokio::time::sleep(Duration::from_millis(100)).await;
            (n < 6).then(|| (Ok(Bytes::new()), n + 1))
        });
        let moving = count(source.boxed(), &passed).count();
        assert_eq!(watch(moving, &passed, limit).await, Some(6));
        assert!(watch(std::future::pending::<()>(), &passed, limit).await.is_none());
    }
}
