//! What the world is doing, and how long each part took.

use std::future::Future;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Instant;

use serde::Serialize;

/// A part of the start that is done.
#[derive(Debug, Clone, PartialEq, Serialize, serde::Deserialize)]
pub struct Part {
    /// What was done.
    pub what: String,
    /// When it began, in seconds since the start.
    pub at: f64,
    /// How long it took, in seconds.
    pub seconds: f64,
}

/// Tells what is being done. Clones tell the same listener.
#[derive(Clone)]
pub struct Progress {
    inner: Arc<Inner>,
}

struct Inner {
    began: Instant,
    listener: Box<dyn Fn(&str) + Send + Sync>,
    parts: Mutex<Vec<Part>>,
}

impl Progress {
    /// Tells each line to `listener`.
    pub fn new(listener: impl Fn(&str) + Send + Sync + 'static) -> Self {
        let inner = Inner { began: Instant::now(), listener: Box::new(listener), parts: Mutex::default() };
        Self { inner: Arc::new(inner) }
    }

    /// Tells a line.
    pub fn say(&self, text: &str) {
        tracing::info!("{text}");
        (self.inner.listener)(text);
    }

    /// Does a part, tells it when it is done, and passes its outcome on.
    pub async fn part<T, E>(&self, what: &str, doing: impl Future<Output = Result<T, E>>) -> Result<T, E> {
        let at = self.inner.began.elapsed().as_secs_f64();
        let done = doing.await;
        let seconds = self.inner.began.elapsed().as_secs_f64() - at;
        if done.is_ok() {
            self.say(&format!("{what} ({seconds:.1} s)"));
            let part = Part { what: what.to_owned(), at, seconds };
            self.inner.parts.lock().unwrap_or_else(PoisonError::into_inner).push(part);
        } else {
            tracing::warn!("{what}: failed after {seconds:.1} s");
        }
        done
    }

    /// The same, for a name made on the spot.
    pub async fn part_owned<T, E>(&self, what: String, doing: impl Future<Output = Result<T, E>>) -> Result<T, E> {
        self.part(&what, doing).await
    }

    /// The parts done so far, in the order of their ends.
    pub fn parts(&self) -> Vec<Part> {
        self.inner.parts.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Seconds since the start.
    pub fn seconds(&self) -> f64 {
        self.inner.began.elapsed().as_secs_f64()
    }
}
